"""Order, lease, fence and receipts of the outbox, on both databases."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.store import outbox
from bot.store.database import Database
from bot.store.outbox import DIALOGUE, EMERGENCY, PROGRESS
from tests.support import seed
from tests.support.clock import MONDAY as NOW

LEASE = timedelta(seconds=30)


async def test_one_row_at_a_time_in_order_per_recipient_and_lane(database: Database) -> None:
    def scene(conn: sa.Connection) -> None:
        ann, bob = seed.person(conn, "ann", NOW), seed.person(conn, "bob", NOW)
        first, second = seed.say(conn, ann, NOW), seed.say(conn, ann, NOW)
        other = seed.say(conn, bob, NOW)
        assert [row["id"] for row in outbox.claim(conn, NOW, 10, LEASE)] == [first, other]
        assert outbox.begin_sending(conn, [first, other], NOW, LEASE) == {first, other}
        assert outbox.claim(conn, NOW, 10, LEASE) == []
        outbox.accepted(conn, [(first, "p1")], NOW)
        assert [row["id"] for row in outbox.claim(conn, NOW, 10, LEASE)] == [second]

    await database.write(scene)


async def test_a_higher_lane_overtakes(database: Database) -> None:
    def scene(conn: sa.Connection) -> None:
        ann = seed.person(conn, "ann", NOW)
        progress = seed.say(conn, ann, NOW, lane=PROGRESS)
        answer = seed.say(conn, ann, NOW, lane=DIALOGUE)
        danger = seed.say(conn, ann, NOW, lane=EMERGENCY)
        assert [row["id"] for row in outbox.claim(conn, NOW, 10, LEASE)] == [danger, answer, progress]

    await database.write(scene)


@pytest.mark.parametrize("ended", ["failed", "unknown", "waiting", "cancelled", "expired", "accepted"])
async def test_a_row_that_ended_or_waits_blocks_nobody(database: Database, ended: str) -> None:
    def scene(conn: sa.Connection) -> None:
        ann = seed.person(conn, "ann", NOW)
        seed.say(conn, ann, NOW, status=ended)
        second = seed.say(conn, ann, NOW)
        assert [row["id"] for row in outbox.claim(conn, NOW, 10, LEASE)] == [second]

    await database.write(scene)


async def test_a_claimed_row_is_claimed_again_only_after_its_lease(database: Database) -> None:
    def scene(conn: sa.Connection) -> None:
        row = seed.say(conn, seed.person(conn, "ann", NOW), NOW)
        assert len(outbox.claim(conn, NOW, 10, LEASE)) == 1
        assert outbox.claim(conn, NOW + LEASE, 10, LEASE) == []
        assert [r["id"] for r in outbox.claim(conn, NOW + LEASE * 2, 10, LEASE)] == [row]

    await database.write(scene)


async def test_rows_of_a_paused_account_stay(database: Database) -> None:
    def scene(conn: sa.Connection) -> None:
        seed.say(conn, seed.person(conn, "ann", NOW), NOW)
        assert outbox.claim(conn, NOW, 10, LEASE, [seed.ACCOUNT]) == []
        assert len(outbox.claim(conn, NOW, 10, LEASE, [("wechat", "other")])) == 1

    await database.write(scene)


async def test_the_fence_lets_only_its_own_number_through(database: Database) -> None:
    def scene(conn: sa.Connection) -> None:
        ann = seed.person(conn, "ann", NOW)
        fenced = seed.say(conn, ann, NOW, fence=0)
        free = seed.say(conn, ann, NOW, lane=PROGRESS)
        claimed = [row["id"] for row in outbox.claim(conn, NOW, 10, LEASE)]
        seed.set_fence(conn, ann["conversation_id"], 1)
        assert outbox.begin_sending(conn, claimed, NOW, LEASE) == {free}
        assert seed.statuses(conn) == {fenced: "cancelled", free: "sending"}

    await database.write(scene)


async def test_a_takeover_cancels_what_is_fenced_and_not_on_its_way(database: Database) -> None:
    def scene(conn: sa.Connection) -> None:
        ann = seed.person(conn, "ann", NOW)
        going = seed.say(conn, ann, NOW, fence=0, status="sending")
        queued = seed.say(conn, ann, NOW, fence=0)
        waiting = seed.say(conn, ann, NOW, fence=0, status="waiting")
        progress = seed.say(conn, ann, NOW, lane=PROGRESS)
        outbox.cancel_fenced(conn, ann["conversation_id"], NOW)
        assert seed.statuses(conn) == {going: "sending", queued: "cancelled", waiting: "cancelled", progress: "queued"}
        assert outbox.still_sending(conn, ann["conversation_id"]) == 1

    await database.write(scene)


RECEIPTS = [
    # before, receipt, after
    ("accepted", "delivered", "delivered"),
    ("unknown", "delivered", "delivered"),
    ("unknown", "accepted", "accepted"),
    ("unknown", "failed", "failed"),
    ("accepted", "failed", "failed"),
    ("delivered", "accepted", "delivered"),
    ("delivered", "failed", "delivered"),
    ("failed", "delivered", "failed"),
    ("cancelled", "delivered", "cancelled"),
    ("read", "failed", "read"),
]


@pytest.mark.parametrize(("before", "receipt", "after"), RECEIPTS)
async def test_receipts_only_move_forward(database: Database, before: str, receipt: str, after: str) -> None:
    def scene(conn: sa.Connection) -> None:
        row = seed.say(conn, seed.person(conn, "ann", NOW), NOW, status=before, provider_id="p1")
        moved = outbox.receipt(conn, *seed.ACCOUNT, "p1", receipt, "", NOW)
        assert seed.statuses(conn) == {row: after}
        assert (moved is not None) == (before != after)

    await database.write(scene)


async def test_being_throttled_counts_as_no_attempt(database: Database) -> None:
    def scene(conn: sa.Connection) -> None:
        row = seed.say(conn, seed.person(conn, "ann", NOW), NOW)
        for throttled, attempts in ((True, 0), (False, 1)):
            outbox.begin_sending(conn, [row], NOW, LEASE)
            outbox.again(conn, row, NOW, "later", throttled=throttled)
            assert conn.execute(sa.select(outbox.outbox.c.attempts)).scalar_one() == attempts
        assert seed.statuses(conn) == {row: "queued"}

    await database.write(scene)


async def test_a_passive_reply_moves_once(database: Database) -> None:
    def scene(conn: sa.Connection) -> None:
        row = seed.say(
            conn, seed.person(conn, "ann", NOW), NOW, route="passive", status="sending", lease_until=NOW + LEASE
        )
        outbox.passive_to_push(conn, [row], NOW)
        assert seed.statuses(conn) == {row: "queued"}
        outbox.begin_sending(conn, [row], NOW, LEASE)
        outbox.passive_to_push(conn, [row], NOW)
        assert seed.statuses(conn) == {row: "sending"}

    await database.write(scene)


async def test_what_waited_for_the_resident_goes_when_they_write(database: Database) -> None:
    def scene(conn: sa.Connection) -> None:
        ann, bob = seed.person(conn, "ann", NOW), seed.person(conn, "bob", NOW)
        mine, theirs = seed.say(conn, ann, NOW, status="waiting"), seed.say(conn, bob, NOW, status="waiting")
        assert outbox.unpark(conn, [(ann["conversation_id"], ann["id"])], NOW) == 1
        assert seed.statuses(conn) == {mine: "queued", theirs: "waiting"}

    await database.write(scene)


async def test_a_round_of_results_is_written_together(database: Database) -> None:
    def scene(conn: sa.Connection) -> None:
        people = [seed.person(conn, f"p{n}", NOW) for n in range(4)]
        named = [seed.say(conn, who, NOW, status="sending") for who in people[:2]]
        nameless = [seed.say(conn, who, NOW, status="sending") for who in people[2:]]
        late = seed.say(conn, people[0], NOW, status="delivered")
        outbox.accepted(
            conn, [*((row, f"p-{row}") for row in named), *((row, None) for row in nameless), (late, None)], NOW
        )
        assert seed.statuses(conn) == {**dict.fromkeys((*named, *nameless), "accepted"), late: "delivered"}

    await database.write(scene)
