"""The floor: aiohttp and uvloop, the signature verified, the XML parsed with our parser, answered; nothing stored.

Beside it a stand-in for the provider's API that takes everything, so that the service under load has somewhere to
send to.
"""

import sys

import msgspec
import uvloop
from aiohttp import web

from bot.clock import SystemClock
from channels.messages import WebhookRequest
from channels.wechat import WeChat, WeChatSettings
from tests.bench.load import ACCOUNT


def application() -> web.Application:
    channel = WeChat("main", msgspec.convert(ACCOUNT, WeChatSettings))
    clock = SystemClock()

    async def handle(request: web.Request) -> web.Response:
        raw = WebhookRequest(
            method="POST",
            suffix="",
            query=request.query,
            headers=request.headers,
            body=await request.read(),
            received_at=clock.now(),
        )
        channel.verify(raw)
        answer = channel.acknowledge(channel.parse(raw), "收到", raw.received_at)
        return web.Response(body=answer.body, content_type=answer.content_type)

    async def token(request: web.Request) -> web.Response:
        del request
        return web.json_response({"access_token": "T" * 64, "expires_in": 7200})

    async def send(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    app = web.Application()
    app.router.add_post("/channels/wechat/main", handle)
    app.router.add_post("/cgi-bin/stable_token", token)
    app.router.add_post("/cgi-bin/message/custom/send", send)
    return app


def main() -> None:
    async def serve() -> web.Application:
        return application()

    web.run_app(
        serve(), host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, loop=uvloop.new_event_loop()
    )


if __name__ == "__main__":
    main()
