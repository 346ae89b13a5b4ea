"""Daily affairs (日常事务): what is neither repair nor complaint and that a person must still do."""

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

affairs = sa.Table(
    "affairs",
    metadata,
    id_column(),
    community_column(),
    sa.Column("number", sa.Text, nullable=False, unique=True),
    reference("conversation_id", "conversations.id", nullable=False),
    reference("resident_id", "residents.id", nullable=False, index=True),
    reference("identity_id", "identities.id"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    reference("home_id", "homes.id"),
    sa.Column("where", Json),
    words("words"),
    sa.Column("wish", Json),
    words("contact_phone"),
    reference("owner_id", "staff.id", index=True),
    when("due_at"),
    sa.Column("state", sa.Text, nullable=False),
    words("answer"),
    when("created_at", nullable=False),
    when("updated_at", nullable=False),
    when("closed_at"),
    sa.Index("ix_affairs_conversation_id_id", "conversation_id", "id"),
    part_index("ix_affairs_open", "state", "id", where="closed_at IS NULL"),
)  # fmt: skip


def _listed() -> sa.Select[tuple[object, ...]]:
    joined = affairs.join(residents, residents.c.id == affairs.c.resident_id).outerjoin(
        staff, staff.c.id == affairs.c.owner_id
    )
    return sa.select(
        affairs,
        residents.c.name.label("resident_name"),
        residents.c.title.label("resident_title"),
        staff.c.name.label("owner_name"),
    ).select_from(joined)


_RECENT = (
    sa.select(affairs)
    .where(among(affairs.c.conversation_id, "conversations"))
    .where(sa.or_(affairs.c.closed_at.is_(None), affairs.c.closed_at > sa.bindparam("since")))
    .order_by(affairs.c.id)
)


def recent_of(conn: sa.Connection, conversation_ids: Sequence[UUID], since: datetime) -> dict[UUID, list[Row]]:
    """Affairs of each conversation that are open or were closed after `since`, oldest first."""
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
    owner: UUID | None = None,
    limit: int = 200,
) -> list[Row]:
    """For the list page: the newest first, open or closed, of these communities (None: of all)."""
    statement = _listed().where(affairs.c.closed_at.is_not(None) if closed else affairs.c.closed_at.is_(None))
    if communities is not None:
        statement = statement.where(affairs.c.community_id.in_(communities))
    if owner is not None:
        statement = statement.where(affairs.c.owner_id == owner)
    return mappings(conn, statement.order_by(affairs.c.id.desc()).limit(limit))


def get(conn: sa.Connection, affair_id: UUID) -> Row | None:
    return one(conn, _listed().where(affairs.c.id == affair_id))


def get_many(conn: sa.Connection, ids: Sequence[UUID]) -> list[Row]:
    return mappings(conn, sa.select(affairs).where(affairs.c.id.in_(ids)).order_by(affairs.c.id)) if ids else []
