"""Alibaba Cloud SMS (阿里云短信服务): SmsUp and SmsReport pushes that nothing signs, SendSms with an ACS3 signature
(help.aliyun.com: SmsUp, SmsReport, SendSms, V3版本请求体&签名机制)."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlsplit

import msgspec

from channels.base import Capabilities
from channels.errors import (
    Blocked,
    Later,
    Misconfigured,
    OutcomeUnknown,
    QuotaUsedUp,
    Rejected,
    SendError,
    Unreadable,
)
from channels.http import JsonClient
from channels.messages import OutboundMessage, Parsed, Receipt, SendResult, WebhookAnswer, WebhookRequest
from channels.sms.answers import THROTTLED_S, json_answer
from channels.sms.gateway import CHANNEL, Item, Text, collect, named, raw_of, read_json, received, typed
from channels.sms.numbers import national
from channels.sms.settings import SmsAccount
from channels.sms.template import Approved, approved
from channels.text import clean

TEXT_LIMIT: Final = 500
"""Characters, signature included."""

_API: Final = "https://dysmsapi.aliyuncs.com"
_VERSION: Final = "2017-05-25"
_CHINA: Final = timezone(timedelta(hours=8))
_SEPARATOR: Final = "^"


def _throttled(detail: str) -> SendError:
    return Later(detail, THROTTLED_S, throttled=True)


# 错误码. The beginning of a code is enough where a family means the same.
RULES: Final[dict[str, Callable[[str], SendError]]] = {
    # So many texts a minute, hour and day to one number: asked again, it would be refused again.
    "isv.BUSINESS_LIMIT_CONTROL": QuotaUsedUp,
    "isv.DAY_LIMIT_CONTROL": Misconfigured,
    "isv.MONTH_LIMIT_CONTROL": Misconfigured,
    "isv.SMS_SIGN": Misconfigured,
    "isv.SMS_TEMPLATE": Misconfigured,
    "isv.TEMPLATE_MISSING_PARAMETERS": Rejected,
    "isv.AMOUNT_NOT_ENOUGH": Misconfigured,
    "isv.OUT_OF_SERVICE": Misconfigured,
    "isv.PRODUCT_UN_SUBSCRIPT": Misconfigured,
    "isv.PRODUCT_UNSUBSCRIBE": Misconfigured,
    "isv.ACCOUNT": Misconfigured,
    "isp.RAM_PERMISSION_DENY": Misconfigured,
    "SignatureDoesNotMatch": Misconfigured,
    "SignatureNonceUsed": Misconfigured,
    "InvalidTimeStamp": Misconfigured,
    "InvalidAccessKeyId": Misconfigured,
    "Forbidden": Misconfigured,
    "isv.MOBILE_IN_BLACKLIST": Blocked,
    "Throttling": _throttled,
    "isp.SYSTEM_ERROR": OutcomeUnknown,
    "ServiceUnavailable": OutcomeUnknown,
    "InternalError": OutcomeUnknown,
}


class Up(msgspec.Struct, frozen=True):
    """SmsUp. `sequence_id` is a number on the old page and a string on the new one."""

    phone_number: str
    content: str
    sequence_id: str | int
    send_time: str = ""


class Report(msgspec.Struct, frozen=True):
    """SmsReport. Several numbers of one call share a `biz_id`."""

    phone_number: str
    success: bool
    biz_id: str
    err_code: str | None = None
    out_id: str | None = None
    report_time: str | None = None


class Aliyun:
    """One account of Alibaba Cloud."""

    required: ClassVar[tuple[str, ...]] = ("access_key_id", "access_key_secret", "sign_name", "push_key")
    signs: ClassVar[bool] = False
    # 700 ms, three repeats after 1, 5 and 10 minutes; duplicates come even after success.
    capabilities: ClassVar[Capabilities] = Capabilities(
        acknowledge_within=0.7, text_limit=TEXT_LIMIT, receipts=True, templates_only=True
    )
    acknowledgement: ClassVar[WebhookAnswer] = WebhookAnswer(
        body='{"code":0,"msg":"接收成功"}'.encode(), content_type="application/json"
    )

    def __init__(self, account: str, settings: SmsAccount, clock: Callable[[], float], timeout_s: float) -> None:
        self._account = account
        self._settings = settings
        self._clock = clock
        base = settings.api_base or _API
        self._host = urlsplit(base).netloc
        self._client = JsonClient(base, timeout_s=timeout_s)

    # In

    def verify(self, request: WebhookRequest) -> None:
        """Nothing is signed: the channel compares the key."""

    def parse(self, request: WebhookRequest) -> Parsed:
        """An array of texts, of receipts, or of both."""
        values = read_json(request.body)
        if not isinstance(values, list):
            raise Unreadable("body: expected an array")
        return collect(values, self._read)

    def _read(self, value: Any) -> Item:
        if isinstance(value, dict) and "content" in value:
            up = typed(value, Up)
            text = Text(
                external_id=str(up.sequence_id), sender=up.phone_number, text=up.content,
                sent_at=_moment(up.send_time), raw=raw_of(value),
            )  # fmt: skip
            return received(self._account, self._settings, text)
        report = typed(value, Report)
        return Receipt(
            channel=CHANNEL, account=self._account,
            provider_id=_name(named(report.biz_id, "biz_id"), report.phone_number),
            outcome="delivered" if report.success else "failed",
            error="" if report.success else f"Aliyun {clean(report.err_code or 'failed')[:60]}",
            at=_moment(report.report_time or ""), row_id=clean(report.out_id or "")[:64],
        )  # fmt: skip

    # Out

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send an approved text to a mainland mobile; the row's id travels as OutId. Raises a `SendError`."""
        text = approved(message, self._settings)
        answer = await self._call("SendSms", self._parameters(text, message.row_id))
        name = answer.get("BizId")
        if not isinstance(name, str) or not name:
            raise OutcomeUnknown("the answer holds no BizId")
        return SendResult(provider_id=_name(name, text.number))

    def _parameters(self, text: Approved, row_id: str) -> dict[str, str]:
        parameters = {
            "PhoneNumbers": text.number,
            "SignName": self._settings.sign_name,
            "TemplateCode": text.template_id,
            "OutId": row_id,
        }
        if text.values:
            parameters["TemplateParam"] = msgspec.json.encode(text.values).decode()
        if self._settings.sender:
            parameters["SmsUpExtendCode"] = self._settings.sender
        return parameters

    async def try_credentials(self) -> None:
        """Ask for the list of signatures."""
        await self._call("QuerySmsSignList", {"PageIndex": "1", "PageSize": "1"})

    async def _call(self, action: str, parameters: Mapping[str, str]) -> dict[str, object]:
        date = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query, headers = signed(
            self._settings, action, parameters, host=self._host, date=date, nonce=secrets.token_hex(16)
        )
        answer = json_answer(*await self._client.call("POST", f"/?{query}", b"", headers))
        code = answer.get("Code")
        if code != "OK":
            raise _refused(code)
        return answer

    async def close(self) -> None:
        """Give back connections."""
        await self._client.close()


