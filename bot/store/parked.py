"""What waits until the resident writes, and what tells them that it does."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import Row, among, fixed, mappings
from bot.store.outbox import HINT, outbox

_WAITING = sa.select(outbox).where(
    among(outbox.c.conversation_id, "conversations"), fixed(outbox.c.status, "waiting")
).order_by(outbox.c.id)  # fmt: skip


def waiting(conn: sa.Connection, conversation_ids: Sequence[UUID]) -> list[Row]:
    """What waits in these conversations until the resident writes."""
    return mappings(conn, _WAITING, conversations=sorted(conversation_ids))


def replace(conn: sa.Connection, row_ids: Sequence[str], now: datetime, error: str) -> None:
    """What waited goes out as another row: these never do."""
    if row_ids:
        mine = sa.update(outbox).where(
            outbox.c.id.in_(sorted(UUID(row_id) for row_id in row_ids)), outbox.c.status == "waiting"
        )
        conn.execute(mine.values(status="cancelled", settled_at=now, error=error))


def cancel_hints(conn: sa.Connection, conversation_ids: Sequence[UUID], now: datetime) -> None:
    """The resident has written: nobody has to tell them any more that an answer waits."""
    mine = sa.update(outbox).where(
        outbox.c.conversation_id.in_(sorted(conversation_ids)), outbox.c.lane >= sa.literal_column("2"),
        outbox.c.sent_at.is_(None), outbox.c.kind == HINT, outbox.c.status == "queued",
    )  # fmt: skip
    values = {"status": "cancelled", "lease_until": None, "settled_at": now, "error": "the resident wrote"}
    conn.execute(mine.values(**values))
