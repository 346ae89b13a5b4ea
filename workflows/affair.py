"""Daily affairs: suggestion, praise, payment exception, application, a question passed on; each with its owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.desk import Affair, Desk, Job, Member, new_id
from bot.errors import Conflict
from workflows import deadlines, dialogue, intake, late, texts, where, wording
from workflows.dialogue import Fills, Heard
from workflows.forms import Form
from workflows.summary import bare_title, complaint_of, fault_of, shared
from workflows.talk import Talk, supervisor
from workflows.where import UNKNOWN, Where

name = "affair"
timers: frozenset[str] = frozenset()

STATES: Mapping[str, tuple[str, str]] = {
    "recorded": ("待办", "to do"),
    "answered": ("已回复", "answered"),
    "closed": ("已归档", "closed"),
    "cancelled": ("已取消", "cancelled"),
}


SHORT = 8
"""An application this short (帮我办一张) is for what was asked about last."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of affair: its number, its names, whose it is, whether a home is needed to do it."""

    number: str
    zh: str
    en: str
    intent: str
    role: str = "supervisor"
    home: bool = False
    takes_time: bool = False


KINDS: Mapping[str, Kind] = {
    "suggestion": Kind("JY", "建议", "suggestion", "suggestion"),
    "praise": Kind("RC", "表扬", "praise", "praise"),
    "payment": Kind("JF", "缴费异常", "payment exception", "payment", role="cashier", home=True),
    "application": Kind("SQ", "业务办理", "application", "application", role="desk", home=True, takes_time=True),
    "question": Kind("RC", "咨询转办", "question passed on", "faq", role="desk"),
    "help": Kind("RC", "求助", "request for help", "other", role="desk"),
    "unfinished": Kind("RC", "未报完", "unfinished report", "other", role="desk"),
}


def start(talk: Talk) -> None:
    """A message whose intent is one of the kinds."""
    kind = talk.reading.intent
    topic = talk.desk.world.knowledge.article(talk.desk.conversation.topic) if talk.desk.conversation.topic else None
    short = kind == "application" and len(talk.said.text) <= SHORT and topic is not None
    begin(talk, kind, bare_title(topic.title) if short and topic is not None else "")


def begin(talk: Talk, kind: str, subject: str = "") -> None:
    """A message that asks for an affair of this kind; `subject` where the words alone do not say it."""
    form = intake.begin(talk, name, kind)
    form.fault = complaint_of(talk.said.text) if kind != "application" else fault_of(talk.said.text, talk.reading)
    if subject:
        form.fault = subject
    if KINDS[kind].home:
        intake.carry(talk, form)
    form.wish = dialogue.wish_of(talk.said.day) if KINDS[kind].takes_time else None
    _proceed(talk, form)


def _proceed(talk: Talk, form: Form) -> None:
    kind = KINDS[form.kind]
    place = intake.place_of(talk, form) if kind.home else _any_place(talk, form)
    step = dialogue.next_step(intake.needs(talk, form, place)) if kind.home else ""
    if step and step != "stuck":
        _ask(talk, form, place, "where" if step == "spot" else step)
        talk.end(kind.intent, "choosing" if step == "which" else "collecting", form.slots())
        return
    case = case_of(talk, form)
    if case is not None:
        _moved(talk, form, case, place)
        return
    form.fault = _subject(form)
    case = record(talk, form, place)
    form.settle()
    talk.understood()
    _say_recorded(talk, form, case, place)
    talk.end(kind.intent, "recorded", form.slots())


def _subject(form: Form) -> str:
    """What it is about, with the sum or the day that was added."""
    if form.kind == "payment" and len(form.words) > 1:
        added = [text for text in (fault_of(word) for word in form.words[1:]) if text]
        return "，".join([form.fault, *added])
    if form.kind == "application" and form.wish:
        return f"{form.fault}（{form.wish['text']}）"
    return form.fault


def _any_place(talk: Talk, form: Form) -> Where:
    if any(form.stated.get(part) for part in intake.PLACES):
        found = intake.place_of(talk, form)
        return found if found.kind in {"home", "place", "building"} else UNKNOWN
    return UNKNOWN


def _ask(talk: Talk, form: Form, place: Where, step: str) -> None:
    if step == "which":
        intake.ask_which(talk, form, place)
    elif step == "room":
        intake.ask_room(talk, form, place)
    elif step == "suggest":
        intake.ask_nearest(talk, form, place)
    elif form.count("where"):
        form.ask("where")
        talk.ask("where.more", where=intake.where_question(talk))
    else:
        form.ask("where")
        ending = "" if len(talk.communities()) == 1 else "_community"
        talk.ask(f"affair.where_{form.kind}{ending}")


