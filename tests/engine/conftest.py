"""The desk, on each kind of database, and an ear on everything that is logged."""

import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from bot.logs import _Lines
from tests.engine import kit
from tests.engine.kit import Kit
from tests.support.clock import StoppedClock
from tests.support.databases import Servers


class Ear(logging.Handler):
    """Keeps every record as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(_Lines())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(autouse=True)
def ear() -> Iterator[Ear]:
    """Law 14: whatever a test provokes, no number, secret, token or text of a resident gets into the log."""
    ear, root = Ear(), logging.getLogger()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        yield ear
    finally:
        root.removeHandler(ear)
        root.setLevel(level)
    everything = "\n".join(ear.lines)
    for private in (kit.PHONE, kit.SECRET, kit.TOKEN, "access_token=1_", "水管漏水", "物业费怎么交"):
        assert private not in everything, [line for line in ear.lines if private in line][:3]


@pytest.fixture
async def desk(database_url: str, clock: StoppedClock) -> AsyncIterator[Kit]:
    async with kit.opened(database_url, clock) as desk:
        yield desk


@pytest.fixture
def postgres_url(database_servers: Servers) -> Iterator[str]:
    with database_servers.lent("postgresql") as url:
        yield url
