"""Law 8: from the moment a person has the conversation, nothing of the bot's begins to go out."""

import asyncio
from datetime import timedelta

import sqlalchemy as sa

from bot.desk import Desk
from bot.engine.delivery import Delivery
from bot.settings import DeliverySettings
from bot.store import outbox
from bot.store.outbox import PROGRESS
from bot.store.work_orders import work_orders
from channels.base import Capabilities
from tests.engine import kit
from tests.engine.kit import REPORT, Kit, openid
from tests.support.clock import StoppedClock
from tests.support.databases import opened as database_opened
from workflows import takeover
from workflows.repair import actions

UNLIMITED = Capabilities(acknowledge_within=5, answer_within=4, text_limit=2000, text_unit="bytes")


async def _take(desk: Kit, who: str) -> None:
    member = desk.member("李敏")
    await desk.act(who, lambda at: takeover.take(at, member))


async def test_a_takeover_cancels_what_has_not_begun_and_lets_finish_what_has(
    database_url: str, clock: StoppedClock
) -> None:
    async with kit.opened(database_url, clock, send_within_s=kit.WAIT_S) as desk:
        person = await desk.known()
        who = person["address"]
        desk.platform.script("custom/send", hang="after")
        await desk.queue(person, "在路上", fence=0)
        await desk.platform.wire.until(lambda: desk.seen(who) == [("push", "在路上")])
        await desk.queue(person, "没出发", fence=0)
        await _take(desk, who)
        assert await desk.statuses(who) == ["sending", "cancelled", "queued"]
        assert await desk.database.read(outbox.still_sending, person["conversation_id"]) == 1
        desk.platform.faults.release()
        await desk.until_said(who, "accepted", "cancelled", "accepted")
        late = await desk.queue(person, "旧号", fence=0)
        await desk.queue(person, "师傅出发了", lane=PROGRESS)
        await desk.until_said(who, "accepted", "cancelled", "accepted", "cancelled", "accepted")
        assert (await desk.row(outbox.outbox, outbox.outbox.c.id == late))["error"] == "taken over"
        assert desk.sends(who)[0::2] == ["在路上", "师傅出发了"]


async def test_a_reply_not_yet_written_falls_with_the_takeover(desk: Kit) -> None:
    """A passive reply that moves the other way meets the new number and is cancelled."""
    person = await desk.known()
    passive = {
        "route": "passive",
        "status": "sending",
        "fence": 0,
        "lease_until": desk.clock.now() + timedelta(seconds=25),
    }
    row_id = await desk.queue(person, "回答", **passive)
    await _take(desk, person["address"])
    desk.intake.unwritten(row_id)
    desk.pass_time(seconds=1)
    await desk.until_said(person["address"], "cancelled", "accepted")


async def test_done_loses_its_question_where_a_person_has_the_word(database_url: str, clock: StoppedClock) -> None:
    async with kit.opened(database_url, clock, idle=True) as desk:
        who = openid()
        await desk.push(who, REPORT)
        await desk.act(who, _finish)
        before = await desk.row(work_orders)
        await _take(desk, who)
        desk.pass_time(seconds=1)
        desk.delivery.start()
        rows = await desk.until_said(who, "accepted", "accepted", "accepted", "accepted")
        (done,) = [row for row in rows if row["kind"] == "done"]
        assert before["asked_at"] is not None
        assert (await desk.row(work_orders))["asked_at"] is None
        assert done["text"] == done["without_question"]
        assert done["text"] in desk.sends(who)


def _finish(desk: Desk) -> None:
    order, technician = desk.orders[0], next(m for m in desk.world.members.values() if m.name == "李强")
    actions.dispatch(desk, order, technician, desk.now + timedelta(hours=1), desk.now + timedelta(hours=2))
    actions.accept(desk, order)
    actions.on_site(desk, order)
    actions.done(desk, order, work_done="换了阀门", cause="wear", responsible_party="own_home", outcome="repaired")


async def test_two_deliveries_and_takeovers_meet_no_deadlock_and_send_nothing_twice(
    postgres_url: str, clock: StoppedClock
) -> None:
    async with kit.opened(postgres_url, clock, idle=True, capabilities=UNLIMITED) as desk:
        people = [await desk.known() for _ in range(50)]
        for person in people:
            for number in range(4):
                await desk.queue(person, f"第{number}句", fence=0)
        async with database_opened(postgres_url) as other:
            second = Delivery(other, desk.worlds, desk.context.channels, clock, DeliverySettings())
            desk.delivery.start()
            second.start()
            on_its_way = dict(await asyncio.gather(*(_took(desk, person["address"]) for person in people[::2])))
            await _all_settled(desk)
            await second.close()
        for person in people:
            await _check_once(desk, person["address"], on_its_way)


async def _took(desk: Kit, who: str) -> tuple[str, set[object]]:
    """Take the conversation; which rows had begun when that was committed."""
    await _take(desk, who)
    rows = await desk.said(who)
    return who, {row["id"] for row in rows if row["fence"] is not None and row["status"] in {"sending", "accepted"}}


async def _all_settled(desk: Kit) -> None:
    open_rows = sa.select(outbox.outbox.c.id).where(outbox.outbox.c.status.in_(("queued", "sending"))).limit(1)
    await desk.until(lambda conn: conn.execute(open_rows).first() is None)


async def _check_once(desk: Kit, who: str, on_its_way: dict[str, set[object]]) -> None:
    rows = await desk.said(who)
    accepted = [row["text"] for row in rows if row["status"] == "accepted"]
    assert {row["status"] for row in rows} <= {"accepted", "cancelled"}
    assert sorted(text for _, text in desk.seen(who)) == sorted(accepted)
    assert len(desk.sends(who)) == len(accepted)
    begun = {row["id"] for row in rows if row["fence"] is not None and row["status"] == "accepted"}
    assert begun <= on_its_way.get(who, begun)
