"""The whole desk behind a bot: real database, real sockets both ways, a stopped clock."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import sqlalchemy as sa
from aiohttp import web

from bot.engine.delivery import Delivery
from bot.engine.intake import Intake
from bot.engine.scheduler import Scheduler
from bot.settings import Settings
from bot.store import residents
from bot.store.base import Row, mappings
from bot.store.database import Database
from bot.web import doors, public
from bot.web.context import Context
from bot.web.simulator.telegram import TelegramPlatform
from bot.world import Worlds, load
from channels.telegram import Telegram, TelegramSettings
from tests.channels.telegram_kit import AT_ONCE, QUICK, SECRET, TOKEN
from tests.engine import kit
from tests.support.clock import StoppedClock

WAIT_S = 20.0


@dataclass(kw_only=True)
class Desk:
    """What a test may touch."""

    platform: TelegramPlatform
    channel: Telegram
    database: Database
    clock: StoppedClock
    context: Context
    session: aiohttp.ClientSession
    url: str = ""

    async def rows(self, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> list[Row]:
        statement = sa.select(table).where(*conditions).order_by(table.c.id)
        return await self.database.read(lambda conn: mappings(conn, statement))

    async def identity(self, person: int) -> Row:
        (found,) = await self.rows(residents.identities, residents.identities.c.address == str(person))
        return found

    async def answered(self, person: int, times: int = 1) -> list[str]:
        """Wait until so many texts have reached the phone."""
        phone = self.platform.phone(person)
        try:
            await self.platform.bot.until(lambda: len(phone.received()) >= times, WAIT_S)
        except TimeoutError:
            raise AssertionError(f"expected {times} texts, found {phone.received()}") from None
        return phone.received()

    def fall_silent(self) -> None:
        """No further bubble comes: questions that waited for one go out."""
        self.clock.advance(seconds=4)

    async def until(self, holds: Callable[[], bool]) -> None:
        await self.platform.bot.until(holds, WAIT_S)

    async def post(self, body: bytes, headers: dict[str, str]) -> int:
        async with self.session.post(self.url, data=body, headers=headers) as response:
            await response.read()
            return response.status


@asynccontextmanager
async def opened(url: str, clock: StoppedClock, **changes: Any) -> AsyncIterator[Desk]:
    """A desk on this database; `changes` are of the bot's settings."""
    async with AsyncExitStack() as stack:
        database = Database.open(url)
        stack.push_async_callback(database.close)
        await database.write(kit.town, clock)
        platform = TelegramPlatform(TOKEN, now=clock.now, limits=QUICK)
        await platform.start()
        stack.push_async_callback(platform.stop)
        values = {"bot_token": TOKEN, "webhook_secret": SECRET, "api_base": platform.base_url, **changes}
        settings = Settings(telegram={"main": TelegramSettings(**values)})
        channel = Telegram("main", settings.telegram["main"], rates=AT_ONCE)
        stack.push_async_callback(channel.close)
        context = await _context(settings, database, clock, channel)
        desk = Desk(
            platform=platform, channel=channel, database=database, clock=clock, context=context,
            session=await stack.enter_async_context(aiohttp.ClientSession()),
        )  # fmt: skip
        await stack.enter_async_context(database.listening())
        await _start(stack, desk)
        yield desk


async def _context(settings: Settings, database: Database, clock: StoppedClock, channel: Telegram) -> Context:
    account = ("telegram", "main")
    capabilities = {account: channel.capabilities}
    worlds = Worlds(await database.read(load, settings, kit.reader(), kit.knowledge(), capabilities))
    intake = Intake(database, worlds, clock)
    return Context(
        settings=settings, clock=clock, database=database, worlds=worlds, channels={account: channel}, intake=intake
    )


async def _start(stack: AsyncExitStack, desk: Desk) -> None:
    context = desk.context
    delivery = Delivery(context.database, context.worlds, context.channels, context.clock, context.settings.delivery)
    scheduler = Scheduler(context.database, context.worlds, context.intake, context.clock, context.settings)
    for part in (delivery, scheduler, context.intake):
        part.start()
        stack.push_async_callback(part.close)
    runner = web.AppRunner(public.application(context), access_log=None, shutdown_timeout=1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    desk.url = f"http://127.0.0.1:{runner.addresses[0][1]}/channels/telegram/main"
    doors.start(context, stack, {"main": desk.url})
