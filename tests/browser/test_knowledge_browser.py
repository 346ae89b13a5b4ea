"""From a question that nobody could answer to its article, in a real browser."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.async_api import expect

from bot.engine import grouping
from bot.settings import Settings
from bot.store import questions
from bot.store.base import insert, new_id
from bot.web.staff import VENDOR
from tests.browser.test_console_browser import (
    CHROMIUM,
    NAMELESS,
    PALE,
    SMALL_TEXT,
    TOO_WIDE,
    console,
    photo,
    write,
)
from tests.web.console_kit import Kit

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: install chromium to run the browser tests"),
    pytest.mark.skipif(not VENDOR.is_dir(), reason="front-end files are missing: run python scripts/vendor.py"),
]


def asked(conn: sa.Connection, kit: Kit) -> None:
    """Three residents' words for one question, and another question."""
    for minutes, text in enumerate(("泳池几点开门", "游泳池开放时间是几点", "泳池幾點開門", "会所能打麻将吗")):
        row = questions.new_question(
            kit.seed.communities["A"], text, "zh-Hans", "unknown", kit.seed.now - timedelta(minutes=minutes),
            id=new_id(), conversation_id=kit.seed.conversations["wang"],
        )  # fmt: skip
        insert(conn, questions.questions, [row])
    grouping.group(conn, Settings(), kit.seed.now)


async def test_from_an_open_question_to_a_released_article(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path, login="supervisor") as (page, kit):
        await write(kit, asked, kit)
        await page.goto("/console/questions")
        first = page.locator("table.records tbody tr").first
        await expect(first).to_contain_text("泳池几点开门")
        await expect(first.locator("b")).to_have_text("3")
        await photo(page, tmp_path, "questions")
        await first.get_by_role("button", name="写成文章").click()
        await page.wait_for_url("**/console/knowledge/*")
        await expect(page.locator("#problems")).to_contain_text("还没有答案")
        await page.get_by_role("button", name="发布", exact=True).click()
        await expect(page.locator("#notice")).to_contain_text("还没有答案")
        await expect(page.get_by_label("其他问法")).to_have_value("游泳池开放时间是几点")
        await page.get_by_label("其他问法").fill("游泳池开放时间是几点\n泳池开到几点")
        await page.locator("textarea[name=answer]").fill("夏天9:00到21:00，进场看门禁卡。")
        await page.get_by_role("button", name="保存").click()
        await expect(page.locator("#problems")).to_have_count(0)
        await expect(page.locator(".facts")).to_contain_text("夏天9:00到21:00，進場看門禁卡")
        await page.get_by_text("试一个问题").click()
        await page.get_by_label("像住户那样问").fill("请问泳池什么时候开门")
        await page.get_by_role("button", name="试试").click()
        await expect(page.locator("#tried")).to_contain_text("直接回答")
        for width, height in ((360, 740), (1366, 768)):
            await page.set_viewport_size({"width": width, "height": height})
            await photo(page, tmp_path, f"article-{width}")
            assert [await page.evaluate(what) for what in (SMALL_TEXT, NAMELESS, PALE)] == [[], [], []]
            assert not await page.evaluate(TOO_WIDE)
        await page.get_by_role("button", name="发布", exact=True).click()
        await expect(page.locator("h1 + .badge")).to_have_text("已发布")
        place = kit.context.world.communities[kit.seed.communities["A"]].name
        told = kit.context.world.knowledge.ask("泳池几点开", community=place, on=kit.context.clock.now().date())
        assert told.text == "夏天9:00到21:00，进场看门禁卡。"
