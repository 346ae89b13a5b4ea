"""What residents sent beside words: one row a file, from the moment its message is stored until the file lies here."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import (
    Row,
    among,
    community_column,
    fixed,
    id_column,
    insert,
    mappings,
    metadata,
    part_index,
    reference,
    when,
    words,
)
from bot.store.messages import attachments, messages

media = sa.Table(
    "media",
    metadata,
    id_column(),
    community_column(),
    reference("message_id", "messages.id", nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("media_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    when("due_at", nullable=False),
    when("lease_until"),
    when("created_at", nullable=False),
    when("ended_at"),
    words("path"),
    words("content_type"),
    sa.Column("size", sa.Integer, nullable=False, default=0),
    words("error"),
    sa.UniqueConstraint("message_id", "position"),
    part_index("ix_media_waiting", "due_at", "id", where="state = 'waiting'"),
)

STATES = ("waiting", "fetched", "failed")

_NOW = sa.bindparam("now", type_=media.c.due_at.type)
_WAITING = fixed(media.c.state, "waiting")
_FREE = sa.or_(media.c.lease_until.is_(None), media.c.lease_until < _NOW)
_DUE = (
    sa.select(media.c.id)
    .where(_WAITING, media.c.due_at <= _NOW, _FREE)
    .order_by(media.c.due_at, media.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def expect(conn: sa.Connection, rows: Sequence[Row]) -> None:
    """Files that are to be fetched, in the commit that stores their messages."""
    insert(conn, media, [{"state": "waiting", "attempts": 0, **row} for row in rows])


def any_due(conn: sa.Connection, now: datetime) -> bool:
    """Whether there is something for `claim`, without locking it."""
    return conn.execute(_DUE, {"now": now, "most": 1}).first() is not None


def claim(conn: sa.Connection, now: datetime, limit: int, lease: timedelta) -> list[Row]:
    """Lease files that are due, oldest first; one whose lease ended (its process died) is due again (law 5)."""
    due = _DUE.with_for_update(skip_locked=True, of=media)
    ids = list(conn.execute(due, {"now": now, "most": limit}).scalars())
    if not ids:
        return []
    claimed = {"lease_until": now + lease, "attempts": media.c.attempts + 1}
    conn.execute(sa.update(media).where(media.c.id.in_(sorted(ids))).values(**claimed))
    return mappings(conn, sa.select(media).where(media.c.id.in_(ids)).order_by(media.c.id))


def fetched(conn: sa.Connection, row_id: UUID, now: datetime, *, path: str, content_type: str, size: int) -> None:
    """The file lies at `path`, below the folder of media."""
    _end(conn, row_id, now, state="fetched", path=path, content_type=content_type, size=size, error="")


def failed(conn: sa.Connection, row_id: UUID, now: datetime, error: str) -> None:
    """No later try can help."""
    _end(conn, row_id, now, state="failed", error=error)


def _end(conn: sa.Connection, row_id: UUID, now: datetime, **values: Any) -> None:
    conn.execute(
        sa.update(media).where(media.c.id == row_id, _WAITING).values(**values, ended_at=now, lease_until=None)
    )


def again(conn: sa.Connection, row_id: UUID, due_at: datetime, error: str) -> None:
    """Try again then."""
    values: Row = {"due_at": due_at, "lease_until": None, "error": error}
    conn.execute(sa.update(media).where(media.c.id == row_id, _WAITING).values(**values))


def get(conn: sa.Connection, row_id: UUID) -> Row | None:
    """A file with the conversation it came in."""
    joined = media.join(messages, messages.c.id == media.c.message_id)
    rows = mappings(conn, sa.select(media, messages.c.conversation_id).select_from(joined).where(media.c.id == row_id))
    return rows[0] if rows else None


_OF_MESSAGES = sa.select(media).where(among(media.c.message_id, "ids"))


def of_messages(conn: sa.Connection, message_ids: Sequence[UUID]) -> dict[tuple[UUID, int], Row]:
    """The files of these messages, by message and position."""
    if not message_ids:
        return {}
    return {(row["message_id"], row["position"]): row for row in mappings(conn, _OF_MESSAGES, ids=list(message_ids))}


def cases_of(conn: sa.Connection, row: Row) -> list[tuple[str, UUID]]:
    """The cases that a file belongs to: kind and id."""
    statement = sa.select(attachments.c.case_kind, attachments.c.case_id).where(
        attachments.c.message_id == row["message_id"],
        attachments.c.media_id == row["media_id"],
        attachments.c.case_id.is_not(None),
    )
    return [(kind, case_id) for kind, case_id in conn.execute(statement)]
