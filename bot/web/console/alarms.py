"""Alarms: what stands, who has it, and how it ended. No machine closes one (law 9)."""

import sqlalchemy as sa
from aiohttp import web

from bot.errors import NotAllowed
from bot.store import alarms
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
    await alarm_acts.take(context, row, person.member(context))
    return view.done(request, view.here(request, person), f"{access.PATH}/alarms")


async def close(request: web.Request, person: Person) -> web.StreamResponse:
    """It is over, with what was done."""
    context = request.app[CONTEXT]
    row = await context.database.read(access.alarm_for, person, view.record_id(request), Act.CLOSE_ALARM)
    note = fields.needed(await request.post(), "note", 500)
    await alarm_acts.close(context, row, person.member(context), note)
    return view.done(request, view.here(request, person), f"{access.PATH}/alarms")
