"""The one question after the work: acceptance and rating in one, stored as said; silence is never a rating (law 10)."""

import re
from datetime import datetime, timedelta
from typing import Literal

from bot.desk import Case, Complaint, Desk, Job, WorkOrder
from bot.errors import Conflict
from workflows import deadlines, forms, intake, late, texts, wording
from workflows.complaint import actions as complaint_actions
from workflows.complaint import states as complaint_states
from workflows.dialogue import Said
from workflows.forms import Form
from workflows.repair import states
from workflows.summary import complaint_of, shared
from workflows.talk import Talk, department_head, supervisor

name = "satisfaction"
timers = frozenset({"satisfaction.silence"})

LOW_SCORE = 3
"""A score up to this goes to the supervisor's list."""
REVIEW_WITHIN = timedelta(hours=24)
Verdict = Literal["satisfied", "remarks", "fair", "unhappy", "not_fixed", "scored", ""]

_BY_DIGIT: dict[type[Case], dict[int, Verdict]] = {
    WorkOrder: {1: "satisfied", 2: "remarks", 3: "not_fixed"},
    Complaint: {1: "satisfied", 2: "fair", 3: "unhappy"},
}
_SATISFIED = re.compile(
    r"满意|滿意|修好了|弄好了|好了|可以了|没问题|不漏了|挺好|很好|不错|satisfied|all good|works|fixed|great|perfect",
    re.IGNORECASE,
)
_CLEARLY_ANOTHER = 0.8
"""又漏了 speaks of what was repaired, whatever it is taken for; 电梯又坏了 of something else."""
_NO_MORE_THAN = 40
"""A verdict in words is short; a longer message tells a story of its own."""


def asked(desk: Desk) -> WorkOrder | Complaint | None:
    """The order or case whose one question is still unanswered: the latest."""
    waiting: list[WorkOrder | Complaint] = [
        order for order in desk.orders if order.state == states.DONE and order.answer is None
    ]
    waiting += [case for case in desk.complaints if case.state == complaint_states.RESULT and case.answer is None]
    waiting = [case for case in waiting if case.asked_at is not None]
    return max(waiting, key=lambda case: case.asked_at or desk.now, default=None)


def verdict(said: Said, case: WorkOrder | Complaint) -> Verdict:
    """What a message says to the one question; empty where it is no answer to it."""
    answer = said.answer
    if _is_another_report(said, case):
        return ""
    if answer.kind == "choice":
        return _BY_DIGIT[type(case)].get(answer.choice or 0, "")
    if answer.kind == "rating":
        return _in_words(answer.rating, case) if answer.score is None else "scored"
    return _in_passing(said, case)


def _in_passing(said: Said, case: WorkOrder | Complaint) -> Verdict:
    """A short word that is no rating by itself: 好了, 没有."""
    if len(said.text) > _NO_MORE_THAN or said.reading.intent in {"faq", "payment", "application"}:
        return ""
    if said.answer.kind == "no" and isinstance(case, WorkOrder):
        return "not_fixed"
    return "satisfied" if said.answer.kind == "yes" or _SATISFIED.search(said.text) else ""


def _is_another_report(said: Said, case: WorkOrder | Complaint) -> bool:
    """灯修好了，现在厨房漏水: a report of its own, not a word on the work, however satisfied it sounds."""
    if said.reading.intent not in {"repair", "complaint"} or not said.sure or not isinstance(case, WorkOrder):
        return False
    if said.answer.rating == "not_fixed" and said.reading.confidence < _CLEARLY_ANOTHER:
        return False
    other = said.reading.category not in {case.category, "other", None}
    return other and not shared(said.text, case.words)


def _in_words(rating: str | None, case: WorkOrder | Complaint) -> Verdict:
    if rating == "not_fixed":
        return "not_fixed" if isinstance(case, WorkOrder) else "unhappy"
    words: dict[str | None, Verdict] = {"good": "satisfied", "fair": "fair", "bad": "unhappy"}
    return words.get(rating, "")


def start(talk: Talk) -> None:
    """An answer to the one question."""
    case = asked(talk.desk)
    assert case is not None
    found = verdict(talk.said, case)
    form = forms.new_form(name, talk.desk.now, found)
    form.case, form.words = str(case.id), [talk.said.text]
    talk.touch(form)
    talk.case = case
    talk.understood()
    if found == "not_fixed" and isinstance(case, WorkOrder):
        _rework(talk, form, case)
        return
    _store(talk.desk, case, found, talk.said)
    if found == "unhappy" and isinstance(case, Complaint):
        _reopened(talk, case)
    elif isinstance(case, WorkOrder):
        _thank(talk, form, case, found)
    else:
        talk.reply("done.complaint_fair" if found in {"fair", "scored"} else "done.complaint_satisfied")
    talk.end(None, "rated", form.slots())


