"""What needs a person's eye:

requests nobody could read, messages whose turn failed, texts that may not have arrived (law 12).
"""

from datetime import timedelta

import sqlalchemy as sa
from aiohttp import web

from bot.engine import drills
from bot.errors import NotAllowed, NotFound
from bot.store import alarms, attention, staff
from bot.web import access
from bot.web.access import Person
from bot.web.console import masks, view
from bot.web.console.view import Data, View
from bot.web.context import CONTEXT
from bot.web.rights import Act

LOOKS_BACK = timedelta(days=7)


async def page(request: web.Request, person: Person) -> web.StreamResponse:
    """Administrators see that something could not be read, not what residents wrote."""
    may = person.may(Act.ATTENTION)
    if not person.may(Act.UNREADABLE):
        raise NotAllowed("not_allowed")

    def read(conn: sa.Connection, v: View) -> Data:
        since = v.now - LOOKS_BACK
        rows = attention.bad_outbox(conn, may.listed, since) if may else []
        failed = attention.failed_messages(conn, may.listed, since) if may else []
        for row in (*rows, *failed):
            row["text"] = masks.text(row["text"])
        return {
            "unreadable": attention.unreadable_requests(conn), "outbox": rows, "failed": failed, "reads": bool(may),
            "drill_due": v.may("DRILL") and alarms.is_standing(conn, drills.DUE),
        }  # fmt: skip

    return await view.show(request, person, "attention.html", read, ("attention",))


async def raw(request: web.Request, person: Person) -> web.StreamResponse:
    """The bytes as they came, for who may read what residents write; it is written down."""
    context, row_id = request.app[CONTEXT], view.record_id(request)
    if not person.may(Act.ATTENTION):
        raise NotAllowed("not_allowed")
    row = await context.database.read(attention.raw_request, row_id)
    if row is None:
        raise NotFound("request")
    now = context.clock.now()
    await context.database.write(
        lambda conn: staff.record_act(conn, person.id, "raw_shown", now, ref_kind="unreadable", ref_id=row_id)
    )
    text = (row["raw"] or b"")[:8192].decode("utf-8", "replace")
    return view.fragment(request, view.here(request, person), "parts/raw.html", text=text)


async def seen(request: web.Request, person: Person) -> web.StreamResponse:
    """Somebody has looked at it: it leaves the list."""
    context, row_id = request.app[CONTEXT], view.record_id(request)
    if not person.may(Act.UNREADABLE):
        raise NotAllowed("not_allowed")
    now = context.clock.now()

    def write(conn: sa.Connection) -> None:
        attention.seen_unreadable(conn, row_id, now)
        staff.record_act(conn, person.id, "unreadable.seen", now, ref_kind="unreadable", ref_id=row_id)

    await context.database.write(write)
    context.database.announce()
    return view.done(request, view.here(request, person), f"{access.PATH}/attention")
