"""A gateway of the plain kind that many resellers offer: JSON both ways, each signed with one shared secret.

`X-Signature: sha256=<hex>` is the HMAC-SHA256 of `X-Timestamp`, a full stop and the body, keyed with `auth_token`.
docs/channels/sms.md describes all fields. It is the example of docs/adding-a-channel.md.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import msgspec

from channels.base import Capabilities
from channels.errors import (
    Blocked,
    Later,
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    SendError,
    Unauthorised,
    Unreadable,
)
from channels.http import JsonClient
from channels.messages import (
    OutboundMessage,
    Parsed,
    Receipt,
    ReceiptOutcome,
    SendResult,
    WebhookAnswer,
    WebhookRequest,
)
from channels.sms.answers import THROTTLED_S, json_answer
from channels.sms.gateway import CHANNEL, Item, Text, collect, named, raw_of, read_json, received, typed
from channels.sms.settings import SmsAccount
from channels.text import clean, size

TEXT_LIMIT: Final = 1000
REPLAY_S: Final = 300
"""Pushes signed longer ago, or further ahead, are refused."""

_SECONDS: Final = re.compile(r"[0-9]{1,11}", re.ASCII)
_LATEST: Final = 253402300799
_OUTCOMES: Final[dict[str, ReceiptOutcome]] = {"sent": "accepted", "delivered": "delivered", "failed": "failed"}


def _throttled(detail: str) -> SendError:
    return Later(detail, THROTTLED_S, throttled=True)


RULES: Final[dict[str, Callable[[str], SendError]]] = {
    "unauthorized": Misconfigured,
    "no_credit": Misconfigured,
    "too_many_requests": _throttled,
    "opted_out": Blocked,
    "invalid_number": Rejected,
    "internal": OutcomeUnknown,
}


class Entry(msgspec.Struct, frozen=True):
    """One entry of a push: a text has `text`, a receipt has `status`. `ref` is what we sent with the message."""

    id: str
    sender: str = msgspec.field(name="from", default="")
    text: str | None = None
    at: int | None = None
    status: str | None = None
    error: str = ""
    ref: str = ""


class SignedJson:
    """One account of such a gateway."""

    required: ClassVar[tuple[str, ...]] = ("api_base", "auth_token", "sender")
    signs: ClassVar[bool] = True
    capabilities: ClassVar[Capabilities] = Capabilities(acknowledge_within=5.0, text_limit=TEXT_LIMIT, receipts=True)
    acknowledgement: ClassVar[WebhookAnswer] = WebhookAnswer(body=b'{"ok":true}', content_type="application/json")

    def __init__(self, account: str, settings: SmsAccount, clock: Callable[[], float], timeout_s: float) -> None:
        self._account = account
        self._settings = settings
        self._clock = clock
        self._client = JsonClient(settings.api_base, timeout_s=timeout_s)

    # In

    def verify(self, request: WebhookRequest) -> None:
        """The signature, and its age."""
        stamp = request.headers.get("X-Timestamp", "")
        if not _SECONDS.fullmatch(stamp):
            raise Unauthorised("timestamp")
        given = request.headers.get("X-Signature", "").encode("utf-8", "replace")
        if not hmac.compare_digest(sign(self._settings.auth_token, stamp, request.body).encode(), given):
            raise Unauthorised("signature")
        if abs(request.received_at.timestamp() - int(stamp)) > REPLAY_S:
            raise Unauthorised("timestamp outside the replay window")

    def parse(self, request: WebhookRequest) -> Parsed:
        """An array of texts and receipts."""
        values = read_json(request.body)
        if not isinstance(values, list):
            raise Unreadable("body: expected an array")
        return collect(values, self._read)

    def _read(self, value: Any) -> Item:
        entry = typed(value, Entry)
        if entry.status is not None:
            return self._receipt(entry)
        if entry.text is None:
            raise Unreadable("neither text nor status")
        text = Text(
            external_id=entry.id, sender=entry.sender, text=entry.text, sent_at=_moment(entry.at), raw=raw_of(value)
        )
        return received(self._account, self._settings, text)

    def _receipt(self, entry: Entry) -> Receipt:
        outcome = _OUTCOMES.get(entry.status or "")
        if outcome is None:
            raise Unreadable("status: not sent, delivered or failed")
        return Receipt(
            channel=CHANNEL, account=self._account, provider_id=named(entry.id, "id"), outcome=outcome,
            error=clean(entry.error)[:60] if outcome == "failed" else "", at=_moment(entry.at),
            row_id=clean(entry.ref)[:64],
        )  # fmt: skip

    # Out

    async def send(self, message: OutboundMessage) -> SendResult:
        """POST the text, with the row's id as `ref`. Raises a `SendError`."""
        text = clean(message.text)
        if size(text, "characters") > TEXT_LIMIT:
            raise Rejected(f"text over {TEXT_LIMIT} characters: one part at a time")
        payload = {"from": self._settings.sender, "to": message.address, "text": text, "ref": message.row_id}
        answer = await self._call("/messages", payload)
        name = answer.get("id")
        if not isinstance(name, str) or not name:
            raise OutcomeUnknown("the answer holds no id")
        return SendResult(provider_id=name)

    async def try_credentials(self) -> None:
        """Ask for the balance."""
        await self._call("/balance", {})

    async def _call(self, path: str, payload: object) -> dict[str, object]:
        data, stamp = msgspec.json.encode(payload), str(int(self._clock()))
        signature = sign(self._settings.auth_token, stamp, data)
        headers = {"Content-Type": "application/json", "X-Timestamp": stamp, "X-Signature": signature}
        answer = json_answer(*await self._client.call("POST", path, data, headers))
        code = answer.get("error")
        if isinstance(code, str):
            raise RULES.get(code, Rejected)(f"gateway: {code[:60]}")
        return answer

    async def close(self) -> None:
        """Give back connections."""
        await self._client.close()


def sign(secret: str, stamp: str, body: bytes) -> str:
    """What stands in X-Signature."""
    return "sha256=" + hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 <= seconds <= _LATEST else None
