"""The words of the console, one file a language with the same keys."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LANGUAGES = ("zh-Hans", "en")
_FOLDER = Path(__file__).parent / "i18n"


def _flat(tree: Mapping[str, Any], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in tree.items():
        found.update(_flat(value, f"{before}{key}.") if isinstance(value, Mapping) else {f"{before}{key}": str(value)})
    return found


TEXTS = {language: _flat(tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))) for language in LANGUAGES}


def known(language: str) -> str:
    """`language` where the console speaks it, else the first one."""
    return language if language in TEXTS else LANGUAGES[0]


def find(language: str, key: str) -> str | None:
    return TEXTS[known(language)].get(key)


def say(language: str, key: str, **values: Any) -> str:
    """The text of a key with its values. An unknown key is shown as it is: a test holds that there is none."""
    text = find(language, key)
    return key if text is None else text.format(**values)
