"""Fact sheets from files: TOML between `+++` lines, then the answer."""

import datetime
import re
import tomllib
from collections.abc import Iterable
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from rapidfuzz import fuzz, process

from intents.normalise import normalise
from knowledge_base.facets import FACET_NAMES
from knowledge_base.model import Article

LEAST_ASKS: Final = 4
LONGEST_ANSWER: Final = 300
LONGEST_ENGLISH: Final = 900
"""Characters: the same answer in English takes about three times as many."""

_FRONT_MATTER = re.compile(r"\A\+\+\+\n(.*?)\n\+\+\+\n(.*)\Z", re.DOTALL)
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

_TEXTS: Final = ("title", "topic", "owner", "source")
_LISTS: Final = ("ask", "not_about", "answers", "communities")
_DATES: Final = ("valid_from", "valid_until")
_FLAGS: Final = ("demonstration",)
_TRANSLATIONS: Final = ("title_hant", "answer_hant", "title_en", "answer_en")
_KEYS: Final = _TEXTS + _LISTS + _DATES + _FLAGS + _TRANSLATIONS
_OPTIONAL: Final = ("not_about", "answers", "communities", *_TRANSLATIONS)


class KnowledgeError(ValueError):
    """A fact sheet that cannot be used; the text names the file and what is wrong with it."""


def packaged_articles() -> Traversable:
    """The folder of fact sheets that ships with the code."""
    return resources.files("knowledge_base").joinpath("articles")


def load_folder(folder: Path | Traversable) -> tuple[Article, ...]:
    """All fact sheets (`*.md`) of a folder, by name. Raises `KnowledgeError` for the first that cannot be used."""
    if not folder.is_dir():
        raise KnowledgeError(f"{folder}: no such folder")
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".md")), key=lambda entry: entry.name)
    return check_together(parse_article(entry.name, _read(entry)) for entry in files)


def _read(entry: Path | Traversable) -> str:
    try:
        return entry.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise KnowledgeError(f"{entry.name}: not UTF-8 (byte {error.start})") from None


def check_together(articles: Iterable[Article]) -> tuple[Article, ...]:
    """The articles, none of which may repeat an id or, under the same communities, another's title or way to ask."""
    ids: set[str] = set()
    owner_of: dict[tuple[str, tuple[str, ...]], str] = {}
    checked = tuple(articles)
    for article in checked:
        if article.id in ids:
            raise KnowledgeError(f"{article.id}: two articles with this id")
        ids.add(article.id)
        for line in (article.title, *article.ask):
            first = owner_of.setdefault((normalise(line), article.communities), article.id)
            if first != article.id:
                raise KnowledgeError(f"{article.id}: {line!r} is asked in {first} already")
    return checked


def parse_article(name: str, text: str) -> Article:
    """One fact sheet. `name` is its file name. Raises `KnowledgeError` naming it and what is wrong."""
    ident = name.removesuffix(".md")
    if not _ID.fullmatch(ident):
        raise KnowledgeError(f"{name}: the file name must be small letters, digits and hyphens")
    found = _FRONT_MATTER.match(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    if found is None:
        raise KnowledgeError(f"{name}: must begin with front matter between two +++ lines")
    fields = _fields(name, found.group(1))
    _check_fields(name, fields)
    answer = found.group(2).strip()
    if not answer:
        raise KnowledgeError(f"{name}: no answer below the front matter")
    if len(answer) > LONGEST_ANSWER:
        raise KnowledgeError(f"{name}: the answer has {len(answer)} characters, at most {LONGEST_ANSWER} are read")
    lists = {key: tuple(fields.get(key, ())) for key in _LISTS}
    return Article(**{**fields, **lists, "id": ident, "answer": answer})


def _fields(name: str, front: str) -> dict[str, Any]:
    try:
        return tomllib.loads(front)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{name}: front matter is not TOML: {error}") from None


def _check_fields(name: str, fields: dict[str, Any]) -> None:
    _check_keys(name, fields)
    for key in (*_TEXTS, *(key for key in _TRANSLATIONS if key in fields)):
        if not isinstance(fields[key], str) or not fields[key].strip():
            raise KnowledgeError(f"{name}: {key} must be a text that is not empty")
    if len(fields.get("answer_en", "")) > LONGEST_ENGLISH:
        raise KnowledgeError(f"{name}: answer_en has {len(fields['answer_en'])} characters, at most {LONGEST_ENGLISH}")
    for key in _LISTS:
        _check_list(name, key, fields.get(key, []))
    for key in _FLAGS:
        if not isinstance(fields[key], bool):
            raise KnowledgeError(f"{name}: {key} must be true or false")
    _check_dates(name, fields)
    _check_asks(name, fields)
    for facet in fields.get("answers", []):
        if facet not in FACET_NAMES:
            raise KnowledgeError(f"{name}: unknown facet {facet!r} in answers{_nearest(facet, FACET_NAMES)}")


def _check_keys(name: str, fields: dict[str, Any]) -> None:
    for key in fields:
        if key not in _KEYS:
            raise KnowledgeError(f"{name}: unknown key {key!r}{_nearest(key, _KEYS)}")
    for key in _KEYS:
        if key not in fields and key not in _OPTIONAL:
            raise KnowledgeError(f"{name}: {key} is missing")


def _nearest(word: str, known: Iterable[str]) -> str:
    best = process.extractOne(word, sorted(known), scorer=fuzz.ratio, score_cutoff=50)
    return f", did you mean {best[0]!r}?" if best else ""


def _check_list(name: str, key: str, value: object) -> None:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise KnowledgeError(f"{name}: {key} must be a list of texts that are not empty")


def _check_dates(name: str, fields: dict[str, Any]) -> None:
    for key in _DATES:
        # A TOML date-time is a datetime, which Python counts as a date; comparing the two would fail later.
        if type(fields[key]) is not datetime.date:
            raise KnowledgeError(f"{name}: {key} must be a date such as 2026-12-31, without quotes")
    if fields["valid_until"] < fields["valid_from"]:
        raise KnowledgeError(f"{name}: valid_until {fields['valid_until']} is before valid_from {fields['valid_from']}")


def _check_asks(name: str, fields: dict[str, Any]) -> None:
    different = {normalise(line) for line in (fields["title"], *fields["ask"])}
    if len(different) <= len(fields["ask"]):
        raise KnowledgeError(f"{name}: a way to ask stands twice, or repeats the title")
    if len(fields["ask"]) < LEAST_ASKS:
        raise KnowledgeError(f"{name}: {len(fields['ask'])} ways to ask, at least {LEAST_ASKS} are needed")
