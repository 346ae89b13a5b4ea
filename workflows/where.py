"""Which place is meant: what was stated, against the homes of the resident and the lists of the communities. Pure."""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from uuid import UUID

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.desk import Building, Community, Home, Place

Kind = Literal["home", "place", "building", "absent", "several", "unknown"]
"""home: acceptable to the room; place: a public one; building: the room is missing; absent: the list has no such place;
several: a choice; unknown: nothing was said that tells."""

PARTS = ("building", "unit", "room")
MOST_OFFERED = 3
_SUFFIX = re.compile(r"(?:号楼|號樓|栋|棟|幢|座|号|號|楼|樓|#)$")
_IN_BUILDING = re.compile(
    r"走廊|楼道|过道|電梯|电梯|大堂|大厅|门厅|楼梯|轿厢|单元门|天台|楼顶|屋顶|連廊|连廊|消防门|防火门|"
    r"lobby|corridor|hallway|stair|lift|elevator|roof"
)
BARE = re.compile(
    r"(?:这个|那个|那部|这部|我们?|咱们?)?(?:电梯|電梯|升降机|升降機|𨋢|大堂|大厅|大廳|门厅|門廳|楼道|樓道|走廊|过道|過道|楼梯间?|樓梯間?|"
    r"车库|車庫|地库|停车场|停車場|天台|垃圾房|lift|elevator|lobby|corridor|hallway|stair(?:s|case|well)?|garage|"
    r"car ?park)(?:里|里面|口)?",
    re.IGNORECASE,
)
"""A kind of place that every building may have, and nothing that tells which one."""
_OF_A_BUILDING = re.compile(r"(?:[a-z]|\d{1,3})(?:号楼|號樓|栋|棟|幢|座)|(?:tower|block|building) ?\w", re.IGNORECASE)
_ONE_OF_ITS_KIND = re.compile(
    r"[东南西北正大侧后]门|門口|会所|泳池|健身房|儿童乐园|游乐场|篮球场|网球场|广场|前台|物业|人工湖|喷泉|"
    r"泵房|配电房|clubhouse|pool|gym|playground|main gate|\d|[a-z]\d"
)


