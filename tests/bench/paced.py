"""How fast delivery is under a provider's pace: rows to many chats of a bot that may write 30 messages a second.

The limiter must be what limits: near 1.0 of its rate is reached, and without it delivery is several times as fast.
"""

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple, cast

import sqlalchemy as sa

from bot.clock import SystemClock
from bot.engine.delivery import Delivery
from bot.settings import DeliverySettings, Settings
from bot.store import migrations, residents
from bot.store.base import NOBODY, insert
from bot.store.database import Database
from bot.store.outbox import outbox
from bot.web.simulator.telegram import TelegramPlatform
from bot.world import Worlds, load
from channels.telegram import Telegram, TelegramSettings
from channels.telegram.pace import Rates
from intents.reader import Reader
from knowledge_base.answer import KnowledgeBase
from tests.support import seed

TOKEN = "7000000011:AAfakeFAKEfakeFAKEfakeFAKEfakeFAKE0"
FIRST = 5_000_000_001
MESSAGES = 300
PACED = Rates()
UNPACED = Rates(chat=(1e6, 1.0), overall=(1e6, 1.0))
WITHIN_S = 60.0


class Run(NamedTuple):
    """Messages a second, and processor milliseconds a message, those of the stand-in included."""

    per_second: float
    cpu_ms: float


def main() -> None:
    """Print both rates, and their shares of the limiter's."""
    limit = PACED.overall[0] / PACED.overall[1]
    print(f"\n{'delivery (telegram)':24}{'messages/s':>12}{'of the limit':>14}{'cpu ms each':>13}")
    print(f"{'limiter':24}{limit:12.1f}{1.0:14.2f}")
    for name, rates in (("paced", PACED), ("without pace", UNPACED)):
        run = asyncio.run(_run(rates))
        print(f"{name:24}{run.per_second:12.1f}{run.per_second / limit:14.2f}{run.cpu_ms:13.2f}")
    if run.per_second < 2 * limit:
        print("VOID: something else used the cores; without pace it must be twice as fast as the limit at least")


async def _run(rates: Rates) -> Run:
    """Deliver everything that waits."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        platform = TelegramPlatform(TOKEN)
        await platform.start()
        stack.push_async_callback(platform.stop)
        account = TelegramSettings(bot_token=TOKEN, mode="polling", api_base=platform.base_url)
        settings = Settings(data_dir=Path(folder), telegram={"main": account})
        database = await _database(stack, Path(folder) / "bench.db", platform)
        channel = Telegram("main", settings.telegram["main"], rates=rates)
        stack.push_async_callback(channel.close)
        channels = {("telegram", "main"): channel}
        capabilities = {("telegram", "main"): channel.capabilities}
        nobody = (cast("Reader", None), cast("KnowledgeBase", None))  # delivery reads no message
        worlds = Worlds(await database.read(load, settings, *nobody, capabilities))
        delivery = Delivery(database, worlds, channels, SystemClock(), DeliverySettings())
        delivery.start()
        stack.push_async_callback(delivery.close)
        return await _measured(platform, int(rates.overall[0]))


async def _database(stack: AsyncExitStack, path: Path, platform: TelegramPlatform) -> Database:
    """A database with one message to each of many chats."""
    url = f"sqlite+aiosqlite:///{path}"
    await migrations.upgrade(url)
    database = Database.open(url)
    stack.push_async_callback(database.close)
    chats = [str(FIRST + number) for number in range(MESSAGES)]
    for chat in chats:
        platform.phone(int(chat))
    await database.write(_queue, chats)
    return database


def _queue(conn: sa.Connection, chats: list[str]) -> None:
    now = SystemClock().now()
    keys = [("telegram", "main", chat) for chat in chats]
    new = [
        {"channel": channel, "account": account, "address": chat, "community_id": NOBODY, "created_at": now}
        for channel, account, chat in keys
    ]
    residents.create_identities(conn, new)
    known = residents.find_identities(conn, keys)
    where = {"channel": "telegram", "account": "main"}
    insert(conn, outbox, [seed.outbox_row(known[key], now, **where, address=key[2]) for key in keys])


async def _measured(platform: TelegramPlatform, burst: int) -> Run:
    """From the first message on. The burst that the limiter lets through at once is not counted: it has a rate of its
    own."""
    clock = asyncio.get_running_loop()
    await platform.bot.until(lambda: platform.calls["sendMessage"] > 0, WITHIN_S)
    started, used = clock.time(), time.process_time()
    await platform.bot.until(lambda: platform.calls["sendMessage"] >= MESSAGES, WITHIN_S)
    paced = MESSAGES - burst if burst < MESSAGES else MESSAGES
    return Run(paced / (clock.time() - started), (time.process_time() - used) / MESSAGES * 1000)


if __name__ == "__main__":
    main()
