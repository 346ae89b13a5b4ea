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
    when("released_at"),
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
        conn.execute(sa.update(promises).where(_open_of(case_ids, what)).values(kept_at=now))


def release_promises(conn: sa.Connection, case_ids: Sequence[UUID], what: Sequence[str], now: object) -> None:
    """Mark open promises of these cases as released: replaced by another, or nobody waits for them any more.

    One whose time had passed by then is marked as broken, too. Neither counts as kept.
    """
    if case_ids:
        mine = _open_of(case_ids, what)
        late = mine & (promises.c.due_at < now) & promises.c.broken_at.is_(None)
        conn.execute(sa.update(promises).where(late).values(broken_at=now))
        conn.execute(sa.update(promises).where(mine).values(released_at=now))


def _open_of(case_ids: Sequence[UUID], what: Sequence[str]) -> sa.ColumnElement[bool]:
    return promises.c.case_id.in_(sorted(case_ids)) & promises.c.what.in_(what) & _is_open()


def _is_open() -> sa.ColumnElement[bool]:
    return promises.c.kept_at.is_(None) & promises.c.released_at.is_(None)
