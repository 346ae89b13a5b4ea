"""The desk of a story: communities, people on duty, a resident with homes, on a real SQLite file."""

import functools
import itertools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.settings import PublicNumbers, Settings
from bot.store import residents
from bot.store.base import Row, insert, new_id
from bot.store.database import JSON_CODEC
from bot.store.schema import metadata
from bot.store.writer import sqlite_engine
from bot.world import World, load
from channels.base import Capabilities
from intents.reader import Reader
from knowledge_base.answer import KnowledgeBase

ZONE = ZoneInfo("Asia/Shanghai")
SUNDAY = datetime(2026, 11, 22, 10, 0, tzinfo=ZONE)
"""When a story begins unless it says otherwise: a Sunday morning."""
WECHAT = ("wechat", "main")
ROOMS = ("101", "302", "502", "803", "1101", "1206", "1502", "1602")

_CAPABILITIES = Capabilities(acknowledge_within=5, answer_within=4, text_limit=2048, text_unit="bytes")


@functools.cache
def reader() -> Reader:
    return Reader.load()


@functools.cache
def knowledge() -> KnowledgeBase:
    return KnowledgeBase.load(demonstration=True)


@dataclass
class _Rows:
    """Rows to insert, by table, in order."""

    tables: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, table: str, **row: Any) -> UUID:
        row.setdefault("id", new_id())
        self.tables.setdefault(table, []).append(row)
        return UUID(str(row["id"]))


PEOPLE = (
    # name, title, role, duty, from, to, skills
    ("李敏", "客服", "agent", "desk", time(8), time(20), ()),
    ("李强", "维修", "technician", "technician", time(8), time(20), ("plumbing", "drainage", "electrical")),
    ("王军", "维修", "technician", "technician", time(8), time(20), ("hvac", "door_window_lock", "electrical")),
    ("陈静", "客服主管", "supervisor", "supervisor", time(9), time(18), ()),
    ("赵工", "工程部主管", "department_head", "", time(9), time(18), ("repair",)),
    ("张强", "值班主任", "duty_manager", "duty_manager", time(0), time(0), ()),
    ("周明", "项目经理", "site_manager", "", time(9), time(18), ()),
    ("吴芳", "出纳", "cashier", "", time(9), time(18), ()),
    ("保安老刘", "中控值班员", "control_room", "control_room", time(20), time(8), ()),
)


def _staff(rows: _Rows, communities: Sequence[UUID], now: datetime) -> None:
    for number, (name, title, role, duty, starts, ends, skills) in enumerate(PEOPLE):
        staff_id = rows.add(
            "staff",
            login=f"s{number}",
            name=name,
            title=title,
            phone=f"1390000000{number}",
            password_hash="-",
            language="zh-Hans",
            skills=list(skills),
            active=True,
            created_at=now,
        )
        rows.add("staff_roles", staff_id=staff_id, role=role, community_id=None)
        for community_id in communities if duty else ():
            rows.add(
                "roster",
                community_id=community_id,
                staff_id=staff_id,
                duty=duty,
                shift="",
                weekdays="1234567",
                starts=starts,
                ends=ends,
                valid_from=None,
                valid_until=None,
            )


def _community(rows: _Rows, name: str, aliases: Sequence[str], buildings: Mapping[str, Sequence[str]]) -> UUID:
    community_id = rows.add(
        "communities",
        name=name,
        aliases=list(aliases),
        night_model="control_room",
        phone="021-60000000",
        demonstration=False,
    )
    for building, units in buildings.items():
        building_id = rows.add("buildings", community_id=community_id, cluster_id=None, name=building)
        for unit, room in itertools.product(units, ROOMS):
            rows.add("homes", community_id=community_id, building_id=building_id, unit=unit, room=room)
    return community_id


COMMUNITIES: Mapping[str, Sequence[tuple[str, Sequence[str], Mapping[str, Sequence[str]]]]] = {
    "open": [("晴川里", (), {})],
    "listed": [("翠湖苑", ("翠湖", "一期"), {"3": ("1", "2"), "9": ("",), "13": ("1",), "A": ("",)})],
    "two": [("翠湖苑", ("翠湖",), {"3": ("1", "2"), "9": ("",)}), ("云山府", ("云山",), {"3": ("2",), "5": ("1",)})],
}