def record(talk: Talk, form: Form, place: Where) -> Affair:
    """Enter the affair with its owner and due time."""
    desk, incoming = talk.desk, talk.desk.incoming
    assert incoming is not None
    intake.claim(talk, place)
    due = _due(talk, form.kind)
    who = owner(desk, KINDS[form.kind].role)
    case = Affair(
        id=new_id(),
        community_id=place.community.id if place.community else desk.community_id,
        number=desk.number(KINDS[form.kind].number),
        conversation_id=desk.conversation.id,
        resident_id=desk.resident.id,
        identity_id=incoming.identity.id,
        kind=form.kind,
        source=incoming.identity.channel,
        home_id=place.home_id,
        where=intake.where_row(form, place),
        words=form.text,
        wish=form.wish,
        contact_phone=form.stated.get("phone") or desk.known_phone,
        owner_id=who.id if who else None,
        due_at=due,
        state="recorded",
        created_at=desk.now,
        updated_at=desk.now,
    )
    intake.opened(talk, form, case, place, form.fault)
    desk.promise(case, "answer", due, case.owner_id)
    late.watch(desk, case, "answer", due)
    return case


def _due(talk: Talk, kind: str) -> datetime:
    """A question is answered within hours, the rest by the end of the next working day."""
    if kind in {"question", "help"}:
        return deadlines.answer_by(talk.local, talk.desk.settings)
    return deadlines.affair_by(talk.local, talk.desk.settings)


def owner(desk: Desk, role: str) -> Member | None:
    """Whose affair it is: on duty in this role, else with it, else the supervisor."""
    on_duty = desk.world.on_duty(desk.community_id, (role,), desk.now)
    having = desk.world.with_role("agent" if role == "desk" else role, desk.community_id)
    return next(iter(on_duty or having), None) or supervisor(desk)


def _say_recorded(talk: Talk, form: Form, case: Affair, place: Where) -> None:
    assert case.due_at is not None
    shown = where.label(place, talk.language) if place.kind in {"home", "building", "place"} else ""
    comma = (", " if talk.language == "en" else "，") if shown else ""
    member = talk.desk.world.members.get(case.owner_id) if case.owner_id else None
    talk.reply(
        f"affair.{form.kind}",
        number=case.number,
        name=wording.person(member, talk.language, "desk"),
        by=talk.by(case.due_at),
        place=shown + comma,
        what=form.fault,
    )


def ask_a_person(talk: Talk, question: str) -> Affair:
    """A question that nobody here can answer goes to a person, with a time."""
    form = intake.begin(talk, name, "question")
    form.fault = question
    form.wish = None
    case = record(talk, form, UNKNOWN)
    talk.memory.drop(form)
    return case


def resume(talk: Talk, form: Form) -> bool:
    kind = KINDS[form.kind]
    case = case_of(talk, form)
    if form.case and (case is None or case.closed_at is not None):
        talk.memory.drop(form)
        return False
    heard = intake.hear(talk, form, frozenset({kind.intent}), takes_time=kind.takes_time)
    if heard.meaning == "aside" or (case is not None and heard.meaning == "more" and _is_another(talk, form)):
        return False
    talk.touch(form)
    talk.case = case
    talk.understood()
    if heard.meaning == "cancel":
        _cancel(talk, form, case)
    elif case is None or form.step:
        _while_asking(talk, form, heard)
    else:
        _after(talk, form, case, heard)
    return True


def _is_another(talk: Talk, form: Form) -> bool:
    """A second suggestion or praise about something else is one of its own."""
    return form.kind in {"suggestion", "praise"} and not shared(talk.said.text, form.text)


def _while_asking(talk: Talk, form: Form, heard: Heard) -> None:
    if heard.meaning == "choose" and not intake.choose(talk, form, heard):
        question(talk, form)
        talk.end(KINDS[form.kind].intent, "choosing", form.slots())
        return
    if heard.meaning == "fill":
        intake.take(talk, form, heard.fills)
    elif heard.meaning in {"decline", "whatever"}:
        form.data["declined"] = True
    elif form.step == "suggest" and heard.meaning == "yes":
        intake.settle(form, where.of_json(form.data["nearest"], talk.desk.world.communities))
    elif heard.meaning == "more":
        form.words.append(talk.said.text)
    _proceed(talk, form)


