"""Asks the language model what turns have left for it, outside of every transaction, and makes the timer due with what
it said (`workflows.second_look`). A timer that nobody answered is due without."""

import asyncio
import contextlib
import logging
import time
from datetime import timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from bot.clients.language_model import LanguageModel, ModelError, Sheet
from bot.clock import Clock
from bot.engine import metrics
from bot.errors import trace
from bot.settings import LanguageModelSettings
from bot.store import jobs, numbers
from bot.store.base import Row
from bot.store.database import Database, notify
from bot.world import Worlds
from intents.opinion import opinion_of
from workflows.grounded import unfounded
from workflows.second_look import KINDS, READ

log = logging.getLogger(__name__)

POLL: Final = timedelta(seconds=2)
PARALLEL: Final = 4
AHEAD: Final = timedelta(minutes=1)
"""No timer of ours is due later than this."""
COUNTED_AS: Final = "AI"
"""The kind under which the calls of a day are counted."""


class SecondLook:
    """The model's worker of a process. Several processes may run one each: a timer is asked for once."""

    def __init__(self, database: Database, worlds: Worlds, clock: Clock, settings: LanguageModelSettings) -> None:
        self._database = database
        self._worlds = worlds
        self._clock = clock
        self._settings = settings
        self._model = LanguageModel(settings)
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._calls: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._database.on_change(self._wake.set)
        self._task = asyncio.create_task(self._run(), name="second look")

    async def close(self, within: float = 10.0) -> None:
        """Ask no more; what is still under way after `within` seconds is left to its timer."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._task, within)
        if self._calls:
            await asyncio.wait(self._calls, timeout=within)
        await self._model.close()

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                await self.round()
            except Exception as error:
                log.error("a round of the second look failed: %s", trace(error))  # noqa: TRY400 - without its words
            await self._clock.wait(self._wake, self._clock.now() + POLL)

    async def round(self) -> int:
        """Begin to ask for what waits, a few at a time; for how many. One read where there is nothing."""
        now, free = self._clock.now(), PARALLEL - len(self._calls)
        if free <= 0:
            return 0
        found = await self._database.read(jobs.unasked, KINDS, now, now + AHEAD, free)
        if not found:
            return 0
        begun, allowed = await self._database.write(self._begin, found)
        for row in begun:
            task = asyncio.create_task(self._answer(row, allowed=allowed))
            self._calls.add(task)
            task.add_done_callback(self._returned)
        return len(begun)

    def _begin(self, conn: sa.Connection, found: list[Row]) -> tuple[list[Row], bool]:
        """Which of these are ours to ask for, and whether the day's calls allow it."""
        today = self._worlds.current.local(self._clock.now()).date()
        asked = numbers.count(conn, COUNTED_AS, today, len(found))
        ours = jobs.begin_asking(conn, [row["id"] for row in found])
        return [row for row in found if row["id"] in ours], asked <= self._settings.daily_calls

    def _returned(self, task: "asyncio.Task[None]") -> None:
        self._calls.discard(task)
        self._wake.set()

    async def _answer(self, row: Row, *, allowed: bool) -> None:
        """Ask for one, and write what came of it. What goes wrong here is left to the timer."""
        found, result = await self._ask(row) if allowed else ({}, "used_up")
        metrics.LANGUAGE_MODEL.labels(row["kind"].partition(".")[2], result).inc()
        try:
            await self._database.write(_write, row, found, result, self._clock)
        except Exception as failure:
            log.error("what the language model said could not be kept: %s", trace(failure))  # noqa: TRY400 - without its words
            return
        self._database.announce()

    async def _ask(self, row: Row) -> tuple[Row, str]:
        """What to put on the timer, and the result as the metric names it."""
        began = time.monotonic()
        try:
            answer = await (self._opinion(row["payload"]) if row["kind"] == READ else self._wording(row["payload"]))
        except ModelError as error:
            log.warning("the language model: %s", error)
            answer = {}, error.reason
        except Exception as error:
            log.error("the language model could not be asked: %s", trace(error))  # noqa: TRY400 - without its words
            answer = {}, "failed"
        if answer[1] != "resting":
            metrics.LANGUAGE_MODEL_SECONDS.observe(time.monotonic() - began)
        return answer

    async def _opinion(self, payload: Row) -> tuple[Row, str]:
        opinion = opinion_of(await self._model.read(payload["text"]), payload["text"])
        return ({"opinion": msgspec.to_builtins(opinion)}, "used") if opinion is not None else ({}, "no_opinion")

    async def _wording(self, payload: Row) -> tuple[Row, str]:
        base, language = self._worlds.current.knowledge, payload["language"]
        articles = [article for name in payload["articles"] if (article := base.article(name)) is not None]
        if len(articles) < len(payload["articles"]):
            return {}, "no_opinion"
        sheets = [Sheet(article.title_in(language), article.told_in(language)) for article in articles]
        told = await self._model.word(payload["text"], sheets, language)
        if told is None:
            return {}, "no_opinion"
        against = unfounded(told, [f"{sheet.title}\n{sheet.answer}" for sheet in sheets])
        if against:
            log.warning("the language model worded what stands in no article: %s", ", ".join(against))
            return {}, "unfounded"
        return {"wording": " ".join(told.replace("！", "。").replace("!", ".").split("\n"))}, "used"


def _write(conn: sa.Connection, row: Row, found: Row, result: str, clock: Clock) -> None:
    if jobs.answered(conn, row["id"], {**row["payload"], **found}, clock.now(), "" if found else result):
        notify(conn)
