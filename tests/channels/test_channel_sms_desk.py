"""SMS through the whole desk: a text becomes an order, its answer a text, once; and what goes wrong on the way."""

from datetime import timedelta

import aiohttp
import pytest
import sqlalchemy as sa

from bot.desk import Desk
from bot.store.alarms import alarms, call_tasks
from bot.store.messages import messages, unreadable
from bot.store.outbox import outbox
from bot.store.residents import identities, residents
from bot.store.work_orders import work_orders
from bot.web.webhooks import LARGEST_BODY
from tests.channels.sms_desk import SmsDesk, opened
from tests.channels.sms_kit import PUSH_KEY
from tests.support.clock import StoppedClock
from workflows.repair import actions

WANG = "+8613912345678"
LI = "+8613812345678"
REPORT = "3栋2单元1502厨房水管漏水，电话13912345678"


async def test_a_report_becomes_an_order_and_its_answer_arrives_once(database_url: str, clock: StoppedClock) -> None:
    async with opened(database_url, clock) as desk:
        first = await desk.gateway.push_text(WANG, REPORT, name="SM1")
        assert first.acknowledged
        (said,) = await desk.until_said(WANG, "delivered")
        (order,) = await desk.rows(work_orders)
        assert order["number"] in said["text"]
        assert desk.received(WANG) == [said["text"]]
        assert said["provider_id"] == desk.gateway.handed[0].name
        assert (await desk.gateway.push(first.push)).acknowledged
        await desk.gateway.push_text(LI, "你好")
        await desk.until_said(LI, "delivered")
        assert len(await desk.rows(work_orders)) == 1
        assert len(desk.received(WANG)) == 1
        assert [row["text"] for row in await desk.rows(messages)] == [REPORT, "你好"]


async def test_a_choice_is_made_by_its_digit(database_url: str, clock: StoppedClock) -> None:
    async with opened(database_url, clock) as desk:
        await desk.gateway.push_text(WANG, REPORT)
        (said,) = await desk.until_said(WANG, "delivered")
        member = next(one for one in desk.context.world.members.values() if one.name == "李敏")
        await desk.context.act(said["conversation_id"], _finish, member.id)
        await desk.until_said(WANG, *["delivered"] * 3)
        assert "回1" in desk.received(WANG)[2]
        await desk.gateway.push_text(WANG, "３")
        (order,) = await desk.rows(work_orders)
        assert order["state"] == "rework"


def _finish(desk: Desk) -> None:
    (order,) = desk.orders
    (member,) = actions.candidates(desk, order)
    actions.dispatch(desk, order, member, desk.now + timedelta(hours=1), desk.now + timedelta(hours=2))
    actions.accept(desk, order)
    actions.done(desk, order, work_done="换了阀门", cause="wear", responsible_party="own_home", outcome="repaired")


async def test_one_bad_among_several_takes_no_other_with_it(database_url: str, clock: StoppedClock) -> None:
    async with opened(database_url, clock, "aliyun") as desk:
        texts = [
            desk.gateway.written(WANG, REPORT),
            desk.gateway.written(WANG, "x", phone_number=""),
            desk.gateway.written(LI, "你好"),
        ]
        (pushed,) = await desk.gateway.push_texts(texts)
        assert pushed.acknowledged
        assert [row["text"] for row in await desk.rows(messages)] == [REPORT, "你好"]
        assert len(await desk.rows(work_orders)) == 1


async def test_texts_of_one_person_in_one_push_keep_their_order(database_url: str, clock: StoppedClock) -> None:
    async with opened(database_url, clock, "aliyun") as desk:
        said = [REPORT, *(f"补充第{number}点，水还在漏" for number in range(5))]
        (pushed,) = await desk.gateway.push_texts([desk.gateway.written(WANG, text) for text in said])
        assert (pushed.acknowledged, len(pushed.attempts)) == (True, 1)
        heard = await desk.rows(messages)
        assert [row["text"] for row in heard] == said
        assert {row["status"] for row in heard} == {"turned"}
        assert len(await desk.rows(work_orders)) == 1
        assert (await desk.gateway.push(pushed.push)).acknowledged
        assert await desk.rows(messages) == heard


async def test_an_entry_that_cannot_be_read_is_kept_once_and_shown(database_url: str, clock: StoppedClock) -> None:
    async with opened(database_url, clock, "aliyun") as desk:
        good = '{"phone_number":"13912345678","content":"你好","sequence_id":"1"}'
        bad = '{"phone_number":"13912345678","content":17,"sequence_id":"2"}'
        for _ in range(2):
            assert await _post(desk, f"/inbound/{PUSH_KEY}", f"[{bad},{good}]".encode()) == (
                200,
                b'{"code":0,"msg":"' + "接收成功".encode() + b'"}',
            )
        (kept,) = await desk.rows(unreadable)
        assert "$.content" in kept["reason"]
        assert b"17" in kept["raw"]
        assert len(await desk.rows(messages)) == 1


