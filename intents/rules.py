"""What must never be missed, as ordered rules over normalised text. Rules raise; they never lower."""

import functools
import re
import tomllib
from dataclasses import dataclass
from typing import Any

from intents.examples import data_folder
from intents.model import EMERGENCIES

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
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz")
_ON_PURPOSE = ("suppose", "asking", "drill", "figure", "past")


@dataclass(frozen=True)
class Verdict:
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


@dataclass(frozen=True)
class _Rules:
    harmless: re.Pattern[str]
    triggers: dict[str, frozenset[str]]
    trigger_word: re.Pattern[str]
    word_kinds: dict[str, tuple[str, ...]]
    emergency: dict[str, re.Pattern[str]]
    guard: dict[str, re.Pattern[str]]
    red: re.Pattern[str]
    also: dict[str, str]
    flags: dict[str, re.Pattern[str]]
    whole: dict[str, re.Pattern[str]]
    urgent: re.Pattern[str]


def judge(normal: str) -> Verdict:
    """Applies all rules to a normalised text."""
    rules = _rules()
    danger = find_danger(normal)
    urgent = bool(rules.urgent.search(normal))
    guards = _guards(normal, rules) if danger or urgent else ()
    return Verdict(
        danger=danger,
        guards=guards,
        raised=danger is not None and not guards,
        urgent=urgent and not set(guards) - {"figure"},
        whole=next((intent for intent, pattern in rules.whole.items() if pattern.match(normal)), None),
        flags=_flags(normal, rules),
    )


def find_danger(normal: str, gated: bool = True) -> str | None:
    """The first kind of emergency that words of a normalised text name. `gated`: look at the triggers first."""
    rules = _rules()
    kinds = _candidates(normal, rules) if gated else list(_ORDER)
    if not kinds:
        return None
    text = rules.harmless.sub(" ", normal)
    return next((kind for kind in kinds if rules.emergency[kind].search(text)), None)


def _candidates(normal: str, rules: _Rules) -> list[str]:
    """The kinds whose triggers the text holds."""
    signs = set(normal)
    kinds = {kind for kind, trigger in rules.triggers.items() if not trigger.isdisjoint(signs)}
    if not signs.isdisjoint(_LATIN):
        kinds.update(kind for word in rules.trigger_word.findall(normal) for kind in rules.word_kinds[word])
    return [kind for kind in _ORDER if kind in kinds]


def _guards(text: str, rules: _Rules) -> tuple[str, ...]:
    found = tuple(name for name in _ON_PURPOSE if rules.guard[name].search(text))
    return () if found == ("past",) and _goes_on(text, rules) else found


def _goes_on(text: str, rules: _Rules) -> bool:
    if rules.guard["worse"].search(text):
        return True
    return bool(rules.guard["still"].search(text)) and not rules.guard["long_past"].search(text)


def _flags(text: str, rules: _Rules) -> frozenset[str]:
    words = {rules.also.get(found, found) for found in rules.red.findall(text)}
    return frozenset(words | {name for name, pattern in rules.flags.items() if pattern.search(text)})


@functools.cache
def _rules() -> _Rules:
    data: dict[str, Any] = tomllib.loads(data_folder().joinpath("rules.toml").read_text("utf-8"))
    emergency = {kind: _either(data["emergency"][kind]) for kind in EMERGENCIES}
    red = data["red_flags"]
    word_kinds = _trigger_words(data["triggers"])
    return _Rules(
        harmless=_either(data["harmless"]),
        emergency=emergency,
        triggers={kind: frozenset(line.split()[0]) for kind, line in data["triggers"].items()},
        # Overlapping triggers ("hit" in "white") must all be met, hence the look-ahead.
        trigger_word=re.compile(f"(?=({'|'.join(map(re.escape, sorted(word_kinds, key=len, reverse=True)))}))"),
        word_kinds=word_kinds,
        guard={name: _either(patterns) for name, patterns in data["guard"].items()},
        red=_either([re.escape(word) for word in (*red["words"], *red["also"])]),
        also=red["also"],
        flags={name: _either(patterns) for name, patterns in data["flags"].items()},
        whole={name: _either(patterns) for name, patterns in data["whole"].items()},
        urgent=_either(data["urgent"]["any"]),
    )


def _trigger_words(lines: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Each Latin trigger with all kinds it can lead to, also by a shorter trigger inside it."""
    words = {kind: line.split()[1:] for kind, line in lines.items()}
    every = {word for found in words.values() for word in found}
    return {word: tuple(kind for kind, found in words.items() if any(part in word for part in found)) for word in every}


def _either(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.ASCII)
