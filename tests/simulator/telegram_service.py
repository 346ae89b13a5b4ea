"""The page with both phones, and a small service behind the Telegram one: the real channel, answers as told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiohttp import web

from bot.web.simulator import telegram_pages
from bot.web.simulator.pages import add_routes
from bot.web.simulator.telegram import TelegramPlatform
from bot.web.simulator.telegram_push import Limits
from bot.web.simulator.wechat import WeChatPlatform
from channels.errors import Unauthorised
from channels.messages import Choice, OutboundMessage, Parsed, WebhookRequest
from channels.telegram import Telegram, TelegramSettings
from tests.channels.telegram_kit import AT_ONCE
from tests.simulator.service import APP_ID, LI, ORIGINAL_ID, SECRET, TOKEN, WANG

BOT_TOKEN = "7000000011:AAfakeFAKEfakeFAKEfakeFAKEfakeFAKE0"
WEBHOOK_SECRET = "simulated-secret"
FIRST = 5_000_000_001
"""Wang's number at Telegram; Li's is the next."""
OPTIONS = (Choice("1", "3栋1101"), Choice("2", "9栋502"))


class Service:
    """What the webhook saw; it repeats every message, and 选 is answered with a question."""

    def __init__(self, channel: Telegram) -> None:
        self.channel = channel
        self.seen: list[Parsed] = []
        self.status = 200

    async def handle(self, request: web.Request) -> web.Response:
        """As the real webhook does it."""
        received = WebhookRequest(
            method="POST", suffix="", query={}, headers=request.headers, body=await request.read(),
            received_at=datetime.now(UTC),
        )  # fmt: skip
        try:
            self.channel.verify(received)
        except Unauthorised as error:
            return web.Response(status=error.status)
        parsed = self.channel.parse(received)
        self.seen.append(parsed)
        self.channel.acknowledge(parsed, None, received.received_at)
        for message in parsed.messages:
            choices = OPTIONS if message.text == "选" else ()
            text = "您说的是哪套房？" if choices else f"收到：{message.text or message.kind}"
            await self.channel.send(OutboundMessage(row_id="1", address=message.sender, text=text, choices=choices))
        return web.Response(status=self.status)


@asynccontextmanager
async def desk(limits: Limits | None = None) -> AsyncIterator[tuple[TelegramPlatform, Service, str]]:
    """Platform, service, and the address of the service, which serves the page too."""
    wechat = WeChatPlatform(APP_ID, SECRET, TOKEN, ORIGINAL_ID)
    await wechat.start()
    platform = TelegramPlatform(BOT_TOKEN, limits=limits or Limits(pause_s=0.01), wire=wechat.wire)
    for person, who in enumerate((WANG, LI), FIRST):
        platform.phone(person, who.name)
        platform.bot.openids[person] = who.openid
    await platform.start()
    settings = TelegramSettings(bot_token=BOT_TOKEN, webhook_secret=WEBHOOK_SECRET, api_base=platform.base_url)
    service = Service(Telegram("main", settings, rates=AT_ONCE))
    app = web.Application()
    app.router.add_post("/channels/telegram/main", service.handle)
    add_routes(app, wechat, people=[WANG, LI], account_name="翠湖苑物业服务中心", more=["telegram"])
    telegram_pages.add_routes(app, platform)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        await service.channel.open_door(f"{base}/channels/telegram/main")
        yield platform, service, base
    finally:
        await runner.cleanup()
        await service.channel.close()
        await platform.stop()
        await wechat.stop()
