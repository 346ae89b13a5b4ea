"""Watches what is due: warns the owner, then climbs the ladder, each rung once (desk.md section 7)."""

from datetime import datetime

from bot.desk import Affair, Case, Complaint, Desk, Job, Member, WorkOrder
from workflows import deadlines
from workflows.forms import Form
from workflows.talk import Talk, department_head, supervisor

name = "late"
timers = frozenset({"late"})


def start(talk: Talk) -> None:
    """Nothing a resident says begins this."""
    del talk


def question(talk: Talk, form: Form) -> None:
    """It asks nothing."""
    del talk, form


def resume(talk: Talk, form: Form) -> bool:
    """It has no form."""
    del talk, form
    return False


def watch(desk: Desk, case: Case, what: str, due: datetime, urgency: str = "normal") -> None:
    """From now on somebody hears when `what` of a case comes near its time or passes it."""
    payload = {"what": what, "start": desk.now.isoformat(), "due": due.isoformat(), "urgency": urgency}
    _next(desk, case, payload, 0)


def _next(desk: Desk, case: Case, payload: dict[str, str], step: int) -> None:
    start, due = (desk.world.local(datetime.fromisoformat(payload[name])) for name in ("start", "due"))
    for rung in deadlines.ladder(start, due, payload["urgency"]):
        if rung.step == step:
            desk.schedule("late", rung.at, ref=case.id, step=step, payload=dict(payload))


def due(desk: Desk, job: Job) -> None:
    case = desk.case(job.ref) if job.ref else None
    if case is None or job.payload is None or not _stands(case, job.payload):
        return
    who = deadlines.RUNGS[job.step]
    people = _people(desk, case, who)
    label = "80%" if job.step == 0 else f"{100 + (job.step - 1) * 50}%"
    desk.raise_alarm("late", f"{case.number} {job.payload['what']} {label}", people, case=case)
    desk.record(case, "late", data={"what": job.payload["what"], "rung": who, "share": label})
    _next(desk, case, job.payload, job.step + 1)


def _stands(case: Case, payload: dict[str, str]) -> bool:
    """Whether it is still owed, and still by that time."""
    if case.closed_at is not None:
        return False
    owed = _owed(case, payload["what"])
    return owed is not None and owed == datetime.fromisoformat(payload["due"])


def _owed(case: Case, what: str) -> datetime | None:
    if isinstance(case, WorkOrder):
        if what == "contact":
            return case.contact_by if case.state in {"recorded", "rework"} else None
        return case.done_by if case.done_at is None else None
    if isinstance(case, Complaint):
        return (case.answer_by if case.answered_at is None else None) if what == "answer" else case.result_by
    return case.due_at


def _people(desk: Desk, case: Case, who: str) -> list[Member]:
    if who == "owner":
        owner = case.owner_id if isinstance(case, Affair) else case.assignee_id
        if owner is not None and owner in desk.world.members:
            return [desk.world.members[owner]]
        return desk.world.on_duty(case.community_id, ("desk",), desk.now) or [m for m in [supervisor(desk)] if m]
    if who == "supervisor":
        head = department_head(desk) if isinstance(case, WorkOrder) else None
        return list({m.id: m for m in (head, supervisor(desk)) if m}.values())
    return desk.world.with_role(who, case.community_id) or [m for m in [supervisor(desk)] if m]
