"""Alarms outside the console, on both databases: rows in the commit that raises them, groups and phones over real
sockets, the ladder, who has it, and ways that are down."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.engine import results
from bot.store import alarm_sends, alarms
from bot.store.base import NOBODY
from bot.web import alarm_acts
from tests.engine import alarm_desk, kit
from tests.engine.alarm_desk import ALL, PHONES, SECRET, AlarmDesk
from tests.engine.conftest import Ear
from tests.support.clock import StoppedClock

SENDS = alarm_sends.alarm_sends


@pytest.fixture
async def desk(database_url: str, clock: StoppedClock) -> AsyncIterator[AlarmDesk]:
    async with alarm_desk.opened(database_url, clock) as desk:
        yield desk


@pytest.fixture
async def lite(sqlite_url: str, clock: StoppedClock) -> AsyncIterator[AlarmDesk]:
    """Where what is shown has nothing to do with the database."""
    async with alarm_desk.opened(sqlite_url, clock) as desk:
        yield desk


async def test_danger_reaches_group_and_phones_at_once(desk: AlarmDesk, ear: Ear) -> None:
    alarm = await desk.emergency(text=f"{kit.FIRE}，我电话{kit.PHONE}")
    rows = await desk.until_sent(3, "accepted")
    assert {(row["way"], row["what"], row["rung"]) for row in rows} == {("robot", "raised", 0), ("sms", "raised", 0)}
    (said,) = desk.group.said
    assert said.everybody
    assert said.text.startswith("【险情】翠湖苑\n3栋2单元1502 火情：")
    assert "10:00 报警" in said.text
    for name in ("李敏", "陈静"):
        (text,) = desk.texted(name)
        assert "【险情】翠湖苑" in text
        assert desk.link(text) != desk.link(said.text), "each has a link of their own"
    everything = said.text + "".join(desk.texted("李敏")) + "".join(row["text"] for row in rows)
    assert kit.PHONE not in everything
    assert "912***78" in everything
    assert "/alarm/" not in "".join(row["text"] for row in rows), "a link is a key and stands on no record"
    assert alarm["announced_at"] == desk.kit.clock.now()
    log = "\n".join(ear.lines)
    for secret in (desk.group.key, SECRET, *PHONES.values(), desk.link(said.text)):
        assert secret not in log


async def test_whoever_has_no_mobile_number_is_shown_as_not_reached(lite: AlarmDesk) -> None:
    await lite.emergency()
    failed = await lite.until_sent(2, "failed")
    names = {lite.kit.member(name).id for name in ("老刘", "李强")}
    assert {row["target"] for row in failed} == {str(one) for one in names}
    assert {row["error"] for row in failed} == {"no mobile number on file"}


async def test_the_rows_are_in_the_commit_of_the_alarm(database_url: str, clock: StoppedClock) -> None:
    """Nothing is sent here: the rows stand when the message is acknowledged."""
    async with alarm_desk.opened(database_url, clock) as desk:
        desk.group.script("wecom", times=99, hang=True)
        alarm = await desk.emergency()
        rows = await desk.sends()
    assert len(rows) == 1 + 4
    assert {row["alarm_id"] for row in rows} == {alarm["id"]}
    assert {row["created_at"] for row in rows} == {alarm["raised_at"]}


async def test_nothing_is_written_where_nobody_is_in_danger(lite: AlarmDesk) -> None:
    await lite.kit.write_as(kit.openid(), kit.REPORT)
    assert await lite.sends() == []


async def test_the_ladder_calls_again_and_ends_when_somebody_has_it(desk: AlarmDesk) -> None:
    who = kit.openid()
    alarm = await desk.emergency(who)
    await desk.until_sent(3, "accepted")
    desk.kit.pass_time(minutes=3)
    rows = await desk.until_sent(6, "accepted")
    assert [row["what"] for row in rows if row["way"] == "robot"] == ["raised", "again"]
    assert desk.said()[1].startswith("【再次·险情】翠湖苑")
    assert "还没有人接" in desk.said()[1]
    assert "再次" in desk.texted("李敏")[1]
    await alarm_acts.take(desk.kit.context, alarm, desk.kit.member("李敏"))
    await desk.until_sent(7, "accepted")
    assert desk.said()[2] == "李敏 10:03 已接\n3栋2单元1502 火情：3栋2单元1502厨房着火了"
    assert len(desk.texted("李敏")) == 2
    desk.kit.pass_time(minutes=5)
    await desk.kit.write_as(kit.openid(), kit.HELLO)
    assert len(await desk.sends()) == 11, "nobody is called again"


async def test_a_way_that_is_down_holds_up_no_other_and_is_tried_again(sqlite_url: str, clock: StoppedClock) -> None:
    async with alarm_desk.opened(sqlite_url, clock, kinds=ALL) as desk:
        desk.group.script("wecom", status=502)
        desk.group.script("feishu", hang=True)
        await desk.emergency()
        await desk.until_sent(3, "accepted")
        await desk.kit.until(_is_queued("wecom"))
        (waiting,) = [row for row in await desk.sends() if row["target"] == "wecom"]
        assert (waiting["status"], waiting["attempts"], waiting["error"]) == ("queued", 1, "HTTP 502")
        assert (len(desk.said("dingtalk")), len(desk.said("wecom"))) == (1, 0)
        await desk.kit.until(_is_queued("feishu"))
        clock.advance(seconds=2)
        await desk.until_sent(5, "accepted")
        assert (len(desk.said("wecom")), len(desk.said("feishu"))) == (1, 1)


def _is_queued(target: str) -> Callable[[sa.Connection], Any]:
    """It was tried, and waits to be tried again."""
    mine = SENDS.c.target == target
    statement = sa.select(SENDS.c.id).where(mine, SENDS.c.status == "queued", SENDS.c.error != "")
    return lambda conn: conn.execute(statement).first()


async def test_a_wrong_key_fails_at_once_and_the_console_says_so_until_it_works_again(lite: AlarmDesk) -> None:
    lite.group.script("wecom", times=5, code=93000, words="invalid webhook url")
    for _ in range(2):
        await lite.emergency()
    failed = [row for row in await lite.until_sent(6, "failed") if row["way"] == "robot"]
    assert {row["error"] for row in failed} >= {"Misconfigured: errcode 93000: invalid webhook url"}
    told = await lite.kit.rows(alarms.alarms, alarms.alarms.c.kind == "channel")
    assert [row["summary"] for row in told] == ["robot/wecom: errcode 93000: invalid webhook url"]
    await lite.kit.until(_all_failed("wecom"))
    lite.group.clear_scripts()
    await lite.emergency()
    closed = sa.select(alarms.alarms.c.id).where(
        alarms.alarms.c.kind == "channel", alarms.alarms.c.closed_at.is_not(None)
    )
    await lite.kit.until(lambda conn: conn.execute(closed).first())
    told = await lite.kit.rows(alarms.alarms, alarms.alarms.c.kind == "channel")
    assert [(row["closed_at"], row["closing_note"]) for row in told] == [(lite.kit.clock.now(), results.RECOVERED)]


def _all_failed(target: str) -> Callable[[sa.Connection], Any]:
    """What tells of the broken robot was refused, too."""
    failed = sa.select(SENDS.c.id).where(SENDS.c.target == target, SENDS.c.status == "failed")
    return lambda conn: len(conn.execute(failed).all()) == 3


async def test_being_throttled_is_no_failure(lite: AlarmDesk) -> None:
    lite.group.script("wecom", code=45009, words="api freq out of limit")
    await lite.emergency()
    await lite.until_sent(2, "accepted")
    await lite.kit.until(_is_queued("wecom"))
    (row,) = await lite.sends(SENDS.c.target == "wecom")
    assert (row["status"], row["attempts"], row["error"]) == ("queued", 0, "errcode 45009: api freq out of limit")


async def test_lesser_alarms_go_to_the_group_and_wake_nobody(desk: AlarmDesk) -> None:
    def raised(conn: sa.Connection) -> None:
        now = desk.kit.clock.now()
        results.alarm(conn, NOBODY, "channel", "sms/main: 12.00 spent today", now, key="spending:main")
        results.alarm(conn, NOBODY, "late", "WX20261123-0001 contact 80%", now, key="late:1")

    await desk.kit.database.write(raised)
    desk.kit.database.announce()
    (row,) = await desk.until_sent(1, "accepted")
    assert (row["way"], row["urgent"]) == ("robot", False)
    assert desk.said()[0].startswith("【渠道告警】\nsms/main: 12.00 spent today\n10:00 报警。")
    assert not desk.group.said[0].everybody
    told = await desk.kit.rows(alarms.alarms, alarms.alarms.c.kind != "drill_due")
    assert [row["announced_at"] for row in told] == [desk.kit.clock.now()] * 2


async def test_words_that_are_not_for_everybody_stay_in_the_console(sqlite_url: str, clock: StoppedClock) -> None:
    async with alarm_desk.opened(sqlite_url, clock, robot={"kinds": ("red_flag",)}, sms="") as desk:
        await desk.kit.write_as(kit.openid(), "你们乱收费，我要找律师起诉你们")
        await desk.until_sent(1, "accepted")
        assert "律师" not in desk.said()[0]
        assert desk.said()[0].startswith("【敏感字眼】翠湖苑\n10:00 报警。")


async def test_a_group_of_another_community_hears_nothing(sqlite_url: str, clock: StoppedClock) -> None:
    async with alarm_desk.opened(sqlite_url, clock, robot={"community": "云杉府"}) as desk:
        await desk.emergency()
        rows = await desk.until_sent(2, "accepted")
        assert {row["way"] for row in rows} == {"sms"}


async def test_where_texts_are_approved_beforehand_the_approved_one_is_sent(
    sqlite_url: str, clock: StoppedClock
) -> None:
    async with alarm_desk.opened(sqlite_url, clock, kinds=(), sms="aliyun") as desk:
        await desk.emergency()
        await desk.until_sent(2, "accepted")
        assert [handed.text for handed in desk.gateway.handed if handed.number.endswith("0001")] == [
            "【某某物业】险情：3栋2单元1502火情，10:00。请登录后台接单，或打24小时电话。"
        ]


async def test_a_process_that_died_over_a_call_leaves_it_to_the_next(database_url: str, clock: StoppedClock) -> None:
    async with alarm_desk.opened(database_url, clock, sms="") as desk:
        desk.group.script("wecom", status=502)
        await desk.emergency()
        await desk.kit.until(_is_queued("wecom"))
        lost = sa.update(SENDS).values(status="sending", lease_until=clock.now())
        await desk.kit.database.write(lambda conn: conn.execute(lost))
    clock.advance(seconds=31)
    async with alarm_desk.opened(database_url, clock, sms="", fresh=False) as desk:
        await desk.until_sent(1, "accepted")
        assert len(desk.said()) == 1


async def test_the_resident_hears_that_staff_know_only_when_they_do(sqlite_url: str, clock: StoppedClock) -> None:
    async with alarm_desk.opened(sqlite_url, clock, sms="") as desk:
        desk.group.script("wecom", status=502)
        who = kit.openid()
        await desk.emergency(who)
        await desk.kit.until(_is_queued("wecom"))
        assert "已通知" not in kit.content(await desk.kit.write_as(who, "好的")).decode()
        clock.advance(seconds=2)
        await desk.until_sent(1, "accepted")
        assert "已通知值班人员" in kit.content(await desk.kit.write_as(who, "好的")).decode()
