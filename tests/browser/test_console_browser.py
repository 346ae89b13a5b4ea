"""The console in a real browser: density, live changes, what was typed, alarms, small screens."""

import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from playwright.async_api import Page, async_playwright, expect

from bot.clock import SystemClock
from bot.store import alarms
from bot.web.staff import VENDOR
from intents.reader import Reader
from knowledge_base.answer import KnowledgeBase
from tests.support.databases import opened as database_opened
from tests.web.console_kit import Kit, opened
from tests.web.console_seed import LONG, PASSWORD, Seed, alarm, message, order, resident, said

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS: Final = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SMALL_TEXT: Final = """[...document.querySelectorAll('body *')].filter(e => e.checkVisibility()
  && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
  && parseFloat(getComputedStyle(e).fontSize) < 12).map(e => e.outerHTML.slice(0, 80))"""
TOO_WIDE: Final = "document.documentElement.scrollWidth > window.innerWidth"
TOO_HIGH: Final = "document.documentElement.scrollHeight > window.innerHeight"
SHOWN: Final = """selector => [...document.querySelectorAll(selector)].filter(e => {
  const box = e.getBoundingClientRect(), frame = e.closest('.scroll, .conversations').getBoundingClientRect();
  return box.top >= frame.top - 1 && box.bottom <= Math.min(frame.bottom, innerHeight) + 1; }).length"""
NAMELESS: Final = """[...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a[href]')]
  .filter(e => e.checkVisibility() && !(e.labels?.length || e.ariaLabel || e.textContent.trim() || e.title))
  .map(e => e.outerHTML.slice(0, 120))"""
PALE: Final = """() => {
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const parse = text => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = text; pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = (top, under) => top.slice(0, 3).map((c, i) => c * top[3] + under[i] * (1 - top[3]));
  const light = rgb => rgb.map(c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const ground = e => { const own = parse(getComputedStyle(e).backgroundColor);
    return own[3] === 1 || !e.parentElement ? own.slice(0, 3) : over(own, ground(e.parentElement)); };
  const read = e => e.checkVisibility() && !e.closest(':disabled, .visually-hidden');
  return [...document.querySelectorAll('body *')].filter(e => read(e)
    && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).map(e => {
      const back = ground(e), front = over(parse(getComputedStyle(e).color), back);
      const [a, b] = [light(back), light(front)].sort((x, y) => y - x);
      return [(a + .05) / (b + .05), e.outerHTML.slice(0, 90)]; }).filter(([ratio]) => ratio < 4.5);
}"""
"""Text that WCAG 2.2 AA calls too pale on what is behind it."""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: install chromium to run the browser tests"),
    pytest.mark.skipif(not VENDOR.is_dir(), reason="front-end files are missing: run python scripts/vendor.py"),
]

NAME = "欧阳上官阿卜杜拉·买买提明·艾合买提江"
PAGES = (
    "inbox", "orders", "orders?closed", "complaints", "affairs", "calls", "bindings", "me", "alarms", "attention",
    "knowledge", "knowledge?tab=shipped&try=停车", "knowledge/new", "knowledge/shipped/tap-price", "questions",
)  # fmt: skip


def crowd(conn: sa.Connection, seed: Seed) -> None:
    """Many conversations; in one of them many short messages, some long ones, and what can go wrong."""
    for number in range(20):
        resident(
            conn,
            seed,
            f"r{number}",
            "A",
            NAME if number % 3 == 0 else f"王{number}",
            phone="13812348000",
            home="1502" if number == 0 else "",
        )
        message(conn, seed, f"r{number}", LONG if number % 4 == 0 else "厨房水管漏水", minutes_ago=60 + number)
    for number in range(30):
        message(conn, seed, "wang", f"第{number}句", minutes_ago=50 - number)
        said(conn, seed, "wang", f"好的，第{number}句", minutes_ago=49.5 - number, fence=0)
    for number in range(25):
        fault = LONG if number == 3 else "厨房水管漏水"
        order(conn, seed, f"o{number}", fault=fault, words=LONG, urgency=("normal", "urgent", "emergency")[number % 3])


