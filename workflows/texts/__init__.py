"""All wording that a resident reads, one file a language, the same keys in each."""

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

LANGUAGES = ("zh-Hans", "zh-Hant", "en")
_VALUE = re.compile(r"\{(\w+)\}")


@functools.cache
def texts(language: str) -> Mapping[str, str]:
    """Key (`repair.recorded`) to text of one language."""
    source = resources.files("workflows.texts").joinpath(f"{language}.toml").read_text("utf-8")
    return dict(_flat(tomllib.loads(source)))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, str):
            yield prefix + name, value.strip("\n")
        else:
            yield from _flat(value, f"{prefix}{name}.")


def values_in(text: str) -> set[str]:
    """The names of the values that a text needs."""
    return set(_VALUE.findall(text))


def say(language: str, key: str, **values: object) -> str:
    """The text of `key`. Raises `KeyError` for an unknown key or a value that the text needs and did not get."""
    text = texts(language if language in LANGUAGES else LANGUAGES[0])[key]
    return _VALUE.sub(lambda found: str(values[found[1]]), text)
