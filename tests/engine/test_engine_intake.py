"""Laws 1, 3 and 12: stored before it is answered, once, in order; what fails is kept and told."""

import asyncio
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from prometheus_client import REGISTRY

from bot.store import alarms
from bot.store.messages import messages
from bot.world import World
from intents.reader import Reader
from tests.engine import kit
from tests.engine.kit import (
    HELLO,
    MESSAGE_IDS,
    PHONE,
    QUESTION,
    REPORT,
    SUCCESS,
    Kit,
    content,
    nobody_writes,
    openid,
    under_way,
)
from tests.support.clock import StoppedClock


async def test_nothing_is_answered_before_it_is_stored(desk: Kit, database_url: str) -> None:
    who = openid()
    async with nobody_writes(database_url):
        request = desk.writing(who, HELLO)
        await under_way(request)
        assert await desk.count(messages) == 0
    status, answer = await request
    assert (status, b"<Content>" in answer) == (200, True)
    assert [row["status"] for row in await desk.heard(who)] == ["turned"]


async def test_repeats_get_the_answer_of_the_first(desk: Kit, database_url: str) -> None:
    """While the first is running, in the batch of the first, and afterwards."""
    first, second = openid(), openid()
    one, two = next(MESSAGE_IDS), next(MESSAGE_IDS)
    async with nobody_writes(database_url):
        begun = desk.writing(first, REPORT, one)
        await under_way(begun)
        lanes = await desk.busy(1)
        running = [desk.writing(first, REPORT, one) for _ in range(2)]
        together = [desk.writing(second, REPORT, two) for _ in range(3)]
        await under_way(*running, *together)
    answers = await asyncio.gather(begun, *running)
    assert len(set(answers)) == 1
    assert "单号WX".encode() in answers[0][1]
    assert len({await request for request in together}) == 1
    await asyncio.gather(*lanes)
    assert await desk.write_as(first, REPORT, one) == answers[0]
    for who in (first, second):
        assert len(await desk.heard(who)) == 1
    desk.pass_time(seconds=1)
    for who in (first, second):
        assert await desk.until_said(who, "accepted")
        assert desk.sends(who) == []


async def test_the_stored_answer_is_given_within_the_replay_window_only(desk: Kit) -> None:
    who, number = openid(), next(MESSAGE_IDS)
    body, query = desk.body(who, REPORT, number), desk.platform.signed_query(who)
    first = await desk.post(body, query)
    desk.pass_time(minutes=9)
    assert content(await desk.post(body, query)) == content(first)
    desk.pass_time(minutes=2)
    assert await desk.post(body, query) == (403, b"not authorised")
    assert content(await desk.post(body)) == content(first), "signed anew it is a late repeat"
    assert len(await desk.heard(who)) == 1


async def test_the_same_number_at_another_account_is_another_message(desk: Kit) -> None:
    who, number = openid(), next(MESSAGE_IDS)
    await desk.write_as(who, HELLO, number)
    desk.url = desk.url.replace("/main", "/other")
    await desk.write_as(who, HELLO, number)
    assert [row["account"] for row in await desk.heard(who)] == ["main", "other"]


async def test_messages_of_one_person_are_turned_in_order_those_of_many_together(desk: Kit, database_url: str) -> None:
    one, others = openid(), [openid() for _ in range(5)]
    texts = [f"{HELLO}，第{number}句" for number in range(3)]
    async with nobody_writes(database_url):
        lanes = await desk.busy()
        before = _batches()
        mine = []
        for text in texts:
            mine.append(desk.writing(one, text))
            await under_way(mine[-1])
        theirs = [desk.writing(who, HELLO) for who in others]
        await under_way(*theirs)
    await asyncio.gather(*lanes, *mine, *theirs)
    heard = await desk.heard(one)
    assert [row["text"] for row in heard] == texts
    assert [row["status"] for row in heard] == ["turned"] * 3
    said = await desk.said(one)
    assert [row["reply_to"] for row in said] == [row["id"] for row in heard]
    assert _batches() - before <= 5, "ten messages: what waits together is one batch"


def _batches() -> float:
    return REGISTRY.get_sample_value("frontdesk_batch_messages_count") or 0.0


async def test_a_conversation_held_elsewhere_is_stored_now_and_turned_later(
    postgres_url: str, clock: StoppedClock
) -> None:
    async with kit.opened(postgres_url, clock) as desk:
        who = openid()
        await desk.write_as(who, HELLO)
        async with kit.holding(postgres_url, [await desk.conversation(who)]):
            assert await desk.write_as(who, REPORT) == SUCCESS
            assert await desk.write_as(who, QUESTION) == SUCCESS
            assert [row["status"] for row in await desk.heard(who)] == ["turned", "stored", "stored"]
        desk.pass_time(seconds=1)
        said = await _next_looks(desk, who, 3)
        heard = await desk.heard(who)
        assert [row["status"] for row in heard] == ["turned"] * 3
        assert "单号WX" in said[1]["text"]
        assert len(desk.sends(who)) == 2


async def _next_looks(desk: Kit, who: str, count: int) -> list[dict[str, Any]]:
    """Let the scheduler look again until so many things were said and accepted."""
    async with asyncio.timeout(kit.WAIT_S):
        while (await desk.statuses(who)) != ["accepted"] * count:
            desk.pass_time(seconds=1)
            await asyncio.wait({asyncio.create_task(desk.quiet())}, timeout=0.05)
    return await desk.said(who)


