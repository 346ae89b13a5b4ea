"""Tencent Cloud SMS (腾讯云短信): callbacks that nothing signs, SendSms with a TC3 signature (cloud.tencent.com:
document 382/59178, 382/59179, 382/55981, 签名方法 v3)."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

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
from channels.sms.gateway import CHANNEL, Item, Text, collect, gathered, named, raw_of, read_json, received, typed
from channels.sms.settings import SmsAccount
from channels.sms.template import Approved, approved
from channels.text import clean

TEXT_LIMIT: Final = 500
"""Characters; not written on the pages."""
CONTENT_TYPE: Final = "application/json; charset=utf-8"

_API: Final = "https://sms.tencentcloudapi.com"
_VERSION: Final = "2021-01-11"
_REGION: Final = "ap-guangzhou"
_LATEST: Final = 253402300799


def _throttled(detail: str) -> SendError:
    return Later(detail, THROTTLED_S, throttled=True)


# 错误码 of SendSms; the longest beginning that fits decides.
RULES: Final[dict[str, Callable[[str], SendError]]] = {
    # So many texts a half minute, hour and day to one number: asked again, it would be refused again.
    "LimitExceeded.PhoneNumber": QuotaUsedUp,
    "LimitExceeded.PhoneNumberCountLimit": Rejected,
    "LimitExceeded.DeliveryFrequencyLimit": _throttled,
    "LimitExceeded.GlobalSmsSendingRateLimit": _throttled,
    "RequestLimitExceeded": _throttled,
    # Until midnight in China, and a person has to hear of it.
    "LimitExceeded.AppDailyLimit": Misconfigured,
    "LimitExceeded.AppMainlandChinaDailyLimit": Misconfigured,
    "LimitExceeded.DailyLimit": Misconfigured,
    "FailedOperation.SignatureIncorrectOrUnapproved": Misconfigured,
    "FailedOperation.TemplateIncorrectOrUnapproved": Misconfigured,
    "FailedOperation.TemplateUnapprovedOrNotExist": Misconfigured,
    "FailedOperation.QualificationIdNotApproved": Misconfigured,
    "FailedOperation.PhoneNumberInBlacklist": Blocked,
    "FailedOperation.InsufficientBalanceInSmsPackage": Misconfigured,
    "FailedOperation.OtherError": OutcomeUnknown,
    "UnauthorizedOperation": Misconfigured,
    "AuthFailure": Misconfigured,
    "InternalError": OutcomeUnknown,
}


class Reply(msgspec.Struct, frozen=True):
    """回复短信. It has no id."""

    mobile: str
    text: str
    time: int
    nationcode: str = "86"
    extend: str = ""
    sign: str = ""


class Status(msgspec.Struct, frozen=True):
    """下发状态. `ext` is our SessionContext, where the support has switched it on."""

    sid: str
    report_status: str
    errmsg: str = ""
    ext: str = ""


class Tencent:
    """One application of Tencent Cloud SMS."""

    required: ClassVar[tuple[str, ...]] = ("secret_id", "secret_key", "sdk_app_id", "sign_name", "push_key")
    signs: ClassVar[bool] = False
    # No limit is given; two repeats.
    capabilities: ClassVar[Capabilities] = Capabilities(
        acknowledge_within=1.0, text_limit=TEXT_LIMIT, receipts=True, templates_only=True
    )
    acknowledgement: ClassVar[WebhookAnswer] = WebhookAnswer(
        body=b'{"result":0,"errmsg":"OK"}', content_type="application/json"
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
        """An object is a reply, an array holds statuses."""
        value = read_json(request.body)
        if isinstance(value, list):
            return collect(value, self._status)
        if not isinstance(value, dict):
            raise Unreadable("body: expected an object or an array")
        return gathered([self._reply(value)])

    def _reply(self, value: Mapping[str, Any]) -> Item:
        reply = typed(value, Reply)
        text = Text(
            external_id=_key(reply), sender=f"+{reply.nationcode.lstrip('+')}{reply.mobile}", text=reply.text,
            sent_at=_moment(reply.time), raw=raw_of(value),
        )  # fmt: skip
        return received(self._account, self._settings, text)

    def _status(self, value: Any) -> Item:
        status = typed(value, Status)
        fine = status.report_status == "SUCCESS"
        return Receipt(
            channel=CHANNEL, account=self._account, provider_id=named(status.sid, "sid"),
            outcome="delivered" if fine else "failed",
            error="" if fine else f"Tencent {clean(status.errmsg)[:60] or 'FAIL'}", row_id=clean(status.ext)[:64],
        )  # fmt: skip

    # Out

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send an approved text to a mainland mobile; the row's id travels as SessionContext. Raises a `SendError`."""
        text = approved(message, self._settings)
        response = await self._call("SendSms", self._parameters(text, message.row_id))
        statuses = response.get("SendStatusSet")
        if not isinstance(statuses, list) or len(statuses) != 1 or not isinstance(statuses[0], dict):
            raise OutcomeUnknown("the answer holds no SendStatusSet of one")
        code, serial = statuses[0].get("Code"), statuses[0].get("SerialNo")
        if code != "Ok":
            raise _refused(code)
        if not isinstance(serial, str) or not serial:
            raise OutcomeUnknown("the answer holds no SerialNo")
        return SendResult(provider_id=serial)

    def _parameters(self, text: Approved, row_id: str) -> dict[str, object]:
        parameters: dict[str, object] = {
            "PhoneNumberSet": [f"+86{text.number}"],
            "SmsSdkAppId": self._settings.sdk_app_id,
            "SignName": self._settings.sign_name,
            "TemplateId": text.template_id,
            "TemplateParamSet": list(text.values.values()),
            "SessionContext": row_id,
        }
        return {**parameters, "ExtendCode": self._settings.sender} if self._settings.sender else parameters

    async def try_credentials(self) -> None:
        """Ask for this hour's figures of our application."""
        hour = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y%m%d%H")
        figures = {"BeginTime": hour, "EndTime": hour, "SmsSdkAppId": self._settings.sdk_app_id, "Limit": 0}
        await self._call("SendStatusStatistics", {**figures, "Offset": 0})

    async def _call(self, action: str, parameters: Mapping[str, object]) -> dict[str, Any]:
        payload, now = msgspec.json.encode(parameters), int(self._clock())
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Host": self._host,
            "X-TC-Action": action,
            "X-TC-Version": _VERSION,
            "X-TC-Region": _REGION,
            "X-TC-Timestamp": str(now),
            "Authorization": authorization(self._settings, payload, now, host=self._host),
        }
        answer = json_answer(*await self._client.call("POST", "/", payload, headers))
        response = answer.get("Response")
        if not isinstance(response, dict):
            raise OutcomeUnknown("the answer holds no Response")
        error = response.get("Error")
        if error is not None:
            raise _refused(error.get("Code") if isinstance(error, dict) else None)
        return response

    async def close(self) -> None:
        """Give back connections."""
        await self._client.close()


