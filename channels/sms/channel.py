"""One SMS account as a `Channel`: what all gateways share stands here, each dialect in its own file."""

import difflib
import hmac
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from msgspec import structs

from channels.base import Downloads, Route
from channels.errors import Rejected, Unauthorised
from channels.messages import OutboundMessage, Parsed, SendResult, WebhookAnswer, WebhookRequest
from channels.sms.gateway import CHANNEL
from channels.sms.gateways import GATEWAYS
from channels.sms.segments import Segments, mainland_segments, segments
from channels.sms.settings import SmsAccount

_PATHS: Final = ("/inbound", "/receipts")
_HIDDEN: Final = "***"


class SmsSettings(SmsAccount, frozen=True, kw_only=True):
    """An account that has all that its gateway needs. Raises `ValueError` naming what is missing."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gateway not in GATEWAYS:
            near = difflib.get_close_matches(self.gateway, GATEWAYS, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"no gateway '{self.gateway}'; there are {', '.join(GATEWAYS)}{meant}")
        missing = [name for name in GATEWAYS[self.gateway].required if not getattr(self, name)]
        if missing:
            raise ValueError(f"gateway {self.gateway} needs {', '.join(missing)}")

    def segments(self, text: str) -> Segments:
        """How many parts this account sends `text` in, and is billed for."""
        mainland = GATEWAYS[self.gateway].capabilities.templates_only
        return mainland_segments(text, self.sign_name) if mainland else segments(text)


class Sms:
    """An account at the gateway that its settings name.

    `clock` gives seconds since the epoch, which some gateways sign; `timeout_s` bounds one API call.
    """

    name = CHANNEL

    def __init__(
        self,
        account: str,
        settings: SmsSettings,
        clock: Callable[[], float] = time.time,
        *,
        timeout_s: float = 10.0,
    ) -> None:
        self.account = account
        self._settings = settings
        self._gateway = GATEWAYS[settings.gateway](account, settings, clock, timeout_s)
        self.capabilities = structs.replace(self._gateway.capabilities, templates=frozenset(settings.templates))
        key = "" if self._gateway.signs else "/{key}"
        self.routes: tuple[Route, ...] = tuple(Route("POST", path + key) for path in _PATHS)

    def verify(self, request: WebhookRequest) -> None:
        """The gateway's signature, or the key in the path where it signs nothing."""
        if self._gateway.signs:
            self._gateway.verify(request)
        elif not hmac.compare_digest(self._settings.push_key.encode(), request.key.encode("utf-8", "replace")):
            raise Unauthorised("key")

    def handshake(self, request: WebhookRequest) -> WebhookAnswer | None:
        """No gateway asks for one."""
        del request
        return None

    def parse(self, request: WebhookRequest) -> Parsed:
        """Read one push. Raises `Unreadable`."""
        return self._gateway.parse(request)

    def acknowledge(self, parsed: Parsed, reply: str | None, now: datetime) -> WebhookAnswer:
        """What keeps the gateway from pushing again; a reply never rides in it (`Capabilities.answer_within`)."""
        del parsed, reply, now
        return self._gateway.acknowledgement

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send one text. No gateway takes an idempotency key. Raises a `SendError`."""
        return await self._gateway.send(message)

    async def download(self, media_id: str, most: int) -> bytes:
        """A picture that came with a text (MMS), where the gateway takes them. Raises a `SendError`."""
        if not isinstance(self._gateway, Downloads):
            raise Rejected("this gateway hands out no files")
        return await self._gateway.download(media_id, most)

    async def try_credentials(self) -> None:
        """Ask the gateway for something that changes nothing. Raises a `SendError`."""
        await self._gateway.try_credentials()

    def redact(self, text: str) -> str:
        """`text` without the account's secrets."""
        for secret in self._settings.secrets:
            text = text.replace(secret, _HIDDEN)
        return text

    async def close(self) -> None:
        """Give back connections."""
        await self._gateway.close()
