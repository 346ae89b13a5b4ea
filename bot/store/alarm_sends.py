"""What goes out of an alarm beside the console: a row a way, target and rung, in the commit that raises it (law 9).

A row is sent until the provider takes it: an alarm that comes twice is better than one that does not come.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from bot.store.alarms import alarms
from bot.store.base import (
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

alarm_sends = sa.Table(
    "alarm_sends",
    metadata,
    id_column(),
    community_column(),
    reference("alarm_id", "alarms.id", nullable=False),
    sa.Column("way", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("rung", sa.Integer, nullable=False, default=0),
    sa.Column("urgent", sa.Boolean, nullable=False, default=False),
    sa.Column("status", sa.Text, nullable=False, default="queued"),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    when("due_at", nullable=False),
    when("lease_until"),
    when("created_at", nullable=False),
    when("sent_at"),
    when("settled_at"),
    when("link_used_at"),
    words("text"),
    words("provider_id"),
    words("error"),
    sa.UniqueConstraint("alarm_id", "way", "target", "what", "rung"),
    part_index("ix_alarm_sends_queued", "due_at", where="status = 'queued'"),
    part_index("ix_alarm_sends_sending", "lease_until", where="status = 'sending'"),
    comment="`target`: name of the robot, or id of the person. `text`: as it was sent last, without its link.",
)

WAYS = ("robot", "sms")
WHAT = ("raised", "again", "taken")
STATES = ("queued", "sending", "accepted", "failed", "cancelled")

_QUEUED, _SENDING = fixed(alarm_sends.c.status, "queued"), fixed(alarm_sends.c.status, "sending")
_NOW = sa.bindparam("now", type_=alarm_sends.c.due_at.type)


def add(conn: sa.Connection, rows: Sequence[Row]) -> None:
    """Add rows; one that stands already for the same alarm, target and rung is left as it is."""
    insert_once(conn, alarm_sends, rows)


# -- the sender's


_NEXT = (
    sa.union_all(
        sa.select(sa.func.min(alarm_sends.c.due_at).label("at")).where(_QUEUED),
        sa.select(sa.func.min(alarm_sends.c.lease_until)).where(_SENDING),
        sa.select(sa.func.min(alarms.c.raised_at)).where(alarms.c.announced_at.is_(None)),
    )
)  # fmt: skip


def next_due(conn: sa.Connection) -> datetime | None:
    """When there is next something to do: a row is due, a lease has ended, or an alarm has no rows yet."""
    return min((at for at in conn.execute(_NEXT).scalars() if at is not None), default=None)


_UNANNOUNCED = (
    sa.select(alarms)
    .where(alarms.c.announced_at.is_(None))
    .order_by(alarms.c.raised_at, alarms.c.id)
    .limit(50)
    .with_for_update(skip_locked=True)
)


def unannounced(conn: sa.Connection) -> list[Row]:
    """Alarms that were raised where nobody knows of ways: their rows are still to be made."""
    return mappings(conn, _UNANNOUNCED)


def announced(conn: sa.Connection, alarm_ids: Sequence[UUID], now: datetime) -> None:
    """The rows of these alarms are made."""
    conn.execute(sa.update(alarms).where(alarms.c.id.in_(sorted(alarm_ids))).values(announced_at=now))


def release_lapsed(conn: sa.Connection, now: datetime) -> None:
    """A process died over these: they are sent again."""
    lapsed = sa.update(alarm_sends).where(_SENDING, alarm_sends.c.lease_until < now)
    conn.execute(lapsed.values(status="queued", lease_until=None, due_at=now))


_DUE = (
    sa.select(alarm_sends.c.id)
    .where(_QUEUED, alarm_sends.c.due_at <= _NOW)
    .order_by(alarm_sends.c.urgent.desc(), alarm_sends.c.due_at, alarm_sends.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_CLAIMED = (
    sa.select(alarm_sends, *(column.label(f"alarm_{column.name}") for column in alarms.c))
    .join(alarms, alarms.c.id == alarm_sends.c.alarm_id)
    .where(among(alarm_sends.c.id, "ids"))
    .order_by(alarm_sends.c.urgent.desc(), alarm_sends.c.id)
)


def claim(conn: sa.Connection, now: datetime, most: int, lease: timedelta) -> list[Row]:
    """Rows that are due, danger first, with their alarm (`alarm_…`); they are `sending` from now on."""
    ids = list(conn.execute(_DUE, {"now": now, "most": most}).scalars())
    if not ids:
        return []
    begun = sa.update(alarm_sends).where(alarm_sends.c.id.in_(sorted(ids)))
    attempts = alarm_sends.c.attempts + 1
    conn.execute(begun.values(status="sending", lease_until=now + lease, sent_at=now, attempts=attempts))
    return mappings(conn, _CLAIMED, ids=ids)


def set_text(conn: sa.Connection, row_id: UUID, text: str) -> None:
    """What is being said."""
    conn.execute(sa.update(alarm_sends).where(alarm_sends.c.id == row_id).values(text=text))


def settle(
    conn: sa.Connection, row_id: UUID, status: str, now: datetime, *, provider_id: str = "", error: str = ""
) -> None:
    """The end of a row: accepted, failed or cancelled."""
    mine = sa.update(alarm_sends).where(alarm_sends.c.id == row_id, _SENDING)
    conn.execute(
        mine.values(status=status, settled_at=now, lease_until=None, provider_id=provider_id, error=error)
    )  # fmt: skip


def again(conn: sa.Connection, row_id: UUID, due_at: datetime, error: str, *, counts: bool) -> None:
    """Back to the queue. `counts`: as a try."""
    mine = sa.update(alarm_sends).where(alarm_sends.c.id == row_id, _SENDING)
    attempts = alarm_sends.c.attempts if counts else alarm_sends.c.attempts - 1
    conn.execute(mine.values(status="queued", due_at=due_at, lease_until=None, error=error, attempts=attempts))


# -- of an alarm


def cancel_calls(conn: sa.Connection, alarm_id: UUID, now: datetime) -> None:
    """Somebody has it, or it is over: who has not been called yet need not be."""
    mine = sa.update(alarm_sends).where(alarm_sends.c.alarm_id == alarm_id, _QUEUED)
    conn.execute(mine.values(status="cancelled", settled_at=now))


def robots_told(conn: sa.Connection, alarm_id: UUID) -> list[str]:
    """The robots whose group has heard of an alarm, or is hearing of it."""
    statement = (
        sa.select(alarm_sends.c.target)
        .where(
            alarm_sends.c.alarm_id == alarm_id,
            alarm_sends.c.way == "robot",
            alarm_sends.c.what != "taken",
            alarm_sends.c.status.in_(("sending", "accepted")),
        )
        .distinct()
    )
    return sorted(conn.execute(statement).scalars())


def was_accepted(conn: sa.Connection, alarm_id: UUID) -> bool:
    """Whether a provider took a call of this alarm."""
    statement = sa.select(alarm_sends.c.id).where(
        alarm_sends.c.alarm_id == alarm_id, alarm_sends.c.what != "taken", alarm_sends.c.status == "accepted"
    )
    return conn.execute(statement.limit(1)).first() is not None


def of_alarms(conn: sa.Connection, alarm_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """What became of each alarm's rows, in the order they were made."""
    found: dict[UUID, list[Row]] = {}
    if alarm_ids:
        mine = sa.select(alarm_sends).where(among(alarm_sends.c.alarm_id, "alarms")).order_by(alarm_sends.c.id)
        for row in mappings(conn, mine, alarms=list(alarm_ids)):
            found.setdefault(row["alarm_id"], []).append(row)
    return found


# -- links


def get(conn: sa.Connection, row_id: UUID) -> Row | None:
    return one(conn, sa.select(alarm_sends).where(alarm_sends.c.id == row_id))


def use_link(conn: sa.Connection, row_id: UUID, now: datetime) -> bool:
    """The link of this row acknowledges once; whether this was the once."""
    mine = sa.update(alarm_sends).where(alarm_sends.c.id == row_id, alarm_sends.c.link_used_at.is_(None))
    return conn.execute(mine.values(link_used_at=now)).rowcount == 1


def texts_since(conn: sa.Connection, moment: datetime) -> list[str]:
    """What went to staff phones since then, for the bill."""
    mine = sa.select(alarm_sends.c.text).where(
        alarm_sends.c.way == "sms", alarm_sends.c.sent_at >= moment, alarm_sends.c.text != ""
    )
    return list(conn.execute(mine).scalars())


def latest_drill(conn: sa.Connection) -> datetime | None:
    """When the ways were last tried on purpose."""
    latest: datetime | None = conn.execute(
        sa.select(sa.func.max(alarms.c.raised_at)).where(fixed(alarms.c.kind, "drill"))
    ).scalar()
    return latest
