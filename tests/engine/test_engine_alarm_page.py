"""The page behind an alarm's link, on both databases: looking changes nothing, one tap takes it, once, for a while."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from bot.engine import results
from bot.errors import SettingsError
from bot.links import Links
from bot.store import alarm_sends, alarms, staff
from bot.store.base import NOBODY, Row
from bot.web import alarm_acts
from tests.engine import alarm_desk, kit
from tests.engine.alarm_desk import AlarmDesk
from tests.support.clock import StoppedClock


@pytest.fixture
async def desk(database_url: str, clock: StoppedClock) -> AsyncIterator[AlarmDesk]:
    async with alarm_desk.opened(database_url, clock) as desk:
        yield desk


@pytest.fixture
async def lite(sqlite_url: str, clock: StoppedClock) -> AsyncIterator[AlarmDesk]:
    """Where what is shown has nothing to do with the database."""
    async with alarm_desk.opened(sqlite_url, clock) as desk:
        yield desk


async def fire(desk: AlarmDesk, who: str) -> tuple[Row, str, str]:
    """An emergency that has reached group and phones: the alarm, the link of the group, that of 李敏."""
    alarm = await desk.emergency(who)
    await desk.until_sent(3, "accepted")
    return alarm, desk.link(desk.said()[0]), desk.link(desk.texted("李敏")[0])


async def fresh(desk: AlarmDesk, alarm: Row) -> Row:
    return await desk.kit.row(alarms.alarms, alarms.alarms.c.id == alarm["id"])


async def test_looking_changes_nothing(lite: AlarmDesk) -> None:
    who = kit.openid()
    alarm, group, mine = await fire(lite, who)
    said = len(await lite.kit.said(who))
    for link in (group, mine):
        for _ in range(3):
            status, page = await lite.get(link)
            assert status == 200
            assert "3栋2单元1502 火情" in page
            assert "翠湖苑" in page
    assert "以李敏的名义接单" in (await lite.get(mine))[1]
    assert (await fresh(lite, alarm))["acknowledged_at"] is None
    assert all(row["link_used_at"] is None for row in await lite.sends())
    assert len(await lite.kit.said(who)) == said


async def test_one_tap_on_ones_own_link_takes_it_and_everybody_hears_who(desk: AlarmDesk) -> None:
    who = kit.openid()
    alarm, group, mine = await fire(desk, who)
    status, page = await desk.tap(mine, "李敏")
    assert (status, "李敏 10:00 已接" in page) == (200, True)
    taken = await fresh(desk, alarm)
    assert (taken["acknowledged_by"], taken["closed_at"]) == (desk.kit.member("李敏").id, None)
    assert "李敏" in (await desk.kit.said(who))[-1]["text"], "the resident is told in the same commit"
    await desk.until_sent(4, "accepted")
    assert desk.said()[-1].startswith("李敏 10:00 已接")
    assert "李敏 10:00 已接" in (await desk.get(group))[1]
    acts = await desk.kit.rows(staff.audit, staff.audit.c.ref_id == alarm["id"])
    assert [(row["act"], row["staff_id"], row["data"]) for row in acts] == [
        ("alarm.acknowledge", desk.kit.member("李敏").id, None),
        ("alarm.link", desk.kit.member("李敏").id, {"way": "sms", "target": str(desk.kit.member("李敏").id)}),
    ]


async def test_a_link_serves_once(desk: AlarmDesk) -> None:
    who = kit.openid()
    alarm, _, mine = await fire(desk, who)
    await desk.tap(mine, "李敏")
    told = len(await desk.kit.said(who))
    status, page = await desk.tap(mine, "李敏")
    assert (status, "有同事先接了" in page, "李敏 10:00 已接" in page) == (409, True, True)
    assert len(await desk.kit.said(who)) == told
    used = await desk.sends(alarm_sends.alarm_sends.c.link_used_at.is_not(None))
    assert len(used) == 1
    assert used[0]["alarm_id"] == alarm["id"]


async def test_the_link_of_a_group_asks_who_it_is(lite: AlarmDesk) -> None:
    alarm, group, _ = await fire(lite, kit.openid())
    _, page = await lite.get(group)
    for name in ("李敏", "陈静", "李强", "老刘"):
        assert f"<b>{name}</b>" in page
    status, page = await lite.tap(group)
    assert (status, "点自己的名字" in page) == (200, True)
    stranger = await lite.tap(group, staff="0190b5a0-0000-7000-8000-000000000000")
    assert stranger[0] == 200
    assert (await fresh(lite, alarm))["acknowledged_at"] is None
    assert "老刘 10:00 已接" in (await lite.tap(group, "老刘"))[1]
    acts = await lite.kit.rows(staff.audit, staff.audit.c.act == "alarm.link")
    assert [row["data"] for row in acts] == [{"way": "robot", "target": "wecom"}]


async def test_ones_own_link_takes_it_for_nobody_else(lite: AlarmDesk) -> None:
    alarm, _, mine = await fire(lite, kit.openid())
    await lite.tap(mine, "陈静")
    assert (await fresh(lite, alarm))["acknowledged_at"] is None


async def test_of_two_who_tap_at_once_one_has_it(desk: AlarmDesk) -> None:
    who = kit.openid()
    alarm, group, mine = await fire(desk, who)
    answers = await asyncio.gather(
        desk.tap(mine, "李敏"), desk.tap(group, "老刘"), desk.tap(desk.link(desk.texted("陈静")[0]), "陈静")
    )
    assert sorted(status for status, _ in answers) == [200, 409, 409]
    taken = await fresh(desk, alarm)
    name = desk.kit.worlds.current.members[taken["acknowledged_by"]].name
    assert all(f"{name} 10:00 已接" in page for _, page in answers)
    assert len([row for row in await desk.kit.said(who) if "已经接到" in row["text"]]) == 1
    assert len(await desk.sends(alarm_sends.alarm_sends.c.link_used_at.is_not(None))) == 1


async def test_an_old_link_takes_nothing_and_says_who_has_it(lite: AlarmDesk) -> None:
    alarm, _, mine = await fire(lite, kit.openid())
    lite.kit.pass_time(minutes=15, seconds=1)
    for status, page in (await lite.get(mine), await lite.tap(mine, "李敏")):
        assert (status, "链接已过期" in page) == (410, True)
    assert (await fresh(lite, alarm))["acknowledged_at"] is None
    await alarm_acts.take(lite.kit.context, await fresh(lite, alarm), lite.kit.member("陈静"))
    status, page = await lite.get(mine)
    assert (status, "陈静 10:15 已接" in page) == (200, True)


async def test_a_link_that_is_not_ours_says_nothing(lite: AlarmDesk) -> None:
    alarm, _, mine = await fire(lite, kit.openid())
    other = Links.fresh().token((await lite.sends())[0]["id"], lite.kit.clock.now())
    nothing = lite.kit.context.links.token(alarm["id"], lite.kit.clock.now())
    for token in (mine[:-2] + ("AA" if mine[-2:] != "AA" else "BB"), f"/alarm/{other}", f"/alarm/{nothing}", "/alarm/x",
                  "/alarm/%00%ff"):  # fmt: skip
        for status, page in (await lite.get(token), await lite.tap(token, "李敏")):
            assert status == 404
            assert "火情" not in page
            assert "李敏" not in page
    assert (await fresh(lite, alarm))["acknowledged_at"] is None


async def test_an_alarm_of_no_conversation_is_taken_by_link_too(desk: AlarmDesk) -> None:
    def raised(conn: sa.Connection) -> None:
        results.alarm(conn, NOBODY, "channel", "sms/main: refused", desk.kit.clock.now(), key="c:1")

    await desk.kit.database.write(raised)
    desk.kit.database.announce()
    await desk.until_sent(1, "accepted")
    link = desk.link(desk.said()[0])
    assert "sms/main: refused" in (await desk.get(link))[1]
    assert "李敏 10:00 已接" in (await desk.tap(link, "李敏"))[1]
    await desk.until_sent(2, "accepted")
    assert desk.said()[1].startswith("李敏 10:00 已接")


async def test_the_page_speaks_english_and_hides_its_address(lite: AlarmDesk) -> None:
    _, group, _ = await fire(lite, kit.openid())
    assert "Tap your name" in (await lite.get(group, **{"Accept-Language": "en-GB,en;q=0.9,zh;q=0.5"}))[1]
    assert "点自己的名字" in (await lite.get(group, **{"Accept-Language": "zh-CN,en;q=0.5"}))[1]
    url = lite.kit.url.partition("/channels")[0] + group
    async with lite.kit.session.get(url) as response:
        headers = {name: response.headers[name] for name in ("Referrer-Policy", "Cache-Control", "X-Robots-Tag")}
    assert headers == {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


def test_the_key_is_made_once_for_this_user_alone(tmp_path: Path, clock: StoppedClock) -> None:
    first = Links.load(tmp_path)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    token = first.token(row_id := UUID(int=7), clock.now())
    link = Links.load(tmp_path).read(token)
    assert link is not None
    assert link.row_id == row_id
    assert link.lasts(clock.now() + timedelta(minutes=15), 15)
    assert not link.lasts(clock.now() + timedelta(minutes=15, seconds=1), 15)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
    (tmp_path / "key").write_text("nonsense")
    with pytest.raises(SettingsError, match="remove it"):
        Links.load(tmp_path)
