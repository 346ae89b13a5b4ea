"""The texts that may be sent where each must be approved beforehand, and what of a text fits into one of them.

`vocabulary.toml` beside this file is the application form. Whoever words a message for such an account uses `render`;
the gateway finds template and values again with `match`. Anything else cannot go out by SMS there.
"""

import functools
import re
import tomllib
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Final

import msgspec

_VARIABLE: Final = re.compile(r"\{([a-z]+)\}")
_SIGNATURE: Final = re.compile(r"【[^】]*】")
# Carriers block links and contacts that were not filed (protocol since 2025-05): a value must not look like one.
_CONTACT: Final = re.compile(r"\d{7}|https?:|www\.|\.(?:com|cn|net)|[@\n]", re.IGNORECASE)
_VALUES: Final = {"number": r"\d{1,6}", "code": r"\d{4,8}"}
_VALUE: Final = r"[^，。：；？！“”【】\s]{1,20}"


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """One text to be approved."""

    moment: str
    type: str
    text: str
    example: dict[str, str] = {}

    @property
    def variables(self) -> tuple[str, ...]:
        """Their names, in the order of the text."""
        return tuple(_VARIABLE.findall(self.text))

    def filed(self, placeholder: Callable[[int, str], str]) -> str:
        """The text as a gateway's form wants it; `placeholder` writes a variable from its place (from 1) and name."""
        places = iter(range(1, len(self.variables) + 1))
        return _VARIABLE.sub(lambda found: placeholder(next(places), found[1]), self.text)

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with these values. Raises `ValueError` naming one that is missing or that no carrier takes."""
        for name in self.variables:
            if not re.fullmatch(_VALUES.get(name, _VALUE), values.get(name, "")) or _forbidden(name, values[name]):
                raise ValueError(f"{name}: 1 to 20 characters, without punctuation, links and phone numbers")
        return _VARIABLE.sub(lambda found: values[found[1]], self.text)


class Fit(msgspec.Struct, frozen=True):
    """The template that says exactly this text, and its values in the order of the text."""

    name: str
    values: dict[str, str]


@functools.cache
def templates() -> Mapping[str, Template]:
    """All of them by name."""
    text = resources.files(__package__).joinpath("vocabulary.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Template])


def render(name: str, **values: str) -> str:
    """The text of this name, without the signature. Raises `KeyError` or `ValueError`."""
    return templates()[name].filled(values)


def approved(moment: str, values: Mapping[str, str]) -> str | None:
    """The text of a moment; None: it has none, or these values do not fit into it.

    A number is told without its kind and day, which the resident has no use for here: 0001 for WX20261122-0001.
    """
    if moment not in templates():
        return None
    short = {**values, "number": values.get("number", "").rpartition("-")[2]}
    try:
        return render(moment, **short)
    except ValueError:
        return None


def match(text: str) -> Fit | None:
    """The template that says `text`, a leading signature aside; None: no approved text says this."""
    words = _SIGNATURE.sub("", text, count=1) if text.startswith("【") else text
    for name, pattern in _patterns().items():
        found = pattern.fullmatch(words)
        if found is not None and not any(_forbidden(key, value) for key, value in found.groupdict().items()):
            return Fit(name, found.groupdict())
    return None


@functools.cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    return {name: re.compile(_pattern(template.text)) for name, template in templates().items()}


def _pattern(text: str) -> str:
    pieces = _VARIABLE.split(text)  # words and names of variables in turn
    named = [f"(?P<{name}>{_VALUES.get(name, _VALUE)})" for name in pieces[1::2]]
    words = [re.escape(piece) for piece in pieces[::2]]
    return "".join(part for pair in zip(words, [*named, ""], strict=True) for part in pair)


def _forbidden(name: str, value: str) -> bool:
    return name != "code" and _CONTACT.search(value) is not None
