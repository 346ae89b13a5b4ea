"""Communities, clusters, buildings, homes and public places from their compact description."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from bot.demo.book import Book
from bot.demo.sheets import Buildings, Communities, Community, read
from bot.store import places
from bot.store.base import Row, new_id
from workflows.where import Where, label


@dataclass(frozen=True, slots=True)
class Spot:
    """A home or public place: its id, and itself as a case keeps it."""

    id: UUID
    community_id: UUID
    where: Row


@dataclass(frozen=True, slots=True)
class Town:
    """Where what is, by the names on the sheets."""

    communities: dict[str, UUID] = field(default_factory=dict)
    homes: dict[str, Spot] = field(default_factory=dict)
    """`翠湖苑 3-2-1502`, or `云杉府 A-1203` where a building has no units."""
    places: dict[str, Spot] = field(default_factory=dict)
    """`翠湖苑 地库B2`"""


def build(book: Book) -> Town:
    town = Town()
    for sheet in read("communities", Communities).communities:
        _Builder(book, town, sheet).run()
    return town


class _Builder:
    """Builds one community."""

    def __init__(self, book: Book, town: Town, sheet: Community) -> None:
        self._book, self._town, self._sheet = book, town, sheet
        self._id = town.communities[sheet.name] = new_id()

    def run(self) -> None:
        sheet = self._sheet
        row = {"id": self._id, "name": sheet.name, "aliases": list(sheet.aliases), "phone": sheet.phone}
        self._book.enter(places.communities, row | {"night_model": sheet.night_model, "demonstration": True})
        clusters = {name: new_id() for name in sheet.clusters}
        for name, cluster_id in clusters.items():
            self._book.enter(places.clusters, {"id": cluster_id, "community_id": self._id, "name": name})
        for kind in sheet.buildings:
            for name in kind.names:
                self._building(kind, name, clusters[kind.cluster])
        for group in sheet.places:
            for name in group.names:
                self._place(name, group.kind, None)

    def _building(self, kind: Buildings, name: str, cluster_id: UUID) -> None:
        row: Row = {"id": new_id(), "community_id": self._id, "cluster_id": cluster_id, "name": name}
        self._book.enter(places.buildings, row)
        for unit, room in _rooms(kind):
            self._home(row["id"], name, unit, room)
        for place, place_kind in _shared(kind, name):
            self._place(place, place_kind, row["id"])

    def _home(self, building_id: UUID, building: str, unit: str, room: str) -> None:
        home: Row = {"id": new_id(), "community_id": self._id, "building_id": building_id, "unit": unit, "room": room}
        self._book.enter(places.homes, home)
        where = Where("home", building=building, unit=unit, room=room)
        key = f"{self._sheet.name} {'-'.join(filter(None, (building, unit, room)))}"
        self._town.homes[key] = self._spot(home["id"], where)

    def _place(self, name: str, kind: str, building_id: UUID | None) -> None:
        place: Row = {"id": new_id(), "community_id": self._id, "building_id": building_id, "name": name, "kind": kind}
        self._book.enter(places.public_places, place)
        self._town.places[f"{self._sheet.name} {name}"] = self._spot(place["id"], Where("place", place=name))

    def _spot(self, spot_id: UUID, where: Where) -> Spot:
        kept = {**where.parts(), "label": label(where, "zh-Hans"), "stated": {}, "community": self._sheet.name}
        return Spot(spot_id, self._id, kept)


def _rooms(kind: Buildings) -> Iterator[tuple[str, str]]:
    """(unit, room) of every home in a building of this kind."""
    first = 1
    for number, doors in enumerate(kind.doors, 1):
        unit = str(number) if kind.units else ""
        for floor in range(1, kind.floors + 1):
            yield from ((unit, f"{floor}{door:02}") for door in range(first, first + doors))
        first = first + doors if kind.through else 1


def _shared(kind: Buildings, name: str) -> Iterator[tuple[str, str]]:
    """(name, kind) of what everybody in a building of this kind shares."""
    building = f"{name}栋" if name.isdigit() else f"{name}座"
    for entrance in [f"{building}{unit}单元" for unit in range(1, kind.units + 1)] or [building]:
        yield f"{entrance}大堂", "lobby"
        for number in range(1, kind.lifts + 1):
            yield f"{entrance}{f'{number}号' if kind.lifts > 1 else ''}电梯", "lift"
    yield f"{building}楼顶", "roof"
