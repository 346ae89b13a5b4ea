"""Delivery: what each answer of the provider means, in which order rows go out, and what is not even tried."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store import alarms, outbox, residents
from bot.store.base import Row, mappings
from bot.store.outbox import DIALOGUE, EMERGENCY, NOTICE, PROGRESS
from tests.engine import kit
from tests.engine.kit import HELLO, OTHER, Kit
from tests.support import seed
from tests.support.clock import StoppedClock


@dataclass(frozen=True)
class Case:
    """What the provider does, and what becomes of the row."""

    name: str
    status: str
    script: dict[str, Any] = field(default_factory=dict)
    attempts: int = 1
    due_s: float = 0
    task: bool = False
    alarm: bool = False
    reachable: bool = True
    seen: bool = False
    calls: int = 1
    again: bool = False
    row: dict[str, Any] = field(default_factory=dict)


def code(errcode: int, times: int = 1) -> dict[str, Any]:
    return {"errcode": errcode, "times": times}


CASES = [
    Case("taken", "accepted", seen=True),
    Case("window closed", "waiting", code(45015), task=True),
    Case("quota used up", "waiting", code(45047), task=True),
    Case("a notice is not phoned about", "waiting", code(45015), row={"lane": NOTICE, "kind": "notice"}),
    Case("left", "failed", code(43004), task=True, reachable=False),
    Case("refuses messages", "failed", code(48002), task=True, reachable=False),
    Case("per-minute limit", "queued", code(45011), attempts=0, due_s=60),
    Case("too frequent to one person", "queued", code(43117), attempts=0, due_s=300),
    Case("token refused once", "accepted", code(40001), seen=True, calls=2),
    Case("token expired once", "accepted", code(42001), seen=True, calls=2),
    Case("token refused twice", "queued", code(40001, 2), attempts=0, due_s=300, alarm=True, calls=2),
    Case("not in the white list", "queued", code(40164), attempts=0, due_s=300, alarm=True),
    Case("daily quota", "queued", code(45009), attempts=0, due_s=300, alarm=True),
    Case("system busy", "unknown", code(-1)),
    Case("system busy, a case number", "unknown", code(-1), again=True, calls=2, row={"kind": "recorded"}, seen=True),
    Case("system busy, advice", "unknown", code(-1), again=True, calls=2, row={"lane": EMERGENCY}, seen=True),
    Case("not an openid", "failed", code(40003), task=True),
    Case("too long", "failed", code(45002), task=True),
    Case("a code nobody knows", "failed", code(99999), task=True),
    Case("a proxy's page", "queued", {"html": True}, due_s=2),
    Case("HTTP 500", "queued", {"status": 500}, due_s=2),
    Case("cut before", "unknown", {"cut": "before"}),
    Case("cut after", "unknown", {"cut": "after"}, seen=True),
    Case("hangs before", "unknown", {"hang": "before"}),
    Case("hangs after", "unknown", {"hang": "after"}, seen=True),
]


async def test_what_each_answer_means(database_url: str, clock: StoppedClock) -> None:
    async with kit.opened(database_url, clock, send_within_s=0.4) as desk:
        for case in CASES:
            await _check(desk, case)


async def _check(desk: Kit, case: Case) -> None:
    person = await desk.known()
    who, now, before = person["address"], desk.clock.now(), await desk.count(alarms.alarms)
    if case.script:
        desk.platform.script("custom/send", **case.script)
    row_id = await desk.queue(person, case.name, **case.row)
    row = await desk.until(lambda conn: _tried(conn, who))
    assert (case.name, row["status"], row["attempts"]) == (case.name, case.status, case.attempts)
    if case.status == "queued":
        assert (case.name, row["due_at"] - now) == (case.name, timedelta(seconds=case.due_s))
    tasks = await desk.rows(alarms.call_tasks, alarms.call_tasks.c.conversation_id == person["conversation_id"])
    assert (case.name, len(tasks)) == (case.name, int(case.task))
    # The alarm of a day is raised once an account, however many rows meet it.
    standing = await desk.rows(alarms.alarms)
    assert (case.name, len(standing) > 0 if case.alarm else len(standing)) == (case.name, case.alarm or before)
    identity = await desk.row(residents.identities, residents.identities.c.id == person["id"])
    assert (case.name, identity["reachable"]) == (case.name, case.reachable)
    if case.again:
        rows = await desk.until_said(who, "unknown", "accepted")
        assert rows[1]["origin_id"] == row_id
    assert (case.name, len(desk.seen(who)), len(desk.sends(who)) <= case.calls) == (case.name, int(case.seen), True)
    assert desk.platform.unused_scripts() == [], case.name
    await _tidy(desk, who)


def _tried(conn: sa.Connection, who: str) -> Row | None:
    found = mappings(conn, sa.select(outbox.outbox).where(outbox.outbox.c.address == who).order_by(outbox.outbox.c.id))
    settled = found and found[0]["status"] != "sending" and (found[0]["status"] != "queued" or found[0]["error"])
    return found[0] if settled else None


async def _tidy(desk: Kit, who: str) -> None:
    """Nothing of a case is left to the next; an account that paused goes on."""
    mine = sa.update(outbox.outbox).where(outbox.outbox.c.address == who, outbox.outbox.c.status == "queued")
    await desk.database.write(lambda conn: conn.execute(mine.values(status="cancelled")).rowcount)
    desk.pass_time(minutes=6)


PAUSES = (2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600)


async def test_retries_wait_longer_each_time_and_the_desk_is_told(desk: Kit) -> None:
    who = await desk.known()
    desk.platform.script("custom/send", html=True, times=len(PAUSES))
    row_id = await desk.queue(who, HELLO)
    for attempt, seconds in enumerate(PAUSES, 1):
        row = await desk.until(lambda conn, attempt=attempt: _after(conn, row_id, "queued", attempt))  # type: ignore[misc]
        assert row["due_at"] - desk.clock.now() == timedelta(seconds=seconds)
        tasks, standing = await desk.rows(alarms.call_tasks), await desk.rows(alarms.alarms)
        told = [HELLO] if attempt >= 6 else []
        assert ([task["text"] for task in tasks], [alarm["kind"] for alarm in standing]) == (
            told,
            ["channel"] * len(told),
        )
        desk.pass_time(seconds=seconds)
    await desk.until(lambda conn: _after(conn, row_id, "accepted", len(PAUSES) + 1))
    [task], [alarm] = await desk.rows(alarms.call_tasks), await desk.rows(alarms.alarms)
    assert (task["state"], alarm["closed_at"]) == ("done", desk.clock.now())


async def test_what_cannot_be_sent_for_a_day_ends_with_a_person(desk: Kit) -> None:
    who = await desk.known()
    desk.platform.script("custom/send", html=True, times=2)
    row_id = await desk.queue(who, HELLO)
    await desk.until(lambda conn: _after(conn, row_id, "queued", 1))
    desk.pass_time(hours=24)
    await desk.until(lambda conn: _after(conn, row_id, "failed", 2))
    assert [task["text"] for task in await desk.rows(alarms.call_tasks)] == [HELLO]


def _after(conn: sa.Connection, row_id: object, status: str, attempts: int) -> Row | None:
    mine = sa.select(outbox.outbox).where(
        outbox.outbox.c.id == row_id, outbox.outbox.c.status == status, outbox.outbox.c.attempts == attempts
    )
    return next(iter(mappings(conn, mine)), None)


async def test_one_recipient_hears_in_order_and_higher_lanes_first(database_url: str, clock: StoppedClock) -> None:
    async with kit.opened(database_url, clock, idle=True, parallel=1) as desk:
        ann, bob = await desk.known(), await desk.known()
        for text, lane in (
            ("进度", PROGRESS),
            ("一", DIALOGUE),
            ("二", DIALOGUE),
            ("通知", NOTICE),
            ("危险", EMERGENCY),
        ):
            await desk.queue(ann, text, lane=lane)
        await desk.queue(bob, "三")
        desk.delivery.start()
        await desk.until_said(ann["address"], *["accepted"] * 6)
        assert desk.sends(ann["address"]) == ["危险", "一", "二", "进度\n通知"]
        assert desk.sends(bob["address"]) == ["三"]


async def test_a_code_that_is_over_is_told_to_nobody(database_url: str, clock: StoppedClock) -> None:
    async with kit.opened(database_url, clock, idle=True) as desk:
        ann = await desk.known()
        await desk.queue(ann, "验证码482913", expires_at=clock.now())
        await desk.queue(ann, "一", expires_at=clock.now() + timedelta(minutes=1))
        desk.delivery.start()
        await desk.until_said(ann["address"], "expired", "accepted")
        assert desk.sends(ann["address"]) == ["一"]


async def test_a_row_that_is_retried_holds_its_lane_and_no_other(desk: Kit) -> None:
    ann = await desk.known()
    desk.platform.script("custom/send", html=True)
    await desk.queue(ann, "一")
    await desk.until(lambda conn: _tried(conn, ann["address"]))
    await desk.queue(ann, "二")
    await desk.queue(ann, "进度", lane=PROGRESS)
    await desk.until_said(ann["address"], "queued", "queued", "accepted")
    desk.pass_time(seconds=2)
    await desk.until_said(ann["address"], "accepted", "accepted", "accepted")
    assert desk.sends(ann["address"]) == ["一", "进度", "一", "二"]


async def test_what_the_ledger_holds_back_is_not_tried_and_goes_when_the_resident_writes(desk: Kit) -> None:
    person = await desk.known()
    who, texts = person["address"], [f"第{number}句" for number in range(7)]
    for text in texts:
        await desk.queue(person, text)
    await desk.until_said(who, *["accepted"] * 5, "waiting", "waiting")
    assert desk.sends(who) == texts[:5]
    desk.pass_time(seconds=1)
    await desk.push(who, HELLO)
    desk.pass_time(seconds=1)
    await desk.until_said(who, *["accepted"] * 8)
    assert desk.sends(who) == texts

    desk.pass_time(hours=48, seconds=1)
    await desk.queue(person, "太晚了")
    await desk.until_said(who, *["accepted"] * 8, "waiting")
    assert desk.sends(who) == texts
    await desk.push(who, HELLO)
    desk.pass_time(seconds=1)
    await desk.until_said(who, *["accepted"] * 10)
    assert desk.sends(who) == [*texts, "太晚了"]


@pytest.mark.parametrize("errcode", [40164])
async def test_a_wrong_credential_pauses_its_account_only(desk: Kit, errcode: int) -> None:
    ann, bob, cat = await desk.known(), await desk.known(), await desk.known()
    desk.platform.script("custom/send", errcode=errcode)
    await desk.queue(ann, "一")
    await desk.until(lambda conn: _tried(conn, ann["address"]))
    await desk.queue(bob, "二")
    await desk.queue(cat, "三", account=OTHER[1])
    await desk.until_said(cat["address"], "accepted")
    assert await desk.statuses(bob["address"]) == ["queued"]
    assert desk.sends(bob["address"]) == []
    desk.pass_time(minutes=5, seconds=1)
    await desk.until_said(ann["address"], "accepted")
    await desk.until_said(bob["address"], "accepted")


async def test_a_row_of_an_account_that_is_not_configured_waits_with_an_alarm(desk: Kit) -> None:
    ann = await desk.known()
    await desk.queue(ann, "一", account="gone")
    row = await desk.until(lambda conn: _tried(conn, ann["address"]))
    assert row["status"] == "queued"
    assert "wechat/gone" in (await desk.row(alarms.alarms))["summary"]


async def test_lanes_that_go_together_do_not_overdraw_the_window(database_url: str, clock: StoppedClock) -> None:
    async with kit.opened(database_url, clock, idle=True) as desk:
        ann = await desk.known()
        for number in range(4):
            await desk.queue(ann, f"已发{number}", status="accepted", sent_at=desk.clock.now())
        for lane in (EMERGENCY, DIALOGUE, PROGRESS):
            await desk.queue(ann, f"道{lane}", lane=lane)
        desk.delivery.start()
        await desk.until_said(ann["address"], *["accepted"] * 5, "waiting", "waiting")
        assert desk.sends(ann["address"]) == ["道0"]


LEDGER = (
    # What happens, and how many of the texts go out. m: a message, c: a click, f: follows, s: scans a code, x: a text
    # of ours, a number: so many seconds pass.
    ("five after a message", "m xxxxxx", 5),
    ("three after a click", "c xxxx", 3),
    ("three after a follow", "f xxxx", 3),
    ("three after a scan", "s xxxx", 3),
    ("none a minute after a click", "c 61 x", 0),
    ("none before anything", "x", 0),
    ("a click opens no 48 hours", "c 3600 x", 0),
    ("a later click counts anew", "c xxx 30 c xxxx", 6),
    ("a click inside the window adds to it", "m xx 10 c xxxxxxx", 8),
    ("a click long ago still explains what went then", "m xx 10 c xxx 120 xxxx", 8),
    ("a message counts anew", "m xxxxx 5 m xxxxxx", 10),
    ("after 48 hours a click opens a minute", "m 172801 c xxxx", 3),
    ("a look at a page opens nothing", "v x", 0),
)


@pytest.mark.parametrize(("name", "story", "going"), LEDGER, ids=[name for name, _, _ in LEDGER])
async def test_the_ledger_knows_before_the_platform_is_asked(
    database_url: str, clock: StoppedClock, name: str, story: str, going: int
) -> None:
    async with kit.opened(database_url, clock, idle=True) as desk:
        ann = await desk.database.write(lambda conn: seed.person(conn, kit.openid(), clock.now()))
        who, texts = ann["address"], 0
        desk.delivery.start()
        for step in story.split():
            if step.isdigit():
                desk.pass_time(seconds=int(step))
            elif step.startswith("x"):
                for _ in step:
                    texts += 1
                    await desk.queue(ann, f"第{texts}条")
                    await desk.until(lambda conn, texts=texts: _at_rest(conn, who, texts))  # type: ignore[misc]
            else:
                await _happens(desk, ann, step)
        statuses = await desk.statuses(who)
        assert (name, statuses.count("accepted")) == (name, going)
        assert statuses.count("waiting") == texts - going
        assert len(desk.sends(who)) == going, "the platform refused nothing"


async def _happens(desk: Kit, ann: Row, step: str) -> None:
    """Something that the resident does, as the platform counts it, and as it is stored."""
    kind = {"m": "text", "c": "menu_click", "f": "followed", "s": "scanned"}.get(step)
    window = desk.platform.phone(ann["address"]).window
    if kind is None:
        await desk.platform.push_event(ann["address"], "VIEW", "https://example.com/")
        return
    (window.wrote if kind == "text" else window.touched)(desk.clock.now())
    await desk.database.write(seed.heard, ann, desk.clock.now(), kind)


def _at_rest(conn: sa.Connection, who: str, texts: int) -> bool:
    mine = sa.select(outbox.outbox.c.status).where(outbox.outbox.c.address == who)
    statuses = list(conn.execute(mine).scalars())
    return len(statuses) == texts and not {"queued", "sending"} & set(statuses)
