"""The push side of the Telegram stand-in: updates in their order to the webhook, with its secret."""

import asyncio
import json
from functools import partial
from typing import Final

import aiohttp
import msgspec

from bot.web.simulator.faults import Faults
from bot.web.simulator.telegram_bot import Bot, Json

HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds for one answer, pause before a repeat, and how many repeats ("a reasonable amount of attempts")."""

    answer_s: float = 30.0
    pause_s: float = 1.0
    repeats: int = 5


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an update: the statuses of its requests, None where no answer came in time."""

    update: Json
    statuses: tuple[int | None, ...] = ()

    @property
    def acknowledged(self) -> bool:
        """It was taken, and comes no more."""
        return bool(self.statuses) and self.statuses[-1] is not None and 200 <= self.statuses[-1] < 300


class Pusher:
    """Sends to the address that setWebhook left."""

    def __init__(self, bot: Bot, limits: Limits, faults: Faults) -> None:
        self._bot = bot
        self._limits = limits
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None
        self._turn = asyncio.Lock()

    async def deliver(self, update: Json) -> Pushed:
        """Queue an update; where a webhook is set push it, once those before it are through."""
        self._bot.queue(update)
        return await self._faults.in_order(partial(self._deliver, update))

    async def _deliver(self, update: Json) -> Pushed:
        async with self._turn:
            if not self._bot.webhook or update not in self._bot.waiting:
                return Pushed(update=update)
            pushed = await self.repeat(update)
            if pushed.acknowledged:
                self._bot.waiting.remove(update)
            return pushed

    async def flush(self) -> None:
        """What waits is pushed, now that there is a webhook."""
        async with self._turn:
            for update in list(self._bot.waiting):
                if (await self.repeat(update)).acknowledged:
                    self._bot.waiting.remove(update)

    async def repeat(self, update: Json) -> Pushed:
        """Push an update until it is taken, even one that was taken before."""
        statuses: list[int | None] = []
        for number in range(1, self._limits.repeats + 2):
            if number > 1:
                await asyncio.sleep(self._limits.pause_s)
            statuses.append(await self._faults.copies(partial(self._attempt, update, number)))
            if statuses[-1] is not None and 200 <= statuses[-1] < 300:
                break
        return Pushed(update=update, statuses=tuple(statuses))

    async def _attempt(self, update: Json, number: int) -> int | None:
        started = asyncio.get_running_loop().time()
        headers = {"Content-Type": "application/json"}
        if self._bot.secret:
            headers[HEADER] = self._bot.secret
        try:
            # As Telegram does: what is not ASCII is escaped.
            async with self._open().post(self._bot.webhook, data=json.dumps(update), headers=headers) as response:
                self._faults.lose(response, number)
                await response.read()
                status, outcome = response.status, "ok" if response.ok else f"HTTP {response.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            status, outcome = None, type(error).__name__
        took = round((asyncio.get_running_loop().time() - started) * 1000)
        kind = next((name for name in update if name != "update_id"), "")
        words = json.dumps(update, ensure_ascii=False)[:2000]
        self._bot.log("push", kind, person_of(update), outcome, took, words, number)
        return status

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._limits.answer_s)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(force_close=True))
        return self._session

    async def close(self) -> None:
        """Give back connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def person_of(update: Json) -> int:
    """Whose phone an update comes from."""
    inner: Json = next((value for value in update.values() if isinstance(value, dict)), {})
    return int(inner.get("from", {}).get("id", 0))
