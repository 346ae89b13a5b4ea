"""The Telegram stand-in behaves as Telegram does, and its phone shows it; the browser part needs a Chromium."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, async_playwright, expect
from telegram import Bot
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken

from bot.web.simulator.telegram import TelegramPlatform
from bot.web.simulator.telegram_push import Limits
from channels.messages import OutboundMessage
from tests.simulator.service import LI, WANG
from tests.simulator.telegram_service import BOT_TOKEN, FIRST, WEBHOOK_SECRET, Service, desk
from tests.simulator.test_simulator_browser import ARGUMENTS, CHROMIUM, SMALL_TEXT, TOO_WIDE

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on PATH: install chromium to run the browser tests"
)


# The protocol, with python-telegram-bot on the other side


@asynccontextmanager
async def alone() -> AsyncIterator[tuple[TelegramPlatform, Bot]]:
    platform = TelegramPlatform(BOT_TOKEN, limits=Limits(pause_s=0.0, repeats=2))
    await platform.start()
    bot = Bot(BOT_TOKEN, base_url=f"{platform.base_url}/bot", base_file_url=f"{platform.base_url}/file/bot")
    try:
        async with bot:
            yield platform, bot
    finally:
        await platform.stop()


async def test_the_library_reads_what_the_phone_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # else the library warns that its durations will change their type
    async with alone() as (platform, bot):
        await platform.begin(FIRST, "b3-u1")
        await platform.write(FIRST, "漏水 😭")
        await platform.photo(FIRST, "这里", album="1")
        await platform.voice(FIRST)
        await platform.document(FIRST, "合同.pdf", 1000)
        await platform.location(FIRST, 31.2, 121.4)
        await platform.contact(FIRST, "8613900001234")
        await platform.edit(FIRST, 2, "不漏了")
        await platform.group(FIRST, "大家好")
        await platform.block(FIRST)
        updates = await bot.get_updates()
        messages = [update.message for update in updates if update.message]
        assert [message.text for message in messages[:2]] == ["/start b3-u1", "漏水 😭"]
        assert messages[2].photo[-1].file_id == "PHOTO2"
        assert messages[6].contact is not None
        assert messages[6].contact.user_id == FIRST
        assert updates[7].edited_message is not None
        assert (updates[7].edited_message.message_id, updates[7].edited_message.text) == (2, "不漏了")
        assert updates[8].effective_chat is not None
        assert updates[8].effective_chat.type == "supergroup"
        assert updates[9].my_chat_member is not None
        assert updates[9].my_chat_member.new_chat_member.status == "kicked"
        numbers = [update.update_id for update in updates]
        assert numbers == list(range(numbers[0], numbers[0] + 10))
        assert await bot.get_updates(offset=numbers[-1] + 1) == ()
        assert not platform.bot.waiting


async def test_get_updates_waits_and_conflicts(monkeypatch: pytest.MonkeyPatch) -> None:
    async with alone() as (platform, bot):
        waiting = asyncio.create_task(bot.get_updates(timeout=10))
        await platform.bot.until(lambda: platform.calls["getUpdates"] == 1)
        await platform.write(FIRST, "在吗")
        assert len(await waiting) == 1
        await bot.set_webhook("http://127.0.0.1:9/")
        with pytest.raises(Conflict):
            await bot.get_updates()


async def test_what_the_api_refuses() -> None:
    async with alone() as (platform, bot):
        platform.phone(FIRST).blocked = True
        with pytest.raises(Forbidden, match="blocked by the user"):
            await bot.send_message(FIRST, "好")
        platform.phone(FIRST).blocked = False
        for chat, text, words in (
            (FIRST, " ", "text is empty"), (FIRST, "漏" * 4095 + "😭", "too long"), (1, "好", "hat not found")
        ):  # fmt: skip
            with pytest.raises(BadRequest, match=words):
                await bot.send_message(chat, text)
        with pytest.raises(BadRequest, match="too old"):
            await bot.answer_callback_query("5-1")
        with pytest.raises(InvalidToken):
            async with Bot("1:x", base_url=f"{platform.base_url}/bot"):
                pass
        assert platform.phone(FIRST).received() == []


async def test_a_webhook_is_called_with_its_secret_and_again_until_it_takes_the_update() -> None:
    async with desk(Limits(pause_s=0.0, repeats=2)) as (platform, service, _):
        assert (await platform.write(FIRST, "漏水")).statuses == (200,)
        assert platform.phone(FIRST).received() == ["收到：漏水"]
        service.status = 503
        assert (await platform.write(FIRST, "在吗")).statuses == (503, 503, 503)
        assert len(platform.bot.waiting) == 1
        service.status = 200
        platform.bot.secret = "another"
        assert (await platform.write(FIRST, "x")).statuses == (403, 403, 403)
        platform.bot.secret = WEBHOOK_SECRET
        await platform.pusher.flush()
        assert not platform.bot.waiting


async def test_a_press_carries_the_message_with_its_keyboard() -> None:
    async with desk() as (platform, service, _):
        await platform.write(FIRST, "选")
        await platform.press_label(FIRST, "9栋502")
        assert (service.seen[1].messages[0].text, service.seen[1].messages[0].choice) == ("9栋502", "2")
        await service.channel.settled()
        with pytest.raises(LookupError):
            await platform.press_label(FIRST, "9栋502")


# What the page calls


async def post(url: str, payload: object) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, json=payload) as response:
        return response.status


async def get(url: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        return json.loads(await response.text()) if "json" in response.content_type else await response.text()


async def test_what_is_done_on_the_phone_travels_and_shows_up_in_the_state() -> None:
    async with desk() as (platform, service, base):
        send = f"{base}/simulator/telegram/send"
        acts = ("start", "text", "photo", "voice", "file", "large", "location", "contact")
        for kind in acts:
            text = "漏水" if kind == "text" else ""
            assert await post(send, {"openid": WANG.openid, "kind": kind, "text": text}) == 202
        await platform.bot.wire.until(lambda: len(service.seen) == len(acts) and not platform.bot.waiting)
        assert await post(send, {"openid": WANG.openid, "kind": "block"}) == 202
        await platform.bot.until(lambda: platform.phone(FIRST).blocked)
        state = await get(f"{base}/simulator/telegram/state")
        phones = {phone["openid"]: phone for phone in state["phones"]}
        assert set(phones) == {WANG.openid, LI.openid}
        assert phones[WANG.openid]["blocked"]
        assert phones[WANG.openid]["started"]
        assert "收到：漏水" in [bubble["text"] for bubble in phones[WANG.openid]["screen"]]
        wire = await get(f"{base}/simulator/state")
        assert {transfer["openid"] for transfer in wire["transfers"]} <= {WANG.openid, ""}
        for secret in (BOT_TOKEN, BOT_TOKEN.partition(":")[2], WEBHOOK_SECRET):
            assert secret not in json.dumps([state, wire])


@pytest.mark.parametrize(
    "payload",
    [
        {"openid": "oStranger", "kind": "text", "text": "x"},
        {"openid": WANG.openid, "kind": "text", "text": " "},
        {"openid": WANG.openid, "kind": "text", "text": "x" * 4097},
        {"openid": WANG.openid, "kind": "press", "text": "choice:1", "message_id": 9},
        {"openid": WANG.openid, "kind": "edit", "text": "x", "message_id": 9},
        {"openid": WANG.openid, "kind": "shout"},
        [],
    ],
)
async def test_nonsense_is_refused(payload: object) -> None:
    async with desk() as (platform, _, base):
        assert await post(f"{base}/simulator/telegram/send", payload) == 400
        assert not platform.bot.waiting


async def test_the_page_has_the_phone_only_where_there_is_a_telegram() -> None:
    async with desk() as (_, _service, base):
        page = await get(f"{base}/simulator")
        assert 'id="tg-screen"' in page
        for address in re.findall(r'(?:src|href)="(/simulator/static/telegram[^"]+)"', page):
            assert len(await get(base + address)) > 1000
        assert not re.search(r'\son\w+="|style="', page)


# The browser


@asynccontextmanager
async def page_of(width: int, height: int) -> AsyncIterator[tuple[Page, TelegramPlatform, Service]]:
    """The page with everything loaded; an error in its script fails the test."""
    errors: list[str] = []
    async with desk() as (platform, service, base), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": width, "height": height})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        await page.goto(f"{base}/simulator")
        await expect(page.locator("#state")).to_have_text("在线")
        await expect(page.locator("#tg-start")).to_be_visible()
        yield page, platform, service
        await browser.close()
    assert errors == []


@needs_chromium
@pytest.mark.parametrize(("width", "height"), [(1366, 768), (360, 740)])
async def test_typing_pressing_editing_and_blocking(width: int, height: int, tmp_path: Path) -> None:
    async with page_of(width, height) as (page, platform, service):
        await page.fill("#tg-text", "选")
        await page.keyboard.press("Enter")
        await expect(page.locator(".tg-line.sent .tg-bubble")).to_contain_text("选")
        await expect(page.locator(".tg-keys button")).to_have_text(["3栋1101", "9栋502"])
        assert await page.evaluate(SMALL_TEXT) == []
        assert not await page.evaluate(TOO_WIDE)
        await page.screenshot(path=tmp_path / f"telegram-{width}.png", full_page=True)
        await page.click(".tg-keys >> text=9栋502")
        await expect(page.locator(".tg-keys button")).to_have_text(["✓ 9栋502"])
        await expect(page.locator(".tg-line.received .tg-bubble").last).to_contain_text("收到：9栋502")
        await page.click(".tg-line.sent .tg-foot button")
        await page.fill("#tg-text", "<img src=x onerror=alert(1)>")
        await page.click(".tg-send")
        await expect(page.locator(".tg-line.sent .tg-bubble")).to_contain_text("已编辑")
        await expect(page.locator(".tg-line.received .tg-bubble").last).to_contain_text("Correction: <img src=x")
        await service.channel.send(OutboundMessage(row_id="1", address=str(FIRST), text="师傅在路上"))
        await expect(page.locator(".tg-line.received .tg-bubble").last).to_contain_text("师傅在路上")
        await page.click(".chip >> text=临时出入证怎么办")
        await expect(page.locator(".tg-line.received .tg-bubble").last).to_contain_text("收到：临时出入证怎么办")
        await expect(page.locator(".row")).to_have_count(0)
        await page.click("#text")
        await page.click(".chip >> text=人工")
        await expect(page.locator(".row.sent")).to_have_count(1)
        await page.click(".tg-block")
        await expect(page.locator("#tg-block-label")).to_have_text("恢复")
        await expect(page.locator("#tg-text")).to_be_disabled()
        assert platform.phone(FIRST).blocked
        await page.click(f".person[data-openid={LI.openid}]")
        await expect(page.locator(".tg-hint")).to_be_visible()
        await expect(page.locator("#tg-text")).to_be_enabled()


@needs_chromium
async def test_the_page_fits_its_window_with_long_messages() -> None:
    async with page_of(1366, 768) as (page, platform, _):
        for text in ("漏" * 500, "https://example.com/" + "x" * 480):
            await platform.write(FIRST, text)
        await expect(page.locator(".tg-line.received")).to_have_count(2)
        assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        for screen in ("screen", "tg-screen"):
            assert not await page.evaluate(f"byId('{screen}').scrollWidth > byId('{screen}').clientWidth")
        assert await page.locator("#tg-text").is_visible()
        await page.reload()
        await expect(page.locator(".tg-line.received")).to_have_count(2)
