"""A work group with its robots, played on a loopback socket for the simulator and for tests: WeCom, DingTalk, Feishu.

It refuses as the platforms do: an unknown key, a wrong or old signature, a body of the wrong shape, more than the
platform allows in a minute. Signatures are checked here by code of its own.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec
from aiohttp import web

from bot.web.simulator.account import utc_now
from bot.web.simulator.wire import Change, Transfer, Wire

Json = dict[str, Any]
Kind = Literal["wecom", "dingtalk", "feishu"]

KINDS: Final[tuple[Kind, ...]] = ("wecom", "dingtalk", "feishu")
PER_MINUTE: Final[Mapping[Kind, int]] = {"wecom": 20, "dingtalk": 20, "feishu": 100}
_MINUTE: Final = timedelta(minutes=1)
_HOUR_S: Final = 3600
_OK: Final[Mapping[Kind, Json]] = {
    "wecom": {"errcode": 0, "errmsg": "ok"},
    "dingtalk": {"errcode": 0, "errmsg": "ok"},
    "feishu": {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"},
}
_TOO_FAST: Final[Mapping[Kind, tuple[int, str]]] = {
    "wecom": (45009, "api freq out of limit"),
    "dingtalk": (130101, "send too fast, exceed 20 times per minute"),
    "feishu": (11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"),
}


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the group sees it."""

    number: int
    kind: Kind
    text: str
    at: datetime
    link: str = ""
    link_label: str = ""
    everybody: bool = False


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """How one call misbehaves: a `status` with a proxy's page, a `code` of the platform, or no answer at all."""

    status: int = 200
    code: int = 0
    words: str = ""
    hang: bool = False


