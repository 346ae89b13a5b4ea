"""Twilio's dialect for the stand-in: the Messages API, signed form pushes, status callbacks."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

from aiohttp import web

from bot.web.simulator.faults import Trouble, refusals, usual
from bot.web.simulator.sms import Attempt, Handed, Inbound, Json, Push, json_response

_LIMIT: Final = 1600
_FORM: Final = "application/x-www-form-urlencoded"


class Twilio:
    """One account: its sid, its auth token, the number residents write to."""

    answer_s = 15.0
    repeats = 0
    """None by default; the fallback address is another address."""
    undelivered = "30003"
    troubles: Sequence[Trouble] = (
        *usual("Messages"),
        *refusals(
            "Messages",
            ("21610", "已退订", "answered STOP"),
            ("21211", "号码不对", "no such number"),
            ("20429", "太快", "too fast"),
            ("30001", "队列已满", "queue full"),
            ("20003", "密钥不对", "wrong credentials"),
        ),
    )

    def __init__(self, account_sid: str, auth_token: str, number: str) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.number = number
        self.stopped: set[str] = set()
        """Numbers that answered STOP: every text to them is refused (21610)."""
        base = f"/2010-04-01/Accounts/{account_sid}"
        self.files: dict[str, bytes] = {}
        """What came with messages, by sid."""
        self._base = base
        self.routes: Sequence[tuple[str, str]] = [
            ("POST", f"{base}/Messages.json"),
            ("GET", f"{base}.json"),
            ("GET", f"{base}/Messages/{{message}}/Media/{{media}}"),
            ("GET", "/kept/{media}"),
        ]

    # API side

    def call_name(self, request: web.Request) -> str:
        if "media" in request.match_info:
            return "Media" if "message" in request.match_info else "kept"
        return "Messages" if request.method == "POST" else "Account"

    def unauthorised(self, request: web.Request, raw: bytes) -> web.Response | None:
        del raw
        if self.call_name(request) == "kept":
            # Another service keeps the files, and must never see the account's credentials.
            return self._error(20003, 401) if "Authorization" in request.headers else None
        pair = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        if request.headers.get("Authorization") == f"Basic {pair}":
            return None
        return self._error(20003, 401)

    def shown(self, request: web.Request, raw: bytes) -> Json:
        del request
        return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))

    def take(self, request: web.Request, raw: bytes, name: str) -> tuple[web.Response, Handed | None]:
        if "media" in request.match_info:
            return self._media(request), None
        if request.method == "GET":
            return json_response({"sid": self.account_sid, "status": "active"}), None
        form = self.shown(request, raw)
        code = self._fault(form)
        if code:
            return self._error(code), None
        sid = f"SM{name}"
        handed = Handed(number=form["To"], text=form["Body"], name=sid, tag=form.get("StatusCallback", ""))
        return json_response({"sid": sid, "status": "queued", "to": form["To"], "error_code": None}, 201), handed

    def _media(self, request: web.Request) -> web.Response:
        """A file, by way of where it is kept (Media resource: a redirect)."""
        sid = request.match_info["media"]
        if sid not in self.files:
            return self._error(20404, 404)
        if "message" in request.match_info:
            return web.Response(status=307, headers={"Location": f"/kept/{sid}"})
        return web.Response(body=self.files[sid], content_type="application/octet-stream")

    def mms(self, *files: tuple[bytes, str]) -> dict[str, str]:
        """The fields of a message that brings these files: content and type, as the handset says."""
        fields = {"NumMedia": str(len(files))}
        for number, (content, kind) in enumerate(files):
            sid = f"ME{len(self.files):032x}"
            self.files[sid] = content
            fields[f"MediaUrl{number}"] = f"https://api.twilio.com{self._base}/Messages/MM{number:032x}/Media/{sid}"
            fields[f"MediaContentType{number}"] = kind
        return fields

    def _fault(self, form: Json) -> int:
        if not str(form.get("To", "")).startswith("+"):
            return 21211
        if form["To"] in self.stopped:
            return 21610
        if form.get("From") != self.number:
            return 21606
        body = str(form.get("Body", ""))
        return 21617 if len(body) > _LIMIT else 0 if body else 21602

    def refused(self, code: str) -> web.Response:
        return self._error(int(code), 429 if code == "20429" else 401 if code == "20003" else 400)

    def _error(self, code: int, status: int = 400) -> web.Response:
        more = f"https://www.twilio.com/docs/errors/{code}"
        return json_response({"code": code, "message": "refused", "more_info": more, "status": status}, status)

    # Push side

    def inbound(self, service: str, texts: Sequence[Inbound]) -> list[Push]:
        return [self._pushed(f"{service}/inbound", self._message(text), "inbound", text.number) for text in texts]

    def _message(self, text: Inbound) -> dict[str, str]:
        sid = text.name if text.name.startswith("SM") else f"SM{text.name:0>32}"
        fields = {
            "ToCountry": "HK", "ToState": "", "SmsMessageSid": sid, "NumMedia": "0", "ToCity": "", "SmsSid": sid,
            "FromCountry": "CN", "SmsStatus": "received", "Body": text.text, "To": self.number, "NumSegments": "1",
            "MessageSid": sid, "AccountSid": self.account_sid, "From": text.number, "ApiVersion": "2010-04-01",
        }  # fmt: skip
        return {**fields, **text.fields}

    def receipt(self, service: str, handed: Handed, outcome: str, at: datetime) -> Push:
        del service, at
        more = {"ErrorCode": outcome} if outcome else {}
        return self._status(handed, "undelivered" if outcome else "delivered", more)

    def on_its_way(self, service: str, handed: Handed, at: datetime) -> Push | None:
        del service, at
        return self._status(handed, "sent", {})

    def _status(self, handed: Handed, status: str, more: dict[str, str]) -> Push:
        fields = {
            "SmsSid": handed.name, "SmsStatus": status, "MessageStatus": status, "To": handed.number,
            "MessageSid": handed.name, "AccountSid": self.account_sid, "From": self.number,
            "ApiVersion": "2010-04-01", **more,
        }  # fmt: skip
        return self._pushed(handed.tag, fields, "receipt", handed.number)

    def _pushed(self, url: str, fields: dict[str, str], name: str, number: str) -> Push:
        headers = {
            "Content-Type": _FORM, "X-Twilio-Signature": self.signature(url, fields),
            "User-Agent": "TwilioProxy/1.1", "I-Twilio-Idempotency-Token": fields["MessageSid"],
        }  # fmt: skip
        return Push(url=url, body=urlencode(fields).encode(), headers=headers, name=name, number=number)

    def signature(self, url: str, fields: dict[str, str]) -> str:
        """HMAC-SHA1 over the address and the sorted fields (Webhooks security)."""
        text = url + "".join(f"{key}{fields[key]}" for key in sorted(fields))
        return base64.b64encode(hmac.new(self.auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode()

    def acknowledged(self, attempt: Attempt) -> bool:
        """2xx with TwiML or nothing; a text/plain body would be sent to the resident (Messaging webhooks)."""
        if attempt.status is None or not 200 <= attempt.status < 300 or not attempt.content_type:
            return False
        if not attempt.body:
            return True
        if attempt.content_type not in {"text/xml", "application/xml"}:
            return False
        try:
            return ElementTree.fromstring(attempt.body).tag == "Response"  # noqa: S314 - our own service's answer
        except ElementTree.ParseError:
            return False
