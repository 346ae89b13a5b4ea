"""Timers and recurring jobs: rows that staff can see, count, move and cancel in the transaction of the case."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import (
    Json,
    Row,
    community_column,
    fixed,
    id_column,
    insert_new,
    insert_once,
    mappings,
    metadata,
    part_index,
    reference,
    value,
    when,
    words,
)

jobs = sa.Table(
    "jobs",
    metadata,
    id_column(),
    community_column(),
    reference("conversation_id", "conversations.id"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("ref", sa.Uuid),
    sa.Column("step", sa.Integer, nullable=False, default=0),
    sa.Column("state", sa.Text, nullable=False, default="waiting"),
    sa.Column("payload", Json),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    when("due_at", nullable=False),
    when("lease_until"),
    when("created_at", nullable=False),
    when("ended_at"),
    words("error"),
    sa.Column("dedupe_key", sa.Text),
    part_index("ix_jobs_waiting", "due_at", "id", where="state = 'waiting'"),
    part_index("uq_jobs_dedupe_key", "dedupe_key", where="dedupe_key IS NOT NULL", unique=True),
    part_index("ix_jobs_ended_at", "ended_at", where="ended_at IS NOT NULL"),
    part_index("ix_jobs_ref", "ref", where="ref IS NOT NULL"),
)  # fmt: skip

STATES = ("waiting", "done", "failed", "cancelled")


_WAITING = fixed(jobs.c.state, "waiting")
_NOW = sa.bindparam("now", type_=jobs.c.due_at.type)
_DUE = (
    sa.select(jobs)
    .where(_WAITING, jobs.c.due_at <= _NOW, sa.or_(jobs.c.lease_until.is_(None), jobs.c.lease_until < _NOW))
    .order_by(jobs.c.due_at, jobs.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def due(conn: sa.Connection, now: datetime, limit: int) -> list[Row]:
    """Jobs whose time has come and that nobody works on, oldest first."""
    return mappings(conn, _DUE, now=now, most=limit)


def take(conn: sa.Connection, ids: Sequence[UUID]) -> list[Row]:
    """Lock jobs that still wait, in order of id; another process may have come first."""
    if not ids:
        return []
    statement = sa.select(jobs).where(jobs.c.id.in_(sorted(ids)), _WAITING).order_by(jobs.c.id)
    return mappings(conn, statement.with_for_update(skip_locked=True))


def end(conn: sa.Connection, ids: Sequence[UUID], state: str, now: datetime, error: str = "") -> None:
    """Close jobs that still wait."""
    if ids:
        conn.execute(
            sa.update(jobs)
            .where(jobs.c.id.in_(sorted(ids)), _WAITING)
            .values(state=state, ended_at=now, error=error, lease_until=None)
        )


def postpone(conn: sa.Connection, job_id: UUID, due_at: datetime, error: str) -> None:
    """Try again later after a failure, which is counted; another process may have done it meanwhile."""
    conn.execute(
        sa.update(jobs)
        .where(jobs.c.id == job_id, _WAITING)
        .values(due_at=due_at, attempts=jobs.c.attempts + 1, error=error)
    )


def cancel(conn: sa.Connection, refs: Sequence[UUID], kinds: Sequence[str], now: datetime) -> None:
    """The reason of these timers is gone."""
    statement = sa.update(jobs).where(jobs.c.ref.in_(sorted(refs)), jobs.c.kind.in_(kinds), _WAITING)
    conn.execute(statement.values(state="cancelled", ended_at=now))


_UNASKED = (
    sa.select(jobs)
    .where(
        _WAITING,
        jobs.c.kind.in_(sa.bindparam("kinds", expanding=True)),
        jobs.c.step == 0,
        jobs.c.due_at > _NOW,
        jobs.c.due_at <= sa.bindparam("until", type_=jobs.c.due_at.type),
    )
    .order_by(jobs.c.due_at, jobs.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def unasked(conn: sa.Connection, kinds: Sequence[str], now: datetime, until: datetime, limit: int) -> list[Row]:
    """Timers of these kinds, due from now to `until`, that nobody outside has been asked for yet."""
    return mappings(conn, _UNASKED, kinds=list(kinds), now=now, until=until, most=limit)


def begin_asking(conn: sa.Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Mark timers as asked for; which of them this process is to ask for. They stay due when they are."""
    begun = sa.update(jobs).where(jobs.c.id.in_(sorted(ids)), _WAITING, jobs.c.step == 0).values(step=1)
    return set(conn.execute(begun.returning(jobs.c.id)).scalars())


def answered(conn: sa.Connection, job_id: UUID, payload: Row, now: datetime, error: str = "") -> bool:
    """A timer that still waits is due now, with what came of asking; whether it did."""
    found = sa.update(jobs).where(jobs.c.id == job_id, _WAITING, jobs.c.due_at > now)
    return conn.execute(found.values(payload=payload, due_at=now, error=error)).rowcount > 0


def about(conn: sa.Connection, ref: UUID, kinds: Sequence[str]) -> list[Row]:
    """The timers of these kinds for one reason, whatever became of them; they are kept for a month."""
    statement = sa.select(jobs).where(jobs.c.ref == ref, jobs.c.kind.in_(kinds)).order_by(jobs.c.id)
    return mappings(conn, statement)


_NEXT_DUE = sa.select(sa.func.min(jobs.c.due_at)).where(_WAITING)


def next_due(conn: sa.Connection) -> datetime | None:
    due: datetime | None = value(conn, _NEXT_DUE)
    return due


def schedule(conn: sa.Connection, rows: Sequence[Row]) -> None:
    """Insert timers; one that is already there under its dedupe key stays as it is."""
    insert_once(conn, jobs, rows)


def schedule_new(conn: sa.Connection, rows: Sequence[Row]) -> set[UUID]:
    """Insert jobs; one that is already there under its dedupe key stays as it is. The ids that went in."""
    return insert_new(conn, jobs, rows)


def forget_ended(conn: sa.Connection, before: datetime) -> int:
    """Remove jobs that ended before `before`; how many."""
    return conn.execute(sa.delete(jobs).where(jobs.c.ended_at < before)).rowcount


LEASE = timedelta(seconds=60)
"""How long a step that uses the network may take before another process may take it."""
