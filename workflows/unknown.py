"""What is not understood is kept and asked about, never thrown away or guessed; twice in a row leads to a person."""

import msgspec

from bot.desk import Choice, Desk, Job
from intents.model import Reading
from workflows import dialogue, faq, forms, human, intake, second_look, unanswered, where
from workflows.affair import dialogue as affair
from workflows.affair import kinds
from workflows.forms import Form
from workflows.talk import Talk

name = "unknown"
timers: frozenset[str] = frozenset()

GUESSED = frozenset({"faq", "repair", "complaint", "suggestion", "praise", "payment", "progress", "application"})
LEAST_GUESS = 0.15
"""An intent less likely than this is not offered."""
_TAKE_PICTURES = frozenset({"repair", "complaint", "affair", "emergency"})
HALF_A_SENTENCE = 8


def start(talk: Talk) -> None:
    """A message that fits nothing. A hand that is asked for is an affair; else the knowledge base may know it."""
    if kind := kinds.asked_for(talk.said.text):
        affair.begin(talk, kind)
        return
    found = faq.ask(talk, talk.said.text) if _may_be_a_question(talk) else None
    if found is not None and found.decision != "unknown":
        faq.answered(talk, found)
        return
    if second_look.read(talk):
        return
    if found is not None and talk.said.asks:
        unanswered.keep(talk, talk.said.text, "unknown")
    place = intake_place(talk)
    if place:
        talk.ask("where.noted", place=place)
        talk.began = name
        talk.end("other", "idle", dialogue.stated(talk.reading, talk.said.text))
        return
    misunderstood(talk)


def _may_be_a_question(talk: Talk) -> bool:
    stated = dialogue.stated(talk.reading, talk.said.text)
    return not stated and len(talk.said.text) >= 4 and (talk.reading.confidence < 0.8 or talk.said.asks)


def intake_place(talk: Talk) -> str:
    """A bare home: remembered for what comes next, and asked what it is about."""
    stated = dialogue.stated(talk.reading, talk.said.text)
    if not any(stated.get(part) for part in dialogue.PARTS):
        return ""
    form = forms.new_form(name, talk.desk.now)
    form.stated = stated
    place = intake.place_of(talk, form)
    intake.remember(talk, form, place)
    return where.label(place, talk.language) if place.kind in {"home", "building"} else ""


def misunderstood(talk: Talk) -> None:
    """Once: ask, with two guesses where there are any. Twice in a row: a person."""
    desk = talk.desk
    count = desk.conversation.misunderstood + 1
    if count >= desk.settings.misunderstood_in_a_row:
        talk.reply("unknown.person")
        human.start(talk)
        return
    desk.change(desk.conversation, misunderstood=count)
    talk.began = name
    guesses = guesses_of(talk.reading)
    if len(guesses) == 2:
        _guess(talk, guesses)
        return
    talk.ask("unknown.go_on" if len(talk.said.text) <= HALF_A_SENTENCE else "unknown.first")
    talk.end("other", "idle")


def guesses_of(reading: Reading) -> list[str]:
    """The two likeliest requests, most likely first."""
    ranked = [(reading.intent, reading.confidence)] + [
        (other.intent, other.confidence) for other in reading.alternatives
    ]
    return [intent for intent, confidence in ranked if intent in GUESSED and confidence >= LEAST_GUESS][:2]


def _guess(talk: Talk, guesses: list[str]) -> None:
    form = forms.new_form(name, talk.desk.now)
    form.words = [talk.said.text]
    form.ask("choose", [{"intent": intent} for intent in (*guesses, "human")])
    first, second = (talk.text(f"guess.{intent}") for intent in guesses)
    options = [Choice(str(n), talk.text(f"guess.{intent}")) for n, intent in enumerate((*guesses, "human"), 1)]
    talk.touch(form)
    talk.offer(options)
    talk.ask("unknown.guess", first=first, second=second)
    talk.end("other", "choosing")


def resume(talk: Talk, form: Form) -> bool:
    """A guess was picked: the first message is read again in this light. Anything else is routed as it is."""
    talk.memory.drop(form)
    answer = talk.said.answer
    number = answer.choice or 0
    if answer.kind != "choice" or not 1 <= number <= len(form.choices):
        return False
    reading = talk.desk.world.reader.read(form.text, talk.local, talk.desk.world.names)
    meant = msgspec.structs.replace(reading, intent=form.choices[number - 1]["intent"], confidence=1.0, gap=1.0)
    talk.said = dialogue.said(form.text, meant)
    talk.understood()
    return False


def question(talk: Talk, form: Form) -> None:
    """Its offer is not repeated."""
    del talk, form


def due(desk: Desk, job: Job) -> None:
    """It has no timers."""
    del desk, job


# -- messages without words


def picture(talk: Talk) -> Form | None:
    """A picture: into the open report, or kept until somebody says what it shows. Returns a report that still asks.

    Of an album only the first is answered.
    """
    form = next((form for form in talk.memory.forms if form.workflow in _TAKE_PICTURES or form.kind == "rework"), None)
    case = talk.desk.case_named(form.case) if form is not None and form.case else None
    incoming = talk.desk.incoming
    assert incoming is not None
    talk.desk.attach(case, incoming.id, incoming.attachments)
    if form is None:
        talk.memory.photos = True
        talk.began = name
        if not talk.goes_on or talk.held is not None:  # the question of its first picture had not gone out yet
            talk.ask("unknown.photo")
        talk.end("other", "idle")
        return None
    form.data["pictures"] = True
    talk.touch(form)
    talk.end(_intent(form), _state(form), form.slots())
    if talk.goes_on:
        return None
    talk.reply("repair.photo")
    return form if form.step and not form.case else None


def _intent(form: Form) -> str:
    return {"complaint": "complaint", "affair": form.kind}.get(form.workflow, "repair")


def _state(form: Form) -> str:
    if form.workflow == "emergency" or form.kind == "rework":
        return form.kind if form.kind == "rework" else "emergency"
    return "recorded" if form.case and not form.step else "choosing" if form.step == "which" else "collecting"


def other_kind(talk: Talk, kind: str) -> None:
    """A place on the map, a file, a link."""
    talk.ask({"location": "unknown.place", "too_large": "unknown.too_large"}.get(kind, "unknown.unread"))
    talk.end("other", "idle")
