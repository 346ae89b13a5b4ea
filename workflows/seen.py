"""The place whose code was scanned, against what is said after it. Pure."""

from collections.abc import Mapping

from workflows.where import BARE, PARTS, Where, plain

_ALIKE = (
    ("电梯", "電梯", "升降机", "升降機", "𨋢", "轿厢", "lift", "elevator"),
    ("大堂", "大厅", "大廳", "门厅", "門廳", "lobby"),
    ("楼道", "樓道", "走廊", "过道", "過道", "corridor", "hallway"),
    ("楼梯", "樓梯", "stair"),
    ("车库", "車庫", "地库", "停车场", "停車場", "garage", "car park", "carpark"),
)
"""Words for the same kind of place."""


def stated_by(seen: Where) -> dict[str, str]:
    """A place as if somebody had stated it."""
    return {**seen.parts(), **({"community": seen.community.name} if seen.community else {})}


def is_elsewhere(stated: Mapping[str, str], seen: Where) -> bool:
    """Whether what was stated names another place than this one."""
    community, place = stated.get("community"), stated.get("place", "")
    if community and seen.community and community not in {seen.community.name, *seen.community.aliases}:
        return True
    if any(stated.get(part) for part in PARTS):
        return not _fits_place(stated, seen)
    return bool(place) and not _is_called(place, seen)


def _fits_place(stated: Mapping[str, str], seen: Where) -> bool:
    own = {"building": plain(seen.building), "unit": seen.unit, "room": seen.room.upper()}
    return seen.kind == "home" and all(not stated.get(part) or plain(stated[part]) == own[part] for part in PARTS)


def _is_called(place: str, seen: Where) -> bool:
    """The lift that somebody stands in is 2号电梯, 电梯 and 这部电梯, and not 1号电梯."""
    if seen.kind != "place" or place in seen.place:
        return seen.kind == "place"
    said, name = place.lower(), seen.place.lower()
    alike = any(any(word in said for word in words) and any(word in name for word in words) for words in _ALIKE)
    return alike and BARE.fullmatch(place) is not None
