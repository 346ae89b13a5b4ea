"""The talk about a complaint: heard out, recorded at once, then at most one question."""

import re
from collections.abc import Iterable
from uuid import UUID

from bot.desk import Complaint, Desk, Job, new_id
from workflows import deadlines, dialogue, intake, late, moments, where, wording
from workflows.complaint import actions, states
from workflows.dialogue import Fills, Heard
from workflows.forms import Form
from workflows.summary import complaint_of, shared
from workflows.talk import Talk, is_bound

name = "complaint"
timers: frozenset[str] = frozenset()

OWNS = frozenset({"complaint"})
_CONFIDENTIAL = re.compile(
    r"保密|不要?(?:让|告诉)(?:他|她|对方|别人|邻居)|匿名|怕(?:他|她|被|人)|confidential|anonymous|don'?t (?:tell|let)",
    re.IGNORECASE,
)
_MAY_BE_A_WISH = frozenset({"complaint", "suggestion", "other", "repair", "smalltalk", "faq", "human"})
"""What a wanted outcome may be read as, alone."""
_OF_OTHERS = re.compile(
    r"(?:想|希望|要|让|讓|叫)(?:他|她|佢|对方|對方|你们|你哋|物业|管理)|"
    r"\b(?:want|like|make|tell|have|ask) (?:them|him|her|you)\b",
    re.IGNORECASE,
)
"""What somebody else shall do: a wanted outcome, whatever it is read as."""
_SAYS_NOTHING = re.compile(
    r"(?:你好|您好|喂|hi|hello)?[\s,，]*(?:我|我们)?(?:要|想|得|需要)?(?:投诉|投訴|反映|举报)(?:一下|下|个事|一件事|个问题)?(?:你们|物业|管理处|管理處)?[\s。.!！~]*$|"
    r"(?:i )?(?:want|would like|'d like|need|wish)?(?: to)? ?(?:make |file )?(?:a )?complain(?:t)?[.! ]*$",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"[?？]|吗|嗎|呢$|怎么|怎麼|点样|點樣|多少|几|幾|邊|哪|什么|什麼|乜|\b(?:how|what|when|where|who|can|do|is)\b",
    re.IGNORECASE,
)


def start(talk: Talk) -> None:
    """A message that complains. It is recorded before anything is asked."""
    form = intake.begin(talk, name)
    intake.carry(talk, form)
    form.wish = None
    if _SAYS_NOTHING.match(talk.said.text.strip()):
        form.ask("what")
        talk.ask("complaint.what")
        talk.end(name, "collecting", form.slots())
        return
    _enter(talk, form)


def _enter(talk: Talk, form: Form) -> None:
    form.fault = complaint_of(talk.said.text)
    case = record(talk, form)
    _say_recorded(talk, form, case)
    talk.understood()
    talk.end(name, "recorded", form.slots())


def _told(talk: Talk, form: Form) -> bool:
    """What it is about, after 我要投诉 alone."""
    if talk.said.asks or talk.said.cancels or talk.reading.intent in {"human", "payment", "application"}:
        talk.memory.drop(form)
        return False
    form.words.append(talk.said.text)
    form.stated |= dialogue.stated(talk.reading, talk.said.text)
    if talk.reading.category:
        form.category = talk.reading.category
    talk.touch(form)
    talk.began = form.id
    _enter(talk, form)
    return True


def record(talk: Talk, form: Form) -> Complaint:
    """Enter the case with its first answer's time; the supervisor has it until it is assigned."""
    desk, incoming = talk.desk, talk.desk.incoming
    assert incoming is not None
    place = intake.place_of(talk, form)
    intake.claim(talk, place)
    head = talk.supervisor()
    answer_by = deadlines.answer_by(talk.local, desk.settings)
    case = Complaint(
        id=new_id(),
        community_id=place.community.id if place.community else desk.community_id,
        number=desk.number("TS"),
        conversation_id=desk.conversation.id,
        resident_id=desk.resident.id,
        identity_id=incoming.identity.id,
        source=incoming.identity.channel,
        home_id=place.home_id,
        where=intake.where_row(form, place),
        verified=is_bound(desk),
        confidential="confidential" in talk.reading.flags,
        nature=form.category,
        urgency=form.urgency,
        words=form.text,
        contact_phone=form.stated.get("phone") or desk.known_phone,
        state=states.RECORDED,
        assignee_id=head.id if head else None,
        answer_by=answer_by,
        result_by=deadlines.result_by(talk.local, desk.settings),
        created_at=desk.now,
        updated_at=desk.now,
    )
    intake.opened(talk, form, case, place, form.text)
    desk.promise(case, "answer", answer_by, case.assignee_id)
    late.watch(desk, case, "answer", answer_by, form.urgency)
    assert case.result_by is not None
    late.watch(desk, case, "result", case.result_by, form.urgency)
    return case


