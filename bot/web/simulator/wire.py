"""What travels between the platform and the service, kept for the page and for tests, and told to whoever listens."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

import msgspec

from bot.web.simulator.phones import Entry


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """One request, without secrets: a `push` to the service, or a `call` of the service to the API."""

    number: int
    direction: Literal["push", "call"]
    name: str
    openid: str
    at: datetime
    attempt: int = 1
    outcome: str = ""
    milliseconds: int = 0
    payload: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something new to show: a bubble, a transfer, or the state of a phone (followed, typing, quota)."""

    openid: str
    entry: Entry | None = None
    transfer: Transfer | None = None


class Wire:
    """The log of transfers and the listeners."""

    def __init__(self) -> None:
        self.transfers: deque[Transfer] = deque(maxlen=2000)
        self.calls: Counter[str] = Counter()
        """API calls by name (`stable_token`, `custom/send` …), answered or not."""
        self._listeners: set[asyncio.Queue[Change | None]] = set()
        self._number = 0

    def next_number(self) -> int:
        """A number that grows with everything that is shown."""
        self._number += 1
        return self._number

    def add(self, transfer: Transfer) -> None:
        """Keep a transfer and tell the listeners."""
        self.transfers.append(transfer)
        self.tell(Change(openid=transfer.openid, transfer=transfer))

    def tell(self, change: Change) -> None:
        """Hand a change to every listener."""
        for queue in self._listeners:
            queue.put_nowait(change)

    def close(self) -> None:
        """End every stream: listeners get None."""
        for queue in self._listeners:
            queue.put_nowait(None)

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Change | None]]:
        """A queue of the changes from now on; None ends it."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    async def until(self, holds: Callable[[], bool], timeout_s: float = 5.0) -> None:
        """Wait until `holds()`, looking again at each change. Raises `TimeoutError`."""
        with self.listen() as queue:
            async with asyncio.timeout(timeout_s):
                while not holds():
                    await queue.get()
