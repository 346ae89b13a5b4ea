"""What every channel can do, in one shape: the `Channel` protocol and its `Capabilities`."""

from datetime import datetime, timedelta
from typing import Literal, Protocol, runtime_checkable

import msgspec

from channels.messages import OutboundMessage, Parsed, SendResult, WebhookAnswer, WebhookRequest

TextUnit = Literal["bytes", "utf16", "characters"]

LONGEST_TURN_S = 2.0


class Route(msgspec.Struct, frozen=True):
    """A path below `/channels/<channel>/<account>` that the provider calls. It may end in `{key}`."""

    method: str
    suffix: str = ""


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider allows. Times in seconds."""

    acknowledge_within: float
    """The provider repeats a request that is not answered by then."""
    answer_within: float | None = None
    """A reply can ride in the answer to the request until this long after receipt; None: it cannot."""
    text_limit: int
    text_unit: TextUnit = "characters"
    largest_body: int = 64 * 1024
    """Bytes of a request; a larger one is refused unread."""
    push_window: timedelta | None = None
    """How long after a resident's message we may write unasked; None: for ever."""
    push_quota: int | None = None
    """How many messages that window allows; None: any number."""
    touch_window: timedelta | None = None
    """How long after a follow, a scan or a press in the menu we may write; None: they open no window."""
    touch_quota: int = 0
    """How many messages that window allows."""
    buttons: bool = False
    shares_number: bool = False
    """A resident can hand over their own number by a button, and the provider vouches for it."""
    receipts: bool = False
    media: bool = False
    """Attachments that have a `media_id` can be had by `download` (see `Downloads`), for a while."""
    templates_only: bool = False
    """Nothing but texts that were approved beforehand goes out; any other is `Rejected`, "no template"."""
    templates: frozenset[str] = frozenset()
    """Moments for which this account has an approved text; it goes out without a window (`OutboundMessage.moment`)."""
    resend_unknown: bool = False
    """A send with unknown outcome may be repeated safely (an idempotency key exists)."""

    @property
    def turn_budget(self) -> float:
        """Seconds a turn may take before the message alone is stored and acknowledged (design: half the limit, at
        most 2 s)."""
        return min(self.acknowledge_within / 2, LONGEST_TURN_S)


@runtime_checkable
class Downloads(Protocol):
    """A channel that hands out what residents send, when it is asked for."""

    async def download(self, media_id: str, most: int) -> bytes:
        """The file, of at most `most` bytes. Raises a `SendError`: `Rejected` where no later try can help."""


@runtime_checkable
class ShowsTyping(Protocol):
    """A channel that can show a resident that somebody writes."""

    async def typing(self, address: str) -> None:
        """Show it for a few seconds. Raises a `SendError`, which says nothing about messages and is never retried."""


@runtime_checkable
class TellsLanguage(Protocol):
    """A channel that knows the language of a resident's phone."""

    async def language(self, address: str) -> str:
        """One that we speak, or nothing. Raises a `SendError`."""


@runtime_checkable
class Forwards(Protocol):
    """A channel that can hand what it receives to another system on the same account."""

    def forward(self, request: WebhookRequest) -> None:
        """Send a verified request on in the background, where the settings say so. Never raises, never waits."""


class Channel(Protocol):
    """One account of one provider."""

    name: str
    account: str
    capabilities: Capabilities
    routes: tuple[Route, ...]

    def verify(self, request: WebhookRequest) -> None:
        """Raise `Unauthorised` unless the provider sent this. Comparisons take constant time."""

    def handshake(self, request: WebhookRequest) -> WebhookAnswer | None:
        """Answer a verified request that only checks our address; None: it carries something to parse."""

    def parse(self, request: WebhookRequest) -> Parsed:
        """Read a verified request. Raises `Unreadable`."""

    def acknowledge(self, parsed: Parsed, reply: str | None, now: datetime) -> WebhookAnswer:
        """The answer that stops the provider from repeating, with `reply` in it where the channel can carry one."""

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one message to the provider. Raises a `SendError`."""

    async def try_credentials(self) -> None:
        """Ask the provider whether our credentials work, changing nothing. Raises a `SendError` that says what is
        wrong."""

    def redact(self, text: str) -> str:
        """`text` without the account's secrets, for logs and error notes."""

    async def close(self) -> None:
        """Give back connections."""
