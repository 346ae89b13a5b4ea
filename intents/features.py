"""What the classifier sees of a normalised text: n-grams over signs and words, and the concepts of the lexicon.

`features` names them, for training; `Vocabulary` finds the places of those that a trained model knows, for reading.
"""

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from operator import add, methodcaller
from typing import cast

from intents.examples import data_folder
from intents.gates import marks
from intents.rules import NOTHING, Verdict

_DIGITS = re.compile(r"\d+")
_TOKEN = re.compile(r"\[[^\[\]]{1,6}\]|[a-z]+(?:'[a-z]+)?|[^\s]")
# Without any of these every sign but the blank is a token, once numbers are folded.
_NOT_PLAIN = re.compile(r"[a-z\[]")
_LONGEST = 4
_STEM = 5
_IS_ASCII = methodcaller("isascii")


def tokens(normal: str) -> list[str]:
    """Words in Latin letters whole, everything else sign by sign; any number is one `0`."""
    return list(_compact(normal)) if _is_plain(normal) else _TOKEN.findall(_DIGITS.sub("0", normal))


def _is_plain(normal: str) -> bool:
    return not _NOT_PLAIN.search(normal)


def _compact(normal: str) -> str:
    """A plain text, of which every sign is a token now."""
    return "".join(_DIGITS.sub("0", normal).split())


def features(normal: str, verdict: Verdict) -> set[str]:
    """All features of a normalised text; what the rules say of it is some of them."""
    grams, fours = ngrams(tokens(normal))
    words = (grams | fours) & concepts().keys()
    grams.update(name for word in words for name in concepts()[word])
    grams.update(_signals(verdict))
    grams.add(_length(normal))
    return grams


class Vocabulary:
    """The places of the features that a model knows."""

    def __init__(self, places: Mapping[str, int]) -> None:
        """`places` as learned: the place of each feature by its name."""
        self._signals = places
        words = {word: _placed((word, *names), places) for word, names in concepts().items()}
        # A word of the lexicon leads past the end of the places to a list of all it stands for.
        self._several = {len(places) + number: found for number, found in enumerate(words.values())}
        self._places = dict(places) | {word: len(places) + number for number, word in enumerate(words)}
        self._numbers = frozenset(self._several)
        self._before_four = frozenset("".join(tokens(word)[:3]) for word in words if len(tokens(word)) == _LONGEST)

    def text_places(self, normal: str) -> set[int]:
        """The places of all that stands in a normalised text."""
        known = self._of_plain(_compact(normal)) if _is_plain(normal) else self._of_tokens(tokens(normal))
        known.update(_placed([_length(normal)], self._signals))
        for number in self._numbers & known:
            known.remove(number)
            known.update(self._several[number])
        return known

    def _of_plain(self, compact: str) -> set[int]:
        """Of a text of which every sign is a token, most n-grams are the marks that other stages ask for anyway."""
        ends = f"^{compact}$"
        longer = [ends[:2], ends[-2:]]
        longer += [ends[place : place + 3] for place in range(len(compact))]
        found = set(map(self._places.get, marks(compact)))
        found.update(map(self._places.get, longer))
        return self._with_fours(found, longer, compact)

    def _of_tokens(self, parts: list[str]) -> set[int]:
        grams = _short_grams(parts)
        return self._with_fours(set(map(self._places.get, grams)), grams, parts)

    def _with_fours(self, found: set[int | None], threes: Iterable[str], parts: Sequence[str]) -> set[int]:
        if not self._before_four.isdisjoint(threes):
            found.update(map(self._places.get, concepts().keys() & ngrams(list(parts))[1]))
        found.discard(None)
        return cast("set[int]", found)

    def signal_places(self, verdict: Verdict) -> list[int]:
        """The places of what the rules say."""
        return _placed(_signals(verdict), self._signals) if verdict != NOTHING else []


def _placed(names: Iterable[str], places: Mapping[str, int]) -> list[int]:
    return [places[name] for name in names if name in places]


def _length(normal: str) -> str:
    return _LENGTHS[min(len(normal) // 8, 6)]


_LENGTHS = [f"<len{number}>" for number in range(7)]


def ngrams(parts: list[str]) -> tuple[set[str], set[str]]:
    """Stretches of one to three tokens, and those of four, which are too rare for anything but the lexicon.

    A Latin word counts also by its beginning, since endings vary.
    """
    ends = ["^", *parts, "$"]
    threes = map(add, map(add, ends, ends[1:]), ends[2:])
    return _short_grams(parts), set(map(add, threes, ends[3:]))


def _short_grams(parts: list[str]) -> set[str]:
    ends = ["^", *parts, "$"]
    twos = list(map(add, ends, ends[1:]))
    grams = {*parts, *twos, *map(add, twos, ends[2:])}
    if any(map(_IS_ASCII, parts)):
        grams.update("#" + part[:_STEM] for part in parts if len(part) > 3 and part.isascii())
    return grams


def _signals(verdict: Verdict) -> list[str]:
    found = [f"<guard {name}>" for name in verdict.guards] + [f"<flag {name}>" for name in verdict.flags]
    if verdict.danger:
        found += [f"<danger {verdict.danger}>", "<danger raised>" if verdict.raised else "<danger guarded>"]
    return [*found, "<lost>"] if verdict.urgent else found


@functools.cache
def concepts() -> dict[str, tuple[str, ...]]:
    """Word to concepts. A word is looked up as an n-gram, so words past four tokens can never match and are refused."""
    data = tomllib.loads(data_folder().joinpath("lexicon.toml").read_text("utf-8"))
    found: dict[str, tuple[str, ...]] = {}
    for concept, words in data.items():
        for word in words:
            parts = tokens(word)
            if len(parts) > _LONGEST:
                raise ValueError(f"lexicon.toml: {word!r} of {concept} is longer than {_LONGEST} signs or words")
            key = "".join(parts)
            found[key] = (*found.get(key, ()), f"<{concept}>")
    return found