class WorkGroup:
    """One group with a robot of each platform. `said` is what stands in it, `calls` every request without secrets."""

    def __init__(self, *, now: Callable[[], datetime] = utc_now, wire: Wire | None = None, secret: str = "") -> None:
        self.key = secrets.token_hex(16)
        self.secret = secret
        """What DingTalk and Feishu check signatures with; empty: they check none."""
        self.now = now
        self.wire = wire or Wire()
        self.said: deque[Said] = deque(maxlen=500)
        self.calls: list[tuple[Kind, Json]] = []
        self.base_url = ""
        self._sent: dict[Kind, deque[datetime]] = defaultdict(deque)
        self._faults: dict[Kind, deque[Fault]] = defaultdict(deque)
        self._released = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application()
        app.router.add_post("/cgi-bin/webhook/send", self._handler("wecom"))
        app.router.add_post("/robot/send", self._handler("dingtalk"))
        app.router.add_post("/open-apis/bot/v2/hook/{key}", self._handler("feishu"))
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        self._released.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def url(self, kind: Kind) -> str:
        """The address that the platform shows when the robot is made."""
        paths = {
            "wecom": f"/cgi-bin/webhook/send?key={self.key}",
            "dingtalk": f"/robot/send?access_token={self.key}",
            "feishu": f"/open-apis/bot/v2/hook/{self.key}",
        }
        return self.base_url + paths[kind]

    def script(self, kind: Kind, *, times: int = 1, **fault: Any) -> None:
        """The next `times` calls of this robot meet this `Fault`."""
        self._faults[kind].extend([Fault(**fault)] * times)

    def clear_scripts(self) -> None:
        """All robots behave again."""
        self._faults.clear()

    # -- a call

    def _handler(self, kind: Kind) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            return await self._handle(kind, request)

        return handle

    async def _handle(self, kind: Kind, request: web.Request) -> web.Response:
        body = _object(await request.read())
        self.calls.append((kind, {name: value for name, value in body.items() if name != "sign"}))
        fault = self._faults[kind].popleft() if self._faults[kind] else Fault()
        if fault.hang:
            await self._released.wait()
        if fault.status != 200:
            return web.Response(status=fault.status, text="<html>502 Bad Gateway</html>", content_type="text/html")
        refused = (fault.code, fault.words) if fault.code else self._refused(kind, request, body)
        if refused is None:
            self._say(kind, body)
        self._log(kind, body, "ok" if refused is None else f"{refused[0]} {refused[1]}")
        return web.json_response(_OK[kind] if refused is None else _refusal(kind, *refused))

    def _refused(self, kind: Kind, request: web.Request, body: Json) -> tuple[int, str] | None:
        return self._unknown(kind, request) or self._unsigned(kind, request, body) or self._too_fast(kind)

    def _unknown(self, kind: Kind, request: web.Request) -> tuple[int, str] | None:
        query = request.query
        given = {"wecom": query.get("key"), "dingtalk": query.get("access_token")}.get(kind) or request.match_info.get(
            "key"
        )
        if given == self.key:
            return None
        return {
            "wecom": (93000, f"invalid webhook url, hint: [1_2_{given}], from ip: 127.0.0.1"),
            "dingtalk": (300001, "token is not exist"),
            "feishu": (19001, "param invalid: incoming webhook access token invalid"),
        }[kind]

    def _unsigned(self, kind: Kind, request: web.Request, body: Json) -> tuple[int, str] | None:
        """The two signatures as the platforms' guides tell them."""
        if not self.secret or kind == "wecom":
            return None
        stamp = request.query.get("timestamp", "") if kind == "dingtalk" else str(body.get("timestamp", ""))
        given = request.query.get("sign", "") if kind == "dingtalk" else str(body.get("sign", ""))
        text = f"{stamp}\n{self.secret}"
        key, words = (self.secret, text) if kind == "dingtalk" else (text, "")
        expected = base64.b64encode(hmac.new(key.encode(), words.encode(), hashlib.sha256).digest()).decode()
        seconds = int(stamp) / (1000 if kind == "dingtalk" else 1) if stamp.isdigit() else 0
        if given == expected and abs(self.now().timestamp() - seconds) < _HOUR_S:
            return None
        wrong = "sign match fail or timestamp is not within one hour from current time"
        return (310000, "sign not match") if kind == "dingtalk" else (19021, wrong)

    def _too_fast(self, kind: Kind) -> tuple[int, str] | None:
        now, sent = self.now(), self._sent[kind]
        while sent and now - sent[0] >= _MINUTE:
            sent.popleft()
        if len(sent) >= PER_MINUTE[kind]:
            return _TOO_FAST[kind]
        sent.append(now)
        return None

    def _say(self, kind: Kind, body: Json) -> None:
        said = _READ[kind](body)
        entry = Said(number=self.wire.next_number(), kind=kind, at=self.now(), **said)
        self.said.append(entry)
        self.wire.tell(Change(openid=""))

    def _log(self, kind: Kind, body: Json, outcome: str) -> None:
        shown = msgspec.json.encode({name: value for name, value in body.items() if name != "sign"}).decode()
        self.wire.add(
            Transfer(
                number=self.wire.next_number(), direction="call", name=f"{kind} robot", openid="", at=self.now(),
                outcome=outcome, payload=shown,
            )
        )  # fmt: skip


def _refusal(kind: Kind, code: int, words: str) -> Json:
    """Inside HTTP 200, as all three do; Feishu's older code stays 0."""
    if kind == "feishu":
        return {"StatusCode": 0, "StatusMessage": "", "code": code, "data": {}, "msg": words}
    return {"errcode": code, "errmsg": words}


def _object(raw: bytes) -> Json:
    try:
        return msgspec.json.decode(raw, type=Json)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


# -- what a group shows of a body


def _wecom(body: Json) -> Json:
    text = body["text"]
    return {"text": text["content"], "everybody": "@all" in text.get("mentioned_list", [])}


def _dingtalk(body: Json) -> Json:
    return {"text": body["text"]["content"], "everybody": bool(body.get("at", {}).get("isAtAll"))}


def _feishu(body: Json) -> Json:
    post = body["content"]["post"]["zh_cn"]
    tags = [tag for row in post["content"] for tag in row]
    link: Json = next((tag for tag in tags if tag["tag"] == "a"), {})
    text = "\n".join([post["title"], *(tag["text"] for tag in tags if tag["tag"] == "text")])
    everybody = any(tag["tag"] == "at" and tag["user_id"] == "all" for tag in tags)
    return {"text": text, "link": link.get("href", ""), "link_label": link.get("text", ""), "everybody": everybody}


_READ: Final[Mapping[Kind, Callable[[Json], Json]]] = {"wecom": _wecom, "dingtalk": _dingtalk, "feishu": _feishu}
