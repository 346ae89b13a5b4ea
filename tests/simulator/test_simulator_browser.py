"""The phone in a real browser: typed, sent, answered, at both widths. Skipped where there is no Chromium."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page, async_playwright, expect

from bot.web.simulator.phones import FAULT_TEXT
from bot.web.simulator.wechat import WeChatPlatform
from channels.messages import OutboundMessage, Parsed
from tests.simulator.service import LI, WANG, Service, desk

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS: Final = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SMALL_TEXT: Final = """[...document.querySelectorAll('body *')].filter(e => e.checkVisibility()
  && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
  && parseFloat(getComputedStyle(e).fontSize) < 12).map(e => e.outerHTML.slice(0, 80))"""
TOO_WIDE: Final = "document.documentElement.scrollWidth > window.innerWidth"

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on PATH: install chromium to run the browser tests"
)

REPLY = "登记好了：3栋2单元1502，厨房水管漏水。\n单号WX20261122-0001。"


async def answer(_: Service, parsed: Parsed) -> str | None:
    return REPLY if parsed.messages else None


@asynccontextmanager
async def opened(width: int, height: int) -> AsyncIterator[tuple[Page, WeChatPlatform, Service]]:
    """The page with everything loaded; an error in its script fails the test."""
    errors: list[str] = []
    async with desk(answer) as (platform, service, base), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": width, "height": height})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        await page.goto(f"{base}/simulator")
        await expect(page.locator("#state")).to_have_text("在线")
        yield page, platform, service
        await browser.close()
    assert errors == []


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (360, 740)])
async def test_what_one_types_is_answered_on_the_phone(width: int, height: int, tmp_path: Path) -> None:
    async with opened(width, height) as (page, _, service):
        await page.fill("#text", "3栋2单元1502厨房水管漏水")
        await page.keyboard.press("Enter")
        await expect(page.locator(".row.sent .bubble")).to_have_text("3栋2单元1502厨房水管漏水")
        await expect(page.locator(".row.received .bubble")).to_have_text(REPLY)
        await expect(page.locator(".row.received .via")).to_contain_text("被动回复")
        await expect(page.locator("#quota")).to_have_text("可推送 5 条")
        await expect(page.locator("#wire li")).to_contain_text("推送 text")
        await service.channel.send(OutboundMessage(row_id="1", address=WANG.openid, text="李师傅在路上"))
        await expect(page.locator(".row.received .bubble").last).to_have_text("李师傅在路上")
        await expect(page.locator("#quota")).to_have_text("可推送 4 条")
        assert not await page.evaluate(TOO_WIDE)
        assert await page.evaluate(SMALL_TEXT) == []
        await page.screenshot(path=tmp_path / f"simulator-{width}.png", full_page=True)


async def test_people_chips_buttons_and_faults() -> None:
    async with opened(1366, 768) as (page, platform, service):
        await page.click(".chip >> text=临时出入证怎么办")
        await expect(page.locator(".row.received")).to_have_count(1)
        for kind, text in (("image", "[图片]"), ("voice", "[语音]"), ("location", "[位置]")):
            await page.click(f"[data-kind={kind}]")
            await expect(page.locator(".row.sent .bubble").last).to_contain_text(text)
        await page.click("text=我要报修")
        await expect(page.locator(".grey").last).to_contain_text("点击菜单")
        await page.click(".chip >> text=电梯里的码")
        await expect(page.locator(".grey").last).to_have_text("扫描二维码“电梯里的码”")
        await expect(page.locator("#wire li").first).to_contain_text("推送 SCAN")
        platform.list_template("TPL", "维修完成通知", {"thing1": "报修内容"})
        done = OutboundMessage(
            row_id="2", address=WANG.openid, text="", moment="done", values={"what": "厨房水管"}, by_template=True
        )
        await service.channel.send(done)
        await expect(page.locator(".bubble.card b")).to_have_text("维修完成通知")
        await expect(page.locator(".bubble.card span")).to_have_text("报修内容：厨房水管")
        await expect(page.locator(".row.received .via").last).to_have_text("模板消息 · template")
        service.body = b"<html>"
        await page.fill("#text", "在吗")
        await page.click(".send")
        await expect(page.locator(".grey").last).to_have_text(FAULT_TEXT)
        await page.click(f".person[data-openid={LI.openid}]")
        await expect(page.locator(".hint")).to_be_visible()
        service.body = None
        await platform.push_text(WANG.openid, "再问一句")
        await expect(page.locator(f".person[data-openid={WANG.openid}] .unread")).to_have_text("1")
        await page.click("#follow")
        await expect(page.locator("#follow-label")).to_have_text("关注")
        await expect(page.locator("#text")).to_be_disabled()


async def test_the_page_shows_everything_again_when_it_is_opened_anew() -> None:
    async with opened(1366, 768) as (page, platform, _):
        await platform.push_text(WANG.openid, "<img src=x onerror=alert(1)>\n第二行")
        await page.reload()
        await expect(page.locator(".row.sent .bubble")).to_have_text("<img src=x onerror=alert(1)>\n第二行")
        await expect(page.locator(".row.received .bubble")).to_have_text(REPLY)


async def test_the_page_fits_its_window_with_long_messages() -> None:
    async with opened(1366, 768) as (page, platform, _):
        for text in ("漏" * 500, "https://example.com/" + "x" * 480):
            await platform.push_text(WANG.openid, text)
        await expect(page.locator(".row.received")).to_have_count(2)
        assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert not await page.evaluate("byId('screen').scrollWidth > byId('screen').clientWidth")
        assert await page.locator("#text").is_visible()
