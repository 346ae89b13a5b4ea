"""The SMS phone: its routes, and in a real browser what one types, what arrives, and what it costs."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Page, async_playwright, expect

from bot.web.simulator import pages, sms_pages
from bot.web.simulator.sms import SmsGateway
from bot.web.simulator.wechat import WeChatPlatform
from channels.messages import OutboundMessage, WebhookRequest
from channels.sms import Sms
from tests.channels.sms_kit import PHONE, SENT_AT, TOKEN, dialect, settings
from tests.simulator.service import LI, WANG
from tests.simulator.test_simulator_browser import ARGUMENTS, CHROMIUM, SMALL_TEXT, TOO_WIDE

ANSWER = (
    "登记好了：3栋2单元1502，厨房水管漏水。\n单号WX20261122-0001。师傅今天17:30前打电话跟您约时间。\n"
    + "有不对的直接回我。" * 3
)


@asynccontextmanager
async def phones(dialect_name: str = "twilio") -> AsyncIterator[tuple[SmsGateway, str]]:
    """The page, and a service of the real channel that answers every text with the same."""
    far = SmsGateway(dialect(dialect_name))
    await far.start()
    app = web.Application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    platform = WeChatPlatform("wx1", "secret", "AAAAA", "gh_1")
    pages.add_routes(app, platform, people=[WANG, LI], more=["sms"])
    sms_pages.add_routes(app, far, {WANG.openid: PHONE, LI.openid: "+8613912345678"})
    handlers = Handlers(far)
    app.router.add_post("/channels/sms/main/{what}", handlers.handle)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    far.service = f"{base}/channels/sms/main"
    handlers.channel = Sms("main", settings(dialect_name, far.base_url, public_url=base))
    try:
        yield far, base
    finally:
        await runner.cleanup()
        await handlers.channel.close()
        await far.stop()


class Handlers:
    """The service's side."""

    channel: Sms

    def __init__(self, far: SmsGateway) -> None:
        self._far = far

    async def handle(self, request: web.Request) -> web.Response:
        received = WebhookRequest(
            method="POST", suffix=request.match_info["what"], target=request.raw_path, query=request.query,
            headers=request.headers, body=await request.read(), received_at=SENT_AT,
        )  # fmt: skip
        self.channel.verify(received)
        parsed = self.channel.parse(received)
        for message in parsed.messages:
            answer = OutboundMessage(row_id="row-1", address=message.sender, text=ANSWER)
            self._far.spawn(self.channel.send(answer))
        got = self.channel.acknowledge(parsed, None, SENT_AT)
        return web.Response(body=got.body, content_type=got.content_type, charset="utf-8")


async def post(url: str, payload: object, **more: Any) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, json=payload, **more) as response:
        return response.status


async def test_a_text_travels_and_its_answer_shows_up_with_its_parts() -> None:
    async with phones() as (far, base):
        assert await post(f"{base}/simulator/sms/send", {"openid": WANG.openid, "text": "漏水"}) == 202
        await far.wire.until(lambda: sum(one.name == "receipt" for one in far.wire.transfers) == 1)
        async with aiohttp.ClientSession() as session, session.get(f"{base}/simulator/sms/state") as response:
            state = json.loads(await response.text())
        wang, li = state["phones"]
        assert [(entry["direction"], entry["text"], entry["parts"]) for entry in wang["screen"]] == [
            ("sent", "漏水", 1), ("received", ANSWER, 2)
        ]  # fmt: skip
        assert (wang["number"], li["screen"]) == (PHONE, [])
        assert {transfer["openid"] for transfer in state["transfers"]} == {WANG.openid}
        assert {transfer["outcome"] for transfer in state["transfers"]} == {"ok"}
        assert TOKEN not in json.dumps(state)


@pytest.mark.parametrize(
    "payload",
    [
        {"openid": "oStranger", "text": "x"},
        {"openid": WANG.openid, "text": ""},
        {"openid": WANG.openid, "text": "x" * 501},
        {"openid": WANG.openid},
        [],
    ],
)
async def test_nonsense_is_refused(payload: object) -> None:
    async with phones() as (far, base):
        assert await post(f"{base}/simulator/sms/send", payload) == 400
        assert not far.wire.transfers


async def test_a_form_of_a_foreign_page_is_refused() -> None:
    async with phones() as (_, base):
        body = {"openid": WANG.openid, "text": "x"}
        assert await post(f"{base}/simulator/sms/send", body, headers={"Content-Type": "text/plain"}) == 415


@asynccontextmanager
async def opened(width: int, height: int) -> AsyncIterator[tuple[Page, SmsGateway]]:
    errors: list[str] = []
    async with phones() as (far, base), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": width, "height": height})
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(f"{base}/simulator")
        await expect(page.locator("#sms-number")).to_have_text(PHONE)
        yield page, far
        await browser.close()
    assert errors == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: install chromium to run the browser tests")
@pytest.mark.parametrize(("width", "height"), [(1366, 768), (360, 740)])
async def test_the_phone_in_a_browser(width: int, height: int, tmp_path: Path) -> None:
    async with opened(width, height) as (page, far):
        await page.fill("#sms-text", "3栋2单元1502厨房水管漏水")
        await expect(page.locator("#sms-count")).to_have_text("15/70 · 1 条")
        await page.fill("#sms-text", "漏" * 71)
        await expect(page.locator("#sms-count")).to_have_text("71/134 · 2 条")
        await page.fill("#sms-text", "漏水")
        await page.keyboard.press("Enter")
        mine = page.locator("#sms-screen")
        await expect(mine.locator(".row.sent .bubble")).to_have_text("漏水")
        await expect(mine.locator(".row.received .bubble")).to_have_text(ANSWER)
        await expect(mine.locator(".row.received .via")).to_contain_text("2 条")
        await expect(page.locator("#wire")).to_contain_text("短信 Messages")
        await expect(page.locator("#screen .row")).to_have_count(0)
        assert not await page.evaluate(TOO_WIDE)
        assert await page.evaluate(SMALL_TEXT) == []
        await page.screenshot(path=tmp_path / f"sms-{width}.png", full_page=True)
        await page.click(f".person[data-openid={LI.openid}]")
        await expect(mine.locator(".sms-hint")).to_be_visible()
        await page.reload()
        await page.click(f".person[data-openid={WANG.openid}]")
        await expect(mine.locator(".row")).to_have_count(2)
        assert len(far.handed) == 1


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: install chromium to run the browser tests")
async def test_both_phones_stand_side_by_side_on_a_desktop() -> None:
    async with opened(1366, 768) as (page, _):
        boxes = [await page.locator(f"[data-channel={name}]").bounding_box() for name in ("wechat", "sms")]
        assert boxes[0] is not None
        assert boxes[1] is not None
        assert boxes[0]["y"] == boxes[1]["y"]
        assert boxes[1]["x"] >= boxes[0]["x"] + boxes[0]["width"]
        assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
