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
    return read_rows(FOLDER / "messages.jsonl")


def locked_dangers() -> Dangers:
    table = tomllib.loads((FOLDER / "danger.toml").read_text("utf-8"))
    return Dangers(tuple(table["must"]), tuple(table["must_not"]))
