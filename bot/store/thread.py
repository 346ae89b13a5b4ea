"""A conversation as it is read: what came and what went, by id and so in order of time."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import Row, mappings, one
from bot.store.media import media
from bot.store.messages import attachments, messages
from bot.store.outbox import JOINED, outbox
from bot.store.staff import audit, staff

MARKS = ("conversation.take", "conversation.hand_back")
"""Acts that the thread shows between the messages."""


def _incoming() -> sa.Select[Any]:
    hidden = {"raw", "reading"}
    return sa.select(*(column for column in messages.c if column.name not in hidden))


def _outgoing() -> sa.Select[Any]:
    later = outbox.alias("later")
    went_on = sa.exists().where(
        later.c.origin_id == sa.func.coalesce(outbox.c.origin_id, outbox.c.id), later.c.id > outbox.c.id,
        later.c.origin_id.is_not(None), later.c.kind != JOINED,
    )  # fmt: skip
    return sa.select(outbox, staff.c.name.label("author_name"), went_on.label("went_on")).select_from(
        outbox.outerjoin(staff, staff.c.id == outbox.c.author_id)
    )


def _between(
    statement: sa.Select[Any], table: sa.Table, since: UUID | None, before: UUID | None, limit: int
) -> sa.Select[Any]:
    if since is not None:
        return statement.where(table.c.id >= since).order_by(table.c.id).limit(limit)
    if before is not None:
        statement = statement.where(table.c.id < before)
    return statement.order_by(table.c.id.desc()).limit(limit)


def entries(
    conn: sa.Connection,
    conversation_id: UUID,
    *,
    since: UUID | None = None,
    before: UUID | None = None,
    limit: int = 40,
) -> list[Row]:
    """What was said, oldest first:

    everything from `since` on, or the last `limit` (before `before`). Each row names its `side`.
    """
    found: list[Row] = []
    alone = _outgoing().where(outbox.c.route != JOINED)  # what was joined stands in the message that carried it
    for statement, table, side in ((_incoming(), messages, "in"), (alone, outbox, "out")):
        mine = statement.where(table.c.conversation_id == conversation_id)
        found += [{**row, "side": side} for row in mappings(conn, _between(mine, table, since, before, limit))]
    found.sort(key=lambda row: row["id"])
    return found if since is not None else found[-limit:]


def message(conn: sa.Connection, conversation_id: UUID, message_id: UUID) -> Row | None:
    """One message of a conversation: its words, and how they were read."""
    columns = (messages.c.id, messages.c.text, messages.c.reading, messages.c.received_at)
    mine = (messages.c.id == message_id, messages.c.conversation_id == conversation_id)
    return one(conn, sa.select(*columns).where(*mine))


def marks(conn: sa.Connection, conversation_id: UUID, since: UUID, before: UUID | None = None) -> list[Row]:
    """Takeovers and hand-backs from `since` on, with the name of who acted."""
    statement = (
        sa.select(audit.c.id, audit.c.act, audit.c.at, staff.c.name.label("staff_name"))
        .outerjoin(staff, staff.c.id == audit.c.staff_id)
        .where(audit.c.ref_id == conversation_id, audit.c.act.in_(MARKS), audit.c.id >= since)
    )
    if before is not None:
        statement = statement.where(audit.c.id < before)
    return [{**row, "side": "mark"} for row in mappings(conn, statement.order_by(audit.c.id))]


def of_case(conn: sa.Connection, case_id: UUID) -> list[Row]:
    """What was told to the resident about a case, with what became of it."""
    mine = _outgoing().where(outbox.c.case_id == case_id, outbox.c.kind != JOINED)
    return mappings(conn, mine.order_by(outbox.c.id).limit(100))


def attachments_of(conn: sa.Connection, conversation_id: UUID, case_id: UUID) -> list[Row]:
    """The pictures, voices and places that belong to a case, with what became of their files."""
    same = sa.and_(
        media.c.message_id == attachments.c.message_id,
        media.c.media_id == attachments.c.media_id,
        attachments.c.media_id != "",
    )
    file = (media.c.id.label("file_id"), media.c.state.label("file_state"), media.c.content_type.label("file_type"))
    mine = sa.and_(attachments.c.conversation_id == conversation_id, attachments.c.case_id == case_id)
    joined = attachments.outerjoin(media, same)
    return mappings(conn, sa.select(attachments, *file).select_from(joined).where(mine).order_by(attachments.c.id))
