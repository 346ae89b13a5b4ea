"""A clock that stands still until the test moves it."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Monday, 10:00 in Shanghai."""


class StoppedClock:
    def __init__(self, now: datetime = MONDAY) -> None:
        self._now = now
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def advance(self, **amount: float) -> None:
        """Move on by `amount` (as in timedelta) and wake whoever waits for a moment."""
        self._now += timedelta(**amount)
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait(self, event: asyncio.Event, until: datetime | None) -> bool:
        while not event.is_set() and (until is None or self._now < until):
            await _first(event, self._moved)
        return event.is_set()


async def _first(*events: asyncio.Event) -> None:
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
