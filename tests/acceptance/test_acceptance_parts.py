"""One web process and one worker process on one PostgreSQL."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store.database import Database
from bot.store.outbox import outbox
from bot.web.simulator.wechat import WeChatPlatform
from bot.web.simulator.wechat_push import Limits
from tests.engine.kit import nobody_writes
from tests.support.databases import Servers, opened
from tests.support.process import Service, running

APP_ID, SECRET, TOKEN = "wxparts000000001", "parts-secret", "partstoken"
PERSON = "oParts0000000000000000000001"
WITHIN_S = 30.0


async def impatient_push(platform: WeChatPlatform, url: str, text: str) -> None:
    """The platform gives up before there is an answer: what is said then has to go the customer-service way."""
    async with nobody_writes(url):
        pushed = await platform.push_text(PERSON, text)
    assert not pushed.acknowledged


async def states(database: Database) -> list[tuple[str, str]]:
    statement = sa.select(outbox.c.route, outbox.c.status).order_by(outbox.c.id)
    return await database.read(lambda conn: [(row.route, row.status) for row in conn.execute(statement)])


async def until(database: Database, expected: list[tuple[str, str]]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while await states(database) != expected:
            await asyncio.sleep(0.05)


@pytest.fixture
def postgres_url(database_servers: Servers) -> str:
    return database_servers.url("postgresql")


async def test_what_web_takes_in_the_worker_answers(tmp_path: Path, postgres_url: str) -> None:
    url = postgres_url
    platform = WeChatPlatform(APP_ID, SECRET, TOKEN, "", limits=Limits(answer_s=0.5, pause_s=0.01, repeats=0))
    await platform.start()
    settings = {
        "FRONTDESK_DATABASE_URL": url,
        "FRONTDESK_WECHAT__MAIN__APP_ID": APP_ID,
        "FRONTDESK_WECHAT__MAIN__APP_SECRET": SECRET,
        "FRONTDESK_WECHAT__MAIN__TOKEN": TOKEN,
        "FRONTDESK_WECHAT__MAIN__API_BASE": platform.base_url,
        "FRONTDESK_LOG_LEVEL": "warning",
    }
    web, worker = (Service(tmp_path / part, settings, "--only", part) for part in ("web", "worker"))
    platform.service_url = f"{web.url}/channels/wechat/main"
    phone = platform.phone(PERSON)
    try:
        async with running(web), opened(url) as database:
            await impatient_push(platform, url, "厨房水管漏水")
            await until(database, [("push", "queued")])
            assert phone.received() == []
            async with running(worker):
                await until(database, [("push", "accepted")])
                assert len(phone.received()) == 1
                await impatient_push(platform, url, "人工")
                await until(database, [("push", "accepted")] * 2)
                assert len(set(phone.received())) == 2
                assert await worker.stop() == 0
            assert await web.stop() == 0
    finally:
        await platform.stop()
