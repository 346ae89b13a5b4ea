"""The Desk: all that a workflow may do. One concrete object per turn, loaded before and written after; nothing here
waits.

A workflow says, asks, records, promises, alerts and schedules through it, and knows nothing of tables, channels or
transactions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import structs

from bot import alarm_ways, planner
from bot.planner import Moment
from bot.settings import DeskSettings
from bot.store import alarm_sends, alarms, outbox, work_orders
from bot.store import conversations as conversation_store
from bot.store import messages as message_store
from bot.store import residents as residents_store
from bot.store.affairs import affairs
from bot.store.alarms import alerts, call_tasks, follow_ups
from bot.store.articles import ratings
from bot.store.base import NOBODY, Row, new_id
from bot.store.complaints import complaints
from bot.store.conversations import conversations
from bot.store.events import case_events, promises
from bot.store.messages import attachments
from bot.store.outbox import DIALOGUE, EMERGENCY, NOTICE, PROGRESS
from bot.store.pending import Pending
from bot.store.questions import new_question, questions
from bot.store.records import (
    CASE_KIND,
    Affair,
    Alarm,
    Case,
    Complaint,
    Conversation,
    Home,
    Identity,
    Job,
    Resident,
    WorkOrder,
)
from bot.store.residents import residents
from bot.store.roster import DUTIES
from bot.store.staff import audit
from bot.world import Building, Community, Member, Place, World
from channels.messages import Attachment, Choice
from intents.model import Reading

__all__ = [
    "DIALOGUE", "EMERGENCY", "NOBODY", "PROGRESS", "Affair", "Alarm", "Attachment", "Building", "Case", "Choice",
    "Community",
    "Complaint", "Conversation", "Desk", "DeskSettings", "Home", "Identity", "Incoming", "Job", "Member", "Moment",
    "Outcome",
    "Place", "Reading",
    "Resident", "WorkOrder", "World", "new_id",
]  # fmt: skip

_TABLES: Mapping[type[Any], sa.Table] = {
    WorkOrder: work_orders.work_orders, Complaint: complaints, Affair: affairs, Alarm: alarms.alarms,
    Conversation: conversations,
    Resident: residents,
}  # fmt: skip

_MARK_BEGINS = 0xE000
"""Numbers not yet drawn stand in texts between private-use characters, which nothing from outside can hold
(`channels.text.clean`)."""


@dataclass(slots=True, kw_only=True)
class Incoming:
    """The message that this turn answers."""

    id: UUID
    identity: Identity
    kind: str
    text: str
    choice: str | None
    attachments: tuple[Attachment, ...]
    received_at: datetime
    reading: Reading
    passive_until: datetime | None
    """A reply can ride in the answer to the request until then; None: it cannot."""
    own_phone: str = ""
    """The sender's number, E.164, where the provider vouches that it is theirs."""


