"""Accepted messages wait here for the moment of a batch; whatever waits together is stored and turned together."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from bot.clock import Clock
from bot.engine import metrics, turn
from bot.engine.turn import Item, Marks, Verdict
from bot.store import messages
from bot.store.base import Row
from bot.store.database import Database
from bot.world import Worlds
from channels.base import Capabilities
from channels.messages import Attachment, InboundMessage
from intents.model import Reading

log = logging.getLogger(__name__)

BATCH = 64
MARKS_WAIT = timedelta(seconds=0.25)
"""A mark that found no batch to ride in is written by itself after this long."""


@dataclass(slots=True)
class _Waiting:
    message: InboundMessage
    capabilities: Capabilities
    received_at: datetime
    future: "asyncio.Future[Verdict]"


class Intake:
    """The one queue of a process. `accept` returns when the message is durable (law 1)."""

    def __init__(self, database: Database, worlds: Worlds, clock: Clock, *, lanes: int | None = None) -> None:
        self._database = database
        self._worlds = worlds
        self._clock = clock
        self._queue: deque[_Waiting] = deque()
        self._marks = Marks()
        self._marks_since: datetime | None = None
        self._wake = asyncio.Event()
        self._lanes = lanes or (1 if database.embedded else 2)
        self._busy: set[asyncio.Task[None]] = set()
        self._senders_busy: set[tuple[str, str, str]] = set()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="intake")

    async def close(self, within: float = 10.0) -> None:
        """Take nothing more in; finish what waits, for at most `within` seconds."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._task, within)

    @property
    def closing(self) -> bool:
        return self._closing

    async def accept(self, message: InboundMessage, capabilities: Capabilities, received_at: datetime) -> Verdict:
        """Store and turn a message; where the turn would come too late for the provider, store it alone. Raises what
        the database raises."""
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(message, capabilities, received_at, future))
        self._wake.set()
        return await future

    def written(self, row_id: UUID) -> None:
        """The passive reply of this outbox row was written to its connection; the mark rides in the next batch."""
        self._mark(self._marks.written, row_id)

    def unwritten(self, row_id: UUID) -> None:
        """The connection was gone: the text goes the other way."""
        self._mark(self._marks.unwritten, row_id)

    def _mark(self, marks: list[UUID], row_id: UUID) -> None:
        marks.append(row_id)
        if self._marks_since is None:
            self._marks_since = self._clock.now()
            self._wake.set()

    async def _run(self) -> None:
        while not (self._closing and not self._queue and not self._busy):
            await self._clock.wait(self._wake, self._marks_since and self._marks_since + MARKS_WAIT)
            self._wake.clear()
            self._start_batches()
            self._start_marks()
        if self._marks:
            await self._write_marks(self._take_marks())

    def _start_batches(self) -> None:
        while self._queue and len(self._busy) < self._lanes:
            now = self._clock.now()
            batch, repeats = self._take(now)
            if not batch:
                return
            self._begin(self._run_batch(batch, repeats, now))

    def _start_marks(self) -> None:
        due = self._marks_since is not None and self._clock.now() >= self._marks_since + MARKS_WAIT
        if due and len(self._busy) < self._lanes:
            self._begin(self._write_marks(self._take_marks()))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._busy.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._busy.discard(task)
        self._wake.set()

    def _take(self, now: datetime) -> tuple[list[_Waiting], list[tuple[_Waiting, _Waiting]]]:
        """At most one message of a sender, oldest first; repeats of a message that is in the batch share its
        verdict."""
        batch: list[_Waiting] = []
        repeats: list[tuple[_Waiting, _Waiting]] = []
        left: deque[_Waiting] = deque()
        taken: dict[tuple[str, str, str], _Waiting] = {}
        while self._queue and len(batch) < BATCH:
            waiting = self._queue.popleft()
            sender = _sender(waiting.message)
            first = taken.get(sender)
            if first is not None and first.message.external_id == waiting.message.external_id:
                repeats.append((waiting, first))
            elif first is not None or sender in self._senders_busy:
                left.append(waiting)
            else:
                taken[sender] = waiting
                batch.append(waiting)
        self._queue.extendleft(reversed(left))
        del now
        self._senders_busy |= taken.keys()
        return batch, repeats

    async def _run_batch(
        self, batch: Sequence[_Waiting], repeats: Sequence[tuple[_Waiting, _Waiting]], now: datetime
    ) -> None:
        marks = self._take_marks()
        try:
            await self._settle(batch, self._items(batch, now), marks, now)
        except Exception as error:
            self._give_back(marks)
            await self._alone(batch, error)
        finally:
            self._senders_busy -= {_sender(waiting.message) for waiting in batch}
        for repeat, first in repeats:
            _share(first.future, repeat.future)

    async def _settle(self, batch: Sequence[_Waiting], items: list[Item], marks: Marks, now: datetime) -> None:
        verdicts = await self._database.write_urgent(turn.run_batch, self._worlds.current, items, marks, now)
        for waiting, verdict in zip(batch, verdicts, strict=True):
            metrics.MESSAGES.labels(waiting.message.channel, verdict.status).inc()
            if not waiting.future.done():
                waiting.future.set_result(verdict)
        metrics.BATCH.observe(len(batch))
        self._database.announce()

    async def _alone(self, batch: Sequence[_Waiting], error: Exception) -> None:
        """An error of the database belongs to no turn: each message is tried alone, once."""
        if len(batch) == 1:
            _fail(batch[0].future, error)
            return
        for waiting in batch:
            now = self._clock.now()
            try:
                await self._settle([waiting], self._items([waiting], now), Marks(), now)
            except Exception as alone:
                _fail(waiting.future, alone)

    def _items(self, batch: Sequence[_Waiting], now: datetime) -> list[Item]:
        world = self._worlds.current
        readings = world.reader.read_all([w.message.text for w in batch], world.local(now), world.names)
        return [
            Item(
                message=waiting.message,
                reading=reading,
                received_at=waiting.received_at,
                passive_until=_passive_until(waiting),
                store_only=now - waiting.received_at > timedelta(seconds=waiting.capabilities.turn_budget),
            )
            for waiting, reading in zip(batch, readings, strict=True)
        ]

    def _take_marks(self) -> Marks:
        marks, self._marks, self._marks_since = self._marks, Marks(), None
        return marks

    def _give_back(self, marks: Marks) -> None:
        for row_id in marks.written:
            self.written(row_id)
        for row_id in marks.unwritten:
            self.unwritten(row_id)

    async def _write_marks(self, marks: Marks) -> None:
        try:
            await self._database.write(turn.apply_marks, marks, self._clock.now())
        except Exception:
            log.exception("marks of passive replies could not be written")
            self._give_back(marks)
        else:
            if marks.unwritten:
                self._database.announce()

    async def turn_stored(self) -> int:
        """Turn the oldest stored message of each conversation; how many were found. The scheduler calls this."""
        found = await self._database.read(messages.oldest_stored, BATCH)
        found = [row for row in found if (row["channel"], row["account"], row["address"]) not in self._senders_busy]
        if found:
            now = self._clock.now()
            world = self._worlds.current
            readings = world.reader.read_all([row["text"] for row in found], world.local(now), world.names)
            items = [_stored_item(row, reading) for row, reading in zip(found, readings, strict=True)]
            await self._database.write(turn.run_batch, world, items, Marks(), now)
            self._database.announce()
        return len(found)


def _sender(message: InboundMessage) -> tuple[str, str, str]:
    return message.channel, message.account, message.sender


def _passive_until(waiting: _Waiting) -> datetime | None:
    answer_within = waiting.capabilities.answer_within
    return None if answer_within is None else waiting.received_at + timedelta(seconds=answer_within)


def _stored_item(row: Row, reading: Reading) -> Item:
    message = InboundMessage(
        channel=row["channel"], account=row["account"], external_id=row["external_id"], sender=row["address"],
        kind=row["kind"],
        text=row["text"], choice=row["choice"], attachments=msgspec.convert(row["attachments"] or (),
        tuple[Attachment, ...]),
        sent_at=row["sent_at"],
    )  # fmt: skip
    return Item(message=message, reading=reading, received_at=row["received_at"], stored_id=row["id"])


def _fail(future: "asyncio.Future[Verdict]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _share(first: "asyncio.Future[Verdict]", repeat: "asyncio.Future[Verdict]") -> None:
    if repeat.done() or not first.done() or first.cancelled():
        return
    error = first.exception()
    if error is not None:
        repeat.set_exception(error)
    else:
        repeat.set_result(Verdict("repeat", first.result().reply))
