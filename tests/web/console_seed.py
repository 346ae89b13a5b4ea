"""Rows for tests of the console: two communities, somebody of each role, a few conversations and what happens there."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from argon2 import PasswordHasher

from bot.store import alarms, places, residents, roster, staff
from bot.store.affairs import affairs
from bot.store.base import NOBODY, Row, id_at, insert, new_id
from bot.store.complaints import complaints
from bot.store.conversations import conversations
from bot.store.events import case_events
from bot.store.messages import messages, unreadable
from bot.store.outbox import outbox
from bot.store.records import Affair, Complaint, WorkOrder
from bot.store.work_orders import work_orders

PASSWORD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
LONG = "厨房水管漏水，" * 71 + "到楼下。"
"""500 characters."""

ROLES = {
    "agent": "agent", "agent2": "agent", "steward": "steward", "tech": "technician", "tech2": "technician",
    "control": "control_room", "head": "department_head", "supervisor": "supervisor", "duty": "duty_manager",
    "site": "site_manager", "cashier": "cashier",
}  # fmt: skip
"""Login to role in community A; quality, auditor and admin have theirs everywhere, `other` is an agent of B."""


@dataclass(slots=True)
class Seed:
    """The ids of what was entered, by short names."""

    now: datetime
    communities: dict[str, UUID] = field(default_factory=dict)
    people: dict[str, UUID] = field(default_factory=dict)
    conversations: dict[str, UUID] = field(default_factory=dict)
    residents: dict[str, UUID] = field(default_factory=dict)
    identities: dict[str, UUID] = field(default_factory=dict)
    homes: dict[str, UUID] = field(default_factory=dict)
    cases: dict[str, UUID] = field(default_factory=dict)
    alarms: dict[str, UUID] = field(default_factory=dict)
    tasks: dict[str, UUID] = field(default_factory=dict)
    rows: dict[str, UUID] = field(default_factory=dict)


# -- rows -------------------------------------------------------------------------------------------------------------


def fill(conn: sa.Connection, now: datetime) -> Seed:
    """Everything that the tests of the console look at."""
    seed = Seed(now)
    _places(conn, seed)
    _staff(conn, seed)
    resident(conn, seed, "wang", "A", "王小明", phone="13812348000", home="1502")
    resident(conn, seed, "li", "B", "李四海", phone="13912345678", home="0803")
    resident(conn, seed, "nobody", None, "", phone="")
    message(conn, seed, "wang", "3栋2单元1502厨房水管漏水，我电话13812348000")
    said(conn, seed, "wang", "登记好了：3栋2单元1502，厨房水管漏水。", fence=0)
    message(conn, seed, "li", "电梯里太脏了")
    message(conn, seed, "nobody", "你好")
    _cases(conn, seed)
    return seed


def _places(conn: sa.Connection, seed: Seed) -> None:
    for key, name in (("A", "翠湖苑"), ("B", "云杉府")):
        community, building = new_id(), new_id()
        seed.communities[key] = community
        row = {
            "id": community,
            "name": name,
            "aliases": [],
            "night_model": "staffed",
            "phone": "",
            "demonstration": True,
        }
        insert(conn, places.communities, [row])
        insert(conn, places.buildings, [{"id": building, "community_id": community, "cluster_id": None, "name": "3"}])
        for room in ("1502", "0803"):
            home = seed.homes[f"{key}{room}"] = new_id()
            insert(
                conn,
                places.homes,
                [{"id": home, "community_id": community, "building_id": building, "unit": "2", "room": room}],
            )


def _staff(conn: sa.Connection, seed: Seed) -> None:
    for login, role in ROLES.items():
        _member(conn, seed, login, role, seed.communities["A"])
    for role in ("quality", "auditor", "admin"):
        _member(conn, seed, role, role, None)
    _member(conn, seed, "other", "agent", seed.communities["B"])
    lines = [_line(seed, "tech", "technician"), _line(seed, "duty", "duty_manager"), _line(seed, "agent", "desk")]
    insert(conn, roster.roster, lines)


def _member(conn: sa.Connection, seed: Seed, login: str, role: str, community_id: UUID | None) -> None:
    row = {
        "id": new_id(), "login": login, "name": f"员工{login}", "title": "", "phone": "", "password_hash": HASH,
        "language": "zh-Hans", "skills": ["plumbing"], "active": True, "created_at": seed.now,
    }  # fmt: skip
    seed.people[login] = UUID(str(row["id"]))
    staff.add(conn, row, [(role, community_id)])


def _line(seed: Seed, login: str, duty: str) -> Row:
    return {
        "id": new_id(), "community_id": seed.communities["A"], "staff_id": seed.people[login], "duty": duty,
        "shift": "", "weekdays": "1234567", "starts": time(0), "ends": time(0), "valid_from": None,
        "valid_until": None,
    }  # fmt: skip


def resident(
    conn: sa.Connection, seed: Seed, key: str, community: str | None, name: str, *, phone: str, home: str = ""
) -> None:
    """A resident with an identity and a conversation; bound where a home is named."""
    community_id = seed.communities[community] if community else NOBODY
    account = ("wechat", "main", f"o{key}")
    new = {
        "channel": "wechat",
        "account": "main",
        "address": account[2],
        "community_id": community_id,
        "created_at": seed.now,
    }
    residents.create_identities(conn, [new])
    row = residents.find_identities(conn, [account])[account]
    seed.identities[key], seed.residents[key], seed.conversations[key] = (
        row["id"],
        row["resident_id"],
        row["conversation_id"],
    )
    values = {"name": name, "phone": phone, "provisional": not home}
    conn.execute(sa.update(residents.residents).where(residents.residents.c.id == row["resident_id"]).values(**values))
    if home and community:
        binding = {
            "id": new_id(), "community_id": community_id, "resident_id": row["resident_id"],
            "home_id": seed.homes[community + home], "role": "owner", "payer": True, "since": None, "until": None,
        }  # fmt: skip
        insert(conn, residents.households, [binding])


def message(conn: sa.Connection, seed: Seed, key: str, text: str, *, minutes_ago: float = 5, **changes: Any) -> UUID:
    """Something that a resident wrote."""
    at = seed.now - timedelta(minutes=minutes_ago)
    row = {
        "id": id_at(at), "community_id": _community(conn, seed, key), "conversation_id": seed.conversations[key],
        "identity_id": seed.identities[key], "channel": "wechat", "account": "main", "external_id": new_id().hex,
        "kind": "text", "text": text, "choice": None, "attachments": None, "status": "turned", "intent": "",
        "state": "", "reading": None, "error": "", "sent_at": at, "received_at": at, "raw": None, **changes,
    }  # fmt: skip
    insert(conn, messages, [row])
    mine = conversations.c.id == seed.conversations[key]
    latest = {
        "last_text": text[:200],
        "last_inbound_at": at,
        "updated_at": at,
        "last_identity_id": seed.identities[key],
    }
    conn.execute(sa.update(conversations).where(mine).values(unread=conversations.c.unread + 1, **latest))
    return UUID(str(row["id"]))


def said(conn: sa.Connection, seed: Seed, key: str, text: str, *, minutes_ago: float = 4, **changes: Any) -> UUID:
    """Something that went out."""
    at = seed.now - timedelta(minutes=minutes_ago)
    row = {
        "id": id_at(at), "community_id": _community(conn, seed, key), "conversation_id": seed.conversations[key],
        "identity_id": seed.identities[key], "origin_id": None, "reply_to": None, "channel": "wechat",
        "account": "main", "address": f"o{key}", "lane": 1, "kind": "answer", "route": "push", "text": text,
        "choices": None, "without_question": None, "fence": None, "author_id": None, "case_kind": None,
        "case_id": None, "status": "accepted", "attempts": 1, "due_at": at, "lease_until": None, "expires_at": None,
        "created_at": at, "sent_at": at, "settled_at": at, "provider_id": None, "error": "", "dedupe_key": None,
        **changes,
    }  # fmt: skip
    insert(conn, outbox, [row])
    return UUID(str(row["id"]))


def _community(conn: sa.Connection, seed: Seed, key: str) -> UUID:
    found = conn.execute(sa.select(conversations.c.community_id).where(conversations.c.id == seed.conversations[key]))
    return UUID(str(found.scalar_one()))


def _about(seed: Seed, key: str, community: str) -> dict[str, Any]:
    return {
        "community_id": seed.communities[community], "conversation_id": seed.conversations[key],
        "resident_id": seed.residents[key], "identity_id": seed.identities[key], "source": "wechat",
        "created_at": seed.now, "updated_at": seed.now,
    }  # fmt: skip


def order(conn: sa.Connection, seed: Seed, name: str, key: str = "wang", community: str = "A", **changes: Any) -> UUID:
    """A work order."""
    number = f"WX20261123-{len(seed.cases) + 1:04d}"
    values: dict[str, Any] = {
        "category": "plumbing", "urgency": "normal", "fault": "厨房水管漏水", "words": "厨房水管漏水，王小明家",
        "contact_name": "王小明", "contact_phone": "13812348000", "state": "recorded", "verified": True,
        "home_id": seed.homes[f"{community}1502"], "contact_by": seed.now + timedelta(hours=2),
        "done_by": seed.now + timedelta(hours=48),
    }  # fmt: skip
    record = WorkOrder(id=new_id(), number=number, **_about(seed, key, community) | values | changes)
    return _entered(conn, seed, name, work_orders, "work_order", record)


def complaint(
    conn: sa.Connection, seed: Seed, name: str, key: str = "wang", community: str = "A", **changes: Any
) -> UUID:
    """A complaint case."""
    number = f"TS20261123-{len(seed.cases) + 1:04d}"
    values: dict[str, Any] = {
        "nature": "noise", "urgency": "normal", "words": "楼上半夜砸墙", "state": "recorded", "verified": True,
        "answer_by": seed.now + timedelta(hours=2), "result_by": seed.now + timedelta(days=3),
    }  # fmt: skip
    record = Complaint(id=new_id(), number=number, **_about(seed, key, community) | values | changes)
    return _entered(conn, seed, name, complaints, "complaint", record)


def affair(conn: sa.Connection, seed: Seed, name: str, key: str = "wang", community: str = "A", **changes: Any) -> UUID:
    """A daily affair."""
    values: dict[str, Any] = {
        "kind": "suggestion",
        "words": "建议加装路灯",
        "state": "recorded",
        "due_at": seed.now + timedelta(days=7),
    }
    number = f"JY20261123-{len(seed.cases) + 1:04d}"
    record = Affair(id=new_id(), number=number, **_about(seed, key, community) | values | changes)
    return _entered(conn, seed, name, affairs, "affair", record)


def _entered(
    conn: sa.Connection, seed: Seed, name: str, table: sa.Table, kind: str, record: WorkOrder | Complaint | Affair
) -> UUID:
    insert(conn, table, [record.row()])
    event = {
        "id": new_id(), "community_id": record.community_id, "case_kind": kind, "case_id": record.id,
        "what": "recorded", "actor": "resident", "staff_id": None, "note": record.words, "data": None, "at": seed.now,
        "entered_at": seed.now,
    }  # fmt: skip
    insert(conn, case_events, [event])
    seed.cases[name] = record.id
    return record.id


def alarm(conn: sa.Connection, seed: Seed, name: str, key: str | None, kind: str = "emergency", *to: str) -> UUID:
    """An alarm in community A, addressed to these people."""
    row = {
        "id": new_id(), "community_id": seed.communities["A"], "kind": kind,
        "conversation_id": seed.conversations[key] if key else None, "case_kind": None, "case_id": None,
        "summary": "3栋2单元1502 gas: 厨房有燃气味", "rung": 0, "raised_at": seed.now, "acknowledge_by": None,
        "acknowledged_by": None, "acknowledged_at": None, "closed_by": None, "closed_at": None, "closing_note": "",
        "dedupe_key": None,
    }  # fmt: skip
    insert(conn, alarms.alarms, [row])
    seed.alarms[name] = UUID(str(row["id"]))
    people = [seed.people[login] for login in to]
    rows = [
        {"id": new_id(), "alarm_id": row["id"], "staff_id": who, "rung": 0, "at": seed.now, "shown_at": None}
        for who in people
    ]
    insert(conn, alarms.alerts, rows)
    return seed.alarms[name]


def task(conn: sa.Connection, seed: Seed, name: str, key: str = "wang", **changes: Any) -> UUID:
    """A call task in community A."""
    row = {
        "id": new_id(), "community_id": seed.communities["A"], "conversation_id": seed.conversations[key],
        "resident_id": seed.residents[key], "case_kind": None, "case_id": None, "kind": "tell",
        "phone": "13812348000", "text": "告诉他周三9点到10点", "due_at": seed.now, "owner_id": None, "state": "open",
        "result": "", "done_by": None, "done_at": None, "created_at": seed.now, "dedupe_key": None, **changes,
    }  # fmt: skip
    insert(conn, alarms.call_tasks, [row])
    seed.tasks[name] = UUID(str(row["id"]))
    return seed.tasks[name]


def _cases(conn: sa.Connection, seed: Seed) -> None:
    order(conn, seed, "order")
    order(
        conn,
        seed,
        "given",
        assignee_id=seed.people["tech"],
        state="dispatched",
        slot_start=seed.now,
        slot_end=seed.now + timedelta(hours=1),
    )
    order(conn, seed, "elsewhere", "li", "B")
    complaint(conn, seed, "noise")
    complaint(conn, seed, "staff", nature="staff")
    complaint(conn, seed, "given_case", assignee_id=seed.people["head"], confidential=True, wanted="晚上别施工")
    complaint(conn, seed, "head_case", "nobody", assignee_id=seed.people["head"])
    affair(conn, seed, "affair")
    affair(conn, seed, "payment", kind="payment", owner_id=seed.people["cashier"])
    task(conn, seed, "tell")
    bad = {
        "channel": "wechat",
        "account": "main",
        "digest": "d",
        "raw": b"<xml>?",
        "reason": "not XML",
        "received_at": seed.now,
    }
    seed.rows["unreadable"] = new_id()
    insert(conn, unreadable, [{"id": seed.rows["unreadable"], "seen_at": None, **bad}])
