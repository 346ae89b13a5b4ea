"""Conversations: who has the word (law 8), the open form, and what the inbox shows."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import (
    Json,
    Row,
    community_column,
    id_column,
    metadata,
    one,
    part_index,
    reference,
    when,
    words,
)

conversations = sa.Table(
    "conversations",
    metadata,
    id_column(),
    community_column(),
    sa.Column("resident_id", sa.Uuid, sa.ForeignKey("residents.id"), nullable=False, unique=True),
    sa.Column("mode", sa.Text, nullable=False, default="bot"),
    sa.Column("fence", sa.Integer, nullable=False, default=0),
    reference("owner_id", "staff.id"),
    when("owned_until"),
    when("waiting_since"),
    sa.Column("form", Json),
    words("topic"),
    sa.Column("misunderstood", sa.Integer, nullable=False, default=0),
    sa.Column("urges", sa.Integer, nullable=False, default=0),
    reference("last_identity_id", "identities.id"),
    when("last_inbound_at"),
    words("last_text"),
    words("last_state"),
    sa.Column("unread", sa.Integer, nullable=False, default=0),
    when("created_at", nullable=False),
    when("updated_at", nullable=False),
    sa.Column("merged_into", sa.Uuid),
    sa.Index("ix_conversations_updated_at", "updated_at"),
    part_index("ix_conversations_owned", "owner_id", "owned_until", where="owner_id IS NOT NULL"),
    part_index("ix_conversations_waiting_since", "community_id", "waiting_since", where="waiting_since IS NOT NULL"),
)  # fmt: skip

MODES = ("bot", "waiting", "human")
"""bot: the desk answers by itself; waiting: a person was asked for and none has taken it; human: a person has it."""


def get(conn: sa.Connection, conversation_id: UUID) -> Row | None:
    return one(conn, sa.select(conversations).where(conversations.c.id == conversation_id))


def follow(conn: sa.Connection, conversation_id: UUID) -> UUID | None:
    """Where a conversation went on after its resident became known; None: it stands by itself, or never was."""
    found = conn.execute(sa.select(conversations.c.merged_into).where(conversations.c.id == conversation_id))
    went: UUID | None = found.scalar_one_or_none()
    return went


def owner_lapsed(conn: sa.Connection, now: datetime, limit: int) -> list[UUID]:
    """Conversations whose owner has not acted until the lease ran out."""
    statement = (
        sa.select(conversations.c.id)
        .where(conversations.c.owner_id.is_not(None), conversations.c.owned_until < now)
        .order_by(conversations.c.id)
        .limit(limit)
    )
    return list(conn.execute(statement).scalars())


def with_person(conn: sa.Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these conversations a person has."""
    return set(
        conn.execute(
            sa.select(conversations.c.id).where(conversations.c.id.in_(ids), conversations.c.mode == "human")
        ).scalars()
    )


_WAITING = sa.select(sa.func.count()).where(
    conversations.c.community_id == sa.bindparam("community"),
    conversations.c.waiting_since < sa.bindparam("before", type_=conversations.c.waiting_since.type),
)


def waiting_before(conn: sa.Connection, community_id: UUID, now: datetime) -> int:
    """How many conversations of a community have waited for a person since before `now`."""
    return int(conn.execute(_WAITING, {"community": community_id, "before": now}).scalar_one())
