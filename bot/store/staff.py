"""People who work the desk: accounts, roles, sign-in sessions, and the audit of what they did (law 13)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import (
    NOBODY,
    Json,
    Row,
    community_column,
    id_column,
    insert,
    mappings,
    metadata,
    new_id,
    one,
    reference,
    when,
    words,
)

staff = sa.Table(
    "staff",
    metadata,
    id_column(),
    sa.Column("login", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    words("title"),
    words("phone"),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False, default="zh-Hans"),
    sa.Column("skills", Json),
    sa.Column("active", sa.Boolean, nullable=False, default=True),
    when("created_at", nullable=False),
)

staff_roles = sa.Table(
    "staff_roles",
    metadata,
    id_column(),
    reference("staff_id", "staff.id", nullable=False, index=True),
    sa.Column("role", sa.Text, nullable=False),
    reference("community_id", "communities.id"),
    sa.UniqueConstraint("staff_id", "role", "community_id"),
    comment="A role in one community; without community: in all.",
)

ROLES = (
    "agent", "steward", "technician", "control_room", "department_head", "supervisor", "duty_manager", "site_manager",
    "cashier", "quality", "auditor", "admin",
)  # fmt: skip

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    reference("staff_id", "staff.id", nullable=False, index=True),
    sa.Column("csrf", sa.Text, nullable=False),
    when("created_at", nullable=False),
    when("seen_at", nullable=False),
    when("expires_at", nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    id_column(),
    community_column(),
    reference("staff_id", "staff.id", index=True),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("ref_kind", sa.Text, nullable=False, default=""),
    sa.Column("ref_id", sa.Uuid, index=True),
    sa.Column("data", Json),
    when("at", nullable=False),
)


def by_login(conn: sa.Connection, login: str) -> Row | None:
    return one(conn, sa.select(staff).where(staff.c.login == login))


def get(conn: sa.Connection, staff_id: UUID) -> Row | None:
    return one(conn, sa.select(staff).where(staff.c.id == staff_id))


def roles_of(conn: sa.Connection, staff_id: UUID) -> list[Row]:
    """The roles of a person: role and community (None: in all)."""
    return mappings(
        conn, sa.select(staff_roles.c.role, staff_roles.c.community_id).where(staff_roles.c.staff_id == staff_id)
    )


def everybody(conn: sa.Connection) -> list[Row]:
    """All active people with their roles."""
    people = mappings(conn, sa.select(staff).where(staff.c.active).order_by(staff.c.id))
    roles: dict[UUID, list[Row]] = {}
    for row in mappings(conn, sa.select(staff_roles)):
        roles.setdefault(row["staff_id"], []).append({"role": row["role"], "community_id": row["community_id"]})
    return [{**person, "roles": roles.get(person["id"], [])} for person in people]


def first_entered(conn: sa.Connection) -> datetime | None:
    """Since when there is anybody on the staff."""
    first: datetime | None = conn.execute(sa.select(sa.func.min(staff.c.created_at))).scalar()
    return first


def open_session(conn: sa.Connection, row: Row) -> None:
    conn.execute(sa.insert(sessions), [row])


def session(conn: sa.Connection, token_hash: str, now: datetime) -> Row | None:
    """The session with its person, while it lasts."""
    statement = (
        sa.select(sessions, staff.c.name, staff.c.login, staff.c.language, staff.c.title)
        .join(staff, staff.c.id == sessions.c.staff_id)
        .where(sessions.c.token_hash == token_hash, sessions.c.expires_at > now, staff.c.active)
    )
    return one(conn, statement)


def close_session(conn: sa.Connection, token_hash: str) -> None:
    conn.execute(sa.delete(sessions).where(sessions.c.token_hash == token_hash))


def touch_session(conn: sa.Connection, token_hash: str, now: datetime, expires_at: datetime) -> None:
    conn.execute(
        sa.update(sessions).where(sessions.c.token_hash == token_hash).values(seen_at=now, expires_at=expires_at)
    )


def add(conn: sa.Connection, person: Row, roles: Sequence[tuple[str, UUID | None]]) -> None:
    """Add a person with roles: (role, community or None for all)."""
    insert(conn, staff, [person])
    rows = [
        {"id": new_id(), "staff_id": person["id"], "role": role, "community_id": community} for role, community in roles
    ]
    insert(conn, staff_roles, rows)


def record_act(
    conn: sa.Connection, staff_id: UUID, act: str, now: datetime, *, ref_kind: str = "", ref_id: UUID | None = None,
    data: Row | None = None, community_id: UUID = NOBODY,
) -> None:  # fmt: skip
    """Write down what somebody did outside of a conversation (law 13)."""
    row = {
        "id": new_id(), "community_id": community_id, "staff_id": staff_id, "act": act, "ref_kind": ref_kind,
        "ref_id": ref_id,
        "data": data, "at": now,
    }  # fmt: skip
    insert(conn, audit, [row])


def begin_session(conn: sa.Connection, row: Row, now: datetime) -> None:
    """Open a session, put it on record, and forget those that have ended."""
    conn.execute(sa.delete(sessions).where(sessions.c.expires_at <= now))
    open_session(conn, row)
    record_act(conn, row["staff_id"], "sign_in", now)


def end_session(conn: sa.Connection, token_hash: str, staff_id: UUID, now: datetime) -> None:
    close_session(conn, token_hash)
    record_act(conn, staff_id, "sign_out", now)


def set_language(conn: sa.Connection, staff_id: UUID, language: str) -> None:
    conn.execute(sa.update(staff).where(staff.c.id == staff_id).values(language=language))
