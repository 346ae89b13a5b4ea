"""What residents sent: one row a message, unique by (channel, account, external id) for ever (law 1)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import (
    Json,
    Row,
    community_column,
    fixed,
    id_column,
    insert,
    insert_new,
    mappings,
    metadata,
    part_index,
    reference,
    when,
    words,
)
from bot.store.residents import identities

messages = sa.Table(
    "messages",
    metadata,
    id_column(),
    community_column(),
    reference("conversation_id", "conversations.id", nullable=False),
    reference("identity_id", "identities.id", nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    words("text"),
    sa.Column("choice", sa.Text),
    sa.Column("attachments", Json),
    sa.Column("status", sa.Text, nullable=False),
    words("intent"),
    words("state"),
    sa.Column("reading", Json),
    words("error"),
    when("sent_at"),
    when("received_at", nullable=False),
    sa.Column("raw", sa.Text),
    sa.Column("own_phone", sa.Text),
    sa.UniqueConstraint("channel", "account", "external_id"),
    sa.Index("ix_messages_conversation_id_id", "conversation_id", "id"),
    sa.Index("ix_messages_identity_id_received_at", "identity_id", "received_at"),
    part_index("ix_messages_stored", "conversation_id", "id", where="status = 'stored'"),
    part_index("ix_messages_raw_received_at", "received_at", where="raw IS NOT NULL"),
)  # fmt: skip

STATUSES = ("stored", "turned", "failed")
"""stored: safe, not yet answered; turned: the desk has dealt with it; failed: its turn raised, a person was told."""

unreadable = sa.Table(
    "unreadable",
    metadata,
    id_column(),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("raw", sa.LargeBinary),
    sa.Column("reason", sa.Text, nullable=False),
    when("received_at", nullable=False),
    when("seen_at"),
    sa.UniqueConstraint("channel", "account", "digest"),
    comment="Authenticated requests that nobody could read (law 12), shown to staff.",
)

channel_events = sa.Table(
    "channel_events",
    metadata,
    id_column(),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    words("key"),
    when("received_at", nullable=False),
    sa.Column("raw", sa.Text),
    sa.UniqueConstraint("channel", "account", "external_id"),
)

Key = tuple[str, str, str]
"""(channel, account, external id)"""


def store(conn: sa.Connection, rows: Sequence[Row]) -> set[UUID]:
    """Insert in order of the unique key; the ids of those that are new. The rest are repeats."""
    ordered = sorted(rows, key=lambda row: (row["channel"], row["account"], row["external_id"]))
    return insert_new(conn, messages, ordered)


def find(conn: sa.Connection, keys: Sequence[Key]) -> dict[Key, Row]:
    """The stored message of each key."""
    found: dict[Key, Row] = {}
    columns = (messages.c.id, messages.c.status, messages.c.external_id)
    for channel, account in {key[:2] for key in keys}:
        wanted = sorted(key[2] for key in keys if key[:2] == (channel, account))
        statement = sa.select(*columns).where(
            messages.c.channel == channel, messages.c.account == account, messages.c.external_id.in_(wanted)
        )
        found.update({(channel, account, row["external_id"]): row for row in mappings(conn, statement)})
    return found


_BY_ID = sa.select(messages).where(messages.c.id == sa.bindparam("id", type_=sa.Uuid))


def by_id(conn: sa.Connection, message_id: UUID) -> Row | None:
    """One message."""
    return next(iter(mappings(conn, _BY_ID, id=message_id)), None)


def _oldest_stored() -> sa.Select[Any]:
    stored = fixed(messages.c.status, "stored")
    first = (
        sa.select(sa.func.min(messages.c.received_at).label("at"), messages.c.conversation_id)
        .where(stored)
        .group_by(messages.c.conversation_id)
        .order_by("at")
        .limit(sa.bindparam("most", type_=sa.Integer))
        .subquery()
    )
    joined = messages.join(
        first, sa.and_(first.c.conversation_id == messages.c.conversation_id, first.c.at == messages.c.received_at)
    ).join(identities, identities.c.id == messages.c.identity_id)
    return sa.select(messages, identities.c.address).select_from(joined).where(stored).order_by(messages.c.id)


_OLDEST_STORED = _oldest_stored()


def oldest_stored(conn: sa.Connection, limit: int) -> list[Row]:
    """The oldest message of each conversation that is stored but not yet turned, with the address it came by."""
    found: dict[UUID, Row] = {}
    for row in mappings(conn, _OLDEST_STORED, most=limit):
        found.setdefault(row["conversation_id"], row)
    return list(found.values())


_ANY_STORED = sa.select(messages.c.id).where(fixed(messages.c.status, "stored")).limit(1)


def any_stored(conn: sa.Connection) -> bool:
    """Whether a message waits for its turn."""
    return conn.execute(_ANY_STORED).first() is not None


def still_stored(conn: sa.Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these nobody has turned meanwhile."""
    statement = sa.select(messages.c.id).where(messages.c.id.in_(sorted(ids)), fixed(messages.c.status, "stored"))
    return set(conn.execute(statement).scalars())


def set_status(conn: sa.Connection, ids: Sequence[UUID], status: str) -> None:
    if ids:
        conn.execute(sa.update(messages).where(messages.c.id.in_(sorted(ids))).values(status=status))


def store_unreadable(conn: sa.Connection, row: Row) -> bool:
    """Keep an unreadable request once; whether it is new."""
    return bool(insert_new(conn, unreadable, [row]))


def store_events(conn: sa.Connection, rows: Sequence[Row]) -> set[UUID]:
    """Insert events; the ids of those that are new."""
    return insert_new(
        conn, channel_events, sorted(rows, key=lambda row: (row["channel"], row["account"], row["external_id"]))
    )


def forget_raw(conn: sa.Connection, before: datetime) -> int:
    """Remove payloads received before `before`; how many."""
    done = conn.execute(
        sa.update(messages).where(messages.c.raw.is_not(None), messages.c.received_at < before).values(raw=None)
    )
    conn.execute(sa.update(channel_events).where(channel_events.c.received_at < before).values(raw=None))
    conn.execute(sa.update(unreadable).where(unreadable.c.received_at < before).values(raw=None))
    return done.rowcount


attachments = sa.Table(
    "attachments",
    metadata,
    id_column(),
    community_column(),
    reference("conversation_id", "conversations.id", nullable=False, index=True),
    reference("message_id", "messages.id", nullable=False, index=True),
    sa.Column("case_kind", sa.Text),
    sa.Column("case_id", sa.Uuid, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    words("media_id"),
    words("url"),
    words("label"),
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    when("at", nullable=False),
    when("fetched_at"),
    words("path"),
)


def adopt(conn: sa.Connection, conversation_id: UUID, since: datetime, case_kind: str, case_id: UUID) -> None:
    """Pictures that came after `since`, before anybody said what they show, belong to this case."""
    loose = sa.update(attachments).where(
        attachments.c.conversation_id == conversation_id, attachments.c.case_id.is_(None), attachments.c.at >= since
    )
    conn.execute(loose.values(case_kind=case_kind, case_id=case_id))


def attach(conn: sa.Connection, rows: Sequence[Row]) -> None:
    insert(conn, attachments, rows)
