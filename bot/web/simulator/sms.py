"""An SMS gateway, played on a loopback socket for the simulator and for tests. Each dialect has its own file.

What all gateways share stands here: handsets, the faults of an API, pushes with their repeats, receipts.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal, Protocol

import aiohttp
import msgspec
from aiohttp import web

from bot.web.simulator.account import utc_now
from bot.web.simulator.faults import HTML, Fault, Faults, Trouble
from bot.web.simulator.listener import Listener
from bot.web.simulator.phones import Direction, Entry, Phone
from bot.web.simulator.wire import Change, Transfer, Wire
from channels.sms.segments import segments

Json = dict[str, Any]
Suffix = Literal["inbound", "receipts"]


class Inbound(msgspec.Struct, frozen=True, kw_only=True):
    """A text that a handset sent to us; `number` is E.164."""

    number: str
    text: str
    name: str
    at: datetime
    fields: dict[str, str] = {}
    """Of the dialect, beside the usual ones."""


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """A text that the service handed over. `tag` is what it wants to read in the receipt, in the dialect's way."""

    number: str
    text: str
    name: str
    tag: str = ""


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """A request to the service: below its address, with what the dialect signs it with."""

    url: str
    body: bytes
    headers: dict[str, str] = {}
    name: str = "inbound"
    number: str = ""


class Attempt(msgspec.Struct, frozen=True):
    """One request; `status` None: no complete answer in time."""

    status: int | None
    body: bytes = b""
    content_type: str = ""
    error: str = ""


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a push."""

    push: Push
    attempts: tuple[Attempt, ...]
    acknowledged: bool


class Dialect(Protocol):
    """One gateway's way to write and read. Knows nothing of sockets."""

    answer_s: float
    """How long it waits for an acknowledgement."""
    repeats: int
    """How often it pushes again."""
    routes: Sequence[tuple[str, str]]
    """Method and path of its API."""
    troubles: Sequence[Trouble]
    """What may be switched on."""
    undelivered: str
    """What a receipt says of a text that did not arrive."""

    def call_name(self, request: web.Request) -> str:
        """What is asked for."""

    def unauthorised(self, request: web.Request, raw: bytes) -> web.Response | None:
        """The answer to a call that is not signed as it must be."""

    def shown(self, request: web.Request, raw: bytes) -> Json:
        """The parameters of a call, without secrets."""

    def take(self, request: web.Request, raw: bytes, name: str) -> tuple[web.Response, Handed | None]:
        """The answer to a call, and the text it handed over. `name`: what to call the message."""

    def refused(self, code: str) -> web.Response:
        """The answer with an error code of the gateway."""

    def inbound(self, service: str, texts: Sequence[Inbound]) -> list[Push]:
        """The pushes that carry these texts: one, or one each."""

    def receipt(self, service: str, handed: Handed, outcome: str, at: datetime) -> Push:
        """The push that says what became of a text; `outcome` empty: it arrived, else an error code."""

    def on_its_way(self, service: str, handed: Handed, at: datetime) -> Push | None:
        """The push that says that a text has left, where the gateway tells that, too."""

    def acknowledged(self, attempt: Attempt) -> bool:
        """Whether it would not push again."""


