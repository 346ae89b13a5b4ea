"""Two conversations become one and part again, whatever hangs on them, and whoever is at work on them meanwhile."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from bot.store import locking, merging, messages, outbox, residents
from bot.store.alarms import alarms, call_tasks
from bot.store.base import Row, insert, mappings, new_id
from bot.store.conversations import conversations
from bot.store.database import Database
from bot.store.jobs import jobs
from bot.store.merging import Form, Merge, Split
from bot.store.work_orders import work_orders
from tests.support import seed
from tests.support.clock import MONDAY as NOW


def both(first: Form, second: Form) -> Form:
    return {**(second or {}), **(first or {})}


def known(conn: sa.Connection, address: str, **person: Any) -> Row:
    """Somebody of the register who writes from this address."""
    who = seed.person(conn, address, NOW)
    values = {"name": "王芳", "phone": "13800138000", "provisional": False, **person}
    mine = residents.residents.c.id == who["resident_id"]
    conn.execute(sa.update(residents.residents).where(mine).values(**values))
    return who


def change(conn: sa.Connection, who: Row, **values: Any) -> None:
    mine = conversations.c.id == who["conversation_id"]
    conn.execute(sa.update(conversations).where(mine).values(**values))


def get(conn: sa.Connection, conversation_id: UUID) -> Row:
    (row,) = mappings(conn, sa.select(conversations).where(conversations.c.id == conversation_id))
    return row


def join(conn: sa.Connection, new: Row, old: Row) -> Row:
    """`new` is `old`: the conversation that is left."""
    assert merging.hold(conn, [new["conversation_id"], old["conversation_id"]])
    merging.run(conn, [Merge(new["conversation_id"], old["resident_id"], both)], NOW)
    return get(conn, old["conversation_id"])


def order(conn: sa.Connection, who: Row, number: str) -> UUID:
    row = {
        "id": new_id(), "community_id": who["community_id"], "number": number, "source": "wechat",
        "conversation_id": who["conversation_id"], "resident_id": who["resident_id"], "identity_id": who["id"],
        "category": "plumbing", "urgency": "normal", "state": "recorded", "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    insert(conn, work_orders, [row])
    return UUID(str(row["id"]))


def hang_on(conn: sa.Connection, who: Row, case_id: UUID) -> None:
    """A timer, an alarm and a call task of a case."""
    here = {"conversation_id": who["conversation_id"], "community_id": who["community_id"]}
    case = {"case_kind": "work_order", "case_id": case_id}
    insert(conn, jobs, [{**here, "id": new_id(), "kind": "late", "ref": case_id, "due_at": NOW, "created_at": NOW}])
    insert(conn, alarms, [{**here, **case, "id": new_id(), "kind": "late", "raised_at": NOW}])
    task = {"resident_id": who["resident_id"], "kind": "late", "due_at": NOW, "created_at": NOW}
    insert(conn, call_tasks, [{**here, **case, **task, "id": new_id()}])


def owners(conn: sa.Connection) -> dict[str, set[UUID]]:
    """Which conversations the rows of each table belong to."""
    tables = (messages.messages, work_orders, jobs, alarms, call_tasks, outbox.outbox)
    return {table.name: set(conn.execute(sa.select(table.c.conversation_id)).scalars()) for table in tables}


async def test_all_that_hangs_on_it_moves(database: Database) -> None:
    def write(conn: sa.Connection) -> None:
        new, old = seed.person(conn, "new", NOW), known(conn, "old")
        seed.heard(conn, new, NOW, "text")
        hang_on(conn, new, order(conn, new, "WX20261123-0001"))
        seed.say(conn, new, NOW)
        left = join(conn, new, old)
        assert all(found == {left["id"]} for found in owners(conn).values()), owners(conn)
        people = sa.select(work_orders.c.resident_id).union_all(sa.select(call_tasks.c.resident_id))
        assert set(conn.execute(people).scalars()) == {old["resident_id"]}
        found = residents.find_identities(conn, [(*seed.ACCOUNT, "new")])[*seed.ACCOUNT, "new"]
        assert (found["resident_id"], found["conversation_id"]) == (old["resident_id"], old["conversation_id"])
        shell = get(conn, new["conversation_id"])
        assert (shell["merged_into"], shell["last_inbound_at"], shell["unread"]) == (left["id"], None, 0)

    await database.write(write)


async def test_what_was_still_to_be_said_is_said_once(database: Database) -> None:
    def write(conn: sa.Connection) -> None:
        new, old = seed.person(conn, "new", NOW), known(conn, "old")
        change(conn, new, fence=1)
        change(conn, old, fence=4)
        rows = [seed.say(conn, who, NOW, fence=fence) for who, fence in ((new, 1), (new, 0), (old, 4), (old, None))]
        fence = join(conn, new, old)["fence"]
        assert fence == 5
        begun = outbox.begin_sending(conn, rows, NOW, timedelta(seconds=30))
        assert begun == {rows[0], rows[2], rows[3]}
        assert seed.statuses(conn)[rows[1]] == "cancelled"

    await database.write(write)


async def test_a_passive_reply_on_its_way_can_still_go_the_other_way(database: Database) -> None:
    def write(conn: sa.Connection) -> None:
        new, old = seed.person(conn, "new", NOW), known(conn, "old")
        row = seed.say(conn, new, NOW, fence=0, status="sending", route="passive", lease_until=NOW)
        join(conn, new, old)
        outbox.passive_to_push(conn, [row], NOW)
        assert outbox.begin_sending(conn, [row], NOW, timedelta(seconds=30)) == {row}

    await database.write(write)


@pytest.mark.parametrize("with_person", ["new", "old"])
async def test_it_stays_with_the_person_who_has_one_of_them(database: Database, with_person: str) -> None:
    def write(conn: sa.Connection) -> None:
        pair = {"new": seed.person(conn, "new", NOW), "old": known(conn, "old")}
        lee = seed.member(conn, "lee", NOW, "agent")
        lasts = NOW + timedelta(minutes=30)
        change(conn, pair[with_person], mode="human", owner_id=lee, owned_until=lasts, last_inbound_at=NOW)
        other = pair["old" if with_person == "new" else "new"]
        change(conn, other, last_inbound_at=NOW + timedelta(seconds=1))
        meant = seed.say(conn, other, NOW, fence=0)
        left = join(conn, pair["new"], pair["old"])
        assert (left["mode"], left["owner_id"], left["owned_until"]) == ("human", lee, lasts)
        assert seed.statuses(conn)[meant] == "cancelled"

    await database.write(write)


async def test_who_waits_for_a_person_waits_since_the_first_time(database: Database) -> None:
    def write(conn: sa.Connection) -> None:
        new, old = seed.person(conn, "new", NOW), known(conn, "old")
        change(conn, new, mode="waiting", waiting_since=NOW)
        change(conn, old, mode="waiting", waiting_since=NOW - timedelta(minutes=5))
        left = join(conn, new, old)
        assert (left["mode"], left["waiting_since"]) == ("waiting", NOW - timedelta(minutes=5))

    await database.write(write)


async def test_the_register_wins_and_a_wish_for_silence_stays(database: Database) -> None:
    def write(conn: sa.Connection) -> None:
        new, old = seed.person(conn, "new", NOW), known(conn, "old", language="")
        mine = residents.residents.c.id == new["resident_id"]
        said = {"phone": "1", "name": "x", "language": "en", "stopped_at": NOW, "privacy_version": "1"}
        conn.execute(sa.update(residents.residents).where(mine).values(**said))
        change(conn, new, form={"mine": 1}, unread=2)
        change(conn, old, form={"theirs": 1}, unread=1)
        left = join(conn, new, old)
        assert (left["form"], left["unread"]) == ({"mine": 1, "theirs": 1}, 3)
        rows = {row["id"]: row for row in residents.get_many(conn, [new["resident_id"], old["resident_id"]])}
        kept, gone = rows[old["resident_id"]], rows[new["resident_id"]]
        assert (kept["name"], kept["phone"], kept["language"]) == ("王芳", "13800138000", "en")
        assert (kept["stopped_at"], kept["privacy_version"]) == (NOW, "1")
        assert (gone["name"], gone["phone"]) == ("", "")

    await database.write(write)


async def test_who_has_never_spoken_gets_a_conversation(database: Database) -> None:
    def write(conn: sa.Connection) -> None:
        new, row = seed.person(conn, "new", NOW), {"id": new_id(), "provisional": False, "created_at": NOW}
        insert(conn, residents.residents, [row])
        into = merging.conversation_for(conn, UUID(str(row["id"])), NOW)
        assert merging.conversation_for(conn, UUID(str(row["id"])), NOW) == into
        assert merging.hold(conn, [new["conversation_id"], into])
        merging.run(conn, [Merge(new["conversation_id"], UUID(str(row["id"])), both)], NOW)
        assert get(conn, new["conversation_id"])["merged_into"] == into

    await database.write(write)


async def test_an_address_that_leaves_takes_along_what_came_by_it(database: Database) -> None:
    def write(conn: sa.Connection) -> None:
        new, old = seed.person(conn, "new", NOW), known(conn, "old")
        for who in (new, old):
            seed.heard(conn, who, NOW, "text")
            seed.say(conn, who, NOW)
            hang_on(conn, who, order(conn, who, f"WX-{who['address']}"))
        left = join(conn, new, old)
        merging.run(conn, [Split(left["id"], new["id"])], NOW)
        again = residents.find_identities(conn, [(*seed.ACCOUNT, "new")])[*seed.ACCOUNT, "new"]
        assert again["resident_id"] not in {old["resident_id"], new["resident_id"]}
        assert all(found == {left["id"], again["conversation_id"]} for found in owners(conn).values()), owners(conn)
        mine = sa.select(work_orders.c.number).where(work_orders.c.resident_id == again["resident_id"])
        assert list(conn.execute(mine).scalars()) == ["WX-new"]
        fresh = get(conn, again["conversation_id"])
        assert (fresh["mode"], fresh["merged_into"], fresh["last_inbound_at"]) == ("bot", None, NOW)

    await database.write(write)


async def test_a_conversation_that_has_gone_on_is_locked_by_nobody(database: Database) -> None:
    def write(conn: sa.Connection) -> None:
        new, old = seed.person(conn, "new", NOW), known(conn, "old")
        join(conn, new, old)
        assert locking.lock(conn, [new["conversation_id"]], wait=True) == []

    await database.write(write)


@pytest.fixture
def postgres_url(database_servers: Any) -> str:
    return str(database_servers.url("postgresql"))


async def test_nobody_waits_for_a_conversation_in_use(postgres_url: str) -> None:
    """Another process has it in a turn, or is just storing a message of it: not now, and never a deadlock."""
    database = Database.open(postgres_url)
    try:
        who = await database.write(seed.person, "new", NOW)
        for use in (
            lambda conn: locking.lock(conn, [who["conversation_id"]], wait=True),
            lambda conn: seed.heard(conn, who, NOW, "text"),
        ):
            async with database.engine.begin() as other:
                await other.run_sync(use)
                assert not await database.write(merging.hold, [who["conversation_id"]])
            assert await database.write(merging.hold, [who["conversation_id"]])
    finally:
        await database.close()


async def test_a_message_on_its_way_into_the_old_one_is_sent_after(postgres_url: str) -> None:
    """A batch looked up the old conversation, then the two became one, then it stores: law 1, nothing is lost."""
    database = Database.open(postgres_url)
    try:
        new, old = await database.write(lambda conn: (seed.person(conn, "new", NOW), known(conn, "old")))
        await database.write(join, new, old)

        def late(conn: sa.Connection) -> list[Row]:
            seed.heard(conn, new, NOW, "text")
            assert locking.lock(conn, [new["conversation_id"]], wait=False) == []
            ids = list(conn.execute(sa.select(messages.messages.c.id)).scalars())
            messages.set_status(conn, ids, "stored")
            merging.follow(conn, ids)
            return messages.oldest_stored(conn, 10)

        (row,) = await database.write(late)
        assert (row["conversation_id"], row["address"]) == (old["conversation_id"], "new")
    finally:
        await database.close()
