"""Drills: every way is tried on purpose, and somebody is reminded when none was for long."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.engine import drills
from bot.engine.scheduler import RECURRING
from bot.store import alarms, staff
from bot.store.base import NOBODY, Row
from tests.engine import alarm_desk
from tests.engine.alarm_desk import AlarmDesk
from tests.support.clock import StoppedClock

ALARMS = alarms.alarms


@pytest.fixture
async def desk(database_url: str, clock: StoppedClock) -> AsyncIterator[AlarmDesk]:
    async with alarm_desk.opened(database_url, clock, robot={"kinds": ()}, sms_kinds=("doubtful",)) as desk:
        yield desk


@pytest.fixture
async def lite(sqlite_url: str, clock: StoppedClock) -> AsyncIterator[AlarmDesk]:
    async with alarm_desk.opened(sqlite_url, clock, robot={"kinds": ()}, sms_kinds=("doubtful",)) as desk:
        yield desk


async def drill(desk: AlarmDesk) -> Row:
    world, now = desk.kit.worlds.current, desk.kit.clock.now()
    await desk.kit.database.write(drills.begin, world, desk.kit.member("陈静"), NOBODY, now)
    desk.kit.database.announce()
    return (await desk.kit.rows(ALARMS, ALARMS.c.kind == "drill"))[-1]


async def test_a_drill_goes_every_way_and_says_that_it_is_one(lite: AlarmDesk) -> None:
    alarm = await drill(lite)
    assert len(await lite.until_sent(2, "accepted")) == 2
    (said,) = lite.group.said
    assert said.text.startswith("【演练】\n这是陈静发起的演练，没有险情。")
    assert not said.everybody
    assert "演练" in lite.texted("陈静")[0]
    (act,) = await lite.kit.rows(staff.audit)
    assert (act["act"], act["ref_id"], len(act["data"]["ways"])) == ("alarm.drill", alarm["id"], 2)


async def test_a_drill_ends_when_somebody_taps(lite: AlarmDesk) -> None:
    alarm = await drill(lite)
    await lite.until_sent(2, "accepted")
    status, page = await lite.get(lite.link(lite.said()[0]))
    assert (status, "这是陈静发起的演练" in page) == (200, True)
    assert "陈静 10:00 已接" in (await lite.tap(lite.link(lite.said()[0]), "陈静"))[1]
    ended = await lite.kit.row(ALARMS, ALARMS.c.id == alarm["id"])
    assert ended["closed_at"] is not None
    await lite.until_sent(3, "accepted")
    assert lite.said()[1].startswith("陈静 10:00 已接")


async def test_the_next_drill_ends_the_one_before(lite: AlarmDesk) -> None:
    first = await drill(lite)
    lite.kit.pass_time(minutes=1)
    second = await drill(lite)
    standing = await lite.kit.rows(ALARMS, ALARMS.c.closed_at.is_(None))
    assert [row["id"] for row in standing] == [second["id"]]
    assert first["id"] != second["id"]


async def test_a_drill_is_asked_for_once_a_month_until_there_is_one(desk: AlarmDesk) -> None:
    settings, now = desk.kit.worlds.current.settings, desk.kit.clock.now()

    async def check(after: timedelta) -> int:
        return int(await desk.kit.database.write(drills.check, settings, now + after))

    assert drills.check in [recurring.run for recurring in RECURRING]
    assert [await check(timedelta(days=days)) for days in (0, 1, 2)] == [0, 1, 0]
    assert len(await desk.kit.rows(ALARMS, ALARMS.c.kind == "drill_due", ALARMS.c.closed_at.is_(None))) == 1
    await drill(desk)
    assert await desk.kit.rows(ALARMS, ALARMS.c.kind == "drill_due", ALARMS.c.closed_at.is_(None)) == []
    assert await check(timedelta(days=30)) == 0
    assert await check(timedelta(days=32)) == 1
    assert await desk.kit.rows(ALARMS, ALARMS.c.kind == "drill", ALARMS.c.closed_at.is_(None)) == []
