"""What happened to a case, and what was promised about it. Nobody edits an event: a correction is a new one with a
reason."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import Json, Row, community_column, id_column, mappings, metadata, reference, when, words
from bot.store.staff import staff

case_events = sa.Table(
    "case_events",
    metadata,
    id_column(),
    community_column(),
    sa.Column("case_kind", sa.Text, nullable=False),
    sa.Column("case_id", sa.Uuid, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    reference("staff_id", "staff.id"),
    words("note"),
    sa.Column("data", Json),
    when("at", nullable=False),
    when("entered_at", nullable=False),
    sa.Index("ix_case_events_case", "case_id", "id"),
)

promises = sa.Table(
    "promises",
    metadata,
    id_column(),
    community_column(),
    reference("conversation_id", "conversations.id", nullable=False, index=True),
    sa.Column("case_kind", sa.Text, nullable=False),
    sa.Column("case_id", sa.Uuid, nullable=False, index=True),
    sa.Column("what", sa.Text, nullable=False),
    reference("staff_id", "staff.id"),
    when("due_at", nullable=False),
    when("kept_at"),
    when("broken_at"),
    when("created_at", nullable=False),
    comment="Whatever a resident was told with a time, and whether it was kept.",
)


def of_case(conn: sa.Connection, case_id: UUID) -> list[Row]:
    """The story of a case in order, each event with the name of who did it."""
    statement = (
        sa.select(case_events, staff.c.name.label("staff_name"))
        .outerjoin(staff, staff.c.id == case_events.c.staff_id)
        .where(case_events.c.case_id == case_id)
        .order_by(case_events.c.id)
    )
    return mappings(conn, statement)


def keep_promises(conn: sa.Connection, case_ids: Sequence[UUID], what: Sequence[str], now: object) -> None:
    """Mark open promises of these cases as kept; one that is kept after its time stays marked as broken, too."""
    if case_ids:
        kept = sa.update(promises).where(
            promises.c.case_id.in_(sorted(case_ids)), promises.c.what.in_(what), promises.c.kept_at.is_(None)
        )
        conn.execute(kept.values(kept_at=now))


def open_promises(conn: sa.Connection, communities: Sequence[UUID] | None, limit: int = 200) -> list[Row]:
    statement = sa.select(promises).where(promises.c.kept_at.is_(None))
    if communities is not None:
        statement = statement.where(promises.c.community_id.in_(communities))
    return mappings(conn, statement.order_by(promises.c.due_at).limit(limit))
