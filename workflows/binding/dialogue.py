"""The talk that makes an address a resident: home, name, last four digits of the registered phone, one question a
message; or a one-time code."""

from bot.desk import Choice, Desk, Job
from channels.messages import SHARE_NUMBER
from workflows import dialogue, forms, intake, where
from workflows.binding import become, check, codes, staff, unbind, words
from workflows.forms import Form
from workflows.talk import Talk
from workflows.where import Where

name = "binding"
timers = frozenset({become.AGAIN})

_STEPS = {"home", "room", "which", "suggest", "where", "unit"}
_LIKE_AN_ANSWER = frozenset({"other", "smalltalk", "application"})
LONGEST_NAME = 30
MOST_ASKED = 2
"""A question that is answered with something else so often is asked no more."""


def start(talk: Talk) -> None:
    """A message that asks to be bound, with as much of what is needed as it holds."""
    old = talk.memory.of(name)
    if old is not None:
        talk.memory.drop(old)
    code = words.code_in(talk.said.text)
    if code and not talk.reading.slots.room:
        codes.typed(talk, code)
        return
    if check.locked(talk):
        return
    form = forms.new_form(name, talk.desk.now)
    form.stated = {key: value for key, value in _stated(talk).items() if key in intake.PLACES}
    _take(talk, form, talk.said.text)
    _proceed(talk, form)


def _stated(talk: Talk) -> dict[str, str]:
    return dialogue.stated(talk.reading, talk.said.text)


def _take(talk: Talk, form: Form, text: str) -> None:
    """Name and digits, as far as the text has them."""
    named = words.name_in(text, *talk.desk.world.names)
    four = words.last_four(text)
    if named:
        form.data["name"] = named
    if four:
        form.data["four"] = four


def _proceed(talk: Talk, form: Form) -> None:
    """The next question, or the answer of the register."""
    talk.touch(form)
    place = intake.place_of(talk, form)
    if place.kind != "home":
        _ask_home(talk, form, place)
    elif not form.data.get("name"):
        _ask(talk, form, "name", "binding.ask_name", place=where.label(place, talk.language))
    elif not form.data.get("four"):
        _ask_digits(talk, form, place)
    elif not check.locked(talk, place):
        check.check(talk, form, place)


def _ask(talk: Talk, form: Form, step: str, key: str, **values: object) -> None:
    if form.count(step) >= MOST_ASKED:
        talk.memory.drop(form)
        talk.reply("binding.stopped")
        talk.end("application", "cancelled")
        return
    form.ask(step)
    talk.ask(key, **values)
    talk.end("application", "collecting")


def _ask_digits(talk: Talk, form: Form, place: Where) -> None:
    can_send = codes.can_send(talk.desk, place)
    _ask(talk, form, "digits", "binding.ask_digits_or_code" if can_send else "binding.ask_digits")


def _ask_home(talk: Talk, form: Form, place: Where) -> None:
    step = dialogue.next_step(intake.needs(talk, form, place))
    if step == "which":
        intake.ask_which(talk, form, place)
    elif step == "room":
        intake.ask_room(talk, form, place)
    elif step == "suggest":
        intake.ask_nearest(talk, form, place)
    else:
        _ask(talk, form, "where", "binding.ask_home", where=intake.where_question(talk))
        if talk.desk.shares_number:
            talk.offer([Choice(SHARE_NUMBER, talk.text("binding.share"))])
        return
    talk.end("application", "choosing" if step == "which" else "collecting")


# -- the answers


def resume(talk: Talk, form: Form) -> bool:
    if talk.said.cancels and form.step not in {"", "unbind", staff.STEP}:
        talk.memory.drop(form)
        talk.reply("binding.stopped")
        talk.end("application", "cancelled")
        return True
    heard = _HEARS.get(form.step, _hears_home if form.step in _STEPS else _hears_nothing)(talk, form)
    if heard:
        talk.understood()
    return heard


def _hears_nothing(talk: Talk, form: Form) -> bool:
    talk.memory.drop(form)
    return False


def _is_aside(talk: Talk) -> bool:
    """It speaks of something else: a report, a question."""
    if talk.said.is_bare:
        return False
    return talk.said.asks or (talk.said.sure and talk.reading.intent not in _LIKE_AN_ANSWER)


def _hears_home(talk: Talk, form: Form) -> bool:
    heard = intake.hear(talk, form, frozenset({"application"}))
    if _is_aside(talk):
        return False
    if heard.meaning == "choose":
        if not intake.choose(talk, form, heard):
            intake.offer_again(talk, form)
            return True
    elif form.step == "suggest" and heard.meaning in {"yes", "no"}:
        _suggested(talk, form, heard.meaning == "yes")
    elif heard.meaning == "fill" and heard.fills.moves:
        intake.take(talk, form, heard.fills)
    _take(talk, form, talk.said.text)
    _proceed(talk, form)
    return True


def _suggested(talk: Talk, form: Form, yes: bool) -> None:
    if yes:
        intake.settle(form, where.of_json(form.data["nearest"], talk.desk.world.communities))
    else:
        form.stated = {key: value for key, value in form.stated.items() if key not in intake.PLACES}


def _hears_name(talk: Talk, form: Form) -> bool:
    text = talk.said.text.strip()
    if not text or (_is_aside(talk) and not words.is_name(text)):
        return False
    _take(talk, form, text)
    if not form.data.get("name"):
        if len(text) > LONGEST_NAME:
            return False
        form.data["name"] = text
    _proceed(talk, form)
    return True


def _hears_digits(talk: Talk, form: Form) -> bool:
    text = talk.said.text
    four = words.last_four(text)
    if four:
        form.data["four"] = four
        _proceed(talk, form)
    elif words.wants_code(text):
        codes.send(talk, form, intake.place_of(talk, form))
    elif _is_aside(talk):
        return False
    else:
        _proceed(talk, form)
    return True


def _hears_code(talk: Talk, form: Form) -> bool:
    code = words.code_in(talk.said.text)
    if code:
        codes.typed(talk, code)
        return True
    if _is_aside(talk):
        return False
    _ask(talk, form, "code", "binding.ask_code")
    return True


_HEARS = {
    "name": _hears_name, "digits": _hears_digits, "code": _hears_code, "unbind": unbind.resume,
    staff.STEP: staff.resume,
}  # fmt: skip


def question(talk: Talk, form: Form) -> None:
    """Return to the open question after something else was answered."""
    if form.step == "which":
        intake.offer_again(talk, form)
    elif form.step in {"name", "digits", "code"}:
        talk.ask(f"again.binding_{form.step}")
    elif form.step == "unbind":
        unbind.ask_again(talk, form)
    elif form.step:
        talk.ask("again.binding_home")


def due(desk: Desk, job: Job) -> None:
    """What had to wait for another conversation."""
    become.again(desk, job.payload or {})
