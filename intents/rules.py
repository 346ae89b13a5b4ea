"""What must never be missed, as ordered rules over normalised text. Rules raise; they never lower."""

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import msgspec

from intents.examples import data_folder
from intents.gates import Gate, Gated, alternatives, marks

# Where words name several dangers, the first of these decides the advice.
_ORDER = (
    "self_harm",
    "missing_child",
    "violence",
    "break_in",
    "gas",
    "electric",
    "fire",
    "medical",
    "lift",
    "burst_pipe",
    "falling_object",
    "animal",
    "flood",
    "other",
)
_ON_PURPOSE = ("suppose", "asking", "drill", "figure", "past")


class Verdict(msgspec.Struct, frozen=True):
    """What the rules say of one message.

    `danger`: the kind of emergency that words name, guarded or not. `guards`: which look-alike rules spoke (past,
    suppose, asking, drill, figure). `raised`: danger that no guard holds back.
    """

    danger: str | None
    guards: tuple[str, ...]
    raised: bool
    urgent: bool
    whole: str | None
    flags: frozenset[str]


# What rules that were not asked say.
NOTHING = Verdict(danger=None, guards=(), raised=False, urgent=False, whole=None, flags=frozenset())


# The family of a gated pattern (danger, urgent, flag, red) and its name in it.
_Named = tuple[str, str]


@dataclass(frozen=True)
class _Rules:
    spoken: Gate[_Named]
    """Dangers in their order, then all that is looked for in every message."""
    harmless: re.Pattern[str]
    may_be_harmless: Gate[None]
    emergency: dict[str, re.Pattern[str]]
    guard: Gate[str]
    red: re.Pattern[str]
    also: dict[str, str]
    whole: tuple[tuple[str, re.Pattern[str]], ...]


def judge(normal: str) -> Verdict:
    """Applies all rules to a normalised text."""
    rules = _rules()
    held = marks(normal)
    spoken = rules.spoken.worth_trying(held)
    danger = _danger(normal, held, spoken, rules) if spoken else None
    urgent = any(one.key[0] == "urgent" and one.pattern.search(normal) for one in spoken)
    guards = _guards(normal, held, rules, danger) if danger or urgent else ()
    return Verdict(
        danger=danger,
        guards=guards,
        raised=danger is not None and not guards,
        urgent=urgent and not set(guards) - {"figure"},
        whole=next((intent for intent, pattern in rules.whole if pattern.match(normal)), None),
        flags=_flags(normal, spoken, rules) if spoken else frozenset(),
    )


def find_danger(normal: str, gated: bool = True) -> str | None:
    """The first kind of emergency that words of a normalised text name. `gated`: try only patterns that may match."""
    rules = _rules()
    held = marks(normal)
    if gated:
        return _danger(normal, held, rules.spoken.worth_trying(held), rules)
    text = rules.harmless.sub(" ", normal)
    return next((kind for kind, pattern in rules.emergency.items() if pattern.search(text)), None)


def spoken_words(normal: str) -> list[tuple[str, str]]:
    """For staff: which rules speak in a normalised text, by name, and the words that each was found by."""
    rules = _rules()
    held = marks(normal)
    text = rules.harmless.sub(" ", normal)
    found = [
        (one, one.pattern.search(text if one.key[0] == "danger" else normal)) for one in rules.spoken.worth_trying(held)
    ]
    named = [("flag red" if one.key[0] == "red" else " ".join(one.key), match.group()) for one, match in found if match]
    guards = [(one, one.pattern.search(normal)) for one in rules.guard.worth_trying(held)]
    return named + [(f"guard {one.key}", match.group()) for one, match in guards if match]


def _danger(normal: str, held: Set[str], spoken: list[Gated[_Named]], rules: _Rules) -> str | None:
    if not spoken or spoken[0].key[0] != "danger":
        return None
    text = rules.harmless.sub(" ", normal) if rules.may_be_harmless.may_match(held) else normal
    return next((one.key[1] for one in spoken if one.key[0] == "danger" and one.pattern.search(text)), None)


def _guards(text: str, held: Set[str], rules: _Rules, danger: str | None) -> tuple[str, ...]:
    found = {one.key for one in rules.guard.worth_trying(held) if one.pattern.search(text)}
    # Thanks and what happened before are part of a farewell, too.
    guards = tuple(name for name in _ON_PURPOSE if name in found and (danger, name) != ("self_harm", "past"))
    return () if guards == ("past",) and _goes_on(found) else guards


def _goes_on(found: set[str]) -> bool:
    return "worse" in found or ("still" in found and "long_past" not in found)


def _flags(text: str, spoken: list[Gated[_Named]], rules: _Rules) -> frozenset[str]:
    names = {one.key[1] for one in spoken if one.key[0] == "flag" and one.pattern.search(text)}
    if any(one.key[0] == "red" for one in spoken):
        names.update(rules.also.get(found, found) for found in rules.red.findall(text))
    return frozenset(names)


@functools.cache
def _rules() -> _Rules:
    data: dict[str, Any] = tomllib.loads(data_folder().joinpath("rules.toml").read_text("utf-8"))
    red = [_red(word) for word in (*data["red_flags"]["words"], *data["red_flags"]["also"])]
    emergency = {kind: data["emergency"][kind] for kind in _ORDER}
    spoken = [
        *_branches("danger", emergency),
        *_branches("urgent", {"any": data["urgent"]["any"]}),
        *_branches("flag", data["flags"]),
        *_branches("red", {"any": red}),
    ]
    return _Rules(
        spoken=Gate(spoken),
        harmless=_either(data["harmless"]),
        may_be_harmless=Gate((None, branch) for pattern in data["harmless"] for branch in alternatives(pattern)),
        emergency={kind: _either(patterns) for kind, patterns in emergency.items()},
        guard=Gate((name, branch) for (_, name), branch in _branches("guard", data["guard"])),
        red=_either(red),
        also=data["red_flags"]["also"],
        whole=tuple((name, _either(patterns)) for name, patterns in data["whole"].items()),
    )


def _red(word: str) -> str:
    """A number is no part of a longer one: 12345 stands in many phone numbers and plates."""
    return rf"(?<![0-9A-Za-z]){word}(?![0-9A-Za-z])" if word.isdecimal() else re.escape(word)


def _branches(family: str, named: Mapping[str, list[str]]) -> Iterable[tuple[_Named, str]]:
    for name, patterns in named.items():
        yield from (((family, name), branch) for pattern in patterns for branch in alternatives(pattern))


def _either(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.ASCII)