def filed(place: int, _: str) -> str:
    """A variable as the form for templates writes it."""
    return f"{{{place}}}"


def authorization(settings: SmsAccount, payload: bytes, now: int, *, host: str) -> str:
    """The Authorization header (TC3-HMAC-SHA256). `now`: seconds since the epoch, within five minutes of theirs."""
    date = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
    scope, names = f"{date}/sms/tc3_request", "content-type;host"
    lines = f"content-type:{CONTENT_TYPE}\nhost:{host}\n"
    canonical = "\n".join(["POST", "/", "", lines, names, hashlib.sha256(payload).hexdigest()])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"TC3{settings.secret_key}".encode()
    for part in (date, "sms", "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, f"TC3-HMAC-SHA256\n{now}\n{scope}\n{digest}".encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={settings.secret_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return f"TC3-HMAC-SHA256 {credential}"


def _key(reply: Reply) -> str:
    """Two equal texts of one second are one: a reply has no id of its own."""
    parts = (reply.nationcode, reply.mobile, str(reply.time), reply.extend, reply.sign, reply.text)
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _moment(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if 0 <= seconds <= _LATEST else None


def _refused(code: object) -> SendError:
    if not isinstance(code, str):
        return OutcomeUnknown("the answer holds no Code")
    fitting = [start for start in RULES if code.startswith(start)]
    rule = RULES[max(fitting, key=len)] if fitting else Rejected
    return rule(f"Tencent {code[:100]}")
