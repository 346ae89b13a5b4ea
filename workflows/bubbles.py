"""Bubbles: people write one thing in several messages. A form question waits for the next one; what came is read
together (desk.md section 11)."""

from datetime import datetime, timedelta
from uuid import UUID

from bot.desk import EMERGENCY
from workflows import dialogue, second_look
from workflows.forms import Form, Held
from workflows.talk import Talk

ALWAYS_SURE = 0.6
"""From this confidence on a bubble of another intent is a request of its own."""
_APART = frozenset({"faq", "payment", "application", "complaint", "suggestion", "praise", "progress", "human"})
_APART_FLAGS = frozenset({"wants_person", "opt_out", "privacy", "urgent_word"})
_WORDLESS = frozenset({"image", "video"})


def together(talk: Talk) -> None:
    """If a question still waits it is not asked: what came before and this message are one message from here on."""
    held, talk.memory.held = talk.memory.held, None
    if held is None or talk.desk.conversation.mode != "bot":
        return
    form = next((form for form in talk.memory.forms if form.id == held.form), None)
    apart = _is_apart(talk, form)
    if form is not None and form.case and apart:
        return  # the number that waits with the question is owed, whatever else is said
    if held.asked:
        talk.desk.unschedule(UUID(held.asked), *second_look.KINDS)
    elif not talk.desk.take_back([UUID(row) for row in held.rows]):
        return
    _undo(talk, held, form)
    if form is not None and form.case:
        talk.held = held
    elif not apart:
        talk.held = held
        _join(talk, held, form)


def _is_apart(talk: Talk, form: Form | None) -> bool:
    """Whether this message has to be read by itself: danger, a call for a person, another request."""
    reading = talk.reading
    if reading.urgency == "emergency" or reading.flags & _APART_FLAGS or talk.said.cancels:
        return True
    own = {"affair": form.kind, "unknown": ""}.get(form.workflow, form.workflow) if form is not None else ""
    return form is not None and reading.intent in _APART - {own} and reading.confidence >= ALWAYS_SURE


def _undo(talk: Talk, held: Held, form: Form | None) -> None:
    """The question was never asked, nor the greeting said that stood with it."""
    if talk.desk.conversation.misunderstood != held.misunderstood:
        talk.desk.change(talk.desk.conversation, misunderstood=held.misunderstood)
    if held.greeted:
        talk.desk.change(talk.desk.resident, greeted_at=None, privacy_version=None, privacy_told_at=None)
    if form is not None and form.count(form.step):
        form.asked[form.step] -= 1


def _join(talk: Talk, held: Held, form: Form | None) -> None:
    if form is not None:
        talk.memory.drop(form)
        talk.memory.photos = talk.memory.photos or bool(form.data.get("pictures"))
    text = "\n".join([*held.words, talk.said.text]).strip()
    world, local = talk.desk.world, talk.local
    reading = world.reader.read(text, local, world.names)
    talk.said = dialogue.said(text, reading, talk.said.pictures, now=local)


def hold(talk: Talk) -> datetime | None:
    """Until when the question of this turn waits; None where it goes out now.

    Only the question that a bubble leads to waits: never one that follows an answer, a choice, a rating, a click, nor
    anything in danger.
    """
    incoming = talk.desk.incoming
    if not talk.began or not talk.asked or talk.lane == EMERGENCY or incoming is None:
        return None
    form = next((form for form in talk.memory.forms if form.id == talk.began), None)
    asks = form is not None and bool(form.step)
    if not asks and talk.began != "unknown":
        return None
    if incoming.choice is not None or incoming.kind not in {"text", *_WORDLESS}:
        return None
    settings = talk.desk.settings
    complains = form is not None and form.workflow == "complaint"
    quiet = settings.complaint_bubble_seconds if complains else settings.bubble_seconds
    since = talk.held.began if talk.held is not None else talk.desk.now
    latest = since + timedelta(seconds=settings.bubbles_at_most_seconds)
    # The time that a model was waited for was quiet, too.
    written = incoming.received_at if talk.looked_again else talk.desk.now
    until = min(written + timedelta(seconds=quiet), latest)
    return until if until > talk.desk.now else None


def keep(talk: Talk, rows: list[UUID]) -> None:
    """Remember what waits."""
    before = talk.before
    since = talk.held.since if talk.held is not None else talk.desk.now.isoformat()
    greeted = before.greeted_at is None and talk.desk.resident.greeted_at is not None
    talk.memory.held = Held(
        rows=[str(row) for row in rows],
        since=since,
        words=[talk.said.text] if talk.said.text else [],
        form="" if talk.began == "unknown" else talk.began,
        misunderstood=before.misunderstood,
        greeted=greeted,
    )
