"""Mutated pushes of every parser through the real handler, into real databases: an answer, and never a 5xx."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random, SystemRandom
from typing import Final

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestServer
from yarl import URL

from bot.engine.intake import Intake
from bot.settings import Settings
from bot.store.messages import messages, unreadable
from bot.web import public
from bot.web.context import Context
from bot.world import Worlds, load
from channels.base import Channel
from channels.messages import WebhookRequest
from tests.channels import test_channel_sms_fuzz as sms_fuzz
from tests.channels import test_channel_telegram_fuzz as telegram_fuzz
from tests.channels import test_channel_wechat_fuzz as wechat_fuzz
from tests.channels.cases import Kit
from tests.channels.test_channel_wechat_safe import SAFE
from tests.engine.kit import knowledge, reader, town
from tests.support.clock import StoppedClock
from tests.support.databases import opened as database_opened

GOOD: Final = {200, 413}


def gateway(name: str) -> tuple[Kit, Callable[[Random], bytes]]:
    return sms_fuzz.KITS[name], lambda random: sms_fuzz.mutate(random, name)


PARSERS: Final[dict[str, tuple[Kit, Callable[[Random], bytes]]]] = {
    "wechat": (wechat_fuzz.KIT, wechat_fuzz.mutate),
    "wechat_safe": (SAFE, wechat_fuzz.mutate),
    "telegram": (telegram_fuzz.KIT, telegram_fuzz.mutate),
    **{f"sms_{name}": gateway(name) for name in sms_fuzz.KITS},
}


class Door:
    """The internet side of a desk, with one account."""

    def __init__(self, session: aiohttp.ClientSession, base: URL, context: Context) -> None:
        self._session = session
        self._base = base
        self.context = context

    async def push(self, channel: Channel, request: WebhookRequest) -> int:
        """The status that a request is answered with."""
        path = request.target or f"/channels/{channel.name}/{channel.account}"
        url = URL(f"{self._base}{path}", encoded=True)
        url = url if request.target else url.update_query(list(request.query.items()))
        async with self._session.post(url, data=request.body, headers=dict(request.headers)) as response:
            await response.read()
            return response.status

    async def count(self, table: sa.Table) -> int:
        statement = sa.select(sa.func.count()).select_from(table)
        return int(await self.context.database.read(lambda conn: conn.execute(statement).scalar_one()))


@asynccontextmanager
async def opened(url: str, kit: Kit) -> AsyncIterator[tuple[Door, Channel]]:
    """A desk that lives at the moment when the pushes were signed."""
    clock, channel = StoppedClock(kit.sent_at), kit.channel()
    key = (channel.name, channel.account)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(database_opened(url))
        await database.write(town, clock)
        settings = Settings()
        worlds = Worlds(await database.read(load, settings, reader(), knowledge(), {key: channel.capabilities}))
        intake = Intake(database, worlds, clock)
        context = Context(
            settings=settings, clock=clock, database=database, worlds=worlds, channels={key: channel}, intake=intake
        )
        intake.start()
        stack.push_async_callback(intake.close)
        stack.push_async_callback(channel.close)
        server = TestServer(public.application(context))
        await server.start_server()
        stack.push_async_callback(server.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Door(session, URL(f"http://{server.host}:{server.port}"), context), channel


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("pushes", [25, pytest.param(1_500, marks=pytest.mark.long)], ids=["small", "full"])
async def test_no_push_is_answered_with_a_server_error(database_url: str, parser: str, pushes: int) -> None:
    kit, mutate = PARSERS[parser]
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    random = Random(seed)
    async with opened(database_url, kit) as (door, channel):
        for _ in range(pushes):
            body = mutate(random)
            assert await door.push(channel, kit.request(body)) in GOOD, body
        kept = sum([await door.count(table) for table in (messages, unreadable)])
        assert kept > 0, "what is acknowledged is somewhere"
