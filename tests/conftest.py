"""Fixtures that every test may use."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from bot.store.database import Database
from tests.support.clock import StoppedClock
from tests.support.databases import KINDS, Servers, opened, servers
from tests.support.hearing import Ear

_EAR = Ear()


@pytest.fixture(autouse=True)
def no_secret_in_any_log() -> Iterator[None]:
    """Law 14, for every test of the suite: who logs a secret, a token or a phone number fails."""
    _EAR.listen()
    yield
    assert not _EAR.heard, _EAR.heard[:3]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are cores: the tests with processes and browsers wait more than they work."""
    return (os.cpu_count() or 1) + 2


@pytest.fixture(scope="session")
def database_servers() -> Iterator[Servers]:
    with servers() as started:
        yield started


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, database_servers: Servers) -> Iterator[str]:
    """The address of an empty database with our schema, of each kind."""
    with database_servers.lent(str(request.param)) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url) as database:
        yield database


@pytest.fixture
def sqlite_url(database_servers: Servers) -> str:
    return database_servers.url("sqlite")


@pytest.fixture
async def clock() -> StoppedClock:
    return StoppedClock()
