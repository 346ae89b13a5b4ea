"""Small rows for tests of the store and the engine, without the demonstration data."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.store import residents, staff
from bot.store.base import NOBODY, Row, insert, new_id
from bot.store.conversations import conversations
from bot.store.messages import messages
from bot.store.outbox import DIALOGUE, outbox

ACCOUNT = ("wechat", "main")


def person(conn: sa.Connection, address: str, now: datetime) -> Row:
    """A resident who wrote from `address`: identity, resident and conversation."""
    key = (*ACCOUNT, address)
    new = {"channel": key[0], "account": key[1], "address": address, "community_id": NOBODY, "created_at": now}
    residents.create_identities(conn, [new])
    return residents.find_identities(conn, [key])[key]


def member(conn: sa.Connection, login: str, now: datetime, *roles: str) -> UUID:
    row = {
        "id": new_id(), "login": login, "name": login, "title": "", "phone": "", "password_hash": "-",
        "language": "en", "skills": None,
        "active": True, "created_at": now,
    }  # fmt: skip
    staff.add(conn, row, [(role, None) for role in roles])
    return UUID(str(row["id"]))


def outbox_row(who: Row, now: datetime, **changes: Any) -> Row:
    """A queued answer to this person."""
    row: Row = {
        "id": new_id(), "community_id": NOBODY, "conversation_id": who["conversation_id"], "identity_id": who["id"],
        "origin_id": None,
        "reply_to": None, "channel": ACCOUNT[0], "account": ACCOUNT[1], "address": who["address"], "lane": DIALOGUE,
        "kind": "answer",
        "route": "push", "text": "好的", "choices": None, "without_question": None, "fence": None, "author_id": None,
        "case_kind": None,
        "case_id": None, "status": "queued", "attempts": 0, "due_at": now, "lease_until": None, "expires_at": None,
        "created_at": now,
        "sent_at": None, "settled_at": None, "provider_id": None, "error": "", "dedupe_key": None,
    }  # fmt: skip
    return {**row, **changes}


def say(conn: sa.Connection, who: Row, now: datetime, **changes: Any) -> UUID:
    row = outbox_row(who, now, **changes)
    insert(conn, outbox, [row])
    return UUID(str(row["id"]))


def heard(conn: sa.Connection, who: Row, now: datetime, kind: str) -> None:
    """Something that this person did, without its turn."""
    row = {
        "id": new_id(), "conversation_id": who["conversation_id"], "identity_id": who["id"], "channel": ACCOUNT[0],
        "account": ACCOUNT[1], "external_id": new_id().hex, "kind": kind, "status": "turned", "received_at": now,
    }  # fmt: skip
    insert(conn, messages, [row])


def statuses(conn: sa.Connection) -> dict[UUID, str]:
    return {row.id: row.status for row in conn.execute(sa.select(outbox.c.id, outbox.c.status))}


def set_fence(conn: sa.Connection, conversation_id: UUID, fence: int) -> None:
    conn.execute(sa.update(conversations).where(conversations.c.id == conversation_id).values(fence=fence))
