"""The work group beside the phones: what its robots refuse, what the pane shows, and a tap on the link in a browser."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import async_playwright, expect

from bot.web.simulator import group_pages, pages
from bot.web.simulator.robots import KINDS, PER_MINUTE, Kind, WorkGroup
from bot.web.simulator.sms import SmsGateway
from bot.web.simulator.wechat import WeChatPlatform
from tests.channels import sms_kit
from tests.simulator.test_simulator_browser import ARGUMENTS, CHROMIUM, TOO_WIDE
from tests.support.clock import StoppedClock

BODIES: dict[Kind, dict[str, Any]] = {
    "wecom": {"msgtype": "text", "text": {"content": "甲", "mentioned_list": ["@all"]}},
    "dingtalk": {"msgtype": "text", "text": {"content": "乙"}, "at": {"isAtAll": False}},
    "feishu": {"msg_type": "post", "content": {"post": {"zh_cn": {"title": "丙", "content": []}}}},
}


@asynccontextmanager
async def standing(clock: StoppedClock) -> AsyncIterator[tuple[WorkGroup, aiohttp.ClientSession]]:
    group = WorkGroup(now=clock.now)
    await group.start()
    async with aiohttp.ClientSession() as session:
        yield group, session
    await group.stop()


async def told(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> dict[str, Any]:
    async with session.post(url, json=body) as response:
        assert response.status == 200, "a refusal is inside HTTP 200"
        answer: dict[str, Any] = await response.json()
        return answer


@pytest.mark.parametrize("kind", KINDS)
async def test_more_than_the_platform_allows_in_a_minute_is_refused(kind: Kind, clock: StoppedClock) -> None:
    async with standing(clock) as (group, session):
        for _ in range(PER_MINUTE[kind]):
            answer = await told(session, group.url(kind), BODIES[kind])
            assert (answer.get("errcode"), answer.get("code")) in {(0, None), (None, 0)}
        refused = await told(session, group.url(kind), BODIES[kind])
        assert refused.get("errcode", refused.get("code")) in {45009, 130101, 11232}
        clock.advance(seconds=60)
        assert (await told(session, group.url(kind), BODIES[kind])).get("errcode", 0) == 0
        assert len(group.said) == PER_MINUTE[kind] + 1
        assert group.key not in str([one.payload for one in group.wire.transfers])


@asynccontextmanager
async def page_of(clock: StoppedClock) -> AsyncIterator[tuple[WorkGroup, SmsGateway, str]]:
    platform = WeChatPlatform("wxgroup", "secret", "token", "gh_group", now=clock.now)
    group = WorkGroup(now=clock.now, wire=platform.wire)
    gateway = SmsGateway(sms_kit.dialect("twilio"), now=clock.now)
    await platform.start()
    await group.start()
    app = web.Application()
    pages.add_routes(app, platform, people=[], more=["group"])
    group_pages.add_routes(app, group, gateway, lambda: {"+8613811110001": "张强"})
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield group, gateway, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        await group.stop()
        await platform.stop()


async def test_the_pane_holds_group_and_staff_phones_in_order(clock: StoppedClock) -> None:
    async with page_of(clock) as (group, gateway, base), aiohttp.ClientSession() as session:
        gateway.show("+8613811110001", "received", "【险情】翠湖苑 http://127.0.0.1/alarm/x")
        gateway.show("+8613999999999", "received", "a resident's own")
        clock.advance(seconds=1)
        await told(session, group.url("wecom"), BODIES["wecom"])
        async with session.get(f"{base}/simulator/group/state") as response:
            lines = (await response.json())["lines"]
    assert [(line["to"], line["text"], line["everybody"]) for line in lines] == [
        ("张强", "【险情】翠湖苑 http://127.0.0.1/alarm/x", False),
        ("", "甲", True),
    ]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: install chromium to run the browser tests")
@pytest.mark.parametrize("width", [1366, 360])
async def test_a_message_comes_up_with_its_link(width: int, clock: StoppedClock) -> None:
    async with page_of(clock) as (group, _, base), aiohttp.ClientSession() as session, async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": width, "height": 768})
        await page.goto(f"{base}/simulator")
        await expect(page.locator("#state")).to_have_text("在线")
        body = {
            "msgtype": "text",
            "text": {"content": f"【险情】\n点这里接单 {base}/alarm/x", "mentioned_list": ["@all"]},
        }
        await told(session, group.url("wecom"), body)
        link = page.locator("#group-screen a")
        await expect(link).to_have_attribute("href", f"{base}/alarm/x")
        await expect(page.locator("#group-screen .bubble")).to_have_text(re.compile("@所有人"))
        assert not await page.evaluate(TOO_WIDE)
        await browser.close()
