"""What the desk's messages tell, for ways that carry approved texts only (desk.md section 14): the name of the text and
what fills it in.

Approved texts are Chinese whatever the resident writes, short, and hold no sum, no words of a complaint and no address.
"""

import re
from datetime import datetime, timedelta

from bot.desk import Community, Complaint, Desk, Moment, WorkOrder
from workflows import deadlines, wording
from workflows.summary import first_clause

LANGUAGE = "zh-Hans"
MOST_OF_A_FAULT = 12
"""So many characters leave room for number and time in one part of a text message."""

_NOT_IN_A_VALUE = re.compile(r"[^\w\-:.、（）()~～/+%]|_")

DANGER = Moment("danger")
"""Somebody has taken it and is on the way."""
DANGER_AT_ONCE = Moment("danger_at_once")
DANGER_NOBODY_YET = Moment("danger_nobody_yet")
STOPPED = Moment("stopped")


def recorded(desk: Desk, order: WorkOrder) -> Moment:
    """A repair is recorded, and by when somebody phones: of a call that comes first thing in the morning, its end."""
    assert order.contact_by is not None
    local, until = desk.world.local, order.contact_by
    if deadlines.is_morning_call(local(desk.now), local(until), desk.settings):
        until += timedelta(hours=desk.settings.contact_within_hours)
    return Moment("recorded", {"what": _fault(order), "number": order.number, "until": _when(desk, until)})


def slot(desk: Desk, order: WorkOrder) -> Moment:
    """Who comes when."""
    assert order.slot_start is not None
    assert order.slot_end is not None
    local = desk.world.local
    times = wording.slot(local(order.slot_start), local(order.slot_end), local(desk.now), LANGUAGE)
    member = desk.world.members.get(order.assignee_id) if order.assignee_id else None
    return Moment("slot", {"number": order.number, "visit": wording.technician(member, LANGUAGE) + times})


def late(desk: Desk, order: WorkOrder) -> Moment:
    """The visit is later on the same day."""
    assert order.slot_start is not None
    at = wording.clock(desk.world.local(order.slot_start))
    return Moment("late", {"number": order.number, "at": at})


def done(order: WorkOrder) -> Moment:
    """The work is done, with the one question."""
    return Moment("done", {"number": order.number, "what": _fault(order)})


def changed(order: WorkOrder) -> Moment:
    """The order was changed as the resident wished."""
    return Moment("changed", {"number": order.number})


def complaint(desk: Desk, case: Complaint) -> Moment:
    """A complaint is recorded: who has it, and by when the first answer comes."""
    assert case.answer_by is not None
    member = desk.world.members.get(case.assignee_id) if case.assignee_id else None
    head = wording.person(member, LANGUAGE)
    return Moment("complaint", {"number": case.number, "head": head, "until": _when(desk, case.answer_by)})


def result(case: Complaint) -> Moment:
    """A complaint has its result, with the one question."""
    return Moment("result", {"number": case.number})


def where(communities: list[Community]) -> Moment:
    """The home is missing."""
    name = communities[0].name if communities else "小区"
    return Moment("where", {"example": f"{name}3-2-1502"})


def person(desk: Desk, by: datetime) -> Moment:
    """A person phones, by then."""
    return Moment("person", {"until": _when(desk, by)})


def unknown(desk: Desk, by: datetime) -> Moment:
    """Nobody here knows; a person answers, by then."""
    return Moment("unknown", {"until": _when(desk, by)})


def _fault(order: WorkOrder) -> str:
    """The fault by its first words: what stands in a value may hold no punctuation, and is cut between words."""
    clause = _NOT_IN_A_VALUE.sub("", first_clause(order.fault))
    return clause if 0 < len(clause) <= MOST_OF_A_FAULT else "事情"


def _when(desk: Desk, moment: datetime) -> str:
    return wording.when(desk.world.local(moment), desk.world.local(desk.now), LANGUAGE)
