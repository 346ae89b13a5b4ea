"""A desk with one SMS account: real database, real sockets to the stand-in gateway and back, a stopped clock."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa
from aiohttp import web
from msgspec import structs

from bot.engine.delivery import Delivery
from bot.engine.intake import Intake
from bot.engine.scheduler import Scheduler
from bot.settings import Settings
from bot.store import outbox
from bot.store.base import Row, mappings
from bot.store.database import Database
from bot.web import public
from bot.web.context import Context
from bot.web.simulator.sms import SmsGateway
from bot.world import Worlds, load
from channels.sms import Sms
from tests.channels.sms_kit import dialect, settings
from tests.engine.kit import WAIT_S, knowledge, reader, town
from tests.support.clock import StoppedClock
from tests.support.databases import opened as database_opened

T = TypeVar("T")


@dataclass(kw_only=True)
class SmsDesk:
    """The desk, its gateway, and ways to look."""

    database: Database
    clock: StoppedClock
    gateway: SmsGateway
    context: Context
    scheduler: Scheduler
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self) -> None:
        self._changed.set()

    async def rows(self, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> list[Row]:
        statement = sa.select(table).where(*conditions).order_by(table.c.id)
        return await self.database.read(lambda conn: mappings(conn, statement))

    async def until(self, holds: Callable[[sa.Connection], T | None]) -> T:
        """Wait until something is true of the rows, looking again at each change."""
        async with asyncio.timeout(WAIT_S):
            while True:
                self._changed.clear()
                found = await self.database.read(holds)
                if found:
                    return found
                await self._changed.wait()

    async def until_said(self, number: str, *statuses: str) -> Sequence[Row]:
        """Wait until what was said to a number has exactly these statuses, in order."""
        mine = sa.select(outbox.outbox).where(outbox.outbox.c.address == number).order_by(outbox.outbox.c.id)

        def holds(conn: sa.Connection) -> list[Row] | None:
            found = mappings(conn, mine)
            return found if [row["status"] for row in found] == list(statuses) else None

        try:
            return await self.until(holds)
        except TimeoutError:
            found = await self.rows(outbox.outbox, outbox.outbox.c.address == number)
            raise AssertionError([(row["status"], row["error"], row["text"]) for row in found]) from None

    def received(self, number: str) -> list[str]:
        return self.gateway.phone(number).received()


@asynccontextmanager
async def opened(
    url: str, clock: StoppedClock, gateway: str = "twilio", *, timeout_s: float = 5.0, **account: Any
) -> AsyncIterator[SmsDesk]:
    """A desk whose account `main` is at this gateway."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(database_opened(url))
        await database.write(town, clock)
        far = SmsGateway(dialect(gateway), now=clock.now, pause_s=0.01, answer_s=WAIT_S)
        await far.start()
        stack.push_async_callback(far.stop)
        listening = socket.create_server(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        far.service = f"{address}/channels/sms/main"
        values = structs.replace(settings(gateway, far.base_url, **account), public_url="")
        desk = await _desk(stack, database, clock, far, Settings(public_url=address, sms={"main": values}), timeout_s)
        runner = web.AppRunner(public.application(desk.context), access_log=None, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listening).start()
        yield desk


async def _desk(
    stack: AsyncExitStack, database: Database, clock: StoppedClock, far: SmsGateway, set_to: Settings, timeout_s: float
) -> SmsDesk:
    channel = Sms("main", set_to.accounts("sms")["main"], lambda: clock.now().timestamp(), timeout_s=timeout_s)
    stack.push_async_callback(channel.close)
    key = ("sms", "main")
    worlds = Worlds(await database.read(load, set_to, reader(), knowledge(), {key: channel.capabilities}))
    intake = Intake(database, worlds, clock)
    context = Context(
        settings=set_to, clock=clock, database=database, worlds=worlds, channels={key: channel}, intake=intake
    )
    scheduler = Scheduler(database, worlds, intake, clock, set_to)
    delivery = Delivery(database, worlds, {key: channel}, clock, set_to.delivery)
    desk = SmsDesk(database=database, clock=clock, gateway=far, context=context, scheduler=scheduler)
    database.on_change(desk.changed)
    await stack.enter_async_context(database.listening())
    for part in (delivery, scheduler, intake):
        part.start()
        stack.push_async_callback(part.close)
    return desk
