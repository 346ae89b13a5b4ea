"""Daily affairs: the list, one affair, its answer and its end."""

import sqlalchemy as sa
from aiohttp import web

from bot.desk import Affair, Desk
from bot.errors import NotAllowed
from bot.store import affairs
from bot.store.base import Row
from bot.web import access
from bot.web.access import Person
from bot.web.console import fields, masks, moves, view
from bot.web.console.moves import Doing, Move
from bot.web.console.orders import may_read
from bot.web.console.view import Data, View
from bot.web.rights import Act
from workflows.affair import actions
from workflows.repair.actions import note

LISTED = 200


async def page(request: web.Request, person: Person) -> web.StreamResponse:
    """Open or closed affairs, as far as they are for this person."""
    may = person.may(Act.SEE_AFFAIRS)
    if not may:
        raise NotAllowed("not_allowed")
    closed = "closed" in request.query

    def read(conn: sa.Connection, v: View) -> Data:
        broad = affairs.listed(conn, may.listed, closed=closed, limit=LISTED) if may.broad else []
        own = affairs.listed(conn, None, closed=closed, owner=person.id, limit=LISTED) if may.own else []
        rows = [row for row in view.merged(broad, own) if access.reaches_affair(person, row, Act.SEE_AFFAIRS)]
        for row in rows:
            _prepare(v, row)
        rows.sort(key=lambda row: not row["late"])
        return {"rows": rows, "closed": closed, "most": LISTED}

    return await view.show(request, person, "affairs.html", read, ("affairs",))


def _prepare(v: View, row: Row) -> None:
    row["due"] = None if row["closed_at"] else row["due_at"]
    row["late"] = v.late(row["due"])
    row["masked"] = v.masked(Act.SEE_AFFAIRS, row["community_id"], mine=row["owner_id"] == v.person.id)
    if row["masked"]:
        for name in ("words", "answer"):
            row[name] = masks.text(row[name], row["resident_name"])


async def detail(request: web.Request, person: Person) -> web.StreamResponse:
    """One affair: what was asked, what happened, the answer."""
    affair_id = view.record_id(request)

    def read(conn: sa.Connection, v: View) -> Data:
        row = access.affair_for(conn, person, affair_id)
        _prepare(v, row)
        return {
            "row": row,
            "may": AFFAIRS.may(person, row),
            **moves.story(conn, row),
            "may_read": may_read(conn, person, row["conversation_id"]),
        }

    return await view.show(request, person, "affair.html", read, ("affair", "affair_moves"))


def _answer(desk: Desk, case: Affair, doing: Doing) -> None:
    actions.answer(desk, case, fields.needed(doing.fields, "text", 1000))


AFFAIRS = moves.Kind(
    "affairs",
    "affair",
    access.affair_for,
    access.reaches_affair,
    {
        "answer": Move(Act.ANSWER_AFFAIR, _answer),
        "close": Move(Act.ANSWER_AFFAIR, lambda desk, case, _: actions.close(desk, case)),
        "note": Move(Act.NOTE, lambda desk, case, doing: note(desk, case, fields.needed(doing.fields, "text"))),
    },
)
