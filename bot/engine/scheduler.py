"""Time's part: timers of conversations, stored messages still to be turned, leases that ran out, and recurring jobs."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from bot.clock import Clock
from bot.engine import metrics, results, routing, turn
from bot.engine.intake import Intake
from bot.settings import Settings
from bot.store import conversations, jobs, messages, outbox
from bot.store.base import new_id
from bot.store.database import Database
from bot.store.records import Job
from bot.world import World, Worlds

log = logging.getLogger(__name__)

POLL = timedelta(seconds=5)
BATCH = 50
ATTEMPTS = 5
RETRY = timedelta(seconds=30)


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


RECURRING: Sequence[Recurring] = (
    Recurring("forget-raw", timedelta(hours=1), _forget_raw),
    Recurring("forget-jobs", timedelta(days=1), _forget_jobs),
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
            except Exception:
                log.exception("a round of the scheduler failed")
                next_due = self._clock.now() + POLL
            await self._clock.wait(self._wake, next_due)

    async def round(self) -> datetime:
        """Do all that is due; when to look again."""
        now = self._clock.now()
        found = await self._database.read(self._look, now)
        if found.stored:
            await self._intake.turn_stored()
        if found.timers:
            await self._timers(found.timers, now)
        if found.lapsed_rows:
            await self._database.write(results.sweep, self._worlds.current, now)
        for conversation_id in found.lapsed_owners:
            await self._database.write(turn.run_alone, self._worlds.current, conversation_id, now, routing.owner_lapsed)
        for recurring in RECURRING:
            await self._tick(recurring, now)
        if found.anything:
            self._database.announce()
            self._wake.set()
        return min(now + POLL, found.next_due) if found.next_due and found.next_due > now else now + POLL

    def _look(self, conn: sa.Connection, now: datetime) -> "_Found":
        return _Found(
            stored=bool(messages.oldest_stored(conn, 1)),
            timers=[Job.of(row) for row in jobs.due(conn, now, BATCH)],
            lapsed_rows=bool(outbox.lapsed(conn, now, 1)),
            lapsed_owners=conversations.owner_lapsed(conn, now, BATCH),
            next_due=jobs.next_due(conn),
        )

    async def _timers(self, due: Sequence[Job], now: datetime) -> None:
        """All in one commit; where that fails each alone, so that one bad timer stops no other."""
        try:
            await self._database.write(_run_due, self._worlds.current, due, now)
        except Exception:
            log.exception("timers failed together and are run alone")
            for job in due:
                await self._timer_alone(job, now)

    async def _timer_alone(self, job: Job, now: datetime) -> None:
        try:
            await self._database.write(_run_due, self._worlds.current, [job], now)
        except Exception as error:
            log.exception("a timer failed", extra={"job_id": str(job.id), "kind": job.kind})
            await self._database.write(_failed, job, now, type(error).__name__)

    async def _tick(self, recurring: Recurring, now: datetime) -> None:
        seconds = recurring.every.total_seconds()
        tick = datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
        if self._last.get(recurring.kind) == tick:
            return
        await self._database.write(_run_tick, recurring, self._settings, tick, now)
        self._last[recurring.kind] = tick


@dataclass(slots=True, frozen=True)
class _Found:
    stored: bool
    timers: list[Job]
    lapsed_rows: bool
    lapsed_owners: list[UUID]
    next_due: datetime | None

    @property
    def anything(self) -> bool:
        return bool(self.stored or self.timers or self.lapsed_rows or self.lapsed_owners)


def _run_due(conn: sa.Connection, world: World, due: Sequence[Job], now: datetime) -> None:
    """Timers that still wait, with what they do, in one commit."""
    waiting = [Job.of(row) for row in jobs.take(conn, [job.id for job in due])]
    done = turn.run_timers(conn, world, waiting, now)
    for job in due:
        if job.id in done:
            metrics.TIMERS.labels(job.kind).inc()
    jobs.end(conn, done, "done", now)


def _failed(conn: sa.Connection, job: Job, now: datetime, error: str) -> None:
    if job.attempts + 1 >= ATTEMPTS:
        jobs.end(conn, [job.id], "failed", now, error)
    else:
        jobs.postpone(conn, job.id, now + RETRY * 2**job.attempts, error)


def _run_tick(conn: sa.Connection, recurring: Recurring, settings: Settings, tick: datetime, now: datetime) -> None:
    row = Job(
        id=new_id(), kind=recurring.kind, state="done", due_at=tick, created_at=now, ended_at=now,
        dedupe_key=f"{recurring.kind}:{tick.isoformat()}",
    ).row()  # fmt: skip
    if jobs.schedule(conn, [row]):
        recurring.run(conn, settings, now)
