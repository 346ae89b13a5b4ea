"""Learning from staff in a running process: which model reads, with which corrections; and the training of a new one.

The database says what holds (`bot.store.learning`); every process looks after its number every few seconds, and the one
where somebody acted at once.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from bot.apart import Apart
from bot.clock import Clock
from bot.engine import metrics
from bot.errors import Conflict, trace
from bot.store import learning as store
from bot.store import staff
from bot.store.base import Row
from bot.store.database import Database, notify
from bot.world import Worlds
from intents.classifier import Classifier, load_classifier, model_key
from intents.corrections import Correction, Corrections
from intents.learning import Learned, Trained, train_and_compare
from intents.reader import Reader

log = logging.getLogger(__name__)

WITHIN_S = 300.0
"""A training that takes longer is given up: it should take ten seconds."""
_LEASE = timedelta(seconds=WITHIN_S + 60)


@dataclass(frozen=True, slots=True)
class _Taught:
    """What the database says, read in one view. `weights` only where another model than ours is live."""

    revision: int
    live: Row | None
    weights: bytes | None
    corrections: list[Row]
    open: int


async def renew(database: Database, worlds: Worlds) -> None:
    """Take over what was corrected or put to use since the last time; costs one look where nothing was."""
    async with worlds.renewing:
        if await database.read(store.revision) == worlds.taught.revision:
            return
        taught = await database.read(_read, worlds.taught.model_id)
        live = taught.live["id"] if taught.live else None
        reader = await asyncio.to_thread(_reader, worlds.current.reader, taught, worlds.taught.model_id)
        worlds.taught = replace(worlds.taught, revision=taught.revision, model_id=live)
        # No await in between: whoever reads next has the whole new reader.
        worlds.current = replace(worlds.current, reader=reader)
        metrics.MODEL.set(taught.live["number"] if taught.live and taught.live["key"] == model_key() else 0)
        metrics.CORRECTIONS.set(taught.open)


def _read(conn: sa.Connection, ours: UUID | None) -> _Taught:
    live = store.live(conn)
    other = live is not None and live["id"] != ours
    return _Taught(
        revision=store.revision(conn),
        live=live,
        weights=store.weights(conn, live["id"]) if live and other else None,
        corrections=store.holding(conn),
        open=store.count_open(conn),
    )


def _reader(old: Reader, taught: _Taught, ours: UUID | None) -> Reader:
    live = taught.live["id"] if taught.live else None
    reader = old if live == ours else Reader(_classifier(taught))
    return reader.with_corrections(Corrections([_correction(row) for row in taught.corrections]))


def _classifier(taught: _Taught) -> Classifier:
    """The live model; the shipped one where there is none, or where another version of the program made it."""
    if taught.live is None:
        return load_classifier()
    model = Classifier.from_bytes(taught.weights or b"", model_key())
    if model is None:
        log.warning("model %d is of another version of the program: train again", taught.live["number"])
    return model or load_classifier()


def _correction(row: Row) -> Correction:
    was = (row["was"] or {}).get("intent", "")
    approved = row["state"] == "used"
    return Correction(row["text"], row["intent"], row["category"], row["urgency"], was=was, approved=approved)


def learned(rows: Sequence[Row]) -> list[Learned]:
    """Examples of the store as the training takes them."""
    return [Learned(row["text"], row["intent"], row["category"], row["urgency"], row["weight"]) for row in rows]


class Trainer:
    """Trains in a process of its own, one model at a time in the whole installation."""

    def __init__(self, database: Database, worlds: Worlds, clock: Clock) -> None:
        self._database = database
        self._worlds = worlds
        self._clock = clock
        self._apart = Apart()
        self._task: asyncio.Task[None] | None = None

    async def start(self, staff_id: UUID) -> None:
        """Begin to train; returns at once. Raises `Conflict` where a training is under way."""
        model_id = await self._database.write(self._begin, staff_id)
        if model_id is None:
            raise Conflict("training_already")
        self._database.announce()
        self._apart = Apart()
        self._task = asyncio.create_task(self._run(model_id), name="training")

    def _begin(self, conn: sa.Connection, staff_id: UUID) -> UUID | None:
        now, count = self._clock.now(), len(store.examples(conn))
        model_id = store.begin_training(conn, staff_id, model_key(), count, now, _LEASE)
        if model_id is not None:
            staff.record_act(conn, staff_id, "model.train", now, ref_kind="model", ref_id=model_id)
            notify(conn)
        return model_id

    async def finished(self) -> None:
        """Wait until the training that was started here has ended."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Give up what is under way; its row says so."""
        self._apart.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await self.finished()

    async def _run(self, model_id: UUID) -> None:
        try:
            rows, live = await self._database.read(material)
            trained = await asyncio.to_thread(self._train, learned(rows), live)
            state, values = _outcome(trained)
        except Exception as error:
            log.error("a model could not be trained: %s", trace(error))  # noqa: TRY400 - without its words
            state, values = "failed", {"error": type(error).__name__}
        await self._end(model_id, state, values)

    def _train(self, examples: Sequence[Learned], live: bytes | None) -> Trained:
        return self._apart.run(train_and_compare, examples, live, within=WITHIN_S)

    async def _end(self, model_id: UUID, state: str, values: Row) -> None:
        def end(conn: sa.Connection) -> None:
            store.end_training(conn, model_id, self._clock.now(), state, **values)
            notify(conn)

        await self._database.write(end)
        self._database.announce()


def material(conn: sa.Connection) -> tuple[list[Row], bytes | None]:
    """The examples of staff and the model that the new one is held against."""
    live = store.live(conn)
    return store.examples(conn), store.weights(conn, live["id"]) if live else None


def _outcome(trained: Trained) -> tuple[str, Row]:
    report: Any = msgspec.to_builtins(trained.report)
    if trained.report.may_replace:
        return "ready", {"report": report, "model": trained.model}
    return "refused", {"report": report}
