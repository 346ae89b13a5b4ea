"""The resident beside the thread, and the full number of a phone on a click that is written down."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from aiohttp import web

from bot.desk import Desk
from bot.errors import NotAllowed
from bot.store import affairs, complaints, residents, work_orders
from bot.store.base import Row
from bot.web import access
from bot.web.access import Person
from bot.web.console import masks, view
from bot.web.console.view import Data, View
from bot.web.context import CONTEXT
from bot.web.rights import Act
from workflows.repair import states

CLOSED_SHOWN = 3
REMEMBERED = timedelta(days=365)


def resident(conn: sa.Connection, v: View, conversation: Row) -> Data:
    """Who writes: name, homes, identities and cases, as far as this person may see them."""
    resident_id = conversation["resident_id"]
    row = residents.get_many(conn, [resident_id])[0]
    masked = v.masked(Act.READ, conversation["community_id"], emergency=bool(conversation["emergency"]))
    cases = _cases(conn, v, conversation["id"])
    return {
        **row,
        "shown_name": masks.name(row["name"]) if masked else row["name"],
        "may_code": not row["provisional"] and v.may("BIND", conversation["community_id"]),
        "may_phone": bool(row["phone"]) and _may_phone(v, conversation),
        "homes": residents.homes_of(conn, [resident_id], v.world.local(v.now).date()).get(resident_id, []),
        "identities": residents.identities_of(conn, [resident_id]).get(resident_id, []),
        "open": [case for case in cases if case["closed_at"] is None],
        "closed": [case for case in cases if case["closed_at"] is not None][:CLOSED_SHOWN],
    }


def _may_phone(v: View, conversation: Row) -> bool:
    return v.may("PHONE", conversation["community_id"], emergency=bool(conversation["emergency"]))


def _cases(conn: sa.Connection, v: View, conversation_id: UUID) -> list[Row]:
    """Orders, complaints and affairs that this person sees, the newest first."""
    since = v.now - REMEMBERED
    found: list[Row] = []
    kinds = (
        ("order", work_orders.recent_of, access.reaches_order, Act.SEE_ORDERS),
        ("complaint", complaints.recent_of, access.reaches_complaint, Act.SEE_COMPLAINTS),
        ("affair", affairs.recent_of, access.reaches_affair, Act.SEE_AFFAIRS),
    )
    for kind, recent_of, reaches, act in kinds:
        rows = recent_of(conn, [conversation_id], since).get(conversation_id, [])
        found += [{**row, "case": kind} for row in rows if reaches(v.person, row, act)]
    for row in found:
        row["visit"] = row["case"] == "order" and row["slot_start"] is not None and row["state"] in states.UNDER_WAY
    return sorted(found, key=lambda row: str(row["id"]), reverse=True)


async def phone(request: web.Request, person: Person) -> web.StreamResponse:
    """The resident's full number, and who looked at it when."""
    context = request.app[CONTEXT]
    row = await context.database.read(access.conversation_for, person, view.record_id(request))
    if not _may_phone(view.here(request, person), row):
        raise NotAllowed("not_allowed")

    def look(desk: Desk) -> str:
        desk.audit("phone_shown", "resident", desk.resident.id)
        return desk.resident.phone

    number = await context.act(row["id"], look, person.id)
    return view.fragment(request, view.here(request, person), "parts/phone.html", phone=number)
