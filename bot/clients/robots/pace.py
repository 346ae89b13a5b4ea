"""How fast a robot may speak: 20 a minute on WeCom and DingTalk, and whoever is faster is shut up for a while."""

import asyncio
from typing import Final

from aiolimiter import AsyncLimiter

from channels.errors import Later

AT_ONCE: Final = 10
"""So many at once and so many a minute after: never more than 20 in any minute."""
KEPT_FOR_DANGER: Final = 4
"""Of those at once, so many are left for what cannot wait."""
_MINUTE_S: Final = 60.0
_AGAIN_S: Final = 6.0


class Pace:
    """The pace of one robot in this process."""

    def __init__(self) -> None:
        self._limiter = AsyncLimiter(AT_ONCE, _MINUTE_S)
        self._held_until = 0.0

    async def enter(self, *, urgent: bool) -> None:
        """Take a place. Raises `Later`, throttled, where there is none now."""
        left = self._held_until - asyncio.get_running_loop().time()
        if left > 0:
            raise Later("told to wait", left, throttled=True)
        if not self._limiter.has_capacity(1 if urgent else 1 + KEPT_FOR_DANGER):
            raise Later("held back by our own pace", _AGAIN_S, throttled=True)
        await self._limiter.acquire()

    def hold(self, seconds: float) -> None:
        """The platform told us to wait that long."""
        self._held_until = asyncio.get_running_loop().time() + seconds
