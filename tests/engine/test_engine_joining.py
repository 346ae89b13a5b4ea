"""The message budget: what nobody asked for is not said twice within ten minutes, nor at night, but joined."""

from datetime import timedelta
from typing import Any

from bot.desk import Desk, WorkOrder
from bot.store.base import Row
from bot.store.outbox import DIALOGUE, EMERGENCY, NOTICE, PROGRESS, outbox
from bot.store.work_orders import work_orders
from tests.channels import sms_desk
from tests.engine import kit, ways_kit
from tests.engine.kit import REPORT, Kit
from tests.engine.ways_kit import Ways
from tests.support import seed
from tests.support.clock import StoppedClock
from workflows.repair import actions

FIRST, SECOND, THIRD = "李师傅今天15点来。", "师傅晚到，大约16:30。", "阀芯要订货，周五到。"
DONE: dict[str, Any] = {
    "text": "修好了。回1满意",
    "without_question": "修好了。",
    "choices": [{"value": "1", "label": "1"}],
}


async def test_what_follows_within_ten_minutes_is_one_message(desk: Kit) -> None:
    ann = await desk.known()
    who = ann["address"]
    await desk.queue(ann, FIRST, lane=PROGRESS)
    await desk.until_said(who, "accepted")
    desk.pass_time(minutes=1)
    await desk.queue(ann, **DONE, lane=PROGRESS)
    desk.pass_time(minutes=2)
    await desk.queue(ann, SECOND, lane=PROGRESS)
    await desk.queue(ann, "回您：今天办。", lane=DIALOGUE)
    await desk.queue(ann, "先关总阀。", lane=EMERGENCY)
    await desk.until_said(who, "accepted", "queued", "queued", "accepted", "accepted")
    desk.pass_time(minutes=7)
    rows = await desk.until_said(who, *["accepted"] * 6)
    assert desk.sends(who)[3:] == [f"{SECOND}\n{DONE['text']}"], "the question comes last"
    assert [row["route"] for row in rows] == ["push", "joined", "joined", "push", "push", "push"]
    carrier = rows[5]
    assert [row["joined_id"] for row in rows[1:3]] == [carrier["id"]] * 2
    assert (carrier["without_question"], carrier["origin_id"]) == (f"{SECOND}\n修好了。", rows[1]["id"])


async def test_one_question_a_message_and_ten_minutes_between_them(desk: Kit) -> None:
    ann = await desk.known()
    for text in ("灯", "门"):
        row = {**DONE, "text": f"{text}修好了。回1满意", "lane": PROGRESS, "status": "waiting"}
        await desk.queue(ann, **row)
    await desk.database.write(_release, desk)
    desk.database.announce()
    await desk.until_said(ann["address"], "accepted", "queued")
    desk.pass_time(minutes=10)
    await desk.until_said(ann["address"], "accepted", "accepted")
    assert desk.sends(ann["address"]) == ["灯修好了。回1满意", "门修好了。回1满意"]


def _release(conn: Any, desk: Kit) -> None:
    conn.execute(outbox.update().where(outbox.c.status == "waiting").values(status="queued", due_at=desk.clock.now()))


async def test_progress_and_a_notice_are_one_message(database_url: str, clock: StoppedClock) -> None:
    async with kit.opened(database_url, clock, idle=True) as desk:
        ann = await desk.known()
        await desk.queue(ann, "明天停水。", lane=NOTICE, kind="notice")
        await desk.queue(ann, FIRST, lane=PROGRESS)
        desk.delivery.start()
        await desk.until_said(ann["address"], *["accepted"] * 3)
        assert desk.sends(ann["address"]) == [f"明天停水。\n{FIRST}"]


async def test_whoever_wrote_a_moment_ago_hears_each_thing_at_once(desk: Kit) -> None:
    who = kit.openid()
    await desk.push(who, REPORT)
    await desk.act(who, _dispatch)
    await desk.act(who, _finish)
    desk.pass_time(seconds=1)
    rows = await desk.until_said(who, *["accepted"] * 3)
    assert [row["kind"] for row in rows] == ["recorded", "visit", "done"]


