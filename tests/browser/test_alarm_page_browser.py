"""The page of an alarm's link on a phone: read at a glance, tapped with a thumb, by day and in the dark."""

import pytest
from playwright.async_api import async_playwright, expect

from tests.browser.test_console_browser import ARGUMENTS, CHROMIUM, NAMELESS, PALE, SMALL_TEXT, TOO_WIDE
from tests.engine import alarm_desk
from tests.support.clock import StoppedClock

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: install chromium to run it")
LARGE_ENOUGH = 44
"""Pixels that a thumb hits."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_one_tap_on_a_phone(sqlite_url: str, clock: StoppedClock, scheme: str) -> None:
    async with alarm_desk.opened(sqlite_url, clock) as desk, async_playwright() as playwright:
        await desk.emergency()
        await desk.until_sent(3, "accepted")
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": 360, "height": 640}, color_scheme=scheme)  # type: ignore[arg-type]
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        base = desk.kit.url.partition("/channels")[0]
        for link, button in ((desk.link(desk.said()[0]), "老刘"), (desk.link(desk.texted("李敏")[0]), "我来处理")):
            await page.goto(base + link)
            tap = page.get_by_role("button", name=button)
            await expect(tap).to_be_visible()
            box = await tap.bounding_box()
            assert box is not None
            assert box["height"] >= LARGE_ENOUGH
            for wrong in (SMALL_TEXT, PALE, NAMELESS):
                assert await page.evaluate(wrong) == []
            assert not await page.evaluate(TOO_WIDE)
        await tap.click()
        await expect(page.locator(".taker")).to_have_text("李敏 10:00 已接")
        assert await page.evaluate(PALE) == []
        assert errors == []
        await browser.close()