def _say_recorded(talk: Talk, form: Form, case: Complaint) -> None:
    assert case.answer_by is not None
    values = {"sorry": _sorry(talk, form), "what": form.fault, "number": case.number, "name": handler(talk, case)}
    by = wording.by(talk.desk.world.local(case.answer_by), talk.local, talk.language)
    talk.told = moments.complaint(talk.desk, case)
    if case.community_id not in talk.desk.world.communities:
        form.ask("community")
        talk.ask("complaint.recorded_community", **values)
    elif case.nature == "staff":
        form.ask("confirm", [{"yes": True}])
        talk.ask("complaint.recorded_staff", by=by, **values)
    else:
        form.ask("wanted")
        talk.ask("complaint.recorded", by=by, **values)


def _sorry(talk: Talk, form: Form) -> str:
    if form.category == "noise":
        return talk.text("complaint.sorry_noise")
    return talk.text("complaint.sorry_wait" if talk.memory.of("progress") else "complaint.sorry")


def handler(talk: Talk, case: Complaint) -> str:
    """Who has the case, as told to the resident."""
    member = talk.desk.world.members.get(case.assignee_id) if case.assignee_id else None
    return wording.person(member, talk.language)


def resume(talk: Talk, form: Form) -> bool:
    if form.step == "what":
        return _told(talk, form)
    case = case_of(talk, form)
    if case is None or case.state in states.ENDED:
        talk.memory.drop(form)
        return False
    if talk.held is not None and talk.held.form == form.id:
        _hear_out(talk, form, case)
        return True
    if "confidential" in talk.reading.flags or _CONFIDENTIAL.search(talk.said.text):
        _keep_confidential(talk, form, case)
        return True
    heard = intake.hear(talk, form, OWNS, takes_time=False)
    if _is_aside(talk, form, heard):
        return False
    talk.touch(form)
    talk.case = case
    talk.understood()
    _answer(talk, form, case, heard)
    return True


def _hear_out(talk: Talk, form: Form, case: Complaint) -> None:
    """Another bubble before anything was asked: the case grows, and is said back once, whole."""
    heard = intake.hear(talk, form, OWNS, takes_time=False)
    if heard.fills:
        intake.take(talk, form, heard.fills)
    else:
        form.words.append(talk.said.text)
    form.fault = complaint_of(form.text)
    if form.category == "other" and talk.reading.category:
        form.category = talk.reading.category
    confidential = "confidential" in talk.reading.flags or _CONFIDENTIAL.search(talk.said.text) is not None
    place = intake.place_of(talk, form)
    intake.claim(talk, place)
    talk.desk.change(
        case,
        words=form.text,
        nature=form.category,
        home_id=place.home_id,
        where=intake.where_row(form, place),
        contact_phone=form.stated.get("phone") or case.contact_phone,
        community_id=place.community.id if place.community else case.community_id,
        confidential=case.confidential or confidential,
    )
    talk.desk.record(case, "words", talk.said.text)
    talk.touch(form)
    talk.case, talk.began = case, form.id
    _say_recorded(talk, form, case)
    talk.understood()
    talk.end(name, "recorded", form.slots())


def _is_aside(talk: Talk, form: Form, heard: Heard) -> bool:
    asks = talk.said.asks and (talk.reading.intent != "faq" or _ASKS.search(talk.said.text) is not None)
    wished = talk.reading.intent in _MAY_BE_A_WISH or _OF_OTHERS.search(talk.said.text) is not None
    if form.step == "wanted" and not asks and wished:
        own = talk.reading.intent == "suggestion" and talk.said.sure and heard.meaning == "aside"
        return own and not shared(talk.said.text, form.text)
    if heard.meaning != "more":
        return heard.meaning == "aside"
    other = talk.reading.category not in {form.category, None, "other"} and talk.said.sure
    return other and not shared(talk.said.text, form.text)


