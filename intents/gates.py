"""What a text must hold for a pattern to match it: looked at first, since most patterns match almost no message.

The needs of a pattern are derived from the pattern itself, so that no list of trigger words can fall behind it.
"""

import functools
import importlib
import itertools
import re
from collections.abc import Iterable, Iterator, Set
from operator import add, itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

Key = TypeVar("Key")
Need = frozenset[str]

# A need of more signs than this is hardly ever unmet.
_MOST = 160
_LATIN = re.compile("[a-z]")
_LATIN_WORD = re.compile("[a-z]{3}")
# Beyond so many the pattern itself is cheaper.
_TRIED = 3
_ORDER_OF = itemgetter(0)
_CATEGORIES = {"CATEGORY_DIGIT": "0123456789", "CATEGORY_SPACE": " \t\n\r\f\v"}
# By length and whether it is ASCII.
_WEIGHTS = {(1, False): 12, (2, False): 1, (1, True): 40, (2, True): 8, (3, True): 2}
_MAY_PASS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})


@functools.lru_cache(maxsize=8)
def marks(text: str) -> Set[str]:
    """All signs of a text, all pairs of neighbours and, where Latin letters stand, all threes.

    Kept for the last few texts, since several stages ask.
    """
    pairs = list(map(add, text, text[1:]))
    held = {*text, *pairs}
    if _LATIN.search(text):
        held.update(map(add, pairs, text[2:]))
    return held


class Gated(NamedTuple, Generic[Key]):
    """One pattern behind a gate, with the needs that still have to be looked at when its first one is met."""

    order: int
    key: Key
    pattern: re.Pattern[str]
    second: Need
    third: Need


class Gate(Generic[Key]):
    """Patterns in order, of which only those are worth trying whose needs a text meets."""

    def __init__(self, patterns: Iterable[tuple[Key, str]], flags: re.RegexFlag = re.ASCII) -> None:
        self._always: list[Gated[Key]] = []
        self._by_mark: dict[str, list[Gated[Key]]] = {}
        for order, (key, pattern) in enumerate(patterns):
            found = _telling(needs(pattern, flags))
            # A need looked at twice stands for one there is not.
            first, second, third = (found * 3)[:3] if found else [frozenset[str]()] * 3
            one = Gated(order, key, re.compile(pattern, flags), second, third)
            for mark in first:
                self._by_mark.setdefault(mark, []).append(one)
            if not found:
                self._always.append(one)
        self._marks = frozenset(self._by_mark)

    def worth_trying(self, held: Set[str]) -> list[Gated[Key]]:
        """The patterns, in order, that may match a text with these marks."""
        unmet = held.isdisjoint
        by_mark = self._by_mark
        found = [
            one for mark in self._marks & held for one in by_mark[mark] if not (unmet(one.second) or unmet(one.third))
        ]
        if not found:
            return self._always
        return sorted({*found, *self._always}, key=_ORDER_OF)

    def may_match(self, held: Set[str]) -> bool:
        """Whether any of the patterns is worth trying."""
        return bool(self._always) or (not self._marks.isdisjoint(held) and bool(self.worth_trying(held)))


def _telling(found: list[Need]) -> list[Need]:
    """The needs that say most, without those that a longer one implies."""
    own = [need for need in found if not any(_implies(other, need) for other in found if other != need)]
    return sorted(set(own), key=lambda need: (_cost(need), sorted(need)))[:_TRIED]


def _implies(one: Need, other: Need) -> bool:
    """Whether each mark of `one` has a mark of `other` inside it."""
    return all(any(part in mark for part in other) for mark in one)


def alternatives(pattern: str) -> list[str]:
    """The branches of a pattern that has several at its top."""
    parts, depth, begin, in_class = [], 0, 0, False
    signs = enumerate(pattern)
    for place, sign in signs:
        if sign == "\\":
            next(signs, None)
        elif in_class:
            in_class = sign != "]"
        elif sign == "[":
            in_class = True
            # A bracket that stands first is a sign of the class.
            if pattern[place + 1 : place + 2] == "]":
                next(signs)
        elif sign in "()":
            depth += 1 if sign == "(" else -1
        elif sign == "|" and depth == 0:
            parts.append(pattern[begin:place])
            begin = place + 1
    return [*parts, pattern[begin:]]


def needs(pattern: str, flags: re.RegexFlag = re.ASCII) -> list[Need]:
    """Sets of marks; a text that the pattern is found in holds at least one mark of each."""
    if flags & re.IGNORECASE:
        return []
    try:
        parsed = importlib.import_module("re._parser").parse(pattern, flags)
        return _usable(_sequence(parsed, bool(flags & re.ASCII)))
    except (ImportError, AttributeError, TypeError, ValueError):
        # Another Python may parse differently: then the pattern is always tried, which is slow and right.
        return []


