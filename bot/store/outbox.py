"""What we say: a row first, then a call (laws 4 to 8)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import (
    Json,
    Row,
    among,
    community_column,
    id_column,
    insert_new,
    mappings,
    metadata,
    reference,
    value,
    when,
    words,
)
from bot.store.conversations import conversations
from bot.store.messages import messages
from bot.store.residents import identities

outbox = sa.Table(
    "outbox",
    metadata,
    id_column(),
    community_column(),
    reference("conversation_id", "conversations.id", nullable=False),
    reference("identity_id", "identities.id"),
    reference("origin_id", "outbox.id", index=True),
    reference("reply_to", "messages.id", index=True),
    sa.Column("channel", sa.Text, nullable=False, default=""),
    sa.Column("account", sa.Text, nullable=False, default=""),
    sa.Column("address", sa.Text, nullable=False, default=""),
    sa.Column("lane", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("route", sa.Text, nullable=False, default="push"),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("choices", Json),
    sa.Column("without_question", sa.Text),
    sa.Column("fence", sa.Integer),
    reference("author_id", "staff.id"),
    sa.Column("case_kind", sa.Text),
    sa.Column("case_id", sa.Uuid, index=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    when("due_at", nullable=False),
    when("lease_until"),
    when("expires_at"),
    when("created_at", nullable=False),
    when("sent_at"),
    when("settled_at"),
    sa.Column("provider_id", sa.Text),
    words("error"),
    sa.Column("dedupe_key", sa.Text, unique=True),
    sa.Index("ix_outbox_conversation_id_id", "conversation_id", "id"),
    sa.Index("ix_outbox_queued", "due_at", "id", sqlite_where=sa.text("status = 'queued'"),
             postgresql_where=sa.text("status = 'queued'")),
    sa.Index("ix_outbox_in_flight", "identity_id", "lane", "id",
             sqlite_where=sa.text("status IN ('queued', 'sending')"),
             postgresql_where=sa.text("status IN ('queued', 'sending')")),
    sa.Index("ix_outbox_parked", "conversation_id", sqlite_where=sa.text("status = 'waiting'"),
             postgresql_where=sa.text("status = 'waiting'")),
    sa.Index("ix_outbox_provider", "channel", "account", "provider_id", sqlite_where=sa.text("provider_id IS NOT NULL"),
             postgresql_where=sa.text("provider_id IS NOT NULL")),
    sa.Index("ix_outbox_sent_at", "identity_id", "sent_at", sqlite_where=sa.text("sent_at IS NOT NULL"),
             postgresql_where=sa.text("sent_at IS NOT NULL")),
)  # fmt: skip

EMERGENCY, DIALOGUE, PROGRESS, NOTICE = range(4)
"""Lanes: a lower number overtakes."""

STATUSES = (
    "waiting",
    "queued",
    "sending",
    "accepted",
    "delivered",
    "read",
    "failed",
    "expired",
    "cancelled",
    "unknown",
)
FINAL = ("read", "failed", "expired", "cancelled")
IN_FLIGHT = ("queued", "sending")

_RANK = {"accepted": 1, "delivered": 2, "read": 3}


def claim(
    conn: sa.Connection, now: datetime, limit: int, lease: timedelta, paused: Sequence[tuple[str, str]] = ()
) -> list[Row]:
    """Lease the heads: the first queued row of each recipient and lane, higher lanes first.

    A row is a head when nothing before it in its lane is queued or being sent; final, waiting and unknown rows block
    nobody.
    Rows of `paused` accounts (channel, account) stay where they are.
    """
    earlier = outbox.alias("earlier")
    blocked = (
        sa.exists()
        .where(
            earlier.c.identity_id == outbox.c.identity_id, earlier.c.lane == outbox.c.lane, earlier.c.id < outbox.c.id
        )
        .where(earlier.c.status.in_(IN_FLIGHT))
    )
    free = sa.or_(outbox.c.lease_until.is_(None), outbox.c.lease_until < now)
    heads = (
        sa.select(outbox.c.id)
        .where(outbox.c.status == "queued", outbox.c.due_at <= now, free, ~blocked)
        .order_by(outbox.c.lane, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=outbox)
    )
    for channel, account in paused:
        heads = heads.where(sa.or_(outbox.c.channel != channel, outbox.c.account != account))
    ids = list(conn.execute(heads).scalars())
    if not ids:
        return []
    conn.execute(sa.update(outbox).where(outbox.c.id.in_(sorted(ids))).values(lease_until=now + lease))
    return mappings(conn, sa.select(outbox).where(outbox.c.id.in_(ids)).order_by(outbox.c.lane, outbox.c.id))


def begin_sending(conn: sa.Connection, ids: Sequence[UUID], now: datetime, lease: timedelta) -> set[UUID]:
    """Turn leased rows to `sending` where the fence still holds (law 8); the ids that may be sent now.

    Fenced rows whose number is out of date are cancelled: nothing of them went out.
    """
    if not ids:
        return set()
    number = sa.select(conversations.c.fence).where(conversations.c.id == outbox.c.conversation_id).scalar_subquery()
    mine = outbox.c.id.in_(sorted(ids)) & (outbox.c.status == "queued")
    holds = sa.or_(outbox.c.fence.is_(None), outbox.c.fence == number)
    begun = (
        sa.update(outbox)
        .where(mine, holds)
        .values(status="sending", lease_until=now + lease, sent_at=now, attempts=outbox.c.attempts + 1)
        .returning(outbox.c.id)
    )
    started = set(conn.execute(begun).scalars())
    stale = sa.update(outbox).where(mine, outbox.c.fence.is_not(None), outbox.c.fence != number)
    conn.execute(stale.values(status="cancelled", lease_until=None, settled_at=now, error="taken over"))
    return started


def cancel_fenced(conn: sa.Connection, conversation_id: UUID, now: datetime) -> None:
    """Cancel what the desk meant to say here and has not begun to send: answers, questions, buttons."""
    statement = sa.update(outbox).where(
        outbox.c.conversation_id == conversation_id,
        outbox.c.fence.is_not(None),
        outbox.c.status.in_(("queued", "waiting")),
    )
    conn.execute(statement.values(status="cancelled", lease_until=None, settled_at=now, error="taken over"))


def still_sending(conn: sa.Connection, conversation_id: UUID) -> int:
    """How many fenced rows are on their way to the provider at this moment."""
    statement = sa.select(sa.func.count()).where(
        outbox.c.conversation_id == conversation_id, outbox.c.fence.is_not(None), outbox.c.status == "sending"
    )
    return int(conn.execute(statement).scalar_one())


_OPEN = sa.or_(outbox.c.status == "sending", outbox.c.status == "unknown")
_TAKEN = (
    sa.update(outbox)
    .where(among(outbox.c.id, "ids"), _OPEN)
    .values(status="accepted", lease_until=None, settled_at=sa.bindparam("at", type_=outbox.c.settled_at.type))
)
_TAKEN_AS = (
    sa.update(outbox)
    .where(outbox.c.id == sa.bindparam("row", type_=sa.Uuid), _OPEN)
    .values(
        status="accepted",
        provider_id=sa.bindparam("named", type_=sa.Text),
        lease_until=None,
        settled_at=sa.bindparam("at", type_=outbox.c.settled_at.type),
    )
)


def accepted(conn: sa.Connection, results: Sequence[tuple[UUID, str | None]], now: datetime) -> None:
    """The provider took these rows. A receipt that came first is not stepped back from."""
    nameless = sorted(row_id for row_id, named in results if named is None)
    if nameless:
        conn.execute(_TAKEN, {"ids": nameless, "at": now})
    rows = [{"row": row_id, "named": named, "at": now} for row_id, named in results if named is not None]
    if rows:
        conn.execute(_TAKEN_AS, sorted(rows, key=lambda row: str(row["row"])))


def settle(conn: sa.Connection, row_id: UUID, status: str, now: datetime, error: str) -> None:
    """End the attempt of a row that is being sent: failed, unknown or waiting."""
    values: Row = {"status": status, "lease_until": None, "error": error}
    if status in {"failed", "unknown", "expired"}:
        values["settled_at"] = now
    if status == "waiting":
        values["sent_at"] = None
    conn.execute(sa.update(outbox).where(outbox.c.id == row_id, outbox.c.status.in_(IN_FLIGHT)).values(**values))


def again(conn: sa.Connection, row_id: UUID, due_at: datetime, error: str, *, throttled: bool) -> None:
    """Put a row back: nothing of it went out. Being throttled does not count as an attempt (law 6)."""
    attempts = outbox.c.attempts - 1 if throttled else outbox.c.attempts
    statement = sa.update(outbox).where(outbox.c.id == row_id, outbox.c.status == "sending")
    conn.execute(
        statement.values(status="queued", due_at=due_at, lease_until=None, sent_at=None, error=error, attempts=attempts)
    )


def unpark(conn: sa.Connection, identity_ids: Sequence[UUID], now: datetime) -> int:
    """The resident wrote: what waited for that goes out now, in its order."""
    if not identity_ids:
        return 0
    statement = sa.update(outbox).where(outbox.c.identity_id.in_(sorted(identity_ids)), outbox.c.status == "waiting")
    return conn.execute(statement.values(status="queued", due_at=now)).rowcount


def passive_to_push(conn: sa.Connection, row_ids: Sequence[UUID], now: datetime) -> None:
    """A passive reply that was not written goes the other way; nothing of it went out. Fenced ones fall with a
    takeover."""
    if not row_ids:
        return
    moved = sa.update(outbox).where(
        outbox.c.id.in_(sorted(row_ids)), outbox.c.route == "passive", outbox.c.status == "sending"
    )
    conn.execute(moved.values(route="push", status="queued", due_at=now, lease_until=None, sent_at=None))


def passive_replies(conn: sa.Connection, message_ids: Sequence[UUID]) -> dict[UUID, Row]:
    """By message, the text that was chosen as its passive reply and has not moved to another way."""
    if not message_ids:
        return {}
    statement = sa.select(outbox.c.id, outbox.c.reply_to, outbox.c.text, outbox.c.status).where(
        outbox.c.reply_to.in_(sorted(message_ids)), outbox.c.route == "passive"
    )
    return {row["reply_to"]: row for row in mappings(conn, statement)}


def add(conn: sa.Connection, rows: Sequence[Row]) -> None:
    """Insert rows; one whose dedupe key stands already is left out."""
    insert_new(conn, outbox, rows)


def said_before(conn: sa.Connection, channel: str, account: str, limit: int) -> list[Row]:
    """What went both ways over an account, oldest first: address, whether the resident said it, text, time."""
    heard = (
        sa.select(identities.c.address, sa.true().label("theirs"), messages.c.text, messages.c.received_at.label("at"))
        .join(identities, identities.c.id == messages.c.identity_id)
        .where(messages.c.channel == channel, messages.c.account == account)
    )
    ours = sa.select(
        outbox.c.address, sa.false().label("theirs"), outbox.c.text, outbox.c.settled_at.label("at")
    ).where(
        outbox.c.channel == channel, outbox.c.account == account, outbox.c.status.in_(("accepted", "delivered", "read"))
    )
    both = sa.union_all(heard, ours).subquery()
    newest = sa.select(both).order_by(both.c.at.desc()).limit(limit)
    return mappings(conn, newest)[::-1]


def set_text(conn: sa.Connection, row_id: UUID, text: str) -> None:
    """What a row says was decided at the moment of sending."""
    conn.execute(sa.update(outbox).where(outbox.c.id == row_id).values(text=text, choices=None))


def lapsed(conn: sa.Connection, now: datetime, limit: int) -> list[Row]:
    """Rows that were being sent when their lease ran out: a process died, and nobody knows whether they went out (law
    5)."""
    statement = (
        sa.select(outbox)
        .where(outbox.c.status == "sending", outbox.c.lease_until < now)
        .order_by(outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=outbox)
    )
    return mappings(conn, statement)


def any_lapsed(conn: sa.Connection, now: datetime) -> bool:
    """Whether there is something for `lapsed`, without locking it."""
    found = sa.select(outbox.c.id).where(outbox.c.status == "sending", outbox.c.lease_until < now).limit(1)
    return conn.execute(found).first() is not None


def next_due(conn: sa.Connection, now: datetime) -> datetime | None:
    """When the next queued row falls due. What is due already stands behind something whose end will wake us."""
    later = sa.select(sa.func.min(outbox.c.due_at)).where(outbox.c.status == "queued", outbox.c.due_at > now)
    due: datetime | None = value(conn, later)
    return due


def pushed_since(conn: sa.Connection, identity_id: UUID, since: datetime) -> int:
    """How many messages were pushed to an address since a moment: what is used of its window (law 7)."""
    statement = sa.select(sa.func.count()).where(
        outbox.c.identity_id == identity_id,
        outbox.c.route == "push",
        outbox.c.sent_at >= since,
        outbox.c.status.in_(("sending", "accepted", "delivered", "read", "unknown")),
    )
    return int(conn.execute(statement).scalar_one())


def texts_since(conn: sa.Connection, channel: str, account: str, since: datetime) -> list[str]:
    """The texts that an account was given since a moment, and that it may have sent."""
    statement = sa.select(outbox.c.text).where(
        outbox.c.channel == channel, outbox.c.account == account, outbox.c.sent_at >= since,
        outbox.c.status.in_(("accepted", "delivered", "read", "unknown")),
    )  # fmt: skip
    return list(conn.execute(statement).scalars())


def receipt(
    conn: sa.Connection, channel: str, account: str, provider_id: str, status: str, error: str, now: datetime,
    *, row_id: UUID | None = None,
) -> Row | None:  # fmt: skip
    """Apply a receipt: accepted, delivered, read only move forward, `unknown` may turn to any. The row that moved, or
    None.

    `row_id`: where the provider carries it, a receipt finds its row before the provider's name for it is known, and
    after a send whose outcome was not.
    """
    named = outbox.c.provider_id == provider_id
    mine = sa.or_(named, sa.and_(outbox.c.id == row_id, outbox.c.provider_id.is_(None))) if row_id else named
    found = sa.select(outbox).where(outbox.c.channel == channel, outbox.c.account == account, mine)
    rows = mappings(conn, found.with_for_update(of=outbox))
    for row in rows:
        if _forward(row["status"], status):
            conn.execute(
                sa.update(outbox)
                .where(outbox.c.id == row["id"])
                .values(status=status, error=error, settled_at=now, provider_id=provider_id, lease_until=None)
            )
            return {**row, "status": status}
    return None


def _forward(old: str, new: str) -> bool:
    if old in FINAL:
        return False
    if new == "failed":
        return old in {"sending", "accepted", "unknown"}
    return _RANK.get(new, 0) > _RANK.get(old, 0)


def reachable_identity(conn: sa.Connection, resident_id: UUID) -> Row | None:
    """The address that a resident was last heard from or, failing that, the newest one that still takes messages."""
    statement = (
        sa.select(identities, (conversations.c.last_identity_id == identities.c.id).label("last"))
        .join(conversations, conversations.c.resident_id == identities.c.resident_id)
        .where(identities.c.resident_id == resident_id, identities.c.reachable)
        .order_by(sa.desc("last"), identities.c.id.desc())
        .limit(1)
    )
    rows = mappings(conn, statement)
    return rows[0] if rows else None
