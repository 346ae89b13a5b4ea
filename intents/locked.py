"""The locked set: messages that no model is ever trained on, by which a new model is held against the old one."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from intents.evaluate import read_rows
from intents.examples import data_folder

FOLDER = Path(str(data_folder().joinpath("locked")))


class Dangers(msgspec.Struct, frozen=True):
    """Dangers told without their name, and what only looks like one."""

    must: tuple[str, ...]
    must_not: tuple[str, ...]


def locked_messages() -> list[dict[str, Any]]:
    """Labelled messages, as `evaluate` reads them."""
    return [row for file in sorted(FOLDER.glob("messages_*.jsonl")) for row in read_rows(file)]


def locked_dangers(number: int | None = None) -> Dangers:
    """All of them, or one set by its number."""
    files = sorted(FOLDER.glob(f"danger_{number or '*'}.toml"))
    tables = [tomllib.loads(file.read_text("utf-8")) for file in files]
    return Dangers(*(tuple(text for table in tables for text in table[kind]) for kind in ("must", "must_not")))
