"""Who an address is: one-time codes for residents, and bindings that wait for a person."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from aiohttp import web

from bot import register
from bot.desk import Desk
from bot.errors import Conflict, NotAllowed
from bot.store import bindings, residents
from bot.store.base import Row
from bot.web import access
from bot.web.access import Person
from bot.web.console import fields, view
from bot.web.console.view import Data, View
from bot.web.context import CONTEXT
from bot.web.rights import Act
from workflows.binding import pending, words


async def page(request: web.Request, person: Person) -> web.StreamResponse:
    """What waits in this person's communities, the oldest first, each with who belongs to the home."""
    may = person.may(Act.BIND)
    if not may:
        raise NotAllowed("not_allowed")

    def read(conn: sa.Connection, v: View) -> Data:
        rows = bindings.pending(conn, may.listed)
        for row in rows:
            row["conversation_id"] = bindings.conversation_of(conn, row["identity_id"])
            row["members"] = _members(conn, v, row)
        return {"rows": rows, "roles": pending.ROLES}

    return await view.show(request, person, "bindings.html", read, ("bindings",))


def _members(conn: sa.Connection, v: View, row: Row) -> list[Row]:
    if row["home_id"] is None:
        return []
    found = residents.members_of(conn, row["home_id"], v.world.local(v.now).date())
    return [{**member, "same": words.same_name(member["name"], row["name"])} for member in found]


async def confirm(request: web.Request, person: Person) -> web.StreamResponse:
    """Somebody of the register, or somebody new in a role; a tenancy with its last day."""
    context, given = request.app[CONTEXT], await request.post()
    row = await context.database.read(access.binding_for, person, view.record_id(request))
    who = fields.needed(given, "who", 40)
    role = who if who in pending.ROLES else ""
    member = None if role else fields.ident(given, "who")
    until = _day(given)
    await _act(request, person, row, lambda desk: pending.confirm(desk, row, member, role, until))
    return view.done(request, view.here(request, person), f"{access.PATH}/bindings")


def _day(given: Mapping[str, Any]) -> date | None:
    text = fields.text(given, "until", 10)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise fields.FieldError("no_time") from None


async def refuse(request: web.Request, person: Person) -> web.StreamResponse:
    row = await request.app[CONTEXT].database.read(access.binding_for, person, view.record_id(request))
    await _act(request, person, row, lambda desk: pending.refuse(desk, row))
    return view.done(request, view.here(request, person), f"{access.PATH}/bindings")


async def _act(request: web.Request, person: Person, row: Row, move: Any) -> None:
    context = request.app[CONTEXT]
    conversation_id: UUID = await context.database.read(bindings.conversation_of, row["identity_id"])
    await context.act(conversation_id, move, person.id)


async def code(request: web.Request, person: Person) -> web.StreamResponse:
    """A one-time code with which another address becomes this resident; shown once, written down without it."""
    context = request.app[CONTEXT]
    row = await context.database.read(access.conversation_for, person, view.record_id(request))
    if not person.may(Act.BIND).covers(row["community_id"]):
        raise NotAllowed("not_allowed")
    minutes = context.settings.desk.binding_code_minutes

    def make(desk: Desk) -> str:
        if desk.resident.provisional:
            raise Conflict("not_in_register")
        desk.audit("binding.code", "resident", desk.resident.id)
        return register.make_code(
            desk.conn, "resident", desk.now, timedelta(minutes=minutes), resident_id=desk.resident.id,
            community_id=desk.resident.community_id, made_by=person.id,
        )  # fmt: skip

    made = await context.act(row["id"], make, person.id)
    here = view.here(request, person)
    return view.fragment(request, here, "parts/code.html", code=made, minutes=minutes, says="bindings.code_says")
