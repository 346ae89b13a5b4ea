"""The demonstration's sheets: what stands in `data/*.toml`, as frozen types. A misspelt key is an error."""

import tomllib
from datetime import time
from importlib import resources
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class Sheet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything read from a file."""


class Buildings(Sheet, frozen=True, kw_only=True):
    """Buildings of one kind; see communities.toml."""

    names: tuple[str, ...]
    cluster: str
    units: int
    floors: int
    doors: tuple[int, ...]
    through: bool = False
    lifts: int = 1


class Places(Sheet, frozen=True, kw_only=True):
    kind: str
    names: tuple[str, ...]


class Community(Sheet, frozen=True, kw_only=True):
    name: str
    aliases: tuple[str, ...]
    night_model: str
    phone: str
    clusters: tuple[str, ...]
    buildings: tuple[Buildings, ...]
    places: tuple[Places, ...]


class Communities(Sheet, frozen=True, kw_only=True):
    communities: tuple[Community, ...]


class Employee(Sheet, frozen=True, kw_only=True):
    login: str
    name: str
    title: str
    roles: tuple[str, ...]
    communities: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()


class Staff(Sheet, frozen=True, kw_only=True):
    password: str
    shown: tuple[str, ...]
    people: tuple[Employee, ...]


class Line(Sheet, frozen=True, kw_only=True):
    community: str
    duty: str
    shift: str
    who: str
    days: str = "1234567"
    starts: time
    ends: time


class Roster(Sheet, frozen=True, kw_only=True):
    lines: tuple[Line, ...]


class Resident(Sheet, frozen=True, kw_only=True):
    """One of the invented residents; without a name, somebody of whom only the address is known."""

    key: str
    name: str = ""
    title: str = ""
    language: str = ""
    homes: tuple[str, ...] = ()
    wechat: str = ""
    phone_of: str = ""


class Newcomer(Sheet, frozen=True, kw_only=True):
    name: str
    openid: str
    phone_of: str


class Residents(Sheet, frozen=True, kw_only=True):
    residents: tuple[Resident, ...]
    newcomers: tuple[Newcomer, ...]


class Step(Sheet, frozen=True, kw_only=True):
    """One thing that happened: exactly one of `heard`, `said` and `event`. `at`: see `bot.demo.times`."""

    at: str = "~3s"
    heard: str = ""
    intent: str = "other"
    said: str = ""
    kind: str = "answer"
    progress: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    event: str = ""
    note: str = ""
    by: str = ""
    """The login of who of the staff did or wrote it; `duty`: whoever is on duty at that moment."""
    promise: str = ""
    due: str = ""
    keeps: tuple[str, ...] = ()


class CaseSheet(Sheet, frozen=True, kw_only=True):
    """The order, complaint or affair of a story. `fields`: as they stand; `times`: moments; `people`: logins."""

    kind: str
    number: str
    fields: dict[str, Any]
    home: str = ""
    place: str = ""
    times: dict[str, str] = {}
    people: dict[str, str] = {}


class AlarmSheet(Sheet, frozen=True, kw_only=True):
    summary: str
    raised: str
    acknowledged: str
    closed: str
    by: str
    note: str


class CallSheet(Sheet, frozen=True, kw_only=True):
    """A call that somebody still has to make."""

    kind: str
    text: str
    made: str
    due: str
    owner: str = ""


class Story(Sheet, frozen=True, kw_only=True):
    who: str
    steps: tuple[Step, ...]
    case: CaseSheet | None = None
    alarm: AlarmSheet | None = None
    calls: tuple[CallSheet, ...] = ()
    waits_for_person: bool = False
    unread: int = 0


class Stories(Sheet, frozen=True, kw_only=True):
    stories: tuple[Story, ...]


def read(name: str, kind: type[T]) -> T:
    """The sheet `data/<name>.toml`."""
    text = resources.files("bot.demo").joinpath("data", f"{name}.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), kind)
