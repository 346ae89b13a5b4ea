"""A small service for the platform to talk to: the real channel, answers as told, and the page."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiohttp import web

from bot.web.simulator.pages import Person, add_routes
from bot.web.simulator.wechat import WeChatPlatform
from bot.web.simulator.wechat_push import Limits
from channels.errors import Unauthorised
from channels.messages import Parsed, WebhookRequest
from channels.wechat import WeChat, WeChatSettings
from channels.wechat.settings import Mode
from channels.wechat.templates import Template

APP_ID, SECRET, TOKEN, ORIGINAL_ID = "wx1234567890abcdef", "s3cr3t0fthisaccount", "AAAAA", "gh_demo00000001"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
WANG = Person("oWang0000000000000000000000001", "王秀兰", "业主 · 翠湖苑3栋2单元1502")
LI = Person("oLi000000000000000000000000001", "李建国", "业主，两套房")

Answer = Callable[["Service", Parsed], Awaitable[str | None]]


class Service:
    """What the webhook saw, and how it answers: `answer` gives the reply text, `status` and `body` override it."""

    def __init__(self, channel: WeChat, answer: Answer) -> None:
        self.channel = channel
        self.answer = answer
        self.seen: list[Parsed] = []
        self.queries: list[dict[str, str]] = []
        self.status = 200
        self.body: bytes | None = None

    async def handle(self, request: web.Request) -> web.Response:
        """Any method, as the real webhook does it."""
        received = WebhookRequest(
            method=request.method,
            suffix="",
            query=request.query,
            headers=request.headers,
            body=await request.read(),
            received_at=datetime.now(UTC),
        )
        try:
            self.channel.verify(received)
        except Unauthorised as error:
            return web.Response(status=error.status)
        if greeting := self.channel.handshake(received):
            return web.Response(body=greeting.body)
        parsed = self.channel.parse(received)
        self.seen.append(parsed)
        self.queries.append(dict(request.query))
        answer = self.channel.acknowledge(parsed, await self.answer(self, parsed), received.received_at)
        return web.Response(status=self.status, body=answer.body if self.body is None else self.body)


async def echo(_: Service, parsed: Parsed) -> str | None:
    """Repeat what a message said; nothing for an event."""
    return f"收到：{parsed.messages[0].text or parsed.messages[0].kind}" if parsed.messages else None


@asynccontextmanager
async def desk(
    answer: Answer = echo, limits: Limits | None = None, mode: Mode = "plain", sealed: Mode | None = None
) -> AsyncIterator[tuple[WeChatPlatform, Service, str]]:
    """Platform, service, and the address of the service, which serves the page too. `mode` is the service's, `sealed`
    the platform's where it is another."""
    platform = WeChatPlatform(APP_ID, SECRET, TOKEN, ORIGINAL_ID, limits=limits or Limits(answer_s=5.0, pause_s=0.01))
    platform.seal_pushes(sealed or mode, AES_KEY)
    await platform.start()
    settings = WeChatSettings(
        app_id=APP_ID,
        app_secret=SECRET,
        token=TOKEN,
        original_id=ORIGINAL_ID,
        mode=mode,
        encoding_aes_key=AES_KEY,
        api_base=platform.base_url,
        templates={"done": Template(id="TPL", fields={"thing1": "{what}"})},
    )
    service = Service(WeChat("main", settings), answer)
    app = web.Application()
    app.router.add_route("*", "/channels/wechat/main", service.handle)
    add_routes(app, platform, people=[WANG, LI], account_name="翠湖苑物业服务中心")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    platform.service_url = f"{base}/channels/wechat/main"
    try:
        yield platform, service, base
    finally:
        await runner.cleanup()
        await service.channel.close()
        await platform.stop()
