"""How fast a bot may write: about one message a second to a chat in the long run, thirty a second in all (Bots FAQ).

The figures are not exact, and a 429 with `retry_after` is the truth: it holds up its chat, and once two chats were
told so the whole bot.
"""

import asyncio
from collections import OrderedDict
from typing import Final

import msgspec
from aiolimiter import AsyncLimiter

from channels.errors import Later

_CHATS: Final = 10_000


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """So many messages in so many seconds; `patience_s`: how long a send may wait for its place."""

    chat: tuple[float, float] = (3, 3.0)
    """Short bursts pass, one a second in the long run."""
    overall: tuple[float, float] = (30, 1.0)
    patience_s: float = 1.0


class Pace:
    """The pace of one bot in this process."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._overall = AsyncLimiter(*rates.overall)
        self._chats: OrderedDict[int, AsyncLimiter] = OrderedDict()
        self._held: dict[int, float] = {}

    async def wait(self, chat: int) -> None:
        """Return when a message may go to `chat`. Raises `Later` where that is not soon."""
        left = self._left(chat)
        if left > 0:
            raise Later("told to wait (retry_after)", left, throttled=True)
        try:
            async with asyncio.timeout(self._rates.patience_s):
                await self._limiter(chat).acquire()
                await self._overall.acquire()
        except TimeoutError:
            reason = Later("held back by our own pace", self._rates.patience_s, throttled=True)
        else:
            return
        raise reason

    def hold(self, chat: int, seconds: float) -> None:
        """The API told us to wait that long."""
        self._held[chat] = asyncio.get_running_loop().time() + seconds

    def _left(self, chat: int) -> float:
        now = asyncio.get_running_loop().time()
        self._held = {held: until for held, until in self._held.items() if until > now}
        overall = min(self._held.values()) - now if len(self._held) > 1 else 0.0
        return max(overall, self._held.get(chat, now) - now)

    def _limiter(self, chat: int) -> AsyncLimiter:
        found = self._chats.setdefault(chat, AsyncLimiter(*self._rates.chat))
        self._chats.move_to_end(chat)
        if len(self._chats) > _CHATS:
            self._chats.popitem(last=False)
        return found
