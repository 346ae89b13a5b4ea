"""Delivery: rows that are due go out, in order per recipient and lane, paced, each with exactly one result (laws 4 to
8)."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.clock import Clock
from bot.engine import joining, metrics, results
from bot.engine.results import Sent
from bot.errors import trace
from bot.settings import DeliverySettings
from bot.store import outbox
from bot.store.base import Row
from bot.store.database import Database, is_passing
from bot.world import Worlds
from channels.base import Channel
from channels.errors import Misconfigured, OutcomeUnknown, SendError
from channels.messages import Choice, OutboundMessage, SendResult

log = logging.getLogger(__name__)

POLL = timedelta(seconds=5)
"""However quiet it is, the outbox is looked at this often."""
MISCONFIGURED_PAUSE = timedelta(minutes=5)
PART_OF_LEASE = 0.8
"""A call is given up before the lease of its row ends: a row that is swept must not be on its way any more."""


class Delivery:
    """The sender of a process. Several processes may run one each: a lease keeps them off the same row."""

    def __init__(
        self,
        database: Database,
        worlds: Worlds,
        channels: Mapping[tuple[str, str], Channel],
        clock: Clock,
        settings: DeliverySettings,
    ) -> None:
        self._database = database
        self._worlds = worlds
        self._channels = channels
        self._clock = clock
        self._settings = settings
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._calls: set[asyncio.Task[Sent]] = set()
        self._done: list[Sent] = []
        self._paused: dict[tuple[str, str], datetime] = {}

    def start(self) -> None:
        self._database.on_change(self.wake)
        self._task = asyncio.create_task(self._run(), name="delivery")

    def wake(self) -> None:
        self._wake.set()

    async def close(self, within: float = 10.0) -> None:
        """Begin no more calls; wait for those under way, for at most `within` seconds; write what came of them."""
        self._stopping.set()
        self._wake.set()
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._task, within)
        if self._calls:
            await asyncio.wait(self._calls, timeout=within)
        await self._last_results()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                next_due = await self._round()
            except Exception as error:
                log.error("a round of delivery failed: %s", trace(error))  # noqa: TRY400 - without its words
                next_due = self._clock.now() + POLL
            await self._clock.wait(self._wake, next_due)

    async def _round(self) -> datetime:
        """Write what came back, claim and start what is due; when to look again."""
        await self._write_results()
        now = self._clock.now()
        free = self._settings.parallel - len(self._calls)
        if free > 0:
            claimed, rows = await self._database.write(self._begin, now, free)
            for row in rows:
                self._call(row)
            if len(rows) < claimed:
                self._database.announce()  # some were parked or cancelled, which lets out those behind them
            elif claimed == free:
                self._wake.set()
        next_due = await self._database.read(outbox.next_due, now)
        return min(now + POLL, next_due) if next_due else now + POLL

    def _begin(self, conn: sa.Connection, now: datetime, limit: int) -> tuple[int, list[Row]]:
        """Claim heads and turn them to `sending` in one commit; the fence is compared here (law 8)."""
        lease = timedelta(seconds=self._settings.lease_seconds)
        world = self._worlds.current
        claimed = outbox.claim(conn, now, limit, lease, self._pausing(now))
        useful = results.in_force(conn, claimed, now)
        open_rows = results.within_window(conn, world, joining.in_time(conn, world, useful, now), now)
        going = joining.join(conn, world, open_rows, now)
        begun = outbox.begin_sending(conn, [row["id"] for row in going], now, lease)
        rows = [{**row, "attempts": row["attempts"] + 1} for row in going if row["id"] in begun]
        return len(claimed), results.without_questions(conn, rows)

    def _pausing(self, now: datetime) -> Sequence[tuple[str, str]]:
        self._paused = {account: until for account, until in self._paused.items() if until > now}
        return list(self._paused)

    def _call(self, row: Row) -> None:
        task = asyncio.create_task(self._send(row))
        self._calls.add(task)
        task.add_done_callback(self._returned)

    def _returned(self, task: "asyncio.Task[Sent]") -> None:
        self._calls.discard(task)
        self._done.append(task.result())
        self._wake.set()

    async def _send(self, row: Row) -> Sent:
        channel = self._channels.get((row["channel"], row["account"]))
        if channel is None:
            return Sent(
                row, None, Misconfigured(f"no account {row['account']!r} of channel {row['channel']!r} is configured")
            )
        result: SendResult | None = None
        error: SendError | None = None
        try:
            async with asyncio.timeout(self._settings.lease_seconds * PART_OF_LEASE):
                result = await channel.send(_message(row))
        except SendError as known:
            error = known
        except TimeoutError:
            error = OutcomeUnknown("no answer within the lease")
        except Exception as unforeseen:
            log.error("a channel raised what is not in its list of errors: %s", trace(unforeseen))  # noqa: TRY400 - without its words
            error = OutcomeUnknown(type(unforeseen).__name__)
        metrics.SENT.labels(row["channel"], type(error).__name__ if error else "accepted").inc()
        return Sent(row, result, error)

    async def _write_results(self) -> None:
        if not self._done:
            return
        done, self._done = self._done, []
        now = self._clock.now()
        for sent in done:
            if isinstance(sent.error, Misconfigured):
                self._paused[sent.row["channel"], sent.row["account"]] = now + MISCONFIGURED_PAUSE
        try:
            await self._write(done, now)
        except Exception as error:
            if is_passing(error):
                self._done = done + self._done
                raise
            log.error("results are written one by one: %s", trace(error))  # noqa: TRY400 - without its words
            await self._each_result(done, now)
        self._database.announce()

    async def _write(self, done: Sequence[Sent], now: datetime) -> None:
        await self._database.write(results.write, self._worlds.current, done, now, self._settings)

    async def _each_result(self, done: Sequence[Sent], now: datetime) -> None:
        """One result that cannot be written stops no other; when its lease ends the row is unknown."""
        for sent in done:
            try:
                await self._write([sent], now)
            except Exception as error:
                if is_passing(error):
                    self._done.append(sent)
                else:
                    log.error("a result is lost: %s", trace(error))  # noqa: TRY400 - without its words

    async def _last_results(self) -> None:
        try:
            await self._write_results()
        except Exception as error:
            log.error("the last results could not be written: %s", trace(error))  # noqa: TRY400 - without its words


def _message(row: Row) -> OutboundMessage:
    choices = tuple(Choice(choice["value"], choice["label"]) for choice in row["choices"] or ())
    return OutboundMessage(
        row_id=str(row["id"]), address=row["address"], text=row["text"], choices=choices, moment=row["moment"] or "",
        values=row["values"] or {}, by_template=row["route"] == "template", said_at=row["created_at"],
    )  # fmt: skip
