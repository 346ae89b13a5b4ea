"""What goes wrong at will: each switch over real sockets, by the routes that the page and other programs use."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from playwright.async_api import async_playwright, expect

from bot.web.simulator.sms import SmsGateway
from channels.errors import (
    Blocked,
    Later,
    Misconfigured,
    OutcomeUnknown,
    QuotaUsedUp,
    Rejected,
    SendError,
    WindowClosed,
)
from channels.messages import OutboundMessage
from channels.sms.vocabulary import render
from tests.channels.sms_kit import PHONE, standing
from tests.simulator import telegram_service
from tests.simulator.service import WANG, desk
from tests.simulator.telegram_service import FIRST
from tests.simulator.test_simulator_browser import ARGUMENTS, CHROMIUM, SMALL_TEXT, TOO_WIDE
from tests.simulator.test_simulator_sms import phones

RECORDED = render("recorded", what="厨房水管漏水", number="0001", until="今天17:30")
NORMAL = {"api": "", "pushes": "", "receipts": ""}


async def switch(base: str, phone: str, wanted: object, **more: Any) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{base}/simulator/faults/{phone}", json=wanted, **more) as response,
    ):
        return response.status, await response.text()


async def boards(base: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{base}/simulator/faults") as response:
        found: dict[str, Any] = await response.json()
        return found


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("refused", Later), ("502", Later), ("cut", OutcomeUnknown), ("45015", WindowClosed),
        ("45047", QuotaUsedUp), ("48001", Misconfigured), ("-1", OutcomeUnknown), ("45011", Later),
        ("43004", Blocked), ("48002", Blocked),
    ],
)  # fmt: skip
async def test_wechat_calls_end_as_switched_and_well_again(name: str, error: type[SendError]) -> None:
    async with desk() as (platform, service, base):
        await platform.push_text(WANG.openid, "漏水")
        message = OutboundMessage(row_id="1", address=WANG.openid, text="师傅来了")
        await service.channel.send(message)
        assert (await switch(base, "wechat", {"api": name}))[0] == 200
        for _ in range(2):  # it stays until it is put back
            with pytest.raises(error):
                await service.channel.send(message)
        assert (await boards(base))["wechat"]["now"] == {**NORMAL, "api": name}
        assert (await switch(base, "wechat", {}))[0] == 200
        await service.channel.send(message)
        assert platform.phone(WANG.openid).received()[-1] == "师傅来了"


async def test_a_token_that_is_over_once_is_renewed_and_the_switch_falls_back() -> None:
    async with desk() as (platform, service, base):
        await platform.push_text(WANG.openid, "漏水")
        await switch(base, "wechat", {"api": "40001"})
        await service.channel.send(OutboundMessage(row_id="1", address=WANG.openid, text="师傅来了"))
        assert platform.calls["stable_token"] == 2
        assert platform.phone(WANG.openid).received().count("师傅来了") == 1
        assert (await boards(base))["wechat"]["now"] == NORMAL


async def test_what_hangs_goes_on_when_it_is_put_back() -> None:
    async with desk() as (platform, service, base):
        await platform.push_text(WANG.openid, "漏水")
        await switch(base, "wechat", {"api": "silent"})
        sending = asyncio.create_task(
            service.channel.send(OutboundMessage(row_id="1", address=WANG.openid, text="师傅来了"))
        )
        # The token is asked for first, and hangs.
        while not platform.calls["stable_token"]:
            await asyncio.sleep(0)
        await switch(base, "wechat", {})
        with pytest.raises(SendError):
            await sending


@pytest.mark.parametrize(
    ("name", "error"),
    [("refused", Later), ("502", OutcomeUnknown), ("cut", OutcomeUnknown), ("429", Later), ("403", Blocked),
     ("400", Rejected), ("401", Misconfigured)],
)  # fmt: skip
async def test_telegram_calls_end_as_switched(name: str, error: type[SendError]) -> None:
    async with telegram_service.desk() as (platform, service, base):
        platform.phone(FIRST)
        await switch(base, "telegram", {"api": name})
        message = OutboundMessage(row_id="1", address=str(FIRST), text="师傅来了")
        with pytest.raises(error) as caught:
            await service.channel.send(message)
        if isinstance(caught.value, Later) and name == "429":
            assert (caught.value.after, caught.value.throttled) == (5.0, True)
        assert len(platform.phone(FIRST).received()) == (1 if name == "cut" else 0)


@pytest.mark.parametrize(
    ("gateway", "name", "error"),
    [
        ("twilio", "refused", Later), ("twilio", "502", OutcomeUnknown), ("twilio", "cut", OutcomeUnknown),
        ("twilio", "21610", Blocked), ("twilio", "21211", Rejected), ("twilio", "20429", Later),
        ("twilio", "30001", Later), ("twilio", "20003", Misconfigured),
        ("aliyun", "cut", OutcomeUnknown), ("aliyun", "isv.BUSINESS_LIMIT_CONTROL", QuotaUsedUp),
        ("aliyun", "isv.MOBILE_NUMBER_ILLEGAL", Rejected), ("aliyun", "isv.MOBILE_IN_BLACKLIST", Blocked),
        ("aliyun", "isv.AMOUNT_NOT_ENOUGH", Misconfigured), ("aliyun", "isp.SYSTEM_ERROR", OutcomeUnknown),
        ("tencent", "LimitExceeded.PhoneNumberDailyLimit", QuotaUsedUp),
        ("tencent", "InvalidParameterValue.IncorrectPhoneNumber", Rejected),
        ("tencent", "FailedOperation.PhoneNumberInBlacklist", Blocked),
        ("tencent", "FailedOperation.InsufficientBalanceInSmsPackage", Misconfigured),
        ("tencent", "InternalError.Timeout", OutcomeUnknown),
    ],
)  # fmt: skip
async def test_sms_calls_end_as_switched(gateway: str, name: str, error: type[SendError]) -> None:
    async with standing(gateway) as (far, channel):
        message = OutboundMessage(row_id="1", address=PHONE, text=RECORDED)
        await channel.send(message)
        await far.faults.switch(name)
        with pytest.raises(error):
            await channel.send(message)
        await far.faults.switch()
        await channel.send(message)
        assert len(far.handed) == (3 if name == "cut" else 2)


# Pushes


async def test_pushes_come_three_times_and_the_reply_shows_once() -> None:
    async with desk() as (platform, service, base):
        await switch(base, "wechat", {"pushes": "thrice"})
        await platform.push_text(WANG.openid, "漏水")
        assert [parsed.messages[0].text for parsed in service.seen] == ["漏水"] * 3
        assert len({parsed.messages[0].external_id for parsed in service.seen}) == 1
        assert platform.phone(WANG.openid).received() == ["收到：漏水"]


async def test_every_other_push_is_overtaken() -> None:
    async with desk() as (platform, service, base):
        await switch(base, "wechat", {"pushes": "reordered"})
        first = platform.spawn(platform.push_text(WANG.openid, "一"))
        await platform.wire.until(lambda: len(platform.phone(WANG.openid).screen) == 1)
        await platform.push_text(WANG.openid, "二")
        await first
        assert [parsed.messages[0].text for parsed in service.seen] == ["二", "一"]


async def test_a_push_that_is_held_goes_when_all_is_put_back() -> None:
    async with desk() as (platform, service, base):
        await switch(base, "wechat", {"pushes": "reordered"})
        held = platform.spawn(platform.push_text(WANG.openid, "一"))
        await platform.wire.until(lambda: len(platform.phone(WANG.openid).screen) == 1)
        await switch(base, "wechat", {})
        await held
        assert [parsed.messages[0].text for parsed in service.seen] == ["一"]


async def test_a_reply_that_is_lost_is_asked_for_again() -> None:
    async with desk() as (platform, service, base):
        await switch(base, "wechat", {"pushes": "lost"})
        pushed = await platform.push_text(WANG.openid, "漏水")
        assert [attempt.status for attempt in pushed.attempts] == [None, 200]
        assert len(service.seen) == 2
        assert platform.phone(WANG.openid).received() == ["收到：漏水"]


async def test_telegram_pushes_three_times_and_out_of_order() -> None:
    async with telegram_service.desk() as (platform, service, _):
        await platform.faults.switch(pushes="thrice")
        await platform.write(FIRST, "一")
        assert len(service.seen) == 3
        await platform.faults.switch(pushes="reordered")
        first = platform.spawn(platform.write(FIRST, "二"))
        await platform.bot.until(lambda: platform.phone(FIRST).screen[-1].text == "二")
        await platform.write(FIRST, "三")
        await first
        assert [parsed.messages[0].text for parsed in service.seen[3:]] == ["三", "二"]


# Receipts


@pytest.mark.parametrize(
    ("switched", "statuses"),
    [
        ("", ["delivered"]), ("missing", []), ("failed", ["undelivered"]), ("early", ["delivered"]),
        ("shuffled", ["delivered", "sent"]), ("late", ["delivered"]),
    ],
)  # fmt: skip
async def test_receipts_come_as_switched(switched: str, statuses: list[str]) -> None:
    async with phones() as (far, base):
        await switch(base, "sms", {"receipts": switched})
        await far.push_text(PHONE, "漏水")
        await far.wire.until(lambda: bool(far.handed))
        if switched == "late":
            assert not receipts(far)
            await switch(base, "sms", {})
        await far.wire.until(lambda: len(receipts(far)) == len(statuses))
        assert receipts(far) == statuses
        names = [transfer.name for transfer in far.wire.transfers if transfer.name in {"receipt", "Messages"}]
        assert names[:1] == ["receipt" if switched == "early" else "Messages"]


def receipts(far: SmsGateway) -> list[str]:
    """The statuses that were pushed, in order."""
    pushed = [transfer.payload for transfer in far.wire.transfers if transfer.name == "receipt"]
    return [parse_qs(payload)["MessageStatus"][0] for payload in pushed]


# The routes and the page


@pytest.mark.parametrize(
    ("phone", "wanted", "status", "reason"),
    [
        ("wechat", {"api": "nonsense"}, 400, "api: 'nonsense' is none of refused"),
        ("wechat", {"pushes": "twice"}, 400, "pushes: 'twice' is none of thrice, reordered, lost"),
        ("wechat", {"receipts": "late"}, 400, "receipts: 'late' is none of none"),
        ("wechat", {"apis": "502"}, 400, "unknown field `apis`"),
        ("wechat", [], 400, "Expected `object`"),
        ("fax", {}, 404, "there are wechat"),
    ],
)
async def test_nonsense_is_refused_and_changes_nothing(phone: str, wanted: object, status: int, reason: str) -> None:
    async with desk() as (platform, _, base):
        got, words = await switch(base, phone, wanted)
        assert (got, reason in words) == (status, True), words
        assert platform.faults.is_normal


async def test_a_form_of_a_foreign_page_is_refused() -> None:
    async with desk() as (_, _service, base):
        assert (await switch(base, "wechat", {}, headers={"Content-Type": "text/plain"}))[0] == 415


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: install chromium to run the browser tests")
@pytest.mark.parametrize(("width", "height"), [(1366, 768), (360, 740)])
async def test_the_switches_on_the_page(width: int, height: int, tmp_path: Path) -> None:
    async with phones() as (far, base), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": width, "height": height})
        await page.goto(f"{base}/simulator")
        panel = page.locator('.faults[data-phone="sms"]')
        await expect(panel.locator(".fault-state")).to_have_text("一切正常")
        await expect(panel.locator("select").first).not_to_be_visible()
        await panel.locator("summary").click()
        await panel.locator("select").nth(0).select_option("21610")
        await panel.locator("select").nth(2).select_option("late")
        await expect(panel.locator(".fault-state")).to_have_text("已退订、压住不发")
        assert (far.faults.api, far.faults.receipts) == ("21610", "late")
        assert not await page.evaluate(TOO_WIDE)
        assert await page.evaluate(SMALL_TEXT) == []
        await page.screenshot(path=tmp_path / f"faults-{width}.png", full_page=True)
        await page.reload()
        await expect(panel.locator(".fault-state")).to_have_text("已退订、压住不发")
        await panel.locator(".fault-back").click()
        await expect(panel.locator(".fault-state")).to_have_text("一切正常")
        assert far.faults.is_normal
        await browser.close()
