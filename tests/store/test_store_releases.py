"""What an earlier release left in a database is brought up to date, on both databases."""

import asyncio
import gzip
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot.store import migrations, places, work_orders
from bot.store.schema import metadata
from tests.support.databases import KINDS, Servers, opened

RELEASES = sorted(path.name for path in (Path(__file__).parent / "releases").iterdir())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("release", RELEASES)
def test_a_released_database_is_brought_up_to_date(database_servers: Servers, release: str, kind: str) -> None:
    dump = gzip.decompress((Path(__file__).parent / "releases" / release / f"{kind}.sql.gz").read_bytes()).decode()
    url = database_servers.empty(kind)
    if kind == "sqlite":
        with sqlite3.connect(str(sa.make_url(url).database)) as conn:
            conn.executescript(dump)
        conn.close()
    else:
        asyncio.run(_restore(sa.make_url(url), dump))
    asyncio.run(_upgraded(url))


async def _restore(url: sa.URL, dump: str) -> None:
    conn = await asyncpg.connect(host=str(url.query["host"]), user=url.username, database=url.database)
    await conn.execute(dump)
    await conn.close()


async def _upgraded(url: str) -> None:
    await migrations.upgrade(url)
    async with opened(url) as database:
        assert await database.read(_differences) == []
        assert len(await database.read(places.all_communities)) == 2
        assert await database.read(work_orders.listed, None, closed=False)


def _differences(conn: sa.Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(conn), metadata))


def test_the_present_release_is_kept() -> None:
    assert {"0.1.0", "0.2.0"} <= set(RELEASES)
