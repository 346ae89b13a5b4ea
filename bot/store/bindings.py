"""How an address became a resident: every binding with its way and its end, the tries that are limited, the one-time
codes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import (
    Json,
    Row,
    community_column,
    id_column,
    insert,
    insert_new,
    mappings,
    metadata,
    one,
    part_index,
    reference,
    value,
    when,
    words,
)
from bot.store.conversations import conversations
from bot.store.places import buildings, homes
from bot.store.residents import identities, residents

bindings = sa.Table(
    "bindings",
    metadata,
    id_column(),
    community_column(),
    reference("identity_id", "identities.id", nullable=False, index=True),
    reference("resident_id", "residents.id"),
    reference("home_id", "homes.id"),
    sa.Column("where", Json),
    words("name"),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    reference("told_identity_id", "identities.id"),
    when("created_at", nullable=False),
    when("settled_at"),
    reference("settled_by", "staff.id"),
    sa.Column("dedupe_key", sa.Text, unique=True),
    part_index("ix_bindings_pending", "created_at", where="state = 'pending'"),
    part_index("ix_bindings_told", "told_identity_id", where="told_identity_id IS NOT NULL"),
    comment="Each act by which an address became, or was to become, a resident.",
)

METHODS = ("register", "phone", "code", "staff")
"""register: home, name and the end of the registered phone; phone: the provider vouches for the number; code: a
one-time code; staff: confirmed by a person."""
STATES = ("pending", "active", "refused", "objected", "ended")

tries = sa.Table(
    "binding_tries",
    metadata,
    id_column(),
    community_column(),
    reference("identity_id", "identities.id", nullable=False),
    reference("home_id", "homes.id"),
    when("at", nullable=False),
    when("locked_until"),
    sa.Index("ix_binding_tries_identity_id_at", "identity_id", "at"),
    part_index("ix_binding_tries_home", "home_id", "at", where="home_id IS NOT NULL"),
    comment="Tries to bind that failed; the one too many says how long nobody tries again.",
)

codes = sa.Table(
    "binding_codes",
    metadata,
    id_column(),
    community_column(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("salt", sa.Text, nullable=False),
    sa.Column("code_hash", sa.Text, nullable=False),
    reference("resident_id", "residents.id"),
    reference("staff_id", "staff.id"),
    reference("identity_id", "identities.id"),
    words("session_hash"),
    reference("made_by", "staff.id"),
    when("created_at", nullable=False),
    when("expires_at", nullable=False),
    when("used_at"),
    reference("used_by", "identities.id"),
    part_index("ix_binding_codes_open", "expires_at", where="used_at IS NULL"),
    part_index("ix_binding_codes_session", "session_hash", where="session_hash <> ''"),
    comment="One-time codes, never kept as they are read out.",
)

CODE_KINDS = ("resident", "staff", "sign_in")
"""resident: whoever types it is this resident; staff: is this colleague; sign_in: a colleague who is bound lets a
waiting browser in with it."""

_AT = sa.bindparam("at", type_=tries.c.at.type)


def add(conn: sa.Connection, row: Row) -> bool:
    """Write down a binding unless the same one stands; whether it is new."""
    return bool(insert_new(conn, bindings, [row]))


def get(conn: sa.Connection, binding_id: UUID) -> Row | None:
    return one(conn, sa.select(bindings).where(bindings.c.id == binding_id))


_TOLD = (
    sa.select(bindings)
    .where(
        bindings.c.told_identity_id == sa.bindparam("identity", type_=sa.Uuid),
        bindings.c.state == "active",
        bindings.c.created_at >= sa.bindparam("since", type_=bindings.c.created_at.type),
    )
    .order_by(bindings.c.id.desc())
    .limit(1)
)


def told_to(conn: sa.Connection, identity_id: UUID, since: datetime) -> Row | None:
    """The newest binding in force that this address was told of and may still object to."""
    rows = mappings(conn, _TOLD, identity=identity_id, since=since)
    return rows[0] if rows else None


def pending(conn: sa.Connection, communities: Sequence[UUID] | None, limit: int = 100) -> list[Row]:
    """Bindings that wait for a person, the oldest first, with the address and the home."""
    joined = (
        bindings.join(identities, identities.c.id == bindings.c.identity_id)
        .join(residents, residents.c.id == identities.c.resident_id)
        .outerjoin(homes, homes.c.id == bindings.c.home_id)
        .outerjoin(buildings, buildings.c.id == homes.c.building_id)
    )
    statement = (
        sa.select(
            bindings, identities.c.channel, identities.c.address, residents.c.phone,
            buildings.c.name.label("building"), homes.c.unit, homes.c.room,
        )
        .select_from(joined)
        .where(bindings.c.state == "pending")
        .order_by(bindings.c.created_at, bindings.c.id)
        .limit(limit)
    )  # fmt: skip
    if communities is not None:
        statement = statement.where(bindings.c.community_id.in_(communities))
    return mappings(conn, statement)


def conversation_of(conn: sa.Connection, identity_id: UUID) -> UUID:
    """The conversation that an address speaks in."""
    joined = identities.join(conversations, conversations.c.resident_id == identities.c.resident_id)
    found: UUID = value(conn, sa.select(conversations.c.id).select_from(joined).where(identities.c.id == identity_id))
    return found


def ids_of(conn: sa.Connection, identity_id: UUID, state: str) -> list[UUID]:
    """The bindings of an address that are in this state."""
    mine = sa.select(bindings.c.id).where(bindings.c.identity_id == identity_id, bindings.c.state == state)
    return list(conn.execute(mine.order_by(bindings.c.id)).scalars())


# -- tries ------------------------------------------------------------------------------------------------------------

_LOCKED_IDENTITY = sa.select(sa.func.max(tries.c.locked_until)).where(
    tries.c.identity_id == sa.bindparam("identity", type_=sa.Uuid), tries.c.locked_until > _AT
)
_LOCKED_HOME = sa.select(sa.func.max(tries.c.locked_until)).where(
    tries.c.home_id == sa.bindparam("home", type_=sa.Uuid), tries.c.locked_until > _AT
)
_OF_IDENTITY = sa.select(sa.func.count()).where(
    tries.c.identity_id == sa.bindparam("identity", type_=sa.Uuid), tries.c.at > _AT
)
_OF_HOME = sa.select(sa.func.count()).where(tries.c.home_id == sa.bindparam("home", type_=sa.Uuid), tries.c.at > _AT)


def locked(conn: sa.Connection, identity_id: UUID, home_id: UUID | None, now: datetime) -> bool:
    """Whether this address, or anybody for this home, has failed too often of late."""
    if _one(conn, _LOCKED_IDENTITY, identity=identity_id, at=now) is not None:
        return True
    return home_id is not None and _one(conn, _LOCKED_HOME, home=home_id, at=now) is not None


def tries_of_identity(conn: sa.Connection, identity_id: UUID, since: datetime) -> int:
    return int(_one(conn, _OF_IDENTITY, identity=identity_id, at=since))


def tries_of_home(conn: sa.Connection, home_id: UUID, since: datetime) -> int:
    return int(_one(conn, _OF_HOME, home=home_id, at=since))


def _one(conn: sa.Connection, statement: sa.Select[Any], **values: Any) -> Any:
    return conn.execute(statement, values).scalar_one()


def count_try(conn: sa.Connection, row: Row) -> None:
    """A try failed. Written at once: what guards against guessing does not depend on how the turn ends."""
    insert(conn, tries, [row])


# -- codes ------------------------------------------------------------------------------------------------------------


def add_code(conn: sa.Connection, row: Row) -> None:
    insert(conn, codes, [row])


_OPEN_CODES = (
    sa.select(codes).where(codes.c.used_at.is_(None), codes.c.expires_at > _AT).order_by(codes.c.expires_at.desc())
)


def open_codes(conn: sa.Connection, now: datetime) -> list[Row]:
    """The codes that may still be used: those of the last few minutes."""
    return mappings(conn, _OPEN_CODES, at=now)


def use_code(conn: sa.Connection, code_id: UUID, identity_id: UUID | None, now: datetime) -> bool:
    """Use up a code; False where it was used before."""
    mine = sa.update(codes).where(codes.c.id == code_id, codes.c.used_at.is_(None), codes.c.expires_at > now)
    return conn.execute(mine.values(used_at=now, used_by=identity_id)).rowcount == 1


def let_in(conn: sa.Connection, session_hash: str) -> UUID | None:
    """Whom a colleague's phone has let in at the browser that shows this code; once."""
    mine = (codes.c.session_hash == session_hash) & sa.text("session_hash <> ''")
    ready = mine & codes.c.used_at.is_not(None) & codes.c.staff_id.is_not(None)
    used = sa.update(codes).where(ready).values(session_hash="").returning(codes.c.staff_id)
    found: UUID | None = conn.execute(used).scalar_one_or_none()
    return found


def forget_codes(conn: sa.Connection, before: datetime) -> None:
    """Remove codes and tries that nobody needs any more."""
    conn.execute(sa.delete(codes).where(codes.c.expires_at < before))
    conn.execute(sa.delete(tries).where(tries.c.at < before))
