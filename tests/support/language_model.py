"""A language model to try against: a small real server that answers as it is told to, and keeps what it was sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.settings import LanguageModelSettings

KEY = "sk-stand-in-0123456789"
HANG = "hang"
"""Answer when the test is over."""


@dataclass
class StandIn:
    """What it answers next, and what it was asked. An answer is a JSON object, a text, a status, or `HANG`."""

    answers: list[object] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    def settings(self, **changes: Any) -> LanguageModelSettings:
        return LanguageModelSettings(base_url=self.url, api_key=KEY, model="stand-in", **changes)

    @property
    def questions(self) -> list[dict[str, Any]]:
        """What was asked beside the prompt."""
        return [msgspec.json.decode(request["messages"][1]["content"]) for request in self.requests]

    async def complete(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        self.keys.append(request.headers.get("Authorization"))
        self.asked.set()
        answer = self.answers.pop(0) if self.answers else {}
        if answer is HANG:
            await self.over.wait()
        if isinstance(answer, int):
            return web.json_response({"error": {"message": "no"}}, status=answer)
        content = answer if isinstance(answer, str) else msgspec.json.encode(answer).decode()
        return web.json_response({"choices": [{"message": {"role": "assistant", "content": content}}]})


@asynccontextmanager
async def standing_in(*answers: object) -> AsyncIterator[StandIn]:
    """The server, while the block runs."""
    stand_in = StandIn(list(answers))
    app = web.Application()
    app.router.add_post("/v1/chat/completions", stand_in.complete)
    server = TestServer(app)
    await server.start_server()
    stand_in.url = str(server.make_url("/v1"))
    try:
        yield stand_in
    finally:
        stand_in.over.set()
        await server.close()
