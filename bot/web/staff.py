"""The inside: the console, its files, and the metrics."""

from pathlib import Path

from aiohttp import web

from bot.engine.learning import Trainer
from bot.web import middleware
from bot.web.access import PATH, THROTTLE, Handler, Person, Throttle, guarded
from bot.web.console import (
    affairs,
    alarms,
    attention,
    bindings,
    calls,
    cards,
    complaints,
    files,
    inbox,
    knowledge,
    learning,
    me,
    orders,
    phone_sign_in,
    questions,
    sign_in,
    takeover,
    view,
    why,
)
from bot.web.context import CONTEXT, Context
from bot.web.live import HUB, Hub
from bot.web.public import metrics

_HERE = Path(__file__).parent
STATIC = _HERE / "console" / "static"
VENDOR = _HERE / "static" / "vendor"

PAGES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "", inbox.index),
    ("POST", "/sign-out", sign_in.leave),
    ("POST", "/language", sign_in.language),
    ("GET", "/inbox", inbox.page),
    ("GET", "/inbox/{id}", inbox.page),
    ("GET", "/inbox/{id}/older", inbox.older),
    ("POST", "/inbox/{id}/read", inbox.mark_read),
    ("POST", "/inbox/{id}/phone", cards.phone),
    ("GET", "/inbox/{id}/why/{message}", why.show),
    ("POST", "/inbox/{id}/why/{message}", why.correct),
    ("POST", "/inbox/{id}/code", bindings.code),
    ("POST", "/inbox/{id}/take", takeover.take),
    ("POST", "/inbox/{id}/hand-back", takeover.hand_back),
    ("POST", "/inbox/{id}/typing", takeover.typing),
    ("POST", "/inbox/{id}/parts", takeover.parts),
    ("POST", "/inbox/{id}/reply", takeover.reply),
    ("GET", "/orders", orders.page),
    ("GET", "/orders/{id}", orders.detail),
    ("POST", "/orders/{id}/phone", orders.phone),
    ("POST", "/orders/{id}/{move}", orders.ORDERS.handle),
    ("GET", "/complaints", complaints.page),
    ("GET", "/complaints/{id}", complaints.detail),
    ("POST", "/complaints/{id}/{move}", complaints.COMPLAINTS.handle),
    ("GET", "/affairs", affairs.page),
    ("GET", "/affairs/{id}", affairs.detail),
    ("POST", "/affairs/{id}/{move}", affairs.AFFAIRS.handle),
    ("GET", "/calls", calls.page),
    ("POST", "/calls/{id}/done", calls.finish),
    ("POST", "/calls/{id}/phone", calls.phone),
    ("GET", "/bindings", bindings.page),
    ("POST", "/bindings/{id}/confirm", bindings.confirm),
    ("POST", "/bindings/{id}/refuse", bindings.refuse),
    ("GET", "/me", me.page),
    ("POST", "/me/code", me.code),
    ("POST", "/me/{id}/unbind", me.unbind),
    ("GET", "/alarms", alarms.page),
    ("POST", "/alarms/shown", alarms.shown),
    ("POST", "/alarms/drill", alarms.drill),
    ("POST", "/alarms/{id}/acknowledge", alarms.acknowledge),
    ("POST", "/alarms/{id}/close", alarms.close),
    ("GET", "/knowledge", knowledge.page),
    ("POST", "/knowledge", knowledge.create),
    ("GET", "/knowledge/new", knowledge.blank),
    ("GET", "/knowledge/shipped/{slug}", knowledge.shipped),
    ("GET", "/knowledge/{id}", knowledge.detail),
    ("POST", "/knowledge/{id}/{move}", knowledge.move),
    ("GET", "/questions", questions.page),
    ("POST", "/questions/{id}/{move}", questions.move),
    ("GET", "/media/{id}", files.show),
    ("GET", "/learning", learning.page),
    ("POST", "/learning/corrections/{id}/use", learning.use),
    ("POST", "/learning/corrections/{id}/dismiss", learning.dismiss),
    ("POST", "/learning/examples/{id}/withdraw", learning.withdraw),
    ("POST", "/learning/train", learning.train),
    ("POST", "/learning/models/{id}/live", learning.go_live),
    ("POST", "/learning/shipped", learning.ship),
    ("GET", "/attention", attention.page),
    ("POST", "/attention/{id}/raw", attention.raw),
    ("POST", "/attention/{id}/seen", attention.seen),
)
"""All but signing in are for people who are signed in; every POST carries the token of its session (`guarded`)."""


def application(context: Context) -> web.Application:
    """The application of a staff listener of its own."""
    app = web.Application(middlewares=middleware.middlewares(), client_max_size=middleware.BODY_LIMIT)
    app[CONTEXT] = context
    return app


def add_routes(app: web.Application) -> None:
    """Put console and metrics on an application that holds its CONTEXT."""
    context = app[CONTEXT]
    app[THROTTLE] = Throttle()
    app[HUB] = Hub(context.database, context.clock)
    app[learning.TRAINER] = Trainer(context.database, context.worlds, context.clock)
    app[view.ENV] = view.environment()
    app[middleware.ERROR_PAGE] = view.error_page
    app.on_shutdown.append(_close)
    app.router.add_get("/", _front)
    app.router.add_get(f"{PATH}/sign-in", sign_in.form)
    app.router.add_post(f"{PATH}/sign-in", sign_in.enter)
    app.router.add_post(f"{PATH}/sign-in/phone", phone_sign_in.begin)
    app.router.add_get(f"{PATH}/sign-in/phone", phone_sign_in.wait)
    for method, path, handler in PAGES:
        app.router.add_route(method, PATH + path, guarded(handler))
    app.router.add_get(f"{PATH}/live", middleware.stream(guarded(_live)))
    app.router.add_get("/metrics", metrics)
    _add_files(app)


def _add_files(app: web.Application) -> None:
    """Our own files, and the front-end libraries where they have been fetched (scripts/vendor.py)."""
    app.router.add_static(f"{PATH}/static", STATIC)
    if VENDOR.is_dir():
        app.router.add_static(f"{PATH}/vendor", VENDOR)


async def _front(request: web.Request) -> web.StreamResponse:
    """Nobody types more than the address: to the phones of the demonstration, else to the console."""
    raise web.HTTPFound("/simulator" if request.app[CONTEXT].simulator else PATH)


async def _live(request: web.Request, person: Person) -> web.StreamResponse:
    del person
    return await request.app[HUB].stream(request)


async def _close(app: web.Application) -> None:
    await app[learning.TRAINER].close()
    await app[HUB].close()
