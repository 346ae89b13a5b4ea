"""What the console's inbox shows: conversations with who writes, who has them and whether danger stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.store.affairs import affairs
from bot.store.alarms import alarms
from bot.store.base import Row, mappings, one
from bot.store.complaints import complaints
from bot.store.conversations import conversations
from bot.store.outbox import outbox
from bot.store.residents import identities, residents
from bot.store.staff import staff
from bot.store.work_orders import work_orders

FILTERS = ("waiting", "mine", "emergencies", "unread", "all")


@dataclass(frozen=True, slots=True)
class Seen:
    """Which conversations a person sees:

    of these communities (None: of all), those with a case of theirs, those with an emergency.
    """

    communities: Sequence[UUID] | None
    case_of: UUID | None = None
    emergencies_of: Sequence[UUID] | None = ()


_EMERGENCY = (
    sa.exists()
    .where(alarms.c.conversation_id == conversations.c.id, alarms.c.closed_at.is_(None), alarms.c.kind == "emergency")
    .correlate(conversations)
)

_SHOWN = (
    conversations,
    residents.c.name.label("resident_name"),
    residents.c.title.label("resident_title"),
    residents.c.provisional,
    staff.c.name.label("owner_name"),
    identities.c.channel.label("channel"),
    identities.c.address.label("address"),
    _EMERGENCY.label("emergency"),
)


def _shown() -> sa.Select[tuple[object, ...]]:
    joined = (
        conversations.join(residents, residents.c.id == conversations.c.resident_id)
        .outerjoin(staff, staff.c.id == conversations.c.owner_id)
        .outerjoin(identities, identities.c.id == conversations.c.last_identity_id)
    )
    return sa.select(*_SHOWN).select_from(joined)


def _case_of(staff_id: UUID) -> sa.ColumnElement[bool]:
    """The conversation has a case that was given to this person, and none whose complainant is not to be named."""
    here = conversations.c.id
    pairs = (
        (work_orders, work_orders.c.assignee_id),
        (complaints, complaints.c.assignee_id),
        (affairs, affairs.c.owner_id),
    )
    given = (sa.exists().where(table.c.conversation_id == here, who == staff_id) for table, who in pairs)
    unnamed = sa.exists().where(complaints.c.conversation_id == here, complaints.c.confidential)
    return sa.or_(*(one.correlate(conversations) for one in given)) & ~unnamed.correlate(conversations)


def _visible(seen: Seen) -> sa.ColumnElement[bool]:
    if seen.communities is None:
        return sa.true()
    ways: list[sa.ColumnElement[bool]] = [conversations.c.community_id.in_(seen.communities)]
    if seen.case_of is not None:
        ways.append(_case_of(seen.case_of))
    if seen.emergencies_of is None:
        ways.append(_EMERGENCY)
    elif seen.emergencies_of:
        ways.append(_EMERGENCY & conversations.c.community_id.in_(seen.emergencies_of))
    return sa.or_(*ways)


def _wanted(name: str, staff_id: UUID) -> sa.ColumnElement[bool]:
    return {
        "waiting": conversations.c.mode == "waiting",
        "mine": conversations.c.owner_id == staff_id,
        "emergencies": _EMERGENCY,
        "unread": conversations.c.unread > 0,
    }.get(name, sa.true())


def listed(conn: sa.Connection, seen: Seen, name: str, staff_id: UUID, *, limit: int) -> list[Row]:
    """The conversations of one filter, as a desk works: danger, then who waits for a person, the longest first, then
    the others, the latest first."""
    waits = conversations.c.mode == "waiting"
    order: tuple[sa.ColumnElement[Any], ...] = (
        sa.desc("emergency"),
        sa.case((waits, 0), else_=1),
        sa.case((waits, conversations.c.waiting_since)),
        conversations.c.last_inbound_at.desc(),
    )
    statement = _shown().where(_visible(seen), _wanted(name, staff_id), conversations.c.last_inbound_at.is_not(None))
    return mappings(conn, statement.order_by(*order, conversations.c.id).limit(limit))


def counts(conn: sa.Connection, seen: Seen, staff_id: UUID) -> dict[str, int]:
    """How many conversations each filter but `all` holds."""
    names = [name for name in FILTERS if name != "all"]
    columns = [sa.func.count().filter(_wanted(name, staff_id)).label(name) for name in names]
    found = sa.select(*columns).select_from(conversations).where(_visible(seen))
    return {name: int(value) for name, value in conn.execute(found).mappings().one().items()}


def get(conn: sa.Connection, conversation_id: UUID) -> Row | None:
    """One conversation as the inbox shows it."""
    return one(conn, _shown().where(conversations.c.id == conversation_id))


def has_case_of(conn: sa.Connection, conversation_id: UUID, staff_id: UUID) -> bool:
    found = sa.select(conversations.c.id).where(conversations.c.id == conversation_id, _case_of(staff_id))
    return conn.execute(found).first() is not None


def mark_read(conn: sa.Connection, conversation_id: UUID) -> None:
    """Somebody has it before their eyes. Not a change of the conversation: it keeps its place in the list."""
    conn.execute(sa.update(conversations).where(conversations.c.id == conversation_id).values(unread=0))


def last_sent(conn: sa.Connection, conversation_id: UUID, before: datetime) -> Row | None:
    """What went out last, whoever said it: an agent who takes over has to know."""
    statement = (
        sa.select(outbox)
        .where(outbox.c.conversation_id == conversation_id, outbox.c.sent_at.is_not(None), outbox.c.sent_at <= before)
        .where(outbox.c.status.in_(("sending", "accepted", "delivered", "read", "unknown")))
        .order_by(outbox.c.sent_at.desc(), outbox.c.id.desc())
        .limit(1)
    )
    return one(conn, statement)