@asynccontextmanager
async def console(
    url: str, folder: Path, *, width: int = 1366, height: int = 768, login: str = "agent",
    reads: tuple[Reader, KnowledgeBase] | None = None,
) -> AsyncIterator[tuple[Page, Kit]]:  # fmt: skip
    """Somebody signed in; an error in a script, or a request that fails, fails the test."""
    errors: list[str] = []
    async with (
        database_opened(url) as database,
        opened(database, SystemClock(), folder, reads) as kit,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(
            viewport={"width": width, "height": height}, base_url=str(kit.server.make_url("/"))
        )
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        await page.goto("/console/sign-in")
        await page.get_by_label("账号").fill(login)
        await page.get_by_label("密码").fill(PASSWORD)
        await page.get_by_role("button", name="登录", exact=True).click()
        await page.wait_for_url("**/console/**")
        yield page, kit
        await page.close()
        await browser.close()
    refused = ("status of 400", "Error Code 400")  # a form that the test filled in wrongly
    assert [error for error in errors if not any(text in error for text in refused)] == []


async def write(kit: Kit, f: Any, *args: Any, **kwargs: Any) -> Any:
    """Write, and tell the open consoles."""
    result = await kit.run(f, *args, **kwargs)
    kit.context.database.announce()
    return result


async def photo(page: Page, folder: Path, name: str) -> None:
    # `caret` as it is: hiding it would put a style on the page, which the policy of the console refuses.
    await page.screenshot(path=folder / f"{name}.png", caret="initial")


async def test_the_inbox_is_dense_and_needs_no_scrolling(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path) as (page, kit):
        await write(kit, crowd, kit.seed)
        await page.goto(f"/console/inbox/{kit.seed.conversations['wang']}")
        await photo(page, tmp_path, "inbox-full")
        assert await page.evaluate(SHOWN, ".conversations li > a") >= 14
        assert await page.evaluate(SHOWN, "#thread-scroll .entry") >= 12
        await expect(page.locator("#draft")).to_be_in_viewport(ratio=1)
        assert not await page.evaluate(TOO_HIGH)
        assert not await page.evaluate(TOO_WIDE)
        await write(kit, alarm, kit.seed, "gas", "wang", "emergency", "agent")
        await expect(page.locator(".alarms")).to_be_visible()
        await photo(page, tmp_path, "inbox-alarm")
        await expect(page.locator(".entry").last).to_be_in_viewport(ratio=1)
        assert await page.evaluate(SHOWN, ".conversations li > a") >= 14
        assert await page.evaluate(SHOWN, "#thread-scroll .entry") >= 12


async def test_a_thread_grows_live_and_keeps_what_was_typed(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path) as (page, kit):
        where = kit.seed.conversations["wang"]
        await page.locator(f"#c-{where}").click()
        await expect(page.locator("#thread-scroll")).to_contain_text("厨房水管漏水")
        assert page.url.endswith(f"/console/inbox/{where}?filter=all")
        await page.get_by_role("button", name="接管", exact=True).click()
        await expect(page.locator("#draft")).to_be_enabled()
        await page.locator("#draft").press_sequentially("您好，我在看")
        await write(kit, message, kit.seed, "wang", "还在漏", minutes_ago=0)
        await expect(page.locator(".entry.resident").last).to_contain_text("还在漏")
        await expect(page.locator("#draft")).to_have_value("您好，我在看")
        await expect(page.locator("#draft")).to_be_focused()
        await page.reload()
        await expect(page.locator("#draft")).to_have_value("您好，我在看")
        await page.locator("#draft").press("Enter")
        await expect(page.locator(".entry.agent").last).to_contain_text("您好，我在看")
        await expect(page.locator("#draft")).to_have_value("")
        await page.get_by_role("button", name="交还机器人").click()
        await expect(page.locator("#draft")).to_be_disabled()
        await expect(page.locator(".turn").last).to_contain_text("交还机器人")


async def test_scrolling_up_brings_what_was_said_before(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path) as (page, kit):
        await write(kit, crowd, kit.seed)
        await page.goto(f"/console/inbox/{kit.seed.conversations['wang']}")
        first = page.get_by_text("第0句", exact=True)
        await expect(first).to_have_count(0)
        await expect(page.locator(".entry").last).to_be_in_viewport()  # the page has gone to the end by itself
        await page.locator("#thread-scroll").focus()
        await page.keyboard.press("Home")
        await expect(first).to_have_count(1)
        await write(kit, message, kit.seed, "wang", "新来的", minutes_ago=0)
        await expect(page.locator(".entry").last).to_contain_text("新来的")
        await expect(first).to_have_count(1)
        await page.get_by_role("button", name="下面有新消息").click()
        await expect(page.locator(".entry").last).to_be_in_viewport()


async def test_an_alarm_comes_up_anywhere_is_marked_as_shown_and_taken(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path) as (page, kit):
        await page.goto("/console/orders")
        async with page.expect_response("**/alarms/shown") as told:
            alarm_id = await write(kit, alarm, kit.seed, "gas", "wang", "emergency", "agent")
            await expect(page.locator(".alarms")).to_contain_text("厨房有燃气味")
        assert (await told.value).status == 204
        assert await kit.context.database.read(alarms.shown_to, alarm_id)
        await page.get_by_role("button", name="我来处理").click()
        await expect(page.locator(".alarms")).to_contain_text("员工agent")
        await expect(page.locator(".alarms.ringing")).to_have_count(0)


async def test_a_half_filled_form_survives_a_change(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path) as (page, kit):
        order_id = kit.seed.cases["order"]
        await page.goto(f"/console/orders/{order_id}")
        await page.locator("summary", has_text="备注").click()
        await page.get_by_label("内部备注，住户看不到").fill("门禁坏了")
        other = await kit.sign_in("agent2")
        assert (await other.post(f"/orders/{order_id}/note", {"text": "同事写的"})).status == 303
        await expect(page.locator(".story")).to_contain_text("同事写的")
        await expect(page.get_by_label("内部备注，住户看不到")).to_have_value("门禁坏了")
        await page.get_by_role("button", name="提交").click()
        await expect(page.locator(".story")).to_contain_text("门禁坏了")


async def test_an_order_is_dispatched_in_the_browser(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path) as (page, kit):
        await page.goto(f"/console/orders/{kit.seed.cases['order']}")
        await page.get_by_label("维修人员").select_option(str(kit.seed.people["tech"]))
        await page.get_by_label("日期").first.fill("2099-01-02")
        await page.get_by_label("从").first.fill("09:00")
        await page.get_by_label("到", exact=True).first.fill("08:00")
        await page.get_by_role("button", name="派单", exact=True).click()
        await expect(page.locator("#notice")).to_contain_text("结束时间要晚于开始时间")
        await page.get_by_label("到", exact=True).first.fill("10:00")
        await page.get_by_role("button", name="派单", exact=True).click()
        await expect(page.locator(".part-order")).to_contain_text("已派单")
        await expect(page.locator(".part-order")).to_contain_text("2099-01-02 09:00–10:00")
        await photo(page, tmp_path, "order")


async def test_an_order_goes_from_move_to_move_without_loading_the_page_again(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path) as (page, kit):
        await page.goto(f"/console/orders/{kit.seed.cases['given']}")
        await page.evaluate("window.sameDocument = true")
        await page.get_by_role("button", name="接单", exact=True).click()
        await expect(page.locator(".part-order .badge").first).to_contain_text("已接单")
        await expect(page.get_by_role("button", name="接单", exact=True)).to_have_count(0)
        await page.get_by_role("button", name="已到场", exact=True).click()
        await expect(page.locator(".part-order .badge").first).to_contain_text("已到场")
        await expect(page.get_by_role("button", name="已到场", exact=True)).to_have_count(0)
        await page.get_by_label("做了什么").fill("换了一根软管")
        for name, value in (("cause", "自然损耗"), ("responsible_party", "物业"), ("outcome", "修好")):
            await page.locator(f"select[name={name}]").select_option(label=value)
        await page.get_by_role("button", name="完工", exact=True).click()
        await expect(page.locator(".part-order .badge").first).to_contain_text("待验收")
        await expect(page.get_by_role("button", name="完工", exact=True)).to_have_count(0)
        assert await page.evaluate("window.sameDocument")


@pytest.mark.parametrize("pages", [PAGES[::4], pytest.param(PAGES, marks=pytest.mark.long)], ids=["few", "all"])
async def test_nothing_is_too_small_or_without_a_name(pages: Sequence[str], sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path) as (page, kit):
        await write(kit, crowd, kit.seed)
        await write(kit, alarm, kit.seed, "gas", "wang", "emergency", "agent")
        single = [
            f"inbox/{kit.seed.conversations['wang']}",
            f"orders/{kit.seed.cases['o3']}",
            f"complaints/{kit.seed.cases['noise']}",
        ]
        for name in (*pages, *single, f"affairs/{kit.seed.cases['affair']}"):
            for width, height in ((1366, 768), (360, 740)):
                await page.set_viewport_size({"width": width, "height": height})
                await page.goto(f"/console/{name}")
                await photo(page, tmp_path, f"{name.replace('/', '-').replace('?', '-')[:20]}-{width}")
                assert (name, await page.evaluate(SMALL_TEXT)) == (name, [])
                assert (name, await page.evaluate(NAMELESS)) == (name, [])
                assert (name, await page.evaluate(PALE)) == (name, [])
                assert (name, width, await page.evaluate(TOO_WIDE)) == (name, width, False)


async def test_english_fits_a_phone_as_well(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path, width=360, height=740, login="supervisor") as (page, kit):
        await write(kit, crowd, kit.seed)
        await page.locator(".menu-button").click()
        await page.get_by_role("button", name="English").click()
        for name in (*PAGES, f"inbox/{kit.seed.conversations['wang']}", f"orders/{kit.seed.cases['given']}"):
            await page.goto(f"/console/{name}")
            await expect(page.locator("html")).to_have_attribute("lang", "en")
            await photo(page, tmp_path, f"english-{name[:9].replace('/', '-').replace('?', '-')}")
            assert (name, await page.evaluate(TOO_WIDE)) == (name, False)


async def test_on_a_phone_from_the_list_to_the_thread_and_back(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path, width=360, height=740) as (page, kit):
        await write(kit, crowd, kit.seed)
        await page.goto("/console/inbox")
        await page.locator(f"#c-{kit.seed.conversations['wang']}").click()
        await expect(page.locator("#draft")).to_be_visible()
        await expect(page.locator(".conversations")).to_be_hidden()
        await expect(page.locator(".entry").last).to_be_in_viewport(ratio=1)
        await page.get_by_role("button", name="住户资料").click()
        await expect(page.locator("#card")).to_contain_text("3栋2单元1502")
        await photo(page, tmp_path, "phone-card")
        await page.get_by_role("button", name="关闭").click()
        await photo(page, tmp_path, "phone-thread")
        await page.get_by_role("link", name="回到列表").click()
        await expect(page.locator(".conversations")).to_be_visible()


async def test_an_agent_needs_no_mouse(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path) as (page, kit):
        await write(kit, crowd, kit.seed)
        await page.goto("/console/inbox")
        await expect(page.locator(".keys").first).to_contain_text("下一个、上一个会话")
        links = page.locator("#conversations li > a[id]")
        for key, chosen in (("j", 0), ("j", 1), ("k", 0)):
            await page.keyboard.press(key)
            await expect(links.nth(chosen)).to_have_attribute("aria-current", "true")
        await expect(page.locator("#thread-data")).to_be_attached()
        await page.keyboard.press("t")
        await expect(page.locator("#draft")).to_be_focused()
        await page.keyboard.type("jkt 我来看看")
        await expect(page.locator("#draft")).to_have_value("jkt 我来看看")
        await page.keyboard.press("Enter")
        await expect(page.locator(".entry.agent").last).to_contain_text("jkt 我来看看")
        await expect(page.locator(".entry.agent .who").last).to_have_text("员工agent")
        await page.keyboard.press("Escape")
        await expect(page.locator("#conversations a[aria-current]")).to_be_focused()


async def test_who_waits_stands_in_the_title(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path) as (page, kit):
        await expect(page).to_have_title("会话 · 物业前台")
        await write(kit, lambda conn: conn.execute(sa.text("UPDATE conversations SET mode = 'waiting'")))
        await expect(page).to_have_title(re.compile(r"^\(\d\) 会话"))


async def test_the_list_is_walked_with_the_keyboard(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path) as (page, kit):
        await write(kit, crowd, kit.seed)
        await page.goto("/console/inbox")
        links = page.locator(".conversations li > a")
        await links.first.focus()
        await page.keyboard.press("ArrowDown")
        await expect(links.nth(1)).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(links.nth(1)).to_have_attribute("aria-current", "true")
        await expect(links.nth(1)).to_be_focused()
        await page.get_by_role("button", name="显示").click()
        await expect(page.locator("#phone")).to_contain_text("13812348000")
        assert "phone_shown" in await kit.acts()


async def test_without_anything_to_show_every_page_says_so(sqlite_url: str, tmp_path: Path) -> None:
    async with console(sqlite_url, tmp_path, login="other") as (page, kit):
        await page.goto("/console/inbox?filter=mine")
        await expect(page.locator(".empty").first).to_contain_text("您没有接管的会话")
        for name in ("complaints", "affairs", "calls", "alarms"):
            await page.goto(f"/console/{name}")
            await expect(page.locator(".empty")).to_be_visible()
        await photo(page, tmp_path, "empty")
        del kit
