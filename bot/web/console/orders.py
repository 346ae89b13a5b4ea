"""Work orders: the list, and one order with its story and its moves."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from aiohttp import web

from bot.desk import Desk, WorkOrder
from bot.errors import NotAllowed, NotFound
from bot.store import work_orders
from bot.store.base import Row
from bot.web import access
from bot.web.access import Person
from bot.web.console import fields, masks, moves, view
from bot.web.console.moves import Doing, Move
from bot.web.console.view import Data, View
from bot.web.context import CONTEXT
from bot.web.rights import Act
from bot.world import Member
from workflows.repair import actions, states

LISTED = 200
MOST = 2000


async def page(request: web.Request, person: Person) -> web.StreamResponse:
    """Open or closed orders of the communities that are this person's, or the orders that were given to them."""
    query = request.query
    may = person.may(Act.SEE_ORDERS)
    chosen = {
        "closed": "closed" in query,
        "state": query.get("state", "") if query.get("state") in states.STATES else "",
        "urgency": query.get("urgency", "") if query.get("urgency") in {"emergency", "urgent", "normal"} else "",
        "community": query.get("community", ""),
    }

    def read(conn: sa.Connection, v: View) -> Data:
        rows = _listed(conn, person, chosen)
        for row in rows:
            _prepare(v, row)
        rows.sort(key=_first)
        return {
            "rows": rows,
            "chosen": chosen,
            "most": LISTED,
            "states": _states(chosen["closed"] is True),
            "communities": moves.communities_of(person, Act.SEE_ORDERS, v.context),
        }

    if not may:
        raise NotAllowed("not_allowed")
    return await view.show(request, person, "orders.html", read, ("orders",))


def _first(row: Row) -> tuple[bool, bool, bool]:
    """Open emergencies before what is late, that before what is urgent; else as they come, the newest first."""
    is_open = row["closed_at"] is None
    return (
        not (is_open and row["urgency"] == "emergency"),
        not row["late"],
        not (is_open and row["urgency"] == "urgent"),
    )


def _states(closed: bool) -> list[str]:
    return [state for state in states.STATES if (state in states.ENDED) == closed]


def _listed(conn: sa.Connection, person: Person, chosen: Mapping[str, Any]) -> list[Row]:
    may = person.may(Act.SEE_ORDERS)
    wanted = {name: chosen[name] for name in ("closed", "state", "urgency")}
    found: list[list[Row]] = []
    if may.broad:
        found.append(work_orders.listed(conn, may.listed, **wanted, limit=LISTED))
    if may.own:
        found.append(work_orders.listed(conn, None, **wanted, assignee=person.id, limit=LISTED))
    if may.on_alarm and wanted["urgency"] in {"", "emergency"}:
        found.append(work_orders.listed(conn, may.alarms_listed, **wanted | {"urgency": "emergency"}, limit=LISTED))
    rows = view.merged(*found)
    return [row for row in rows if not chosen["community"] or str(row["community_id"]) == chosen["community"]]


def _prepare(v: View, row: Row) -> None:
    """What the page needs besides the columns: where it is, what is owed now, and words as this person may see them."""
    row["due"] = owed(row)
    row["late"] = v.late(row["due"])
    row["mine"] = row["assignee_id"] == v.person.id
    row["to_dispatch"] = row["state"] in states.TO_DISPATCH
    row["masked"] = v.masked(
        Act.SEE_ORDERS, row["community_id"], mine=row["mine"], emergency=row["urgency"] == "emergency"
    )
    if row["masked"]:
        for name in ("words", "fault", "answer_words", "work_done"):
            row[name] = masks.text(row[name], row["resident_name"])
        row["contact_name"] = masks.name(row["contact_name"])
    row["at"] = v.home(row) if row["room"] else _place(v, row)


def _place(v: View, row: Row) -> str:
    places = v.world.public_places.get(row["community_id"], ())
    found = next((place.name for place in places if place.id == row["place_id"]), "")
    where: dict[str, Any] = row["where"] or {}
    return found or str(where.get("label") or "")


def owed(row: Row) -> Any:
    """The time that stands next for an open order."""
    if row["closed_at"] is not None or row["state"] == states.DONE:
        return None
    if row["state"] in states.TO_DISPATCH:
        return row["contact_by"] or row["done_by"]
    return row["slot_end"] or row["done_by"]


