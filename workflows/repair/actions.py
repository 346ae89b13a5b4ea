"""What staff do with a work order: each act checks the move, records it and tells the resident what changes."""

import re
from datetime import datetime, timedelta

from bot.desk import Case, Choice, Desk, Member, WorkOrder
from bot.errors import Conflict
from workflows import moments, texts, wording
from workflows.repair import states
from workflows.summary import first_clause

SILENCE = timedelta(hours=24)
"""After "done" the resident has so long to answer by themselves; then a person may phone, once."""


def candidates(desk: Desk, order: WorkOrder) -> list[Member]:
    """Who may take an order, best first: able, on duty, fewest open orders; those off duty only where nobody is on."""
    on_duty = desk.world.on_duty(order.community_id, ("technician",), desk.now)
    everybody = on_duty or desk.world.with_role("technician", order.community_id)
    able = [member for member in everybody if order.category in member.skills] or everybody
    loads = desk.loads(able)
    return sorted(able, key=lambda member: (loads.get(member.id, 0), member.name))


def dispatch(desk: Desk, order: WorkOrder, member: Member, slot_start: datetime, slot_end: datetime) -> None:
    """Give an order to somebody for a time; the resident hears who comes when. Raises `Conflict`."""
    _allowed(order, "dispatch")
    _slot_ahead(desk, slot_start, slot_end)
    again = order.state in states.UNDER_WAY
    desk.change(
        order,
        state=states.DISPATCHED,
        assignee_id=member.id,
        slot_start=slot_start,
        slot_end=slot_end,
        accepted_at=None,
        on_site_at=None,
    )
    _done(
        desk,
        order,
        "dispatched",
        data={"member": member.name, "start": slot_start.isoformat(), "end": slot_end.isoformat()},
    )
    desk.keep(order, "contact")
    desk.release(order, "visit")
    desk.promise(order, "visit", slot_end, member.id)
    key = "visit.changed" if again else "visit.public" if order.place_id or _is_public(order) else "visit.coming"
    desk.notify(_visit(desk, order, key), kind="visit", case=order, told=moments.slot(desk, order))


def reschedule(desk: Desk, order: WorkOrder, slot_start: datetime, slot_end: datetime, reason: str) -> None:
    """Another time: the resident hears it with the reason, before the old time passes. Raises `Conflict`."""
    _allowed(order, "reschedule")
    _slot_ahead(desk, slot_start, slot_end)
    if not reason.strip():
        raise Conflict("改约要写明原因，住户会看到。")
    same_day = (
        order.slot_start is not None
        and desk.world.local(order.slot_start).date() == desk.world.local(slot_start).date()
    )
    later = order.slot_start is not None and slot_start > order.slot_start
    desk.change(order, state=states.DISPATCHED, slot_start=slot_start, slot_end=slot_end)
    _done(desk, order, "rescheduled", reason, {"start": slot_start.isoformat(), "end": slot_end.isoformat()})
    desk.release(order, "visit")
    desk.promise(order, "visit", slot_end, order.assignee_id)
    is_late = same_day and later
    told = moments.late(desk, order) if is_late else moments.slot(desk, order)
    text = _visit(desk, order, "visit.late" if is_late else "visit.changed", reason)
    desk.notify(text, kind="visit", case=order, told=told)


def accept(desk: Desk, order: WorkOrder) -> None:
    """The technician has it. Raises `Conflict`."""
    _allowed(order, "accept")
    desk.change(order, state=states.ACCEPTED, accepted_at=desk.now)
    _done(desk, order, "accepted")


def on_site(desk: Desk, order: WorkOrder) -> None:
    """The technician is there; the resident hears it only where the slot was missed. Raises `Conflict`."""
    _allowed(order, "on_site")
    desk.change(order, state=states.ON_SITE, on_site_at=desk.now)
    _done(desk, order, "on_site")
    desk.keep(order, "visit")
    if order.slot_end is not None and desk.now > order.slot_end:
        desk.notify(_visit(desk, order, "visit.on_site"), kind="on_site", case=order)


