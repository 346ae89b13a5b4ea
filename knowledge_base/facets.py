"""Which facet of a thing a question asks for: its fee, how long it lasts, where it is ..."""

import re
import tomllib
from importlib import resources
from typing import Final

import msgspec

from knowledge_base.lexicon import Lexicon


class Facet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One facet as `data/facets.toml` describes it."""

    patterns: list[str]
    met_by: list[str] = []
    soft: bool = False


def _load() -> dict[str, Facet]:
    text = resources.files("knowledge_base").joinpath("data/facets.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Facet])


_FACETS: Final = _load()
FACET_NAMES: Final = frozenset(_FACETS)

_PLAIN = re.compile("[\u3400-\u9fff]+")
_LETTER = re.compile("[a-z]")

# Plain words are looked up in one pass; only what needs a real expression costs a search of its own.
_WORDS: Final = [(word, name) for name, facet in _FACETS.items() for word in facet.patterns if _PLAIN.fullmatch(word)]
_EXPRESSIONS: Final = [(e, name) for name, facet in _FACETS.items() for e in facet.patterns if not _PLAIN.fullmatch(e)]


def _joined(*, latin: bool) -> list[tuple[re.Pattern[str], str]]:
    by_name: dict[str, list[str]] = {}
    for expression, name in _EXPRESSIONS:
        if bool(_LETTER.search(expression.replace(r"\b", "").replace(r"\w", ""))) == latin:
            by_name.setdefault(name, []).append(expression)
    return [(re.compile("|".join(expressions)), name) for name, expressions in by_name.items()]


_LATIN_SEARCHES: Final = _joined(latin=True)
_CHINESE_SEARCHES: Final = _joined(latin=False)
FACET_WORDS: Final = dict(_WORDS)
_LEXICON: Final = Lexicon(FACET_WORDS)


def facets_asked(text: str) -> frozenset[str]:
    """The facets that a normalised question asks for; empty when it asks for the thing as a whole."""
    found = _LEXICON.find_overlapping(text)
    searches = _CHINESE_SEARCHES + _LATIN_SEARCHES if _LETTER.search(text) else _CHINESE_SEARCHES
    found.update(name for search, name in searches if search.search(text))
    return frozenset(found)


def missing(asked: frozenset[str], answered: frozenset[str]) -> tuple[int, int]:
    """How many of the asked facets are not answered: the hard ones, and the soft ones."""
    hard = soft = 0
    for name in asked:
        facet = _FACETS[name]
        if answered.isdisjoint(facet.met_by or (name,)):
            hard += not facet.soft
            soft += facet.soft
    return hard, soft
