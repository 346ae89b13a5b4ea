"""The talk about a daily affair: what it needs is asked, then it is recorded under its number with its owner."""

from uuid import UUID

from bot.desk import Affair, Desk, Job, new_id
from workflows import dialogue, intake, late, where, wording
from workflows.affair import actions, kinds
from workflows.affair.kinds import KINDS
from workflows.dialogue import Fills, Heard
from workflows.forms import Form
from workflows.summary import bare_title, complaint_of, fault_of, is_chinese, shared
from workflows.talk import Talk, is_bound
from workflows.where import UNKNOWN, Where

name = "affair"
timers: frozenset[str] = frozenset()

SHORT = 8
"""An application this short (帮我办一张) is for what was asked about last."""


def start(talk: Talk) -> None:
    """A message whose intent is one of the kinds."""
    kind = talk.reading.intent
    if kind == "application" and (found := kinds.asked_for(talk.said.text)):
        begin(talk, found)
        return
    topic = talk.desk.world.knowledge.article(talk.desk.conversation.topic) if talk.desk.conversation.topic else None
    short = kind == "application" and len(talk.said.text) <= SHORT and topic is not None
    begin(talk, kind, bare_title(topic.title) if short and topic is not None else "")


def begin(talk: Talk, kind: str, subject: str = "") -> None:
    """A message that asks for an affair of this kind; `subject` where the words alone do not say it."""
    form = intake.begin(talk, name, kind)
    form.fault = complaint_of(talk.said.text) if not KINDS[kind].takes_time else fault_of(talk.said.text, talk.reading)
    form.fault = subject or form.fault.lstrip("一个個")
    if KINDS[kind].home:
        form.stated.pop("place", None)  # 门禁卡 is a thing, not where it is wanted
        intake.carry(talk, form)
    form.wish = dialogue.wish_of(talk.said.day) if KINDS[kind].takes_time else None
    _proceed(talk, form)


def _proceed(talk: Talk, form: Form) -> None:
    kind = KINDS[form.kind]
    place = intake.place_of(talk, form) if kind.home else _any_place(talk, form)
    step = dialogue.next_step(intake.needs(talk, form, place)) if kind.home else ""
    if step in {"", "stuck"} and kind.asks_time and not form.wish and not form.case and not form.count("when"):
        step = "when"
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
    if KINDS[form.kind].takes_time and form.wish:
        return (
            f"{form.fault}（{form.wish['text']}）" if is_chinese(form.fault) else f"{form.fault}, {form.wish['text']}"
        )
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
    elif step == "when":
        form.ask("when")
        talk.ask("affair.when", what=form.fault)
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
    due = kinds.answer_by(form.kind, talk.local, desk.settings)
    who = actions.owner(desk, KINDS[form.kind].role)
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
        state=kinds.RECORDED,
        created_at=desk.now,
        updated_at=desk.now,
    )
    intake.opened(talk, form, case, place, form.fault)
    desk.promise(case, "answer", due, case.owner_id)
    late.watch(desk, case, "answer", due)
    return case


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
    if form.kind == "payment" and not is_bound(talk.desk):
        talk.reply("binding.offer")
    if _is_tenant(talk, place) and kinds.needs_owner(form.kind, form.text):
        talk.desk.record(case, "note", "租户申请，需业主同意")
        talk.reply("affair.needs_owner")


def _is_tenant(talk: Talk, place: Where) -> bool:
    return any(home.id == place.home_id and home.role == "tenant" for home in talk.desk.homes)


def ask_a_person(talk: Talk, question: str) -> Affair:
    """A question that nobody here can answer goes to a person, with a time."""
    form = intake.begin(talk, name, "question")
    form.words = [question]
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
    elif heard.meaning in {"decline", "whatever"} and form.step != "when":
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
        actions.cancel(talk.desk, case, talk.said.text)
    talk.reply("affair.cancelled")
    talk.end(KINDS[form.kind].intent, "cancelled")


def question(talk: Talk, form: Form) -> None:
    """Return to the open question after something else was answered."""
    if form.step == "which":
        intake.offer_again(talk, form)
    elif form.step == "when":
        talk.ask("again.when")
    elif form.step:
        talk.ask("again.where")


def due(desk: Desk, job: Job) -> None:
    """It has no timers of its own."""
    del desk, job


def case_of(talk: Talk, form: Form) -> Affair | None:
    """The affair of a form, while it is recent."""
    case = talk.desk.case(UUID(form.case)) if form.case else None
    return case if isinstance(case, Affair) else None
