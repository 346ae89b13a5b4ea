"""One turn as the workflows see it: the desk, what was said, what is open, and the one reply that leaves at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bot.desk import DIALOGUE, EMERGENCY, NOBODY, Case, Choice, Community, Desk, Member, Moment
from intents.model import Reading
from workflows import deadlines, forms, texts, wording
from workflows.dialogue import Said, said
from workflows.forms import Form, Held, Memory
from workflows.where import Atlas, Where, of_json


@dataclass(frozen=True, slots=True)
class Before:
    """What a turn found and may have to undo."""

    misunderstood: int
    greeted_at: datetime | None


@dataclass(slots=True)
class Talk:
    """Collects the reply: one message a turn, since a passive reply carries exactly one."""

    desk: Desk
    memory: Memory
    said: Said
    parts: list[str] = field(default_factory=list)
    choices: tuple[Choice, ...] = ()
    asked: bool = False
    told: Moment | None = None
    """What the reply tells above all, for ways that carry approved texts only."""
    lane: int = DIALOGUE
    kind: str = "answer"
    case: Case | None = None
    fenced: bool = True
    touched: set[str] = field(default_factory=set)
    """Forms that this turn spoke of."""
    goes_on: bool = False
    """A further picture of an album, whose first has been answered."""
    began: str = ""
    """The form that this message began, or `unknown`: its question may wait for another bubble."""
    held: Held | None = None
    """The question that was taken back, since this message came before it was asked."""
    looked_again: bool = False
    """A language model was asked about this message, and has answered or not: now it is answered."""
    before: Before = field(init=False)

    def __post_init__(self) -> None:
        self.mark()

    def mark(self) -> None:
        """From here on the turn counts."""
        self.before = Before(self.desk.conversation.misunderstood, self.desk.resident.greeted_at)

    # -- looking

    @property
    def language(self) -> str:
        return self.desk.language

    @property
    def reading(self) -> Reading:
        return self.said.reading

    @property
    def local(self) -> datetime:
        """Now, by the community's clock."""
        return self.desk.world.local(self.desk.now)

    @property
    def atlas(self) -> Atlas:
        return Atlas(self.desk.world.buildings, self.desk.world.public_places)

    @property
    def remembered(self) -> Where | None:
        """The place last scanned or spoken of in this conversation, while that is not long ago."""
        if self.scanned is not None and self.scanned.kind == "home":
            return self.scanned
        if self.memory.place is None or not self.memory.place_at:
            return None
        age = self.desk.now - datetime.fromisoformat(self.memory.place_at)
        if age > timedelta(days=self.desk.settings.remember_days):
            return None
        return of_json(self.memory.place, self.desk.world.communities)

    @property
    def scanned(self) -> Where | None:
        """The place whose code was scanned just now, until a report has used it; `unknown`: only a community."""
        memory = self.memory
        if memory.scene is None or not memory.scene_at:
            return None
        age = self.desk.now - datetime.fromisoformat(memory.scene_at)
        if age > timedelta(minutes=self.desk.settings.scan_minutes):
            return None
        return of_json(memory.scene, self.desk.world.communities)

    def communities(self) -> list[Community]:
        """Those that may be meant: one that the text names counts although the resident is at home in another."""
        own = self.desk.communities()
        seen = self.scanned.community if self.scanned is not None else None
        if seen is not None:
            own = [seen] if seen in own else [*own, seen]
        named = self.reading.slots.community
        other = self.desk.world.community_named(named) if named else None
        return own if other is None or other in own else [*own, other]

    def supervisor(self) -> Member | None:
        """Who answers for complaints and whatever nobody else has."""
        return supervisor(self.desk)

    def phone(self) -> str:
        return self.desk.world.service_phone(self.desk.community_id)

    # -- wording

    def text(self, key: str, **values: object) -> str:
        return texts.say(self.language, key, **values)

    def by(self, moment: datetime) -> str:
        """A promise as it is told: by 17:30 today, or after 8:30 where it is the first call of a morning."""
        return told(self.desk, moment)

    # -- replying

    def reply(self, key: str, **values: object) -> None:
        """Say this in the one message that leaves at the end of the turn."""
        self.add(self.text(key, **values))

    def ask(self, key: str, **values: object) -> None:
        """As `reply`, where it asks something: one question a message."""
        self.reply(key, **values)
        self.asked = True

    def offer(self, options: Sequence[Choice]) -> None:
        """The message offers these, to be tapped or answered by their digits."""
        self.choices = tuple(options)

    def add(self, text: str) -> None:
        """Say what stands in no file: an article's answer."""
        if text:
            self.parts.append(text)

    def end(self, intent: str | None, state: str, slots: dict[str, Any] | None = None) -> None:
        """What became of the message (messages/README.md)."""
        self.desk.outcome.intent = intent
        self.desk.outcome.state = state
        self.desk.outcome.slots = dict(slots or {})

    def urgent(self, kind: str = "advice") -> None:
        """The reply is advice in danger: first lane, and no takeover stops it."""
        self.lane, self.kind, self.fenced = EMERGENCY, kind, False

    def finish(self, hold_until: datetime | None = None) -> list[UUID]:
        """Send the reply, or hold it back; the rows it became."""
        rows = []
        if self.parts:
            rows = self.desk.say(
                "\n".join(self.parts),
                kind=self.kind,
                lane=self.lane,
                choices=self.choices,
                case=self.case,
                question=self.asked,
                fenced=self.fenced,
                hold_until=hold_until,
                told=self.told,
            )
        return rows

    def save(self) -> None:
        kept = forms.dump(self.memory)
        if kept != self.desk.conversation.form:
            self.desk.set_form(kept)

    # -- remembering

    def touch(self, form: Form) -> None:
        """The turn spoke of this form: it is the newest now."""
        form.at = self.desk.now.isoformat()
        self.memory.put(form)
        self.touched.add(form.id)

    def understood(self) -> None:
        if self.desk.conversation.misunderstood:
            self.desk.change(self.desk.conversation, misunderstood=0)