class SmsGateway:
    """One account at a gateway, the handsets of its residents, and the two directions of the protocol.

    API side: a server at `base_url`. Push side: `push_…` sends to `service` (`http://…/channels/sms/<account>`) and
    returns when the gateway would push no more. `pause_s` stands for the minutes between repeats.
    """

    def __init__(
        self,
        dialect: Dialect,
        *,
        now: Callable[[], datetime] = utc_now,
        service: str = "",
        pause_s: float = 0.2,
        answer_s: float | None = None,
        receipts: bool = True,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.dialect = dialect
        self.service = service
        self.sends_receipts = receipts
        self.now = now
        self.wire = Wire()
        self.phones: dict[str, Phone] = {}
        self.requests: list[tuple[str, Json]] = []
        """Name and parameters of every call, secrets left out."""
        self.handed: list[Handed] = []
        self._listener = Listener(host, port)
        self.faults = Faults(self._listener, dialect.troubles, receipts=True)
        """What goes wrong until it is put back."""
        self._pause_s = pause_s
        self._answer_s = dialect.answer_s if answer_s is None else answer_s
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        # Unique over restarts: a service that keeps its data must never take a new message for a repeat.
        self._numbers = itertools.count(time.time_ns())

    @property
    def base_url(self) -> str:
        """The API's address, once it has been started."""
        return self._listener.base_url

    async def start(self) -> None:
        """Listen. Raises `OSError` when the port is taken."""
        app = web.Application()
        for method, path in self.dialect.routes:
            app.router.add_route(method, path, self._handle)
        await self._listener.start(app)

    async def stop(self) -> None:
        """Stop listening and pushing; streams end."""
        self.faults.release()
        self.wire.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None
        await self._listener.stop()

    # What happened so far

    @property
    def calls(self) -> Counter[str]:
        """API calls by name."""
        return self.wire.calls

    def phone(self, number: str) -> Phone:
        """The handset of a number."""
        return self.phones.setdefault(number, Phone(number))

    def show(self, number: str, direction: Direction, text: str, at: datetime | None = None) -> None:
        """Put a text on the screen, with the parts it took."""
        entry = Entry(
            number=self.wire.next_number(), direction=direction, text=text, at=at or self.now(),
            via="push" if direction == "received" else "", parts=segments(text).parts,
        )  # fmt: skip
        self.phone(number).screen.append(entry)
        self.wire.tell(Change(openid=number, entry=entry))

    # Misbehaviour

    def script(self, call: str, *, times: int = 1, html: bool = False, **fault: Any) -> None:
        """The next `times` calls of `call` meet this `Fault`; `html`: a proxy's page."""
        if html:
            fault["body"] = HTML
        self.faults.script(call, Fault(**fault), times)

    def unused_scripts(self) -> list[str]:
        """Scripted faults that no call has met."""
        return self.faults.unused()

    # API side

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw, started = await request.read(), asyncio.get_running_loop().time()
        name = self.dialect.call_name(request)
        self.wire.calls[name] += 1
        response, handed = await self._answer(request, raw, self.faults.of(name))
        if handed is not None and self.sends_receipts:
            await self._receipts(handed)
        self._log(name, request, raw, response, started, handed)
        return response

    async def _receipts(self, handed: Handed) -> None:
        """Say what became of a text, as the switch wants it; by itself at once, and beside the answer."""
        switched = self.faults.receipts
        if switched == "early":
            await self.push_receipt(handed)
        elif switched != "missing":
            self.spawn(self._receipts_beside(handed, switched))

    async def _receipts_beside(self, handed: Handed, switched: str) -> None:
        if switched == "late":
            await self.faults.until_put_back()
        await self.push_receipt(handed, self.dialect.undelivered if switched == "failed" else "")
        earlier = self.dialect.on_its_way(self.service, handed, self.now()) if switched == "shuffled" else None
        if earlier is not None:
            await self.push(earlier)

    async def _answer(self, request: web.Request, raw: bytes, fault: Fault) -> tuple[web.Response, Handed | None]:
        if await self.faults.breaks("before", request, fault):
            return web.Response(), None
        if fault.body or fault.status:
            page = web.Response(status=fault.status or 200, text=fault.body or HTML, content_type="text/html")
            return page, None
        refusal = self.dialect.unauthorised(request, raw)
        if refusal is not None:
            return refusal, None
        if fault.code:
            return self.dialect.refused(fault.code), None
        response, handed = self.dialect.take(request, raw, f"{next(self._numbers):032x}")
        if handed is not None:
            self.handed.append(handed)
            self.show(handed.number, "received", handed.text)
        await self.faults.breaks("after", request, fault)
        return response, handed

    def _log(
        self, name: str, request: web.Request, raw: bytes, response: web.Response, started: float,
        handed: Handed | None,
    ) -> None:  # fmt: skip
        shown = self.dialect.shown(request, raw)
        self.requests.append((name, shown))
        self._transfer(
            direction="call", name=name, openid=handed.number if handed else "", started=started,
            outcome=_outcome(request, response, handed), payload=msgspec.json.encode(shown).decode(),
        )  # fmt: skip

    def _transfer(self, *, started: float, **values: Any) -> None:
        took = round((asyncio.get_running_loop().time() - started) * 1000)
        self.wire.add(Transfer(number=self.wire.next_number(), at=self.now(), milliseconds=took, **values))

    # Push side

    async def push_text(self, number: str, text: str, *, name: str = "", **fields: str) -> Pushed:
        """Somebody writes. `name`: the gateway's name for the message; `fields`: more of the dialect's own."""
        (pushed,) = await self.push_texts([self.written(number, text, name=name, **fields)])
        return pushed

    def written(self, number: str, text: str, *, name: str = "", **fields: str) -> Inbound:
        """A text of a handset, not pushed yet."""
        self.show(number, "sent", text)
        return Inbound(number=number, text=text, name=name or str(next(self._numbers)), at=self.now(), fields=fields)

    async def push_texts(self, texts: Iterable[Inbound]) -> list[Pushed]:
        """Push what handsets wrote, together where the dialect does that."""
        return [await self.push(one) for one in self.dialect.inbound(self.service, list(texts))]

    async def push_receipt(self, handed: Handed, outcome: str = "") -> Pushed:
        """Say what became of a text."""
        return await self.push(self.dialect.receipt(self.service, handed, outcome, self.now()))

    async def push(self, push: Push) -> Pushed:
        """Push until it is acknowledged."""
        return await self.faults.in_order(partial(self._deliver, push))

    async def _deliver(self, push: Push) -> Pushed:
        attempts: list[Attempt] = []
        for number in range(1, self.dialect.repeats + 2):
            if number > 1:
                await asyncio.sleep(self._pause_s)
            attempts.append(await self.faults.copies(partial(self._attempt, push, number)))
            if self.dialect.acknowledged(attempts[-1]):
                break
        return Pushed(
            push=push, attempts=tuple(attempts), acknowledged=self.dialect.acknowledged(attempts[-1])
        )  # fmt: skip

    async def _attempt(self, push: Push, number: int) -> Attempt:
        started = asyncio.get_running_loop().time()
        try:
            async with self._open().post(
                push.url, data=push.body, headers=push.headers, allow_redirects=False
            ) as response:
                self.faults.lose(response, number)
                attempt = Attempt(response.status, await response.read(), response.content_type)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            attempt = Attempt(None, error=type(error).__name__)
        good = self.dialect.acknowledged(attempt)
        self._transfer(
            direction="push", name=push.name, openid=push.number, attempt=number, started=started,
            outcome="ok" if good else attempt.error or f"HTTP {attempt.status}",
            payload=push.body.decode("utf-8", "replace")[:2000],
        )  # fmt: skip
        return attempt

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._answer_s)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(force_close=True))
        return self._session

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a push in the background; `stop` ends it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _outcome(request: web.Request, response: web.Response, handed: Handed | None) -> str:
    good = handed is not None or (request.method == "GET" and response.status < 400)
    return "ok" if good else f"HTTP {response.status}"


def json_response(value: object, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")


def read_object(raw: bytes) -> Json:
    """The JSON object of a call; empty where it is none."""
    try:
        return msgspec.json.decode(raw, type=Json)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
