"""The API side of the WeChat stand-in: what `api.weixin.qq.com` would answer."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import web

from bot.web.simulator.account import Account
from bot.web.simulator.faults import HTML, Fault, Faults, Trouble, usual
from bot.web.simulator.phones import Phone
from bot.web.simulator.wechat_codes import Codes
from bot.web.simulator.wechat_media import PHOTO, Media
from bot.web.simulator.wechat_templates import Templates
from bot.web.simulator.wechat_tokens import Tokens
from bot.web.simulator.wechat_words import WORDS
from bot.web.simulator.wire import Transfer

Json = dict[str, object]

_TEXT_LIMIT: Final = 2048
_MEDIA_TYPES: Final = {"image": "image/jpeg", "voice": "audio/amr"}
_BUTTONS: Final = 3
_ESCAPED: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u")


def _errcode(code: int, label: str, english: str, times: int = 0) -> Trouble:
    fault, calls = Fault(code=str(code)), ("custom/send",)
    return Trouble(name=str(code), label=label, english=english, fault=fault, calls=calls, times=times)


TROUBLES: Final = (
    *usual("custom/send"),
    _errcode(45015, "窗口已关", "window closed"),
    _errcode(45047, "条数用完", "count used up"),
    _errcode(40001, "令牌失效一次", "token over, once", times=1),
    _errcode(48001, "没有权限", "no right"),
    _errcode(-1, "系统繁忙", "system busy"),
    _errcode(45011, "太快", "too fast"),
    _errcode(43004, "未关注", "not following"),
    _errcode(48002, "拒收", "refuses messages"),
)


class ApiSide:
    """The endpoints, their faults, and the count of calls."""

    def __init__(self, account: Account, faults: Faults) -> None:
        self._account = account
        self._faults = faults
        self.tokens = Tokens()
        self.media = Media()
        self.templates = Templates()
        self.codes = Codes()
        self.by_template: Callable[[str, int], None] | None = None
        """Told of openid and number when a template message has gone out."""
        self.menu: Json = {"is_menu_open": 0}
        """As `get_current_selfmenu_info` tells it."""
        self.requests: list[tuple[str, Json]] = []
        """Name and JSON of every call, secrets left out."""

    def routes(self) -> list[web.RouteDef]:
        """Where they answer."""
        return [
            web.post("/cgi-bin/stable_token", self._endpoint("stable_token", self._stable_token)),
            web.get("/cgi-bin/token", self._endpoint("token", self._token)),
            web.post("/cgi-bin/message/custom/send", self._endpoint("custom/send", self._send)),
            web.post("/cgi-bin/message/custom/typing", self._endpoint("custom/typing", self._typing)),
            web.get("/cgi-bin/get_current_selfmenu_info", self._endpoint("menu/current", self._menu)),
            web.post("/cgi-bin/menu/create", self._endpoint("menu/create", self._set_menu)),
            web.post("/cgi-bin/message/template/send", self._endpoint("template/send", self._template)),
            web.post("/cgi-bin/message/subscribe/bizsend", self._endpoint("subscribe/bizsend", self._subscription)),
            web.post("/cgi-bin/qrcode/create", self._endpoint("qrcode/create", self._code)),
            web.get("/cgi-bin/showqrcode", self._code_image),
            web.get("/cgi-bin/user/info", self._endpoint("user/info", self._user)),
            web.get("/cgi-bin/media/get", self._endpoint("media/get", self._media)),
            web.get("/videos/{media_id}", self._video),
        ]

    def _endpoint(
        self, name: str, act: Callable[[web.Request, Json], Json | web.Response]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            raw = await request.read()
            started = asyncio.get_running_loop().time()
            self._account.wire.calls[name] += 1
            response, payload = await self._answer(request, raw, act, self._faults.of(name))
            self._log(name, payload, response, started)
            return response

        return handle

    async def _answer(
        self, request: web.Request, raw: bytes, act: Callable[[web.Request, Json], Json | web.Response], fault: Fault
    ) -> tuple[web.Response, Json]:
        payload = _decode(raw)
        if fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        if await self._faults.breaks("before", request, fault):
            return _json({}), payload or {}
        if fault.body or fault.status:
            page = web.Response(status=fault.status or 200, text=fault.body or HTML, content_type="text/html")
            return page, payload or {}
        if fault.code:
            return _json(_error(int(fault.code), fault.words)), payload or {}
        answer = _refused(raw, payload) or act(request, payload or {})
        await self._faults.breaks("after", request, fault)
        return answer if isinstance(answer, web.Response) else _json(answer), payload or {}

    def _log(self, name: str, payload: Json, response: web.Response, started: float) -> None:
        shown = {key: value for key, value in payload.items() if key not in {"secret", "appid"}}
        self.requests.append((name, shown))
        took = asyncio.get_running_loop().time() - started
        self._account.wire.add(
            Transfer(
                number=self._account.wire.next_number(),
                direction="call",
                name=name,
                openid=str(payload.get("touser", "")),
                at=self._account.now(),
                outcome=_outcome(response),
                milliseconds=round(took * 1000),
                payload=json.dumps(shown, ensure_ascii=False),
            )
        )

    # What each endpoint does

    def _stable_token(self, _: web.Request, payload: Json) -> Json:
        errcode = self._credentials(payload.get("appid"), payload.get("secret"))
        if errcode or payload.get("grant_type") != "client_credential":
            return _error(errcode or 40002)
        force = payload.get("force_refresh") is True
        token, life = self.tokens.stable(self._account.now(), force=force)
        return {"access_token": token, "expires_in": life}

    def _token(self, request: web.Request, _: Json) -> Json:
        errcode = self._credentials(request.query.get("appid"), request.query.get("secret"))
        if errcode or request.query.get("grant_type") != "client_credential":
            return _error(errcode or 40002)
        token, life = self.tokens.plain(self._account.now())
        return {"access_token": token, "expires_in": life}

    def _credentials(self, app_id: object, secret: object) -> int:
        if app_id != self._account.app_id:
            return 40013
        return 0 if secret == self._account.app_secret else 40125

    def _send(self, request: web.Request, payload: Json) -> Json:
        now = self._account.now()
        phone = self._account.known(str(payload.get("touser", "")))
        errcode = self.tokens.error(request.query.get("access_token", ""), now) or _cannot_reach(phone)
        text = _content(payload)
        errcode = errcode or _bad_text(payload, text)
        if errcode or phone is None:
            return _error(errcode)
        if not phone.window.is_open(now):
            return _error(45015)
        if not phone.window.use(now):
            return _error(45047)
        phone.typing = False
        self._account.show(phone, "received", text, via="push")
        return {"errcode": 0, "errmsg": "ok"}

    def _template(self, request: web.Request, payload: Json) -> Json:
        now, openid = self._account.now(), str(payload.get("touser", ""))
        phone = self._account.known(openid)
        errcode = self.tokens.error(request.query.get("access_token", ""), now) or _no_follower(phone)
        errcode, words = (errcode, "") if errcode else self.templates.error("template", payload)
        if errcode or phone is None:
            return _error(errcode, words)
        number, new = self.templates.number(openid, str(payload.get("client_msg_id", "")), now)
        if new:
            # Somebody who refuses what the account sends is told of by the receipt, not by the answer.
            if not phone.refuses:
                self._show_card(phone, payload)
            if self.by_template is not None:
                self.by_template(openid, number)
        return {"errcode": 0, "errmsg": "ok", "msgid": number}

    def _subscription(self, request: web.Request, payload: Json) -> Json:
        """It needs no follower, but one who has agreed to this very template."""
        openid = str(payload.get("touser", ""))
        phone = self._account.known(openid)
        errcode = self.tokens.error(request.query.get("access_token", ""), self._account.now())
        errcode = errcode or (40003 if phone is None else 0)
        errcode, words = (errcode, "") if errcode else self.templates.error("subscription", payload)
        if errcode or phone is None:
            return _error(errcode, words)
        if not self.templates.consent(openid, str(payload["template_id"])):
            return _error(43101)
        self._show_card(phone, payload)
        return {"errcode": 0, "errmsg": "ok"}

    def _show_card(self, phone: Phone, payload: Json) -> None:
        data = payload["data"]
        assert isinstance(data, dict)
        card = self.templates.card(str(payload["template_id"]), data)
        self._account.show(phone, "received", card, via="push", kind="template")

    def _code(self, request: web.Request, payload: Json) -> Json:
        errcode = self.tokens.error(request.query.get("access_token", ""), self._account.now())
        return _error(errcode) if errcode else self.codes.create(payload, self._account.now()) or _error(40053)

    async def _code_image(self, request: web.Request) -> web.StreamResponse:
        found = self.codes.scene(request.query.get("ticket", ""), self._account.now())
        return web.Response(body=PHOTO, content_type="image/jpeg") if found else web.Response(status=404)

    def _user(self, request: web.Request, _: Json) -> Json:
        """Since 2021 without name and picture; of somebody who does not follow only that."""
        openid = request.query.get("openid", "")
        phone = self._account.known(openid)
        errcode = self.tokens.error(request.query.get("access_token", ""), self._account.now())
        if errcode or phone is None:
            return _error(errcode or 40003)
        if not phone.followed:
            return {"subscribe": 0, "openid": openid}
        return {"subscribe": 1, "openid": openid, "language": phone.language, "nickname": "", "headimgurl": ""}

    def _menu(self, request: web.Request, _: Json) -> Json:
        errcode = self.tokens.error(request.query.get("access_token", ""), self._account.now())
        return _error(errcode) if errcode else self.menu

    def _set_menu(self, request: web.Request, payload: Json) -> Json:
        """Keep a menu as 查询 would tell it: lines below a button lie in a list of their own."""
        errcode = self.tokens.error(request.query.get("access_token", ""), self._account.now())
        buttons = payload.get("button")
        if errcode or not isinstance(buttons, list) or not 1 <= len(buttons) <= _BUTTONS:
            return _error(errcode or 40016)
        told = [{**one, "sub_button": {"list": one["sub_button"]}} if "sub_button" in one else one for one in buttons]
        self.menu = {"is_menu_open": 1, "selfmenu_info": {"button": told}}
        return {"errcode": 0, "errmsg": "ok"}

    def _media(self, request: web.Request, _: Json) -> Json | web.Response:
        """The file with its name; of a video the address where it lies."""
        now = self._account.now()
        media_id = request.query.get("media_id", "")
        errcode = self.tokens.error(request.query.get("access_token", ""), now)
        found = self.media.get(media_id, now)
        if errcode or found is None:
            return _error(errcode or 40007)
        content, kind = found
        if kind == "video":
            return {"video_url": str(request.url.with_path(f"/videos/{media_id}").with_query(None))}
        return _file(content, _MEDIA_TYPES.get(kind, "application/octet-stream"))

    async def _video(self, request: web.Request) -> web.StreamResponse:
        found = self.media.get(request.match_info["media_id"], self._account.now())
        return web.Response(status=404) if found is None else _file(found[0], "video/mpeg4")

    def _typing(self, request: web.Request, payload: Json) -> Json:
        now = self._account.now()
        phone = self._account.known(str(payload.get("touser", "")))
        errcode = self.tokens.error(request.query.get("access_token", ""), now) or _cannot_reach(phone)
        if errcode or phone is None:
            return _error(errcode)
        command = payload.get("command")
        if command not in {"Typing", "CancelTyping"}:
            return _error(45072)
        if phone.last_seen is None or (now - phone.last_seen).total_seconds() > 30:
            return _error(45080)
        if command == "Typing" and phone.typing:
            return _error(45081)
        phone.typing = command == "Typing"
        self._account.changed(phone)
        return {"errcode": 0, "errmsg": "ok"}


def _no_follower(phone: Phone | None) -> int:
    if phone is None:
        return 40003
    return 0 if phone.followed else 43004


def _cannot_reach(phone: Phone | None) -> int:
    return _no_follower(phone) or (48002 if phone is not None and phone.refuses else 0)


def _content(payload: Json) -> str:
    text = payload.get("text")
    content = text.get("content") if isinstance(text, dict) else None
    return content if isinstance(content, str) else ""


def _bad_text(payload: Json, text: str) -> int:
    if payload.get("msgtype") != "text":
        return 40008
    if not text:
        return 44004
    return 45002 if len(text.encode()) > _TEXT_LIMIT else 0


def _refused(raw: bytes, payload: Json | None) -> Json | None:
    if payload is None:
        return _error(47001)
    # The page on 40033: JSON must hold the characters themselves.
    return _error(40033) if _ESCAPED.search(raw) else None


def _decode(raw: bytes) -> Json | None:
    if not raw:
        return {}
    try:
        return msgspec.json.decode(raw, type=Json)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _file(content: bytes, content_type: str) -> web.Response:
    return web.Response(
        body=content, content_type=content_type, headers={"Content-Disposition": 'attachment; filename="MEDIA"'}
    )


def _error(errcode: int, errmsg: str = "") -> Json:
    return {"errcode": errcode, "errmsg": errmsg or f"{WORDS.get(errcode, 'error')} rid: 6700a1b2-simulated"}


def _json(answer: Json) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


def _outcome(response: web.Response) -> str:
    if response.status == 200 and "Content-Disposition" in response.headers:
        return "ok"
    if response.status != 200 or response.content_type != "application/json":
        return f"HTTP {response.status} {response.content_type}"
    answer = _decode(response.body if isinstance(response.body, bytes) else b"") or {}
    errcode = answer.get("errcode", 0)
    return f"errcode {errcode}" if errcode else "ok"
