"""Stopping, and a database that goes away: what is in hand is finished, nothing is lost."""

import asyncio
import socket
import sys
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa

from bot import app
from bot.errors import FrontdeskError
from bot.settings import Settings
from bot.store.database import notify
from bot.store.writer import FileLock
from tests.engine import kit
from tests.engine.kit import HELLO, MESSAGE_IDS, REPORT, Kit, content, nobody_writes, openid, under_way
from tests.support.clock import StoppedClock
from tests.support.databases import Servers
from tests.support.databases import opened as database_opened
from tests.support.process import free_port


async def test_stopping_finishes_what_is_in_hand_and_takes_nothing_more(desk: Kit, database_url: str) -> None:
    people = [openid() for _ in range(5)]
    async with nobody_writes(database_url):
        requests = [desk.writing(who, REPORT) for who in people]
        await under_way(*requests)
        closing = asyncio.create_task(desk.intake.close())
        await under_way(closing)
        late, number = openid(), next(MESSAGE_IDS)
        assert (await desk.write_as(late, REPORT, number))[0] == 503
    for request in requests:
        assert "单号WX".encode() in content(await request)
    await closing
    for who in people:
        assert [row["status"] for row in await desk.heard(who)] == ["turned"]
        await desk.until_said(who, "accepted")
    assert await desk.heard(late) == []


async def test_a_call_under_way_is_finished_and_written_when_delivery_stops(
    database_url: str, clock: StoppedClock
) -> None:
    async with kit.opened(database_url, clock, send_within_s=kit.WAIT_S) as desk:
        person = await desk.known()
        desk.platform.script("custom/send", hang="after")
        await desk.queue(person, "一")
        await desk.queue(person, "二")
        await desk.platform.wire.until(lambda: len(desk.seen(person["address"])) == 1)
        closing = asyncio.create_task(desk.delivery.close())
        await under_way(closing)
        desk.platform.faults.release()
        await closing
        assert await desk.statuses(person["address"]) == ["accepted", "queued"]


async def test_while_the_database_is_away_nothing_is_acknowledged_or_lost(
    database_url: str, clock: StoppedClock
) -> None:
    async with kit.opened(database_url, clock, idle=True) as desk:
        first, who, number = openid(), openid(), next(MESSAGE_IDS)
        await desk.push(first, HELLO)
        body = desk.body(who, REPORT, number)
        if desk.database.embedded:
            async with nobody_writes(database_url):
                assert await desk.post(body) == (503, b"try again")
        else:
            await _allow(database_url, allowed=False)
            assert await desk.post(body) == (503, b"try again")
            await _allow(database_url, allowed=True)
        assert await desk.heard(who) == []
        assert "单号WX".encode() in content(await desk.post(body))
        assert len(await desk.heard(who)) == 1
        desk.delivery.start()
        desk.pass_time(seconds=6)
        await desk.until_said(first, "accepted")
        await desk.until_said(who, "accepted")


async def _allow(url: str, *, allowed: bool) -> None:
    """Close or open a PostgreSQL database to everybody; closing ends the connections there are."""
    address = sa.make_url(url)
    server = address.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    raw = await asyncpg.connect(server)
    try:
        await raw.execute(f"ALTER DATABASE {address.database} ALLOW_CONNECTIONS {allowed}")
        if not allowed:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
            await raw.execute(ended, address.database)
    finally:
        await raw.close()


async def test_changes_are_heard_again_after_the_connection_dropped(postgres_url: str) -> None:
    async with database_opened(postgres_url) as here, database_opened(postgres_url) as there, here.listening():
        heard = asyncio.Event()
        here.on_change(heard.set)
        await _allow(postgres_url, allowed=False)
        await _allow(postgres_url, allowed=True)
        async with asyncio.timeout(kit.WAIT_S):
            await heard.wait()  # a new connection looks for whatever was missed
            heard.clear()
            await there.write(notify)
            await heard.wait()


# -- two of them


async def _run(folder: Path, port: int) -> tuple[int | None, str]:
    """`frontdesk run`, which is expected to refuse."""
    settings = {"FRONTDESK_DATA_DIR": str(folder), "FRONTDESK_PORT": str(port), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-W", "ignore", "-m", "bot", "run"]
    process = await asyncio.create_subprocess_exec(
        *command, env=settings, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        _, errors = await process.communicate()
    return process.returncode, errors.decode()


async def test_a_second_service_on_the_same_file_is_refused(tmp_path: Path) -> None:
    lock = FileLock(str(tmp_path / "frontdesk.db"))
    lock.acquire()
    returned, errors = await _run(tmp_path, free_port())
    lock.release()
    assert returned == 1
    assert "another Frontdesk already runs on" in errors
    assert "Traceback" not in errors


async def test_a_taken_port_is_refused_by_the_name_of_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        returned, errors = await _run(tmp_path, taken.getsockname()[1])
    assert returned == 1
    assert "FRONTDESK_PORT" in errors
    assert "Traceback" not in errors


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_service_that_is_half_started_lets_go_of_everything(
    tmp_path: Path, database_servers: Servers, sqlite_url: str
) -> None:
    (tmp_path / "parking.md").write_text("no front matter")
    settings = Settings(database_url=sqlite_url, data_dir=tmp_path, port=free_port(), knowledge_dir=tmp_path)
    with pytest.raises(FrontdeskError, match=r"parking\.md"):
        async with app.running(settings):
            pytest.fail("it must not start")
    FileLock(str(sa.make_url(sqlite_url).database)).acquire()
    socket.create_server(("127.0.0.1", settings.port)).close()
