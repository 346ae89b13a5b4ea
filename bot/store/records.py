"""The rows that a turn holds in its hands, as typed records. Fields are the columns of the table of the same name."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from bot.store.base import NOBODY


class Record:
    """Base: made from a row, turned back into one."""

    __slots__ = ()

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row that may hold more columns than the record."""
        return cls(**{name: row[name] for name in _names(cls) if name in row})

    def row(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _names(type(self))}


_NAMES: dict[type[Any], tuple[str, ...]] = {}


def _names(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a record; `dataclasses.fields` costs more than the rest of making one."""
    return _NAMES.get(kind) or _NAMES.setdefault(kind, tuple(field.name for field in fields(kind)))


@dataclass(slots=True, kw_only=True)
class Resident(Record):
    id: UUID
    community_id: UUID = NOBODY
    name: str = ""
    title: str = ""
    phone: str = ""
    language: str = ""
    preferred_channel: str = ""
    provisional: bool = False
    greeted_at: datetime | None = None
    stopped_at: datetime | None = None
    """Since when they want no notices and surveys."""
    created_at: datetime
    privacy_version: str | None = None
    """Which text about their data they were pointed to at the first contact."""
    privacy_told_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Identity(Record):
    id: UUID
    community_id: UUID = NOBODY
    resident_id: UUID
    channel: str
    account: str
    address: str
    reachable: bool = True
    created_at: datetime
    staff_id: UUID | None = None
    """Whoever of the staff writes from here."""


@dataclass(slots=True, kw_only=True)
class Home(Record):
    """A home as one resident belongs to it: `role` is owner, family or tenant."""

    id: UUID
    community_id: UUID
    building: str
    unit: str
    room: str
    role: str = ""
    payer: bool = False
    household_id: UUID | None = None
    since: date | None = None
    """What is older than this day is not for them."""


@dataclass(slots=True, kw_only=True)
class Conversation(Record):
    id: UUID
    community_id: UUID = NOBODY
    resident_id: UUID
    mode: str = "bot"
    fence: int = 0
    owner_id: UUID | None = None
    owned_until: datetime | None = None
    waiting_since: datetime | None = None
    form: dict[str, Any] | None = None
    topic: str = ""
    misunderstood: int = 0
    urges: int = 0
    last_identity_id: UUID | None = None
    last_inbound_at: datetime | None = None
    last_text: str = ""
    last_state: str = ""
    unread: int = 0
    created_at: datetime
    updated_at: datetime
    merged_into: UUID | None = None
    """Where it goes on since its resident is known; nobody speaks in this one any more."""


@dataclass(slots=True, kw_only=True)
class WorkOrder(Record):
    id: UUID
    community_id: UUID = NOBODY
    number: str
    conversation_id: UUID
    resident_id: UUID
    identity_id: UUID | None = None
    source: str
    home_id: UUID | None = None
    place_id: UUID | None = None
    where: dict[str, Any] | None = None
    verified: bool = False
    category: str
    urgency: str
    fault: str = ""
    words: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    wish: dict[str, Any] | None = None
    state: str
    assignee_id: UUID | None = None
    slot_start: datetime | None = None
    slot_end: datetime | None = None
    contact_by: datetime | None = None
    done_by: datetime | None = None
    accepted_at: datetime | None = None
    on_site_at: datetime | None = None
    done_at: datetime | None = None
    work_done: str = ""
    fee: str = ""
    cause: str = ""
    responsible_party: str = ""
    outcome: str = ""
    asked_at: datetime | None = None
    answer: str | None = None
    answer_words: str = ""
    score: int | None = None
    reworks: int = 0
    urges: int = 0
    urged_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Complaint(Record):
    id: UUID
    community_id: UUID = NOBODY
    number: str
    conversation_id: UUID
    resident_id: UUID
    identity_id: UUID | None = None
    source: str
    home_id: UUID | None = None
    where: dict[str, Any] | None = None
    verified: bool = False
    confidential: bool = False
    nature: str
    urgency: str
    words: str = ""
    wanted: str = ""
    contact_phone: str = ""
    state: str
    rung: int = 0
    assignee_id: UUID | None = None
    answer_by: datetime | None = None
    result_by: datetime | None = None
    answered_at: datetime | None = None
    plan: str = ""
    result: str = ""
    result_at: datetime | None = None
    ending: str = ""
    cause: str = ""
    responsible_party: str = ""
    asked_at: datetime | None = None
    answer: str | None = None
    answer_words: str = ""
    reopened: int = 0
    urges: int = 0
    urged_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Affair(Record):
    id: UUID
    community_id: UUID = NOBODY
    number: str
    conversation_id: UUID
    resident_id: UUID
    identity_id: UUID | None = None
    kind: str
    source: str
    home_id: UUID | None = None
    where: dict[str, Any] | None = None
    words: str = ""
    wish: dict[str, Any] | None = None
    contact_phone: str = ""
    owner_id: UUID | None = None
    due_at: datetime | None = None
    state: str
    answer: str = ""
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Alarm(Record):
    id: UUID
    community_id: UUID = NOBODY
    kind: str
    conversation_id: UUID | None = None
    case_kind: str | None = None
    case_id: UUID | None = None
    summary: str = ""
    rung: int = 0
    raised_at: datetime
    acknowledge_by: datetime | None = None
    acknowledged_by: UUID | None = None
    acknowledged_at: datetime | None = None
    closed_by: UUID | None = None
    closed_at: datetime | None = None
    closing_note: str = ""
    dedupe_key: str | None = None
    announced_at: datetime | None = None
    """When what goes out of it was written down; None: the sender does so in its next round."""


@dataclass(slots=True, kw_only=True)
class Job(Record):
    id: UUID
    community_id: UUID = NOBODY
    conversation_id: UUID | None = None
    kind: str
    ref: UUID | None = None
    step: int = 0
    state: str = "waiting"
    payload: dict[str, Any] | None = None
    attempts: int = 0
    due_at: datetime
    lease_until: datetime | None = None
    created_at: datetime
    ended_at: datetime | None = None
    error: str = ""
    dedupe_key: str | None = None


Case = WorkOrder | Complaint | Affair

CASE_KIND: dict[type[Record], str] = {WorkOrder: "work_order", Complaint: "complaint", Affair: "affair"}
