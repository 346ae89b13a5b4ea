"""Work in another process, and the comparison from the command line."""

import asyncio
import operator
import os
import time
from pathlib import Path

import pytest

from bot import cli
from bot.apart import Apart, ApartError
from bot.store import migrations


def test_what_another_process_returns() -> None:
    other = Apart().run(os.getpid, within=30)
    assert other != os.getpid()


def test_an_error_there_names_its_kind_and_none_of_its_words() -> None:
    with pytest.raises(ApartError) as caught:
        Apart().run(operator.itemgetter("王小明"), {}, within=30)
    assert "KeyError" in str(caught.value)
    assert "王小明" not in str(caught.value)


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(ApartError, match="took longer than 0 s"):
        Apart().run(time.sleep, 600, within=0.1)


async def test_it_is_stopped_from_outside() -> None:
    apart = Apart()
    working = asyncio.create_task(asyncio.to_thread(apart.run, time.sleep, 600, within=600))
    await asyncio.sleep(0)
    apart.stop()
    with pytest.raises(ApartError):
        await working


def test_the_comparison_needs_a_database_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FRONTDESK_DATA_DIR", str(tmp_path))
    assert cli.main(["evaluate", "--compare"]) == 1
    assert "was frontdesk migrate run?" in capsys.readouterr().err


@pytest.mark.long
def test_the_comparison_of_an_installation_without_examples_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FRONTDESK_DATA_DIR", str(tmp_path))
    asyncio.run(migrations.upgrade(f"sqlite+aiosqlite:///{tmp_path}/frontdesk.db"))
    assert cli.main(["evaluate", "--compare"]) == 0
    assert '"may_replace": true' in capsys.readouterr().out
