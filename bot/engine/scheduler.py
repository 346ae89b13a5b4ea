"""Time's part: timers of conversations, stored messages still to be turned, leases that ran out, and recurring jobs."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from bot.clock import Clock
from bot.engine import drills, grouping, metrics, results, routing, spending, tenancies, turn, verification
from bot.engine.intake import Intake
from bot.errors import trace
from bot.settings import Settings
from bot.store import bindings, conversations, jobs, messages, outbox
from bot.store.base import new_id
from bot.store.database import Database, is_passing
from bot.store.records import Job
from bot.world import World, Worlds

log = logging.getLogger(__name__)

POLL = timedelta(seconds=5)
BATCH = 50
ATTEMPTS = 5
RETRY = timedelta(seconds=30)
AGAIN = timedelta(milliseconds=200)


@dataclass(frozen=True, slots=True)
class Recurring:
    """A job that runs once a tick in the whole installation: whoever inserts the row of the tick first runs it."""

    kind: str
    every: timedelta
    run: Callable[[sa.Connection, Settings, datetime], object]


def _forget_raw(conn: sa.Connection, settings: Settings, now: datetime) -> int:
    return messages.forget_raw(conn, now - timedelta(days=settings.raw_payload_days))


def _forget_jobs(conn: sa.Connection, settings: Settings, now: datetime) -> int:
    del settings
    return jobs.forget_ended(conn, now - timedelta(days=30))


def _forget_codes(conn: sa.Connection, settings: Settings, now: datetime) -> None:
    del settings
    bindings.forget_codes(conn, now - timedelta(days=30))


RECURRING: Sequence[Recurring] = (
    Recurring("forget-raw", timedelta(hours=1), _forget_raw),
    Recurring("forget-jobs", timedelta(days=1), _forget_jobs),
    Recurring("sms-spending", timedelta(minutes=5), spending.check),
    Recurring("alarm-drill", timedelta(days=1), drills.check),
    Recurring("group-questions", timedelta(minutes=5), grouping.group),
    Recurring("tenancies", timedelta(hours=6), tenancies.check),
    Recurring("forget-codes", timedelta(days=1), _forget_codes),
    Recurring("wechat-verification", timedelta(hours=1), verification.check),
)


class Scheduler:
    """The clockwork of a process. Several processes may run one each."""

    def __init__(self, database: Database, worlds: Worlds, intake: Intake, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._worlds = worlds
        self._intake = intake
        self._clock = clock
        self._settings = settings
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._last: dict[str, datetime] = {}

    def start(self) -> None:
        self._database.on_change(self._wake.set)
        self._task = asyncio.create_task(self._run(), name="scheduler")

    async def close(self, within: float = 10.0) -> None:
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._task, within)

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                next_due = await self.round()
            except Exception as error:
                log.error("a round of the scheduler failed: %s", trace(error))  # noqa: TRY400 - without its words
                next_due = self._clock.now() + POLL
            await self._clock.wait(self._wake, next_due)

    async def round(self) -> datetime:
        """Do all that is due; when to look again. What fails in one part stops no other."""
        now = self._clock.now()
        found = await self._database.read(self._look, now)
        metrics.QUEUED.set(found.queued)
        moved = 0
        if found.stored:
            moved += await self._part("stored messages", self._intake.turn_stored())
        if found.timers:
            moved += await self._part("timers", self._timers(found.timers, now))
        if found.lapsed_rows:
            moved += await self._part("leases", self._database.write(results.sweep, self._worlds.current, now))
        for conversation_id in found.lapsed_owners:
            moved += await self._part("owners", self._owner(conversation_id, now))
        for recurring in RECURRING:
            moved += await self._part(recurring.kind, self._tick(recurring, now))
        if moved:
            self._database.announce()
        return self._next_look(found, now)

    async def _part(self, name: str, work: Awaitable[int]) -> int:
        try:
            return await work
        except Exception as error:
            log.error("%s: %s", name, trace(error))  # noqa: TRY400 - without its words
            return 0

    def _next_look(self, found: "_Found", now: datetime) -> datetime:
        """Soon where something was due: it may be held elsewhere at this moment, or be more than one round takes."""
        if found.anything:
            return now + AGAIN
        return min(now + POLL, found.next_due) if found.next_due and found.next_due > now else now + POLL

    def _look(self, conn: sa.Connection, now: datetime) -> "_Found":
        return _Found(
            stored=messages.any_stored(conn),
            timers=[Job.of(row) for row in jobs.due(conn, now, BATCH)],
            lapsed_rows=outbox.any_lapsed(conn, now),
            queued=outbox.queued(conn),
            lapsed_owners=conversations.owner_lapsed(conn, now, BATCH),
            next_due=jobs.next_due(conn),
        )

    async def _owner(self, conversation_id: UUID, now: datetime) -> int:
        await self._database.write(turn.run_alone, self._worlds.current, conversation_id, now, routing.owner_lapsed)
        return 1

    async def _timers(self, due: Sequence[Job], now: datetime) -> int:
        """All in one commit; where that fails each alone, so that one bad timer stops no other. How many moved."""
        try:
            return await self._database.write(_run_due, self._worlds.current, due, now)
        except Exception as error:
            log.warning("timers failed together and are run alone: %s", trace(error))
        return sum([await self._timer_alone(job, now) for job in due])

    async def _timer_alone(self, job: Job, now: datetime) -> int:
        try:
            return await self._database.write(_run_due, self._worlds.current, [job], now)
        except Exception as error:
            if is_passing(error):
                raise
            log.error("a timer failed: %s", trace(error), extra={"job_id": str(job.id), "kind": job.kind})  # noqa: TRY400
            await self._database.write(_failed, job, now, type(error).__name__)
            return 1

    async def _tick(self, recurring: Recurring, now: datetime) -> int:
        seconds = recurring.every.total_seconds()
        tick = datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
        if self._last.get(recurring.kind) == tick:
            return 0
        await self._database.write(_run_tick, recurring, self._settings, tick, now)
        self._last[recurring.kind] = tick
        return 1


@dataclass(slots=True, frozen=True)
class _Found:
    stored: bool
    timers: list[Job]
    lapsed_rows: bool
    queued: int
    lapsed_owners: list[UUID]
    next_due: datetime | None

    @property
    def anything(self) -> bool:
        return bool(self.stored or self.timers or self.lapsed_rows or self.lapsed_owners)


def _run_due(conn: sa.Connection, world: World, due: Sequence[Job], now: datetime) -> int:
    """Timers that still wait, with what they do, in one commit; how many are done (the rest are held elsewhere)."""
    waiting = [Job.of(row) for row in jobs.take(conn, [job.id for job in due])]
    done = turn.run_timers(conn, world, waiting, now)
    for job in due:
        if job.id in done:
            metrics.TIMERS.labels(job.kind).inc()
    jobs.end(conn, done, "done", now)
    return len(done)


def _failed(conn: sa.Connection, job: Job, now: datetime, error: str) -> None:
    """Tried again later, and given up at last: then a person is told (law 12)."""
    if job.attempts + 1 < ATTEMPTS:
        jobs.postpone(conn, job.id, now + RETRY * 2**job.attempts, error)
        return
    jobs.end(conn, [job.id], "failed", now, error)
    results.alarm(
        conn, job.community_id, "failed_turn", f"{job.kind}: {error}", now, key=f"timer:{job.id}",
        conversation_id=job.conversation_id,
    )  # fmt: skip


def _run_tick(conn: sa.Connection, recurring: Recurring, settings: Settings, tick: datetime, now: datetime) -> None:
    row = Job(
        id=new_id(), kind=recurring.kind, state="done", due_at=tick, created_at=now, ended_at=now,
        dedupe_key=f"{recurring.kind}:{tick.isoformat()}",
    ).row()  # fmt: skip
    if jobs.schedule_new(conn, [row]):
        recurring.run(conn, settings, now)
