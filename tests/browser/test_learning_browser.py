"""The explanation of a reading, its correction and the page of what was learned, in a real browser."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.async_api import Page, expect

from bot.store import learning as store
from bot.store import staff
from tests.browser.test_console_browser import NAMELESS, PALE, SMALL_TEXT, TOO_WIDE, console, pytestmark
from tests.engine.kit import knowledge, reader
from tests.web.console_kit import Kit
from tests.web.console_seed import message

__all__ = ["pytestmark"]

SLIDE = "3栋那边的儿童滑梯扶手松了，孩子抓着直晃"
GAS = "厨房好大的煤气味，我头晕，要不要找律师"


@pytest.fixture(autouse=True)
def indexed() -> None:
    """The first explanation builds the index of examples, which takes long on a busy machine."""
    reader().explain("你好", datetime(2026, 11, 23, 10, tzinfo=UTC))


async def test_an_agent_looks_why_and_corrects(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path, reads=(reader(), knowledge())) as (page, kit):
        await kit.run(message, kit.seed, "wang", SLIDE, minutes_ago=3)
        await page.goto(f"/console/inbox/{kit.seed.conversations['wang']}")
        await page.locator(".why-link").last.click()
        panel = page.locator("#why")
        await expect(panel.locator("blockquote")).to_have_text(SLIDE)
        await expect(panel.get_by_role("button", name="关闭")).to_be_focused()
        await _corrects(page)
        await _stays_while_the_thread_grows(page, kit)
        await page.keyboard.press("Escape")
        await expect(panel.locator(".why")).to_have_count(0)
        await expect(page.locator(".why-link").nth(-2)).to_be_focused()


async def _corrects(page: Page) -> None:
    panel = page.locator("#why")
    await panel.get_by_text("读错了，改正").click()
    await panel.get_by_label("应该读成").select_option(label="建议")
    await panel.get_by_label(re.compile("换一种说法")).fill("滑梯扶手不牢，建议换新的")
    await panel.get_by_role("button", name="改正", exact=True).click()
    await expect(panel.locator(".told-by")).to_contain_text("改为：建议")
    await expect(panel.locator(".reading b")).to_have_text("建议")
    await expect(page.locator("#notice")).to_contain_text("已改正，马上生效")


async def _stays_while_the_thread_grows(page: Page, kit: Kit) -> None:
    await kit.run(message, kit.seed, "wang", "在吗", minutes_ago=0)
    kit.context.database.announce()
    await expect(page.locator(".entry .text", has_text="在吗")).to_be_visible()
    await expect(page.locator("#why .told-by")).to_be_visible()


async def test_the_pages_hold_what_the_console_holds(sqlite_url: str, tmp_path: Path) -> None:
    """No text too small or too pale, no field without its name, nothing wider than a phone."""
    async with console(sqlite_url, tmp_path, login="quality", reads=(reader(), knowledge())) as (page, kit):
        await kit.run(message, kit.seed, "wang", GAS, minutes_ago=3)
        path = f"/console/inbox/{kit.seed.conversations['wang']}"
        for language in ("zh-Hans", "en"):
            await kit.run(staff.set_language, kit.seed.people["quality"], language)
            for width in (1366, 390):
                await page.set_viewport_size({"width": width, "height": 844})
                await page.goto(path)
                await page.locator(".why-link").last.click()
                await page.locator("#why summary").click()
                await _holds(page)
        await page.locator("#why select").first.select_option(label="praise")
        await page.locator("#why form button").click()
        await expect(page.locator("#why .told-by")).to_contain_text("praise")
        await page.goto("/console/learning")
        await _holds(page)
        await page.get_by_role("button", name="Make it an example").click()
        await expect(page.locator("#part-examples")).to_contain_text("厨房好大的煤气味")
        assert await kit.one(sa.select(store.learned_examples.c.weight)) == {"weight": 3}


async def _holds(page: Page) -> None:
    assert await page.evaluate(SMALL_TEXT) == []
    assert await page.evaluate(NAMELESS) == []
    assert await page.evaluate(PALE) == []
    assert not await page.evaluate(TOO_WIDE)