def _after(talk: Talk, form: Form, case: Affair, heard: Heard) -> None:
    assert case.due_at is not None
    intent, state = KINDS[form.kind].intent, "recorded"
    if heard.meaning == "fill":
        state = _fill(talk, form, case, heard.fills)
        if not state:
            return
    elif heard.meaning in {"yes", "whatever", "decline", "choose"}:
        talk.memory.drop(form)
        talk.reply("affair.confirmed", by=talk.by(case.due_at))
    elif heard.meaning == "no":
        talk.ask("repair.wrong")
    else:
        _more(talk, form, case)
    talk.end(intent, state, form.slots())


def _fill(talk: Talk, form: Form, case: Affair, found: Fills) -> str:
    intake.take(talk, form, found)
    if found.moves:
        _proceed(talk, form)
        return ""
    desk = talk.desk
    desk.change(case, wish=form.wish, contact_phone=form.stated.get("phone") or case.contact_phone, words=form.text)
    desk.record(case, "changed" if found.corrects else "completed", talk.said.text)
    if found.wish is not None:
        talk.reply("affair.wish", wish=found.wish["text"])
    else:
        talk.reply("progress.new_contact", phone=form.stated["phone"])
    return "changed" if found.corrects else "recorded"


def _more(talk: Talk, form: Form, case: Affair) -> None:
    form.words.append(talk.said.text)
    talk.desk.change(case, words=form.text)
    talk.desk.record(case, "words", talk.said.text)
    member = talk.desk.world.members.get(case.owner_id) if case.owner_id else None
    talk.reply("affair.more", name=wording.person(member, talk.language, "desk"))


def _moved(talk: Talk, form: Form, case: Affair, place: Where) -> None:
    intake.claim(talk, place)
    talk.desk.change(case, home_id=place.home_id, where=intake.where_row(form, place), words=form.text)
    talk.desk.record(case, "changed", talk.said.text)
    intake.remember(talk, form, place)
    form.settle()
    label = where.label(place, talk.language)
    talk.reply("affair.moved", place=label + (", " if talk.language == "en" else "，"), what=form.fault)
    talk.end(KINDS[form.kind].intent, "changed", form.slots())


def _cancel(talk: Talk, form: Form, case: Affair | None) -> None:
    talk.memory.drop(form)
    if case is not None:
        cancel(talk.desk, case, talk.said.text)
    talk.reply("affair.cancelled")
    talk.end(KINDS[form.kind].intent, "cancelled")


def cancel(desk: Desk, case: Affair, words: str) -> None:
    """Nobody has to do it any more."""
    desk.change(case, state="cancelled", closed_at=desk.now)
    desk.record(case, "cancelled", words)
    desk.release(case, "answer", "urge")
    desk.unschedule(case.id, "late")


def question(talk: Talk, form: Form) -> None:
    """Return to the open question after something else was answered."""
    if form.step == "which":
        intake.offer_again(talk, form)
    elif form.step:
        talk.ask("again.where")


def due(desk: Desk, job: Job) -> None:
    """It has no timers of its own."""
    del desk, job


def case_of(talk: Talk, form: Form) -> Affair | None:
    """The affair of a form, while it is recent."""
    case = talk.desk.case(UUID(form.case)) if form.case else None
    return case if isinstance(case, Affair) else None


# -- acts of the staff


def answer(desk: Desk, affair: Affair, text: str) -> None:
    """Answer the resident; with it the affair is done. Raises `Conflict`."""
    if affair.closed_at is not None:
        raise Conflict("这件事已经办结。")
    if not text.strip():
        raise Conflict("请写明答复，住户会看到。")
    desk.change(affair, state="answered", answer=text.strip(), closed_at=desk.now)
    _noted(desk, affair, "answered", text)
    what = complaint_of(affair.words.split("\n", 1)[0])
    desk.notify(texts.say(desk.language, "affair.answer", what=what, answer=text.strip()), kind="answer", case=affair)


def close(desk: Desk, affair: Affair, note: str = "") -> None:
    """The affair is done without a message to the resident, who was told another way. Raises `Conflict`."""
    if affair.closed_at is not None:
        raise Conflict("这件事已经办结。")
    desk.change(affair, state="closed", closed_at=desk.now)
    _noted(desk, affair, "closed", note)


def _noted(desk: Desk, affair: Affair, what: str, words: str) -> None:
    desk.record(affair, what, words)
    desk.audit(f"affair.{what}", "affair", affair.id)
    desk.keep(affair, "answer")
    desk.unschedule(affair.id, "late")
