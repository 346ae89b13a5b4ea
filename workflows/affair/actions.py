"""What staff do with a daily affair: each act records it, keeps its promise and tells the resident."""

from datetime import datetime

from bot.desk import Affair, Desk, Member
from bot.errors import Conflict
from workflows import late, texts, wording
from workflows.affair import kinds
from workflows.summary import complaint_of
from workflows.talk import supervisor


def owner(desk: Desk, role: str) -> Member | None:
    """Whose affair it is: on duty in this role, else with it, else the supervisor."""
    on_duty = desk.world.on_duty(desk.community_id, (role,), desk.now)
    having = desk.world.with_role("agent" if role == "desk" else role, desk.community_id)
    return next(iter(on_duty or having), None) or supervisor(desk)


def cancel(desk: Desk, case: Affair, words: str) -> None:
    """Nobody has to do it any more."""
    desk.change(case, state=kinds.CANCELLED, closed_at=desk.now)
    desk.record(case, "cancelled", words)
    desk.release(case, "answer", "result", "urge")
    desk.unschedule(case.id, "late")


def take_up(desk: Desk, affair: Affair, words: str, by: datetime | None = None) -> None:
    """The first word to the resident: what is being done, and by when it is done. Raises `Conflict`.

    `by`: the end that is promised; None: the standard of its kind (desk.md section 7).
    """
    if affair.state != kinds.RECORDED:
        raise Conflict("这件事已经有人在办，或者已经办结。")
    if not words.strip():
        raise Conflict("请写明打算怎么办，住户会看到。")
    due = by or kinds.done_by(affair.kind, desk.world.local(affair.created_at), desk.settings)
    if due <= desk.now:
        raise Conflict("给结果的时间已经过去了。")
    desk.change(affair, state=kinds.IN_HAND, due_at=due)
    desk.record(affair, "taken_up", words, {"by": due.isoformat()})
    desk.audit("affair.taken_up", "affair", affair.id)
    desk.keep(affair, "answer")
    desk.promise(affair, "result", due, affair.owner_id)
    late.watch(desk, affair, "result", due)
    told = wording.by(desk.world.local(due), desk.world.local(desk.now), desk.language)
    who = desk.world.members.get(affair.owner_id) if affair.owner_id else None
    values = {"what": _what(affair), "name": wording.person(who, desk.language, "desk"), "by": told}
    text = texts.say(desk.language, "affair.taken_up", words=words.strip().rstrip("。."), **values)
    desk.notify(text, kind="answer", case=affair)


def _what(affair: Affair) -> str:
    return complaint_of(affair.words.split("\n", 1)[0])


def answer(desk: Desk, affair: Affair, text: str) -> None:
    """Answer the resident; with it the affair is done. Raises `Conflict`."""
    if affair.closed_at is not None:
        raise Conflict("这件事已经办结。")
    if not text.strip():
        raise Conflict("请写明答复，住户会看到。")
    desk.change(affair, state=kinds.ANSWERED, answer=text.strip(), closed_at=desk.now)
    _noted(desk, affair, "answered", text)
    told = texts.say(desk.language, "affair.answer", what=_what(affair), answer=text.strip())
    desk.notify(told, kind="answer", case=affair)


def answer_later(desk: Desk, affair: Affair, text: str, told: str) -> None:
    """What nobody could answer when it was asked is answered by an article now: `text`, told as `told`."""
    desk.change(affair, state=kinds.ANSWERED, answer=text, closed_at=desk.now)
    desk.record(affair, "answered", text)
    desk.keep(affair, "answer", "result", "urge")
    desk.unschedule(affair.id, "late")
    desk.notify(told, kind="answer", case=affair)


def close(desk: Desk, affair: Affair, note: str = "") -> None:
    """The affair is done without a message to the resident, who was told another way. Raises `Conflict`."""
    if affair.closed_at is not None:
        raise Conflict("这件事已经办结。")
    desk.change(affair, state=kinds.CLOSED, closed_at=desk.now)
    _noted(desk, affair, "closed", note)


def _noted(desk: Desk, affair: Affair, what: str, words: str) -> None:
    desk.record(affair, what, words)
    desk.audit(f"affair.{what}", "affair", affair.id)
    desk.keep(affair, "answer", "result", "urge")
    desk.unschedule(affair.id, "late")
