"""What every turn may look at without asking the database: places, people, roster, knowledge and settings, as one
snapshot."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.settings import Settings
from bot.store import places, roster, staff
from channels.base import Capabilities
from intents.reader import Reader
from knowledge_base.answer import KnowledgeBase


@dataclass(frozen=True, slots=True)
class Community:
    id: UUID
    name: str
    aliases: tuple[str, ...] = ()
    night_model: str = "staffed"
    phone: str = ""
    demonstration: bool = False


@dataclass(frozen=True, slots=True)
class Building:
    id: UUID
    community_id: UUID
    name: str
    cluster: str | None
    rooms: Mapping[tuple[str, str], UUID]
    """(unit, room) to home; empty where the community's list names no homes of this building."""


@dataclass(frozen=True, slots=True)
class Place:
    id: UUID
    community_id: UUID
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Member:
    """One of the staff. `roles`: role and community, None for all."""

    id: UUID
    name: str
    title: str = ""
    phone: str = ""
    skills: tuple[str, ...] = ()
    roles: frozenset[tuple[str, UUID | None]] = frozenset()

    def has(self, role: str, community_id: UUID) -> bool:
        return (role, None) in self.roles or (role, community_id) in self.roles


@dataclass(frozen=True, slots=True)
class DutyLine:
    """A line of the roster in the community's local time; one that ends at or before its start runs past midnight."""

    community_id: UUID
    staff_id: UUID
    duty: str
    weekdays: str
    starts: time
    ends: time
    valid_from: date | None
    valid_until: date | None

    def covers(self, local: datetime) -> bool:
        if self.starts < self.ends:
            return self._on(local.date()) and self.starts <= local.time() < self.ends
        evening = self._on(local.date()) and local.time() >= self.starts
        return evening or (self._on(local.date() - timedelta(days=1)) and local.time() < self.ends)

    def _on(self, day: date) -> bool:
        begun = self.valid_from is None or self.valid_from <= day
        lasts = self.valid_until is None or day <= self.valid_until
        return begun and lasts and str(day.isoweekday()) in self.weekdays


