"""The labelled example messages in `data/<intent>.toml`, checked as they are read."""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from intents.model import CATEGORIES, INTENTS, URGENCIES


class ExampleError(ValueError):
    """An example file that cannot be used; the message names the file and what is wrong in it."""


@dataclass(frozen=True)
class Example:
    """One message and the labels it should get."""

    text: str
    intent: str
    category: str | None
    urgency: str


def load_examples(folder: Traversable | None = None) -> list[Example]:
    """All examples, in the order of the intents and of the files. Raises ExampleError."""
    home = folder or data_folder()
    return [example for intent in INTENTS for example in _of_intent(home.joinpath(f"{intent}.toml"), intent)]


def data_folder() -> Traversable:
    """Where the package keeps its data."""
    return resources.files("intents").joinpath("data")


def fingerprint(*names: str, extra: str = "") -> str:
    """A hash over the named data files and `extra`, so that a cached model is never used after a change."""
    digest = hashlib.sha256(extra.encode())
    for name in names:
        path = data_folder().joinpath(name)
        digest.update(name.encode() + (path.read_bytes() if path.is_file() else b""))
    return digest.hexdigest()


def _of_intent(path: Traversable, intent: str) -> Iterator[Example]:
    if not path.is_file():
        return
    categories: tuple[str | None, ...] = CATEGORIES.get(intent, (None,))
    for table, lists in _parse(path).items():
        category = None if table == "messages" else table
        if category not in categories:
            raise ExampleError(f"{path.name}: [{table}] is no category of {intent}")
        yield from _of_table(path.name, table, lists, intent, category)


def _parse(path: Traversable) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExampleError(f"{path.name}: {error}") from error


def _of_table(file: str, table: str, lists: object, intent: str, category: str | None) -> Iterator[Example]:
    if not isinstance(lists, dict):
        raise ExampleError(f"{file}: [{table}] must be a table of lists")
    for urgency, texts in lists.items():
        if urgency not in URGENCIES:
            raise ExampleError(f"{file}: [{table}] {urgency} is no urgency")
        if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
            raise ExampleError(f"{file}: [{table}] {urgency} must be a list of messages")
        yield from (Example(text, intent, category, urgency) for text in texts)