def _store(desk: Desk, case: WorkOrder | Complaint, found: str, said: Said) -> None:
    closed = states.CLOSED if isinstance(case, WorkOrder) else complaint_states.CLOSED
    words = said.text if found not in {"satisfied", "remarks"} or len(said.text) > 2 else ""
    desk.change(case, answer=found, answer_words=words, state=closed, closed_at=desk.now)
    if isinstance(case, WorkOrder):
        desk.change(case, score=said.answer.score)
    desk.record(case, "rated", said.text, {"answer": found, "score": said.answer.score})
    if not _is_low(said, found):
        desk.unschedule(case.id, "satisfaction.silence")
        return
    _to_supervisor(desk, case, said.text)


def _is_low(said: Said, found: str) -> bool:
    low_score = said.answer.score is not None and said.answer.score <= LOW_SCORE
    return low_score or found in {"unhappy", "fair", "remarks"}


def _to_supervisor(desk: Desk, case: Case, words: str) -> None:
    """On the supervisor's list, with the words."""
    head = supervisor(desk)
    desk.call_task(
        "review",
        f"{case.number} {_told(case, words)}",
        desk.now + REVIEW_WITHIN,
        case=case,
        owner_id=head.id if head else None,
    )


_MEANT: dict[type[Case], dict[str, str]] = {
    WorkOrder: {"1": "修好了，满意", "2": "修好了，有话说", "3": "没修好"},
    Complaint: {"1": "满意", "2": "一般", "3": "不满意"},
}


def _told(case: Case, words: str) -> str:
    """What it is about and what the resident said, for the person who phones: a digit in the words it stood for."""
    what = case.fault if isinstance(case, WorkOrder) else complaint_of(case.words.split("\n", 1)[0])
    meant = _MEANT.get(type(case), {}).get(words.strip())
    return f"{what}；住户回“{words.strip()}”：{meant}" if meant else f"{what}；住户说：{words.strip()}"


def _thank(talk: Talk, form: Form, order: WorkOrder, found: Verdict) -> None:
    score = talk.said.answer.score
    if found == "remarks":
        form.step = "words"
        talk.reply("done.remarks")
    elif found == "scored":
        form.step = "words" if score is not None and score <= LOW_SCORE else ""
        talk.reply("done.score_low" if form.step else "done.score", score=score)
    elif found in {"unhappy", "fair"}:
        form.step = "words"
        talk.ask("done.low")
    else:
        talk.reply("done.satisfied")
    del order


def _rework(talk: Talk, form: Form, order: WorkOrder) -> None:
    """Not repaired: back to whoever heads the repairs, with a time, and the resident's words."""
    by = to_rework(talk.desk, order, talk.said.text)
    form.kind = "rework"
    told_already = talk.said.answer.kind != "choice" and len(talk.said.text) > 4
    head = wording.person(department_head(talk.desk), talk.language, "engineering")
    if told_already or "anger" in talk.reading.flags:
        talk.reply("done.rework_told", name=head, by=talk.by(by))
    else:
        talk.ask("done.rework", name=head, by=talk.by(by))
    talk.end("repair", "rework", form.slots())


def to_rework(desk: Desk, order: WorkOrder, words: str) -> datetime:
    """Reopen an order for a second repair; by when somebody calls."""
    by = deadlines.rework_by(desk.world.local(desk.now), desk.settings)
    head = department_head(desk)
    desk.change(
        order,
        state=states.REWORK,
        answer=None,
        answer_words=words,
        reworks=order.reworks + 1,
        closed_at=None,
        done_at=None,
        asked_at=None,
        contact_by=by,
        done_by=deadlines.done_by(desk.world.local(desk.now), order.urgency, desk.settings, public=False),
    )
    desk.record(order, "rework", words, {"answer": "not_fixed"})
    desk.promise(order, "contact", by, head.id if head else None)
    desk.call_task(
        "rework",
        f"{order.number} 返修 {_told(order, words)}",
        by,
        case=order,
        phone=order.contact_phone,
        owner_id=head.id if head else None,
    )
    desk.unschedule(order.id, "satisfaction.silence")
    late.watch(desk, order, "contact", by, order.urgency)
    return by


def _reopened(talk: Talk, case: Complaint) -> None:
    owner = complaint_actions.climb(talk.desk, case, _told(case, talk.said.text))
    assert case.answer_by is not None
    by = wording.by(talk.desk.world.local(case.answer_by), talk.local, talk.language)
    talk.reply("done.complaint_reopened", name=wording.person(owner, talk.language), by=by)


def resume(talk: Talk, form: Form) -> bool:
    """Words after the rating, or about what was not repaired."""
    case = talk.desk.case_named(form.case)
    if not isinstance(case, (WorkOrder, Complaint)):
        talk.memory.drop(form)
        return False
    if form.kind == "rework" and isinstance(case, WorkOrder):
        return _about_rework(talk, form, case)
    if (
        isinstance(case, WorkOrder)
        and form.kind in {"unhappy", "fair", "scored", "remarks"}
        and _not_fixed_after_all(talk)
    ):
        talk.touch(form)
        _rework(talk, form, case)
        return True
    if _is_aside(talk, form):
        return False
    talk.touch(form)
    form.step = ""
    talk.desk.change(case, answer_words=f"{case.answer_words}\n{talk.said.text}".strip())
    talk.desk.record(case, "rated_words", talk.said.text)
    _to_supervisor(talk.desk, case, talk.said.text)
    talk.reply("done.words")
    talk.end(None, "rated", form.slots())
    return True


