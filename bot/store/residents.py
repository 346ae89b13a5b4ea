"""Who writes to us: residents, the homes they belong to, and the identities they come by."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import (
    Row,
    among,
    community_column,
    id_column,
    insert,
    insert_new,
    mappings,
    metadata,
    new_id,
    one,
    part_index,
    reference,
    value,
    when,
    words,
)
from bot.store.conversations import conversations
from bot.store.places import buildings, homes

residents = sa.Table(
    "residents",
    metadata,
    id_column(),
    community_column(),
    words("name"),
    words("title"),
    words("phone"),
    words("language"),
    words("preferred_channel"),
    sa.Column("provisional", sa.Boolean, nullable=False, default=False),
    when("greeted_at"),
    when("stopped_at"),
    when("created_at", nullable=False),
    sa.Column("privacy_version", sa.Text),
    when("privacy_told_at"),
    part_index("ix_residents_phone", "phone", where="phone <> ''"),
)

households = sa.Table(
    "households",
    metadata,
    id_column(),
    community_column(),
    reference("resident_id", "residents.id", nullable=False, index=True),
    reference("home_id", "homes.id", nullable=False, index=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("payer", sa.Boolean, nullable=False, default=False),
    sa.Column("since", sa.Date),
    sa.Column("until", sa.Date),
    when("asleep_at"),
    sa.UniqueConstraint("resident_id", "home_id"),
)

identities = sa.Table(
    "identities",
    metadata,
    id_column(),
    community_column(),
    reference("resident_id", "residents.id", nullable=False, index=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("reachable", sa.Boolean, nullable=False, default=True),
    when("created_at", nullable=False),
    sa.Column("staff_id", sa.Uuid),
    sa.UniqueConstraint("channel", "account", "address"),
)

Key = tuple[str, str, str]
"""(channel, account, address)"""

_KNOWN = (
    sa.select(identities, conversations.c.id.label("conversation_id"))
    .join(conversations, conversations.c.resident_id == identities.c.resident_id)
    .where(identities.c.channel == sa.bindparam("channel"), identities.c.account == sa.bindparam("account"))
    .where(among(identities.c.address, "addresses"))
)


def find_identities(conn: sa.Connection, keys: Iterable[Key]) -> dict[Key, Row]:
    """Identity, resident and conversation of each address that is known."""
    found: dict[Key, Row] = {}
    by_account: dict[tuple[str, str], list[str]] = {}
    for channel, account, address in keys:
        by_account.setdefault((channel, account), []).append(address)
    for (channel, account), addresses in by_account.items():
        for row in mappings(conn, _KNOWN, channel=channel, account=account, addresses=addresses):
            found[channel, account, row["address"]] = row
    return found


def create_identities(conn: sa.Connection, new: Sequence[Row]) -> None:
    """A provisional resident with a conversation for each address not yet known.

    `new`: rows of channel, account, address, community_id, created_at. Another process may come first: its rows stay,
    ours are dropped.
    Sorted by key, so that two processes wait for each other in one order only.
    """
    rows = sorted(new, key=lambda row: (row["channel"], row["account"], row["address"]))
    people = [_provisional(row) for row in rows]
    insert(conn, residents, people)
    named = [
        {**row, "id": new_id(), "resident_id": person["id"], "reachable": True}
        for row, person in zip(rows, people, strict=True)
    ]
    taken = insert_new(conn, identities, named, key="resident_id")
    lost = [person["id"] for person in people if person["id"] not in taken]
    if lost:
        conn.execute(sa.delete(residents).where(residents.c.id.in_(lost)))
    insert(conn, conversations, [conversation_of(person) for person in people if person["id"] in taken])


def _provisional(row: Row) -> Row:
    return {"id": new_id(), "community_id": row["community_id"], "provisional": True, "created_at": row["created_at"]}


def conversation_of(resident: Row) -> Row:
    """The row of the one conversation that a resident has."""
    return {
        "id": new_id(),
        "community_id": resident["community_id"],
        "resident_id": resident["id"],
        "created_at": resident["created_at"],
        "updated_at": resident["created_at"],
    }


_TODAY = sa.bindparam("today", type_=sa.Date)
_IN_TIME = sa.and_(
    sa.or_(households.c.until.is_(None), households.c.until >= _TODAY),
    sa.or_(households.c.since.is_(None), households.c.since <= _TODAY),
)
"""It has begun and has not ended."""
_IN_FORCE = sa.and_(_IN_TIME, households.c.asleep_at.is_(None))
"""And it does not sleep."""

_HOMES = (
    sa.select(
        households.c.resident_id,
        households.c.id.label("household_id"),
        households.c.since,
        households.c.role,
        households.c.payer,
        homes.c.id,
        homes.c.community_id,
        buildings.c.name.label("building"),
        homes.c.unit,
        homes.c.room,
    )
    .join(homes, homes.c.id == households.c.home_id)
    .join(buildings, buildings.c.id == homes.c.building_id)
    .where(among(households.c.resident_id, "residents"))
    .where(_IN_FORCE)
    .order_by(households.c.id)
)


def homes_of(conn: sa.Connection, resident_ids: Sequence[UUID], today: date) -> dict[UUID, list[Row]]:
    """The homes that each resident belongs to today, oldest binding first."""
    if not resident_ids:
        return {}
    rows = mappings(conn, _HOMES, residents=resident_ids, today=today)
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row.pop("resident_id"), []).append(row)
    return found


_IDENTITIES = sa.select(identities).where(among(identities.c.resident_id, "residents")).order_by(identities.c.id)


def identities_of(conn: sa.Connection, resident_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """All identities of each resident, oldest first."""
    if not resident_ids:
        return {}
    rows = mappings(conn, _IDENTITIES, residents=resident_ids)
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row["resident_id"], []).append(row)
    return found


def mark_reachable(
    conn: sa.Connection, channel: str, account: str, addresses: Sequence[str], *, reachable: bool
) -> None:
    """What following, leaving or a refusal says about an address."""
    conn.execute(
        sa.update(identities)
        .where(identities.c.channel == channel, identities.c.account == account, identities.c.address.in_(addresses))
        .values(reachable=reachable)
    )


def set_language(conn: sa.Connection, key: Key, language: str) -> None:
    """What an address is told in until the resident writes; a language that is known already stays."""
    channel, account, address = key
    mine = sa.select(identities.c.resident_id).where(
        identities.c.channel == channel, identities.c.account == account, identities.c.address == address
    )
    unknown = sa.and_(residents.c.id.in_(mine), residents.c.language == "")
    conn.execute(sa.update(residents).where(unknown).values(language=language))


def get_many(conn: sa.Connection, ids: Sequence[UUID]) -> list[Row]:
    return mappings(conn, sa.select(residents).where(residents.c.id.in_(ids))) if ids else []


def phone_of(conn: sa.Connection, resident_id: UUID) -> str:
    return str(value(conn, sa.select(residents.c.phone).where(residents.c.id == resident_id)))


def handset(conn: sa.Connection, resident_id: UUID, community_id: UUID, key: Key, now: datetime) -> Row:
    """The address of a resident's phone, entered where nobody has used it yet. Somebody of the same household may have
    it already: then it stays theirs."""
    channel, account, address = key
    new = {
        "id": new_id(), "community_id": community_id, "resident_id": resident_id, "channel": channel,
        "account": account, "address": address, "reachable": True, "created_at": now,
    }  # fmt: skip
    insert_new(conn, identities, [new])
    found = one(
        conn,
        sa.select(identities).where(
            identities.c.channel == channel, identities.c.account == account, identities.c.address == address
        ),
    )
    assert found is not None
    return found


_MEMBERS = (
    sa.select(residents, households.c.role)
    .join(households, households.c.resident_id == residents.c.id)
    .where(households.c.home_id == sa.bindparam("home", type_=sa.Uuid), _IN_TIME, residents.c.provisional.is_(False))
    .order_by(residents.c.id)
)


def members_of(conn: sa.Connection, home_id: UUID, today: date) -> list[Row]:
    """Who belongs to a home by the register today, each with the role; also where it sleeps for them."""
    return mappings(conn, _MEMBERS, home=home_id, today=today)


_WITH_PHONE = (
    sa.select(residents)
    .where(among(residents.c.phone, "phones"), sa.text("residents.phone <> ''"), residents.c.provisional.is_(False))
    .order_by(residents.c.id)
)


def with_phone(conn: sa.Connection, spellings: Sequence[str]) -> list[Row]:
    """The residents on whom one of these spellings of a number is registered."""
    return mappings(conn, _WITH_PHONE, phones=spellings)


def get_identity(conn: sa.Connection, identity_id: UUID) -> Row | None:
    return one(conn, sa.select(identities).where(identities.c.id == identity_id))


def identities_of_staff(conn: sa.Connection, staff_id: UUID) -> list[Row]:
    """The addresses by which one of the staff writes to us."""
    return mappings(conn, sa.select(identities).where(identities.c.staff_id == staff_id).order_by(identities.c.id))


def set_staff(conn: sa.Connection, identity_id: UUID, staff_id: UUID | None) -> None:
    """Whoever writes from this address is one of the staff from now on, or is not any more."""
    conn.execute(sa.update(identities).where(identities.c.id == identity_id).values(staff_id=staff_id))


def asleep(conn: sa.Connection, resident_id: UUID, home_id: UUID) -> UUID | None:
    """The household line of a resident and a home that sleeps."""
    mine = (households.c.resident_id == resident_id) & (households.c.home_id == home_id)
    found: UUID | None = conn.execute(
        sa.select(households.c.id).where(mine, households.c.asleep_at.is_not(None))
    ).scalar_one_or_none()
    return found


def homes_copied(conn: sa.Connection, from_id: UUID, to_id: UUID, today: date) -> None:
    """The homes of one entry of the register count for another entry of the same person, too."""
    mine = sa.select(households).where(households.c.resident_id == from_id, _IN_FORCE)
    rows = [{**row, "id": new_id(), "resident_id": to_id} for row in mappings(conn, mine, today=today)]
    insert_new(conn, households, rows)


def tenancies_ending(conn: sa.Connection, first: date, last: date) -> list[Row]:
    """Tenants whose end date lies between these days, both included, with their home and conversation."""
    joined = (
        households.join(homes, homes.c.id == households.c.home_id)
        .join(buildings, buildings.c.id == homes.c.building_id)
        .join(residents, residents.c.id == households.c.resident_id)
        .outerjoin(conversations, conversations.c.resident_id == residents.c.id)
    )
    statement = sa.select(
        households.c.id, households.c.community_id, households.c.resident_id, households.c.until,
        buildings.c.name.label("building"), homes.c.unit, homes.c.room, residents.c.phone,
        conversations.c.id.label("conversation_id"),
    ).select_from(joined)  # fmt: skip
    ending = statement.where(households.c.role == "tenant", households.c.until >= first, households.c.until <= last)
    return mappings(conn, ending.where(households.c.asleep_at.is_(None)).order_by(households.c.id))
