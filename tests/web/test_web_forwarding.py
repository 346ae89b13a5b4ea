"""Another system on the same account gets every verified push as it came, and never gets in the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from wechatpy.utils import check_signature

from bot.store.messages import messages
from bot.world import World
from tests.engine import kit
from tests.engine.kit import HELLO, TOKEN, Kit, openid
from tests.support.clock import StoppedClock

DOWN = "http://127.0.0.1:9/vendor?key=t0p-secret"


@dataclass
class Vendor:
    """The other system: keeps what it gets, answers after `released`."""

    got: "asyncio.Queue[tuple[str, bytes, str]]" = field(default_factory=asyncio.Queue)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        query = request.query
        check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
        await self.got.put((request.raw_path, await request.read(), request.content_type))
        await self.released.wait()
        return web.Response(text="<xml><Content>the vendor's answer</Content></xml>", content_type="text/xml")

    async def next(self) -> tuple[str, bytes, str]:
        async with asyncio.timeout(kit.WAIT_S):
            return await self.got.get()


@asynccontextmanager
async def vendor() -> AsyncIterator[tuple[Vendor, str]]:
    one, app = Vendor(), web.Application()
    app.router.add_post("/vendor", one.handle)
    server = TestServer(app)
    await server.start_server()
    try:
        yield one, str(server.make_url("/vendor?key=1"))
    finally:
        one.released.set()
        await server.close()


def forwarding(address: str, world: World) -> World:
    account = msgspec.structs.replace(world.settings.wechat["main"], forward_to=address)
    return replace(world, settings=msgspec.structs.replace(world.settings, wechat={"main": account}))


@asynccontextmanager
async def desk_forwarding(url: str, clock: StoppedClock, address: str) -> AsyncIterator[Kit]:
    async with kit.opened(url, clock, change=lambda world: forwarding(address, world)) as desk:
        yield desk


async def test_a_push_goes_on_as_it_came_and_our_reply_wins(sqlite_url: str, clock: StoppedClock) -> None:
    async with vendor() as (one, address), desk_forwarding(sqlite_url, clock, address) as desk:
        pushed = await desk.push(openid(), HELLO)  # answered while the other system still hangs
        assert pushed.result == "reply"
        assert "vendor" not in pushed.shown
        path, body, content_type = await one.next()
        assert (body, content_type) == (pushed.body, "text/xml")
        assert path.startswith("/vendor?key=1&signature=")
        assert "&openid=" in path
        one.released.set()


async def test_what_is_not_signed_and_the_handshake_are_not_sent_on(sqlite_url: str, clock: StoppedClock) -> None:
    async with vendor() as (one, address), desk_forwarding(sqlite_url, clock, address) as desk:
        assert await desk.platform.handshake()
        assert (await desk.post(b"<xml/>", {"signature": "0"}))[0] == 403
        late = await desk.push(openid(), HELLO)
        assert (await one.next())[1] == late.body
        assert one.got.empty()
        one.released.set()


async def test_what_we_cannot_read_the_other_system_may(sqlite_url: str, clock: StoppedClock) -> None:
    async with vendor() as (one, address), desk_forwarding(sqlite_url, clock, address) as desk:
        assert await desk.post(b"<xml><New/></xml>") == kit.SUCCESS
        assert (await one.next())[1] == b"<xml><New/></xml>"
        one.released.set()


async def test_a_system_that_is_down_costs_nothing(
    sqlite_url: str, clock: StoppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with desk_forwarding(sqlite_url, clock, DOWN) as desk:
        assert (await desk.push(openid(), HELLO)).result == "reply"
        assert await desk.count(messages) == 1
        await desk.channel.close()
    assert "a push could not be forwarded: ClientConnectorError" in caplog.text
    assert "t0p-secret" not in caplog.text
