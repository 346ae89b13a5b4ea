"""The API side of the Telegram stand-in: what `api.telegram.org/bot<token>/<method>` would answer."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from bot.web.simulator.faults import Fault, Faults, Trouble, usual
from bot.web.simulator.telegram_bot import Bot, Json
from bot.web.simulator.telegram_phone import CONTACT, Key, Phone

TEXT_LIMIT: Final = 4096
DATA_LIMIT: Final = 64
FILE_LIMIT: Final = 20 * 1024 * 1024
_NESTED: Final = ("reply_markup", "link_preview_options", "allowed_updates")
_LONGEST_POLL_S: Final = 50.0


class Refused(Exception):
    """The call is answered with an error."""

    def __init__(self, status: int, words: str, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.parameters = parameters

    def answer(self) -> web.Response:
        body: Json = {"ok": False, "error_code": self.status, "description": str(self)}
        if self.parameters:
            body["parameters"] = dict(self.parameters)
        return web.json_response(body, status=self.status)


def _refusal(status: int, words: str, label: str, english: str, retry_after: int = 0) -> Trouble:
    parameters = {"retry_after": retry_after} if retry_after else None
    fault = Fault(status=status, words=words, parameters=parameters)
    return Trouble(name=str(status), label=label, english=english, fault=fault, calls=("sendMessage",))


_PAUSE_S: Final = 5
TROUBLES: Final = (
    *usual("sendMessage"),
    _refusal(429, f"Too Many Requests: retry after {_PAUSE_S}", "太快，等5秒", "too fast, 5 s", _PAUSE_S),
    _refusal(403, "Forbidden: bot was blocked by the user", "已停用", "blocked"),
    _refusal(400, "Bad Request: chat not found", "拒绝", "refused"),
    _refusal(401, "Unauthorized", "令牌不对", "wrong token"),
)


class ApiSide:
    """The methods, their faults, and the count of calls."""

    def __init__(self, bot: Bot, faults: Faults) -> None:
        self._bot = bot
        self._faults = faults
        self.calls: Counter[str] = Counter()
        self.requests: list[tuple[str, Json]] = []
        """Name and parameters of every call, secrets left out."""
        self._released = asyncio.Event()
        self._pollers = 0
        self._methods: dict[str, Callable[[Json], Awaitable[Any]]] = {
            "getMe": self._get_me,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._webhook_info,
            "getUpdates": self._get_updates,
            "sendMessage": self._send_message,
            "editMessageReplyMarkup": self._edit_markup,
            "answerCallbackQuery": self._answer_press,
            "leaveChat": self._leave_chat,
            "getFile": self._get_file,
        }

    def routes(self) -> list[web.RouteDef]:
        """Where they answer."""
        return [web.route("*", "/bot{token}/{method}", self._handle), web.get("/file/bot{token}/{path}", self._file)]

    def hold(self) -> None:
        """getUpdates waits from now on."""
        self._released.clear()

    def release(self) -> None:
        """Let hanging and waiting calls go."""
        self._faults.release()
        self._released.set()
        self._bot.arrived.set()

    async def _handle(self, request: web.Request) -> web.Response:
        started = asyncio.get_running_loop().time()
        if request.match_info["token"] != self._bot.token:
            return Refused(401, "Unauthorized").answer()
        method = request.match_info["method"]
        payload = await _payload(request)
        self.calls[method] += 1
        response = await self._answer(request, method, payload, self._faults.of(method))
        self._log(method, payload, response, started)
        return response

    async def _answer(self, request: web.Request, method: str, payload: Json, fault: Fault) -> web.Response:
        if await self._faults.breaks("before", request, fault):
            return web.json_response({})
        if fault.body:
            return web.Response(status=fault.status or 200, text=fault.body, content_type="text/html")
        if fault.status:
            return Refused(fault.status, fault.words or "Error", fault.parameters).answer()
        try:
            result = await self._methods.get(method, _no_such_method)(payload)
        except Refused as refused:
            return refused.answer()
        await self._faults.breaks("after", request, fault)
        return web.json_response({"ok": True, "result": result})

    def _log(self, method: str, payload: Json, response: web.Response, started: float) -> None:
        shown = {key: value for key, value in payload.items() if key != "secret_token"}
        self.requests.append((method, shown))
        self._bot.stir()
        if method == "getUpdates":
            return  # one a half minute, and what came of it is shown as pushes are
        took = round((asyncio.get_running_loop().time() - started) * 1000)
        outcome = "ok" if response.status == 200 else f"HTTP {response.status}"
        person = payload.get("chat_id", 0)
        words = json.dumps(shown, ensure_ascii=False)
        self._bot.log("call", method, person if isinstance(person, int) else 0, outcome, took, words)

    # The methods

    async def _get_me(self, _: Json) -> Json:
        return {"id": self._bot.id, "is_bot": True, "first_name": "物业前台", "username": "frontdesk_demo_bot"}

    async def _set_webhook(self, payload: Json) -> bool:
        self._bot.webhook = str(payload.get("url", ""))
        self._bot.secret = str(payload.get("secret_token", ""))
        self._bot.arrived.set()
        return True

    async def _delete_webhook(self, _: Json) -> bool:
        self._bot.webhook = self._bot.secret = ""
        return True

    async def _webhook_info(self, _: Json) -> Json:
        return {
            "url": self._bot.webhook,
            "has_custom_certificate": False,
            "pending_update_count": len(self._bot.waiting),
        }

    async def _get_updates(self, payload: Json) -> list[Json]:
        bot = self._bot
        if bot.webhook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        if self._pollers:
            raise Refused(409, "Conflict: terminated by other getUpdates request")
        bot.forget(_whole(payload.get("offset", 0)))
        self._pollers += 1
        try:
            async with asyncio.timeout(min(float(payload.get("timeout", 0)), _LONGEST_POLL_S)):
                while not bot.waiting and not self._released.is_set():
                    bot.arrived.clear()
                    await bot.arrived.wait()
        except TimeoutError:
            pass
        finally:
            self._pollers -= 1
        return list(bot.waiting)[: _whole(payload.get("limit", 100))]

    async def _send_message(self, payload: Json) -> Json:
        text, chat = str(payload.get("text", "")), _whole(payload.get("chat_id", 0))
        if not text.strip():
            raise Refused(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > TEXT_LIMIT:
            raise Refused(400, "Bad Request: message is too long")
        if chat < 0:
            self._bot.group_words.append((chat, text))
            return _sent(1, chat, "group", self._bot, text)
        phone = self._reachable(chat)
        bubble = self._bot.show(phone, "received", text, keys=_keys(payload.get("reply_markup")))
        return _sent(bubble.message_id, chat, "private", self._bot, text)

    def _reachable(self, chat: int) -> Phone:
        phone = self._bot.phones.get(chat)
        if phone is None:
            raise Refused(400, "Bad Request: chat not found")
        if phone.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        return phone

    async def _edit_markup(self, payload: Json) -> Json:
        phone = self._reachable(_whole(payload.get("chat_id", 0)))
        bubble = phone.bubble(_whole(payload.get("message_id", 0)))
        if bubble is None or bubble.side != "received":
            raise Refused(400, "Bad Request: message to edit not found")
        keys = _keys(payload.get("reply_markup"))
        if keys == bubble.keys:
            raise Refused(400, "Bad Request: message is not modified")
        self._bot.change(phone, msgspec.structs.replace(bubble, keys=keys))
        return _sent(bubble.message_id, phone.person, "private", self._bot, bubble.text)

    async def _answer_press(self, payload: Json) -> bool:
        query_id = str(payload.get("callback_query_id", ""))
        person = query_id.partition("-")[0]
        phone = self._bot.phones.get(int(person)) if person.isdecimal() else None
        if phone is None or query_id in phone.answered:
            raise Refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        phone.answered.append(query_id)
        if text := payload.get("text"):
            phone.notes.append(str(text))
        self._bot.changed(phone)
        return True

    async def _get_file(self, payload: Json) -> Json:
        """Where a file lies, for an hour at least."""
        file_id = str(payload.get("file_id", ""))
        content = self._bot.files.get(file_id)
        if content is None:
            raise Refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(content) > FILE_LIMIT:
            raise Refused(400, "Bad Request: file is too big")
        return {"file_id": file_id, "file_unique_id": file_id, "file_size": len(content), "file_path": file_id}

    async def _file(self, request: web.Request) -> web.Response:
        self.calls["file"] += 1
        fault = self._faults.of("file")
        content = self._bot.files.get(request.match_info["path"])
        if await self._faults.breaks("before", request, fault):
            return web.Response()
        if fault.status or content is None or request.match_info["token"] != self._bot.token:
            return Refused(fault.status or 404, fault.words or "Not Found").answer()
        return web.Response(body=content, content_type="application/octet-stream")

    async def _leave_chat(self, payload: Json) -> bool:
        self._bot.groups_left.append(_whole(payload.get("chat_id", 0)))
        return True


async def _no_such_method(_: Json) -> Any:
    raise Refused(404, "Not Found")


async def _payload(request: web.Request) -> Json:
    """Parameters come in the address, as a form or as JSON ("Making requests")."""
    found: Json = dict(request.query)
    if request.content_type == "application/json":
        found |= await request.json()
    elif request.method == "POST":
        found |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    for name in _NESTED:
        if isinstance(found.get(name), str):
            found[name] = json.loads(found[name])
    for name in ("chat_id", "message_id", "offset", "limit"):
        if name in found:
            found[name] = _whole(found[name])
    return found


def _whole(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise Refused(400, "Bad Request: a number is expected") from None


def _keys(markup: Any) -> tuple[tuple[Key, ...], ...]:
    if isinstance(markup, dict) and "keyboard" in markup:
        return tuple(tuple(_plain_key(button) for button in row) for row in markup["keyboard"])
    rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    for row in rows:
        for button in row:
            if not 1 <= len(str(button.get("callback_data", "")).encode()) <= DATA_LIMIT:
                raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
    return tuple(tuple(Key(button["text"], button["callback_data"]) for button in row) for row in rows)


def _plain_key(button: Any) -> Key:
    """A button in place of the keyboard: it types its words, or hands over the number."""
    if not isinstance(button, dict) or not str(button.get("text", "")).strip():
        raise Refused(400, "Bad Request: text buttons are allowed in reply keyboards only")
    return Key(button["text"], CONTACT if button.get("request_contact") else "")


def _sent(message_id: int, chat: int, kind: str, bot: Bot, text: str) -> Json:
    return {
        "message_id": message_id, "date": int(bot.now().timestamp()), "text": text,
        "chat": {"id": chat, "type": kind}, "from": {"id": bot.id, "is_bot": True, "first_name": "物业前台"},
    }  # fmt: skip