@dataclass(slots=True)
class Outcome:
    """What became of the message: its intent in context, the state of the talk after it, what is known of the
    request."""

    intent: str | None = None
    state: str = "idle"
    slots: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Desk:
    """One turn. Records are changed through `change`, so that what is held here and what is written stay the same."""

    conn: sa.Connection
    world: World
    now: datetime
    conversation: Conversation
    resident: Resident
    identities: list[Identity]
    homes: list[Home]
    orders: list[WorkOrder]
    complaints: list[Complaint]
    affairs: list[Affair]
    alarm: Alarm | None = None
    """The emergency that stands in this conversation."""
    incoming: Incoming | None = None
    actor: str = "resident"
    staff_id: UUID | None = None
    pending: Pending = field(default_factory=Pending)
    outcome: Outcome = field(default_factory=Outcome)
    questions: int = 0
    """How many questions this turn has asked the resident."""
    _passive_used: bool = False

    # -- looking ------------------------------------------------------------------------------------------------------

    @property
    def settings(self) -> DeskSettings:
        return self.world.settings.desk

    @property
    def community_id(self) -> UUID:
        return self.conversation.community_id

    @property
    def language(self) -> str:
        """The language the resident is answered in."""
        return self.resident.language or "zh-Hans"

    @property
    def identity(self) -> Identity | None:
        """Where the resident is to be reached: by what they wrote from now, else last, else any that still takes
        messages."""
        if self.incoming is not None:
            return self.incoming.identity
        last, preferred = self.conversation.last_identity_id, self.resident.preferred_channel
        return next(iter(planner.in_order(self.world, self.identities, last, preferred)), None)

    @property
    def shares_number(self) -> bool:
        """Whether the resident can hand over their number by a button where they write from."""
        limits = self.world.capabilities.get((self.identity.channel, self.identity.account)) if self.identity else None
        return limits is not None and limits.shares_number

    @property
    def known_phone(self) -> str:
        return self.resident.phone

    def communities(self) -> list[Community]:
        """The communities that this resident may mean."""
        if self.community_id in self.world.communities:
            return [self.world.communities[self.community_id]]
        identity = self.identity
        if identity is None:
            return list(self.world.communities.values())
        return self.world.communities_of(identity.channel, identity.account)

    def case(self, case_id: UUID) -> Case | None:
        """The order, case or affair of this conversation with this id, while it is recent."""
        cases: list[Case] = [*self.orders, *self.complaints, *self.affairs]
        return next((case for case in cases if case.id == case_id), None)

    def case_named(self, case_id: str) -> Case | None:
        """As `case`, by the id as text."""
        cases: list[Case] = [*self.orders, *self.complaints, *self.affairs]
        return next((case for case in cases if str(case.id) == case_id), None)

    def loads(self, people: Sequence[Member]) -> dict[UUID, int]:
        """How many open orders each of these has; asks the database."""
        return work_orders.open_loads(self.conn, [member.id for member in people])

    def waiting_before(self) -> int:
        """How many others of this community wait for a person and came first; asks the database."""
        return conversation_store.waiting_before(
            self.conn, self.community_id, self.conversation.waiting_since or self.now
        )

    def alarm_arrived(self, alarm: Alarm) -> bool:
        """Whether a provider took a call of this alarm, or somebody on duty has had it on an open console.

        Only then may a resident be told that the people on duty know. Asks the database.
        """
        seen = alarms.shown_to(self.conn, alarm.id)
        communities = [self.community_id] if self.community_id != NOBODY else [one.id for one in self.communities()]
        on_duty = {one.id for place in communities for one in self.world.on_duty(place, DUTIES, self.now)}
        return bool(seen & on_duty) or alarm_sends.was_accepted(self.conn, alarm.id)

    # -- saying -------------------------------------------------------------------------------------------------------

    def say(
        self,
        text: str,
        *,
        kind: str = "answer",
        lane: int = DIALOGUE,
        choices: Sequence[Choice] = (),
        case: Case | None = None,
        question: bool = False,
        fenced: bool = True,
        author_id: UUID | None = None,
        hold_until: datetime | None = None,
        told: Moment | None = None,
    ) -> list[UUID]:
        """Say something in this conversation: the answer to a message, or what a person typed. The rows it became.

        `hold_until`: it goes out then, unless `take_back` stops it. `told`: what an approved text tells instead, where
        a way carries no other.
        """
        self.questions += question
        fence = self.conversation.fence if fenced and author_id is None else None
        said = planner.Text(
            text=text, kind=kind, lane=lane, choices=choices, case=case, fence=fence, due_at=hold_until or self.now,
            author_id=author_id, told=told,
        )  # fmt: skip
        return self._put(said)

    def take_back(self, row_ids: Sequence[UUID]) -> bool:
        """Stop what was held back in an earlier turn; False where it has gone out. Asks the database.

        These rows are locked under the lock of their conversation, before any other row of the turn: nobody who holds
        one of them waits for what this turn locks later.
        """
        return outbox.cancel_held(self.conn, row_ids, self.now)

    def notify(
        self,
        text: str,
        *,
        kind: str,
        case: Case,
        without_question: str | None = None,
        choices: Sequence[Choice] = (),
        lane: int = PROGRESS,
        told: Moment | None = None,
    ) -> None:
        """Tell the resident what happened to their case. Not fenced; in quiet hours it waits for the morning, and never
        goes within minutes of another (desk.md section 13).

        `without_question` is what is said instead where a person has the conversation at the moment of sending (law 8).
        """
        if lane == NOTICE and self.resident.stopped_at is not None:
            return
        due_at = planner.unasked_at(self.world, self.conversation, lane, self.now)
        said = planner.Text(
            text=text, kind=kind, lane=lane, choices=choices, case=case, due_at=due_at,
            without_question=without_question, told=told,
        )  # fmt: skip
        self._put(said)

    def _put(self, said: planner.Text) -> list[UUID]:
        identity = self.identity or self._handset()
        if identity is None:
            self.call_task("tell", said.text, self.now, case=said.case)
            return []
        rows = planner.rows(self.world, said, identity, self.conversation, self.now)
        for row in rows:
            self._choose_route(row)
            self.pending.insert(outbox.outbox, row)
            if planner.word_later(self.world, row):
                self.pending.reworded.append((row, partial(planner.reworded, self.world)))
        return [row["id"] for row in rows]

    def _handset(self) -> Identity | None:
        """The registered phone of somebody who has written by no channel; asks the database."""
        for key in planner.handsets(self.world, self.resident):
            row = residents_store.handset(self.conn, self.resident.id, self.community_id, key, self.now)
            if row["reachable"]:
                return Identity.of(row)
        return None

    def _choose_route(self, row: Row) -> None:
        """The first thing said in a turn rides in the answer to the request, where the channel can and time is left."""
        incoming = self.incoming
        if (
            incoming is None
            or self._passive_used
            or row["author_id"] is not None
            or row["lane"] not in {EMERGENCY, DIALOGUE}
        ):
            return
        if incoming.passive_until is None or self.now >= incoming.passive_until or row["due_at"] > self.now:
            return
        self._passive_used = True
        lease = timedelta(seconds=self.world.settings.delivery.passive_lease_seconds)
        row.update(
            route="passive",
            status="sending",
            reply_to=incoming.id,
            sent_at=self.now,
            attempts=1,
            lease_until=self.now + lease,
        )

    # -- recording ----------------------------------------------------------------------------------------------------

    def number(self, kind: str) -> str:
        """A number of this kind (WX, TS, …). It is drawn when the turn is written; until then a mark stands for it."""
        begins = chr(_MARK_BEGINS + 1 + len(self.pending.numbers))
        mark = f"{begins}{self.conversation.id}{planner.NUMBER_ENDS}"
        self.pending.numbers.append((kind, mark))
        return mark

    def open_case(self, case: Case, note: str = "") -> None:
        """Enter a new order, case or affair, with its first event."""
        self._held(case).append(case)
        self.pending.insert(_TABLES[type(case)], case.row())
        self.record(case, "recorded", note)
        if self.incoming is not None:
            self.attach(case, self.incoming.id, self.incoming.attachments)

    def _held(self, case: Case) -> list[Any]:
        held: dict[type[Any], list[Any]] = {WorkOrder: self.orders, Complaint: self.complaints, Affair: self.affairs}
        return held[type(case)]

    def change(self, record: Case | Alarm | Conversation | Resident, **changes: Any) -> None:
        """Change fields of a record, here and in the database."""
        if isinstance(record, (WorkOrder, Complaint, Affair, Conversation)):
            changes.setdefault("updated_at", self.now)
        for name, value in changes.items():
            setattr(record, name, value)
        self.pending.update(_TABLES[type(record)], record.id, dict(changes))

    def record(
        self, case: Case, what: str, note: str = "", data: Mapping[str, Any] | None = None, at: datetime | None = None
    ) -> None:
        """Add an event to the story of a case. `at`: when it happened, where that is not now."""
        row = self._row(case, what=what, actor=self.actor, staff_id=self.staff_id, note=note)
        row.update(data=dict(data) if data else None, at=at or self.now, entered_at=self.now)
        self.pending.insert(case_events, row)

    def _row(self, case: Case | None = None, **columns: Any) -> Row:
        """A new row of this community, about a case where there is one. Columns that are not named get their
        defaults."""
        row: Row = {"id": new_id(), "community_id": case.community_id if case else self.community_id, **columns}
        if case is not None:
            row.update(case_kind=CASE_KIND[type(case)], case_id=case.id)
        return row

    def attach(self, case: Case | None, message_id: UUID, found: Iterable[Attachment]) -> None:
        """Keep pictures, voices and places, with the case they belong to where there is one."""
        for item in found:
            row = self._row(case, conversation_id=self.conversation.id, message_id=message_id, at=self.now)
            self.pending.insert(attachments, {**row, **structs.asdict(item)})

    def adopt(self, case: Case, since: datetime) -> None:
        """Pictures that came since then, before anybody said what they show, belong to this case."""
        self.pending.adopted.append((self.conversation.id, since, CASE_KIND[type(case)], case.id))

    def keep_question(self, text: str, language: str, why: str, affair: Affair | None = None) -> None:
        """Keep a question that nobody here could answer; `text` names nobody. `why`: see `bot.store.questions`."""
        row = new_question(
            self.community_id, text, language, why, self.now,
            id=new_id(), conversation_id=self.conversation.id, affair_id=affair.id if affair else None,
        )  # fmt: skip
        self.pending.insert(questions, row)

    def question_offered(self, question_id: UUID) -> None:
        """The answer to a kept question was told."""
        self.pending.update(questions, question_id, {"offered_at": self.now})

    def rate_article(self, article: str, *, helpful: bool) -> None:
        """What the resident says of an answer from the knowledge base."""
        row = self._row(conversation_id=self.conversation.id, article=article, helpful=helpful, at=self.now)
        self.pending.insert(ratings, row)

    def promise(self, case: Case, what: str, due_at: datetime, staff_id: UUID | None = None) -> None:
        """Keep on record that the resident was told a time."""
        row = self._row(case, conversation_id=self.conversation.id, what=what, staff_id=staff_id)
        self.pending.insert(promises, {**row, "due_at": due_at, "created_at": self.now})

    def keep(self, case: Case, *what: str) -> None:
        """These promises of a case are kept now."""
        self.pending.kept_promises.append((case.id, what))

    def release(self, case: Case, *what: str) -> None:
        """These promises of a case are replaced by what follows, or nobody waits for them any more: not kept."""
        self.pending.released_promises.append((case.id, what))

    def audit(
        self, act: str, ref_kind: str = "", ref_id: UUID | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        """Who of the staff did what (law 13)."""
        row = self._row(staff_id=self.staff_id, act=act, ref_kind=ref_kind, ref_id=ref_id, at=self.now)
        self.pending.insert(audit, {**row, "data": dict(data) if data else None})

    # -- people and time ----------------------------------------------------------------------------------------------

    def call_task(
        self,
        kind: str,
        text: str,
        due_at: datetime,
        *,
        case: Case | None = None,
        phone: str = "",
        key: str | None = None,
        owner_id: UUID | None = None,
    ) -> UUID:
        """A person has to phone somebody: the resident, where no other phone is named. Once a `key`."""
        row = self._row(case, conversation_id=self.conversation.id, resident_id=self.resident.id, kind=kind, text=text)
        row.update(phone=phone or self.resident.phone, due_at=due_at, owner_id=owner_id)
        row.update(created_at=self.now, dedupe_key=key)
        self.pending.insert(call_tasks, row)
        return UUID(str(row["id"]))

    def end_task(self, task_id: UUID, result: str) -> None:
        """A call task is done, or its reason is gone."""
        self.pending.update(
            call_tasks, task_id, {"state": "done", "result": result, "done_by": self.staff_id, "done_at": self.now}
        )

    def is_asked(self, key: str) -> bool:
        """Whether the task of this key still waits for somebody; asks the database."""
        return alarms.is_asked(self.conn, key)

    def settle(self, keys: Sequence[str], result: str) -> bool:
        """A person has done what the alarms and tasks of these keys asked for; whether any still stood."""
        return alarms.settle(self.conn, keys, self.staff_id, result, self.now)

    def follow_up(self, case: Case, due_at: datetime, text: str, *, not_by: UUID | None = None) -> None:
        """Plan the one satisfaction callback of a case, with its call task."""
        task_id = self.call_task("follow_up", text, due_at, case=case, key=f"follow-up:{case.id}")
        row = self._row(case, resident_id=self.resident.id, call_task_id=task_id, not_by_id=not_by)
        self.pending.insert(follow_ups, {**row, "due_at": due_at, "created_at": self.now})

    def raise_alarm(
        self, kind: str, summary: str, people: Iterable[Member], *, case: Case | None = None,
        acknowledge_by: datetime | None = None,
        key: str | None = None,
    ) -> Alarm:  # fmt: skip
        """Alert these people now; it stands until a person closes it."""
        alarm = Alarm(
            id=new_id(), community_id=self.community_id, kind=kind, conversation_id=self.conversation.id,
            case_kind=CASE_KIND[type(case)] if case else None, case_id=case.id if case else None, summary=summary,
            raised_at=self.now,
            acknowledge_by=acknowledge_by, dedupe_key=key, announced_at=self.now,
        )  # fmt: skip
        self.pending.insert(alarms.alarms, alarm.row())
        self.alert(alarm, people)
        if kind == "emergency":
            self.alarm = alarm
        return alarm

    def alert(self, alarm: Alarm, people: Iterable[Member]) -> None:
        """Address an alarm to these people, at its present rung, over every way that there is."""
        people = list(people)
        for call in alarm_ways.calls(self.world, alarm, people, self.now):
            self.pending.insert(alarm_sends.alarm_sends, call)
        for member in people:
            row = {
                "id": new_id(),
                "alarm_id": alarm.id,
                "staff_id": member.id,
                "rung": alarm.rung,
                "at": self.now,
                "shown_at": None,
            }
            self.pending.insert(alerts, row)

    def alarm_taken(self, alarm: Alarm) -> None:
        """Who has it is told wherever the alarm was heard; nobody else is called. Asks the database."""
        alarm_ways.taken(self.conn, alarm, self.now)

    def schedule(
        self, kind: str, due_at: datetime, *, ref: UUID | None = None, step: int = 0, payload: dict[str,
        Any] | None = None,
        key: str | None = None,
    ) -> None:  # fmt: skip
        """A timer of this conversation; when it is due, the workflow that owns `kind` is called. Once a `key`."""
        job = Job(
            id=new_id(), community_id=self.community_id, conversation_id=self.conversation.id, kind=kind, ref=ref,
            step=step,
            payload=payload, due_at=due_at, created_at=self.now, dedupe_key=key,
        )  # fmt: skip
        self.pending.timers.append(job.row())

    def unschedule(self, ref: UUID, *kinds: str) -> None:
        """The reason of these timers is gone."""
        self.pending.cancelled_timers.append((ref, kinds))

    # -- the word -----------------------------------------------------------------------------------------------------

    def set_form(self, form: dict[str, Any] | None) -> None:
        """Open, change or close the form of this conversation."""
        self.change(self.conversation, form=form)

    def queue_for_person(self) -> None:
        """The resident waits for a person from now on; the bot is silent."""
        if self.conversation.mode == "bot":
            self.change(self.conversation, mode="waiting", waiting_since=self.now, form=None)

    def take_over(self, member: Member, until: datetime) -> None:
        """`member` has the conversation: the number grows, and what is fenced and not yet on its way is cancelled
        (law 8)."""
        self.change(
            self.conversation,
            mode="human",
            owner_id=member.id,
            owned_until=until,
            waiting_since=None,
            fence=self.conversation.fence + 1,
        )
        self.pending.fences.append(self.conversation.id)

    def hand_back(self) -> None:
        """The bot has the conversation again."""
        self.change(
            self.conversation, mode="bot", owner_id=None, owned_until=None, waiting_since=None,
            fence=self.conversation.fence + 1,
            misunderstood=0,
        )  # fmt: skip
        self.pending.fences.append(self.conversation.id)

    def take_up(self, message_id: UUID, text: str, reading: Reading) -> None:
        """Go on with a message of an earlier turn: what is said now answers it. Asks the database."""
        row = message_store.by_id(self.conn, message_id)
        assert row is not None
        (identity,) = (identity for identity in self.identities if identity.id == row["identity_id"])
        self.actor = "resident"
        self.incoming = Incoming(
            id=message_id, identity=identity, kind=row["kind"], text=text, choice=row["choice"], attachments=(),
            received_at=row["received_at"], reading=reading, passive_until=None,
        )  # fmt: skip
