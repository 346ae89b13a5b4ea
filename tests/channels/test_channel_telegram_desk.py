"""From the phone to the work order and back: the real engine, over real sockets, on both databases."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from bot.store.alarms import alarms
from bot.store.messages import attachments, messages, unreadable
from bot.store.outbox import outbox
from bot.store.residents import identities
from bot.store.work_orders import work_orders
from channels.telegram import api
from channels.telegram.updates import BODY_LIMIT
from tests.channels import telegram_desk
from tests.channels.telegram_desk import Desk
from tests.channels.telegram_kit import HEADER, PERSON, SECRET, TOKEN
from tests.channels.test_channel_telegram_fuzz import mutate
from tests.engine.kit import REPORT, nobody_writes, raw_connection
from tests.support.clock import StoppedClock

JSON = {"Content-Type": "application/json"}
CHOOSE = "停车"
"""Too short to be answered: the knowledge base offers what may be meant."""


@pytest.fixture
async def desk(database_url: str, clock: StoppedClock) -> AsyncIterator[Desk]:
    async with telegram_desk.opened(database_url, clock) as desk:
        await desk.until(lambda: desk.platform.bot.webhook == desk.url)
        yield desk


@pytest.fixture
async def polling(database_url: str, clock: StoppedClock) -> AsyncIterator[Desk]:
    async with telegram_desk.opened(database_url, clock, mode="polling", webhook_secret="") as desk:
        yield desk


async def test_a_report_by_webhook_becomes_one_order_and_is_answered_once(desk: Desk) -> None:
    pushed = await desk.platform.write(PERSON, REPORT)
    assert pushed.statuses == (200,)
    (text,) = await desk.answered(PERSON)
    (order,) = await desk.rows(work_orders)
    assert order["number"] in text
    assert order["category"] == "plumbing"
    for _ in range(3):
        assert (await desk.platform.repeat(pushed)).statuses == (200,)
    await desk.platform.write(PERSON, "谢谢")
    await desk.answered(PERSON, 2)
    assert desk.platform.calls["sendMessage"] == 2
    assert len(await desk.rows(work_orders)) == len((await desk.rows(messages))[:1]) == 1
    assert len(await desk.rows(messages)) == 2
    first = (await desk.rows(outbox))[0]
    assert (first["status"], first["provider_id"]) == ("accepted", f"{PERSON}:2")


async def test_what_does_not_know_the_secret_is_refused_and_not_stored(desk: Desk) -> None:
    body = json.dumps({"update_id": 1, "message": {"text": "漏水"}}).encode()
    for headers in ({}, {HEADER: ""}, {HEADER: SECRET + "x"}, {HEADER: TOKEN}):
        assert await desk.post(body, {**JSON, **headers}) == 403
    for table in (messages, unreadable, identities):
        assert await desk.rows(table) == []


async def test_what_nobody_can_read_is_kept_once_and_acknowledged(desk: Desk) -> None:
    for _ in range(2):
        assert await desk.post(b'{"update_id":1,"message":{"text":"x"}}', {**JSON, HEADER: SECRET}) == 200
    (row,) = await desk.rows(unreadable)
    assert "$.message" in row["reason"]


async def test_what_is_too_large_is_refused_and_not_stored(desk: Desk) -> None:
    assert await desk.post(b" " * (BODY_LIMIT + 1), {**JSON, HEADER: SECRET}) == 413
    assert await desk.rows(unreadable) == []


async def test_no_log_holds_a_secret_or_what_a_resident_said(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("httpx", "httpcore", "telegram", "channels", "bot", "aiohttp"):
        caplog.set_level(logging.DEBUG, name)
    api.quieten()  # as the first call of every process does, after which nobody turns it up
    desk.platform.script("sendMessage", status=502, page=True)
    await desk.platform.write(PERSON, REPORT)
    await desk.platform.contact(PERSON, "8613800138000")
    await desk.platform.write(PERSON, CHOOSE)
    desk.fall_silent()
    await desk.answered(PERSON, 2)
    await desk.post(b'{"update_id":1,"message":{"text":"x"}}', {**JSON, HEADER: SECRET})
    for hidden in (TOKEN, TOKEN.partition(":")[2], SECRET, "13800138000", "水管", str(PERSON)):
        assert hidden not in caplog.text


async def test_hostile_updates_never_break_the_door(desk: Desk) -> None:
    random = Random(20260101)
    for _ in range(60):
        assert await desk.post(mutate(random), {**JSON, HEADER: SECRET}) in {200, 413}


async def test_two_full_messages_one_quoted_in_the_other_are_let_in(desk: Desk) -> None:
    quoted = {"message_id": 1, "date": 0, "chat": {"id": PERSON, "type": "private"}, "text": "漏" * 4096}
    long = "家里漏水。" * 819
    pushed = await desk.platform.send(PERSON, {"text": long, "reply_to_message": quoted}, shown="…")
    assert len(json.dumps(pushed.update)) > 49_000
    assert pushed.statuses == (200,)
    (row,) = await desk.rows(messages)
    assert row["text"] == long


async def test_a_button_answers_its_question_and_goes_dead(desk: Desk) -> None:
    phone = desk.platform.phone(PERSON)
    await desk.platform.write(PERSON, CHOOSE)
    desk.fall_silent()
    await desk.answered(PERSON)
    offered = next(bubble for bubble in phone.screen if bubble.side == "received")
    keys = [key for row in offered.keys for key in row]
    assert len(keys) >= 2
    await desk.platform.press(PERSON, offered.message_id, keys[0].data)
    await desk.answered(PERSON, 2)
    await desk.channel.settled()
    left = phone.bubble(offered.message_id)
    assert left is not None
    assert [[key.text for key in row] for row in left.keys] == [[f"✓ {keys[0].text}"]]
    assert len(phone.answered) == 1
    heard = await desk.rows(messages)
    assert (heard[1]["text"], heard[1]["choice"]) == (keys[0].text, keys[0].data.removeprefix("choice:"))


async def test_blocking_and_coming_back(desk: Desk) -> None:
    await desk.platform.write(PERSON, "你好")
    await desk.answered(PERSON)
    blocked = await desk.platform.block(PERSON)
    assert not (await desk.identity(PERSON))["reachable"]
    await desk.platform.unblock(PERSON)
    assert (await desk.identity(PERSON))["reachable"]
    assert (await desk.platform.repeat(blocked)).statuses == (200,)
    assert (await desk.identity(PERSON))["reachable"], "a repeat changes nothing"
    assert len(desk.platform.phone(PERSON).received()) == 1, "neither is answered"


async def test_a_send_to_somebody_who_blocked_us_marks_them(desk: Desk) -> None:
    desk.platform.phone(PERSON).blocked = True
    await desk.platform.write(PERSON, "你好")
    await desk.platform.write(PERSON + 1, "你好")
    await desk.answered(PERSON + 1)
    while (await desk.identity(PERSON))["reachable"]:
        await desk.platform.write(PERSON + 1, "在吗")
    (row,) = await desk.rows(outbox, outbox.c.address == str(PERSON))
    assert row["status"] == "failed"


async def test_an_edit_opens_no_second_order(desk: Desk) -> None:
    await desk.platform.write(PERSON, REPORT)
    await desk.answered(PERSON)
    sent = next(bubble for bubble in desk.platform.phone(PERSON).screen if bubble.side == "sent")
    await desk.platform.edit(PERSON, sent.message_id, REPORT.replace("1502", "803"))
    said = await desk.answered(PERSON, 2)
    assert "改好了：3栋2单元803" in said[1]
    assert len(await desk.rows(work_orders)) == 1


async def test_an_album_is_answered_once(desk: Desk) -> None:
    for number in range(3):
        await desk.platform.photo(PERSON, caption=REPORT if number == 0 else "", album="7")
    (recorded,) = await desk.answered(PERSON)
    (order,) = await desk.rows(work_orders)
    assert order["number"] in recorded
    kept = await desk.rows(attachments, attachments.c.case_id == order["id"])
    assert [row["kind"] for row in kept] == ["image"] * 3
    await desk.platform.photo(PERSON)
    assert "照片收到" in (await desk.answered(PERSON, 2))[1]


async def test_an_album_without_words_is_asked_about_once(desk: Desk) -> None:
    for times, albums in enumerate((("7", "7"), ("8",)), 1):
        for album in albums:
            await desk.platform.photo(PERSON, album=album)
        desk.fall_silent()
        await desk.answered(PERSON, times)
    await desk.platform.write(PERSON, "人工")
    said = await desk.answered(PERSON, 3)
    assert ["照片收到" in text for text in said] == [True, True, False]


async def test_a_shared_number_is_the_one_to_ring(desk: Desk) -> None:
    await desk.platform.write(PERSON, "3栋2单元1502厨房水管漏水")
    await desk.platform.contact(PERSON, "8613900139000", of=0)
    await desk.answered(PERSON, 2)
    assert not (await desk.rows(work_orders))[0]["contact_phone"]
    await desk.platform.contact(PERSON, "8613800138000")
    assert "13800138000" in (await desk.answered(PERSON, 3))[2]
    assert (await desk.rows(work_orders))[0]["contact_phone"] == "13800138000"


async def test_a_file_that_is_too_large_is_apologised_for(desk: Desk) -> None:
    await desk.platform.document(PERSON, "监控.avi", 60_000_000)
    assert "太大" in (await desk.answered(PERSON))[0]
    await desk.platform.document(PERSON, "合同.pdf", 60_000)
    assert "太大" not in (await desk.answered(PERSON, 2))[1]


async def test_a_group_is_left_and_nothing_of_it_is_kept(desk: Desk) -> None:
    pushed = await desk.platform.group(PERSON, "物业的人呢")
    assert pushed.statuses == (200,)
    await desk.channel.settled()
    assert len(desk.platform.bot.groups_left) == len(desk.platform.bot.group_words) == 1
    for table in (messages, unreadable, identities):
        assert await desk.rows(table) == []


# Polling


async def test_a_report_by_polling_becomes_one_order_and_is_answered_once(polling: Desk) -> None:
    desk = polling
    await desk.platform.write(PERSON, REPORT)
    (text,) = await desk.answered(PERSON)
    (order,) = await desk.rows(work_orders)
    assert order["number"] in text
    assert await desk.post(b"{}", {**JSON, HEADER: SECRET}) == 404, "no webhook is open"
    await desk.platform.write(PERSON, "谢谢")
    await desk.answered(PERSON, 2)
    assert desk.platform.calls["sendMessage"] == 2


async def test_updates_of_one_person_keep_their_order(polling: Desk) -> None:
    desk = polling
    for number in range(5):
        await desk.platform.write(PERSON, f"第{number}句")
        await desk.platform.write(PERSON + 1, "你好")
    await desk.until(lambda: not desk.platform.bot.waiting)
    heard = [row["text"] for row in await desk.rows(messages) if "句" in row["text"]]
    assert heard == [f"第{number}句" for number in range(5)]


async def test_an_update_that_nobody_can_read_holds_up_no_other(polling: Desk) -> None:
    desk = polling
    broken = {"update_id": desk.platform.bot.next_update_id(), "message": {"text": "x"}}
    desk.platform.bot.queue(broken)
    await desk.platform.write(PERSON, "你好")
    await desk.answered(PERSON)
    await desk.until(lambda: not desk.platform.bot.waiting)
    assert len(await desk.rows(unreadable)) == 1


@asynccontextmanager
async def nobody_stores(url: str) -> AsyncIterator[None]:
    """No message can be stored while inside."""
    if "sqlite" in url:
        async with nobody_writes(url):
            yield
        return
    async with raw_connection(url) as raw, raw.transaction():
        # One table, and nothing held before: whoever writes now waits for us, and we for nobody.
        await raw.execute("LOCK TABLE messages IN EXCLUSIVE MODE")
        yield


async def _in_time(desk: Desk, times: int) -> None:
    """Let the pauses pass until so many texts have reached the phone."""
    while len(desk.platform.phone(PERSON).received()) < times:
        desk.clock.advance(seconds=10)
        await desk.post(b"", {})


async def test_telegram_forgets_nothing_before_it_is_stored(database_url: str, clock: StoppedClock) -> None:
    async with telegram_desk.opened(database_url, clock, mode="polling", webhook_secret="") as desk:
        bot = desk.platform.bot
        await desk.until(lambda: desk.platform.calls["getUpdates"] == 1)
        async with nobody_stores(database_url):
            await desk.platform.write(PERSON, REPORT)
            await desk.until(lambda: desk.platform.requests[-1][0] == "getUpdates")
            for _ in range(10):  # round trips through the loop: what would confirm too early has the time to
                await desk.post(b"", {})
            assert (desk.platform.calls["getUpdates"], len(bot.waiting)) == (1, 1)
        await _in_time(desk, 1)
        assert len(await desk.rows(work_orders)) == 1


async def test_a_failing_api_is_tried_again_and_wrong_credentials_are_told(polling: Desk) -> None:
    desk = polling
    await desk.platform.write(PERSON, "你好")
    await desk.answered(PERSON)
    desk.platform.script("getUpdates", status=502, page=True)
    desk.platform.script("getUpdates", status=409, description="Conflict: terminated by other getUpdates request")
    await desk.platform.write(PERSON, "在吗")
    while not await desk.rows(alarms, alarms.c.kind == "channel"):
        desk.clock.advance(seconds=10)
        await desk.post(b"", {})
    (alarm,) = await desk.rows(alarms, alarms.c.kind == "channel")
    assert alarm["summary"].startswith("telegram/main: Conflict")
    assert TOKEN not in alarm["summary"]
    await _in_time(desk, 2)
    assert desk.platform.unused_scripts() == []
