"""The console for tests of pages and rights: an SQLite file and a stopped clock."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.store.database import Database
from tests.support.clock import StoppedClock
from tests.support.databases import opened as database_opened
from tests.web.console_kit import Kit, opened


@pytest.fixture
async def clock() -> StoppedClock:
    """Stands still at the machine's time: ids that are given while a test runs have to sort after those of its seed."""
    return StoppedClock(datetime.now(UTC))


@pytest.fixture
async def kit(sqlite_url: str, clock: StoppedClock, tmp_path: Path) -> AsyncIterator[Kit]:
    async with database_opened(sqlite_url) as database, opened(database, clock, tmp_path) as kit:
        yield kit


@pytest.fixture
async def both_kit(database: Database, clock: StoppedClock, tmp_path: Path) -> AsyncIterator[Kit]:
    """The same over each kind of database."""
    async with opened(database, clock, tmp_path) as kit:
        yield kit
