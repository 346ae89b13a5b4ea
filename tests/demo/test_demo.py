"""The demonstration data, on both databases: whole, consistent, alive at any hour, and nobody real."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from bot import demo
from bot.demo.sheets import Residents, read
from bot.settings import Settings
from bot.store import alarms, conversations, messages, outbox, places, residents, schema, staff
from bot.store.affairs import affairs
from bot.store.base import NOBODY, Row, mappings
from bot.store.complaints import complaints
from bot.store.database import JSON_CODEC, Database
from bot.store.events import case_events, promises
from bot.store.roster import DUTIES
from bot.store.work_orders import work_orders
from bot.store.writer import sqlite_engine
from bot.web.simulator.chips import SCANS
from bot.world import DutyLine, World, load
from channels import scenes
from intents.model import REPAIR_CATEGORIES
from intents.reader import Reader
from knowledge_base.answer import KnowledgeBase
from workflows.complaint import states as complaint_states
from workflows.repair import states

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 25, 12, 7, tzinfo=SHANGHAI).astimezone(UTC)
A_WEEK = datetime(2026, 11, 23, tzinfo=SHANGHAI)
CASES = {"work_order": work_orders, "complaint": complaints, "affair": affairs}
COURSE = ("created_at", "accepted_at", "on_site_at", "done_at", "closed_at")
TEXTS = (outbox.outbox, messages.messages, alarms.call_tasks)

HOURS = [NOON.replace(hour=0, minute=0) + timedelta(hours=hour, minutes=hour * 7 % 60) for hour in range(24)]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Connection]:
    """The demonstration of one noon, for looking at."""
    engine = sqlite_engine(str(tmp_path_factory.mktemp("demo") / "frontdesk.db"), JSON_CODEC)
    with engine.connect() as conn:
        schema.metadata.create_all(conn)
        assert demo.load(conn, NOON)
        yield conn
    engine.dispose()


@pytest.fixture
def empty(tmp_path: object) -> Iterator[sa.Connection]:
    engine = sqlite_engine(f"{tmp_path}/frontdesk.db", JSON_CODEC)
    with engine.connect() as conn:
        schema.metadata.create_all(conn)
        yield conn
    engine.dispose()


def rows(conn: sa.Connection, table: sa.Table) -> list[Row]:
    return mappings(conn, sa.select(table))


def world(conn: sa.Connection) -> World:
    """The snapshot that turns work with; what reads texts is not needed here."""
    return load(conn, Settings(), Reader.__new__(Reader), KnowledgeBase.__new__(KnowledgeBase), {})


# -- loading ----------------------------------------------------------------------------------------------------------


async def test_loads_once(database: Database) -> None:
    def count(conn: sa.Connection) -> dict[str, int]:
        return {
            table.name: conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in schema.metadata.sorted_tables
        }

    assert await database.write(demo.load, NOON)
    before = await database.read(count)
    assert not await database.write(demo.load, NOON + timedelta(days=1))
    assert await database.read(count) == before
    assert before["homes"] > 2000
    assert before["residents"] >= 60


def test_every_reference_holds(town: sa.Connection) -> None:
    assert not town.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    for table in (alarms.alarms, alarms.call_tasks, outbox.outbox, case_events, promises):
        for row in rows(town, table):
            if row["case_id"] is not None:
                cases = {case["id"] for case in rows(town, CASES[row["case_kind"]])}
                assert row["case_id"] in cases, f"{table.name} speaks of a case that is not there"


def test_another_account(empty: sa.Connection) -> None:
    demo.load(empty, NOON, account=("wechat", "main"))
    assert {row["account"] for row in rows(empty, residents.identities)} == {"main"}
    assert {row["account"] for row in rows(empty, messages.messages)} == {"main"}


# -- places -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("community", "building", "unit", "room"),
    [
        ("翠湖苑", "3", "2", "1502"), ("云杉府", "3", "2", "1502"), ("翠湖苑", "3", "1", "1101"),
        ("翠湖苑", "9", "1", "502"), ("翠湖苑", "1", "1", "101"), ("翠湖苑", "1", "3", "1804"),
        ("云杉府", "A", "", "1203"),
    ],
)  # fmt: skip
def test_homes_of_the_tour(town: sa.Connection, community: str, building: str, unit: str, room: str) -> None:
    known = world(town)
    found = known.community_named(community)
    assert found is not None
    assert (unit, room) in known.buildings[found.id][building].rooms


@pytest.mark.parametrize(("building", "room"), [("3", "1101"), ("9", "502"), ("3", "1602")])
def test_said_without_unit_means_one_home(town: sa.Connection, building: str, room: str) -> None:
    known = world(town)
    found = known.community_named("翠湖苑")
    assert found is not None
    assert len([home for home in known.buildings[found.id][building].rooms if home[1] == room]) == 1


def test_communities(town: sa.Connection) -> None:
    known = world(town)
    models = {one.name: (one.night_model, one.phone, one.demonstration) for one in known.communities.values()}
    assert models == {"翠湖苑": ("staffed", "0571-8800 0001", True), "云杉府": ("control_room", "0571-8800 0002", True)}
    assert known.names == {"翠湖苑": "翠湖苑", "翠湖": "翠湖苑", "一期": "翠湖苑", "云杉府": "云杉府", "云杉": "云杉府"}
    assert len(known.communities_of("wechat", "demo")) == 2
    assert sorted(len(buildings) for buildings in known.buildings.values()) == [8, 12]
    assert {"lobby", "lift", "garage", "pump_room", "gate", "playground", "refuse"} <= {
        place["kind"] for place in rows(town, places.public_places)
    }


# -- people -----------------------------------------------------------------------------------------------------------


def test_every_role_signs_in(town: sa.Connection) -> None:
    assert {row["role"] for row in rows(town, staff.staff_roles)} == set(staff.ROLES)
    for person in rows(town, staff.staff):
        assert PasswordHasher().verify(person["password_hash"], demo.PASSWORD)
        assert re.fullmatch(r"[a-z]+", person["login"])
        assert set(person["skills"]) <= {*REPAIR_CATEGORIES, "facility", "security", "parking", "noise", "hygiene"}


def test_no_phone_is_anybodys(town: sa.Connection) -> None:
    """They have the form of a mainland mobile, and a prefix that no operator has."""
    shown = [row["phone"] for table in (residents.residents, staff.staff) for row in rows(town, table) if row["phone"]]
    assert len(shown) == len(set(shown)) == 99
    for phone in shown:
        assert re.fullmatch(r"1[3-9]\d{9}", phone)
        assert not phonenumbers.is_valid_number(phonenumbers.parse(phone, "CN"))
    like_a_phone = re.compile(r"(?<![-\d])\d{7,}(?![-\d])|0\d{2,3}-\d{4} ?\d{4}")
    told = [row["text"] for table in TEXTS for row in rows(town, table)]
    found = {number for text in told for number in like_a_phone.findall(text)}
    assert found <= {"0571-8800 0001", "0571-8800 0002"}


def test_everybody_has_one_conversation(town: sa.Connection) -> None:
    talking = {row["resident_id"] for row in rows(town, conversations.conversations)}
    assert talking == {row["id"] for row in rows(town, residents.residents)}


def test_residents_of_all_kinds(town: sa.Connection) -> None:
    bound = rows(town, residents.households)
    assert {row["role"] for row in bound} == {"owner", "family", "tenant"}
    homes = [row["home_id"] for row in bound if row["payer"]]
    assert len(homes) == len(set(homes)), "a home has one payer"
    names = [row["name"] for row in rows(town, residents.residents) if row["name"]]
    assert len(names) == len(set(names)) == 60
    assert {"zh-Hant", "en", ""} == {row["language"] for row in rows(town, residents.residents)}


def test_phones_of_the_simulator(town: sa.Connection) -> None:
    known = {row["address"] for row in rows(town, residents.identities)}
    people = demo.people()
    assert [person.name for person in people][:2] == ["王淑芬", "陈国栋"]
    assert [person.openid in known for person in people] == [True] * 6 + [False]
    assert {len(address) for address in (*known, *(person.openid for person in people))} == {28}
    assert len(known) == len([one for one in read("residents", Residents).residents if one.wechat])


# -- roster -----------------------------------------------------------------------------------------------------------


def minutes() -> Iterator[datetime]:
    return (A_WEEK + timedelta(minutes=minute) for minute in range(7 * 24 * 60))


def test_every_minute_of_a_week_is_covered(town: sa.Connection) -> None:
    """Somebody answers (where the night model says so, the control room), can be sent, decides; by day a supervisor."""
    known = world(town)
    for community in known.communities.values():
        answering = ("desk",) if community.night_model == "staffed" else ("desk", "control_room")
        for moment in minutes():
            for duties in (answering, ("technician",), ("duty_manager",), ("site_manager",)):
                assert known.on_duty(community.id, duties, moment), f"{community.name} {moment} {duties}"
            if time(9) <= moment.time() < time(18):
                assert known.on_duty(community.id, ("supervisor",), moment)
            if moment.time() < time(8):
                assert known.on_duty(community.id, ("control_room",), moment)


def test_one_duty_manager_a_day(town: sa.Connection) -> None:
    known = world(town)
    for community_id in known.communities:
        assert all(len(known.on_duty(community_id, ("duty_manager",), moment)) == 1 for moment in minutes())


def test_nobody_is_on_two_duties_at_once(town: sa.Connection) -> None:
    """At the weekend one desk serves both communities; otherwise a person works one line at a time."""
    lines = [line for line in world(town).duties if line.duty in {"desk", "technician", "control_room"}]
    for moment in (A_WEEK + timedelta(minutes=minute) for minute in range(0, 7 * 24 * 60, 30)):
        working = [(line.staff_id, line.duty, line.community_id) for line in lines if line.covers(moment)]
        people = [(staff_id, duty) for staff_id, duty, _ in working]
        assert len({staff_id for staff_id, _ in people}) == len(set(people))
        if moment.isoweekday() < 6:
            assert len(people) == len(set(people))


def test_each_kind_of_repair_finds_somebody_by_day(town: sa.Connection) -> None:
    known = world(town)
    for community_id in known.communities:
        for day in range(7):
            found = known.on_duty(community_id, ("technician",), A_WEEK + timedelta(days=day, hours=12))
            assert {skill for member in found for skill in member.skills} >= set(REPAIR_CATEGORIES)


def test_duties_are_of_the_role(town: sa.Connection) -> None:
    known = world(town)
    fits = {"desk": {"agent", "steward", "supervisor"}}
    for line in known.duties:
        assert line.duty in DUTIES
        member, roles = known.members[line.staff_id], fits.get(line.duty, {line.duty})
        assert any(member.has(role, line.community_id) for role in roles), member.name


def test_a_line_past_midnight() -> None:
    line = DutyLine(NOBODY, NOBODY, "technician", "1", time(20), time(8), None, None)
    assert line.covers(datetime(2026, 11, 24, 3, 0, tzinfo=SHANGHAI))
    assert not line.covers(datetime(2026, 11, 23, 3, 0, tzinfo=SHANGHAI))


# -- stories ----------------------------------------------------------------------------------------------------------


def test_a_living_desk(town: sa.Connection) -> None:
    orders = rows(town, work_orders)
    assert {row["state"] for row in orders} == set(states.STATES)
    assert {row["cause"] for row in orders} <= {"", *states.CAUSES}
    assert {row["outcome"] for row in orders} <= {"", *states.OUTCOMES}
    assert {row["responsible_party"] for row in orders} <= {"", *states.RESPONSIBLE}
    assert {row["answer"] for row in orders} <= {None, *states.ANSWERS}
    cases = rows(town, complaints)
    assert [row["state"] for row in sorted(cases, key=lambda row: row["created_at"])] == [
        "closed",
        "answered",
        "assigned",
    ]
    assert {row["nature"] for row in cases} <= set(complaint_states.NATURES)
    assert {row["ending"] for row in cases} <= {"", *complaint_states.ENDINGS}
    assert {row["answer"] for row in cases} <= {None, *complaint_states.ANSWERS}
    assert len(rows(town, affairs)) == 3
    assert len(rows(town, alarms.call_tasks)) == 2
    waiting = [row for row in rows(town, conversations.conversations) if row["mode"] == "waiting"]
    assert [NOON - row["waiting_since"] for row in waiting] == [timedelta(minutes=7)]


def test_nothing_is_sent_at_the_start(town: sa.Connection) -> None:
    assert {row["status"] for row in rows(town, outbox.outbox)} == {"accepted"}
    assert {row["status"] for row in rows(town, messages.messages)} == {"turned"}
    assert not [row for row in rows(town, alarms.alarms) if row["closed_at"] is None]


def test_texts_are_filled_in(town: sa.Connection) -> None:
    for table in TEXTS:
        assert not [row["text"] for row in rows(town, table) if re.search(r"[{}]|\bNone\b|^师傅$", row["text"])]


def test_numbers_are_of_their_day(town: sa.Connection) -> None:
    found = sorted((row for table in CASES.values() for row in rows(town, table)), key=lambda row: row["created_at"])
    numbers = [row["number"] for row in found]
    assert len(numbers) == len(set(numbers))
    for row in found:
        assert row["number"][2:10] == f"{row['created_at'].astimezone(SHANGHAI):%Y%m%d}"
    for kind in ("WX", "TS"):
        mine = [number for number in numbers if number.startswith(kind)]
        assert mine == sorted(mine)


@pytest.mark.parametrize("now", HOURS, ids=lambda now: f"{now.astimezone(SHANGHAI):%H:%M}")
def test_alive_at_any_hour(empty: sa.Connection, now: datetime) -> None:
    """Nothing lies in the future, nothing promised is broken, every talk is in order."""
    demo.load(empty, now)
    for row in rows(empty, promises):
        assert row["created_at"] <= now
        assert (row["kept_at"] or now) <= row["due_at"], f"{row['what']} is broken"
    spoken = [(row["conversation_id"], row["received_at"], row["id"]) for row in rows(empty, messages.messages)]
    spoken += [(row["conversation_id"], row["sent_at"], row["id"]) for row in rows(empty, outbox.outbox)]
    assert all(at <= now for _, at, _ in spoken)
    assert sorted(spoken, key=lambda said: (said[0], said[1])) == sorted(spoken, key=lambda said: (said[0], said[2]))
    for row in rows(empty, work_orders):
        happened = [row[name] for name in COURSE if row[name]]
        assert happened == sorted(happened)
        assert happened[-1] <= now
        assert row["closed_at"] or row["done_at"] or row["done_by"] > now, f"{row['fault']} is late"
    for row in rows(empty, alarms.call_tasks):
        assert row["due_at"] > now


def test_alive_on_any_day(empty: sa.Connection) -> None:
    """A holiday, a leap day, the turn of the year."""
    for day in (date(2026, 10, 1), date(2028, 2, 29), date(2027, 1, 1), date(2027, 2, 7)):
        with empty.begin_nested() as attempt:
            demo.load(empty, datetime.combine(day, time(9, 5), SHANGHAI))
            assert not [row for row in rows(empty, promises) if row["kept_at"] is None and row["due_at"].date() < day]
            attempt.rollback()


def test_events_tell_the_state(town: sa.Connection) -> None:
    """The last move in the story of a case is the state that it is in."""
    told: dict[object, list[str]] = {}
    for event in sorted(rows(town, case_events), key=lambda row: row["id"]):
        told.setdefault(event["case_id"], []).append(event["what"])
    for table in CASES.values():
        for row in rows(town, table):
            assert told[row["id"]][0] == "recorded"
            assert told[row["id"]][-1] == row["state"], row["number"]


@pytest.mark.parametrize(("scene", "label"), SCANS)
def test_the_codes_of_the_simulator_hang_somewhere(town: sa.Connection, scene: str, label: str) -> None:
    there, read = world(town), scenes.read(scene)
    assert read is not None, label
    community = there.community_named(read.community)
    assert community is not None
    assert read.place in {"", *(place.name for place in there.public_places[community.id])}
    if read.kind == "home":
        assert (read.unit, read.room) in there.buildings[community.id][read.building].rooms
