"""The frozen types that cross the border between a provider and the desk.

Times are aware and in UTC. Strings are clean: no NUL, no lone surrogates (`channels.text.clean`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

MessageKind = Literal[
    "text", "image", "voice", "video", "location", "link", "file", "too_large", "unsupported",
    "followed", "menu_click", "scanned",
]  # fmt: skip
"""`too_large`: more than the provider hands out. The last three are events that deserve an answer: the desk treats them
as messages without words."""
TOUCHES: Final = ("followed", "menu_click", "scanned")
"""Acts without words. Where the provider counts, they open a shorter window than a message does."""
EventKind = Literal["followed", "unfollowed", "returned", "menu_click", "scanned", "menu_view", "position", "ignored"]
"""`returned`: reachable again, without having said anything."""
SCENE: Final = "scene:"
"""What the choice of a follow or scan by code begins with: the rest is the scene, which tells where and never who."""
ReceiptOutcome = Literal["accepted", "delivered", "failed"]


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A picture, voice, file or place that came with a message. `media_id` is the provider's and expires there."""

    kind: MessageKind
    media_id: str = ""
    url: str = ""
    label: str = ""
    album: str = ""
    """What was chosen and sent together has the same one; each picture is a message of its own."""
    latitude: float | None = None
    longitude: float | None = None


class InboundMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What a resident sent. (channel, account, external_id) is unique for ever: law 1."""

    channel: str
    account: str
    external_id: str
    sender: str
    kind: MessageKind
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    choice: str | None = None
    """The value of the choice that was tapped, where the provider says that it was a tap; or the mark of a word that
    binds on this channel (`channels.consent`)."""
    own_phone: str = ""
    """The sender's phone number, E.164, where the provider vouches that it is theirs."""
    sent_at: datetime | None = None
    raw: str = ""
    """The payload as it came, kept for a while (setting `raw_payload_days`)."""


class ChannelEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened between a resident and the account without words: followed, left, clicked a menu line."""

    channel: str
    account: str
    external_id: str
    sender: str
    kind: EventKind
    key: str = ""
    sent_at: datetime | None = None
    raw: str = ""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The provider's later word on a message of ours, matched by `provider_id`."""

    channel: str
    account: str
    provider_id: str
    outcome: ReceiptOutcome
    error: str = ""
    at: datetime | None = None
    blocked: bool = False
    """It failed since the resident refuses what this account sends."""
    row_id: str = ""
    """The outbox row, where the provider carries our own name for the message: a receipt may come before its name."""


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a push that cannot be read beside others that can: kept raw and shown to staff (law 12)."""

    reason: str
    raw: str = ""


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """All that one request held, in the order it held it."""

    messages: tuple[InboundMessage, ...] = ()
    events: tuple[ChannelEvent, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    broken: tuple[Broken, ...] = ()


class Choice(msgspec.Struct, frozen=True):
    """One possible answer: what it says, and the digit or value that comes back."""

    value: str
    label: str


SHARE_NUMBER: Final = "share-number"
"""The value of a choice by which a resident hands over their own number with one tap, where the channel has such a
button (`Capabilities.shares_number`). What comes back is a contact, and no choice."""


class OutboundMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One part of what we say, to one address. `row_id` names the outbox row and serves as idempotency key where one
    exists."""

    row_id: str
    address: str
    text: str
    choices: tuple[Choice, ...] = ()
    moment: str = ""
    """Which of the desk's moments this tells (`recorded`, `slot`, `done`, …), where it tells one: the name under which
    approved texts are found."""
    values: Mapping[str, str] = {}
    """What fills in an approved text of that moment."""
    said_at: datetime | None = None
    """When it was said."""
    by_template: bool = False
    """Send the approved text of the moment instead of `text`: the way that needs no window."""


class SendResult(msgspec.Struct, frozen=True):
    """The provider took it. `provider_id` is its name for the message, where it gives one."""

    provider_id: str | None = None


class WebhookRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as a channel sees it; headers are found in any case of their names."""

    method: str
    suffix: str
    target: str = ""
    """Path and query as they were sent, escapes included: some providers sign them."""
    key: str = ""
    """What stands for `{key}` in the path of the route."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class WebhookAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider is answered."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"