def _usable(found: Iterable[Need]) -> list[Need]:
    """Without blanks, since texts are searched with parts of them blanked out."""
    return [need for need in found if 0 < len(need) <= _MOST and not any(" " in mark for mark in need)]


def _cost(need: Need) -> float:
    """How likely a message meets the need: a pair is far rarer than a sign, Latin letters and digits are common."""
    return sum(_WEIGHTS[len(mark), mark.isascii()] for mark in need)


def _sequence(parsed: Iterable[tuple[Any, Any]], is_ascii: bool) -> Iterator[Need]:
    last: Need = frozenset()
    pairs: Need = frozenset()
    for op, value in parsed:
        if str(op) == "AT":
            continue
        signs = _signs(str(op), value, is_ascii)
        threes = frozenset(three for three in _joined(pairs, signs) if _LATIN_WORD.fullmatch(three))
        yield from (threes,) if len(threes) == len(pairs) * len(signs) else ()
        pairs = _joined(last, signs)
        last = signs
        yield from (signs, pairs) if signs else _inside(str(op), value, is_ascii)


def _joined(one: Need, other: Need) -> Need:
    return frozenset(map("".join, itertools.product(one, other))) if len(one) * len(other) <= _MOST else frozenset()


def first_signs(pattern: str, flags: re.RegexFlag = re.ASCII) -> Need | None:
    """The signs that a match of the pattern can begin with; None where they cannot be listed."""
    try:
        parsed = importlib.import_module("re._parser").parse(pattern, flags)
        signs, may_be_empty = _beginning(parsed, bool(flags & re.ASCII))
    except (ImportError, AttributeError, TypeError, ValueError):
        return None
    return None if may_be_empty else signs


def _beginning(parsed: Iterable[tuple[Any, Any]], is_ascii: bool) -> tuple[Need | None, bool]:
    """The signs it can begin with (None: any), and whether it may be empty."""
    found: Need = frozenset()
    for op, value in parsed:
        name = str(op)
        if name in ("AT", "ASSERT", "ASSERT_NOT"):
            continue
        signs, may_be_empty = _beginning_of(name, value, is_ascii)
        if signs is None:
            return None, False
        found |= signs
        if not may_be_empty:
            return found, False
    return found, True


def _beginning_of(op: str, value: Any, is_ascii: bool) -> tuple[Need | None, bool]:
    if op == "SUBPATTERN":
        return _beginning(value[3], is_ascii)
    if op in _MAY_PASS:
        signs, may_be_empty = _beginning(value[2], is_ascii)
        return signs, may_be_empty or value[0] == 0
    if op == "BRANCH":
        branches = [_beginning(branch, is_ascii) for branch in value[1]]
        known = [signs for signs, _ in branches if signs is not None]
        every = frozenset().union(*known) if len(known) == len(branches) else None
        return every, any(may_be_empty for _, may_be_empty in branches)
    return _signs(op, value, is_ascii) or None, False


def _signs(op: str, value: Any, is_ascii: bool) -> Need:
    """The signs that may stand at one place; none where they are too many to list."""
    if op == "LITERAL":
        return frozenset(chr(value))
    if op != "IN":
        return frozenset()
    found: set[str] = set()
    for kind, what in value:
        if str(kind) == "LITERAL":
            found.add(chr(what))
        elif str(kind) == "RANGE" and what[1] - what[0] < _MOST:
            found.update(map(chr, range(what[0], what[1] + 1)))
        elif str(kind) == "CATEGORY" and str(what) in _CATEGORIES and is_ascii:
            found.update(_CATEGORIES[str(what)])
        else:
            return frozenset()
    return frozenset(found)


def _inside(op: str, value: Any, is_ascii: bool) -> Iterator[Need]:
    if op == "SUBPATTERN":
        yield from _sequence(value[3], is_ascii)
    elif op == "ATOMIC_GROUP":
        yield from _sequence(value, is_ascii)
    elif op in _MAY_PASS and value[0] > 0:
        yield from _sequence(value[2], is_ascii)
    elif op == "ASSERT":
        yield from _sequence(value[1], is_ascii)
    elif op == "BRANCH":
        branches = [min(_usable(_sequence(branch, is_ascii)), key=_cost, default=None) for branch in value[1]]
        if all(branches):
            yield frozenset().union(*(branch for branch in branches if branch))