async def test_the_night_waits_and_leaves_as_one_message(desk: Kit) -> None:
    who = kit.openid()
    await desk.push(who, REPORT)
    desk.pass_time(hours=12)  # 22:00
    await desk.act(who, _dispatch)
    desk.pass_time(minutes=30)
    await desk.act(who, _finish)
    rows = await desk.said(who)
    held = [row for row in rows if row["status"] == "queued"]
    assert [row["kind"] for row in held] == ["visit", "done"]
    assert held[0]["due_at"] == held[1]["due_at"], "each resident has a minute of their own"
    local = desk.worlds.current.local(held[0]["due_at"])
    assert (local.hour, local.minute < 30) == (8, True)
    desk.pass_time(hours=10)  # 08:30
    rows = await desk.until_said(who, *["accepted"] * 4)
    (said,) = desk.sends(who)
    assert said == f"{rows[1]['text']}\n{rows[2]['text']}"
    await desk.push(who, "1")
    (order,) = await _orders(desk)
    assert order["answer"] == "satisfied"


async def _orders(desk: Kit) -> list[Row]:
    return await desk.rows(work_orders)


def _order(desk: Desk) -> WorkOrder:
    (order,) = desk.orders
    return order


def _dispatch(desk: Desk) -> None:
    (member,) = actions.candidates(desk, _order(desk))
    actions.dispatch(desk, _order(desk), member, desk.now + timedelta(hours=12), desk.now + timedelta(hours=13))


def _finish(desk: Desk) -> None:
    order = _order(desk)
    actions.accept(desk, order)
    actions.done(desk, order, work_done="换了阀门", cause="wear", responsible_party="own_home", outcome="repaired")


async def test_a_joined_message_that_does_not_go_out_is_told_apart(database_url: str, clock: StoppedClock) -> None:
    async with ways_kit.opened(database_url, clock) as ways:
        desk, phone = ways.desk, ways.number()
        person = await ways.resident(phone)
        await _both(ways, person)
        desk.platform.script("custom/send", errcode=45015)
        desk.delivery.wake()
        desk.pass_time(minutes=1)
        gone = ("wechat cancelled", "wechat cancelled", "wechat cancelled")
        await ways.until(person, *gone, "sms accepted", "sms queued")
        desk.pass_time(minutes=10)
        await ways.until(person, *gone, "sms accepted", "sms accepted")
        assert ways.texts(phone) == [
            "单号0001：李师傅今天15点上门。改时间请打24小时电话。",
            "单号0001：师傅要晚到，预计16:30到，抱歉。改时间请打24小时电话。",
        ]


async def _both(ways: Ways, person: Row) -> None:
    """Two things that fall due together."""
    due = {"lane": PROGRESS, "due_at": ways.desk.clock.now() + timedelta(minutes=1)}
    number = {"number": "WX20261123-0001"}
    await ways.desk.queue(person, FIRST, **due, moment="slot", values={**number, "visit": "李师傅今天15点"})
    await ways.desk.queue(person, SECOND, **due, moment="late", values={**number, "at": "16:30"})


async def test_what_is_throttled_is_joined_anew(desk: Kit) -> None:
    ann = await desk.known()
    due = {"lane": PROGRESS, "due_at": desk.clock.now() + timedelta(minutes=1)}
    await desk.queue(ann, FIRST, **due)
    await desk.queue(ann, SECOND, **due)
    desk.platform.script("custom/send", errcode=45011)
    desk.pass_time(minutes=1)
    await desk.until_said(ann["address"], "queued", "queued", "cancelled")
    desk.pass_time(minutes=1)
    await desk.until_said(ann["address"], "accepted", "accepted", "cancelled", "accepted")
    assert desk.seen(ann["address"])[-1][1] == f"{FIRST}\n{SECOND}"


def _say(conn: Any, who: Row, clock: StoppedClock, row: dict[str, Any]) -> None:
    seed.say(conn, who, clock.now(), **row)


async def test_a_receipt_of_a_joined_message_counts_for_all(database_url: str, clock: StoppedClock) -> None:
    async with sms_desk.opened(database_url, clock) as desk:
        desk.gateway.sends_receipts = False
        await desk.gateway.push_text("+8613912345678", "你好")
        await desk.until_said("+8613912345678", "accepted")
        clock.advance(hours=1)
        person = (await desk.rows(outbox))[0]
        who = {**person, "id": person["identity_id"]}
        place = {"channel": "sms", "lane": PROGRESS, "address": who["address"]}
        due = clock.now() + timedelta(minutes=1)
        for text in (FIRST, THIRD):
            await desk.database.write(_say, who, clock, {"text": text, "due_at": due, **place})
        desk.database.announce()
        clock.advance(minutes=1)
        await desk.until_said(who["address"], *["accepted"] * 4)
        await desk.gateway.push_receipt(desk.gateway.handed[-1])
        await desk.until_said(who["address"], "accepted", *["delivered"] * 3)