async def test_on_the_mainland_the_approved_text_goes_and_any_other_becomes_a_call(
    database_url: str, clock: StoppedClock
) -> None:
    async with opened(database_url, clock, "aliyun") as desk:
        await desk.gateway.push_text(WANG, REPORT)
        await desk.until_said(WANG, "delivered")
        assert desk.received(WANG) == [
            "【某某物业】您报的厨房水管漏水已登记，单号0001。今天12:00前师傅电话联系您约时间。"
        ]
        await desk.gateway.push_text(LI, "你好")
        (row,) = await desk.until_said(LI, "failed")
        assert "no template" in row["error"]
        assert desk.received(LI) == []
        (task,) = await desk.rows(call_tasks, call_tasks.c.kind == "tell")
        assert task["text"] == row["text"]


@pytest.mark.parametrize("gateway", ["twilio", "aliyun", "tencent"])
async def test_a_word_stops_notices_and_another_resumes_them(
    gateway: str, sqlite_url: str, clock: StoppedClock
) -> None:
    async with opened(sqlite_url, clock, gateway) as desk:
        stopped_at = sa.select(residents.c.stopped_at)
        for word, stopped in (("ＴＤ", True), ("订阅", False), ("拒收", True), ("UNSTOP", False), ("CANCEL", True)):
            clock.advance(seconds=1)
            await desk.gateway.push_text(WANG, word)
            assert (await desk.database.read(lambda conn: conn.execute(stopped_at).scalar_one()) is not None) == stopped


async def test_an_opt_out_that_twilio_carries_out_makes_the_number_unreachable(
    database_url: str, clock: StoppedClock
) -> None:
    async with opened(database_url, clock) as desk:
        await desk.gateway.push_text(WANG, "你好")
        await desk.until_said(WANG, "delivered")
        await desk.gateway.push_text(WANG, "STOP", OptOutType="STOP")
        assert [row["reachable"] for row in await desk.rows(identities)] == [False]
        clock.advance(seconds=1)
        await desk.gateway.push_text(WANG, "START", OptOutType="START")
        await desk.until_said(WANG, "delivered", "delivered")
        assert [row["reachable"] for row in await desk.rows(identities)] == [True]


async def test_a_receipt_settles_what_was_unknown(database_url: str, clock: StoppedClock) -> None:
    async with opened(database_url, clock) as desk:
        desk.gateway.sends_receipts = False
        desk.gateway.script("Messages", cut="after")
        await desk.gateway.push_text(WANG, "你好")
        await desk.until_said(WANG, "unknown")
        (handed,) = desk.gateway.handed
        assert (await desk.gateway.push_receipt(handed)).acknowledged
        (row,) = await desk.until_said(WANG, "delivered")
        assert row["provider_id"] == handed.name
        assert len(desk.received(WANG)) == 1


async def test_a_text_that_did_not_arrive_becomes_a_call(database_url: str, clock: StoppedClock) -> None:
    async with opened(database_url, clock) as desk:
        desk.gateway.sends_receipts = False
        await desk.gateway.push_text(WANG, "你好")
        await desk.until_said(WANG, "accepted")
        for outcome in ("30003", "", "30003"):  # what comes late or again changes nothing
            await desk.gateway.push_receipt(desk.gateway.handed[0], outcome)
        (row,) = await desk.until_said(WANG, "failed")
        assert row["error"].endswith("Twilio 30003")
        assert len(await desk.rows(call_tasks, call_tasks.c.kind == "tell")) == 1


@pytest.mark.parametrize(
    ("gateway", "path"),
    [
        ("twilio", "/inbound"),
        ("twilio", "/receipts"),
        ("aliyun", "/inbound/" + PUSH_KEY[:-1]),
        ("aliyun", "/receipts/" + PUSH_KEY.lower()),
        ("aliyun", "/inbound"),
        ("tencent", "/inbound/x"),
        ("tencent", "/inbound/%F0%28%8C%28"),
        ("twilio", f"/inbound/{PUSH_KEY}"),
    ],
)
async def test_what_the_gateway_did_not_send_is_refused_and_not_stored(
    gateway: str, path: str, sqlite_url: str, clock: StoppedClock
) -> None:
    async with opened(sqlite_url, clock, gateway) as desk:
        body = b'[{"phone_number":"13912345678","content":"x","sequence_id":"1"}]'
        status, _ = await _post(desk, path, body)
        assert status in {403, 404}
        for table in (messages, unreadable, outbox):
            assert await desk.rows(table) == []


async def test_a_body_that_is_too_large_is_refused(sqlite_url: str, clock: StoppedClock) -> None:
    async with opened(sqlite_url, clock, "tencent") as desk:
        assert (await _post(desk, f"/inbound/{PUSH_KEY}", b"[" + b" " * LARGEST_BODY))[0] == 413
        assert await desk.rows(unreadable) == []


@pytest.mark.parametrize(("cap", "raised"), [(100.0, 0), (0.1, 1), (0.0, 0)])
async def test_a_day_over_its_cap_raises_one_alarm(
    cap: float, raised: int, database_url: str, clock: StoppedClock
) -> None:
    async with opened(database_url, clock, price_per_part=0.1, daily_cap=cap) as desk:
        for number in range(2):
            await desk.gateway.push_text(WANG, "你好")
            await desk.until_said(WANG, *["delivered"] * (number + 1))
            clock.advance(minutes=6)
            await desk.scheduler.round()
        found = await desk.rows(alarms)
        assert [(one["kind"], one["summary"].split(":")[0]) for one in found] == [("channel", "sms/main")] * raised


async def _post(desk: SmsDesk, path: str, body: bytes) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.post(desk.gateway.service + path, data=body) as response:
        return response.status, await response.read()
