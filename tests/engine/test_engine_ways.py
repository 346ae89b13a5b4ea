"""The ways of a text: what is tried after what, with which words, and who hears of it when none is left (law 7)."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from msgspec import structs

from bot.engine import fallback, results
from bot.engine.results import Sent
from bot.store import alarms, outbox, residents
from bot.store.base import Row
from bot.store.outbox import DIALOGUE, EMERGENCY, PROGRESS
from channels.errors import WindowClosed
from channels.wechat import WeChat
from tests.engine import ways_kit
from tests.engine.kit import HELLO
from tests.engine.ways_kit import Ways
from tests.support.clock import MONDAY, StoppedClock

VISIT = "李师傅今天15点到16点来修厨房水管，到前会打电话。"
SLOT: dict[str, Any] = {
    "text": VISIT, "lane": PROGRESS, "kind": "visit", "moment": "slot",
    "values": {"number": "WX20261123-0001", "visit": "李师傅今天15点到16点"},
}  # fmt: skip
SHORT = "单号0001：李师傅今天15点到16点上门。改时间请打24小时电话。"
ANSWER: dict[str, Any] = {"text": "暂住证改叫居住证，带身份证去前台办。"}
DANGER: dict[str, Any] = {
    "text": "先关总水阀。我正在叫值班人员。",
    "lane": EMERGENCY,
    "moment": "danger_at_once",
    "values": {},
}
WAITS = "您问的事情有答复了，请打开微信公众号查看，或打24小时电话。"
DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Story:
    """What is said, what the provider of the first way answers, and how it goes on."""

    name: str
    says: dict[str, Any]
    errcode: int
    went: tuple[str, ...]
    sms: tuple[str, ...] = ()
    telegram: bool = False
    phone: bool = True
    provisional: bool = False
    sms_code: str = ""
    task: timedelta | None = None
    reason: str = ""
    reachable: bool = True
    resident: dict[str, Any] = field(default_factory=dict)


STORIES = (
    Story("closed window, the approved text goes", SLOT, 45015, ("wechat cancelled", "sms accepted"), (SHORT,)),
    Story("quota used up, the same", SLOT, 45047, ("wechat cancelled", "sms accepted"), (SHORT,)),
    Story("left, the same", SLOT, 43004, ("wechat failed", "sms accepted"), (SHORT,), reachable=False),
    Story("refused for good, the same", SLOT, 45002, ("wechat failed", "sms accepted"), (SHORT,)),
    Story("a free way comes before a paid one", SLOT, 45015, ("wechat cancelled", "telegram accepted"), telegram=True),
    Story(
        "the paid one is preferred", SLOT, 45015, ("wechat cancelled", "sms accepted"), (SHORT,), telegram=True,
        resident={"preferred_channel": "sms"},
    ),
    Story("any text goes by Telegram", ANSWER, 45015, ("wechat cancelled", "telegram accepted"), telegram=True),
    Story("no approved text: it waits", ANSWER, 45015, ("wechat waiting", "sms accepted"), (WAITS,), task=DAY,
          reason="45015"),
    Story("no phone: a person calls", SLOT, 45015, ("wechat waiting",), phone=False, task=timedelta(), reason="45015"),
    Story("a number that nobody has checked", SLOT, 45015, ("wechat waiting",), provisional=True, task=timedelta(),
          reason="45015"),
    Story("left, no approved text", ANSWER, 43004, ("wechat failed",), task=timedelta(), reason="43004",
          reachable=False),
    Story("the second way fails, too", SLOT, 45015, ("wechat cancelled", "sms failed", "wechat waiting"),
          sms_code="FailedOperation.PhoneNumberInBlacklist", task=timedelta(), reason="Blacklist"),
    Story("in danger nobody waits for a window", DANGER, 45015, ("wechat cancelled", "sms accepted"),
          ("您报的险情已收到，正在通知值班人员。请先保证人身安全，有火情烟气请打119。",)),
    Story("in danger nobody waits for a slow platform", DANGER, 45011, ("wechat cancelled", "sms accepted"),
          ("您报的险情已收到，正在通知值班人员。请先保证人身安全，有火情烟气请打119。",)),
    Story("in danger and nothing is left", {**DANGER, "moment": None}, 45015, ("wechat waiting",), task=timedelta(),
          reason="45015"),
    Story("a wish for no notices stops no order", SLOT, 45015, ("wechat cancelled", "sms accepted"), (SHORT,),
          resident={"stopped_at": MONDAY}),
)  # fmt: skip


async def test_what_follows_when_a_way_does_not_carry_a_text(database_url: str, clock: StoppedClock) -> None:
    async with ways_kit.opened(database_url, clock) as ways:
        for number, story in enumerate(STORIES, 1):
            await _check(ways, story, number)


async def _check(ways: Ways, story: Story, number: int) -> None:
    desk, phone = ways.desk, ways.number()
    given = {"provisional": story.provisional, **story.resident}
    person = await ways.resident(phone if story.phone else "", **given)
    if story.telegram:
        await ways.telegram_of(person, number)
    desk.platform.script("custom/send", errcode=story.errcode)
    if story.sms_code:
        ways.gateway.script("SendSms", code=story.sms_code)
    first = await desk.queue(person, **story.says)
    rows = await ways.until(person, *story.went)
    origins = [row["origin_id"] for row in rows if row["kind"] != "answer_waits"]
    assert (story.name, origins) == (story.name, [None] + [first] * (len(origins) - 1))
    assert str(story.errcode) in rows[0]["error"], story.name
    assert (story.name, ways.texts(phone)) == (story.name, list(story.sms))
    if story.telegram and not story.sms:
        assert ways.telegram.phone(number).received() == [story.says["text"]]
    tasks = await ways.tasks(person)
    due = [task["due_at"] - desk.clock.now() for task in tasks]
    assert (story.name, due) == (story.name, [] if story.task is None else [story.task])
    assert all(story.reason in task["reason"] and task["text"] == story.says["text"] for task in tasks), story.name
    identity = await desk.row(residents.identities, residents.identities.c.id == person["id"])
    assert (story.name, identity["reachable"]) == (story.name, story.reachable)
    assert desk.platform.unused_scripts() == ways.gateway.unused_scripts() == [], story.name


async def test_an_answer_that_waits_comes_once_when_the_resident_writes(database_url: str, clock: StoppedClock) -> None:
    async with ways_kit.opened(database_url, clock) as ways:
        desk, phone = ways.desk, ways.number()
        person = await ways.resident(phone)
        desk.pass_time(hours=48, seconds=1)
        await desk.queue(person, **ANSWER)
        await ways.until(person, "wechat waiting", "sms accepted")
        await desk.queue(person, "还有一句。")
        await ways.until(person, "wechat waiting", "sms accepted", "wechat waiting")
        assert ways.texts(phone) == [WAITS], "told once until they have written"
        assert desk.sends(person["address"]) == [], "the ledger knew"
        assert [task["due_at"] - desk.clock.now() for task in await ways.tasks(person)] == [DAY, DAY]
        await desk.push(person["address"], HELLO)
        desk.pass_time(seconds=1)
        await ways.until(person, "wechat accepted", "sms accepted", "wechat accepted", "wechat accepted")
        assert desk.sends(person["address"]) == [ANSWER["text"], "还有一句。"]
        assert {task["state"] for task in await ways.tasks(person)} == {"done"}


async def test_what_was_told_by_another_way_never_comes_again(database_url: str, clock: StoppedClock) -> None:
    async with ways_kit.opened(database_url, clock) as ways:
        desk, phone = ways.desk, ways.number()
        person = await ways.resident(phone)
        desk.pass_time(hours=49)
        await desk.queue(person, **SLOT)
        await ways.until(person, "wechat cancelled", "sms accepted")
        await desk.push(person["address"], HELLO)
        desk.pass_time(seconds=1)
        await ways.until(person, "wechat cancelled", "sms accepted", "wechat accepted")
        assert VISIT not in [text for _, text in desk.seen(person["address"])]
        assert ways.texts(phone) == [SHORT]


async def test_a_receipt_that_says_failed_leads_on(database_url: str, clock: StoppedClock) -> None:
    async with ways_kit.opened(database_url, clock) as ways:
        desk, phone = ways.desk, ways.number()
        person = await ways.resident(phone)
        desk.pass_time(hours=49)
        await desk.queue(person, **SLOT)
        await ways.until(person, "wechat cancelled", "sms accepted")
        await ways.gateway.push_receipt(ways.gateway.handed[-1], "MK:0001")
        rows = await ways.until(person, "wechat cancelled", "sms failed", "wechat waiting")
        (task,) = await ways.tasks(person)
        assert ("MK:0001" in task["reason"], task["due_at"]) == (True, desk.clock.now())
        await ways.gateway.push_receipt(ways.gateway.handed[-1], "MK:0001")
        assert len(await ways.rows(person)) == 3, "a repeat changes nothing"
        await desk.push(person["address"], HELLO)
        desk.pass_time(seconds=1)
        await ways.until(person, "wechat cancelled", "sms failed", "wechat accepted", "wechat accepted")
        assert desk.sends(person["address"]) == [VISIT]
        assert rows[2]["origin_id"] == rows[0]["id"]


async def test_whoever_blocks_one_channel_is_reached_by_another(database_url: str, clock: StoppedClock) -> None:
    async with ways_kit.opened(database_url, clock) as ways:
        person = await ways.resident()
        other = await ways.telegram_of(person, 77)
        ways.telegram.script("sendMessage", status=403, description="Forbidden: bot was blocked by the user")
        await ways.desk.queue(
            person, **ANSWER, channel="telegram", address="77", identity_id=other["id"]
        )  # fmt: skip
        await ways.until(person, "telegram failed", "wechat accepted")
        identity = await ways.desk.row(residents.identities, residents.identities.c.id == other["id"])
        assert not identity["reachable"]


async def test_what_waits_follows_the_resident_to_another_channel(database_url: str, clock: StoppedClock) -> None:
    async with ways_kit.opened(database_url, clock) as ways:
        desk = ways.desk
        person = await ways.resident()
        desk.pass_time(hours=49)
        await desk.queue(person, **ANSWER)
        await ways.until(person, "wechat waiting")
        other = {**await ways.telegram_of(person, 78), "resident_id": person["resident_id"]}
        await desk.database.write(_wrote, ways, other)
        desk.database.announce()
        rows = await ways.until(person, "wechat cancelled", "telegram accepted")
        assert rows[1]["origin_id"] == rows[0]["id"]
        assert ways.telegram.phone(78).received() == [ANSWER["text"]]


def _wrote(conn: Any, ways: Ways, identity: Row) -> None:
    fallback.resident_wrote(conn, ways.desk.worlds.current, [identity], ways.desk.clock.now())


UNKNOWN = (
    (ANSWER, ("wechat unknown",)),
    ({**SLOT, "kind": "recorded", "lane": DIALOGUE}, ("wechat unknown", "wechat unknown", "sms accepted")),
    (DANGER, ("wechat unknown", "wechat unknown", "sms accepted")),
)


async def test_an_unknown_outcome_leads_on_only_where_it_is_owed(database_url: str, clock: StoppedClock) -> None:
    async with ways_kit.opened(database_url, clock) as ways:
        for says, went in UNKNOWN:
            person = await ways.resident(ways.number())
            ways.desk.platform.script("custom/send", errcode=-1, times=went.count("wechat unknown"))
            await ways.desk.queue(person, **says)
            await ways.until(person, *went)
            assert await ways.tasks(person) == []


async def test_the_template_of_a_moment_needs_no_window(database_url: str, clock: StoppedClock) -> None:
    limits = structs.replace(WeChat.capabilities, templates=frozenset({"slot", "answer_waits"}))
    async with ways_kit.opened(database_url, clock, capabilities=limits, idle=True) as ways:
        person = await ways.resident(ways.number())
        visit, answer = await ways.desk.queue(person, **SLOT), await ways.desk.queue(person, **ANSWER)
        await ways.desk.database.write(_closed, ways)
        rows = await ways.rows(person)
        told = [(row["channel"], row["route"], row["status"], row["moment"]) for row in rows]
        assert told == [
            ("wechat", "push", "cancelled", "slot"),
            ("wechat", "push", "waiting", None),
            ("wechat", "template", "queued", "slot"),
            ("wechat", "template", "queued", "answer_waits"),
        ]
        assert [row["origin_id"] for row in rows] == [None, None, visit, None]
        assert [row["values"] for row in rows[2:]] == [SLOT["values"], {}]
        (task,) = await ways.tasks(person)
        assert task["dedupe_key"] == f"tell:{answer}"


def _closed(conn: Any, ways: Ways) -> None:
    """What the platform says of all that was claimed: the window is closed."""
    now, world = ways.desk.clock.now(), ways.desk.worlds.current
    done = [Sent(row, None, WindowClosed("errcode 45015")) for row in outbox.claim(conn, now, 10, timedelta(seconds=9))]
    assert len(done) == 2, "one of each lane"
    results.write(conn, world, done, now, world.settings.delivery)


async def test_the_night_is_not_disturbed_by_an_answer_that_waits(database_url: str, clock: StoppedClock) -> None:
    async with ways_kit.opened(database_url, clock) as ways:
        desk, phone = ways.desk, ways.number()
        person = await ways.resident(phone)
        desk.pass_time(hours=48 + 13)  # 23:00
        await desk.queue(person, **ANSWER)
        rows = await ways.until(person, "wechat waiting", "sms queued")
        local = desk.worlds.current.local(rows[1]["due_at"])
        assert (local.hour, local.minute < 30) == (8, True)
        await desk.push(person["address"], HELLO)
        desk.pass_time(seconds=1)
        rows = await ways.until(person, "wechat accepted", "sms cancelled", "wechat accepted")
        assert (ways.texts(phone), rows[1]["error"]) == ([], "the resident wrote")


async def test_a_hint_that_does_not_arrive_makes_the_call_due_now(database_url: str, clock: StoppedClock) -> None:
    async with ways_kit.opened(database_url, clock) as ways:
        desk = ways.desk
        person = await ways.resident(ways.number())
        desk.pass_time(hours=49)
        await desk.queue(person, **ANSWER)
        await ways.until(person, "wechat waiting", "sms accepted")
        desk.pass_time(minutes=3)
        await ways.gateway.push_receipt(ways.gateway.handed[-1], "MK:0001")
        await ways.until(person, "wechat waiting", "sms failed")
        (task,) = await ways.tasks(person)
        assert (task["due_at"], "MK:0001" in task["reason"]) == (desk.clock.now(), True)


async def test_a_platform_that_stays_away_is_left_for_another_way(database_url: str, clock: StoppedClock) -> None:
    async with ways_kit.opened(database_url, clock) as ways:
        desk, phone = ways.desk, ways.number()
        person = await ways.resident(phone)
        desk.platform.script("custom/send", html=True, times=6)
        await desk.queue(person, **SLOT)
        for attempt in range(1, 6):
            await desk.until(lambda conn, n=attempt: _attempted(conn, person, n))  # type: ignore[misc]
            desk.pass_time(minutes=1)
        await ways.until(person, "wechat cancelled", "sms accepted")
        assert ways.texts(phone) == [SHORT]
        assert await ways.tasks(person) == []
        (alarm,) = await desk.rows(alarms.alarms)
        assert (alarm["kind"], alarm["closed_at"]) == ("channel", None)


def _attempted(conn: Any, person: Row, attempts: int) -> bool:
    (row, *_) = conn.execute(outbox.outbox.select().where(outbox.outbox.c.conversation_id == person["conversation_id"]))
    return bool(row.attempts == attempts and row.status == "queued")