@dataclass(frozen=True, slots=True)
class Atlas:
    """All places: buildings and public places of each community."""

    buildings: Mapping[UUID, Mapping[str, Building]]
    places: Mapping[UUID, Sequence[Place]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Where:
    """What was found. `named`: the community is part of what is told, since it was not clear before."""

    kind: Kind
    community: Community | None = None
    building: str = ""
    unit: str = ""
    room: str = ""
    place: str = ""
    home_id: UUID | None = None
    place_id: UUID | None = None
    named: bool = False
    listed: bool = False
    """The community's list has it."""
    options: tuple["Where", ...] = ()
    nearest: "Where | None" = None
    """Of an absent place: one that is there and looks like it."""

    def parts(self) -> dict[str, str]:
        found = {"building": self.building, "unit": self.unit, "room": self.room, "place": self.place}
        return {name: value for name, value in found.items() if value}


UNKNOWN = Where("unknown")


def label(where: Where, language: str, *, named: bool | None = None) -> str:
    """3栋2单元1502, 3栋大堂, Tower 3, Flat 1502: as it is told to the resident."""
    home = _home_label(where, language)
    gap = " " if language == "en" and home and where.place else ""
    spot = (
        where.place
        if home in where.place or not home
        else f"{where.place}{', ' if gap else ''}{home}"
        if gap
        else home + where.place
    )
    if (where.named if named is None else named) and where.community is not None:
        return f"{spot}, {where.community.name}" if language == "en" else where.community.name + spot
    return spot


def _home_label(where: Where, language: str) -> str:
    building, unit, room = where.building, where.unit, where.room
    if language == "en":
        pieces = [("Building ", building), ("Unit ", unit), ("Flat ", room)]
        return ", ".join(name + value for name, value in pieces if value)
    hant = language == "zh-Hant"
    letter = building.isalpha() and building.isascii()
    block = ("座" if hant or letter else "栋") if building else ""
    return f"{building}{block}{unit + ('單元' if hant else '单元') if unit else ''}{room}"


@functools.lru_cache(maxsize=4096)
def plain(building: str) -> str:
    """A building's name without its word: 3栋 and 3号楼 are 3."""
    return _SUFFIX.sub("", building.strip()).upper()


def find(
    stated: Mapping[str, str],
    homes: Sequence[Home],
    communities: Sequence[Community],
    atlas: Atlas,
    remembered: Where | None = None,
) -> Where:
    """Which place is meant. `communities`: those it may be in; `homes`: the resident's; `remembered`: told before."""
    named = _named(stated.get("community", ""), communities)
    within = [named] if named else list(communities)
    clear = named is None and len(within) > 1
    if stated.get("place") and not stated.get("room"):
        found = _public(stated, homes, within, atlas, remembered)
    elif any(stated.get(part) for part in PARTS):
        found = _stated_home(stated, homes, within, atlas, remembered)
    else:
        found = _known(homes, named, remembered, within)
    return replace(found, named=found.named or (clear and found.community is not None))


def _named(name: str, communities: Iterable[Community]) -> Community | None:
    return next(
        (community for community in communities if name and (community.name == name or name in community.aliases)), None
    )


def _known(
    homes: Sequence[Home], named: Community | None, remembered: Where | None, within: Sequence[Community]
) -> Where:
    fitting = [home for home in homes if named is None or home.community_id == named.id]
    if remembered is not None and (named is None or remembered.community == named):
        return remembered
    if len(fitting) == 1:
        return of_home(fitting[0], within)
    if fitting:
        return Where("several", options=tuple(of_home(home, within) for home in fitting[:MOST_OFFERED]))
    return Where("unknown", community=within[0] if len(within) == 1 else None)


def of_home(home: Home, communities: Iterable[Community]) -> Where:
    """A home of the resident as a place."""
    community = next((known for known in communities if known.id == home.community_id), None)
    return Where("home", community, home.building, home.unit, home.room, home_id=home.id, listed=True)


def _public(
    stated: Mapping[str, str],
    homes: Sequence[Home],
    within: Sequence[Community],
    atlas: Atlas,
    remembered: Where | None,
) -> Where:
    place = stated["place"]
    community = _community_of(stated, homes, within, atlas, remembered)
    if community is None:
        return Where("unknown", place=place, building=stated.get("building", ""))
    known = atlas.places.get(community.id, ())
    bare = BARE.fullmatch(place) is not None
    registered = (
        _only_one(place, known, len(atlas.buildings.get(community.id, {}))) if bare else _registered(place, known)
    )
    building = stated.get("building", "")
    if not building and registered is None:
        building = _own_building(place, homes, community, remembered)
    if building and not _has_building(building, community, atlas):
        return _absent({"building": building}, community, atlas)
    spotted = bool(building) or registered is not None or (not bare and _ONE_OF_ITS_KIND.search(place) is not None)
    found = Where("place", community, building, stated.get("unit", ""), place=place)
    if registered is not None and not building:
        found = replace(found, place=registered.name, place_id=registered.id, listed=True)
    return found if spotted else replace(found, kind="unknown")


def _registered(place: str, known: Sequence[Place]) -> Place | None:
    """The row of a public place: by its name, or the only one whose name holds what was said."""
    exact = [row for row in known if row.name == place]
    fitting = exact or [row for row in known if place in row.name or row.name in place]
    return fitting[0] if len(fitting) == 1 else None


def _only_one(place: str, known: Sequence[Place], buildings: int) -> Place | None:
    """The row that a bare 电梯 means: only where the community has no second one of its kind.

    The lobby of one of several buildings is none, though it may be the only one that somebody has listed.
    """
    kind = next((row.kind for row in known if place in row.name), None)
    alike = [row for row in known if place in row.name or (kind and row.kind == kind)]
    alone = len(alike) == 1 and (buildings <= 1 or not _OF_A_BUILDING.match(alike[0].name))
    return alike[0] if alone else None


def _community_of(
    stated: Mapping[str, str],
    homes: Sequence[Home],
    within: Sequence[Community],
    atlas: Atlas,
    remembered: Where | None,
) -> Community | None:
    if len(within) == 1:
        return within[0]
    own = {home.community_id for home in homes} | (
        {remembered.community.id} if remembered and remembered.community else set()
    )
    having = [known for known in within if known.id in own] if own else []
    if not having and stated.get("building"):
        having = [
            known
            for known in within
            if atlas.buildings.get(known.id) and _has_building(stated["building"], known, atlas)
        ]
    return having[0] if len(having) == 1 else None


def _own_building(place: str, homes: Sequence[Home], community: Community, remembered: Where | None) -> str:
    """The lift, lobby or corridor that somebody means without saying where is the one at home."""
    if not _IN_BUILDING.search(place.lower()):
        return ""
    own = {home.building for home in homes if home.community_id == community.id}
    if remembered is not None and remembered.building:
        own = {remembered.building}
    return own.pop() if len(own) == 1 else ""


def _stated_home(
    stated: Mapping[str, str],
    homes: Sequence[Home],
    within: Sequence[Community],
    atlas: Atlas,
    remembered: Where | None,
) -> Where:
    mine = [home for home in homes if _fits(stated, home) and home.community_id in {known.id for known in within}]
    if len(mine) == 1:
        return of_home(mine[0], within)
    if not stated.get("building"):
        return _completed(stated, within, remembered, atlas)
    tried = [_in_community(stated, community, atlas) for community in within]
    return _best(tried)


def _fits(stated: Mapping[str, str], home: Home) -> bool:
    own = {"building": plain(home.building), "unit": home.unit, "room": home.room.upper()}
    return all(not stated.get(part) or plain(stated[part]) == own[part] for part in PARTS)


def _completed(stated: Mapping[str, str], within: Sequence[Community], remembered: Where | None, atlas: Atlas) -> Where:
    """A unit or room without its building: the building named before counts on."""
    if remembered is not None and remembered.building and remembered.community is not None:
        return _in_community({**remembered.parts(), **stated}, remembered.community, atlas)
    community = within[0] if len(within) == 1 else None
    return Where("building", community, unit=stated.get("unit", ""), room=stated.get("room", ""))


def _best(tried: Sequence[Where]) -> Where:
    listed = [found for found in tried if found.listed]
    offered = listed or [found for found in tried if found.kind in {"home", "building", "several"}]
    if len(offered) == 1:
        return offered[0]
    if offered:
        if len(offered) > MOST_OFFERED or any(found.kind == "several" for found in offered):
            first = offered[0]
            return Where("unknown", building=first.building, unit=first.unit, room=first.room)
        return Where("several", options=tuple(replace(found, named=True) for found in offered))
    near = [found for found in tried if found.nearest is not None]
    return (near or list(tried) or [UNKNOWN])[0]


def _building(name: str, community: Community, atlas: Atlas) -> Building | None:
    wanted = plain(name)
    for building in atlas.buildings.get(community.id, {}).values():
        own = plain(building.name)
        if own == wanted or (building.cluster and plain(f"{building.cluster}{own}") == wanted):
            return building
    return None


def _has_building(name: str, community: Community, atlas: Atlas) -> bool:
    return not atlas.buildings.get(community.id) or _building(name, community, atlas) is not None


def _made(kind: Kind, community: Community, parts: Mapping[str, str], *, listed: bool = False) -> Where:
    """A place of these parts."""
    return Where(kind, community, parts["building"], parts["unit"], parts["room"], listed=listed)


def _in_community(stated: Mapping[str, str], community: Community, atlas: Atlas) -> Where:
    parts = {part: stated.get(part, "") for part in PARTS}
    if not atlas.buildings.get(community.id):
        return _made("home" if parts["room"] else "building", community, parts)
    building = _building(parts["building"], community, atlas)
    if building is None:
        return _absent(stated, community, atlas)
    parts["building"] = plain(building.name)
    if not parts["room"] or not building.rooms:
        return _made("home" if parts["room"] else "building", community, parts, listed=True)
    return _in_building(parts, building, community, atlas)


def _in_building(parts: Mapping[str, str], building: Building, community: Community, atlas: Atlas) -> Where:
    """The room; without its unit the one unit that has it, else a choice of units."""
    fitting = [
        (unit, room)
        for unit, room in building.rooms
        if room.upper() == parts["room"].upper() and parts["unit"] in {"", unit}
    ]
    options = [
        Where("home", community, parts["building"], *key, home_id=building.rooms[key], listed=True) for key in fitting
    ]
    if len(options) == 1:
        return options[0]
    if options:
        return replace(_made("several", community, parts, listed=True), options=tuple(options[:MOST_OFFERED]))
    return _absent(parts, community, atlas)


def _absent(stated: Mapping[str, str], community: Community, atlas: Atlas) -> Where:
    parts = {part: stated.get(part, "") for part in PARTS}
    near = _nearest(parts, community, atlas) if parts["room"] else None
    return replace(_made("absent", community, parts), nearest=near)


def _nearest(parts: Mapping[str, str], community: Community, atlas: Atlas) -> Where | None:
    """The one home of the list that differs by a single slip of the finger; None where several do or none does."""
    near = [
        Where("home", community, plain(building.name), unit, room, home_id=home_id, listed=True)
        for building in atlas.buildings.get(community.id, {}).values()
        for (unit, room), home_id in _slipped(parts, building)
    ]
    return near[0] if len(near) == 1 else _likeliest(near, parts)


def _slipped(parts: Mapping[str, str], building: Building) -> list[tuple[tuple[str, str], UUID]]:
    """The homes of a building that are one slip away; its own name may be that slip, then the rest must be right."""
    left = 1 - _slips(plain(parts["building"]), plain(building.name))
    if left < 0:
        return []
    wanted, unit_told = parts["room"].upper(), parts["unit"]
    near = process.extract(
        wanted, building.rooms.keys(), processor=_room, scorer=OSA.distance, score_cutoff=left, limit=None
    )
    return [
        (key, building.rooms[key])
        for key, slips, _ in near
        if slips + (_slips(unit_told, key[0]) if unit_told else 0) == left
    ]


def _room(key: tuple[str, str] | str) -> str:
    return key if isinstance(key, str) else key[1].upper()


def _slips(wanted: str, given: str) -> int:
    """0 or 1 slip of the finger from one to the other, 2 for more."""
    return min(OSA.distance(wanted, given, score_cutoff=1), 2)


def _likeliest(near: Sequence[Where], parts: Mapping[str, str]) -> Where | None:
    """Of several: the one whose only slip is a digit doubled or left out (33 for 3), which is the commonest."""
    wanted = "".join(parts.values())
    doubled = [found for found in near if _undoubled(found.building + found.unit + found.room) == _undoubled(wanted)]
    return doubled[0] if len(doubled) == 1 else None


def _undoubled(text: str) -> str:
    return re.sub(r"(.)\1+", r"\1", text)


def as_json(where: Where) -> dict[str, Any]:
    """To be kept in a form; `of_json` reads it."""
    return {
        **where.parts(),
        "kind": where.kind,
        "community": str(where.community.id) if where.community else None,
        "home_id": str(where.home_id) if where.home_id else None,
        "place_id": str(where.place_id) if where.place_id else None,
        "named": where.named,
        "listed": where.listed,
    }


def of_json(kept: Mapping[str, Any], communities: Mapping[UUID, Community]) -> Where:
    """A place that was kept; its community is None where that exists no more."""
    ids = {name: UUID(kept[name]) if kept.get(name) else None for name in ("community", "home_id", "place_id")}
    return Where(
        kind=kept["kind"],
        community=communities.get(ids["community"]) if ids["community"] else None,
        building=kept.get("building", ""),
        unit=kept.get("unit", ""),
        room=kept.get("room", ""),
        place=kept.get("place", ""),
        home_id=ids["home_id"],
        place_id=ids["place_id"],
        named=kept.get("named", False),
        listed=kept.get("listed", False),
    )
