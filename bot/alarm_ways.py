"""Over which ways an alarm goes beside the console, and to whom: rows to write, from the snapshot alone."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bot.settings import RobotSettings
from bot.store import alarm_sends
from bot.store.base import NOBODY, Row, new_id
from bot.store.records import Alarm
from bot.world import Member, World
from channels.sms.numbers import e164

DRILL = "drill"
DANGER = "emergency"
NO_PHONE = "no mobile number on file"


def calls(world: World, alarm: Alarm, people: Iterable[Member], now: datetime) -> list[Row]:
    """The groups that hear of this kind of alarm, and the phones of the people it is addressed to, at its present
    rung."""
    what = "raised" if alarm.rung == 0 else "again"
    rows = [_row(alarm, "robot", name, what, now) for name in robots(world, alarm)]
    if texts(world, alarm):
        rows += [_text(world, alarm, member, what, now) for member in people]
    return rows


def robots(world: World, alarm: Alarm) -> list[str]:
    """Whose groups hear of it. Where the community is not known yet, those of all."""
    return [
        name
        for name, robot in world.settings.robots.items()
        if (alarm.kind == DRILL or alarm.kind in robot.kinds) and _serves(world, robot, alarm.community_id)
    ]


def _serves(world: World, robot: RobotSettings, community_id: UUID) -> bool:
    known = world.communities.get(community_id)
    if not robot.community or community_id == NOBODY or known is None:
        return True
    return robot.community == known.name or robot.community in known.aliases


def texts(world: World, alarm: Alarm) -> bool:
    """Whether this kind of alarm is texted to staff phones."""
    kinds = world.settings.alarms.sms_kinds
    return world.settings.staff_sms is not None and (alarm.kind == DRILL or alarm.kind in kinds)


def phone(world: World, member: Member | None) -> str | None:
    """The phone that staff texts go to, E.164; None: no mobile number is on file."""
    account = world.settings.staff_sms
    if member is None or account is None:
        return None
    return e164(member.phone, world.settings.sms[account].country)


def phones(world: World) -> dict[str, str]:
    """The numbers that alarms are texted to, and whose they are."""
    found = {phone(world, member): member.name for member in world.members.values()}
    return {number: name for number, name in found.items() if number is not None}


def _text(world: World, alarm: Alarm, member: Member, what: str, now: datetime) -> Row:
    row = _row(alarm, "sms", str(member.id), what, now)
    if phone(world, member) is None:  # a drill shows who cannot be reached
        row.update(status="failed", error=NO_PHONE, settled_at=now)
    return row


def _row(alarm: Alarm, way: str, target: str, what: str, now: datetime) -> Row:
    return {
        "id": new_id(), "community_id": alarm.community_id, "alarm_id": alarm.id, "way": way, "target": target,
        "what": what, "rung": alarm.rung, "urgent": alarm.kind == DANGER, "status": "queued", "due_at": now,
        "created_at": now,
    }  # fmt: skip


def taken(conn: sa.Connection, alarm: Alarm, now: datetime) -> None:
    """Somebody has it: nobody else is called, and every group that heard of it hears who."""
    told = alarm_sends.robots_told(conn, alarm.id)
    alarm_sends.cancel_calls(conn, alarm.id, now)
    alarm_sends.add(conn, [_row(alarm, "robot", name, "taken", now) for name in told])
