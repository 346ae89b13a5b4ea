"""Law 5: timers once, failures with back-off, recurring jobs once a tick, leases that run out."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.desk import Desk
from bot.engine.scheduler import ATTEMPTS
from bot.engine.turn import Item, Marks, Verdict, run_batch
from bot.store import alarms, conversations, jobs
from bot.store.base import Row, mappings, new_id
from bot.store.messages import messages
from bot.store.records import Job
from bot.store.work_orders import work_orders
from bot.world import Member, World
from channels.messages import InboundMessage
from tests.engine import kit
from tests.engine.kit import HELLO, Kit, openid
from tests.support.clock import StoppedClock
from workflows import takeover

SOON = timedelta(minutes=10)


async def _owned(desk: Kit, owner: str, until: timedelta) -> Row:
    """Somebody whose conversation `owner` has, with the timer that watches over it."""
    person = await desk.known()
    held = {"mode": "human", "owner_id": desk.member(owner).id, "owned_until": desk.clock.now() + until, "fence": 1}
    mine = sa.update(conversations.conversations).where(conversations.conversations.c.id == person["conversation_id"])
    job = Job(
        id=new_id(), kind="takeover.lease", conversation_id=person["conversation_id"], ref=person["conversation_id"],
        due_at=desk.clock.now() + SOON, created_at=desk.clock.now(),
    )  # fmt: skip

    def enter(conn: sa.Connection) -> None:
        conn.execute(mine.values(**held))
        jobs.schedule(conn, [job.row()])

    await desk.database.write(enter)
    return person


def _ended(kind: str, state: str, count: int) -> Any:
    found = (
        sa.select(sa.func.count()).select_from(jobs.jobs).where(jobs.jobs.c.kind == kind, jobs.jobs.c.state == state)
    )
    return lambda conn: conn.execute(found).scalar_one() >= count


async def test_timers_run_once_however_many_schedulers_there_are(database_url: str, clock: StoppedClock) -> None:
    async with kit.opened(database_url, clock) as desk:
        people = [await _owned(desk, "李敏", SOON) for _ in range(20)]
        if desk.database.embedded:
            await _all_lapse(desk, people)
            return
        async with kit.opened(database_url, clock, fresh=False, idle=True):
            await _all_lapse(desk, people)


async def _all_lapse(desk: Kit, people: list[Row]) -> None:
    desk.pass_time(minutes=11)
    for person in people:
        await desk.until_said(person["address"], "accepted")
    desk.pass_time(seconds=30)
    await desk.until(_ended("takeover.lease", "done", len(people)))
    assert [row["kind"] for row in await desk.rows(alarms.alarms)] == ["lapsed"] * len(people)
    assert await desk.count(messages) == len(people)


class _Members(dict[UUID, Member]):
    """Staff of whom one cannot be looked up."""

    bad: UUID

    def get(self, key: UUID, default: Any = None) -> Any:
        if key == self.bad:
            raise RuntimeError(kit.PHONE)
        return super().get(key, default)


def _without(name: str) -> Any:
    def change(world: World) -> World:
        members = _Members(world.members)
        members.bad = next(member.id for member in world.members.values() if member.name == name)
        return replace(world, members=members)

    return change


async def test_a_timer_that_raises_is_tried_again_later_and_given_up_at_last(
    database_url: str, clock: StoppedClock
) -> None:
    """It stops no other, and in the end a person is told."""
    async with kit.opened(database_url, clock, change=_without("陈静")) as desk:
        bad, good = await _owned(desk, "陈静", SOON), await _owned(desk, "李敏", SOON)
        desk.pass_time(minutes=11)
        await desk.until_said(good["address"], "accepted")
        for attempt in range(1, ATTEMPTS):
            job = await desk.until(lambda conn, attempt=attempt: _tried(conn, bad, attempt))  # type: ignore[misc]
            assert (job["state"], job["error"]) == ("waiting", "RuntimeError")
            wait = timedelta(seconds=30 * 2 ** (attempt - 1))
            assert timedelta() < job["due_at"] - desk.clock.now() <= wait
            desk.pass_time(seconds=wait.total_seconds())
        await desk.until(_ended("takeover.lease", "failed", 1))
        kinds = [row["kind"] for row in await desk.rows(alarms.alarms)]
        assert sorted(kinds) == ["failed_turn", "lapsed"]


def _tried(conn: sa.Connection, person: Row, attempts: int) -> Row | None:
    mine = sa.select(jobs.jobs).where(
        jobs.jobs.c.conversation_id == person["conversation_id"], jobs.jobs.c.attempts == attempts
    )
    return next(iter(mappings(conn, mine)), None)


async def test_a_recurring_job_runs_once_a_tick_and_once_after_downtime(database_url: str, clock: StoppedClock) -> None:
    async with kit.opened(database_url, clock) as desk:
        await desk.until(_ended("forget-raw", "done", 1))
        who = openid()
        await desk.push(who, HELLO)
        assert (await desk.heard(who))[0]["raw"]
    clock.advance(days=31)
    async with kit.opened(database_url, clock, fresh=False) as desk:
        untouched = sa.select(messages.c.id).where(messages.c.raw.is_not(None)).limit(1)
        await desk.until(lambda conn: conn.execute(untouched).first() is None)
        for _ in range(5):
            desk.pass_time(minutes=1)
            await desk.push(openid(), HELLO)
        assert len(await desk.rows(jobs.jobs, jobs.jobs.c.kind == "forget-raw")) <= 2
        ticks = sa.select(sa.func.max(jobs.jobs.c.due_at)).where(jobs.jobs.c.kind == "forget-raw")
        before = await desk.database.read(lambda conn: conn.execute(ticks).scalar_one())
        desk.pass_time(hours=1)
        await desk.until(lambda conn: conn.execute(ticks).scalar_one() == before + timedelta(hours=1))


async def test_two_schedulers_run_a_tick_once(postgres_url: str, clock: StoppedClock) -> None:
    async with kit.opened(postgres_url, clock) as desk, kit.opened(postgres_url, clock, fresh=False) as other:
        for _ in range(3):
            desk.pass_time(hours=1)
            await desk.push(openid(), HELLO)
            await other.push(openid(), HELLO)
        await desk.until(_ended("forget-raw", "done", 3))
        keys = [row["dedupe_key"] for row in await desk.rows(jobs.jobs, jobs.jobs.c.kind == "forget-raw")]
        assert len(keys) == len(set(keys)) <= 4


async def test_a_hold_without_an_act_runs_out_and_both_sides_hear(desk: Kit) -> None:
    who = openid()
    await desk.push(who, HELLO)
    member = desk.member("李敏")

    def take(at: Desk) -> None:
        takeover.take(at, member)

    await desk.act(who, take)
    desk.pass_time(minutes=29)
    await desk.push(who, HELLO)
    held = await desk.row(conversations.conversations)
    assert held["mode"] == "human"
    desk.pass_time(minutes=2)
    rows = await desk.until_said(who, "accepted", "accepted", "accepted")
    assert rows[-1]["kind"] == "handed_back"
    held = await desk.row(conversations.conversations)
    assert (held["mode"], held["owner_id"], held["fence"]) == ("bot", None, 2)
    assert [row["kind"] for row in await desk.rows(alarms.alarms)] == ["lapsed"]


async def test_two_schedulers_turn_a_stored_message_once(postgres_url: str, clock: StoppedClock) -> None:
    async with kit.opened(postgres_url, clock) as desk, kit.opened(postgres_url, clock, fresh=False, idle=True):
        people = [await desk.known() for _ in range(10)]
        held = [person["conversation_id"] for person in people]
        async with kit.holding(postgres_url, held):
            for person in people:
                assert await desk.write_as(person["address"], kit.REPORT) == kit.SUCCESS
        for person in people:
            desk.pass_time(milliseconds=300)
            await desk.until_said(person["address"], "accepted")
            assert len(desk.sends(person["address"])) == 1
        assert await desk.count(work_orders) == len(people)


async def test_a_message_found_as_stored_that_was_turned_meanwhile_is_left_alone(desk: Kit) -> None:
    """Another process may be faster between the look and the lock."""
    who = openid()
    await desk.push(who, kit.REPORT)
    (heard,) = await desk.heard(who)
    world = desk.worlds.current
    message = InboundMessage(
        channel=heard["channel"], account=heard["account"], external_id=heard["external_id"], sender=who, kind="text",
        text=kit.REPORT,
    )  # fmt: skip
    reading = world.reader.read(kit.REPORT, world.local(desk.clock.now()), world.names)
    found = Item(message=message, reading=reading, received_at=desk.clock.now(), stored_id=heard["id"])
    verdicts = await desk.database.write(run_batch, world, [found], Marks(), desk.clock.now())
    assert verdicts == [Verdict("repeat")]
    assert (await desk.count(work_orders), len(await desk.said(who))) == (1, 1)
