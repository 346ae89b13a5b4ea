"""One's own page: the chat accounts by which a colleague writes to the desk."""

from datetime import timedelta

import sqlalchemy as sa
from aiohttp import web

from bot import register
from bot.errors import NotFound
from bot.store import residents, staff
from bot.web import access
from bot.web.access import Person
from bot.web.console import view
from bot.web.console.view import Data, View
from bot.web.context import CONTEXT


async def page(request: web.Request, person: Person) -> web.StreamResponse:
    """The accounts that are bound to this person."""

    def read(conn: sa.Connection, v: View) -> Data:
        del v
        return {"mine": residents.identities_of_staff(conn, person.id)}

    return await view.show(request, person, "me.html", read, ("me",))


async def code(request: web.Request, person: Person) -> web.StreamResponse:
    """A one-time code that makes an address this person's; shown once."""
    context = request.app[CONTEXT]
    now, minutes = context.clock.now(), context.settings.desk.binding_code_minutes

    def make(conn: sa.Connection) -> str:
        staff.record_act(conn, person.id, "staff.code", now, ref_kind="staff", ref_id=person.id)
        lasts = timedelta(minutes=minutes)
        return register.make_code(conn, "staff", now, lasts, staff_id=person.id, made_by=person.id)

    made = await context.database.write(make)
    here = view.here(request, person)
    return view.fragment(request, here, "parts/code.html", code=made, minutes=minutes, says="me.code_says")


async def unbind(request: web.Request, person: Person) -> web.StreamResponse:
    """An address is not this person's any more."""
    context, identity_id = request.app[CONTEXT], view.record_id(request)
    now = context.clock.now()

    def write(conn: sa.Connection) -> None:
        row = residents.get_identity(conn, identity_id)
        if row is None or row["staff_id"] != person.id:
            raise NotFound("identity")
        residents.set_staff(conn, identity_id, None)
        staff.record_act(conn, person.id, "staff.unbound", now, ref_kind="identity", ref_id=identity_id)

    await context.database.write(write)
    context.database.announce()
    return view.done(request, view.here(request, person), f"{access.PATH}/me")
