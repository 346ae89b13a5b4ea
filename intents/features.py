"""What the classifier sees of a normalised text: n-grams over signs and words, and the concepts of the lexicon."""

import functools
import re
import tomllib
from operator import add, methodcaller

from intents.examples import data_folder
from intents.rules import Verdict

_DIGITS = re.compile(r"\d+")
_TOKEN = re.compile(r"\[[^\[\]]{1,6}\]|[a-z]+(?:'[a-z]+)?|[^\s]")
_LONGEST = 4
_STEM = 5
_IS_ASCII = methodcaller("isascii")


def tokens(normal: str) -> list[str]:
    """Words in Latin letters whole, everything else sign by sign; any number is one `0`."""
    return _TOKEN.findall(_DIGITS.sub("0", normal))


def features(normal: str, verdict: Verdict) -> set[str]:
    """All features of a normalised text; what the rules say of it is some of them."""
    grams, fours = ngrams(tokens(normal))
    concepts = _concepts()
    words = (grams | fours) & concepts.keys()
    grams.update(name for word in words for name in concepts[word])
    grams.update(_signals(verdict))
    grams.add(f"<len{min(len(normal) // 8, 6)}>")
    return grams


def ngrams(parts: list[str]) -> tuple[set[str], set[str]]:
    """Stretches of one to three tokens, and those of four, which are too rare for anything but the lexicon.

    A Latin word counts also by its beginning, since endings vary.
    """
    ends = ["^", *parts, "$"]
    twos = list(map(add, ends, ends[1:]))
    threes = list(map(add, twos, ends[2:]))
    grams = {*parts, *twos, *threes}
    if any(map(_IS_ASCII, parts)):
        grams.update("#" + part[:_STEM] for part in parts if len(part) > 3 and part.isascii())
    return grams, set(map(add, threes, ends[3:]))


def _signals(verdict: Verdict) -> list[str]:
    found = [f"<guard {name}>" for name in verdict.guards] + [f"<flag {name}>" for name in verdict.flags]
    if verdict.danger:
        found += [f"<danger {verdict.danger}>", "<danger raised>" if verdict.raised else "<danger guarded>"]
    return [*found, "<lost>"] if verdict.urgent else found


@functools.cache
def _concepts() -> dict[str, tuple[str, ...]]:
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
