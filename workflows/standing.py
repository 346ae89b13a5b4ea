"""How a case stands, told exactly from the record."""

from datetime import datetime, timedelta

from bot.desk import Affair, Case, Complaint, WorkOrder
from workflows import deadlines, wording
from workflows.complaint import states as complaint_states
from workflows.repair import states
from workflows.summary import complaint_of, first_clause
from workflows.talk import Talk, told

TOLD_EVERY = timedelta(minutes=30)
"""That an order is late is passed on once in this time; the promise told then stands."""


def what(talk: Talk, case: Case) -> str:
    """A case in few words."""
    del talk
    if isinstance(case, WorkOrder):
        return first_clause(case.fault)
    return first_clause(complaint_of(case.words.split("\n", 1)[0]))


def tell(talk: Talk, case: Case, *, short: bool = False) -> None:
    """Say where it stands and what comes next. `short`: a sentence that another one follows."""
    if isinstance(case, WorkOrder):
        _order(talk, case, short=short)
    elif isinstance(case, Complaint):
        _complaint(talk, case)
    else:
        _affair(talk, case)


def _order(talk: Talk, order: WorkOrder, *, short: bool) -> None:
    values = {"what": what(talk, order), "number": order.number}
    if order.state in states.UNDER_WAY:
        talk.reply(f"progress.{order.state}", name=_technician(talk, order), slot=slot(talk, order), **values)
    elif order.state == states.RECORDED:
        _recorded(talk, order, values, short=short)
    elif order.state == states.REWORK:
        assert order.contact_by is not None
        talk.reply("progress.rework", by=told(talk.desk, order.contact_by), **values)
    elif order.state == states.DONE:
        done_at = talk.desk.world.local(order.done_at or order.updated_at)
        talk.reply("progress.done", when=wording.when(done_at, talk.local, talk.language), **values)
    else:
        talk.reply("progress.cancelled" if order.state == states.CANCELLED else "progress.closed", **values)


def _recorded(talk: Talk, order: WorkOrder, values: dict[str, str], *, short: bool) -> None:
    """Not yet dispatched; where the promised time has passed the truth is told, and somebody hears of it."""
    assert order.contact_by is not None
    if short and order.contact_by <= talk.desk.now:
        return
    if order.contact_by > talk.desk.now:
        talk.reply("progress.recorded", by=told(talk.desk, order.contact_by), **values)
        return
    head = talk.supervisor()
    if order.urged_at is not None and talk.desk.now - order.urged_at < TOLD_EVERY:
        by = wording.soon(talk.desk.world.local(order.urged_at), 30)
        talk.reply("progress.urged_again", name=wording.person(head, talk.language), by=talk.by(by))
        return
    by = wording.soon(talk.local, 30)
    talk.desk.change(order, urged_at=talk.desk.now)
    talk.desk.call_task("late", f"{order.number}: {order.fault}", by, case=order, owner_id=head.id if head else None)
    talk.desk.promise(order, "urge", by, head.id if head else None)
    talk.reply("progress.recorded_late", by=talk.by(by), **values)


def _technician(talk: Talk, order: WorkOrder) -> str:
    member = talk.desk.world.members.get(order.assignee_id) if order.assignee_id else None
    return wording.technician(member, talk.language)


def slot(talk: Talk, order: WorkOrder) -> str:
    if order.slot_start is None or order.slot_end is None:
        return ""
    local = talk.desk.world.local
    return wording.slot(local(order.slot_start), local(order.slot_end), talk.local, talk.language)


def _complaint(talk: Talk, case: Complaint) -> None:
    member = talk.desk.world.members.get(case.assignee_id) if case.assignee_id else None
    values = {"number": case.number, "name": wording.person(member, talk.language)}
    if case.state in complaint_states.TO_ANSWER and case.answer_by is not None:
        by = case.answer_by if case.answer_by > talk.desk.now else wording.soon(talk.local, 30)
        talk.reply("progress.complaint_recorded", by=_by(talk, by), **values)
    elif case.state == complaint_states.ANSWERED and case.result_by is not None:
        talk.reply("progress.complaint_answered", by=_by(talk, case.result_by), plan=case.plan, **values)
    else:
        result = case.result or complaint_states.STATES[case.state][1 if talk.language == "en" else 0]
        talk.reply("progress.complaint_closed", number=case.number, result=result)


def _affair(talk: Talk, case: Affair) -> None:
    member = talk.desk.world.members.get(case.owner_id) if case.owner_id else None
    if case.closed_at is None and case.due_at is not None:
        due = case.due_at if case.due_at > talk.desk.now else deadlines.answer_by(talk.local, talk.desk.settings)
        name = wording.person(member, talk.language, "desk")
        talk.reply("progress.affair_recorded", number=case.number, name=name, by=_by(talk, due))
    else:
        answer = case.answer or ("closed" if talk.language == "en" else "已办结")
        talk.reply("progress.affair_closed", number=case.number, answer=answer)


def _by(talk: Talk, moment: datetime) -> str:
    return wording.by(talk.desk.world.local(moment), talk.local, talk.language)
