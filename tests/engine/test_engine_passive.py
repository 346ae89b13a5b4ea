"""The passive reply: written, not written, or nobody knows (design.md section 5)."""

import asyncio
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from bot.store.outbox import DIALOGUE, EMERGENCY
from tests.engine import kit
from tests.engine.kit import HELLO, MESSAGE_IDS, REPORT, Kit, content, nobody_writes, openid, under_way
from tests.support.clock import StoppedClock

LEASE = timedelta(seconds=25)


async def test_the_mark_rides_in_the_next_batch(desk: Kit) -> None:
    one, two = openid(), openid()
    await desk.push(one, HELLO)
    assert await desk.statuses(one) == ["sending"]
    await desk.push(two, HELLO)
    assert await desk.statuses(one) == ["accepted"]
    assert await desk.statuses(two) == ["sending"]


async def test_a_mark_without_a_batch_is_written_by_itself_and_lets_out_what_is_behind(desk: Kit) -> None:
    who = openid()
    await desk.push(who, HELLO)
    (first,) = await desk.said(who)
    behind = {**first, "id": first["identity_id"], "conversation_id": first["conversation_id"], "address": who}
    await desk.queue(behind, "第二段", identity_id=first["identity_id"])
    assert await desk.statuses(who) == ["sending", "queued"]
    desk.pass_time(seconds=0.3)
    await desk.until_said(who, "accepted", "accepted")
    assert desk.sends(who) == ["第二段"]


async def test_a_reply_whose_connection_is_gone_goes_the_other_way_once(desk: Kit, database_url: str) -> None:
    who, number = openid(), next(MESSAGE_IDS)
    async with nobody_writes(database_url):
        await _write_and_leave(desk, desk.body(who, REPORT, number))
    await desk.until_said(who, "sending")
    desk.pass_time(seconds=0.3)
    (row,) = await desk.until_said(who, "accepted")
    assert (row["route"], desk.sends(who)) == ("push", [row["text"]])


async def test_a_reply_that_a_repeat_could_write_goes_no_other_way(desk: Kit, database_url: str) -> None:
    """The platform gave the first request up; the repeat, which is still there, gets the text."""
    who, number = openid(), next(MESSAGE_IDS)
    async with nobody_writes(database_url):
        lanes = await desk.busy()
        await _write_and_leave(desk, desk.body(who, REPORT, number))
        repeat = desk.writing(who, REPORT, number)
        await under_way(repeat)
    assert "单号WX".encode() in content(await repeat)
    await asyncio.gather(*lanes)
    desk.pass_time(seconds=0.3)
    (row,) = await desk.until_said(who, "accepted")
    assert (row["route"], desk.sends(who)) == ("passive", [])


async def _write_and_leave(desk: Kit, body: bytes) -> None:
    """Send a request and close the connection before the answer."""
    address = urlsplit(desk.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    target = f"{address.path}?{urlencode(desk.platform.signed_query())}"
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    await under_way(asyncio.create_task(reader.read()))
    writer.transport.abort()
    await asyncio.wait({asyncio.create_task(writer.wait_closed())})


async def test_a_lease_that_ends_makes_the_row_unknown_and_repeats_what_is_owed_once(desk: Kit) -> None:
    """The process died before the answer: advice in danger and case numbers are sent once more, the rest is shown."""
    cases = [
        # kind, lane, how often it is sent once more
        ("answer", DIALOGUE, 0),
        ("recorded", DIALOGUE, 1),
        ("advice", EMERGENCY, 1),
    ]
    sending = {"route": "passive", "status": "sending", "attempts": 1, "lease_until": desk.clock.now() + LEASE}
    people = []
    for kind, lane, again in cases:
        who = await desk.known()
        people.append((who["address"], kind, again))
        await desk.queue(who, kind, kind=kind, lane=lane, **sending)
    desk.pass_time(seconds=26)
    for address, kind, again in people:
        rows = await desk.until_said(address, "unknown", *["accepted"] * again)
        assert [row["origin_id"] for row in rows[1:]] == [rows[0]["id"]] * again
        assert desk.sends(address) == [kind] * again


async def test_what_was_repeated_once_is_not_repeated_again(desk: Kit) -> None:
    who = await desk.known()
    first = await desk.queue(who, REPORT, kind="recorded", status="unknown")
    lost = {"status": "sending", "attempts": 1, "lease_until": desk.clock.now() + LEASE}
    await desk.queue(who, REPORT, kind="recorded", origin_id=first, **lost)
    desk.pass_time(seconds=31)
    await desk.until_said(who["address"], "unknown", "unknown")
    assert desk.sends(who["address"]) == []


async def test_a_mark_that_cannot_be_written_holds_up_no_message(postgres_url: str, clock: StoppedClock) -> None:
    """Somebody else holds the row longer than we wait: the batch goes on without the mark, which is written later."""
    async with kit.opened(postgres_url, clock) as desk:
        one, two = openid(), openid()
        await desk.push(one, HELLO)
        (row,) = await desk.said(one)
        async with kit.raw_connection(postgres_url) as raw, raw.transaction():
            await raw.execute("SELECT id FROM outbox WHERE id = $1 FOR UPDATE", row["id"])
            assert (await desk.push(two, REPORT)).result == "reply"
            assert await desk.statuses(one) == ["sending"]
        desk.pass_time(seconds=3)
        await desk.until_said(one, "accepted")
        await desk.until_said(two, "accepted")
