"""What we say: a row first, then a call (laws 4 to 8)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import (
    Json,
    Row,
    among,
    community_column,
    fixed,
    id_column,
    insert_once,
    mappings,
    metadata,
    one,
    part_index,
    reference,
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
    reference("origin_id", "outbox.id"),
    reference("reply_to", "messages.id"),
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
    sa.Column("case_id", sa.Uuid),
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
    sa.Column("dedupe_key", sa.Text),
    sa.Column("moment", sa.Text),
    sa.Column("values", Json),
    sa.Column("joined_id", sa.Uuid),
    sa.Column("part_of", sa.Uuid),
    sa.Index("ix_outbox_conversation_id_id", "conversation_id", "id"),
    part_index("ix_outbox_queued", "due_at", "id", where="status = 'queued'"),
    part_index("ix_outbox_in_flight", "identity_id", "lane", "id", where="status IN ('queued', 'sending')"),
    part_index("ix_outbox_parked", "conversation_id", "identity_id", where="status = 'waiting'"),
    part_index("ix_outbox_provider", "channel", "account", "provider_id", where="provider_id IS NOT NULL"),
    part_index("ix_outbox_pushed", "identity_id", "sent_at", where="route = 'push'"),
    part_index("ix_outbox_origin_id", "origin_id", where="origin_id IS NOT NULL"),
    part_index("ix_outbox_reply_to", "reply_to", where="route = 'passive'"),
    part_index("ix_outbox_case_id", "case_id", where="case_id IS NOT NULL"),
    part_index("ix_outbox_unasked", "conversation_id", "sent_at", where="lane >= 2"),
    part_index("ix_outbox_joined_id", "joined_id", where="joined_id IS NOT NULL"),
    part_index("uq_outbox_dedupe_key", "dedupe_key", where="dedupe_key IS NOT NULL", unique=True),
)  # fmt: skip
"""`origin_id`: the row whose text this one carries by another way, or once more. `joined_id`: the message that carried
this text together with others. `part_of`: the first piece of a text too long for one message. `moment` and `values`:
what an approved text tells instead. `route`: push, passive, template (by an approved text, which needs no window), or
joined (it went as a part of another row)."""

EMERGENCY, DIALOGUE, PROGRESS, NOTICE = range(4)
"""Lanes: a lower number overtakes."""

HINT = "answer_waits"
"""The kind of a row that says that another one waits for the resident to write."""
JOINED = "joined"
"""The kind of a row that carries the texts of others, and the route of those."""

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


_NOW = sa.bindparam("now", type_=outbox.c.due_at.type)
_MOST = sa.bindparam("most", type_=sa.Integer)


def _heads() -> sa.Select[Any]:
    earlier = outbox.alias("earlier")
    before = sa.and_(
        earlier.c.identity_id == outbox.c.identity_id, earlier.c.lane == outbox.c.lane, earlier.c.id < outbox.c.id
    )
    blocked = sa.exists().where(before, fixed(earlier.c.status, *IN_FLIGHT))
    free = sa.or_(outbox.c.lease_until.is_(None), outbox.c.lease_until < _NOW)
    return (
        sa.select(outbox.c.id)
        .where(fixed(outbox.c.status, "queued"), outbox.c.due_at <= _NOW, free, ~blocked)
        .order_by(outbox.c.lane, outbox.c.id)
        .limit(_MOST)
        .with_for_update(skip_locked=True, of=outbox)
    )


_HEADS = _heads()
_CLAIMED = sa.select(outbox).where(among(outbox.c.id, "ids")).order_by(outbox.c.lane, outbox.c.id)


def claim(
    conn: sa.Connection, now: datetime, limit: int, lease: timedelta, paused: Sequence[tuple[str, str]] = ()
) -> list[Row]:
    """Lease the heads: the first queued row of each recipient and lane, higher lanes first.

    A row is a head when nothing before it in its lane is queued or being sent; final, waiting and unknown rows block
    nobody.
    Rows of `paused` accounts (channel, account) stay where they are.
    """
    heads = _HEADS
    for channel, account in paused:
        heads = heads.where(sa.or_(outbox.c.channel != channel, outbox.c.account != account))
    ids = list(conn.execute(heads, {"now": now, "most": limit}).scalars())
    if not ids:
        return []
    conn.execute(sa.update(outbox).where(outbox.c.id.in_(sorted(ids))).values(lease_until=now + lease))
    return mappings(conn, _CLAIMED, ids=ids)


def begin_sending(conn: sa.Connection, ids: Sequence[UUID], now: datetime, lease: timedelta) -> set[UUID]:
    """Turn leased rows to `sending` where the fence still holds (law 8); the ids that may be sent now.

    Fenced rows whose number is out of date are cancelled: nothing of them went out.
    """
    if not ids:
        return set()
    number = sa.select(conversations.c.fence).where(conversations.c.id == outbox.c.conversation_id).scalar_subquery()
    mine = outbox.c.id.in_(sorted(ids)) & (fixed(outbox.c.status, "queued"))
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


def cancel_held(conn: sa.Connection, row_ids: Sequence[UUID], now: datetime) -> bool:
    """Cancel rows that are held back and not due yet; False where one of them has gone out or is about to."""
    held = outbox.c.id.in_(sorted(row_ids)) & (outbox.c.status == "queued") & (outbox.c.due_at > now)
    values = {
        "status": "cancelled",
        "lease_until": None,
        "settled_at": now,
        "error": "read together with what followed",
    }
    return conn.execute(sa.update(outbox).where(held).values(**values)).rowcount > 0


def still_sending(conn: sa.Connection, conversation_id: UUID) -> int:
    """How many fenced rows are on their way to the provider at this moment."""
    statement = sa.select(sa.func.count()).where(
        outbox.c.conversation_id == conversation_id, outbox.c.fence.is_not(None), fixed(outbox.c.status, "sending")
    )
    return int(conn.execute(statement).scalar_one())


_OPEN = sa.or_(fixed(outbox.c.status, "sending"), outbox.c.status == "unknown")
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
    """End the attempt of a row that is being sent: failed, unknown, waiting, or cancelled where it goes another way."""
    values: Row = {"status": status, "lease_until": None, "error": error}
    if status != "waiting":
        values["settled_at"] = now
    if status in {"waiting", "cancelled"}:  # nothing went out for certain
        values["sent_at"] = None
    conn.execute(sa.update(outbox).where(outbox.c.id == row_id, fixed(outbox.c.status, *IN_FLIGHT)).values(**values))


def again(conn: sa.Connection, row_id: UUID, due_at: datetime, error: str, *, throttled: bool) -> None:
    """Put a row back: nothing of it went out. Being throttled does not count as an attempt (law 6)."""
    attempts = outbox.c.attempts - 1 if throttled else outbox.c.attempts
    statement = sa.update(outbox).where(outbox.c.id == row_id, fixed(outbox.c.status, "sending"))
    conn.execute(
        statement.values(status="queued", due_at=due_at, lease_until=None, sent_at=None, error=error, attempts=attempts)
    )


def unpark(conn: sa.Connection, wrote: Sequence[tuple[UUID, UUID]], now: datetime) -> int:
    """Residents wrote, each in a conversation from an identity: what waited for that goes out now, in its order."""
    if not wrote:
        return 0
    statement = sa.update(outbox).where(
        outbox.c.conversation_id.in_(sorted(conversation_id for conversation_id, _ in wrote)),
        outbox.c.identity_id.in_(sorted(identity_id for _, identity_id in wrote)),
        fixed(outbox.c.status, "waiting"),
    )
    return conn.execute(statement.values(status="queued", due_at=now)).rowcount


def by_key(conn: sa.Connection, key: str) -> Row | None:
    """The row with this dedupe key."""
    return one(conn, sa.select(outbox).where(outbox.c.dedupe_key == key))


def passive_to_push(conn: sa.Connection, row_ids: Sequence[UUID], now: datetime) -> None:
    """A passive reply that was not written goes the other way; nothing of it went out. Fenced ones fall with a
    takeover."""
    if not row_ids:
        return
    moved = sa.update(outbox).where(
        outbox.c.id.in_(sorted(row_ids)), fixed(outbox.c.route, "passive"), fixed(outbox.c.status, "sending")
    )
    conn.execute(moved.values(route="push", status="queued", due_at=now, lease_until=None, sent_at=None))


def passive_replies(conn: sa.Connection, message_ids: Sequence[UUID]) -> dict[UUID, Row]:
    """By message, the text that was chosen as its passive reply and has not moved to another way."""
    if not message_ids:
        return {}
    statement = sa.select(outbox.c.id, outbox.c.reply_to, outbox.c.text, outbox.c.status).where(
        outbox.c.reply_to.in_(sorted(message_ids)), fixed(outbox.c.route, "passive")
    )
    return {row["reply_to"]: row for row in mappings(conn, statement)}


def add(conn: sa.Connection, rows: Sequence[Row]) -> None:
    """Insert rows; one whose dedupe key stands already is left out."""
    insert_once(conn, outbox, rows)


def said_before(conn: sa.Connection, channel: str, account: str, limit: int) -> list[Row]:
    """What went both ways over an account, oldest first: address, whether the resident said it, text, time."""
    heard = (
        sa.select(
            messages.c.id,
            identities.c.address,
            sa.true().label("theirs"),
            messages.c.text,
            messages.c.received_at.label("at"),
        )
        .join(identities, identities.c.id == messages.c.identity_id)
        .where(messages.c.channel == channel, messages.c.account == account)
    )
    ours = sa.select(
        outbox.c.id, outbox.c.address, sa.false().label("theirs"), outbox.c.text, outbox.c.sent_at.label("at")
    ).where(
        outbox.c.channel == channel, outbox.c.account == account, outbox.c.route != JOINED,
        outbox.c.status.in_(("accepted", "delivered", "read")),
    )  # fmt: skip
    both = sa.union_all(heard, ours).subquery()
    newest = sa.select(both).order_by(both.c.at.desc(), both.c.id.desc()).limit(limit)
    return mappings(conn, newest)[::-1]


def set_text(conn: sa.Connection, row_id: UUID, text: str) -> None:
    """What a row says was decided at the moment of sending."""
    conn.execute(sa.update(outbox).where(outbox.c.id == row_id).values(text=text, choices=None))


_LAPSED = sa.and_(  # `in flight` says nothing more than `sending`, and lets the small index serve
    fixed(outbox.c.status, *IN_FLIGHT), fixed(outbox.c.status, "sending"), outbox.c.lease_until < _NOW
)


def lapsed(conn: sa.Connection, now: datetime, limit: int) -> list[Row]:
    """Rows that were being sent when their lease ran out: a process died, and nobody knows whether they went out (law
    5)."""
    # What is locked is skipped, not waited for: the order of these locks does not matter.
    statement = sa.select(outbox).where(_LAPSED).limit(limit).with_for_update(skip_locked=True, of=outbox)
    return sorted(mappings(conn, statement, now=now), key=lambda row: str(row["id"]))


_ANY_LAPSED = sa.select(outbox.c.id).where(_LAPSED).limit(1)


def any_lapsed(conn: sa.Connection, now: datetime) -> bool:
    """Whether there is something for `lapsed`, without locking it."""
    return conn.execute(_ANY_LAPSED, {"now": now}).first() is not None


_NEXT_DUE = sa.select(sa.func.min(outbox.c.due_at)).where(fixed(outbox.c.status, "queued"), outbox.c.due_at > _NOW)


def next_due(conn: sa.Connection, now: datetime) -> datetime | None:
    """When the next queued row falls due. What is due already stands behind something whose end will wake us."""
    due: datetime | None = conn.execute(_NEXT_DUE, {"now": now}).scalar_one()
    return due


_QUEUED = sa.select(sa.func.count()).select_from(outbox).where(fixed(outbox.c.status, "queued"))


def queued(conn: sa.Connection) -> int:
    """How many rows wait to be sent."""
    return int(conn.execute(_QUEUED).scalar_one())


def texts_since(conn: sa.Connection, channel: str, account: str, since: datetime) -> list[str]:
    """The texts that an account was given since a moment, and that it may have sent."""
    statement = sa.select(outbox.c.text).where(
        outbox.c.channel == channel, outbox.c.account == account, outbox.c.sent_at >= since, outbox.c.route != JOINED,
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
        if moves_forward(row["status"], status):
            conn.execute(
                sa.update(outbox)
                .where(outbox.c.id == row["id"])
                .values(status=status, error=error, settled_at=now, provider_id=provider_id, lease_until=None)
            )
            return {**row, "status": status}
    return None


def moves_forward(old: str, new: str) -> bool:
    """Whether a receipt may turn one status into another."""
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
