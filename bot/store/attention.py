"""What ended badly and waits for a person's eye (law 12):

unreadable requests, failed turns, texts that did not arrive for certain.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import Row, mappings, one
from bot.store.conversations import conversations
from bot.store.messages import messages, unreadable
from bot.store.outbox import JOINED, outbox
from bot.store.residents import residents

BAD = ("failed", "unknown", "expired")


def unreadable_requests(conn: sa.Connection, limit: int = 100) -> list[Row]:
    """Requests that nobody could read and nobody has looked at, newest first, with the size of what came."""
    columns = [column for column in unreadable.c if column.name != "raw"]
    statement = (
        sa.select(*columns, sa.func.length(unreadable.c.raw).label("size"))
        .where(unreadable.c.seen_at.is_(None))
        .order_by(unreadable.c.received_at.desc())
        .limit(limit)
    )
    return mappings(conn, statement)


def raw_request(conn: sa.Connection, row_id: UUID) -> Row | None:
    return one(conn, sa.select(unreadable).where(unreadable.c.id == row_id))


def seen_unreadable(conn: sa.Connection, row_id: UUID, now: datetime) -> None:
    conn.execute(sa.update(unreadable).where(unreadable.c.id == row_id).values(seen_at=now))


def _of(table: sa.Table, communities: Sequence[UUID] | None) -> sa.Select[Any]:
    named = [residents.c.name.label("resident_name"), residents.c.provisional]
    hidden = {"raw", "reading"}
    joined = table.join(conversations, conversations.c.id == table.c.conversation_id).join(
        residents, residents.c.id == conversations.c.resident_id
    )
    statement = sa.select(*(c for c in table.c if c.name not in hidden), *named).select_from(joined)
    return statement if communities is None else statement.where(table.c.community_id.in_(communities))


def bad_outbox(conn: sa.Connection, communities: Sequence[UUID] | None, since: datetime, limit: int = 100) -> list[Row]:
    """Texts of late that failed, expired, or of which nobody knows whether they went out; newest first. One that went
    on by another way is judged by that."""
    mine = outbox.c.status.in_(BAD), outbox.c.created_at >= since, outbox.c.kind != JOINED
    statement = _of(outbox, communities).where(*mine, ~_went_on())
    return mappings(conn, statement.order_by(outbox.c.id.desc()).limit(limit))


def _went_on() -> sa.ColumnElement[bool]:
    later = outbox.alias("later")
    root = sa.func.coalesce(outbox.c.origin_id, outbox.c.id)
    return sa.exists().where(later.c.origin_id == root, later.c.id > outbox.c.id, later.c.origin_id.is_not(None))


def failed_messages(
    conn: sa.Connection, communities: Sequence[UUID] | None, since: datetime, limit: int = 100
) -> list[Row]:
    """Messages of late whose turn failed, newest first."""
    statement = _of(messages, communities).where(messages.c.status == "failed", messages.c.received_at >= since)
    return mappings(conn, statement.order_by(messages.c.id.desc()).limit(limit))