# -- a turn that fails


async def test_a_turn_that_raises_is_kept_told_and_stops_no_other(database_url: str, clock: StoppedClock) -> None:
    broken = kit.breaking(lambda question: ValueError(f"{question} {PHONE}"))
    async with kit.opened(database_url, clock, change=broken) as desk:
        who, other = openid(), openid()
        async with nobody_writes(database_url):
            lanes = await desk.busy()
            failing, fine = desk.writing(who, QUESTION), desk.writing(other, REPORT)
            await under_way(failing, fine)
        await asyncio.gather(*lanes)
        status, answer = await failing
        assert status == 200
        assert b"ValueError" not in answer
        assert "单号WX".encode() in (await fine)[1]
        assert [row["status"] for row in await desk.heard(who)] == ["failed"]
        (apology,) = await desk.said(who)
        assert (apology["kind"], apology["text"].encode() in answer) == ("apology", True)
        assert [row["kind"] for row in await desk.rows(alarms.alarms)].count("failed_turn") == 1


class _BrokenReader(Reader):
    def read_all(self, texts: Any, now: Any, communities: Any = None) -> Any:
        if any(REPORT in text for text in texts):
            raise RuntimeError(PHONE)
        return kit.reader().read_all(texts, now, communities)

    def read(self, text: Any, now: Any, communities: Any = None) -> Any:
        return kit.reader().read(text, now, communities)


def _no_reader(world: World) -> World:
    return replace(world, reader=object.__new__(_BrokenReader))


async def test_a_text_that_breaks_the_reader_is_kept_as_failed(database_url: str, clock: StoppedClock) -> None:
    async with kit.opened(database_url, clock, change=_no_reader) as desk:
        who = openid()
        status, _ = await desk.write_as(who, REPORT)
        assert status == 200
        assert [row["status"] for row in await desk.heard(who)] == ["failed"]
        assert [row["kind"] for row in await desk.said(who)] == ["apology"]
        assert [row["kind"] for row in await desk.rows(alarms.alarms)].count("failed_turn") == 1


async def test_a_turn_that_the_database_refuses_is_stored_then_failed_and_told(
    database_url: str, clock: StoppedClock
) -> None:
    """Such a message is acknowledged and kept, and holds up neither its batch nor those stored after it."""
    refused = kit.breaking(lambda question: sa.exc.DataError("", {}, ValueError(question)))
    async with kit.opened(database_url, clock, change=refused) as desk:
        who, other = openid(), openid()
        async with nobody_writes(database_url):
            lanes = await desk.busy()
            failing, fine = desk.writing(who, QUESTION), desk.writing(other, REPORT)
            await under_way(failing, fine)
        await asyncio.gather(*lanes)
        assert await failing == SUCCESS
        assert "单号WX".encode() in (await fine)[1]
        await desk.until_said(who, "accepted")
        assert [row["status"] for row in await desk.heard(who)] == ["failed"]
        assert len(desk.sends(who)) == 1
        assert [row["kind"] for row in await desk.rows(alarms.alarms)].count("failed_turn") == 1


# -- time


async def test_past_the_budget_a_message_is_stored_alone_and_turned_in_order(desk: Kit, database_url: str) -> None:
    who = openid()
    async with nobody_writes(database_url):
        lanes = await desk.busy()
        first = desk.writing(who, REPORT)
        await under_way(first)
        second = desk.writing(who, QUESTION)
        await under_way(second)
        desk.pass_time(seconds=3)
    assert [await first, await second] == [SUCCESS, SUCCESS]
    await asyncio.gather(*lanes)
    said = await _next_looks(desk, who, 2)
    heard = await desk.heard(who)
    assert [row["status"] for row in heard] == ["turned", "turned"]
    assert [row["text"] for row in heard] == [REPORT, QUESTION]
    assert ["单号WX" in row["text"] for row in said] == [True, False]
    assert [text for _, text in desk.seen(who)] == [row["text"] for row in said]
    assert {row["route"] for row in said} == {"push"}


async def test_after_the_answer_time_the_reply_goes_the_other_way_once(desk: Kit, database_url: str) -> None:
    who, number = openid(), next(MESSAGE_IDS)
    async with nobody_writes(database_url):
        request = desk.writing(who, REPORT, number)
        await under_way(request)
        desk.pass_time(seconds=4.5)
        await under_way(request)
    assert await request == SUCCESS
    desk.pass_time(seconds=1)
    (row,) = await desk.until_said(who, "accepted")
    assert (row["route"], desk.sends(who)) == ("push", [row["text"]])
    assert await desk.write_as(who, REPORT, number) == SUCCESS, "a repeat after the move never gets the text again"


async def test_what_is_not_durable_in_time_is_not_acknowledged(desk: Kit, database_url: str) -> None:
    who, number = openid(), next(MESSAGE_IDS)
    async with nobody_writes(database_url):
        request = desk.writing(who, REPORT, number)
        await under_way(request)
        desk.pass_time(seconds=6)
        assert (await request)[0] == 503
    assert await desk.write_as(who, REPORT, number) == SUCCESS
    desk.pass_time(seconds=1)
    (row,) = await desk.until_said(who, "accepted")
    assert (row["route"], desk.sends(who)) == ("push", [row["text"]])
