"""The message budget (desk.md section 13): what was said unasked, what is still to be, and what goes as one message."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import Row, among, fixed, mappings
from bot.store.conversations import conversations
from bot.store.outbox import JOINED, moves_forward, outbox, settle

_UNASKED = outbox.c.lane >= sa.literal_column("2")
"""Progress and notices, in the words of their index."""

_SAID_UNASKED = (
    sa.select(sa.func.max(outbox.c.sent_at))
    .where(
        outbox.c.conversation_id == conversations.c.id, _UNASKED,
        outbox.c.sent_at >= sa.bindparam("since", type_=outbox.c.sent_at.type),
        outbox.c.status.in_(("sending", "accepted", "delivered", "read", "unknown")),
    )
    .scalar_subquery()
)  # fmt: skip
_BUDGET = sa.select(
    conversations.c.id,
    conversations.c.last_identity_id,
    conversations.c.last_inbound_at,
    _SAID_UNASKED.label("said_at"),
).where(among(conversations.c.id, "conversations"))


class Budget(NamedTuple):
    """What decides whether a resident may hear something unasked."""

    last_identity_id: UUID | None
    last_inbound_at: datetime | None
    said_at: datetime | None


def budgets(conn: sa.Connection, conversation_ids: Sequence[UUID], since: datetime) -> Mapping[UUID, Budget]:
    """When these residents last wrote, and when they last heard something unasked since a moment."""
    found = conn.execute(_BUDGET, {"conversations": sorted(conversation_ids), "since": since})
    return {row.id: Budget(row.last_identity_id, row.last_inbound_at, row.said_at) for row in found}


_HELD = (
    sa.select(outbox)
    .where(
        among(outbox.c.conversation_id, "conversations"), _UNASKED, outbox.c.sent_at.is_(None),
        outbox.c.status == "queued",
        sa.or_(
            outbox.c.lease_until.is_(None), outbox.c.lease_until < sa.bindparam("now", type_=outbox.c.due_at.type),
            among(outbox.c.id, "claimed"),
        ),
    )
    .order_by(outbox.c.id)
    .with_for_update(skip_locked=True, of=outbox)
)  # fmt: skip


def held(conn: sa.Connection, conversation_ids: Sequence[UUID], claimed: Sequence[UUID], now: datetime) -> list[Row]:
    """All that is still to be said unasked in these conversations and that nobody else is about to send."""
    ids = sorted(conversation_ids)
    return mappings(conn, _HELD, conversations=ids, claimed=sorted(claimed), now=now)


_MEMBERS = (
    sa.select(outbox).where(among(outbox.c.joined_id, "joined"), outbox.c.joined_id.is_not(None)).order_by(outbox.c.id)
)


def members(conn: sa.Connection, joined_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The texts that each of these messages carries."""
    found: dict[UUID, list[Row]] = {}
    for row in mappings(conn, _MEMBERS, joined=sorted(joined_ids)):
        found.setdefault(row["joined_id"], []).append(row)
    return found


def put_off(conn: sa.Connection, row_ids: Sequence[UUID], due_at: datetime) -> None:
    """Claimed rows that go later; nothing of them was tried."""
    if row_ids:
        mine = sa.update(outbox).where(outbox.c.id.in_(sorted(row_ids)), fixed(outbox.c.status, "queued"))
        conn.execute(mine.values(due_at=due_at, lease_until=None))


def join(conn: sa.Connection, row_ids: Sequence[UUID], carrier: Row, now: datetime) -> None:
    """These texts go as parts of another row, to its address and with its outcome."""
    values = {name: carrier[name] for name in ("identity_id", "channel", "account", "address", "lease_until")}
    mine = sa.update(outbox).where(outbox.c.id.in_(sorted(row_ids)))
    conn.execute(
        mine.values(
            **values, joined_id=carrier["id"], route=JOINED, status="sending", sent_at=now,
            attempts=outbox.c.attempts + 1,
        )
    )  # fmt: skip


def part(conn: sa.Connection, row_id: UUID, now: datetime, error: str) -> None:
    """A joined message did not go out: it ends here, and what it carried is on its own again, as if it had been sent
    alone."""
    carried = sa.update(outbox).where(outbox.c.joined_id == row_id, outbox.c.joined_id.is_not(None))
    conn.execute(carried.values(joined_id=None, route="push"))
    settle(conn, row_id, "cancelled", now, error)


def follow(conn: sa.Connection, row_ids: Sequence[UUID], status: str, error: str, now: datetime) -> None:
    """A receipt of a joined message counts for all that it carried."""
    if row_ids:
        older = [name for name in ("sending", "unknown", "accepted", "delivered") if moves_forward(name, status)]
        mine = sa.update(outbox).where(outbox.c.id.in_(sorted(row_ids)), outbox.c.status.in_(older))
        conn.execute(mine.values(status=status, error=error, settled_at=now, lease_until=None))
