"""Cleaning and cutting, by example and by law."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from channels.base import TextUnit
from channels.text import clean, parts, shorten, size

UNITS: tuple[TextUnit, ...] = ("bytes", "utf16", "characters")
FAMILY = "👨‍👩‍👧‍👦"
TEXTS = st.text(st.one_of(st.characters(), st.sampled_from("\n漏水a 👍🏽é\u0301\u200d👩")), max_size=120)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("漏水\n急", "漏水\n急"),
        ("a\x00b", "ab"),
        ("a\ud800b\udfff", "ab"),
        ("a\ue14ab\uf8ff\U000f0000\U0010fffd", "ab"),
        (FAMILY + "é\u0301", FAMILY + "é\u0301"),
        ("\ufeff\ufffe", "\ufeff\ufffe"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("漏水a", "bytes", 7),
        ("😭a", "utf16", 3),
        ("😭a", "characters", 2),
    ],
)
def test_size(text: str, unit: TextUnit, expected: int) -> None:
    assert size(text, unit) == expected


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("", 10, []),
        ("short", 10, ["short"]),
        ("line one\nline two", 10, ["line one", "line two"]),
        ("a\nb\nc\nd", 5, ["a\nb\nc", "d"]),
        ("exactly ten", 10, ["exactly te", "n"]),
        ("ten ten te\nnext", 10, ["ten ten te", "next"]),
        ("\n\n\n\n\n\n\nx", 4, ["x"]),
        ("漏" * 7, 4, ["漏漏漏漏", "漏漏漏"]),
        ("ab" + FAMILY + "c", 8, ["ab", FAMILY + "c"]),
        (FAMILY, 4, [FAMILY[:4], FAMILY[4:]]),
    ],
)
def test_parts(text: str, limit: int, expected: list[str]) -> None:
    assert parts(text, limit, "characters") == expected


def test_a_limit_no_character_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 4"):
        parts("x", 3, "bytes")


@given(TEXTS, st.integers(4, 60), st.sampled_from(UNITS))
def test_parts_fit_and_lose_nothing_but_line_ends(text: str, limit: int, unit: TextUnit) -> None:
    pieces = parts(text, limit, unit)
    assert all(piece and size(piece, unit) <= limit for piece in pieces)
    assert "".join(pieces).replace("\n", "") == text.replace("\n", "")


@given(TEXTS)
def test_a_grapheme_that_fits_is_never_cut(text: str) -> None:
    longest = max((len(grapheme) for grapheme in regex.findall(r"\X", text)), default=0)
    pieces = parts(text, max(4, longest), "characters")
    whole = regex.findall(r"\X", text.replace("\n", ""))
    if "\n" not in text:
        assert [grapheme for piece in pieces for grapheme in regex.findall(r"\X", piece)] == whole


@given(TEXTS, st.integers(4, 60), st.sampled_from(UNITS))
def test_shorten_fits(text: str, limit: int, unit: TextUnit) -> None:
    short = shorten(text, limit, unit)
    assert size(short, unit) <= limit
    assert short == text or short.endswith("…")
