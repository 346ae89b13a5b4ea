"""The door of each Telegram bot: tell Telegram where to push updates, or fetch them where nobody can reach us.

What is fetched goes the way of what is pushed; Telegram forgets an update only after it is durable here (law 1).
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

import msgspec
import sqlalchemy as sa

from bot.engine import results
from bot.errors import trace
from bot.store.base import NOBODY
from bot.web import webhooks
from bot.web.context import Context
from channels.errors import Later, Misconfigured, Rejected, SendError, Unreadable
from channels.messages import WebhookRequest
from channels.telegram import Telegram

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)


def start(context: Context, stack: AsyncExitStack, addresses: dict[str, str]) -> None:
    """Open the doors in the background: a provider that is away delays no start. `addresses`: by account, where pushes
    are to go; an account without one was registered by hand."""
    for channel in context.channels.values():
        if isinstance(channel, Telegram) and (channel.polls or channel.account in addresses):
            door = Door(context, channel, addresses.get(channel.account, ""))
            task = asyncio.create_task(door.run(), name=f"telegram {channel.account}")
            stack.push_async_callback(_end, task)


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})


class _Numbered(msgspec.Struct):
    update_id: int


class Door:
    """One bot's door. `offset`: what Telegram may forget lies below it."""

    def __init__(self, context: Context, channel: Telegram, address: str) -> None:
        self._context = context
        self._channel = channel
        self._address = address
        self._never = asyncio.Event()
        self._is_open = False
        self._pause = FIRST_PAUSE
        self.offset = 0

    async def run(self) -> None:
        """Open, then fetch for ever where that is the way. What fails is tried again after a growing pause."""
        while not (self._is_open and not self._channel.polls):
            if await self._tried():
                self._pause = FIRST_PAUSE
            else:
                await self._context.clock.wait(self._never, self._context.clock.now() + self._pause)
                self._pause = min(self._pause * 2, LONGEST_PAUSE)

    async def _tried(self) -> bool:
        """One step: open the door, or fetch once; whether it went well."""
        try:
            if self._is_open:
                return await self._fetch()
            await self._channel.open_door(self._address)
            self._is_open = True
        except SendError as error:
            await self._failed(error)
            return False
        except Exception as error:
            log.error("updates could not be taken in: %s", trace(error))  # noqa: TRY400 - without its words
            return False
        return True

    async def _fetch(self) -> bool:
        """One round: whether all that came is durable."""
        bodies = await self._channel.fetch(self.offset)
        chats: dict[str, list[WebhookRequest]] = defaultdict(list)
        for body in bodies:
            request = self._as_pushed(body)
            chats[self._sender(request)].append(request)
        kept = await asyncio.gather(*(self._in_order(chat) for chat in chats.values()))
        if not all(kept):
            return False  # the next round gets all of them again; what is stored already is a repeat
        numbers = [number for number in map(_number, bodies) if number is not None]
        self.offset = max([self.offset, *(number + 1 for number in numbers)])
        return len(numbers) == len(bodies)

    def _as_pushed(self, body: bytes) -> WebhookRequest:
        now = self._context.clock.now()
        return WebhookRequest(method="POST", suffix="", query={}, headers={}, body=body, received_at=now)

    def _sender(self, request: WebhookRequest) -> str:
        """Whose update it is: those of one person keep their order."""
        with contextlib.suppress(Unreadable):
            parsed = self._channel.parse(request)
            senders = [message.sender for message in parsed.messages] + [event.sender for event in parsed.events]
            return senders[0] if senders else ""
        return ""

    async def _in_order(self, requests: Sequence[WebhookRequest]) -> bool:
        """The updates of one person, one after the other."""
        for request in requests:
            fresh = msgspec.structs.replace(request, received_at=self._context.clock.now())
            if self._context.intake.closing or not await webhooks.fetched(self._context, self._channel, fresh):
                return False
        return True

    async def _failed(self, error: SendError) -> None:
        detail = self._channel.redact(error.detail)
        log.warning("telegram/%s: %s", self._channel.account, detail)
        if isinstance(error, Later):
            self._pause = max(self._pause, timedelta(seconds=error.after))
        if isinstance(error, Misconfigured | Rejected):  # such as an address that is not https
            try:
                await self._context.database.write(self._alarm, detail)
                self._context.database.announce()
            except Exception as unforeseen:
                log.error("an alarm could not be raised: %s", trace(unforeseen))  # noqa: TRY400 - without its words

    def _alarm(self, conn: sa.Connection, detail: str) -> None:
        """As for a refused send: once a day, to everybody."""
        now, account = self._context.clock.now(), f"telegram/{self._channel.account}"
        key = f"misconfigured:{account}:{now:%Y%m%d}"
        results.alarm(conn, NOBODY, "channel", f"{account}: {detail}", now, key=key)


def _number(body: bytes) -> int | None:
    try:
        return msgspec.json.decode(body, type=_Numbered).update_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
