"""The order of the ways to a resident, what each can carry, and when unasked messages may go. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from bot import planner
from bot.planner import Way
from bot.settings import DeliverySettings, DeskSettings, Settings
from bot.store.base import new_id
from bot.store.outbox import EMERGENCY, PROGRESS
from bot.store.records import Conversation, Identity, Resident
from bot.world import World
from channels.base import Capabilities
from tests.channels import sms_kit
from tests.engine.kit import knowledge, reader
from tests.support.clock import MONDAY

COMMUNITY = new_id()
FREE = Capabilities(acknowledge_within=5, text_limit=100)
APPROVED = Capabilities(
    acknowledge_within=5, text_limit=100, templates_only=True, templates=frozenset({"slot", "done"})
)
BY_TEMPLATE = Capabilities(
    acknowledge_within=5, text_limit=100, push_window=timedelta(hours=48), templates=frozenset({"slot"})
)
SLOT = {"number": "WX20261123-0001", "visit": "李师傅今天15点到16点"}


def _world(**capabilities: Capabilities) -> World:
    account = sms_kit.settings("tencent")
    limits = {(channel, "main"): given for channel, given in capabilities.items()}
    return World(Settings(sms={"main": account}), reader(), knowledge(), capabilities=limits)


def _resident(preferred: str = "", phone: str = "13912345678", *, provisional: bool = False) -> Resident:
    return Resident(
        id=new_id(), community_id=COMMUNITY, phone=phone, preferred_channel=preferred, provisional=provisional,
        created_at=MONDAY,
    )  # fmt: skip


def _address(channel: str, *, reachable: bool = True) -> Identity:
    return Identity(
        id=new_id(), resident_id=new_id(), channel=channel, account="main", address=f"{channel}-address",
        reachable=reachable, created_at=MONDAY,
    )  # fmt: skip


ORDER = (
    # addresses from old to new (the last one written from has a star), what is preferred, the ways
    ("wechat* telegram", "", "wechat telegram wechat-template phone"),
    ("wechat telegram*", "", "telegram wechat wechat-template phone"),
    ("wechat telegram", "", "telegram wechat wechat-template phone"),
    ("wechat telegram", "wechat", "wechat telegram wechat-template phone"),
    ("wechat* telegram", "sms", "wechat phone telegram wechat-template"),
    ("wechat sms", "", "wechat wechat-template sms phone"),
    ("wechat sms*", "", "sms wechat wechat-template phone"),
    ("wechat! telegram", "", "telegram phone"),
    ("", "", "phone"),
)


@pytest.mark.parametrize(("addresses", "preferred", "expected"), ORDER)
def test_the_order_of_the_ways(addresses: str, preferred: str, expected: str) -> None:
    world = _world(wechat=BY_TEMPLATE, telegram=FREE, sms=APPROVED)
    found = [_address(name.strip("*!"), reachable="!" not in name) for name in addresses.split()]
    last = next((one.id for one, name in zip(found, addresses.split(), strict=True) if "*" in name), None)
    ways = planner.ways(world, _resident(preferred), found, last, "slot", urgent=False)
    assert " ".join(_name(way) for way in ways) == expected


def _name(way: Way) -> str:
    if way.identity_id is None:
        assert way.address == "+8613912345678"
        return "phone"
    return way.channel + ("-template" if way.route == "template" else "")


def test_in_danger_money_does_not_count() -> None:
    world = _world(wechat=BY_TEMPLATE, telegram=FREE, sms=APPROVED)
    found = [_address("wechat"), _address("telegram"), _address("sms")]
    ways = planner.ways(world, _resident(), found, found[0].id, "slot", urgent=True)
    assert [_name(way) for way in ways] == ["wechat", "sms", "telegram", "phone", "wechat-template"]


@pytest.mark.parametrize("resident", [
    _resident(provisional=True), _resident(phone=""), _resident(phone="021-60000000"),
    replace(_resident(), community_id=new_id()),
], ids=["nobody has checked the number", "none", "no handset", "another community's account"])  # fmt: skip
def test_whose_phone_is_not_written_to(resident: Resident) -> None:
    world = replace(_world(sms=APPROVED), accounts={("sms", "main"): COMMUNITY})
    assert planner.ways(world, resident, [], None, "slot", urgent=True) == []
    assert planner.handsets(world, _resident()) == [("sms", "main", "+8613912345678")]


CARRIES: tuple[tuple[Capabilities, str, str | None, dict[str, str] | None, str | None], ...] = (
    (FREE, "push", "slot", SLOT, "全文"),
    (FREE, "push", None, None, "全文"),
    (APPROVED, "push", "slot", SLOT, "单号0001：李师傅今天15点到16点上门。改时间请打24小时电话。"),
    (APPROVED, "push", "slot", {"number": "WX20261123-0001"}, None),
    (APPROVED, "push", "slot", {**SLOT, "visit": "李师傅，今天"}, None),
    (APPROVED, "push", "late", {"number": "0001", "at": "16:30"}, None),
    (APPROVED, "push", "nothing", {}, None),
    (APPROVED, "push", None, None, None),
    (BY_TEMPLATE, "template", "slot", SLOT, "全文"),
    (BY_TEMPLATE, "template", "done", SLOT, None),
)


@pytest.mark.parametrize(("limits", "route", "moment", "values", "text"), CARRIES)
def test_what_a_way_carries(
    limits: Capabilities, route: str, moment: str | None, values: dict[str, str] | None, text: str | None
) -> None:
    way = Way("sms", "main", "x", new_id(), route)
    assert planner.worded(_world(sms=limits), way, "全文", moment, values) == text


def test_a_long_text_goes_in_parts_and_asks_at_its_end() -> None:
    row = {
        "id": new_id(), "channel": "telegram", "account": "main", "route": "push", "text": "一" * 250, "choices": ["x"],
        "without_question": "y", "dedupe_key": "k", "moment": "slot", "values": SLOT,
    }  # fmt: skip
    made = planner.in_parts(_world(telegram=FREE), row)
    assert [len(part["text"]) for part in made] == [100, 100, 50]
    assert {part["part_of"] for part in made} == {made[0]["id"]}
    assert [part["without_question"] for part in made] == [None, None, "y"]
    assert {part["moment"] for part in made} == {None}
    assert len({part["dedupe_key"] for part in made}) == 3


NIGHTS = (
    # quiet hours, the local time, when it goes without the minute of the resident
    (("21:30", "08:00"), "2026-11-23T21:29", "2026-11-23T21:29"),
    (("21:30", "08:00"), "2026-11-23T21:30", "2026-11-24T08:00"),
    (("21:30", "08:00"), "2026-11-24T07:59", "2026-11-24T08:00"),
    (("21:30", "08:00"), "2026-11-24T08:00", "2026-11-24T08:00"),
    (("00:30", "06:00"), "2026-11-24T05:00", "2026-11-24T06:00"),
    (("00:30", "06:00"), "2026-11-24T00:15", "2026-11-24T00:15"),
)


@pytest.mark.parametrize(("hours", "now", "expected"), NIGHTS)
def test_the_night_waits_for_the_morning(hours: tuple[str, str], now: str, expected: str) -> None:
    settings = Settings(desk=DeskSettings(quiet_hours=hours), delivery=DeliverySettings(morning_spread_minutes=30))
    world = World(settings, reader(), knowledge())
    at, due = (datetime.fromisoformat(f"{moment}+08:00") for moment in (now, expected))
    minute = timedelta(seconds=90) if at != due else timedelta()
    assert planner.after_quiet_hours(world, UUID(int=90 + 1800 * 7), at) == due + minute


@pytest.mark.parametrize(("lane", "minutes_ago", "waits"), [
    (PROGRESS, 15, False), (PROGRESS, 16, True), (EMERGENCY, 16, False),
])  # fmt: skip
def test_whoever_wrote_a_moment_ago_is_awake(lane: int, minutes_ago: int, waits: bool) -> None:
    night = MONDAY + timedelta(hours=14)
    conversation = Conversation(
        id=new_id(), resident_id=new_id(), last_inbound_at=night - timedelta(minutes=minutes_ago), created_at=night,
        updated_at=night,
    )  # fmt: skip
    world = World(Settings(), reader(), knowledge())
    assert (planner.unasked_at(world, conversation, lane, night) > night) == waits