def filed(_: int, name: str) -> str:
    """A variable as the form for templates writes it."""
    return f"${{{name}}}"


def signed(
    settings: SmsAccount, action: str, parameters: Mapping[str, str], *, host: str, date: str, nonce: str
) -> tuple[str, dict[str, str]]:
    """Query and headers of a call with an empty body (ACS3-HMAC-SHA256)."""
    query = "&".join(f"{_escaped(name)}={_escaped(value)}" for name, value in sorted(parameters.items()))
    empty = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host, "x-acs-action": action, "x-acs-content-sha256": empty, "x-acs-date": date,
        "x-acs-signature-nonce": nonce, "x-acs-version": _VERSION,
    }  # fmt: skip
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = "\n".join(["POST", "/", query, lines, names, empty])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = settings.access_key_secret.encode()
    signature = hmac.new(key, f"ACS3-HMAC-SHA256\n{digest}".encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={settings.access_key_id},SignedHeaders={names},Signature={signature}"
    return query, {**headers, "Authorization": f"ACS3-HMAC-SHA256 {credential}"}


def _escaped(text: str) -> str:
    return quote(text, safe="-_.~")


def _name(biz_id: str, phone_number: str) -> str:
    digits = "".join(character for character in phone_number if character.isascii() and character.isdigit())
    return f"{biz_id}{_SEPARATOR}{national('+' + digits) or digits}"[:128]


def _moment(text: str) -> datetime | None:
    """Times are those of China; the page does not say so, and nothing depends on them."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_CHINA).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _refused(code: object) -> SendError:
    if not isinstance(code, str):
        return OutcomeUnknown("the answer holds no Code")
    rule = next((rule for start, rule in RULES.items() if code.startswith(start)), Rejected)
    return rule(f"Aliyun {code[:80]}")
