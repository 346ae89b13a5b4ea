"""Alarms: a person has to hear of it now; and call tasks: a person has to phone somebody."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import (
    Row,
    among,
    community_column,
    id_column,
    insert_new,
    mappings,
    metadata,
    one,
    part_index,
    reference,
    when,
    words,
)
from bot.store.residents import residents
from bot.store.staff import staff

alarms = sa.Table(
    "alarms",
    metadata,
    id_column(),
    community_column(),
    sa.Column("kind", sa.Text, nullable=False),
    reference("conversation_id", "conversations.id", index=True),
    sa.Column("case_kind", sa.Text),
    sa.Column("case_id", sa.Uuid),
    words("summary"),
    sa.Column("rung", sa.Integer, nullable=False, default=0),
    when("raised_at", nullable=False),
    when("acknowledge_by"),
    reference("acknowledged_by", "staff.id"),
    when("acknowledged_at"),
    reference("closed_by", "staff.id"),
    when("closed_at"),
    words("closing_note"),
    sa.Column("dedupe_key", sa.Text, unique=True),
    when("announced_at"),
    part_index("ix_alarms_unannounced", "raised_at", where="announced_at IS NULL"),
    part_index("ix_alarms_drills", "raised_at", where="kind = 'drill'"),
    part_index("ix_alarms_open", "raised_at", where="closed_at IS NULL"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    id_column(),
    reference("alarm_id", "alarms.id", nullable=False, index=True),
    reference("staff_id", "staff.id", nullable=False, index=True),
    sa.Column("rung", sa.Integer, nullable=False),
    when("at", nullable=False),
    when("shown_at"),
    sa.UniqueConstraint("alarm_id", "staff_id", "rung"),
    comment="Whom an alarm was addressed to, and when it stood on an open console of theirs.",
)

call_tasks = sa.Table(
    "call_tasks",
    metadata,
    id_column(),
    community_column(),
    reference("conversation_id", "conversations.id", index=True),
    reference("resident_id", "residents.id"),
    sa.Column("case_kind", sa.Text),
    sa.Column("case_id", sa.Uuid),
    sa.Column("kind", sa.Text, nullable=False),
    words("phone"),
    words("text"),
    when("due_at", nullable=False),
    reference("owner_id", "staff.id"),
    sa.Column("state", sa.Text, nullable=False, default="open"),
    words("result"),
    reference("done_by", "staff.id"),
    when("done_at"),
    when("created_at", nullable=False),
    sa.Column("dedupe_key", sa.Text, unique=True),
    sa.Column("reason", sa.Text),
    part_index("ix_call_tasks_open", "due_at", where="state = 'open'"),
)

follow_ups = sa.Table(
    "follow_ups",
    metadata,
    id_column(),
    community_column(),
    sa.Column("case_kind", sa.Text, nullable=False),
    sa.Column("case_id", sa.Uuid, nullable=False, index=True),
    reference("resident_id", "residents.id", nullable=False),
    reference("call_task_id", "call_tasks.id"),
    reference("not_by_id", "staff.id"),
    when("due_at", nullable=False),
    sa.Column("state", sa.Text, nullable=False, default="open"),
    sa.Column("answer", sa.Text),
    words("words"),
    when("created_at", nullable=False),
    when("done_at"),
    sa.UniqueConstraint("case_kind", "case_id"),
    comment="A satisfaction callback; never by the one who did the work.",
)


def raise_once(conn: sa.Connection, row: Row) -> bool:
    """Raise an alarm unless one with the same dedupe key stands; whether it is new."""
    return bool(insert_new(conn, alarms, [row]))


def is_standing(conn: sa.Connection, prefix: str) -> bool:
    """Whether an alarm whose key begins so is open."""
    return conn.execute(sa.select(alarms.c.id).where(_open_with(prefix)).limit(1)).first() is not None


def close_standing(conn: sa.Connection, prefix: str, note: str, now: datetime) -> None:
    """What these alarms told of is over; nobody had to see to it."""
    conn.execute(sa.update(alarms).where(_open_with(prefix)).values(closed_at=now, closing_note=note))


def close_older(conn: sa.Connection, prefix: str, note: str, before: datetime, now: datetime) -> None:
    """As `close_standing`, for those that were raised before a moment."""
    old = sa.update(alarms).where(_open_with(prefix), alarms.c.raised_at < before)
    conn.execute(old.values(closed_at=now, closing_note=note))


def _open_with(prefix: str) -> sa.ColumnElement[bool]:
    return sa.and_(alarms.c.closed_at.is_(None), alarms.c.dedupe_key.startswith(prefix, autoescape=True))


def standing(conn: sa.Connection, communities: Sequence[UUID] | None) -> list[Row]:
    """Alarms that are not closed, newest first, with the name of who has them."""
    statement = (
        sa.select(alarms, staff.c.name.label("acknowledged_name"))
        .outerjoin(staff, staff.c.id == alarms.c.acknowledged_by)
        .where(alarms.c.closed_at.is_(None))
        .order_by(alarms.c.raised_at.desc())
        .limit(50)
    )
    if communities is not None:
        statement = statement.where(alarms.c.community_id.in_(communities))
    return mappings(conn, statement)


def get(conn: sa.Connection, alarm_id: UUID) -> Row | None:
    return one(conn, sa.select(alarms).where(alarms.c.id == alarm_id))


_EMERGENCIES = (
    sa.select(alarms)
    .where(among(alarms.c.conversation_id, "conversations"), alarms.c.closed_at.is_(None), alarms.c.kind == "emergency")
    .order_by(alarms.c.id)
)


def of_conversations(conn: sa.Connection, conversation_ids: Sequence[UUID]) -> dict[UUID, Row]:
    """The emergency that stands in each conversation."""
    rows = mappings(conn, _EMERGENCIES, conversations=conversation_ids) if conversation_ids else []
    return {row["conversation_id"]: row for row in rows}


def mark_shown(conn: sa.Connection, alarm_ids: Sequence[UUID], staff_id: UUID, now: datetime) -> None:
    """These alarms stand on an open console of this person."""
    statement = sa.update(alerts).where(
        alerts.c.alarm_id.in_(sorted(alarm_ids)), alerts.c.staff_id == staff_id, alerts.c.shown_at.is_(None)
    )
    conn.execute(statement.values(shown_at=now))


def shown_to(conn: sa.Connection, alarm_id: UUID) -> set[UUID]:
    """Who of those addressed has had the alarm on an open console."""
    found = sa.select(alerts.c.staff_id).where(alerts.c.alarm_id == alarm_id, alerts.c.shown_at.is_not(None))
    return set(conn.execute(found).scalars())


def addressed(conn: sa.Connection, alarm_id: UUID) -> set[UUID]:
    """Everybody an alarm was addressed to, at any rung."""
    return set(conn.execute(sa.select(alerts.c.staff_id).where(alerts.c.alarm_id == alarm_id)).scalars())


def add_task(conn: sa.Connection, row: Row) -> bool:
    """Add a call task unless one with the same dedupe key stands; whether it is new."""
    return bool(insert_new(conn, call_tasks, [row]))


def open_tasks(conn: sa.Connection, communities: Sequence[UUID] | None, limit: int = 200) -> list[Row]:
    """Call tasks still to be done, most urgent first."""
    statement = (
        sa.select(call_tasks, residents.c.name.label("resident_name"))
        .outerjoin(residents, residents.c.id == call_tasks.c.resident_id)
        .where(call_tasks.c.state == "open")
        .order_by(call_tasks.c.due_at)
        .limit(limit)
    )
    if communities is not None:
        statement = statement.where(call_tasks.c.community_id.in_(communities))
    return mappings(conn, statement)


def get_task(conn: sa.Connection, task_id: UUID) -> Row | None:
    return one(conn, sa.select(call_tasks).where(call_tasks.c.id == task_id))


def for_person(
    conn: sa.Connection, communities: Sequence[UUID] | None, staff_id: UUID, *, closed: bool, limit: int = 50
) -> list[Row]:
    """Alarms of these communities (None: of all) and those addressed to this person, newest first; `unshown`: not yet
    on their console."""
    mine = sa.exists().where(alerts.c.alarm_id == alarms.c.id, alerts.c.staff_id == staff_id).correlate(alarms)
    taker, closer = staff.alias("taker"), staff.alias("closer")
    statement = (
        sa.select(
            alarms,
            taker.c.name.label("acknowledged_name"),
            closer.c.name.label("closed_name"),
            (mine & sa.exists().where(
                alerts.c.alarm_id == alarms.c.id, alerts.c.staff_id == staff_id, alerts.c.shown_at.is_(None)
            ).correlate(alarms)).label("unshown"),
        )
        .outerjoin(taker, taker.c.id == alarms.c.acknowledged_by)
        .outerjoin(closer, closer.c.id == alarms.c.closed_by)
        .where(alarms.c.closed_at.is_not(None) if closed else alarms.c.closed_at.is_(None))
        .order_by(alarms.c.raised_at.desc())
        .limit(limit)
    )  # fmt: skip
    if communities is not None:
        statement = statement.where(sa.or_(alarms.c.community_id.in_(communities), mine))
    return mappings(conn, statement)


def addressed_to(conn: sa.Connection, alarm_id: UUID, staff_id: UUID) -> bool:
    found = sa.select(alerts.c.id).where(alerts.c.alarm_id == alarm_id, alerts.c.staff_id == staff_id)
    return conn.execute(found).first() is not None


def acknowledge(conn: sa.Connection, alarm_id: UUID, staff_id: UUID, now: datetime) -> bool:
    """This person has it, unless somebody was first. For alarms of no conversation; the others go through their
    workflow."""
    statement = sa.update(alarms).where(
        alarms.c.id == alarm_id, alarms.c.acknowledged_by.is_(None), alarms.c.closed_at.is_(None)
    )
    return conn.execute(statement.values(acknowledged_by=staff_id, acknowledged_at=now)).rowcount == 1


def close(conn: sa.Connection, alarm_id: UUID, staff_id: UUID, note: str, now: datetime) -> bool:
    """Close an alarm of no conversation; whether it stood."""
    statement = sa.update(alarms).where(alarms.c.id == alarm_id, alarms.c.closed_at.is_(None))
    return conn.execute(statement.values(closed_by=staff_id, closed_at=now, closing_note=note)).rowcount == 1


def finish_task(conn: sa.Connection, task_id: UUID, staff_id: UUID, result: str, now: datetime) -> bool:
    """A call task is done; whether it was still open."""
    statement = sa.update(call_tasks).where(call_tasks.c.id == task_id, call_tasks.c.state == "open")
    return conn.execute(statement.values(state="done", result=result, done_by=staff_id, done_at=now)).rowcount == 1


def end_tasks(conn: sa.Connection, keys: Sequence[str], result: str, now: datetime) -> None:
    """The reason of these call tasks is gone."""
    if keys:
        mine = sa.update(call_tasks).where(call_tasks.c.dedupe_key.in_(sorted(keys)), call_tasks.c.state == "open")
        conn.execute(mine.values(state="done", result=result, done_at=now))


def is_asked(conn: sa.Connection, key: str) -> bool:
    """Whether the call task of this key is open."""
    found = sa.select(call_tasks.c.id).where(call_tasks.c.dedupe_key == key, call_tasks.c.state == "open")
    return conn.execute(found).first() is not None


def stands(conn: sa.Connection, keys: Sequence[str]) -> bool:
    """Whether an alarm or a call task of these keys is open."""
    alarm = sa.select(alarms.c.id).where(alarms.c.dedupe_key.in_(sorted(keys)), alarms.c.closed_at.is_(None))
    return conn.execute(alarm).first() is not None or any(is_asked(conn, key) for key in keys)


def settle(conn: sa.Connection, keys: Sequence[str], staff_id: UUID | None, result: str, now: datetime) -> bool:
    """Close the alarms and end the call tasks of these keys, since a person has done it; whether any stood."""
    standing = sa.and_(alarms.c.dedupe_key.in_(sorted(keys)), alarms.c.closed_at.is_(None))
    taken: Row = {"acknowledged_by": staff_id, "acknowledged_at": now}
    conn.execute(sa.update(alarms).where(standing, alarms.c.acknowledged_by.is_(None)).values(**taken))
    closed = {"closed_by": staff_id, "closed_at": now, "closing_note": result}
    ended = conn.execute(sa.update(alarms).where(standing).values(**closed)).rowcount
    asked = sa.and_(call_tasks.c.dedupe_key.in_(sorted(keys)), call_tasks.c.state == "open")
    done = {"state": "done", "result": result, "done_by": staff_id, "done_at": now}
    return bool(ended + conn.execute(sa.update(call_tasks).where(asked).values(**done)).rowcount)


def bring_forward(conn: sa.Connection, conversation_id: UUID, now: datetime, reason: str) -> None:
    """What a resident was to be told by phone later is told now."""
    mine = sa.update(call_tasks).where(
        call_tasks.c.conversation_id == conversation_id, call_tasks.c.kind == "tell", call_tasks.c.state == "open",
        call_tasks.c.due_at > now,
    )  # fmt: skip
    conn.execute(mine.values(due_at=now, reason=reason))


def follow_up_of(conn: sa.Connection, task_id: UUID) -> Row | None:
    """The satisfaction callback that a call task was made for."""
    return one(conn, sa.select(follow_ups).where(follow_ups.c.call_task_id == task_id))
