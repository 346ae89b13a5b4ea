"""The two doors to a database: what is committed, what is refused, what is rerun."""

import asyncio
import threading
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.errors import SettingsError, StoreError
from bot.store import alarms, jobs, messages, numbers, pending, residents
from bot.store.base import NOBODY, new_id
from bot.store.database import Database, notify
from bot.store.places import communities
from bot.store.records import Alarm
from bot.store.writer import FileLock
from tests.support import seed
from tests.support.clock import MONDAY as NOW
from tests.support.databases import opened

DAY = date(2026, 11, 23)


async def test_numbers_are_never_drawn_twice(database: Database) -> None:
    drawn = await asyncio.gather(*(database.write(numbers.draw, "WX", DAY, 3) for _ in range(20)))
    flat = [number for some in drawn for number in some]
    assert len(set(flat)) == 60
    assert min(flat) == "WX20261123-0001"
    assert await database.write(numbers.draw, "TS", DAY, 1) == ["TS20261123-0001"]


async def test_a_number_past_9999_keeps_all_its_digits(database: Database) -> None:
    await database.write(numbers.draw, "WX", DAY, 9999)
    assert await database.write(numbers.draw, "WX", DAY, 1) == ["WX20261123-10000"]


async def test_nothing_of_a_write_that_raises_stays(database: Database) -> None:
    def half(conn: sa.Connection) -> None:
        seed.person(conn, "ann", NOW)
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        await database.write(half)
    assert await database.read(residents.find_identities, [(*seed.ACCOUNT, "ann")]) == {}


async def test_the_reading_door_does_not_write_on_sqlite(sqlite_url: str) -> None:
    async with opened(sqlite_url) as database:
        with pytest.raises(OperationalError, match="readonly"):
            await database.read(seed.person, "ann", NOW)


async def test_foreign_keys_hold(database: Database) -> None:
    def orphan(conn: sa.Connection) -> None:
        seed.say(conn, {"conversation_id": new_id(), "id": None, "address": "nobody"}, NOW)

    with pytest.raises(IntegrityError):
        await database.write(orphan)


async def test_a_moment_without_time_zone_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="without time zone"):
        await database.write(seed.person, "ann", datetime(2026, 11, 23))  # noqa: DTZ001 - the point of the test


async def test_two_processes_meeting_the_same_newcomers_make_each_once(database: Database) -> None:
    addresses = [f"new{n}" for n in range(30)]

    def meet(conn: sa.Connection, order: list[str]) -> None:
        rows = [
            {"channel": "wechat", "account": "main", "address": address, "community_id": NOBODY, "created_at": NOW}
            for address in order
        ]
        residents.create_identities(conn, rows)

    await asyncio.gather(*(database.write(meet, addresses[::step]) for step in (1, -1, 1, -1)))
    found = await database.read(residents.find_identities, [(*seed.ACCOUNT, address) for address in addresses])
    assert len(found) == 30
    assert (
        await database.read(
            lambda conn: conn.execute(sa.select(sa.func.count()).select_from(residents.residents)).scalar_one()
        )
        == 30
    )


async def test_batches_with_crossing_repeats_meet_no_deadlock(database: Database) -> None:
    """Law of the locks: messages by unique key, whatever order a batch came in."""
    people = await database.write(lambda conn: [seed.person(conn, f"p{n}", NOW) for n in range(20)])

    def store(conn: sa.Connection, order: int) -> int:
        rows = [
            {
                "id": new_id(), "community_id": NOBODY, "conversation_id": who["conversation_id"],
                "identity_id": who["id"],
                "channel": "wechat", "account": "main", "external_id": f"m{number}", "kind": "text", "text": "",
                "choice": None,
                "attachments": None, "status": "turned", "intent": "", "state": "", "reading": None, "error": "",
                "sent_at": None,
                "received_at": NOW, "raw": "",
            }
            for number, who in enumerate(people)
        ]  # fmt: skip
        return len(messages.store(conn, rows[::order]))

    stored = await asyncio.gather(*(database.write(store, order) for order in (1, -1) * 5))
    assert sum(stored) == 20


