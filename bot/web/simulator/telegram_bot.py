"""What both sides of the Telegram stand-in share: the bot, the phones, the updates that wait, the time."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec

from bot.web.simulator.account import utc_now
from bot.web.simulator.telegram_phone import Bubble, Key, Phone, Side
from bot.web.simulator.wechat_media import PDF, PHOTO, SPOKEN
from bot.web.simulator.wire import Transfer, Wire

Json = dict[str, Any]

FILES: Final = {"PHOTO1": PHOTO, "PHOTO2": PHOTO, "VOICE": SPOKEN, "FILE": PDF}
"""What the phones send."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A phone has changed: a new or changed message, or its state alone."""

    person: int
    bubble: Bubble | None = None


class Bot:
    """One bot at Telegram. `wire` holds what travels, and may be shared with other stand-ins."""

    def __init__(self, token: str, now: Callable[[], datetime] = utc_now, wire: Wire | None = None) -> None:
        self.token = token
        self.id = int(token.partition(":")[0])
        self.now = now
        self.wire = wire or Wire()
        self.openids: dict[int, str] = {}
        """By what name the wire's page knows a person."""
        self.phones: dict[int, Phone] = {}
        self.waiting: deque[Json] = deque()
        """Updates that nobody has taken yet, oldest first."""
        self.arrived = asyncio.Event()
        self.webhook = ""
        self.secret = ""
        self.files = dict(FILES)
        """What getFile knows, by file id."""
        self.groups_left: list[int] = []
        self.group_words: list[tuple[int, str]] = []
        self._listeners: set[asyncio.Queue[Seen | None]] = set()
        # Unique over restarts: a service that keeps its data must never take a new update for a repeat.
        self._update_id = int(now().timestamp()) * 1000

    def phone(self, person: int, name: str = "", language: str = "zh-hans") -> Phone:
        """The phone of a person; an unknown one is made."""
        return self.phones.setdefault(person, Phone(person, name or f"Person {person}", language))

    def next_update_id(self) -> int:
        """Update ids of a bot grow one by one."""
        self._update_id += 1
        return self._update_id

    def queue(self, update: Json) -> None:
        """An update waits for the webhook or for getUpdates."""
        self.waiting.append(update)
        self.arrived.set()

    def forget(self, offset: int) -> None:
        """getUpdates confirmed everything below `offset`."""
        while self.waiting and self.waiting[0]["update_id"] < offset:
            self.waiting.popleft()
        self.stir()

    # The screens

    def show(
        self, phone: Phone, side: Side, text: str, *, kind: str = "text", keys: tuple[tuple[Key, ...], ...] = ()
    ) -> Bubble:
        """Put a message on the screen."""
        bubble = Bubble(
            message_id=phone.next_message_id(), side=side, text=text, at=self.now(), kind=kind, keys=keys
        )  # fmt: skip
        phone.screen.append(bubble)
        self.tell(Seen(person=phone.person, bubble=bubble))
        return bubble

    def change(self, phone: Phone, bubble: Bubble) -> None:
        """A message looks different now."""
        phone.replace(bubble)
        self.tell(Seen(person=phone.person, bubble=bubble))

    def changed(self, phone: Phone) -> None:
        """The phone's state is new, its screen is not."""
        self.tell(Seen(person=phone.person))

    def stir(self) -> None:
        """Something else has happened that somebody may wait for: a call, a confirmation."""
        self.tell(Seen(person=0))

    def tell(self, seen: Seen | None) -> None:
        """Hand a change to every listener; None ends them."""
        for queue in self._listeners:
            queue.put_nowait(seen)

    def listen(self) -> "asyncio.Queue[Seen | None]":
        """A queue of the changes from now on, until `unlisten`."""
        queue: asyncio.Queue[Seen | None] = asyncio.Queue()
        self._listeners.add(queue)
        return queue

    def unlisten(self, queue: "asyncio.Queue[Seen | None]") -> None:
        self._listeners.discard(queue)

    async def until(self, holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait until `holds()`, looking again at each change of a phone and each call. Raises `TimeoutError`."""
        queue = self.listen()
        try:
            async with asyncio.timeout(timeout_s):
                while not holds():
                    await queue.get()
        finally:
            self.unlisten(queue)

    def log(
        self, direction: Any, name: str, person: int, outcome: str, milliseconds: int, payload: str, attempt: int = 1
    ) -> None:
        """Keep a request for the page, without secrets."""
        openid = self.openids.get(person, str(person) if person else "")
        self.wire.add(
            Transfer(
                number=self.wire.next_number(), direction=direction, name=f"Telegram {name}", openid=openid,
                at=self.now(), attempt=attempt, outcome=outcome, milliseconds=milliseconds, payload=payload,
            )
        )  # fmt: skip
