"""Tencent Cloud's dialect for the stand-in: SendSms with its signature checked, reply and status callbacks."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from bot.web.simulator.faults import Trouble, refusals, usual
from bot.web.simulator.sms import Attempt, Handed, Inbound, Json, Push, json_response, read_object

_HEADER: Final = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/sms/tc3_request, SignedHeaders=([^,]+), "
    r"Signature=([0-9a-f]{64})"
)
_VARIABLE: Final = re.compile(r"\{(\d+)\}")


class Tencent:
    """One application; `templates`: by id, the texts that were approved."""

    answer_s = 1.0
    repeats = 2
    routes: Sequence[tuple[str, str]] = [("POST", "/")]
    undelivered = "MK:0001"
    troubles: Sequence[Trouble] = (
        *usual("SendSms"),
        *refusals(
            "SendSms",
            ("LimitExceeded.PhoneNumberDailyLimit", "频率超限", "too many to one number"),
            ("InvalidParameterValue.IncorrectPhoneNumber", "号码不对", "no such number"),
            ("FailedOperation.PhoneNumberInBlacklist", "已退订", "opted out"),
            ("FailedOperation.InsufficientBalanceInSmsPackage", "余额不足", "no money left"),
            ("InternalError.Timeout", "系统出错", "system error"),
        ),
    )

    def __init__(
        self, secret_id: str, secret_key: str, app_id: str, sign_name: str, push_key: str, templates: Mapping[str, str]
    ) -> None:
        self.secret_id = secret_id
        self.secret_key = secret_key
        self.app_id = app_id
        self.sign_name = sign_name
        self.push_key = push_key
        self.templates = templates

    # API side

    def call_name(self, request: web.Request) -> str:
        return request.headers.get("X-TC-Action", "?")

    def unauthorised(self, request: web.Request, raw: bytes) -> web.Response | None:
        found = _HEADER.fullmatch(request.headers.get("Authorization", ""))
        if found is None or found[1] != self.secret_id:
            return self.refused("AuthFailure.SecretIdNotFound")
        names = found[3].split(";")
        stamp = request.headers.get("X-TC-Timestamp", "")
        dated = stamp.isdigit() and datetime.fromtimestamp(int(stamp), UTC).strftime("%Y-%m-%d") == found[2]
        expected = self._signature(request, names, raw, stamp, found[2])
        if not dated or {"content-type", "host"} - set(names) or not hmac.compare_digest(expected, found[4]):
            return self.refused("AuthFailure.SignatureFailure")
        return None

    def _signature(self, request: web.Request, names: Sequence[str], raw: bytes, stamp: str, date: str) -> str:
        lines = "".join(f"{name}:{request.headers.get(name, '').lower()}\n" for name in names)
        body = hashlib.sha256(raw).hexdigest()
        canonical = f"POST\n/\n\n{lines}\n{';'.join(names)}\n{body}"
        text = f"TC3-HMAC-SHA256\n{stamp}\n{date}/sms/tc3_request\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        dated = hmac.digest(b"TC3" + self.secret_key.encode(), date.encode(), "sha256")
        key = hmac.digest(hmac.digest(dated, b"sms", "sha256"), b"tc3_request", "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()

    def shown(self, request: web.Request, raw: bytes) -> Json:
        del request
        return read_object(raw)

    def take(self, request: web.Request, raw: bytes, name: str) -> tuple[web.Response, Handed | None]:
        asked = read_object(raw)
        if asked.get("SmsSdkAppId") != self.app_id:
            return self.refused("UnauthorizedOperation.SmsSdkAppIdVerifyFail"), None
        if self.call_name(request) != "SendSms":
            return self._response({"SendStatusStatistics": {}}), None
        (number,) = asked["PhoneNumberSet"]
        serial = f"2640:{name}"
        code = self._fault(asked)
        status = {
            "SerialNo": "" if code else serial, "PhoneNumber": number, "Fee": 0 if code else 1,
            "SessionContext": asked.get("SessionContext", ""), "Code": code or "Ok", "Message": "", "IsoCode": "CN",
        }  # fmt: skip
        if code:
            return self._response({"SendStatusSet": [status]}), None
        values = asked["TemplateParamSet"]
        said = _VARIABLE.sub(lambda found: values[int(found[1]) - 1], self.templates[asked["TemplateId"]])
        text = f"【{self.sign_name}】{said}"
        handed = Handed(number=number, text=text, name=serial, tag=asked.get("SessionContext", ""))
        return self._response({"SendStatusSet": [status]}), handed

    def _fault(self, asked: Json) -> str:
        if asked.get("SignName") != self.sign_name:
            return "FailedOperation.SignatureIncorrectOrUnapproved"
        text = self.templates.get(asked.get("TemplateId", ""))
        if text is None:
            return "FailedOperation.TemplateUnapprovedOrNotExist"
        if len(asked.get("TemplateParamSet", [])) != len(_VARIABLE.findall(text)):
            return "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"
        good = re.fullmatch(r"\+861[3-9]\d{9}", asked["PhoneNumberSet"][0])
        return "" if good else "InvalidParameterValue.IncorrectPhoneNumber"

    def refused(self, code: str) -> web.Response:
        """For the whole call; a code of one number stands in its status."""
        if code.startswith(("LimitExceeded", "FailedOperation", "InvalidParameterValue")):
            return self._response({"SendStatusSet": [{"SerialNo": "", "Code": code, "Message": "refused"}]})
        return self._response({"Error": {"Code": code, "Message": "refused"}})

    def _response(self, response: Json) -> web.Response:
        return json_response({"Response": {**response, "RequestId": "simulated"}})

    # Push side

    def inbound(self, service: str, texts: Sequence[Inbound]) -> list[Push]:
        return [self._pushed(f"{service}/inbound", self._reply(text), "reply", text.number) for text in texts]

    def _reply(self, text: Inbound) -> Json:
        reply = {
            "extend": "12", "mobile": text.number.removeprefix("+86"), "nationcode": "86", "sign": self.sign_name,
            "text": text.text, "time": int(text.at.timestamp()),
        }  # fmt: skip
        return {**reply, **text.fields}

    def receipt(self, service: str, handed: Handed, outcome: str, at: datetime) -> Push:
        entry = {
            "user_receive_time": at.strftime("%Y-%m-%d %H:%M:%S"), "nationcode": "86",
            "mobile": handed.number.removeprefix("+86"), "report_status": "FAIL" if outcome else "SUCCESS",
            "errmsg": outcome or "DELIVRD", "description": "用户短信送达成功", "sid": handed.name, "ext": handed.tag,
        }  # fmt: skip
        return self._pushed(f"{service}/receipts", [entry], "status", handed.number)

    def on_its_way(self, service: str, handed: Handed, at: datetime) -> Push | None:
        """It tells only how it ended."""
        del service, handed, at
        return None

    def _pushed(self, url: str, value: object, name: str, number: str) -> Push:
        body = json.dumps(value, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        return Push(url=f"{url}/{self.push_key}", body=body, headers=headers, name=name, number=number)

    def acknowledged(self, attempt: Attempt) -> bool:
        """200 and `result` 0."""
        return attempt.status == 200 and read_object(attempt.body).get("result") == 0
