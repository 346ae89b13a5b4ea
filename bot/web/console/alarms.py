"""Alarms: what stands, who has it, and how it ended. No machine closes one (law 9)."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from bot.desk import Alarm, Desk
from bot.errors import Conflict, NotAllowed
from bot.store import alarms, staff
from bot.store.base import Row
from bot.web import access
from bot.web.access import Person
from bot.web.console import fields, view
from bot.web.console.view import Data, View
from bot.web.context import CONTEXT, Context
from bot.web.rights import Act
from workflows import emergency

SHOWN_AT_ONCE = 50


async def page(request: web.Request, person: Person) -> web.StreamResponse:
    """All that stand, or those that were closed of late."""
    may = person.may(Act.SEE_ALARMS)
    if not may:
        raise NotAllowed("not_allowed")
    closed = "closed" in request.query

    def read(conn: sa.Connection, v: View) -> Data:
        rows = alarms.for_person(conn, may.listed, person.id, closed=closed)
        for row in rows:
            row["may_close"] = v.may("CLOSE_ALARM", row["community_id"])
        return {"rows": rows, "closed": closed}

    return await view.show(request, person, "alarms.html", read, ("alarm_list",))


async def shown(request: web.Request, person: Person) -> web.StreamResponse:
    """These alarms stand on an open console of this person:

    only then may a resident be told that somebody was alerted.
    """
    context = request.app[CONTEXT]
    given = str((await request.post()).get("ids", ""))
    ids = [fields.ident({"id": text}, "id") for text in given.split(",")[:SHOWN_AT_ONCE]]
    if ids:
        await context.database.write(alarms.mark_shown, ids, person.id, context.clock.now())
    return web.Response(status=204)


async def acknowledge(request: web.Request, person: Person) -> web.StreamResponse:
    """This person has it, and everybody sees so."""
    context = request.app[CONTEXT]
    row = await context.database.read(access.alarm_for, person, view.record_id(request))
    member = person.member(context)
    if row["kind"] == "emergency":
        await _act(context, row, person, lambda desk, alarm: emergency.acknowledge(desk, alarm, member))
    else:
        await context.database.write_urgent(_take, row, person, context.clock.now())
        context.database.announce()
    return view.done(request, view.here(request, person), f"{access.PATH}/alarms")


async def close(request: web.Request, person: Person) -> web.StreamResponse:
    """It is over, with what was done."""
    context = request.app[CONTEXT]
    row = await context.database.read(access.alarm_for, person, view.record_id(request), Act.CLOSE_ALARM)
    note = fields.needed(await request.post(), "note", 500)
    member = person.member(context)
    if row["kind"] == "emergency":
        await _act(context, row, person, lambda desk, alarm: emergency.close(desk, alarm, member, note))
    else:
        await context.database.write_urgent(_end, row, person, note, context.clock.now())
        context.database.announce()
    return view.done(request, view.here(request, person), f"{access.PATH}/alarms")


async def _act(context: Context, row: Row, person: Person, move: Callable[[Desk, Alarm], object]) -> None:
    """An emergency belongs to its conversation, and so does what is done about it."""

    def run(desk: Desk) -> None:
        fresh = alarms.get(desk.conn, row["id"])
        if fresh is None or fresh["closed_at"] is not None:
            raise Conflict("closed_already")
        alarm = desk.alarm if desk.alarm is not None and desk.alarm.id == row["id"] else Alarm.of(fresh)
        move(desk, alarm)
        if staff.audit not in desk.pending.inserts:
            desk.audit("alarm", "alarm", row["id"])

    await context.act(row["conversation_id"], run, person.id)


def _take(conn: sa.Connection, row: Row, person: Person, now: Any) -> None:
    if not alarms.acknowledge(conn, row["id"], person.id, now):
        raise Conflict("taken_already")
    staff.record_act(
        conn, person.id, "alarm.acknowledged", now, ref_kind="alarm", ref_id=row["id"], community_id=row["community_id"]
    )


def _end(conn: sa.Connection, row: Row, person: Person, note: str, now: Any) -> None:
    if not alarms.close(conn, row["id"], person.id, note, now):
        raise Conflict("closed_already")
    staff.record_act(
        conn, person.id, "alarm.closed", now, ref_kind="alarm", ref_id=row["id"], community_id=row["community_id"]
    )