def _answer(talk: Talk, form: Form, case: Complaint, heard: Heard) -> None:
    assert case.answer_by is not None
    by = wording.by(talk.desk.world.local(case.answer_by), talk.local, talk.language)
    told = {"name": handler(talk, case), "by": by}
    state = "recorded"
    if heard.meaning == "cancel":
        withdraw(talk, form, case)
        return
    if heard.meaning == "fill":
        state = _fill(talk, form, case, heard.fills, told)
    elif heard.meaning == "decline":
        talk.reply("complaint.unplaced", **told)
    elif heard.meaning in {"yes", "choose"}:
        talk.memory.drop(form)
        talk.reply("complaint.confirmed", **told)
    elif heard.meaning == "no" and form.step == "confirm":
        talk.ask("repair.wrong")
        state = "collecting"
    else:
        _words(talk, form, case, told)
    if state == "recorded":
        form.settle()
    talk.end(name, state, form.slots())


def _fill(talk: Talk, form: Form, case: Complaint, found: Fills, told: dict[str, str]) -> str:
    intake.take(talk, form, found)
    place = intake.place_of(talk, form)
    intake.claim(talk, place)
    desk = talk.desk
    desk.change(
        case,
        home_id=place.home_id,
        where=intake.where_row(form, place),
        contact_phone=form.stated.get("phone") or case.contact_phone,
        community_id=place.community.id if place.community else case.community_id,
        words=form.text,
    )
    desk.record(case, "changed" if found.corrects else "completed", talk.said.text)
    intake.remember(talk, form, place)
    if case.assignee_id is None and (head := talk.supervisor()):
        desk.change(case, assignee_id=head.id)
        told["name"] = handler(talk, case)
    if found.corrects:
        talk.reply("complaint.corrected")
        return "changed"
    community = place.community.name if place.community else ""
    label = community if form.step == "community" else where.label(place, talk.language) or community
    talk.reply("complaint.placed", place=label or wording.masked_phone(form.stated.get("phone", "")), **told)
    return "recorded"


def _words(talk: Talk, form: Form, case: Complaint, told: dict[str, str]) -> None:
    """The wanted outcome where it was asked for, else further words."""
    form.words.append(talk.said.text)
    talk.desk.change(case, words=form.text)
    talk.desk.record(case, "words", talk.said.text)
    if form.step == "wanted":
        talk.desk.change(case, wanted=talk.said.text)
        talk.reply("complaint.wanted", **told)
    else:
        talk.reply("complaint.more", name=told["name"])


def _keep_confidential(talk: Talk, form: Form, case: Complaint) -> None:
    talk.touch(form)
    talk.case = case
    talk.desk.change(case, confidential=True)
    talk.desk.record(case, "confidential", talk.said.text)
    if dialogue.said(talk.said.text, talk.reading).answer.kind == "decline":
        assert case.answer_by is not None
        by = wording.by(talk.desk.world.local(case.answer_by), talk.local, talk.language)
        talk.reply("complaint.unplaced", name=handler(talk, case), by=by)
    else:
        talk.reply("complaint.confidential")
    form.settle()
    talk.end(name, "recorded", form.slots())


def withdraw(talk: Talk, form: Form, case: Complaint) -> None:
    """Taken back by the one who made it."""
    talk.memory.drop(form)
    actions.withdraw(talk.desk, case, talk.said.text)
    talk.reply("complaint.withdrawn")
    talk.end(name, "cancelled")


def question(talk: Talk, form: Form) -> None:
    """What it is about is asked again; a recorded complaint needs no answer."""
    if form.step == "what":
        talk.ask("complaint.what")


def due(desk: Desk, job: Job) -> None:
    """It has no timers of its own."""
    del desk, job


def case_of(talk: Talk, form: Form) -> Complaint | None:
    """The case of a form, while it is recent."""
    case = talk.desk.case(UUID(form.case)) if form.case else None
    return case if isinstance(case, Complaint) else None


def open_cases(cases: Iterable[Complaint]) -> list[Complaint]:
    return [case for case in cases if case.state in states.OPEN]
