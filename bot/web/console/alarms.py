"""Alarms: what stands, who has it, and how it ended. No machine closes one (law 9)."""

from uuid import UUID

import sqlalchemy as sa
from aiohttp import web

from bot.engine import drills
from bot.errors import Conflict, NotAllowed
from bot.store import alarm_sends, alarms
from bot.store.base import NOBODY, Row
from bot.web import access, alarm_acts
from bot.web.access import Person
from bot.web.console import fields, view
from bot.web.console.view import Data, View
from bot.web.context import CONTEXT
from bot.web.rights import Act

SHOWN_AT_ONCE = 50


async def page(request: web.Request, person: Person) -> web.StreamResponse:
    """All that stand, or those that were closed of late."""
    may = person.may(Act.SEE_ALARMS)
    if not may:
        raise NotAllowed("not_allowed")
    closed = "closed" in request.query

    def read(conn: sa.Connection, v: View) -> Data:
        rows = alarms.for_person(conn, may.listed, person.id, closed=closed)
        sends = alarm_sends.of_alarms(conn, [row["id"] for row in rows])
        for row in rows:
            row["may_close"] = v.may("CLOSE_ALARM", row["community_id"])
            row["ways"] = [_way(v, send) for send in sends.get(row["id"], ())]
        return {"rows": rows, "closed": closed, "may_drill": v.may("DRILL"), "any_way": _any_way(v)}

    return await view.show(request, person, "alarms.html", read, ("alarm_list",))


def _way(v: View, send: Row) -> Data:
    """One call of an alarm as a line: over which way, to whom, and what came of it."""
    if send["way"] == "sms":
        target = v.member(UUID(send["target"]))
    else:
        robot = v.context.settings.robots.get(send["target"])
        target = f"{v.label('robot', robot.kind if robot else 'robot')} {send['target']}"
    return {
        "what": send["what"], "rung": send["rung"], "way": send["way"], "target": target, "status": send["status"],
        "error": send["error"], "at": send["settled_at"] or send["sent_at"] or send["created_at"],
    }  # fmt: skip


def _any_way(v: View) -> bool:
    settings = v.context.settings
    return bool(settings.robots) or settings.staff_sms is not None


async def drill(request: web.Request, person: Person) -> web.StreamResponse:
    """Try every way now; what came of each stands on the page."""
    context, may = request.app[CONTEXT], person.may(Act.DRILL)
    if not may:
        raise NotAllowed("not_allowed")
    v = view.here(request, person)
    if not _any_way(v):
        raise Conflict("no_way")
    own = [] if may.everywhere else sorted(may.communities - {NOBODY})
    where = own[0] if len(own) == 1 else NOBODY
    await context.database.write_urgent(drills.begin, context.world, person.member(context), where, v.now)
    context.database.announce()
    return view.done(request, v, f"{access.PATH}/alarms", "done.drill")


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
    await alarm_acts.take(context, row, person.member(context))
    return view.done(request, view.here(request, person), f"{access.PATH}/alarms")


async def close(request: web.Request, person: Person) -> web.StreamResponse:
    """It is over, with what was done."""
    context = request.app[CONTEXT]
    row = await context.database.read(access.alarm_for, person, view.record_id(request), Act.CLOSE_ALARM)
    note = fields.needed(await request.post(), "note", 500)
    await alarm_acts.close(context, row, person.member(context), note)
    return view.done(request, view.here(request, person), f"{access.PATH}/alarms")
