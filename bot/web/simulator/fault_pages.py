"""The switches for what goes wrong, below each phone of the page and for other programs."""

from typing import Final

import msgspec
from aiohttp import web

from bot.web.simulator.faults import Faults

BOARDS: Final = web.AppKey("fault_boards", dict[str, Faults])

_PUSHES: Final = (
    ("thrice", "同时来三遍", "three times"),
    ("reordered", "先后颠倒", "reordered"),
    ("lost", "回复写到一半断线", "reply lost"),
)
_RECEIPTS: Final = (
    ("late", "压住不发", "late"),
    ("missing", "不来", "missing"),
    ("failed", "说没送到", "failed"),
    ("early", "比应答先到", "before the answer"),
    ("shuffled", "先到后发", "out of order"),
)


class Position(msgspec.Struct, frozen=True):
    """What can be chosen."""

    name: str
    label: str
    english: str


class Board(msgspec.Struct, frozen=True):
    """The switches of one phone: what can be chosen, and what is."""

    choices: dict[str, tuple[Position, ...]]
    now: dict[str, str]


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to go wrong; nothing: back to normal."""

    api: str = ""
    pushes: str = ""
    receipts: str = ""


def add_routes(app: web.Application, phone: str, faults: Faults) -> None:
    """Add the switches of one phone."""
    boards = app.get(BOARDS)
    if boards is None:
        boards = {}
        app[BOARDS] = boards
        app.router.add_get("/simulator/faults", _show)
        app.router.add_post("/simulator/faults/{phone}", _set)
    boards[phone] = faults


async def _show(request: web.Request) -> web.Response:
    """GET /simulator/faults: every switch, by phone."""
    boards = {phone: _board(faults) for phone, faults in request.app[BOARDS].items()}
    return web.Response(
        body=msgspec.json.encode(boards), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


async def _set(request: web.Request) -> web.Response:
    """POST /simulator/faults/<phone>: set the switches of a phone; an empty object puts all back to normal."""
    # JSON alone: a form on a foreign page cannot send it without being asked first.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    boards = request.app[BOARDS]
    faults = boards.get(request.match_info["phone"])
    if faults is None:
        raise web.HTTPNotFound(text=f"there are {', '.join(boards)}")
    try:
        wanted = msgspec.json.decode(await request.read(), type=Setting)
        await faults.switch(wanted.api, wanted.pushes, wanted.receipts)
    except (ValueError, msgspec.DecodeError) as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    return web.Response(body=msgspec.json.encode(_board(faults)), content_type="application/json")


def _board(faults: Faults) -> Board:
    choices = {
        "api": tuple(Position(one.name, one.label, one.english) for one in faults.troubles.values()),
        "pushes": tuple(Position(*one) for one in _PUSHES),
    }
    if faults.has_receipts:
        choices["receipts"] = tuple(Position(*one) for one in _RECEIPTS)
    return Board(choices, {"api": faults.api, "pushes": faults.pushes, "receipts": faults.receipts})