def done(
    desk: Desk, order: WorkOrder, *, work_done: str, cause: str, responsible_party: str, outcome: str, fee: str = ""
) -> None:
    """The work is done: told with the one question, which is acceptance and rating in one. Raises `Conflict`."""
    _allowed(order, "done")
    _listed(cause, states.CAUSES, "原因")
    _listed(responsible_party, states.RESPONSIBLE, "责任方")
    _listed(outcome, states.OUTCOMES, "结果")
    if not work_done.strip():
        raise Conflict("请写明做了什么，住户会看到。")
    desk.change(
        order,
        state=states.DONE,
        work_done=work_done.strip(),
        cause=cause,
        responsible_party=responsible_party,
        outcome=outcome,
        fee=fee.strip(),
        done_at=desk.now,
        asked_at=desk.now,
        answer=None,
        answer_words="",
        score=None,
    )
    _done(
        desk,
        order,
        "done",
        work_done,
        {"cause": cause, "responsible": responsible_party, "outcome": outcome, "fee": fee},
    )
    desk.keep(order, "contact", "visit", "done")
    desk.unschedule(order.id, "late")
    report = _report(desk, order)
    options = [Choice("1", "1"), Choice("2", "2"), Choice("3", "3")]
    text = texts.say(desk.language, "done.ask", report=report)
    told = moments.done(order)
    desk.notify(text, kind="done", case=order, without_question=report, choices=options, told=told)
    desk.schedule("satisfaction.silence", desk.now + SILENCE, ref=order.id, step=order.reworks)


_SPEAKS_OF_MONEY = re.compile(r"收费|免费|费用|[元块]钱?|不要钱|charge|free\b|fee\b|yuan|rmb", re.IGNORECASE)
_NOTHING = re.compile(
    r"\s*(?:0+(?:\.0+)?\s*元?|无|没有?|没有收费|不收费|免费|no charge|free|none)\s*[。.]?\s*", re.IGNORECASE
)


def _report(desk: Desk, order: WorkOrder) -> str:
    """What was done and what it costs; the cost is not said twice where the words on the work say it."""
    work = order.work_done.rstrip("。.")
    clauses = [work]
    if order.fee and not _NOTHING.fullmatch(order.fee):
        clauses.append(texts.say(desk.language, "done.fee", fee=order.fee))
    elif not _SPEAKS_OF_MONEY.search(work):
        clauses.append(texts.say(desk.language, "done.no_fee"))
    joined = (", " if desk.language == "en" else "，").join(clauses)
    return texts.say(desk.language, "done.report", what=first_clause(order.fault), work_done=joined)


def cancel(desk: Desk, order: WorkOrder, reason: str) -> None:
    """Staff cancel an order; the resident hears why. Raises `Conflict`."""
    _allowed(order, "cancel")
    if not reason.strip():
        raise Conflict("取消要写明原因，住户会看到。")
    desk.change(order, state=states.CANCELLED, outcome="cancelled", closed_at=desk.now)
    _done(desk, order, "cancelled", reason)
    desk.release(order, "contact", "visit", "urge")
    desk.unschedule(order.id, "late")
    desk.notify(
        texts.say(desk.language, "visit.cancelled", what=order.fault, reason=reason.strip()),
        kind="cancelled",
        case=order,
    )


def note(desk: Desk, case: Case, text: str) -> None:
    """Write something into the story of a case; the resident does not see it."""
    if not text.strip():
        raise Conflict("备注是空的。")
    desk.record(case, "note", text.strip())
    desk.audit("note", "case", case.id)


def verify(desk: Desk, order: WorkOrder) -> None:
    """Somebody has checked by phone who reported it and where. Raises `Conflict` where that was done before."""
    if order.verified:
        raise Conflict("这单已经核实过。")
    desk.change(order, verified=True)
    _done(desk, order, "verified")
    desk.keep(order, "contact")


def _allowed(order: WorkOrder, name: str) -> None:
    move = states.MOVES[name]
    if order.state not in move.sources:
        raise Conflict(f"这单现在是“{states.STATES[order.state][0]}”，不能{move.zh}。")


def _listed(value: str, known: object, what: str) -> None:
    assert isinstance(known, dict)
    if value not in known:
        raise Conflict(f"{what}不在清单里：{value or '空'}。")


def _slot_ahead(desk: Desk, start: datetime, end: datetime) -> None:
    if end <= start:
        raise Conflict("结束时间要晚于开始时间。")
    if end <= desk.now:
        raise Conflict("约的时间已经过去了。")


def _done(desk: Desk, order: WorkOrder, what: str, words: str = "", data: dict[str, str] | None = None) -> None:
    desk.record(order, what, words, data)
    desk.audit(f"work_order.{what}", "work_order", order.id, data)


def _is_public(order: WorkOrder) -> bool:
    return bool((order.where or {}).get("place"))


def _visit(desk: Desk, order: WorkOrder, key: str, reason: str = "") -> str:
    assert order.slot_start is not None
    assert order.slot_end is not None
    local = desk.world.local
    slot = wording.slot(local(order.slot_start), local(order.slot_end), local(desk.now), desk.language)
    member = desk.world.members.get(order.assignee_id) if order.assignee_id else None
    name = wording.technician(member, desk.language)
    what = texts.say(desk.language, "visit.work", what=first_clause(order.fault))
    return texts.say(desk.language, key, name=name, slot=slot, what=what, reason=reason.strip().rstrip("。."))