def _not_fixed_after_all(talk: Talk) -> bool:
    answer = talk.said.answer
    return answer.rating == "not_fixed" or (answer.kind == "choice" and answer.choice == states.NOT_FIXED_DIGIT)


def _is_aside(talk: Talk, form: Form) -> bool:
    """A request of its own, or thanks, is no word about the work."""
    reading = talk.reading
    if talk.said.asks or _SUGGESTS.search(talk.said.text):
        return True
    if form.step == "words":
        return reading.intent in {"human", "payment", "application"} and talk.said.sure
    words_of_rating = {"complaint", "praise", "progress", "other", "smalltalk"}
    if reading.intent == "smalltalk" and talk.said.sure:
        return True
    return reading.intent not in words_of_rating and talk.said.sure


_SUGGESTS = re.compile(
    r"下次|以后.{0,6}(?:记得|最好|能不能|注意)|建议|最好能|希望.{0,8}(?:以后|下次)|next time|suggest", re.IGNORECASE
)


def suggests(text: str) -> bool:
    """A hint for the next time: a suggestion, however it is worded."""
    return _SUGGESTS.search(text) is not None


def _about_rework(talk: Talk, form: Form, order: WorkOrder) -> bool:
    if order.state != states.REWORK:
        talk.memory.drop(form)
        return False
    heard = intake.hear(talk, form, frozenset({"repair", "complaint", "progress", "other"}))
    if heard.meaning == "aside" and not (talk.reading.intent == "smalltalk" and not talk.said.sure):
        return False
    talk.touch(form)
    talk.case = order
    if heard.fills:
        intake.take(talk, form, heard.fills)
        talk.desk.change(
            order, wish=form.wish or order.wish, contact_phone=form.stated.get("phone") or order.contact_phone
        )
    talk.desk.record(order, "words", talk.said.text)
    assert order.contact_by is not None
    if heard.fills.wish is not None:
        talk.reply("done.rework_wish", wish=heard.fills.wish["text"], by=talk.by(order.contact_by))
    else:
        talk.reply("done.rework_more")
    talk.end("repair", "rework", form.slots())
    return True


def question(talk: Talk, form: Form) -> None:
    """The question is asked once: never again."""
    del talk, form


# -- silence


def due(desk: Desk, job: Job) -> None:
    """Nobody answered: no rating, but a person may phone, at most once (desk.md sections 11 and 12)."""
    case = desk.case(job.ref) if job.ref else None
    if not isinstance(case, (WorkOrder, Complaint)) or case.answer is not None or case.asked_at is None:
        return
    rounds = case.reworks if isinstance(case, WorkOrder) else case.reopened
    if rounds != job.step:
        return
    when = deadlines.next_call_hour(desk.world.local(desk.now))
    what = case.fault if isinstance(case, WorkOrder) else case.words.split("\n", 1)[0]
    called = f"{desk.resident.name}{desk.resident.title}"
    text = texts.say("zh-Hans", "unfinished.follow_up", name=called, what=wording.brief(what), number=case.number)
    desk.follow_up(case, when, text, not_by=case.assignee_id)
    desk.record(case, "silence")


def callback_result(desk: Desk, case: WorkOrder | Complaint, answer: str, words: str) -> None:
    """What the resident said on the phone: satisfied, remarks, fair, unhappy, not_fixed; `none`: nobody was reached.

    Never by the one who did the work. Raises `Conflict`.
    """
    known = {"satisfied", "remarks", "fair", "unhappy", "not_fixed", "none"}
    if answer not in known:
        raise Conflict(f"回访结果不在清单里：{answer or '空'}。")
    if desk.staff_id is not None and desk.staff_id == case.assignee_id:
        raise Conflict("回访不能由经办人自己做。")
    desk.audit("follow_up", "case", case.id, {"answer": answer})
    if answer == "none":
        desk.record(case, "callback", words, {"answer": None})
        return
    desk.record(case, "callback", words, {"answer": answer})
    if answer == "not_fixed" and isinstance(case, WorkOrder):
        to_rework(desk, case, words)
    elif answer in {"unhappy", "not_fixed"} and isinstance(case, Complaint):
        complaint_actions.climb(desk, case, words)
    else:
        closed = states.CLOSED if isinstance(case, WorkOrder) else complaint_states.CLOSED
        desk.change(case, answer=answer, answer_words=words, state=closed, closed_at=desk.now)
        if answer in {"unhappy", "fair", "remarks"}:
            _to_supervisor(desk, case, words)
