"""Complaint cases (TS)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import (
    Json,
    Row,
    among,
    community_column,
    id_column,
    mappings,
    metadata,
    one,
    part_index,
    reference,
    when,
    words,
)
from bot.store.residents import residents
from bot.store.staff import staff

complaints = sa.Table(
    "complaints",
    metadata,
    id_column(),
    community_column(),
    sa.Column("number", sa.Text, nullable=False, unique=True),
    reference("conversation_id", "conversations.id", nullable=False),
    reference("resident_id", "residents.id", nullable=False, index=True),
    reference("identity_id", "identities.id"),
    sa.Column("source", sa.Text, nullable=False),
    reference("home_id", "homes.id"),
    sa.Column("where", Json),
    sa.Column("verified", sa.Boolean, nullable=False, default=False),
    sa.Column("confidential", sa.Boolean, nullable=False, default=False),
    sa.Column("nature", sa.Text, nullable=False),
    sa.Column("urgency", sa.Text, nullable=False),
    words("words"),
    words("wanted"),
    words("contact_phone"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("rung", sa.Integer, nullable=False, default=0),
    reference("assignee_id", "staff.id", index=True),
    when("answer_by"),
    when("result_by"),
    when("answered_at"),
    words("plan"),
    words("result"),
    when("result_at"),
    words("ending"),
    words("cause"),
    words("responsible_party"),
    when("asked_at"),
    sa.Column("answer", sa.Text),
    words("answer_words"),
    sa.Column("reopened", sa.Integer, nullable=False, default=0),
    sa.Column("urges", sa.Integer, nullable=False, default=0),
    when("urged_at"),
    when("created_at", nullable=False),
    when("updated_at", nullable=False),
    when("closed_at"),
    sa.Index("ix_complaints_conversation_id_id", "conversation_id", "id"),
    part_index("ix_complaints_open", "state", "id", where="closed_at IS NULL"),
)  # fmt: skip


def _listed() -> sa.Select[tuple[object, ...]]:
    joined = complaints.join(residents, residents.c.id == complaints.c.resident_id).outerjoin(
        staff, staff.c.id == complaints.c.assignee_id
    )
    return sa.select(
        complaints,
        residents.c.name.label("resident_name"),
        residents.c.title.label("resident_title"),
        staff.c.name.label("assignee_name"),
    ).select_from(joined)


_RECENT = (
    sa.select(complaints)
    .where(among(complaints.c.conversation_id, "conversations"))
    .where(sa.or_(complaints.c.closed_at.is_(None), complaints.c.closed_at > sa.bindparam("since")))
    .order_by(complaints.c.id)
)


def recent_of(conn: sa.Connection, conversation_ids: Sequence[UUID], since: datetime) -> dict[UUID, list[Row]]:
    """Cases of each conversation that are open or were closed after `since`, oldest first."""
    if not conversation_ids:
        return {}
    found: dict[UUID, list[Row]] = {}
    for row in mappings(conn, _RECENT, conversations=conversation_ids, since=since):
        found.setdefault(row["conversation_id"], []).append(row)
    return found


def listed(
    conn: sa.Connection,
    communities: Sequence[UUID] | None,
    *,
    closed: bool,
    assignee: UUID | None = None,
    limit: int = 200,
) -> list[Row]:
    """For the list page: the newest first, open or closed, of these communities (None: of all)."""
    statement = _listed().where(complaints.c.closed_at.is_not(None) if closed else complaints.c.closed_at.is_(None))
    if communities is not None:
        statement = statement.where(complaints.c.community_id.in_(communities))
    if assignee is not None:
        statement = statement.where(complaints.c.assignee_id == assignee)
    return mappings(conn, statement.order_by(complaints.c.id.desc()).limit(limit))


def get(conn: sa.Connection, case_id: UUID) -> Row | None:
    return one(conn, _listed().where(complaints.c.id == case_id))


def get_many(conn: sa.Connection, ids: Sequence[UUID]) -> list[Row]:
    return (
        mappings(conn, sa.select(complaints).where(complaints.c.id.in_(ids)).order_by(complaints.c.id)) if ids else []
    )