async def test_urgent_writes_go_ahead_of_usual_ones(sqlite_url: str) -> None:
    """While the writer is busy, five usual writes wait; an urgent one that comes last is run first."""
    async with opened(sqlite_url) as database:
        order: list[str] = []
        busy, release = threading.Event(), threading.Event()

        def hold(conn: sa.Connection) -> None:
            del conn
            busy.set()
            release.wait(10)

        held = asyncio.create_task(database.write(hold))
        await asyncio.to_thread(busy.wait, 10)
        usual = [asyncio.create_task(database.write(lambda _: order.append("usual"))) for _ in range(5)]
        await asyncio.sleep(0)
        urgent = asyncio.create_task(database.write_urgent(lambda _: order.append("urgent")))
        await asyncio.sleep(0)
        release.set()
        await asyncio.gather(held, urgent, *usual)
    assert order == ["urgent", *["usual"] * 5]


async def test_closing_finishes_what_was_handed_in(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    writes = [asyncio.create_task(database.write(numbers.draw, "WX", DAY, 1)) for _ in range(20)]
    await asyncio.sleep(0)
    await database.close()
    assert len({(await write)[0] for write in writes}) == 20
    with pytest.raises(StoreError, match="being closed"):
        await database.write(numbers.draw, "WX", DAY, 1)


def test_a_second_service_on_the_same_file_is_refused(tmp_path: Path) -> None:
    first, second = FileLock(str(tmp_path / "frontdesk.db")), FileLock(str(tmp_path / "frontdesk.db"))
    first.acquire()
    with pytest.raises(StoreError, match="another Frontdesk already runs"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_another_kind_of_database_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="FRONTDESK_DATABASE_URL"):
        Database.open("mysql://root@localhost/frontdesk")


async def test_a_job_with_a_key_is_scheduled_once(database: Database) -> None:
    def row() -> dict[str, object]:
        return {
            "id": new_id(), "community_id": NOBODY, "conversation_id": None, "kind": "k", "ref": None, "step": 0,
            "state": "waiting",
            "payload": None, "attempts": 0, "due_at": NOW, "lease_until": None, "created_at": NOW, "ended_at": None,
            "error": "",
            "dedupe_key": "once",
        }  # fmt: skip

    first = await database.write(jobs.schedule_new, [row()])
    second = await database.write(jobs.schedule_new, [row()])
    assert (len(first), len(second)) == (1, 0)


async def test_a_changed_snapshot_reaches_other_processes(database: Database, database_url: str) -> None:
    """What one process commits wakes the listeners of another (NOTIFY); on SQLite there is only one process."""
    heard = asyncio.Event()
    async with opened(database_url) as other, other.listening():
        other.on_change(heard.set)
        await database.write(_announce)
        if database.embedded:
            assert not heard.is_set()
        else:
            await asyncio.wait_for(heard.wait(), 10)


def _announce(conn: sa.Connection) -> None:
    conn.execute(sa.select(communities.c.id))
    notify(conn)


async def test_an_alarm_that_stands_is_addressed_to_nobody_again(database: Database) -> None:
    def turn(conn: sa.Connection, staff_id: UUID) -> None:
        rows = pending.Pending()
        raised = Alarm(id=new_id(), kind="red_flag", raised_at=NOW, dedupe_key="once")
        rows.insert(alarms.alarms, raised.row())
        alert = {"id": new_id(), "alarm_id": raised.id, "staff_id": staff_id, "rung": 0, "at": NOW, "shown_at": None}
        rows.insert(alarms.alerts, alert)
        pending.flush(conn, [rows], NOW, DAY)

    staff_id = await database.write(seed.member, "ann", NOW, "supervisor")
    await database.write(turn, staff_id)
    await database.write(turn, staff_id)

    def counted(conn: sa.Connection) -> list[int]:
        return [len(conn.execute(sa.select(table.c.id)).all()) for table in (alarms.alarms, alarms.alerts)]

    assert await database.read(counted) == [1, 1]