@dataclass(frozen=True, slots=True)
class World:
    """The snapshot. Made by `load`; replaced, never changed."""

    settings: Settings
    reader: Reader
    knowledge: KnowledgeBase
    communities: Mapping[UUID, Community] = field(default_factory=dict)
    buildings: Mapping[UUID, Mapping[str, Building]] = field(default_factory=dict)
    public_places: Mapping[UUID, Sequence[Place]] = field(default_factory=dict)
    members: Mapping[UUID, Member] = field(default_factory=dict)
    duties: Sequence[DutyLine] = ()
    accounts: Mapping[tuple[str, str], UUID] = field(default_factory=dict)
    capabilities: Mapping[tuple[str, str], Capabilities] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    """Every name and alias of a community to its name; an alias that fits several is not in it."""
    _lines: dict[tuple[UUID, str], list[DutyLine]] = field(init=False, repr=False, default_factory=dict)
    _by_role: dict[tuple[str, UUID], list[Member]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        for line in self.duties:
            self._lines.setdefault((line.community_id, line.duty), []).append(line)

    def local(self, moment: datetime) -> datetime:
        """`moment` as the community's clock shows it."""
        return moment.astimezone(self.settings.zone)

    def community_named(self, name: str) -> Community | None:
        return next((community for community in self.communities.values() if community.name == name), None)

    def on_duty(self, community_id: UUID, duties: Iterable[str], moment: datetime) -> list[Member]:
        """Who is on one of these duties now, in the order of the duties; each person once."""
        local = self.local(moment)
        found: dict[UUID, Member] = {}
        for duty in duties:
            for line in self._lines.get((community_id, duty), ()):
                if line.covers(local) and line.staff_id in self.members:
                    found.setdefault(line.staff_id, self.members[line.staff_id])
        return list(found.values())

    def with_role(self, role: str, community_id: UUID) -> list[Member]:
        """Everybody with this role in this community or in all."""
        key = role, community_id
        if key not in self._by_role:
            self._by_role[key] = [member for member in self.members.values() if member.has(role, community_id)]
        return self._by_role[key]

    def service_phone(self, community_id: UUID) -> str:
        """The number answered round the clock for a community."""
        community = self.communities.get(community_id)
        return (community.phone if community else "") or self.settings.desk.service_phone

    def communities_of(self, channel: str, account: str) -> list[Community]:
        """The communities that write to this account: its own one, or all."""
        only = self.accounts.get((channel, account))
        own = self.communities.get(only) if only is not None else None
        return [own] if own is not None else list(self.communities.values())


def load(
    conn: sa.Connection,
    settings: Settings,
    reader: Reader,
    knowledge: KnowledgeBase,
    capabilities: Mapping[tuple[str, str], Capabilities],
) -> World:
    """Read the snapshot from the database."""
    communities = {row["id"]: _community(row) for row in places.all_communities(conn)}
    return World(
        settings=settings,
        reader=reader,
        knowledge=knowledge,
        communities=communities,
        buildings=_buildings(conn),
        public_places=_public_places(conn),
        members={row["id"]: _member(row) for row in staff.everybody(conn)},
        duties=[_duty(row) for row in roster.all_lines(conn)],
        accounts=places.account_communities(conn),
        capabilities=capabilities,
        names=_names(communities.values()),
    )


def _community(row: Mapping[str, Any]) -> Community:
    return Community(
        row["id"],
        row["name"],
        tuple(row["aliases"] or ()),
        row["night_model"],
        row["phone"],
        bool(row["demonstration"]),
    )


def _names(communities: Iterable[Community]) -> dict[str, str]:
    seen: dict[str, set[str]] = {}
    for community in communities:
        for name in (community.name, *community.aliases):
            seen.setdefault(name, set()).add(community.name)
    return {alias: names.pop() for alias, names in seen.items() if len(names) == 1}


def _buildings(conn: sa.Connection) -> dict[UUID, dict[str, Building]]:
    rooms: dict[tuple[UUID, str], dict[tuple[str, str], UUID]] = {}
    for home in places.all_homes(conn):
        rooms.setdefault((home["community_id"], home["building"]), {})[home["unit"], home["room"]] = home["id"]
    found: dict[UUID, dict[str, Building]] = {}
    for row in places.all_buildings(conn):
        key = row["community_id"], row["name"]
        building = Building(row["id"], row["community_id"], row["name"], row["cluster"], rooms.get(key, {}))
        found.setdefault(row["community_id"], {})[row["name"]] = building
    return found


def _public_places(conn: sa.Connection) -> dict[UUID, list[Place]]:
    found: dict[UUID, list[Place]] = {}
    for row in places.all_public_places(conn):
        found.setdefault(row["community_id"], []).append(
            Place(row["id"], row["community_id"], row["name"], row["kind"])
        )
    return found


def _member(row: Mapping[str, Any]) -> Member:
    roles = frozenset((role["role"], role["community_id"]) for role in row["roles"])
    return Member(row["id"], row["name"], row["title"], row["phone"], tuple(row["skills"] or ()), roles)


def _duty(row: Mapping[str, Any]) -> DutyLine:
    return DutyLine(
        row["community_id"],
        row["staff_id"],
        row["duty"],
        row["weekdays"],
        row["starts"],
        row["ends"],
        row["valid_from"],
        row["valid_until"],
    )


@dataclass(frozen=True, slots=True)
class Taught:
    """How far the reader of the snapshot has followed the staff: number of the last change, and which model reads
    (None: the one that ships)."""

    revision: int = 0
    model_id: UUID | None = None


class Worlds:
    """Holds the present snapshot; whoever needs it asks for `current` at the moment of need."""

    def __init__(self, current: World) -> None:
        self.current = current
        self.taught = Taught()
        self.renewing = asyncio.Lock()
        """Held while the reader is replaced, so that an older one never comes after a newer."""