def of_turn(desk: Desk) -> Talk:
    """The talk of a message."""
    incoming = desk.incoming
    assert incoming is not None
    memory = forms.load(desk.conversation.form)
    pictures = sum(item.kind in {"image", "video"} for item in incoming.attachments)
    pictures = pictures or int(incoming.kind in {"image", "video"})
    timed = memory.forms or incoming.reading.intent in {"progress", "application"} or desk.orders
    local = desk.world.local(desk.now) if timed else None
    album = next((item.album for item in incoming.attachments if item.album), "")
    goes_on = album != "" and memory.album == album
    memory.album = album
    heard = said(incoming.text, incoming.reading, pictures, incoming.choice, local)
    return Talk(desk, memory, heard, goes_on=goes_on)


def silent(desk: Desk) -> Talk:
    """A talk in which nobody has said anything: a timer, or an act of the staff."""
    nothing = desk.world.reader.read("", desk.world.local(desk.now).replace(tzinfo=None), {})
    return Talk(desk, forms.load(desk.conversation.form), said("", nothing))


def told(desk: Desk, moment: datetime) -> str:
    """A promised moment in the resident's words."""
    local, now = desk.world.local(moment), desk.world.local(desk.now)
    if deadlines.is_morning_call(now, local, desk.settings):
        return wording.after(local, now, desk.language)
    return wording.by(local, now, desk.language)


def supervisor(desk: Desk) -> Member | None:
    """The supervisor on duty, else the one of the community."""
    on_duty = desk.world.on_duty(desk.community_id, ("supervisor",), desk.now)
    return next(iter(on_duty or desk.world.with_role("supervisor", desk.community_id)), None)


def department_head(desk: Desk) -> Member | None:
    """Who heads the repairs; the supervisor where nobody does."""
    heads = desk.world.with_role("department_head", desk.community_id)
    engineers = [
        head for head in heads if "工程" in head.title or "engineer" in head.title.lower() or "repair" in head.skills
    ]
    return next(iter(engineers or heads), None) or supervisor(desk)


def is_bound(desk: Desk) -> bool:
    """Whether we know who this is."""
    return not desk.resident.provisional and bool(desk.homes)


def move_to(desk: Desk, community: Community | None) -> None:
    """A conversation of nobody yet known belongs to a community from now on."""
    if community is not None and desk.community_id == NOBODY:
        desk.change(desk.conversation, community_id=community.id)
        if desk.resident.provisional:
            desk.change(desk.resident, community_id=community.id)
