"""Trying the ways of alarms on purpose: a drill, and the reminder that one is due."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from bot import alarm_ways
from bot.engine import results
from bot.settings import Settings
from bot.store import alarm_sends, alarms, staff
from bot.store.base import NOBODY, insert, new_id
from bot.store.database import notify
from bot.store.records import Alarm
from bot.world import Member, World

DUE = "drill-due:"
STANDS = timedelta(days=1)
"""A drill that nobody answered is over then."""
OVER = "演练结束 · over"


def begin(conn: sa.Connection, world: World, member: Member, community_id: UUID, now: datetime) -> UUID:
    """Call every group of the community and the phone of `member`, as a drill; it ends when somebody takes it."""
    _end(conn, f"drill:{member.id}:", now)
    alarm = Alarm(
        id=new_id(), community_id=community_id, kind=alarm_ways.DRILL, summary=member.name, raised_at=now,
        announced_at=now, dedupe_key=f"drill:{member.id}:{now.isoformat()}",
    )  # fmt: skip
    insert(conn, alarms.alarms, [alarm.row()])
    alert = {"id": new_id(), "alarm_id": alarm.id, "staff_id": member.id, "rung": 0, "at": now, "shown_at": None}
    insert(conn, alarms.alerts, [alert])
    calls = alarm_ways.calls(world, alarm, [member], now)
    alarm_sends.add(conn, calls)
    data = {"ways": [f"{row['way']}/{row['target']}" for row in calls]}
    staff.record_act(
        conn, member.id, "alarm.drill", now, ref_kind="alarm", ref_id=alarm.id, data=data, community_id=community_id
    )
    _end(conn, DUE, now)
    notify(conn)
    return alarm.id


def _end(conn: sa.Connection, prefix: str, now: datetime) -> None:
    alarms.close_standing(conn, prefix, OVER, now)


def _is_due(conn: sa.Connection, every: timedelta, now: datetime) -> bool:
    """The first one is due a day after there are people to call."""
    latest, entered = alarm_sends.latest_drill(conn), staff.first_entered(conn)
    if latest is not None:
        return now - latest >= every
    return entered is not None and now - entered >= timedelta(days=1)


def check(conn: sa.Connection, settings: Settings, now: datetime) -> int:
    """Ask for a drill where the last one is too long ago, once a month; how many were asked for. Old drills end."""
    alarms.close_older(conn, "drill:", OVER, now - STANDS, now)
    if not settings.robots and settings.staff_sms is None:
        return 0
    if not _is_due(conn, timedelta(days=settings.alarms.drill_days), now) or alarms.is_standing(conn, DUE):
        return 0
    results.alarm(conn, NOBODY, "drill_due", "", now, key=f"{DUE}{now.astimezone(settings.zone):%Y%m}")
    return 1
