"""The simulator page: a phone in the browser, whose messages travel as signed pushes to the service and back."""

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import jinja2
import msgspec
from aiohttp import web

from bot.web.simulator import fault_pages
from bot.web.simulator.chips import CHIPS, MENU, SCANS
from bot.web.simulator.events import stream
from bot.web.simulator.phones import Entry, Phone
from bot.web.simulator.wechat import WeChatPlatform
from bot.web.simulator.wechat_push import Pushed
from bot.web.simulator.wire import Change, Transfer

_HERE: Final = Path(__file__).parent
_STATIC: Final = _HERE / "static"
_TEXT_LIMIT: Final = 4000

ActKind = Literal["text", "image", "voice", "location", "follow", "unfollow", "click", "scan"]


class Person(msgspec.Struct, frozen=True):
    """A demonstration resident: `note` says in a line who it is."""

    openid: str
    name: str
    note: str


VISITOR: Final = Person("oVisitor00000000000000000001", "访客", "没登记过的人 · not registered")


class Act(msgspec.Struct, frozen=True):
    """What somebody did on the phone."""

    openid: str
    kind: ActKind
    text: str = ""


class PhoneState(msgspec.Struct, frozen=True):
    """A phone as the page shows it; `left`: how many messages the account may still send (客服消息)."""

    openid: str
    followed: bool
    typing: bool
    left: int
    screen: tuple[Entry, ...] = ()


class State(msgspec.Struct, frozen=True):
    """All that a freshly opened page shows."""

    phones: tuple[PhoneState, ...]
    transfers: tuple[Transfer, ...]


class Live(msgspec.Struct, frozen=True, omit_defaults=True):
    """One server-sent event."""

    phone: PhoneState | None = None
    entry: Entry | None = None
    transfer: Transfer | None = None


def add_routes(
    app: web.Application,
    platform: WeChatPlatform,
    *,
    people: Sequence[Person],
    account_name: str = "物业服务中心",
    more: Sequence[str] = (),
) -> None:
    """Add `/simulator` and what it calls. An unregistered visitor joins `people` when none is among them.

    `more` names further phones to show: each has a template `<name>_phone.html`, a script and a style sheet.
    """
    everybody = [*people, *([] if any(person.openid == VISITOR.openid for person in people) else [VISITOR])]
    pages = Pages(platform, everybody, account_name, more)
    app.router.add_get("/simulator", pages.page)
    app.router.add_get("/simulator/state", pages.state)
    app.router.add_get("/simulator/events", pages.events)
    app.router.add_post("/simulator/wechat/send", pages.send)
    app.router.add_static("/simulator/static", _STATIC)
    fault_pages.add_routes(app, "wechat", platform.faults)
    app.on_shutdown.append(pages.end_streams)


class Pages:
    """The handlers."""

    def __init__(
        self, platform: WeChatPlatform, people: Sequence[Person], account_name: str, more: Sequence[str]
    ) -> None:
        self._platform = platform
        self._people = {person.openid: person for person in people}
        for openid in self._people:
            platform.phone(openid)
        loader = jinja2.FileSystemLoader(_HERE / "templates")
        environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
        self._html = environment.get_template("simulator.html").render(
            people=list(people),
            chips=CHIPS,
            scans=SCANS,
            menu=MENU,
            account_name=account_name,
            version=_version(),
            more=list(more),
        )

    async def page(self, _: web.Request) -> web.Response:
        """GET /simulator."""
        return web.Response(text=self._html, content_type="text/html", headers={"Cache-Control": "no-cache"})

    async def state(self, _: web.Request) -> web.Response:
        """GET /simulator/state: everything so far, for a page that has just opened or lost its stream."""
        phones = tuple(self._phone(self._platform.phone(openid), screen=True) for openid in self._people)
        transfers = tuple(list(self._platform.wire.transfers)[-120:])
        return _json(State(phones, transfers))

    async def send(self, request: web.Request) -> web.Response:
        """POST /simulator/wechat/send: something was done on the phone; 202, the rest comes by the stream."""
        # JSON alone: a form on a foreign page cannot send it without being asked first.
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType
        try:
            act = msgspec.json.decode(await request.read(), type=Act)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise web.HTTPBadRequest from None
        if act.openid not in self._people or len(act.text) > _TEXT_LIMIT or (act.kind == "text" and not act.text):
            raise web.HTTPBadRequest
        self._platform.spawn(_ACTS[act.kind](self._platform, act))
        return web.json_response({"accepted": True}, status=202)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """GET /simulator/events: the server-sent stream."""
        return await stream(request, self._platform.wire, lambda change: msgspec.json.encode(self._live(change)))

    def _live(self, change: Change) -> Live:
        phone = self._platform.phone(change.openid) if change.openid in self._people else None
        shown = self._phone(phone) if phone is not None else None
        return Live(phone=shown, entry=change.entry, transfer=change.transfer)

    def _phone(self, phone: Phone, *, screen: bool = False) -> PhoneState:
        left = phone.window.left(self._platform.account.now())
        entries = tuple(phone.screen) if screen else ()
        return PhoneState(phone.openid, phone.followed, phone.typing, left, entries)

    async def end_streams(self, _: web.Application) -> None:
        """Let open pages go, so that the server can stop."""
        self._platform.wire.close()


Push = Coroutine[Any, Any, Pushed]

_ACTS: Final[dict[ActKind, Callable[[WeChatPlatform, Act], Push]]] = {
    "text": lambda platform, act: platform.push_text(act.openid, act.text),
    "image": lambda platform, act: platform.push_image(act.openid),
    "voice": lambda platform, act: platform.push_voice(act.openid),
    "location": lambda platform, act: platform.push_location(act.openid, 31.230416, 121.473701, "翠湖苑北门"),
    "follow": lambda platform, act: platform.follow(act.openid),
    "unfollow": lambda platform, act: platform.unfollow(act.openid),
    "scan": lambda platform, act: platform.scan(act.openid, act.text, dict(SCANS).get(act.text, "")),
    "click": lambda platform, act: platform.click(act.openid, act.text, dict(MENU).get(act.text, act.text)),
}


def _version() -> int:
    """Changes with the files, so that a browser never shows an old script."""
    return max(int(path.stat().st_mtime) for path in _STATIC.iterdir())


def _json(value: State) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), content_type="application/json", headers={"Cache-Control": "no-store"}
    )
