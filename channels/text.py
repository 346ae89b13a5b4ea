"""Text at the border: what no database or provider takes is dropped, and what is too long is cut where nobody minds."""

import re
from collections.abc import Callable, Iterator
from typing import Final

import regex

from channels.base import TextUnit

_UNCLEAN: Final = re.compile("[\x00\ud800-\udfff\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")
_GRAPHEME: Final = regex.compile(r"\X")
_SMALLEST_LIMIT: Final = 4  # one character is up to four bytes
_PHRASE_END: Final = re.compile(r"[\s，。；、！？：,;.!?:（）()]+")
_RUN: Final = re.compile(r"[A-Za-z0-9]+$")


def clean(text: str) -> str:
    """`text` without NUL, lone surrogates (PostgreSQL refuses both) and private-use characters (unreadable)."""
    return _UNCLEAN.sub("", text)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _utf16(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


_MEASURES: Final[dict[TextUnit, Callable[[str], int]]] = {"bytes": _bytes, "utf16": _utf16, "characters": len}


def size(text: str, unit: TextUnit) -> int:
    """The length of `text` in `unit`, as the provider counts it."""
    return _MEASURES[unit](text)


def parts(text: str, limit: int, unit: TextUnit) -> list[str]:
    """`text` in pieces of at most `limit` units, cut at the last line end that fits, else between graphemes.

    Line ends at a cut are dropped. Empty text gives no part. Raises `ValueError` for a limit under 4.
    """
    if limit < _SMALLEST_LIMIT:
        raise ValueError(f"limit must be at least {_SMALLEST_LIMIT}, not {limit}")
    found: list[str] = []
    rest = text
    while _MEASURES[unit](rest) > limit:
        head = _at_line_end(rest, _head(rest, limit, unit))
        found.append(head.rstrip("\n"))
        rest = rest[len(head) :].lstrip("\n")
    return [part for part in [*found, rest] if part]


def shorten(text: str, limit: int, unit: TextUnit) -> str:
    """`text` if it fits, else its beginning with an ellipsis, within `limit` units."""
    if _MEASURES[unit](text) <= limit:
        return text
    return _head(text, limit - _MEASURES[unit]("…"), unit) + "…"


def shorten_by_words(text: str, limit: int) -> str:
    """`text` if it fits into `limit` characters, else its beginning with an ellipsis: whole phrases where one ends in
    the second half, and never a part of a number or a Latin word."""
    if len(text) <= limit:
        return text
    head = _head(text, limit - 1, "characters")
    ends = [found.start() for found in _PHRASE_END.finditer(text, limit // 2, limit)]
    if ends:
        return text[: ends[-1]] + "…"
    if text[len(head)].isascii() and text[len(head)].isalnum():
        head = _RUN.sub("", head) or head
    return head + "…"


def _at_line_end(rest: str, head: str) -> str:
    if rest.startswith("\n", len(head)):
        return head
    lines, end, _ = head.rpartition("\n")
    return lines + end if lines.strip("\n") else head


def _head(text: str, limit: int, unit: TextUnit) -> str:
    """The longest beginning of `text` within `limit`, whole graphemes if the first one fits."""
    length = _fitting((match.group() for match in _GRAPHEME.finditer(text)), limit, unit)
    return text[: length or _fitting(iter(text), limit, unit)]


def _fitting(pieces: Iterator[str], limit: int, unit: TextUnit) -> int:
    measure = _MEASURES[unit]
    used = length = 0
    for piece in pieces:
        used += measure(piece)
        if used > limit:
            break
        length += len(piece)
    return length
