"""Accepted messages wait here for the moment of a batch; whatever waits together is stored and turned together."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from bot.clock import Clock
from bot.engine import metrics, turn
from bot.engine.replies import Replies
from bot.engine.turn import Item, Marks, Verdict
from bot.errors import StoreError, trace
from bot.store import messages
from bot.store.base import Row
from bot.store.database import Database, is_away, is_passing
from bot.world import World, Worlds
from channels.base import Capabilities
from channels.messages import Attachment, InboundMessage
from intents.model import Reading, Slots

log = logging.getLogger(__name__)

BATCH = 64


@dataclass(slots=True)
class _Waiting:
    message: InboundMessage
    capabilities: Capabilities
    received_at: datetime
    future: "asyncio.Future[Verdict]"


class Intake:
    """The one queue of a process. What `accept` returns is done when the message is durable (law 1)."""

    def __init__(self, database: Database, worlds: Worlds, clock: Clock, *, lanes: int | None = None) -> None:
        self._database = database
        self._worlds = worlds
        self._clock = clock
        self._queue: deque[_Waiting] = deque()
        self._replies = Replies(clock)
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

    def accept(
        self, message: InboundMessage, capabilities: Capabilities, received_at: datetime
    ) -> "asyncio.Future[Verdict]":
        """Store and turn a message; where the turn would come too late for the provider, store it alone.

        The future holds the verdict, or what the database raised. Whoever gets a reply with it says afterwards
        whether it was `written` or `unwritten`. Raises `StoreError` when nothing more is taken in.
        """
        if self._closing:
            raise StoreError("the service is stopping")
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(message, capabilities, received_at, future))
        self._wake.set()
        return future

    def written(self, row_id: UUID) -> None:
        """The passive reply of this outbox row was written to its connection; the mark rides in the next batch."""
        self._replies.written(row_id)
        self._wake.set()

    def unwritten(self, row_id: UUID) -> None:
        """The connection was gone: the text goes the other way, unless another request has it too."""
        self._replies.unwritten(row_id)
        self._wake.set()

    async def _run(self) -> None:
        while not (self._closing and not self._queue and not self._busy):
            # With every lane busy the end of a batch wakes us; a mark that is due meanwhile must not spin.
            await self._clock.wait(self._wake, self._replies.due if len(self._busy) < self._lanes else None)
            self._wake.clear()
            self._start_batches()
            self._start_marks()
        await self._write_marks()

    def _start_batches(self) -> None:
        while self._queue and len(self._busy) < self._lanes:
            batch, repeats = self._take()
            if not batch:
                return
            self._begin(self._run_batch(batch, repeats))

    def _start_marks(self) -> None:
        due = self._replies.due
        if due is not None and self._clock.now() >= due and len(self._busy) < self._lanes:
            self._begin(self._write_marks())

    def _begin(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.create_task(work)
        self._busy.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._busy.discard(task)
        self._wake.set()

    def _take(self) -> tuple[list[_Waiting], list[tuple[_Waiting, _Waiting]]]:
        """At most one message of a sender, oldest first; repeats of one that is in the batch share its verdict."""
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
        self._senders_busy |= taken.keys()
        return batch, repeats

    async def _run_batch(self, batch: Sequence[_Waiting], repeats: Sequence[tuple[_Waiting, _Waiting]]) -> None:
        marks = self._replies.take()
        try:
            await self._settle(batch, self._items(batch), marks)
        except Exception as error:
            self._replies.failed(marks)
            log.warning("a batch of %d failed: %s", len(batch), trace(error))
            await self._alone(batch, error)
        finally:
            self._senders_busy -= {_sender(waiting.message) for waiting in batch}
        for repeat, first in repeats:
            self._share(first.future, repeat.future)

    async def _settle(self, batch: Sequence[_Waiting], items: Sequence[Item], marks: Marks) -> None:
        now = self._clock.now()
        verdicts = await self._database.write_urgent(turn.run_batch, self._worlds.current, items, marks, now)
        self._replies.done(marks)
        for waiting, verdict in zip(batch, verdicts, strict=True):
            metrics.MESSAGES.labels(waiting.message.channel, verdict.status).inc()
            self._resolve(waiting.future, verdict)
        metrics.BATCH.observe(len(batch))
        self._database.announce()

    def _resolve(self, future: "asyncio.Future[Verdict]", verdict: Verdict) -> None:
        if future.done():
            return
        if verdict.reply is not None and not self._replies.hand(verdict.reply[0]):
            verdict = Verdict(verdict.status)
        future.set_result(verdict)

    async def _alone(self, batch: Sequence[_Waiting], error: Exception) -> None:
        """An error of the database belongs to no turn: each message is tried alone, then stored without its turn."""
        if is_away(error):
            for waiting in batch:
                _fail(waiting.future, error)
            return
        for waiting in batch:
            await self._one(waiting)

    async def _one(self, waiting: _Waiting) -> None:
        item = self._items([waiting])[0]
        try:
            await self._settle([waiting], [item], Marks())
        except Exception as error:
            log.warning("a message is stored without its turn: %s", trace(error))
            try:
                await self._settle([waiting], [replace(item, store_only=True)], Marks())
            except Exception as again:
                _fail(waiting.future, again)

    def _share(self, first: "asyncio.Future[Verdict]", repeat: "asyncio.Future[Verdict]") -> None:
        error = first.exception()
        if error is None:
            self._resolve(repeat, Verdict("repeat", first.result().reply))
        elif not repeat.done():
            repeat.set_exception(error)

    def _items(self, batch: Sequence[_Waiting]) -> list[Item]:
        world, now = self._worlds.current, self._clock.now()
        readings = _read(world, [waiting.message.text for waiting in batch], now)
        return [
            Item(
                message=waiting.message,
                reading=reading,
                broken=broken,
                received_at=waiting.received_at,
                passive_until=_passive_until(waiting),
                store_only=now - waiting.received_at > timedelta(seconds=waiting.capabilities.turn_budget),
            )
            for waiting, (reading, broken) in zip(batch, readings, strict=True)
        ]

    async def _write_marks(self) -> None:
        marks = self._replies.take_all()
        if not marks:
            return
        try:
            await self._database.write(turn.write_marks, marks, self._clock.now())
        except Exception as error:
            log.warning("marks of passive replies could not be written: %s", trace(error))
            await self._marks_alone(marks, error)
        else:
            self._replies.done(marks)
            self._database.announce()

    async def _marks_alone(self, marks: Marks, error: Exception) -> None:
        """One bad mark keeps no other from the database. It is given up: when its lease ends the row is unknown."""
        if is_passing(error):
            self._replies.failed(marks)
            return
        each = [Marks([row_id], []) for row_id in marks.written] + [Marks([], [row_id]) for row_id in marks.unwritten]
        for mark in each:
            with contextlib.suppress(Exception):
                await self._database.write(turn.write_marks, mark, self._clock.now())
        self._replies.done(marks)

    async def turn_stored(self) -> int:
        """Turn the oldest stored message of each conversation; how many were turned. The scheduler calls this."""
        found = await self._database.read(messages.oldest_stored, BATCH)
        found = [row for row in found if (row["channel"], row["account"], row["address"]) not in self._senders_busy]
        if not found:
            return 0
        world, now = self._worlds.current, self._clock.now()
        readings = _read(world, [row["text"] for row in found], now)
        items = [_stored_item(row, *reading) for row, reading in zip(found, readings, strict=True)]
        try:
            verdicts = await self._database.write(turn.run_batch, world, items, Marks(), now)
        except Exception as error:
            if is_passing(error):
                raise
            log.warning("stored messages are turned alone: %s", trace(error))
            verdicts = [await self._stored_alone(item) for item in items]
        self._database.announce()
        return sum(verdict.status in {"turned", "failed"} for verdict in verdicts)

    async def _stored_alone(self, item: Item) -> Verdict:
        """Turned; where that fails kept as failed, with an apology; where even that fails, as failed."""
        for attempt in (item, replace(item, broken="the database refused its turn")):
            try:
                verdicts = await self._database.write(
                    turn.run_batch, self._worlds.current, [attempt], Marks(), self._clock.now()
                )
            except Exception as error:
                if is_passing(error):
                    return Verdict("stored")
                log.warning("a stored message could not be turned: %s", trace(error))
            else:
                return verdicts[0]
        assert item.stored_id is not None
        await self._database.write(messages.set_status, [item.stored_id], "failed")
        return Verdict("failed")


_NOT_READ = Reading(
    intent="other", confidence=0.0, category=None, urgency="normal", lang="zh-Hans", slots=Slots(), alternatives=(),
    requests=(), gap=0.0,
)  # fmt: skip


def _read(world: World, texts: Sequence[str], now: datetime) -> list[tuple[Reading, str]]:
    """What each text means, or why that could not be found out: a text that breaks the reader stops no other."""
    local = world.local(now)
    try:
        return [(reading, "") for reading in world.reader.read_all(texts, local, world.names)]
    except Exception as error:
        log.error("a text could not be read: %s", trace(error))  # noqa: TRY400 - without its words
    return [_read_alone(world, text, local) for text in texts]


def _read_alone(world: World, text: str, local: datetime) -> tuple[Reading, str]:
    try:
        return world.reader.read_all([text], local, world.names)[0], ""
    except Exception as error:
        return _NOT_READ, type(error).__name__


def _sender(message: InboundMessage) -> tuple[str, str, str]:
    return message.channel, message.account, message.sender


def _passive_until(waiting: _Waiting) -> datetime | None:
    answer_within = waiting.capabilities.answer_within
    return None if answer_within is None else waiting.received_at + timedelta(seconds=answer_within)


def _stored_item(row: Row, reading: Reading, broken: str) -> Item:
    message = InboundMessage(
        channel=row["channel"], account=row["account"], external_id=row["external_id"], sender=row["address"],
        kind=row["kind"],
        text=row["text"], choice=row["choice"], attachments=msgspec.convert(row["attachments"] or (),
        tuple[Attachment, ...]),
        sent_at=row["sent_at"], own_phone=row["own_phone"] or "",
    )  # fmt: skip
    return Item(message=message, reading=reading, received_at=row["received_at"], stored_id=row["id"], broken=broken)


def _fail(future: "asyncio.Future[Verdict]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