@functools.cache
def _empty_database() -> bytes:
    """A file with the schema, made once a run."""
    with tempfile.TemporaryDirectory() as folder:
        engine = _fast_engine(f"{folder}/empty.db", b"")
        metadata.create_all(engine)
        engine.dispose()
        return Path(f"{folder}/empty.db").read_bytes()


def _fast_engine(path: str, content: bytes | None = None) -> sa.Engine:
    """The real engine, only that these stories need not survive a power cut."""
    Path(path).write_bytes(_empty_database() if content is None else content)
    engine = sqlite_engine(path, JSON_CODEC)

    @sa.event.listens_for(engine, "connect")
    def _loosen(connection: Any, record: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")

    return engine


@contextmanager
def town(
    communities: str = "open",
    homes: Sequence[str] = (),
    *,
    at: datetime = SUNDAY,
    name: str = "王女",
    title: str = "女士",
    phone: str = "",
) -> Iterator[tuple[sa.Engine, World]]:
    """A desk with people on duty. `homes` (`3-2-1502`): those of the resident; without any nobody knows who writes."""
    with tempfile.TemporaryDirectory() as folder:
        engine = _fast_engine(f"{folder}/desk.db")
        rows = _Rows()
        ids = [_community(rows, *made) for made in COMMUNITIES[communities]]
        if len(ids) == 1:
            rows.tables["accounts"] = [{"channel": WECHAT[0], "account": WECHAT[1], "community_id": ids[0]}]
        _staff(rows, ids, at)
        settings = Settings(numbers=PublicNumbers(gas="95158", lift_rescue="96333"))
        with engine.begin() as conn:
            for table in metadata.sorted_tables:
                insert(conn, table, rows.tables.get(table.name, []))
            if homes:
                _bind(conn, rows, ids[0], homes, at, name, title, phone)
            world = load(conn, settings, reader(), knowledge(), {WECHAT: _CAPABILITIES})
        yield engine, world
        engine.dispose()


def _bind(
    conn: sa.Connection,
    rows: _Rows,
    community_id: UUID,
    homes: Sequence[str],
    now: datetime,
    name: str,
    title: str,
    phone: str,
) -> None:
    key = (*WECHAT, "openid-1")
    residents.create_identities(
        conn,
        [{"channel": key[0], "account": key[1], "address": key[2], "community_id": community_id, "created_at": now}],
    )
    who = residents.find_identities(conn, [key])[key]["resident_id"]
    person = metadata.tables["residents"]
    conn.execute(
        sa.update(person)
        .where(person.c.id == who)
        .values(provisional=False, name=name, title=title, phone=phone, greeted_at=now - timedelta(days=30))
    )
    for home in homes:
        home_id = _home(conn, rows, community_id, home)
        insert(
            conn,
            metadata.tables["households"],
            [
                {
                    "id": new_id(),
                    "community_id": community_id,
                    "resident_id": who,
                    "home_id": home_id,
                    "role": "owner",
                    "payer": True,
                    "since": None,
                    "until": None,
                }
            ],
        )


def _home(conn: sa.Connection, rows: _Rows, community_id: UUID, home: str) -> UUID:
    building, unit, room = home.split("-")
    known = next(
        (
            row
            for row in rows.tables.get("buildings", [])
            if row["name"] == building and row["community_id"] == community_id
        ),
        None,
    )
    if known is None:
        known = {"id": new_id(), "community_id": community_id, "cluster_id": None, "name": building}
        insert(conn, metadata.tables["buildings"], [known])
    found = next(
        (
            row
            for row in rows.tables.get("homes", [])
            if (row["building_id"], row["unit"], row["room"]) == (known["id"], unit, room)
        ),
        None,
    )
    if found is None:
        found = {"id": new_id(), "community_id": community_id, "building_id": known["id"], "unit": unit, "room": room}
        insert(conn, metadata.tables["homes"], [found])
    return UUID(str(found["id"]))