async def detail(request: web.Request, person: Person) -> web.StreamResponse:
    """One order: what was said, what happened, what may be done next."""
    order_id = view.record_id(request)

    def read(conn: sa.Connection, v: View) -> Data:
        row = access.order_for(conn, person, order_id)
        _prepare(v, row)
        may = ORDERS.may(person, row)
        return {
            "row": row,
            "may": may,
            **moves.story(conn, row),
            "was_dispatched": row["to_dispatch"] and row["slot_start"] is not None,
            "people": _people(conn, v, row, may),
            "may_phone": _may_phone(v, row),
            "may_read": may_read(conn, person, row["conversation_id"]),
            "moves": states.MOVES,
            "causes": states.CAUSES,
            "parties": states.RESPONSIBLE,
            "outcomes": states.OUTCOMES,
        }

    return await view.show(request, person, "order.html", read, ("order", "order_moves"))


def may_read(conn: sa.Connection, person: Person, conversation_id: UUID) -> bool:
    """Whether the conversation behind a case is for this person, too."""
    try:
        access.conversation_for(conn, person, conversation_id)
    except NotFound:
        return False
    return True


def _people(conn: sa.Connection, v: View, row: Row, may: frozenset[str]) -> list[tuple[Member, int]]:
    """Whom it can be given to, the best first, with how many open orders each has."""
    if "dispatch" not in may or row["state"] not in states.MOVES["dispatch"].sources:
        return []
    desk = moves.desk_of(conn, v.context, row["conversation_id"])
    order = desk.case(row["id"])
    if not isinstance(order, WorkOrder):
        return []
    people = actions.candidates(desk, order)
    loads = desk.loads(people)
    return [(member, loads.get(member.id, 0)) for member in people]


# -- the phone --------------------------------------------------------------------------------------------------------


def _may_phone(v: View, row: Row) -> bool:
    """Technicians: of their own orders, while on duty (desk.md section 8)."""
    may = v.person.may(Act.PHONE)
    emergency = row["urgency"] == "emergency"
    on_duty = v.person.id in {member.id for member in v.world.on_duty(row["community_id"], ("technician",), v.now)}
    return bool(row["contact_phone"]) and may.covers(
        row["community_id"], mine=row["mine"] and on_duty, emergency=emergency
    )


async def phone(request: web.Request, person: Person) -> web.StreamResponse:
    """The number to reach the resident by, and who looked at it when."""
    context, order_id = request.app[CONTEXT], view.record_id(request)
    row = await context.database.read(access.order_for, person, order_id)
    row["mine"] = row["assignee_id"] == person.id
    here = view.here(request, person)
    if not _may_phone(here, row):
        raise NotAllowed("not_allowed")
    await context.act(row["conversation_id"], lambda desk: desk.audit("phone_shown", "work_order", order_id), person.id)
    return view.fragment(request, here, "parts/phone.html", phone=row["contact_phone"])


# -- the moves --------------------------------------------------------------------------------------------------------


def _dispatch(desk: Desk, order: WorkOrder, doing: Doing) -> None:
    member = doing.somebody(fields.ident(doing.fields, "member"))
    if member not in actions.candidates(desk, order):
        raise fields.FieldError("not_a_choice")
    start, end = fields.slot(doing.fields, desk.world.settings.zone, doing.now)
    actions.dispatch(desk, order, member, start, end)


def _reschedule(desk: Desk, order: WorkOrder, doing: Doing) -> None:
    start, end = fields.slot(doing.fields, desk.world.settings.zone, doing.now)
    actions.reschedule(desk, order, start, end, fields.needed(doing.fields, "reason", 200))


def _done(desk: Desk, order: WorkOrder, doing: Doing) -> None:
    given = doing.fields
    actions.done(
        desk,
        order,
        work_done=fields.needed(given, "work_done", 500),
        cause=fields.choice(given, "cause", states.CAUSES),
        responsible_party=fields.choice(given, "responsible_party", states.RESPONSIBLE),
        outcome=fields.choice(given, "outcome", states.OUTCOMES),
        fee=fields.text(given, "fee", 100),
    )


def _cancel(desk: Desk, order: WorkOrder, doing: Doing) -> None:
    actions.cancel(desk, order, fields.needed(doing.fields, "reason", 200))


def _note(desk: Desk, order: WorkOrder, doing: Doing) -> None:
    actions.note(desk, order, fields.needed(doing.fields, "text"))


ORDERS = moves.Kind(
    "orders",
    "work_order",
    access.order_for,
    access.reaches_order,
    {
        "dispatch": Move(Act.DISPATCH, _dispatch),
        "reschedule": Move(Act.MOVE_DEADLINE, _reschedule),
        "accept": Move(Act.WORK, lambda desk, order, _: actions.accept(desk, order)),
        "on_site": Move(Act.WORK, lambda desk, order, _: actions.on_site(desk, order)),
        "done": Move(Act.WORK, _done),
        "cancel": Move(Act.DISPATCH, _cancel),
        "verify": Move(Act.DISPATCH, lambda desk, order, _: actions.verify(desk, order)),
        "note": Move(Act.NOTE, _note),
    },
)
