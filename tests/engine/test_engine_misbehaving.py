"""The whole desk while the far side misbehaves, over real sockets: what the resident hears, and what the rows say.

What one answer of the API means is told case by case in `test_engine_delivery.py`; here it is switched on while people
write, as on the simulator page.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from bot.store.alarms import alarms, call_tasks
from bot.store.base import Row, mappings
from bot.store.database import Database
from bot.store.messages import messages
from bot.store.outbox import outbox
from bot.store.residents import identities
from bot.store.work_orders import work_orders
from tests.channels import sms_desk, telegram_desk
from tests.channels.sms_desk import SmsDesk
from tests.channels.telegram_desk import Desk as TelegramDesk
from tests.channels.telegram_kit import PERSON
from tests.engine import kit
from tests.engine.kit import HELLO, REPORT, WAIT_S, Kit
from tests.support.clock import StoppedClock
from workflows import takeover

WANG = "+8613912345678"


@pytest.fixture
async def telegram(sqlite_url: str, clock: StoppedClock) -> AsyncIterator[TelegramDesk]:
    async with telegram_desk.opened(sqlite_url, clock) as desk:
        await desk.until(lambda: desk.platform.bot.webhook == desk.url)
        yield desk


@pytest.fixture
async def sms(sqlite_url: str, clock: StoppedClock) -> AsyncIterator[SmsDesk]:
    async with sms_desk.opened(sqlite_url, clock) as desk:
        yield desk


async def until_said(database: Database, *statuses: str) -> list[Row]:
    """Wait until all that was said has these statuses, in order; for rows of the desk's only resident."""
    changed = asyncio.Event()
    database.on_change(changed.set)
    everything = sa.select(outbox).order_by(outbox.c.id)
    rows: list[Row] = []
    try:
        async with asyncio.timeout(WAIT_S):
            while [row["status"] for row in rows] != list(statuses):
                rows = await database.read(lambda conn: mappings(conn, everything))
                if [row["status"] for row in rows] != list(statuses):
                    await changed.wait()
                    changed.clear()
    except TimeoutError:
        raise AssertionError([(row["status"], row["kind"], row["error"]) for row in rows]) from None
    return rows


# Duplicates, order, and what gets lost on the way in


async def test_wechat_pushes_that_come_three_times_are_one_message_and_one_answer(desk: Kit) -> None:
    await desk.platform.faults.switch(pushes="thrice")
    who = kit.openid()
    pushed = await desk.push(who, REPORT)
    assert pushed.result == "reply"
    desk.pass_time(seconds=1)  # so long a passive reply waits for a batch to be marked in
    await desk.until_said(who, "accepted")
    assert (await desk.count(messages), await desk.count(work_orders)) == (1, 1)
    assert desk.seen(who) == [("passive", pushed.shown)]
    assert desk.sends(who) == []


async def test_wechat_pushes_out_of_order_are_one_row_each_and_each_answered_once(desk: Kit) -> None:
    await desk.platform.faults.switch(pushes="reordered")
    who = kit.openid()
    first = desk.platform.spawn(desk.push(who, HELLO))
    await desk.platform.wire.until(lambda: len(desk.platform.phone(who).screen) == 1)
    await desk.push(who, REPORT)
    await first
    assert [row["text"] for row in await desk.heard(who)] == [REPORT, HELLO]
    desk.pass_time(seconds=1)
    await desk.until_said(who, "accepted", "accepted")
    assert len(desk.seen(who)) == 2
    assert await desk.count(work_orders) == 1


async def test_a_wechat_reply_that_is_lost_comes_with_the_repeat_and_once(desk: Kit) -> None:
    await desk.platform.faults.switch(pushes="lost")
    who = kit.openid()
    lost = await desk.push(who, REPORT)
    assert lost.attempts[0].status is None
    await desk.platform.faults.switch()
    await desk.platform.push_body(who, lost.body)
    # Either the repeat carried it, or the service saw that the line was gone and has sent it the other way.
    await desk.platform.wire.until(lambda: len(desk.seen(who)) == 1)
    desk.pass_time(seconds=1)
    (row,) = await desk.until_said(who, "accepted")
    assert desk.seen(who)[0][1] == row["text"]
    assert (await desk.count(messages), await desk.count(work_orders)) == (1, 1)


async def test_telegram_pushes_three_times_and_out_of_order(database_url: str, clock: StoppedClock) -> None:
    async with telegram_desk.opened(database_url, clock) as telegram:
        await telegram.until(lambda: telegram.platform.bot.webhook == telegram.url)
        await _three_times_and_out_of_order(telegram)


