"""The signed-JSON dialect for the stand-in: one signature both ways."""

import hmac
import json
from collections.abc import Sequence
from datetime import datetime

from aiohttp import web

from bot.web.simulator.faults import Trouble, refusals, usual
from bot.web.simulator.sms import Attempt, Handed, Inbound, Json, Push, json_response, read_object

_STATUS = {"unauthorized": 401, "too_many_requests": 429}


class SignedJson:
    """One account: the shared secret."""

    answer_s = 5.0
    repeats = 2
    routes: Sequence[tuple[str, str]] = [("POST", "/v1/messages"), ("POST", "/v1/balance")]
    undelivered = "absent"
    troubles: Sequence[Trouble] = (
        *usual("messages"),
        *refusals(
            "messages", ("invalid_number", "号码不对", "no such number"), ("too_many_requests", "太快", "too fast")
        ),
    )

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def call_name(self, request: web.Request) -> str:
        return request.path.rpartition("/")[2]

    def unauthorised(self, request: web.Request, raw: bytes) -> web.Response | None:
        expected = self._signature(request.headers.get("X-Timestamp", ""), raw)
        return None if request.headers.get("X-Signature") == expected else self.refused("unauthorized")

    def _signature(self, stamp: str, body: bytes) -> str:
        return "sha256=" + hmac.digest(self._secret.encode(), f"{stamp}.".encode() + body, "sha256").hex()

    def shown(self, request: web.Request, raw: bytes) -> Json:
        del request
        return read_object(raw)

    def take(self, request: web.Request, raw: bytes, name: str) -> tuple[web.Response, Handed | None]:
        asked = read_object(raw)
        if self.call_name(request) == "balance":
            return json_response({"credit": 100}), None
        if not str(asked.get("to", "")).startswith("+"):
            return self.refused("invalid_number"), None
        return json_response({"id": name}), Handed(number=asked["to"], text=asked["text"], name=name, tag=asked["ref"])

    def refused(self, code: str) -> web.Response:
        return json_response({"error": code}, _STATUS.get(code, 400))

    def inbound(self, service: str, texts: Sequence[Inbound]) -> list[Push]:
        entries: list[Json] = [
            {"id": one.name, "from": one.number, "text": one.text, "at": int(one.at.timestamp()), **one.fields}
            for one in texts
        ]
        return [self._pushed(f"{service}/inbound", entries, "inbound", texts[0].number, texts[0].at)]

    def receipt(self, service: str, handed: Handed, outcome: str, at: datetime) -> Push:
        status = "failed" if outcome else "delivered"
        entry = {"id": handed.name, "status": status, "error": outcome, "ref": handed.tag, "at": int(at.timestamp())}
        return self._pushed(f"{service}/receipts", [entry], "receipt", handed.number, at)

    def on_its_way(self, service: str, handed: Handed, at: datetime) -> Push | None:
        """It tells only how it ended."""
        del service, handed, at
        return None

    def _pushed(self, url: str, entries: list[Json], name: str, number: str, at: datetime) -> Push:
        body, stamp = json.dumps(entries, ensure_ascii=False).encode(), str(int(at.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "X-Timestamp": stamp,
            "X-Signature": self._signature(stamp, body),
        }
        return Push(url=url, body=body, headers=headers, name=name, number=number)

    def acknowledged(self, attempt: Attempt) -> bool:
        return attempt.status == 200
