"""What stands in the code on a door, in a lift, at a gate: one format for every channel that can carry a scene.

`c:翠湖苑` a community · `h:翠湖苑/3-2-1502` a home, without units `h:翠湖苑/9--502` · `p:翠湖苑/3栋2号电梯` a place.
Such a scene tells where, and never who. `b:` and `s:` begin scenes that prove something, a one-time code each: binding
and signing in staff.
"""

from typing import Final, Literal

import msgspec

Kind = Literal["community", "home", "place"]

LONGEST: Final = 64
"""Characters of a scene (生成带参数的二维码: 1 to 64)."""
_PREFIX: Final[dict[str, Kind]] = {"c": "community", "h": "home", "p": "place"}
_PARTS: Final = 3


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Where a code hangs, by the names of the lists."""

    kind: Kind
    community: str
    building: str = ""
    unit: str = ""
    room: str = ""
    place: str = ""


def read(text: str) -> Scene | None:
    """What a scene says; None: it names no place."""
    prefix, _, rest = text.partition(":")
    kind = _PREFIX.get(prefix)
    community, _, spot = rest.partition("/")
    if kind is None or not community or bool(spot) == (kind == "community"):
        return None
    if kind == "community":
        return Scene(kind=kind, community=community)
    if kind == "place":
        return Scene(kind=kind, community=community, place=spot)
    parts = spot.split("-")
    if len(parts) != _PARTS or not parts[0] or not parts[2]:
        return None
    return Scene(kind=kind, community=community, building=parts[0], unit=parts[1], room=parts[2])


def write(scene: Scene) -> str:
    """The text of a scene. Raises `ValueError` where it is too long, or a name holds what separates names."""
    spot = {"community": "", "place": scene.place, "home": f"{scene.building}-{scene.unit}-{scene.room}"}[scene.kind]
    prefix = next(prefix for prefix, kind in _PREFIX.items() if kind == scene.kind)
    text = f"{prefix}:{scene.community}" + (f"/{spot}" if spot else "")
    if len(text) > LONGEST:
        raise ValueError(f"a code holds {LONGEST} characters, and {text!r} has {len(text)}")
    if read(text) != scene:
        raise ValueError(f"{text!r}: a community, building or unit with / or - in its name cannot stand in a code")
    return text
