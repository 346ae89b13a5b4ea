"""Two real processes on one PostgreSQL follow a model that is put to use, and so does one that starts later."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa

from bot.store import learning as store
from bot.store import staff
from bot.store.base import Row, new_id
from intents.classifier import load_classifier, model_key
from tests.support.databases import Servers, opened
from tests.support.process import Service, running

WITHIN_S = 30.0


async def reads_with(service: Service, number: int) -> None:
    """Wait until this process says that it reads with that model."""
    line = f"frontdesk_reading_model {float(number)}\n"
    async with asyncio.timeout(WITHIN_S), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{service.url}/metrics") as response:
                if line in await response.text():
                    return
            await asyncio.sleep(0.2)


def _live(conn: sa.Connection) -> None:
    now = datetime.now(UTC)
    person: Row = {
        "id": new_id(), "login": "q", "name": "品质", "title": "", "phone": "", "password_hash": "-",
        "language": "zh-Hans", "skills": None, "active": True, "created_at": now,
    }  # fmt: skip
    staff.add(conn, person, [("quality", None)])
    model = store.begin_training(conn, person["id"], model_key(), 0, now, timedelta(minutes=5))
    assert model is not None
    store.end_training(conn, model, now, "ready", model=load_classifier().to_bytes(model_key()))
    store.go_live(conn, model, person["id"], now)


@pytest.fixture
def postgres_url(database_servers: Servers) -> str:
    return database_servers.url("postgresql")


@pytest.mark.long
async def test_every_process_follows_the_model_that_is_put_to_use(tmp_path: Path, postgres_url: str) -> None:
    url = postgres_url
    settings = {"FRONTDESK_DATABASE_URL": url, "FRONTDESK_LOG_LEVEL": "warning"}
    first, second, later = (Service(tmp_path / name, settings) for name in ("first", "second", "later"))
    async with running(first), running(second), opened(url) as database:
        await asyncio.gather(reads_with(first, 0), reads_with(second, 0))
        await database.write(_live)
        await asyncio.gather(reads_with(first, 1), reads_with(second, 1))
    async with running(later):
        await reads_with(later, 1)
