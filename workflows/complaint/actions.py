"""What staff do with a complaint case: each act checks the move, records it, keeps its promise, tells the resident."""

from datetime import datetime, timedelta

from bot.desk import Choice, Complaint, Desk, Member
from bot.errors import Conflict
from workflows import deadlines, late, moments, texts, wording
from workflows.complaint import states
from workflows.summary import complaint_of

SILENCE = timedelta(hours=24)
CALLED_WITHIN = timedelta(hours=24)
"""A complaint whose result does not satisfy is phoned about within this time (desk.md section 11)."""
ALWAYS_VISITED = frozenset({"staff"})
"""Natures that are always followed up by a person, whatever the resident answered."""


def assign(desk: Desk, case: Complaint, member: Member) -> None:
    """Give the case to somebody. Raises `Conflict`."""
    _allowed(case, "assign")
    state = states.ASSIGNED if case.state != states.ANSWERED else case.state
    desk.change(case, state=state, assignee_id=member.id)
    _done(desk, case, "assigned", data={"member": member.name})


def first_answer(desk: Desk, case: Complaint, plan: str, result_by: datetime) -> None:
    """The plan, by name and with a date; the resident is told. Raises `Conflict`."""
    _allowed(case, "first_answer")
    if not plan.strip():
        raise Conflict("请写明打算怎么办，住户会看到。")
    if result_by <= desk.now:
        raise Conflict("给结果的时间已经过去了。")
    desk.change(case, state=states.ANSWERED, plan=plan.strip(), result_by=result_by, answered_at=desk.now)
    _done(desk, case, "answered", plan, {"result_by": result_by.isoformat()})
    desk.keep(case, "answer")
    desk.promise(case, "result", result_by, case.assignee_id)
    late.watch(desk, case, "result", result_by, case.urgency)
    values = {
        "what": _what(desk, case),
        "number": case.number,
        "name": _handler(desk, case),
        "plan": plan.strip().rstrip("。."),
    }
    desk.notify(
        texts.say(desk.language, "complaint.answered", by=_by(desk, result_by), **values), kind="answer", case=case
    )


def hold(desk: Desk, case: Complaint, words: str) -> None:
    """A line that keeps the resident informed while there is no result. Raises `Conflict`."""
    _allowed(case, "hold")
    if not words.strip():
        raise Conflict("请写明进展，住户会看到。")
    _done(desk, case, "hold", words)
    text = texts.say(
        desk.language, "complaint.hold", what=_what(desk, case), number=case.number, words=words.strip().rstrip("。.")
    )
    desk.notify(text, kind="hold", case=case)


def finish(desk: Desk, case: Complaint, *, result: str, ending: str, cause: str, responsible_party: str) -> None:
    """The result with its reason, told together with the one question. Raises `Conflict`."""
    _allowed(case, "finish")
    _listed(ending, states.ENDINGS, "结论")
    _listed(cause, states.CAUSES, "原因")
    _listed(responsible_party, states.RESPONSIBLE, "责任方")
    if not result.strip():
        raise Conflict("请写明结果，住户会看到。")
    desk.change(
        case,
        state=states.RESULT,
        result=result.strip(),
        ending=ending,
        cause=cause,
        responsible_party=responsible_party,
        result_at=desk.now,
        asked_at=desk.now,
        answered_at=case.answered_at or desk.now,
        answer=None,
        answer_words="",
    )
    _done(desk, case, "result", result, {"ending": ending, "cause": cause, "responsible": responsible_party})
    desk.keep(case, "answer", "result")
    desk.unschedule(case.id, "late")
    values = {"what": _what(desk, case), "result": result.strip().rstrip("。.")}
    plain = texts.say(desk.language, "complaint.result_plain", **values)
    options = [Choice("1", "1"), Choice("2", "2"), Choice("3", "3")]
    desk.notify(
        texts.say(desk.language, "complaint.result", **values),
        kind="result",
        case=case,
        without_question=plain,
        choices=options,
        told=moments.result(case),
    )
    desk.schedule("satisfaction.silence", desk.now + SILENCE, ref=case.id, step=case.reopened)


def reopen(desk: Desk, case: Complaint, reason: str) -> Member | None:
    """One rung higher; a person phones within a day. Whoever has it now is told the resident. Raises `Conflict`."""
    _allowed(case, "reopen")
    owner = climb(desk, case, reason)
    assert case.answer_by is not None
    values = {"what": _what(desk, case), "number": case.number, "name": wording.person(owner, desk.language)}
    desk.notify(
        texts.say(desk.language, "complaint.reopened", by=_by(desk, case.answer_by), **values),
        kind="reopened",
        case=case,
    )
    return owner


def climb(desk: Desk, case: Complaint, reason: str) -> Member | None:
    """Reopen without a message: the answer to the resident says it. Who has the case now."""
    rung = min(case.rung + 1, len(states.RUNGS) - 1)
    higher = desk.world.with_role(states.RUNGS[rung], case.community_id)
    owner = next((member for member in higher if member.id != case.assignee_id), None)
    owner = owner or desk.world.members.get(case.assignee_id or case.id)
    by = _called_by(desk)
    desk.change(
        case,
        state=states.REOPENED,
        rung=rung,
        reopened=case.reopened + 1,
        assignee_id=owner.id if owner else None,
        closed_at=None,
        answer_by=by,
        answered_at=None,
        result_at=None,
        asked_at=None,
        result_by=deadlines.result_by(desk.world.local(desk.now), desk.settings),
    )
    _done(desk, case, "reopened", reason, {"rung": states.RUNGS[rung]})
    desk.promise(case, "answer", by, case.assignee_id)
    desk.call_task("reopened", f"{case.number} {reason}", by, case=case, owner_id=case.assignee_id)
    late.watch(desk, case, "answer", by, case.urgency)
    return owner


def withdraw(desk: Desk, case: Complaint, words: str) -> None:
    """Taken back by the one who made it: nobody waits for an answer any more."""
    desk.change(case, state=states.WITHDRAWN, ending="withdrawn", closed_at=desk.now)
    desk.record(case, "withdrawn", words)
    desk.release(case, "answer", "result", "urge")
    desk.unschedule(case.id, "late")


def _called_by(desk: Desk) -> datetime:
    now = desk.world.local(desk.now)
    return min(deadlines.rework_by(now, desk.settings), now + CALLED_WITHIN)


def _allowed(case: Complaint, name: str) -> None:
    move = states.MOVES[name]
    if case.state not in move.sources:
        raise Conflict(f"这件投诉现在是“{states.STATES[case.state][0]}”，不能{move.zh}。")


def _listed(value: str, known: object, what: str) -> None:
    assert isinstance(known, dict)
    if value not in known:
        raise Conflict(f"{what}不在清单里：{value or '空'}。")


def _done(desk: Desk, case: Complaint, what: str, words: str = "", data: dict[str, str] | None = None) -> None:
    desk.record(case, what, words, data)
    if desk.staff_id is not None:
        desk.audit(f"complaint.{what}", "complaint", case.id, data)


def _what(desk: Desk, case: Complaint) -> str:
    del desk
    return complaint_of(case.words.split("\n", 1)[0])


def _handler(desk: Desk, case: Complaint) -> str:
    member = desk.world.members.get(case.assignee_id) if case.assignee_id else None
    return wording.person(member, desk.language)


def _by(desk: Desk, moment: datetime) -> str:
    return wording.by(desk.world.local(moment), desk.world.local(desk.now), desk.language)
