"""A second look by a language model, where one is set: at a message that cannot be read, at articles that may answer.

The turn that would have to guess says nothing; it leaves a timer. A worker asks the model meanwhile and puts what it
says on the timer, which is due then; where nothing comes in time it is due without. Either way the message is answered
by that event, once (`bot.engine.routing.again`). What is said or done in between makes the event stale.
"""

from datetime import timedelta
from typing import Any, Final

from bot.desk import Desk, Job, Reading
from bot.settings import LanguageModelSettings
from intents.opinion import Opinion, follow, opinion_of
from knowledge_base.model import Answer
from workflows.forms import Held, dump, load
from workflows.masking import for_outside
from workflows.talk import Talk

READ: Final = "model.read"
WORD: Final = "model.word"
KINDS: Final = (READ, WORD)
SLACK: Final = timedelta(seconds=2)
"""Beside the model's own time: until a worker takes it up, and until what it says is written down."""
LEAST_SURE: Final = 0.6
"""From this confidence on our own reading is acted on, and nobody is asked."""
SURELY_NOTHING: Final = 0.9
"""From this confidence on a message that seems to ask for nothing asks for nothing."""
SHORTEST, LONGEST = 4, 300
"""Signs. Shorter says too little to anybody; longer is a story that a person should read."""


def read(talk: Talk) -> bool:
    """Ask what this message means; whether its answer waits for that now."""
    model, reading = _settings(talk), talk.reading
    enough = SURELY_NOTHING if reading.intent == "other" else LEAST_SURE
    if not model.reads or reading.confidence >= enough or talk.said.is_bare or not _may_wait(talk):
        return False
    _wait(talk, READ, model, {})
    return True


def word(talk: Talk, found: Answer) -> bool:
    """Ask for an answer from the articles of a choice; whether the answer waits for that now."""
    model, base = _settings(talk), talk.desk.world.knowledge
    articles = [base.article(candidate.article) for candidate in found.candidates]
    spoken = all(article is not None and article.speaks(talk.language) for article in articles)
    if not model.words or not spoken or not _may_wait(talk):
        return False
    named = {"articles": [candidate.article for candidate in found.candidates], "language": talk.language}
    _wait(talk, WORD, model, named)
    return True


def _settings(talk: Talk) -> LanguageModelSettings:
    return talk.desk.world.settings.language_model


def _may_wait(talk: Talk) -> bool:
    """Plain words of somebody who is in no danger and was asked nothing, as the first thing that this turn does."""
    incoming, reading, text = talk.desk.incoming, talk.reading, talk.said.text.strip()
    if incoming is None or incoming.choice is not None or incoming.attachments or talk.said.pictures or talk.parts:
        return False
    if reading.flags or reading.urgency == "emergency" or talk.desk.alarm is not None:
        return False
    if any(form.step for form in talk.memory.forms) or not SHORTEST <= len(text) <= LONGEST:
        return False
    return not talk.looked_again and not _has_waited(talk)


def _has_waited(talk: Talk) -> bool:
    """Bubble after bubble: somebody who is still writing is not asked about for ever."""
    longest = timedelta(seconds=talk.desk.settings.bubbles_at_most_seconds)
    return talk.held is not None and talk.desk.now - talk.held.began >= longest


def _wait(talk: Talk, kind: str, model: LanguageModelSettings, named: dict[str, Any]) -> None:
    desk, incoming = talk.desk, talk.desk.incoming
    assert incoming is not None
    payload = {"text": outgoing(talk), "fence": desk.conversation.fence, **named}
    due_at = desk.now + timedelta(seconds=model.timeout_s) + SLACK
    desk.schedule(kind, due_at, ref=incoming.id, payload=payload)
    talk.memory.held = Held(
        rows=[],
        since=talk.held.since if talk.held is not None else desk.now.isoformat(),
        words=[talk.said.text],
        misunderstood=talk.before.misunderstood,
        asked=str(incoming.id),
    )
    talk.end("other", "idle")


def outgoing(talk: Talk) -> str:
    """What is said of the message outside the house."""
    desk, slots = talk.desk, talk.reading.slots
    names = [desk.resident.name, *(member.name for member in desk.world.members.values())]
    text = for_outside(talk.said.text, *names, desk.resident.phone, slots.phone or "")
    for own in (slots.plate, slots.room, *(home.room for home in desk.homes)):
        if own and len(own) > 1:
            text = text.replace(own, "[房号]")
    return text


# -- what came of it


def standing(desk: Desk, job: Job) -> Held | None:
    """What still waits for this; None where somebody has the word, or something was said since."""
    memory = load(desk.conversation.form)
    held = memory.held
    if held is None or held.asked != str(job.ref):
        return None
    if desk.conversation.mode == "bot" and desk.conversation.fence == (job.payload or {}).get("fence"):
        return held
    memory.held = None
    desk.set_form(dump(memory))
    return None


def with_opinion(job: Job, reading: Reading, text: str) -> Reading:
    """The reading, with the model's opinion where it has one. An event that failed once is run without."""
    found = (job.payload or {}).get("opinion")
    opinion: Opinion | None = opinion_of(found, text) if found and not job.attempts else None
    return follow(reading, opinion) if opinion is not None else reading


def wording(job: Job) -> tuple[str, list[str]]:
    """What the model worded, with the articles it had; empty where there is nothing to tell."""
    payload = job.payload or {}
    return ("", []) if job.attempts else (payload.get("wording", ""), payload.get("articles", []))
