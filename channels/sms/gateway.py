"""What one gateway brings, and what all of them use to read a push."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol, TypeVar

import msgspec

from channels import consent
from channels.base import Capabilities
from channels.errors import Unreadable
from channels.messages import (
    Attachment,
    Broken,
    ChannelEvent,
    InboundMessage,
    OutboundMessage,
    Parsed,
    Receipt,
    SendResult,
    WebhookAnswer,
    WebhookRequest,
)
from channels.sms.numbers import e164
from channels.sms.settings import SmsAccount
from channels.text import clean

CHANNEL: Final = "sms"
BODY_LIMIT: Final = 64 * 1024
"""Bytes of a push; a hundred receipts are under 40 KiB."""

Item = InboundMessage | ChannelEvent | Receipt
T = TypeVar("T")


class Gateway(Protocol):
    """One provider's dialect, for one account."""

    required: ClassVar[tuple[str, ...]]
    """The settings that must not be empty."""
    signs: ClassVar[bool]
    """Its pushes carry a signature; otherwise the key in the path stands for one."""
    capabilities: ClassVar[Capabilities]
    acknowledgement: ClassVar[WebhookAnswer]

    def __init__(self, account: str, settings: SmsAccount, clock: Callable[[], float], timeout_s: float) -> None:
        """`clock`: seconds since the epoch; `timeout_s` bounds one API call."""

    def verify(self, request: WebhookRequest) -> None:
        """Raise `Unauthorised` unless the signature holds. Asked only where `signs`."""

    def parse(self, request: WebhookRequest) -> Parsed:
        """Read a verified push, inbound or receipts: what it holds decides. Raises `Unreadable`."""

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one text over. Raises a `SendError`."""

    async def try_credentials(self) -> None:
        """Ask for something that changes nothing. Raises a `SendError`."""

    async def close(self) -> None:
        """Give back connections."""


# Reading pushes


def read_json(body: bytes) -> Any:
    """The JSON of a push. Raises `Unreadable`, quoting nothing.

    Half a character, as a handset that cuts its text leaves one, is let through here and dropped by `clean`: it must
    not take the other messages of a push with it.
    """
    if len(body) > BODY_LIMIT:
        raise Unreadable(f"body: {len(body)} bytes, at most {BODY_LIMIT}")
    try:
        return json.loads(body.decode(), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise Unreadable(f"body: not UTF-8 at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        place = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise Unreadable(f"body: not JSON{place}") from None


def _no_number(_: str) -> object:
    raise ValueError


def typed(value: object, kind: type[T]) -> T:
    """`value` as `kind`. Raises `Unreadable` naming the path of what does not fit."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Unreadable(str(error)[:180]) from None
    except UnicodeEncodeError:
        raise Unreadable("the name of a field holds half a character") from None


def named(value: str, what: str) -> str:
    """The gateway's name for a message, as it is kept. Raises `Unreadable` where it is empty."""
    name = clean(value)[:128]
    if not name:
        raise Unreadable(f"{what}: empty")
    return name


def collect(values: Iterable[object], read: Callable[[Any], Item]) -> Parsed:
    """All that one push holds. One that cannot be read takes no other with it."""
    items: list[Item] = []
    broken: list[Broken] = []
    for number, value in enumerate(values):
        try:
            items.append(read(value))
        except Unreadable as error:
            broken.append(Broken(reason=f"[{number}] {error}"[:190], raw=raw_of(value)))
    return gathered(items, broken)


def gathered(items: Iterable[Item], broken: Iterable[Broken] = ()) -> Parsed:
    """`items` by their kind, in order."""
    held = list(items)
    return Parsed(
        messages=tuple(item for item in held if isinstance(item, InboundMessage)),
        events=tuple(item for item in held if isinstance(item, ChannelEvent)),
        receipts=tuple(item for item in held if isinstance(item, Receipt)),
        broken=tuple(broken),
    )


def raw_of(value: object) -> str:
    """One entry of a push as JSON: an entry is kept with its own resident, and no other resident's words with it."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A text as a gateway pushed it, in any spelling of the number."""

    external_id: str
    sender: str
    text: str
    raw: str
    sent_at: datetime | None = None
    attachments: tuple[Attachment, ...] = ()


def received(account: str, settings: SmsAccount, text: Text) -> InboundMessage | ChannelEvent:
    """The message of a person; what a service number (1069…, 10086) sends is an event that nobody answers."""
    external_id = named(text.external_id, "message id")
    sender, words = e164(text.sender, settings.country), clean(text.text)
    if sender is None:
        return ChannelEvent(
            channel=CHANNEL, account=account, external_id=external_id, sender=clean(text.sender)[:32], kind="ignored",
            sent_at=text.sent_at, raw=text.raw,
        )  # fmt: skip
    return InboundMessage(
        channel=CHANNEL, account=account, external_id=external_id, sender=sender,
        kind="text" if words or not text.attachments else text.attachments[0].kind, text=words,
        attachments=text.attachments, choice=consent.mark(words), own_phone=sender, sent_at=text.sent_at,
        raw=text.raw,
    )  # fmt: skip
