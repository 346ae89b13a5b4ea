"""The talk about a repair: at most what the question budget allows, recorded at once, then completed and corrected."""

from bot.desk import Desk, Job, WorkOrder
from workflows import deadlines, dialogue, human, intake, moments, where, wording
from workflows.dialogue import Heard
from workflows.forms import Form
from workflows.repair import amend, states
from workflows.repair.order import open_order, order_of, told_place
from workflows.summary import fault_of, is_vague, shared
from workflows.talk import Talk
from workflows.where import Where

name = "repair"
timers: frozenset[str] = frozenset()

OWNS = frozenset({"repair"})


def start(talk: Talk) -> None:
    """A message that reports something broken."""
    form = intake.begin(talk, name)
    intake.carry(talk, form)
    if "doubtful_danger" in talk.reading.flags and talk.reading.category == "gas":
        form.data["smell"] = True
    proceed(talk, form)


def resume(talk: Talk, form: Form) -> bool:
    if form.step == "fix":
        form.data["fixing"] = True
        form.settle()
    heard = intake.hear(talk, form, OWNS)
    if heard.meaning == "aside" or _is_another(talk, form, heard):
        return False
    order = order_of(talk, form)
    if form.case and (order is None or order.state in states.ENDED):
        talk.memory.drop(form)
        return False
    talk.touch(form)
    if order is None or form.step:
        _while_asking(talk, form, heard)
    elif amend.after_recording(talk, form, order, heard):
        proceed(talk, form)
    return True


def due(desk: Desk, job: Job) -> None:
    """It has no timers of its own."""
    del desk, job


def _is_another(talk: Talk, form: Form, heard: Heard) -> bool:
    """A second report while the first was just recorded: another kind of thing, nothing in it speaks of the first."""
    reading = talk.reading
    if not form.case or form.step or heard.meaning not in {"more", "fill"} or reading.intent != "repair":
        return False
    fresh = not is_vague(talk.said.text) and not shared(talk.said.text, form.text)
    return fresh and talk.said.sure and reading.category not in {form.category, None, "other"}


def _while_asking(talk: Talk, form: Form, heard: Heard) -> None:
    order = order_of(talk, form)
    if heard.meaning == "cancel":
        amend.cancel(talk, form, order) if order else amend.drop(talk, form)
        return
    if heard.meaning == "choose" and not intake.choose(talk, form, heard):
        ask_again(talk, form)
        return
    if form.step == "which" and heard.meaning in {"fill", "more"} and not heard.fills.moves:
        _take(talk, form, heard)
        ask_again(talk, form)
        return
    if heard.meaning in {"fill", "more"}:
        _take(talk, form, heard)
    elif heard.meaning == "decline" or (heard.meaning == "whatever" and form.step in dialogue.HOME_STEPS):
        form.data["declined"] = True
    elif form.step == "suggest":
        _answer_suggestion(talk, form, heard)
    proceed(talk, form)


def _take(talk: Talk, form: Form, heard: Heard) -> None:
    if heard.meaning == "fill":
        intake.take(talk, form, heard.fills)
        report = fault_of(talk.said.text, talk.reading)
        if is_vague(form.fault) and not is_vague(talk.said.text) and talk.reading.intent == "repair":
            form.fault = report
    else:
        intake.more(talk, form)
    if talk.reading.urgency == "urgent":
        form.urgency = "urgent"


def _answer_suggestion(talk: Talk, form: Form, heard: Heard) -> None:
    if heard.meaning == "yes":
        intake.settle(form, where.of_json(form.data["nearest"], talk.desk.world.communities))
    elif heard.meaning == "no":
        form.stated = {name: value for name, value in form.stated.items() if name not in intake.PLACES}


