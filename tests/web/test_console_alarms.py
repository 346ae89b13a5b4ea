"""The page of alarms: over which ways each went and what came of it, and the button that tries them all."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from bot.settings import RobotSettings
from bot.store import alarm_sends, alarms
from bot.store.base import new_id
from tests.web.console_kit import Kit
from tests.web.console_seed import alarm

ROBOT = RobotSettings(kind="wecom", url="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k0")


def with_robot(kit: Kit) -> None:
    context = kit.context
    context.settings = structs.replace(context.settings, robots={"duty": ROBOT})
    context.worlds.current = replace(context.worlds.current, settings=context.settings)


async def sent(kit: Kit, alarm_id: Any, target: str, **values: Any) -> None:
    row = {
        "id": new_id(), "community_id": kit.seed.communities["A"],
        "alarm_id": alarm_id, "way": "robot", "target": target, "what": "raised", "urgent": True,
        "due_at": kit.seed.now,
        "created_at": kit.seed.now, **values,
    }  # fmt: skip
    await kit.run(alarm_sends.add, [row])


async def test_each_alarm_says_whom_it_reached_and_whom_not(kit: Kit) -> None:
    with_robot(kit)
    alarm_id = await kit.run(alarm, kit.seed, "gas", "wang", "emergency", "agent")
    await sent(kit, alarm_id, "duty", status="accepted", settled_at=kit.seed.now)
    await sent(
        kit, alarm_id, str(kit.seed.people["tech"]), way="sms", status="failed", error="no mobile number on file"
    )
    browser = await kit.sign_in("supervisor")
    page = await browser.text("/alarms")
    assert "已通知 1/2" in page
    assert "工作群 企业微信 duty · 已发出" in page
    assert "短信 员工tech · 没发出去" in page
    assert "no mobile number on file" in page


@pytest.mark.parametrize("login", ["supervisor", "duty", "site", "admin"])
async def test_heads_and_administrators_start_a_drill(kit: Kit, login: str) -> None:
    with_robot(kit)
    browser = await kit.sign_in(login)
    assert "演练：试一遍告警通知" in await browser.text("/alarms")
    assert (await browser.post("/alarms/drill")).status == 303
    (row,) = await kit.every(alarms.alarms.select().where(alarms.alarms.c.kind == "drill"))
    (send,) = await kit.every(alarm_sends.alarm_sends.select())
    assert (send["way"], send["target"], send["alarm_id"]) == ("robot", "duty", row["id"])
    assert "alarm.drill" in await kit.acts()
    page = await browser.text("/alarms")
    assert "工作群 企业微信 duty · 待发" in page
    assert (await browser.post(f"/alarms/{row['id']}/acknowledge")).status == 303
    (ended,) = await kit.every(alarms.alarms.select().where(alarms.alarms.c.kind == "drill"))
    assert ended["closed_at"] is not None


@pytest.mark.parametrize("login", ["agent", "tech", "auditor"])
async def test_nobody_else_does(kit: Kit, login: str) -> None:
    with_robot(kit)
    browser = await kit.sign_in(login)
    assert (await browser.post("/alarms/drill")).status == 403
    assert await kit.every(alarms.alarms.select().where(alarms.alarms.c.kind == "drill")) == []


async def test_without_a_way_there_is_nothing_to_try(kit: Kit) -> None:
    browser = await kit.sign_in("supervisor")
    assert "告警只在这里显示" in await browser.text("/alarms")
    refused = await browser.post("/alarms/drill")
    assert refused.status == 409
    assert "没有什么可以演练的" in await refused.text()
