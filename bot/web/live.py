"""Server-sent events: open consoles hear that something has changed and fetch what they show.

The stream itself carries no data. One hub for all, fed by `Database.on_change`. Changes are coalesced: a console
hears at most one event a second, however busy the desk is.
"""

import asyncio
from datetime import timedelta

from aiohttp import web

from bot.clock import Clock
from bot.store.database import Database
from bot.web.middleware import HEADERS

COALESCE = timedelta(seconds=1)
HEARTBEAT = timedelta(seconds=20)
LASTS = timedelta(minutes=10)
"""A stream ends then and the browser opens the next, which checks the session again."""

_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no", **HEADERS}
EVENT = b"event: change\ndata: {}\n\n"
BEAT = b": still here\n\n"


class Hub:
    """Who listens."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.clock = clock
        self._listeners: set[asyncio.Event] = set()
        self._closing = asyncio.Event()
        database.on_change(self.changed)

    def changed(self) -> None:
        for listener in self._listeners:
            listener.set()

    def listen(self) -> asyncio.Event:
        """An event that is set by every change; the caller clears it."""
        event = asyncio.Event()
        self._listeners.add(event)
        return event

    def leave(self, event: asyncio.Event) -> None:
        self._listeners.discard(event)

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    async def close(self) -> None:
        """End all streams, so that the service can stop."""
        self._closing.set()
        self.changed()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Tell this browser of changes until it leaves."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        event = self.listen()
        event.set()  # what changed between the page and this stream
        ends = self.clock.now() + LASTS
        try:
            while not self._closing.is_set() and self.clock.now() < ends:
                came = await self.clock.wait(event, min(ends, self.clock.now() + HEARTBEAT))
                event.clear()
                await response.write(EVENT if came else BEAT)
                await self.clock.wait(self._closing, self.clock.now() + COALESCE)
        except ConnectionError:
            pass
        finally:
            self.leave(event)
        return response


HUB = web.AppKey("hub", Hub)
