"""One trained reader for all tests of this folder: training costs seconds."""

import pytest

from intents.reader import Reader


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader.load()
