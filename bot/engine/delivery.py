"""Delivery: rows that are due go out, in order per recipient and lane, paced, each with exactly one result (laws 4 to
8)."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.clock import Clock
from bot.engine import metrics, results
from bot.engine.results import Sent
from bot.settings import DeliverySettings
from bot.store import outbox
from bot.store.base import Row
from bot.store.database import Database
from bot.world import Worlds
from channels.base import Channel
from channels.errors import Misconfigured, OutcomeUnknown, SendError
from channels.messages import Choice, OutboundMessage, SendResult

log = logging.getLogger(__name__)

POLL = timedelta(seconds=5)
"""However quiet it is, the outbox is looked at this often."""
MISCONFIGURED_PAUSE = timedelta(minutes=5)


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

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                next_due = await self._round()
            except Exception:
                log.exception("a round of delivery failed")
                next_due = self._clock.now() + POLL
            await self._clock.wait(self._wake, next_due)
        if self._calls:
            await asyncio.wait(self._calls)
        await self._write_results()

    async def _round(self) -> datetime:
        """Write what came back, claim and start what is due; when to look again."""
        await self._write_results()
        now = self._clock.now()
        free = self._settings.parallel - len(self._calls)
        if free > 0:
            rows = await self._database.write(self._begin, now, free)
            for row in rows:
                self._call(row)
            if len(rows) == free:
                self._wake.set()
        next_due = await self._database.read(outbox.next_due)
        return min(now + POLL, next_due) if next_due and next_due > now else now + POLL

    def _begin(self, conn: sa.Connection, now: datetime, limit: int) -> list[Row]:
        """Claim heads and turn them to `sending` in one commit; the fence is compared here (law 8)."""
        lease = timedelta(seconds=self._settings.lease_seconds)
        claimed = outbox.claim(conn, now, limit, lease, self._pausing(now))
        open_rows = results.within_window(conn, self._worlds.current, claimed, now)
        begun = outbox.begin_sending(conn, [row["id"] for row in open_rows], now, lease)
        rows = [row for row in open_rows if row["id"] in begun]
        return results.without_questions(conn, rows)

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
            result = await channel.send(_message(row))
        except SendError as known:
            error = known
        except Exception as unforeseen:
            log.exception("a channel raised what is not in its list of errors")
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
            await self._database.write(results.write, self._worlds.current, done, now, self._settings)
        except Exception:
            self._done = done + self._done
            raise
        self._database.announce()


def _message(row: Row) -> OutboundMessage:
    choices = tuple(Choice(choice["value"], choice["label"]) for choice in row["choices"] or ())
    return OutboundMessage(row_id=str(row["id"]), address=row["address"], text=row["text"], choices=choices)
