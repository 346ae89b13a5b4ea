"""Twilio: signed form pushes, an empty TwiML answer, the Messages API (twilio.com/docs: Messaging webhooks, Webhooks
security, Outbound message status callbacks, Messages resource)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

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
    Attachment,
    ChannelEvent,
    MessageKind,
    OutboundMessage,
    Parsed,
    Receipt,
    ReceiptOutcome,
    SendResult,
    WebhookAnswer,
    WebhookRequest,
)
from channels.sms.answers import THROTTLED_S, json_answer
from channels.sms.gateway import BODY_LIMIT, CHANNEL, Text, gathered, named, received
from channels.sms.numbers import e164
from channels.sms.settings import SmsAccount
from channels.text import clean, size

TEXT_LIMIT: Final = 1600
"""Characters; above it error 21617."""

_API: Final = "https://api.twilio.com"
_FIELDS: Final = 300
_MEDIA: Final = 10
_PORTS: Final = {"https": 443, "http": 80}
_ROW: Final = "row"

# Statuses can come out of order; none but these three steps is told apart.
_OUTCOMES: Final[dict[str, ReceiptOutcome]] = {
    "accepted": "accepted", "scheduled": "accepted", "queued": "accepted", "sending": "accepted", "sent": "accepted",
    "partially_delivered": "accepted", "delivered": "delivered", "read": "delivered",
    "undelivered": "failed", "failed": "failed", "canceled": "failed",
}  # fmt: skip
_ADDRESS: Final = re.compile(r"https?://[^/?#\s]+(?P<path>/[!-~]*)", re.ASCII)
_MEDIA_AT: Final = re.compile(r"/Messages/(?P<media>[A-Z]{2}[0-9a-f]{32}/Media/ME[0-9a-f]{32})")
"""How the path of a file ends, below that of our account (Media resource)."""
_MEDIA_KINDS: Final[dict[str, MessageKind]] = {"image": "image", "video": "video", "audio": "voice"}


def _throttled(detail: str) -> SendError:
    return Later(detail, THROTTLED_S, throttled=True)


RULES: Final[dict[int, Callable[[str], SendError]]] = {
    20003: Misconfigured,  # authentication
    20005: Misconfigured,  # account not active
    20429: _throttled,
    14107: _throttled,  # message rate limit
    21211: Rejected,  # not a phone number
    21212: Misconfigured,  # our sender is no number of ours
    21408: Misconfigured,  # the region is not enabled
    21606: Misconfigured,  # the sender cannot send to this number
    21609: Misconfigured,  # the address for status callbacks
    21610: Blocked,  # answered STOP
    21611: _throttled,  # the sender's queue is full
    21612: Misconfigured,
    21614: Rejected,  # no mobile number
    21617: Rejected,  # too long
    21703: Misconfigured,  # the messaging service has no sender
    30001: _throttled,  # queue overflow
    63038: Misconfigured,  # the account's messages of a day are used up
}


class Twilio:
    """One account of Twilio."""

    required: ClassVar[tuple[str, ...]] = ("account_sid", "auth_token", "sender")
    signs: ClassVar[bool] = True
    # 15 s in all; no repeat, but a fallback address. A reply could ride in the answer (TwiML), but would then have
    # neither a name nor a receipt: it goes by the API.
    capabilities: ClassVar[Capabilities] = Capabilities(
        acknowledge_within=15.0, text_limit=TEXT_LIMIT, text_unit="utf16", receipts=True, media=True
    )
    # Never text/plain: its body is sent to the resident as a message.
    acknowledgement: ClassVar[WebhookAnswer] = WebhookAnswer(
        body=b'<?xml version="1.0" encoding="UTF-8"?><Response/>', content_type="text/xml"
    )

    def __init__(self, account: str, settings: SmsAccount, clock: Callable[[], float], timeout_s: float) -> None:
        del clock  # its signatures hold no time
        self._account = account
        self._settings = settings
        self._client = JsonClient(settings.api_base or _API, timeout_s=timeout_s)
        self._path = f"/2010-04-01/Accounts/{quote(settings.account_sid, safe='')}"

    # In

    def verify(self, request: WebhookRequest) -> None:
        """`X-Twilio-Signature` over our public address and all form fields, with either auth token."""
        given = request.headers.get("X-Twilio-Signature", "").encode("utf-8", "replace")
        fields = _fields(request.body)
        if fields is None or not given:
            raise Unauthorised("signature")
        tokens = filter(None, (self._settings.auth_token, self._settings.previous_auth_token))
        address = self._settings.public_url.rstrip("/") + request.target
        expected = [sign(token, url, fields) for token in tokens for url in _spellings(address)]
        # All are compared, so that the time taken says nothing about which was near.
        if not sum(hmac.compare_digest(one.encode(), given) for one in expected):
            raise Unauthorised("signature")

    def parse(self, request: WebhookRequest) -> Parsed:
        """A message, an opt-out or opt-in that Twilio has already carried out, or a status."""
        raw = _decoded(request.body)
        fields = {name: values[0] for name, values in (_fields(request.body) or {}).items()}
        if fields.get("AccountSid", self._settings.account_sid) != self._settings.account_sid:
            raise Unreadable("AccountSid: another account")
        if "MessageStatus" in fields:
            return self._status(fields, request.query.get(_ROW, ""))
        if fields.get("OptOutType", "").upper() in {"STOP", "START"}:
            return gathered([self._opted(fields, raw)])
        text = Text(
            external_id=_sid(fields), sender=_one(fields, "From"), text=fields.get("Body", ""), raw=clean(raw),
            attachments=self._media(fields),
        )  # fmt: skip
        if "Body" not in fields and not text.attachments:
            raise Unreadable("Body: missing")
        return gathered([received(self._account, self._settings, text)])

    def _status(self, fields: Mapping[str, str], row_id: str) -> Parsed:
        sid, outcome = _sid(fields), _OUTCOMES.get(fields["MessageStatus"].lower())
        if outcome is None:  # receiving, received, and what they may add
            return Parsed()
        error = f"Twilio {clean(fields.get('ErrorCode', ''))[:20] or fields['MessageStatus'].lower()}"
        receipt = Receipt(
            channel=CHANNEL, account=self._account, provider_id=sid, outcome=outcome,
            error=error if outcome == "failed" else "", row_id=clean(row_id)[:64],
        )  # fmt: skip
        return gathered([receipt])

    def _opted(self, fields: Mapping[str, str], raw: str) -> ChannelEvent:
        """With Advanced Opt-Out Twilio itself answers STOP and refuses all later sends (21610), until START."""
        sender = e164(_one(fields, "From"), self._settings.country)
        if sender is None:
            raise Unreadable("From: not a phone number")
        stopped = fields["OptOutType"].upper() == "STOP"
        return ChannelEvent(
            channel=CHANNEL, account=self._account, external_id=_sid(fields), sender=sender,
            kind="unfollowed" if stopped else "followed", raw=clean(raw),
        )  # fmt: skip

    def _media(self, fields: Mapping[str, str]) -> tuple[Attachment, ...]:
        count = fields.get("NumMedia", "0") or "0"
        if not count.isascii() or not count.isdigit() or len(count) > 3:
            raise Unreadable("NumMedia: expected a number")
        numbers = range(min(int(count), _MEDIA))
        return tuple(self._attachment(fields, number) for number in numbers)

    def _attachment(self, fields: Mapping[str, str], number: int) -> Attachment:
        url, kind = fields.get(f"MediaUrl{number}", ""), fields.get(f"MediaContentType{number}", "")
        address = _ADDRESS.fullmatch(url)
        place = address["path"] if address else ""
        found = _MEDIA_AT.fullmatch(place.removeprefix(self._path)) if place.startswith(self._path) else None
        return Attachment(
            kind=_MEDIA_KINDS.get(kind.split("/")[0].lower(), "file"), url=clean(url),
            media_id=found["media"] if found else "",
        )  # fmt: skip

    # Out

    async def download(self, media_id: str, most: int) -> bytes:
        """A file that came with a text. Whatever host the push named: only our own API is asked, with our credentials,
        and it says where the file lies (Media resource). Raises a `SendError`."""
        path = f"{self._path}/Messages/{media_id}"
        return await self._client.download_behind(path, {"Authorization": self._authorization()}, most)

    async def send(self, message: OutboundMessage) -> SendResult:
        """Create a message; its status comes to our receipts, with the row's id in the address."""
        text = clean(message.text)
        if size(text, "utf16") > TEXT_LIMIT:
            raise Rejected(f"text over {TEXT_LIMIT} characters: one part at a time")
        form = {"To": message.address, **self._from(), "Body": text, "StatusCallback": self._callback(message.row_id)}
        answer = await self._call("POST", f"{self._path}/Messages.json", urlencode(form).encode())
        sid = answer.get("sid")
        if not isinstance(sid, str) or not sid:
            raise OutcomeUnknown("the answer holds no sid")
        return SendResult(provider_id=sid)

    def _from(self) -> dict[str, str]:
        sender = self._settings.sender
        return {"MessagingServiceSid" if sender.startswith("MG") else "From": sender}

    def _callback(self, row_id: str) -> str:
        base = f"{self._settings.public_url.rstrip('/')}/channels/{CHANNEL}/{self._account}/receipts"
        return f"{base}?{urlencode({_ROW: row_id})}"

    async def try_credentials(self) -> None:
        """Read our own account."""
        await self._call("GET", f"{self._path}.json", b"")

    async def _call(self, method: str, path: str, data: bytes) -> dict[str, object]:
        headers = {
            "Authorization": self._authorization(),
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        status, raw = await self._client.call(method, path, data, headers)
        answer = json_answer(status, raw)
        if status >= 300:
            raise _refused(status, answer.get("code"))
        return answer

    def _authorization(self) -> str:
        pair = f"{self._settings.account_sid}:{self._settings.auth_token}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    async def close(self) -> None:
        """Give back connections."""
        await self._client.close()


def sign(token: str, url: str, fields: Mapping[str, list[str]]) -> str:
    """The signature of a form push: the address, then every field with its different values, all sorted."""
    signed = url + "".join(name + value for name in sorted(fields) for value in sorted(set(fields[name])))
    digest = hmac.new(token.encode(), signed.encode("utf-8", "replace"), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def _spellings(url: str) -> Iterator[str]:
    """With and without the scheme's own port: which of them is signed depends on the product."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0] if parts.netloc.rpartition(":")[2].isdigit() else parts.netloc
    port = parts.netloc.rpartition(":")[2] if host != parts.netloc else str(_PORTS.get(parts.scheme, ""))
    for netloc in (host, f"{host}:{port}"):
        yield urlunsplit(parts._replace(netloc=netloc))


def _decoded(body: bytes) -> str:
    if len(body) > BODY_LIMIT:
        raise Unreadable(f"body: {len(body)} bytes, at most {BODY_LIMIT}")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"body: not UTF-8 at byte {error.start}") from None


def _fields(body: bytes) -> dict[str, list[str]] | None:
    """The form, blank values kept; None where it is too long to be Twilio's."""
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        return None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def _one(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name)
    if not value:
        raise Unreadable(f"{name}: missing")
    return value


def _sid(fields: Mapping[str, str]) -> str:
    """MessageSid, under its older names where it is missing."""
    for name in ("MessageSid", "SmsSid", "SmsMessageSid"):
        if fields.get(name):
            return named(fields[name], name)
    raise Unreadable("MessageSid: missing")


def _refused(status: int, code: object) -> SendError:
    """By code; Twilio's words are left out, they name the number."""
    if isinstance(code, int) and code in RULES:
        return RULES[code](f"Twilio {code}")
    detail = f"Twilio {code if isinstance(code, int) else ''} HTTP {status}".replace("  ", " ")
    return Misconfigured(detail) if status in {401, 403, 404} else Rejected(detail)
