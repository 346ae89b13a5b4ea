"""What goes wrong at the far side: scripted for the next calls of a test, or switched on until it is put back.

Every stand-in has one `Faults`. Three switches: how API calls end, how pushes travel, and how receipts come where the
provider sends them.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar, get_args

import aiohttp
import msgspec
from aiohttp import web

from bot.web.simulator.listener import Listener

T = TypeVar("T")
When = Literal["", "before", "after"]
Pushes = Literal["", "thrice", "reordered", "lost"]
Receipts = Literal["", "late", "missing", "failed", "early", "shuffled"]

HTML: Final = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
"""The page of a proxy that stands where the API should."""
_COPIES: Final = 3
_HELD_S: Final = 5.0


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """How one call misbehaves. `cut` and `hang` happen before or after the message reached the phone."""

    code: str = ""
    """The provider's own error."""
    words: str = ""
    status: int = 0
    """Of HTTP; 0: as usual."""
    parameters: Mapping[str, Any] | None = None
    """Beside the error (Telegram)."""
    body: str = ""
    """Instead of an answer."""
    delay_s: float = 0.0
    hang: When = ""
    cut: When = ""


FINE: Final = Fault()


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One position of the switch for API calls, in both languages."""

    name: str
    label: str
    english: str
    fault: Fault = FINE
    calls: tuple[str, ...] = ()
    """The calls that meet it; none: every call."""
    times: int = 0
    """How many calls meet it before all is well again; 0: until it is put back."""
    refuses: bool = False
    """Nobody listens."""


def usual(*sending: str) -> tuple[Trouble, ...]:
    """What can happen to every API. `sending`: the calls that send a message."""
    return (
        Trouble(name="refused", label="连不上", english="connection refused", refuses=True),
        Trouble(name="502", label="502 网页", english="502 page", fault=Fault(status=502, body=HTML)),
        Trouble(name="silent", label="不回应", english="no answer", fault=Fault(hang="before")),
        Trouble(name="cut", label="收下就断线", english="taken, then cut", fault=Fault(cut="after"), calls=sending),
    )


def refusals(call: str, *codes: tuple[str, str, str]) -> tuple[Trouble, ...]:
    """The provider's own errors: code and what it means in both languages."""
    return tuple(
        Trouble(name=code, label=label, english=english, fault=Fault(code=code), calls=(call,))
        for code, label, english in codes
    )


class Faults:
    """The switches of one stand-in, and what tests have scripted."""

    def __init__(self, listener: Listener, troubles: Sequence[Trouble], *, receipts: bool = False) -> None:
        self.troubles = {trouble.name: trouble for trouble in troubles}
        self.has_receipts = receipts
        self.api = ""
        self.pushes: Pushes = ""
        self.receipts: Receipts = ""
        self._listener = listener
        self._left = 0
        self._scripted: dict[str, deque[Fault]] = defaultdict(deque)
        self._put_back = asyncio.Event()
        self._held: asyncio.Event | None = None

    async def switch(self, api: str = "", pushes: str = "", receipts: str = "") -> None:
        """Set all three; what is left out is back to normal. What was held goes on. Raises `ValueError`."""
        if api not in self.troubles and api:
            raise ValueError(f"api: {api!r} is none of {', '.join(self.troubles)}")
        self.pushes = _known("pushes", pushes, get_args(Pushes))
        self.receipts = _known("receipts", receipts, get_args(Receipts) if self.has_receipts else ("",))
        self.api = api
        self._left = self.troubles[api].times if api else 0
        self.release()
        await (self._listener.refuse if api and self.troubles[api].refuses else self._listener.accept)()

    @property
    def is_normal(self) -> bool:
        """Nothing is switched on."""
        return not (self.api or self.pushes or self.receipts)

    # API calls

    def script(self, call: str, fault: Fault, times: int = 1) -> None:
        """The next `times` calls of `call` misbehave."""
        self._scripted[call].extend([fault] * times)

    def unused(self) -> list[str]:
        """Names of scripted faults that no call has met."""
        return [name for name, faults in self._scripted.items() for _ in faults]

    def of(self, call: str) -> Fault:
        """What this call meets: what was scripted for it first, then what is switched on."""
        scripted = self._scripted[call]
        if scripted:
            return scripted.popleft()
        trouble = self.troubles.get(self.api)
        if trouble is None or (trouble.calls and call not in trouble.calls):
            return FINE
        if trouble.times:
            self._left -= 1
            self.api = self.api if self._left else ""
        return trouble.fault

    async def breaks(self, moment: When, request: web.Request, fault: Fault) -> bool:
        """Hang or cut if that is due now; whether it was, so that no answer matters any more."""
        if fault.hang == moment:
            await self.until_put_back()
        if fault.cut == moment and request.transport is not None:
            request.transport.abort()
        return moment in {fault.hang, fault.cut}

    async def until_put_back(self) -> None:
        """Wait until a switch is moved, or the stand-in stops."""
        await self._put_back.wait()

    def release(self) -> None:
        """Let go what hangs or is held."""
        self._put_back.set()
        self._put_back = asyncio.Event()

    # Pushes

    async def in_order(self, push: Callable[[], Awaitable[T]]) -> T:
        """Push; where pushes are reordered every other one waits until the next has gone before it."""
        if self.pushes != "reordered":
            return await push()
        if self._held is None:
            self._held = overtaken = asyncio.Event()
            await self._overtaken(overtaken)
            return await push()
        earlier, self._held = self._held, None
        try:
            return await push()
        finally:
            earlier.set()

    async def _overtaken(self, overtaken: asyncio.Event) -> None:
        """Wait for the next push, for a while: the last one must not stay away for ever."""
        waits = [asyncio.ensure_future(event.wait()) for event in (overtaken, self._put_back)]
        try:
            await asyncio.wait(waits, timeout=_HELD_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            self._held = None if self._held is overtaken else self._held

    async def copies(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """One request, or the first of three that travel side by side."""
        if self.pushes != "thrice":
            return await attempt()
        first, *_ = await asyncio.gather(*(attempt() for _ in range(_COPIES)))
        return first

    def lose(self, response: aiohttp.ClientResponse, attempt: int) -> None:
        """The connection ends while the first answer is on its way. Raises `ClientError`."""
        if self.pushes == "lost" and attempt == 1:
            response.close()
            raise aiohttp.ServerDisconnectedError


def _known(name: str, value: str, known: Sequence[Any]) -> Any:
    if value not in known:
        raise ValueError(f"{name}: {value!r} is none of {', '.join(filter(None, known)) or 'none'}")
    return value
