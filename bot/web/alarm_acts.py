"""What a person does about an alarm, from the console or by a link: one commit, and whoever heard of it is told."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot import alarm_ways
from bot.desk import Alarm, Desk
from bot.errors import Conflict
from bot.store import alarm_sends, alarms, staff
from bot.store.base import Row
from bot.web.context import Context
from bot.world import Member
from workflows import emergency


async def take(context: Context, row: Row, member: Member, send: Row | None = None) -> None:
    """`member` has it. `send`: by the link of this row, which serves once. Raises `Conflict` where somebody has it."""
    if row["kind"] != alarm_ways.DANGER:
        await context.database.write_urgent(_take, row, member, send, context.clock.now())
        context.database.announce()
        return

    def move(desk: Desk, alarm: Alarm) -> None:
        emergency.acknowledge(desk, alarm, member)
        if send is not None:
            _use(desk.conn, send, desk.now)
            desk.audit("alarm.link", "alarm", alarm.id, _how(send))

    await _act(context, row, member, move)


async def close(context: Context, row: Row, member: Member, note: str) -> None:
    """It is over, with what was done. Raises `Conflict` where it was closed before."""
    if row["kind"] == alarm_ways.DANGER:
        await _act(context, row, member, lambda desk, alarm: emergency.close(desk, alarm, member, note))
        return
    await context.database.write_urgent(_close, row, member, note, context.clock.now())
    context.database.announce()


async def _act(context: Context, row: Row, member: Member, move: Callable[[Desk, Alarm], object]) -> None:
    """An emergency belongs to its conversation, and so does what is done about it."""

    def run(desk: Desk) -> None:
        fresh = alarms.get(desk.conn, row["id"])
        if fresh is None or fresh["closed_at"] is not None:
            raise Conflict("closed_already")
        alarm = desk.alarm if desk.alarm is not None and desk.alarm.id == row["id"] else Alarm.of(fresh)
        move(desk, alarm)
        if staff.audit not in desk.pending.inserts:
            desk.audit("alarm", "alarm", row["id"])

    await context.act(row["conversation_id"], run, member.id)


def _take(conn: sa.Connection, row: Row, member: Member, send: Row | None, now: datetime) -> None:
    if not alarms.acknowledge(conn, row["id"], member.id, now):
        raise Conflict("taken_already")
    alarm_ways.taken(conn, Alarm.of(row), now)
    if send is not None:
        _use(conn, send, now)
    _record(conn, "alarm.acknowledged", row, member, now, _how(send))
    if row["kind"] == alarm_ways.DRILL:  # somebody heard it: that is all it was for
        alarms.close(conn, row["id"], member.id, "", now)


def _close(conn: sa.Connection, row: Row, member: Member, note: str, now: datetime) -> None:
    if not alarms.close(conn, row["id"], member.id, note, now):
        raise Conflict("closed_already")
    alarm_sends.cancel_calls(conn, row["id"], now)
    _record(conn, "alarm.closed", row, member, now, None)


def _use(conn: sa.Connection, send: Row, now: datetime) -> None:
    if not alarm_sends.use_link(conn, send["id"], now):
        raise Conflict("taken_already")


def _how(send: Row | None) -> dict[str, Any] | None:
    """The link of a group proves that somebody of the group tapped, not who: that stands on record."""
    return {"way": send["way"], "target": send["target"]} if send is not None else None


def _record(
    conn: sa.Connection, act: str, row: Row, member: Member, now: datetime, data: dict[str, Any] | None
) -> None:
    staff.record_act(
        conn, member.id, act, now, ref_kind="alarm", ref_id=row["id"], data=data, community_id=row["community_id"]
    )
