"""The Telegram phone of the simulator page: its state, its stream, and what is done on it."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Final, Literal

import msgspec
from aiohttp import web

from bot.web.simulator import fault_pages
from bot.web.simulator.telegram import TelegramPlatform
from bot.web.simulator.telegram_bot import Seen
from bot.web.simulator.telegram_phone import Bubble, Phone
from bot.web.simulator.telegram_push import Pushed

_HEARTBEAT_S: Final = 15.0
_TEXT_LIMIT: Final = 4096
_MEGABYTE: Final = 1024 * 1024

ActKind = Literal["start", "text", "photo", "voice", "file", "large", "location", "contact", "press", "edit", "block"]


class Act(msgspec.Struct, frozen=True):
    """What somebody did on the phone. `message_id`: of the message that was pressed or edited."""

    openid: str
    kind: ActKind
    text: str = ""
    message_id: int = 0


class PhoneState(msgspec.Struct, frozen=True):
    """A phone as the page shows it."""

    openid: str
    started: bool
    blocked: bool
    note: str
    screen: tuple[Bubble, ...] = ()


class State(msgspec.Struct, frozen=True):
    """All that a freshly opened page shows."""

    phones: tuple[PhoneState, ...]


class Live(msgspec.Struct, frozen=True, omit_defaults=True):
    """One server-sent event."""

    phone: PhoneState
    bubble: Bubble | None = None


def add_routes(app: web.Application, platform: TelegramPlatform) -> None:
    """Add what the phone calls."""
    pages = Pages(platform)
    app.router.add_get("/simulator/telegram/state", pages.state)
    app.router.add_get("/simulator/telegram/events", pages.events)
    app.router.add_post("/simulator/telegram/send", pages.send)
    fault_pages.add_routes(app, "telegram", platform.faults)
    app.on_shutdown.append(pages.end_streams)


class Pages:
    """The handlers."""

    def __init__(self, platform: TelegramPlatform) -> None:
        self._platform = platform
        self._people = {openid: person for person, openid in platform.bot.openids.items()}

    async def state(self, _: web.Request) -> web.Response:
        """GET /simulator/telegram/state: everything so far."""
        phones = tuple(_state(openid, self._platform.phone(person)) for openid, person in self._people.items())
        body = msgspec.json.encode(State(phones))
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def send(self, request: web.Request) -> web.Response:
        """POST /simulator/telegram/send: something was done on the phone; 202, the rest comes by the stream."""
        # JSON alone: a form on a foreign page cannot send it without being asked first.
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType
        try:
            act = msgspec.json.decode(await request.read(), type=Act)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise web.HTTPBadRequest from None
        person = self._people.get(act.openid)
        if person is None or not self._is_possible(act, person):
            raise web.HTTPBadRequest
        self._platform.spawn(_ACTS[act.kind](self._platform, person, act))
        return web.json_response({"accepted": True}, status=202)

    def _is_possible(self, act: Act, person: int) -> bool:
        words = act.kind in {"text", "edit", "press"}
        if len(act.text) > _TEXT_LIMIT or (words and not act.text.strip()):
            return False
        bubble = self._platform.phone(person).bubble(act.message_id)
        if act.kind == "edit":
            return bubble is not None and bubble.side == "sent"
        return act.kind != "press" or bubble is not None

    async def events(self, request: web.Request) -> web.StreamResponse:
        """GET /simulator/telegram/events: the server-sent stream."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        changes = self._platform.bot.listen()
        try:
            await response.prepare(request)
            with contextlib.suppress(ConnectionResetError):  # the page was closed
                await self._stream(response, changes)
        finally:
            self._platform.bot.unlisten(changes)
        return response

    async def _stream(self, response: web.StreamResponse, changes: "asyncio.Queue[Seen | None]") -> None:
        await response.write(b"retry: 1000\n\n")
        while True:
            try:
                seen = await asyncio.wait_for(changes.get(), _HEARTBEAT_S)
            except TimeoutError:
                await response.write(b":\n\n")
                continue
            if seen is None:
                return
            openid = self._platform.bot.openids.get(seen.person)
            if openid is not None:
                phone = _state(openid, self._platform.phone(seen.person), screen=False)
                await response.write(b"data: " + msgspec.json.encode(Live(phone, seen.bubble)) + b"\n\n")

    async def end_streams(self, _: web.Application) -> None:
        """Let open pages go, so that the server can stop."""
        self._platform.bot.tell(None)


def _state(openid: str, phone: Phone, *, screen: bool = True) -> PhoneState:
    note = phone.notes[-1] if phone.notes else ""
    return PhoneState(openid, phone.started, phone.blocked, note, tuple(phone.screen) if screen else ())


async def _toggle(platform: TelegramPlatform, person: int) -> Pushed:
    blocked = platform.phone(person).blocked
    return await (platform.unblock(person) if blocked else platform.block(person))


_ACTS: Final[dict[ActKind, Callable[[TelegramPlatform, int, Act], Coroutine[Any, Any, Pushed]]]] = {
    "start": lambda platform, person, act: platform.begin(person, act.text),
    "text": lambda platform, person, act: platform.write(person, act.text),
    "photo": lambda platform, person, _: platform.photo(person),
    "voice": lambda platform, person, _: platform.voice(person),
    "file": lambda platform, person, _: platform.document(person, "合同.pdf", _MEGABYTE),
    "large": lambda platform, person, _: platform.document(person, "监控录像.avi", 60 * _MEGABYTE),
    "location": lambda platform, person, _: platform.location(person, 31.230416, 121.473701),
    "contact": lambda platform, person, _: platform.contact(person, f"861390000{person % 10_000:04}"),
    "press": lambda platform, person, act: platform.press(person, act.message_id, act.text),
    "edit": lambda platform, person, act: platform.edit(person, act.message_id, act.text),
    "block": lambda platform, person, _: _toggle(platform, person),
}
