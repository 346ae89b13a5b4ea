"""The work order itself: opened, changed, taken back, restored; the talk and the staff's acts both use it."""

from datetime import datetime, timedelta
from uuid import UUID

from bot.desk import WorkOrder, new_id
from workflows import deadlines, intake, late, where
from workflows.dialogue import Fills
from workflows.forms import Form
from workflows.repair import states
from workflows.summary import fault_of
from workflows.talk import Talk, is_bound
from workflows.where import Where

CHANGE_TOLD_WITHIN = timedelta(minutes=30)
"""Whoever comes to the resident hears of a changed wish within this time."""


def order_of(talk: Talk, form: Form) -> WorkOrder | None:
    """The order of a form, while it is recent."""
    case = talk.desk.case(UUID(form.case)) if form.case else None
    return case if isinstance(case, WorkOrder) else None


def times(talk: Talk, urgency: str, *, public: bool) -> tuple[datetime, datetime]:
    """By when somebody has called or looked, and by when it is done."""
    local, desk = talk.local, talk.desk.settings
    look = deadlines.public_look_by if public else deadlines.contact_by
    return look(local, urgency, desk), deadlines.done_by(local, urgency, desk, public=public)


def open_order(talk: Talk, form: Form, place: Where) -> WorkOrder:
    """Enter an order with its promise and the watch over its times."""
    desk, incoming = talk.desk, talk.desk.incoming
    assert incoming is not None
    contact_by, done_by = times(talk, form.urgency, public=place.kind == "place")
    order = WorkOrder(
        id=new_id(),
        community_id=place.community.id if place.community else desk.community_id,
        number=desk.number("WX"),
        conversation_id=desk.conversation.id,
        resident_id=desk.resident.id,
        identity_id=incoming.identity.id,
        source=incoming.identity.channel,
        home_id=place.home_id,
        place_id=place.place_id,
        where=intake.where_row(form, place),
        verified=is_own(talk, place),
        category=form.category,
        urgency=form.urgency,
        fault=form.fault or fault_of(form.text),
        words=form.text,
        contact_name=desk.resident.name,
        contact_phone=form.stated.get("phone") or desk.known_phone,
        wish=form.wish,
        state=states.RECORDED,
        contact_by=contact_by,
        done_by=done_by,
        created_at=desk.now,
        updated_at=desk.now,
    )
    intake.opened(talk, form, order, place, form.text)
    if form.urgency != "emergency":
        desk.promise(order, "contact", contact_by)
        late.watch(desk, order, "contact", contact_by, form.urgency)
        late.watch(desk, order, "done", done_by, form.urgency)
    return order


def is_own(talk: Talk, place: Where) -> bool:
    """Whether the place is a home of this resident, whom we know: then nobody has to check who reported."""
    return is_bound(talk.desk) and place.home_id in {home.id for home in talk.desk.homes}


def told_place(talk: Talk, place: Where, fault: str) -> str:
    """The place as the recorded message says it, with the comma after it."""
    if place.kind in {"unknown", "several"}:
        return ""
    shown = where.label(place, talk.language)
    if place.place and place.place in fault:
        shown = shown.replace(place.place, "").strip(", ")
    return shown + (", " if talk.language == "en" else "，") if shown else ""


def apply(talk: Talk, order: WorkOrder, found: Fills) -> None:
    """The wished time and the number, on the order and to whoever has it."""
    desk = talk.desk
    stated = {**((order.where or {}).get("stated") or {}), **found.all, **({"time": found.wish} if found.wish else {})}
    desk.change(order, where={**(order.where or {}), "stated": stated})
    if found.wish is not None:
        desk.change(order, wish=found.wish)
    if "phone" in found.all:
        desk.change(order, contact_phone=found.all["phone"])
    desk.record(order, "changed" if found.corrects else "completed", talk.said.text, {**found.all, "wish": found.wish})
    if order.state in states.UNDER_WAY:
        tell_technician(talk, order, talk.said.text)


def move(talk: Talk, form: Form, order: WorkOrder, place: Where) -> None:
    """The order is at another place than was recorded."""
    intake.claim(talk, place)
    talk.desk.change(
        order,
        home_id=place.home_id,
        place_id=place.place_id,
        where=intake.where_row(form, place),
        contact_phone=form.stated.get("phone") or order.contact_phone,
        wish=form.wish or order.wish,
        community_id=place.community.id if place.community else order.community_id,
        verified=is_own(talk, place),
    )
    talk.desk.record(order, "changed", talk.said.text, {"where": where.label(place, "zh-Hans")})
    if order.state in states.UNDER_WAY:
        tell_technician(talk, order, talk.said.text)
    intake.remember(talk, form, place)


def tell_technician(talk: Talk, order: WorkOrder, text: str) -> None:
    """Whoever has the order hears of the change from a person: nothing that the resident was told is left to chance."""
    due = talk.desk.now + CHANGE_TOLD_WITHIN
    talk.desk.call_task("change", f"{order.number}: {text}", due, case=order, owner_id=order.assignee_id)


def cancel_order(talk: Talk, order: WorkOrder) -> None:
    """The resident does not want it any more."""
    desk = talk.desk
    if order.state in states.UNDER_WAY:
        tell_technician(talk, order, talk.said.text)
    desk.change(order, state=states.CANCELLED, outcome="cancelled", closed_at=desk.now)
    desk.record(order, "cancelled", talk.said.text)
    desk.release(order, "contact", "visit", "urge")
    desk.unschedule(order.id, "late")


def restore_order(talk: Talk, order: WorkOrder) -> None:
    """A cancelled order is wanted after all: it is called about anew."""
    desk = talk.desk
    contact_by, done_by = times(talk, order.urgency, public=order.place_id is not None)
    desk.change(
        order,
        state=states.RECORDED,
        outcome="",
        closed_at=None,
        contact_by=contact_by,
        done_by=done_by,
        assignee_id=None,
    )
    desk.record(order, "restored", talk.said.text)
    desk.promise(order, "contact", contact_by)
    late.watch(desk, order, "contact", contact_by, order.urgency)
    late.watch(desk, order, "done", done_by, order.urgency)