def proceed(talk: Talk, form: Form) -> None:
    """Ask the next question, or record."""
    place = intake.place_of(talk, form)
    step = dialogue.next_step(
        intake.needs(talk, form, place, vague=is_vague(form.text) and form.category != "elevator")
    )
    if step == "stuck":
        # Nobody can be sent into a community that is not known: a person asks.
        talk.reply("unknown.person")
        human.start(talk)
    elif step:
        _ask(talk, form, place, step)
        talk.end(name, "choosing" if step == "which" else "collecting", form.slots())
    elif order := order_of(talk, form):
        amend.moved(talk, form, order, place)
    else:
        record(talk, form, place)


def _ask(talk: Talk, form: Form, place: Where, step: str) -> None:
    if step == "what":
        form.ask("what")
        talk.ask("repair.what")
    elif step == "which":
        intake.ask_which(talk, form, place)
    elif step == "room":
        intake.ask_room(talk, form, place)
    elif step == "suggest":
        intake.ask_nearest(talk, form, place)
    elif step == "spot":
        form.ask("spot")
        talk.ask("repair.spot", fault=form.fault or place.place)
    else:
        _ask_where(talk, form)


def _ask_where(talk: Talk, form: Form) -> None:
    """The one question for the home, with a number to reach them in the same line."""
    form.ask("where")
    talk.told = moments.where(talk.communities())
    asked = intake.where_question(talk)
    if form.count("where") > 1:
        talk.ask("where.more", where=asked)
        return
    if is_vague(form.text):
        talk.ask("repair.where_vague", where=asked)
        return
    phone = "" if form.stated.get("phone") or talk.desk.known_phone else talk.text("where.phone")
    public = "" if dialogue.is_at_home(form.text) else talk.text("where.public")
    if phone:
        form.asked["phone"] = 1
    talk.ask("repair.where", fault=form.fault, where=asked, phone=phone, public=public)


def ask_again(talk: Talk, form: Form) -> None:
    """The open question once more, shortly."""
    question(talk, form)
    talk.end(name, "choosing" if form.step == "which" else "collecting", form.slots())


def question(talk: Talk, form: Form) -> None:
    """Return to the open question after something else was answered."""
    if form.step == "which":
        intake.offer_again(talk, form)
    elif form.step == "what":
        talk.ask("again.what")
    elif form.step:
        talk.ask("again.where")


def record(talk: Talk, form: Form, place: Where) -> WorkOrder:
    """Enter the order under its number and say so, with the time of the first call."""
    intake.claim(talk, place)
    order = open_order(talk, form, place)
    talk.understood()
    form.settle()
    _say_recorded(talk, form, place, order)
    talk.end(name, "recorded", form.slots())
    return order


def _say_recorded(talk: Talk, form: Form, place: Where, order: WorkOrder) -> None:
    assert order.contact_by is not None
    values = {"place": told_place(talk, place, order.fault), "fault": order.fault, "number": order.number}
    due = talk.desk.world.local(order.contact_by)
    talk.told = moments.recorded(talk.desk, order)
    if form.data.get("declined") and place.kind == "unknown":
        talk.reply("repair.unplaced")
    if form.urgency == "urgent":
        talk.reply("repair.recorded_urgent", by=talk.by(order.contact_by), **values)
    elif place.kind == "place":
        talk.reply("repair.recorded_public", by=talk.by(order.contact_by), **values)
    elif deadlines.is_morning_call(talk.local, due, talk.desk.settings):
        talk.reply("repair.recorded_night", after=wording.after(due, talk.local, talk.language), **values)
    elif form.wish:
        talk.reply("repair.recorded_wish", by=talk.by(order.contact_by), wish=form.wish["text"], **values)
    else:
        talk.reply("repair.recorded", by=talk.by(order.contact_by), **values)
    if place.kind == "absent":
        talk.reply("repair.unverified")
    _ask_phone(talk, form, order, public=place.kind == "place")


def _ask_phone(talk: Talk, form: Form, order: WorkOrder, *, public: bool) -> None:
    """A missing number is asked for once, with the recording, never before it."""
    if order.contact_phone or public:
        return
    form.asked["phone"] = form.count("phone") + 1
    talk.ask("repair.ask_phone")
