"""Bringing a database to the schema of this code. From 0.1.0 on a migration is additive; what removes comes in a
later step."""

import asyncio
import functools
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store.database import JSON_CODEC
from bot.store.writer import sqlite_engine

HERE = Path(__file__).parent

LOCK = 7_214_001
"""The advisory lock that keeps two processes from migrating one PostgreSQL database at once."""


async def upgrade(url: str) -> None:
    """Run all missing migrations, in one transaction."""
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        await asyncio.to_thread(_upgrade_file, str(address.database))
        return
    engine = create_async_engine(address, **JSON_CODEC)
    try:
        async with engine.begin() as conn:
            await conn.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            await conn.run_sync(upgrade_connection)
    finally:
        await engine.dispose()


def _upgrade_file(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = sqlite_engine(path, JSON_CODEC)
    with engine.begin() as conn:
        upgrade_connection(conn)
    engine.dispose()


def upgrade_connection(conn: sa.Connection) -> None:
    """Run all missing migrations on a connection that is in a transaction."""
    config = _config()
    config.attributes["connection"] = conn
    command.upgrade(config, "head")


def is_current(conn: sa.Connection) -> bool:
    """Whether the database has the schema of this code."""
    return MigrationContext.configure(conn).get_current_revision() == _head()


@functools.cache
def _head() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    return config
