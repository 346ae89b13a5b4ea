"""Time comes in through here, so that a test can stop it."""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the desk needs of time: the real clock here, a stopped one in the tests."""

    def now(self) -> datetime:
        """This moment, aware, in UTC."""

    async def wait(self, event: asyncio.Event, until: datetime | None) -> bool:
        """Wait for `event`, at most `until`; whether the event came. None: for the event alone. Leaves the event as
        it is."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait(self, event: asyncio.Event, until: datetime | None) -> bool:
        if until is None:
            await event.wait()
            return True
        seconds = max(0.0, (until - self.now()).total_seconds())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # wait_for would make a task of it, for every message
                await event.wait()
        return event.is_set()
