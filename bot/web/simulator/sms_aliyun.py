"""Alibaba Cloud's dialect for the stand-in: SendSms with its signature checked, SmsUp and SmsReport pushes."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Final

from aiohttp import web

from bot.web.simulator.faults import Trouble, refusals, usual
from bot.web.simulator.sms import Attempt, Handed, Inbound, Json, Push, json_response, read_object

_CHINA: Final = timezone(timedelta(hours=8))
_HEADER: Final = re.compile(r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})")
_MUST_SIGN: Final = frozenset({"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce"})


class Aliyun:
    """One account; `templates`: by id, the texts that were approved."""

    answer_s = 0.7
    repeats = 3
    routes: Sequence[tuple[str, str]] = [("POST", "/")]
    undelivered = "MK:0001"
    troubles: Sequence[Trouble] = (
        *usual("SendSms"),
        *refusals(
            "SendSms",
            ("isv.BUSINESS_LIMIT_CONTROL", "频率超限", "too many to one number"),
            ("isv.MOBILE_NUMBER_ILLEGAL", "号码不对", "no such number"),
            ("isv.MOBILE_IN_BLACKLIST", "已退订", "opted out"),
            ("isv.AMOUNT_NOT_ENOUGH", "余额不足", "no money left"),
            ("isp.SYSTEM_ERROR", "系统出错", "system error"),
        ),
    )

    def __init__(
        self, key_id: str, key_secret: str, sign_name: str, push_key: str, templates: Mapping[str, str]
    ) -> None:
        self.key_id = key_id
        self.key_secret = key_secret
        self.sign_name = sign_name
        self.push_key = push_key
        self.templates = templates
        self._nonces: set[str] = set()

    # API side

    def call_name(self, request: web.Request) -> str:
        return request.headers.get("x-acs-action", "?")

    def unauthorised(self, request: web.Request, raw: bytes) -> web.Response | None:
        found = _HEADER.fullmatch(request.headers.get("Authorization", ""))
        if found is None or found[1] != self.key_id:
            return self._error("InvalidAccessKeyId.NotFound", 404)
        names = found[2].split(";")
        if not set(names) >= _MUST_SIGN or not hmac.compare_digest(self._signature(request, names, raw), found[3]):
            return self._error("SignatureDoesNotMatch", 400)
        nonce = request.headers["x-acs-signature-nonce"]
        if nonce in self._nonces:
            return self._error("SignatureNonceUsed", 400)
        self._nonces.add(nonce)
        return None

    def _signature(self, request: web.Request, names: Sequence[str], raw: bytes) -> str:
        lines = "".join(f"{name}:{request.headers.get(name, '')}\n" for name in names)
        query = request.rel_url.raw_query_string
        digest = hashlib.sha256(raw).hexdigest()
        canonical = f"{request.method}\n/\n{query}\n{lines}\n{';'.join(names)}\n{digest}"
        text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        return hmac.new(self.key_secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    def shown(self, request: web.Request, raw: bytes) -> Json:
        del raw
        return dict(request.query)

    def take(self, request: web.Request, raw: bytes, name: str) -> tuple[web.Response, Handed | None]:
        if self.call_name(request) != "SendSms":
            return self._ok(), None
        asked = self.shown(request, raw)
        text = self.templates.get(str(asked.get("TemplateCode")))
        if asked.get("SignName") != self.sign_name:
            return self._error("isv.SMS_SIGNATURE_ILLEGAL"), None
        if text is None:
            return self._error("isv.SMS_TEMPLATE_ILLEGAL"), None
        values = read_object(str(asked.get("TemplateParam", "{}")).encode())
        if set(re.findall(r"\$\{(\w+)\}", text)) != set(values):
            return self._error("isv.TEMPLATE_MISSING_PARAMETERS"), None
        number = str(asked.get("PhoneNumbers", ""))
        if not re.fullmatch(r"1[3-9]\d{9}", number):
            return self._error("isv.MOBILE_NUMBER_ILLEGAL"), None
        said = re.sub(r"\$\{(\w+)\}", lambda found: str(values[found[1]]), text)
        biz_id = f"{int(name, 16)}^0"
        handed = Handed(
            number=f"+86{number}", text=f"【{self.sign_name}】{said}", name=biz_id, tag=str(asked.get("OutId", ""))
        )
        return self._ok(BizId=biz_id), handed

    def _ok(self, **more: str) -> web.Response:
        return json_response({"Code": "OK", "Message": "OK", "RequestId": "SIMULATED", **more})

    def refused(self, code: str) -> web.Response:
        return self._error(code)

    def _error(self, code: str, status: int = 200) -> web.Response:
        return json_response({"Code": code, "Message": "refused", "RequestId": "SIMULATED"}, status)

    # Push side

    def inbound(self, service: str, texts: Sequence[Inbound]) -> list[Push]:
        entries = [self._up(text) for text in texts]
        return [self._pushed(f"{service}/inbound", entries, "SmsUp", texts[0].number if texts else "")]

    def _up(self, text: Inbound) -> Json:
        up = {
            "phone_number": text.number.removeprefix("+86"), "content": text.text, "send_time": _time(text.at),
            "dest_code": "001234", "sequence_id": text.name, "sign_name": self.sign_name,
        }  # fmt: skip
        return {**up, **text.fields}

    def receipt(self, service: str, handed: Handed, outcome: str, at: datetime) -> Push:
        entry = {
            "phone_number": handed.number.removeprefix("+86"), "send_time": _time(at), "report_time": _time(at),
            "success": not outcome, "err_code": outcome or "DELIVERED", "err_msg": "用户接收成功", "sms_size": "1",
            "biz_id": handed.name, "out_id": handed.tag,
        }  # fmt: skip
        return self._pushed(f"{service}/receipts", [entry], "SmsReport", handed.number)

    def on_its_way(self, service: str, handed: Handed, at: datetime) -> Push | None:
        """It tells only how it ended."""
        del service, handed, at
        return None

    def _pushed(self, url: str, entries: list[Json], name: str, number: str) -> Push:
        body = json.dumps(entries, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return Push(url=f"{url}/{self.push_key}", body=body, headers=headers, name=name, number=number)

    def acknowledged(self, attempt: Attempt) -> bool:
        """200 and a number as `code`; its value does not matter (SmsUp)."""
        return attempt.status == 200 and isinstance(read_object(attempt.body).get("code"), int)


def _time(at: datetime) -> str:
    return at.astimezone(_CHINA).strftime("%Y-%m-%d %H:%M:%S")
