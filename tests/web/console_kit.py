"""A console over a real, filled database, and browsers of people who are signed in."""

import functools
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from bot.clock import Clock
from bot.engine.intake import Intake
from bot.settings import Settings
from bot.store import staff
from bot.store.database import Database
from bot.web import staff as console
from bot.web.context import Context
from bot.world import Worlds, load
from intents.reader import Reader
from knowledge_base.answer import KnowledgeBase
from tests.web.console_seed import PASSWORD, Seed, fill

# -- the console ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Browser:
    """One person's browser: keeps cookies, sends the token of the form."""

    client: "TestClient[Any, Any]"
    csrf: str = ""

    async def get(self, path: str, **kwargs: Any) -> ClientResponse:
        return await self.client.get(f"/console{path}", allow_redirects=False, **kwargs)

    async def text(self, path: str) -> str:
        response = await self.get(path)
        assert response.status == 200, (path, response.status)
        return await response.text()

    async def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> ClientResponse:
        data = {"csrf": self.csrf, **(fields or {})}
        return await self.client.post(f"/console{path}", data=data, headers=headers, allow_redirects=False)


@dataclass(slots=True)
class Kit:
    context: Context
    server: TestServer
    seed: Seed
    browsers: list[Browser] = field(default_factory=list)

    async def run(self, f: Any, *args: Any, **kwargs: Any) -> Any:
        """Write with a function over a connection."""
        return await self.context.database.write(f, *args, **kwargs)

    async def one(self, statement: sa.Select[Any]) -> Any:
        return await self.context.database.read(lambda conn: conn.execute(statement).mappings().one_or_none())

    async def every(self, statement: sa.Select[Any]) -> list[Any]:
        return await self.context.database.read(lambda conn: list(conn.execute(statement).mappings()))

    async def acts(self) -> list[str]:
        """What is on record, in order."""
        rows = await self.every(sa.select(staff.audit.c.act).order_by(staff.audit.c.id))
        return [row["act"] for row in rows]

    def stranger(self) -> Browser:
        browser = Browser(TestClient(self.server))
        self.browsers.append(browser)
        return browser

    async def sign_in(self, login: str, password: str = PASSWORD) -> Browser:
        browser = self.stranger()
        response = await enter(browser, login, password)
        assert response.status == 303, await response.text()
        page = await (await browser.client.get(response.headers["Location"])).text()
        browser.csrf = token_in(page, '"X-CSRF-Token": "([^"]+)"')
        return browser


def token_in(page: str, pattern: str) -> str:
    found = re.search(pattern, page.replace("&#34;", '"'))
    assert found is not None
    return found.group(1)


async def enter(browser: Browser, login: str, password: str, **fields: str) -> ClientResponse:
    """Fill in the sign-in form."""
    page = await browser.text("/sign-in")
    browser.csrf = token_in(page, 'name="csrf" value="([^"]+)"')
    return await browser.post("/sign-in", {"login": login, "password": password, **fields})


@functools.cache
def _knowledge() -> KnowledgeBase:
    return KnowledgeBase.load(demonstration=True)


@asynccontextmanager
async def opened(
    database: Database, clock: Clock, folder: Path, reads: tuple[Reader, KnowledgeBase] | None = None
) -> AsyncIterator[Kit]:
    """The console over this database, filled. `reads`: for pages that read messages."""
    settings = Settings(data_dir=folder)
    seed = await database.write(fill, clock.now())
    # Most acts of the staff read no message: the classifier is not asked.
    reader, knowledge = reads or (cast("Reader", None), _knowledge())
    world = await database.read(load, settings, reader, knowledge, {})
    worlds = Worlds(world)
    intake = Intake(database, worlds, clock)
    context = Context(settings=settings, clock=clock, database=database, worlds=worlds, channels={}, intake=intake)
    app = console.application(context)
    console.add_routes(app)
    server = TestServer(app)
    kit = Kit(context, server, seed)
    await server.start_server()
    try:
        yield kit
    finally:
        for browser in kit.browsers:
            await browser.client.close()
        await server.close()