async def _three_times_and_out_of_order(telegram: TelegramDesk) -> None:
    platform = telegram.platform
    await platform.faults.switch(pushes="thrice")
    await platform.write(PERSON, REPORT)
    await telegram.answered(PERSON)
    await platform.faults.switch(pushes="reordered")
    first = platform.spawn(platform.write(PERSON, HELLO))
    await telegram.until(lambda: platform.phone(PERSON).screen[-1].text == HELLO)
    await platform.write(PERSON, "谢谢")
    await first
    await until_said(telegram.database, "accepted", "accepted", "accepted")
    assert [row["text"] for row in await telegram.rows(messages)] == [REPORT, "谢谢", HELLO]
    assert len(platform.phone(PERSON).received()) == 3
    assert len(await telegram.rows(work_orders)) == 1


async def test_sms_pushes_three_times_and_unacknowledged(database_url: str, clock: StoppedClock) -> None:
    async with sms_desk.opened(database_url, clock) as sms:
        await _three_times_and_unacknowledged(sms)


async def _three_times_and_unacknowledged(sms: SmsDesk) -> None:
    far = sms.gateway
    await far.faults.switch(pushes="thrice")
    await far.push_text(WANG, REPORT)
    await sms.until_said(WANG, "delivered")
    await far.faults.switch(pushes="lost")
    lost = await far.push_text(WANG, "谢谢")
    assert not lost.acknowledged
    await far.faults.switch()
    assert (await far.push(lost.push)).acknowledged
    await sms.until_said(WANG, "delivered", "delivered")
    assert [row["text"] for row in await sms.rows(messages)] == [REPORT, "谢谢"]
    assert len(sms.received(WANG)) == 2
    assert len(await sms.rows(work_orders)) == 1


# On the way out


async def test_taken_and_then_cut_repeats_what_is_owed_and_shows_the_rest(telegram: TelegramDesk) -> None:
    """A number is heard twice rather than never; a greeting is not said a second time."""
    await telegram.platform.faults.switch("cut")
    await telegram.platform.write(PERSON, HELLO)
    await until_said(telegram.database, "unknown")
    await telegram.platform.write(PERSON, REPORT)
    rows = await until_said(telegram.database, "unknown", "unknown", "unknown")
    assert [row["origin_id"] for row in rows] == [None, None, rows[1]["id"]]
    (order,) = await telegram.rows(work_orders)
    heard = telegram.platform.phone(PERSON).received()
    assert [order["number"] in text for text in heard] == [False, True, True]
    await telegram.platform.faults.switch()
    await telegram.platform.write(PERSON, "谢谢")
    await until_said(telegram.database, "unknown", "unknown", "unknown", "accepted")


async def test_telegrams_pause_is_kept_and_is_no_failure(telegram: TelegramDesk) -> None:
    told = {"retry_after": 1}
    telegram.platform.script("sendMessage", status=429, description="Too Many Requests", parameters=told)
    await telegram.platform.write(PERSON, HELLO)
    said_at = telegram.clock.now()
    (row,) = await telegram.rows(outbox)
    while row["due_at"] == said_at:  # it was queued before it was refused, too
        (row,) = await telegram.rows(outbox)
    assert (row["status"], row["attempts"], (row["due_at"] - said_at).total_seconds()) == ("queued", 0, 1.0)
    await telegram.platform.write(PERSON, "谢谢")
    assert telegram.platform.calls["sendMessage"] == 1, "nothing overtakes a pause"
    while len(telegram.platform.phone(PERSON).received()) < 2:  # the bot itself counts the second on a real clock
        telegram.clock.advance(seconds=1)
        await telegram.rows(outbox)
    await until_said(telegram.database, "accepted", "accepted")
    assert telegram.platform.calls["sendMessage"] == 3
    assert await telegram.rows(alarms) == await telegram.rows(call_tasks) == []


async def test_an_api_that_is_down_holds_what_is_said_until_it_is_back(telegram: TelegramDesk) -> None:
    await telegram.platform.faults.switch("refused")
    await telegram.platform.write(PERSON, REPORT)
    (row,) = await telegram.rows(outbox)
    while not row["error"]:
        await asyncio.sleep(0)
        (row,) = await telegram.rows(outbox)
    assert (row["status"], row["attempts"]) == ("queued", 1)
    await telegram.platform.faults.switch()
    telegram.clock.advance(minutes=1)
    await until_said(telegram.database, "accepted")
    assert len(telegram.platform.phone(PERSON).received()) == 1


