"""A server-sent stream of what changes on a wire."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from aiohttp import web

from bot.web.simulator.wire import Change, Wire

_HEARTBEAT_S: Final = 15.0


async def stream(request: web.Request, wire: Wire, render: Callable[[Change], bytes]) -> web.StreamResponse:
    """Tell every change from now on, as `render` writes it, until the page or the wire is closed."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    with wire.listen() as changes:
        await response.prepare(request)
        with contextlib.suppress(ConnectionResetError):  # the page was closed
            await _tell(response, changes, render)
    return response


async def _tell(
    response: web.StreamResponse, changes: "asyncio.Queue[Change | None]", render: Callable[[Change], bytes]
) -> None:
    await response.write(b"retry: 1000\n\n")
    while True:
        try:
            change = await asyncio.wait_for(changes.get(), _HEARTBEAT_S)
        except TimeoutError:
            await response.write(b":\n\n")
            continue
        if change is None:
            return
        await response.write(b"data: " + render(change) + b"\n\n")
