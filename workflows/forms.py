"""What a conversation has open: the forms, newest first, and the place last spoken of; kept as JSON."""

from datetime import datetime
from typing import Any

import msgspec

from bot.desk import new_id

MOST_FORMS = 3


class Form(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One request on its way.

    `step` is the open question; empty once the case is recorded, while it can still be completed or corrected.
    `stated` holds only what was said, never what was looked up. `wish`: the wished time, as `intents` read it.
    """

    id: str
    workflow: str
    at: str
    step: str = ""
    kind: str = ""
    case: str = ""
    words: list[str] = msgspec.field(default_factory=list)
    stated: dict[str, str] = msgspec.field(default_factory=dict)
    wish: dict[str, Any] | None = None
    category: str = ""
    urgency: str = "normal"
    fault: str = ""
    asked: dict[str, int] = msgspec.field(default_factory=dict)
    choices: list[dict[str, Any]] = msgspec.field(default_factory=list)
    where: dict[str, Any] | None = None
    reminded: bool = False
    task: str = ""
    data: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def text(self) -> str:
        """All that was said for it."""
        return "\n".join(self.words)

    @property
    def since(self) -> datetime:
        """When it was last spoken of."""
        return datetime.fromisoformat(self.at)

    def count(self, step: str) -> int:
        """How often a question was asked."""
        return self.asked.get(step, 0)

    def ask(self, step: str, choices: list[dict[str, Any]] | None = None) -> None:
        """The question `step` is the open one now."""
        self.step = step
        self.asked[step] = self.count(step) + 1
        self.choices = choices or []

    def settle(self) -> None:
        """No question is open; what comes may still complete or correct the case."""
        self.step, self.choices = "", []

    def slots(self) -> dict[str, Any]:
        """What is known of the request, as the conversation states say it."""
        return {**self.stated, **({"time": self.wish} if self.wish else {})}


class Held(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A question that waits for another bubble (`workflows.bubbles`), or words that wait for a language model.

    `rows`: where it stands in the outbox; `since`: the first bubble; `words`: all of them; `form`: whose question it
    is; `asked`: the message that a model is asked about (`workflows.second_look`). What the turn has counted is undone
    if it is never asked.
    """

    rows: list[str]
    since: str
    words: list[str]
    form: str = ""
    misunderstood: int = 0
    greeted: bool = False
    asked: str = ""

    @property
    def began(self) -> datetime:
        """When the first bubble came."""
        return datetime.fromisoformat(self.since)


class Memory(msgspec.Struct, kw_only=True, omit_defaults=True):
    """All that a conversation has open or remembers."""

    forms: list[Form] = msgspec.field(default_factory=list)
    place: dict[str, Any] | None = None
    """The place last spoken of (`where.as_json`), with what was stated of it and when."""
    place_stated: dict[str, str] = msgspec.field(default_factory=dict)
    place_at: str = ""
    scene: dict[str, Any] | None = None
    """The place whose code was scanned last (`where.as_json`), until a report has used it, and when."""
    scene_at: str = ""
    photos: bool = False
    """Pictures came before anybody said what they show."""
    album: str = ""
    """The album that the last message was a picture of."""
    held: Held | None = None
    helpful_at: str = ""
    """When it was last asked whether an answer helped."""

    def put(self, form: Form) -> None:
        """`form` is the newest now; the oldest recorded ones fall off."""
        self.drop(form)
        self.forms.insert(0, form)
        del self.forms[MOST_FORMS:]

    def drop(self, form: Form) -> None:
        self.forms = [known for known in self.forms if known.id != form.id]

    def of(self, workflow: str) -> Form | None:
        return next((form for form in self.forms if form.workflow == workflow), None)


def load(kept: dict[str, Any] | None) -> Memory:
    """What the conversation kept; one that this version cannot read is begun afresh."""
    try:
        return msgspec.convert(kept or {}, Memory)
    except msgspec.ValidationError:
        return Memory()


def dump(memory: Memory) -> dict[str, Any] | None:
    """As it is kept; None where nothing is open or remembered."""
    found: dict[str, Any] = msgspec.to_builtins(memory)
    return found or None


def new_form(workflow: str, now: datetime, kind: str = "") -> Form:
    return Form(id=str(new_id()), workflow=workflow, kind=kind, at=now.isoformat())


def join(first: dict[str, Any] | None, second: dict[str, Any] | None) -> dict[str, Any] | None:
    """What two conversations of one resident have open, as one: the forms spoken of last, the newest first.

    What else is remembered (the place, pictures without words, a question that waits) is the first one's, where it has
    any.
    """
    one, other = load(first), load(second)
    held = {form.id: form for form in (*other.forms, *one.forms)}
    newest = sorted(held.values(), key=lambda form: form.since, reverse=True)[:MOST_FORMS]
    kept = one if one.place is not None or other.place is None else other
    return dump(
        Memory(
            forms=newest, place=kept.place, place_stated=kept.place_stated, place_at=kept.place_at,
            photos=one.photos or other.photos, album=one.album or other.album, held=one.held or other.held,
        )
    )  # fmt: skip