async def test_a_takeover_while_a_call_hangs_cancels_what_stands_behind_it(telegram: TelegramDesk) -> None:
    await telegram.platform.faults.switch("silent")
    await telegram.platform.write(PERSON, HELLO)
    while not telegram.platform.calls["sendMessage"]:
        await asyncio.sleep(0)
    await telegram.platform.write(PERSON, "物业费怎么交")
    telegram.fall_silent()
    agent = next(one for one in telegram.context.world.members.values() if one.name == "李敏")
    conversation = (await telegram.rows(messages))[0]["conversation_id"]
    await telegram.context.act(conversation, lambda at: takeover.take(at, agent), agent.id)
    assert [row["status"] for row in await telegram.rows(outbox)][:2] == ["sending", "cancelled"]
    await telegram.platform.faults.switch()
    rows = await until_said(telegram.database, "unknown", "cancelled", "accepted")
    assert telegram.platform.phone(PERSON).received() == [rows[2]["text"]], "only that a person is there"


async def test_a_token_that_is_over_is_renewed_once_and_the_text_goes_out_once(
    sqlite_url: str, clock: StoppedClock
) -> None:
    async with kit.opened(sqlite_url, clock) as desk:
        await _token_renewed(desk)


async def _token_renewed(desk: Kit) -> None:
    person = await desk.known()
    await desk.platform.faults.switch("40001")
    await desk.queue(person, "师傅出发了")
    await desk.until_said(person["address"], "accepted")
    assert desk.sends(person["address"]) == ["师傅出发了", "师傅出发了"]
    assert desk.seen(person["address"]) == [("push", "师傅出发了")]
    assert desk.platform.calls["stable_token"] == 2
    assert desk.platform.faults.is_normal


async def test_a_closed_window_keeps_what_is_said_for_the_residents_next_message(desk: Kit) -> None:
    person = await desk.known()
    who = person["address"]
    await desk.platform.faults.switch("45015")
    await desk.queue(person, "师傅出发了")
    await desk.until_said(who, "waiting")
    assert [row["kind"] for row in await desk.rows(call_tasks)] == ["tell"]
    await desk.platform.faults.switch()
    await desk.push(who, HELLO)
    desk.pass_time(seconds=1)
    await desk.until_said(who, "accepted", "accepted")
    assert sorted(via for via, _ in desk.seen(who)) == ["passive", "push"]


# Receipts


@pytest.mark.parametrize("receipts", ["early", "shuffled"])
async def test_a_receipt_before_its_answer_or_out_of_order_still_means_delivered(sms: SmsDesk, receipts: str) -> None:
    await sms.gateway.faults.switch(receipts=receipts)
    await sms.gateway.push_text(WANG, HELLO)
    (row,) = await sms.until_said(WANG, "delivered")
    told = 2 if receipts == "shuffled" else 1
    await sms.gateway.wire.until(lambda: [one.name for one in sms.gateway.wire.transfers].count("receipt") == told)
    while row["provider_id"] is None:  # the answer comes after the receipt
        (row,) = await sms.rows(outbox)
    assert (row["status"], row["provider_id"]) == ("delivered", sms.gateway.handed[0].name)
    assert len(sms.received(WANG)) == 1


async def test_receipts_that_are_late_or_never_come_hold_nothing_up(sms: SmsDesk) -> None:
    await sms.gateway.faults.switch(receipts="late")
    await sms.gateway.push_text(WANG, HELLO)
    await sms.until_said(WANG, "accepted")
    await sms.gateway.push_text(WANG, "谢谢")
    await sms.until_said(WANG, "accepted", "accepted")
    await sms.gateway.faults.switch(receipts="missing")  # those that were held come now
    await sms.until_said(WANG, "delivered", "delivered")
    await sms.gateway.push_text(WANG, REPORT)
    await sms.until_said(WANG, "delivered", "delivered", "accepted")


async def test_a_number_that_opted_out_is_unreachable_and_a_person_phones(sms: SmsDesk) -> None:
    await sms.gateway.faults.switch("21610")
    await sms.gateway.push_text(WANG, HELLO)
    await sms.until_said(WANG, "failed")
    assert [row["reachable"] for row in await sms.rows(identities)] == [False]
    assert len(await sms.rows(call_tasks, call_tasks.c.kind == "tell")) == 1
