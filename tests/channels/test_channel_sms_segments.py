"""How many parts a text takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.segments import mainland_segments, segments


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts", "left"),
    [
        ("", "GSM-7", 0, 0, 160),
        ("a", "GSM-7", 1, 1, 159),
        ("a" * 160, "GSM-7", 160, 1, 0),
        ("a" * 161, "GSM-7", 161, 2, 145),
        ("a" * 306, "GSM-7", 306, 2, 0),
        ("a" * 307, "GSM-7", 307, 3, 152),
        ("€" * 80, "GSM-7", 160, 1, 0),
        ("€" * 81, "GSM-7", 162, 2, 143),
        ("a" * 152 + "€" + "a" * 7, "GSM-7", 161, 2, 144),  # the pair starts the second part
        ("漏" * 70, "UCS-2", 70, 1, 0),
        ("漏" * 71, "UCS-2", 71, 2, 63),
        ("漏" * 134, "UCS-2", 134, 2, 0),
        ("漏" * 66 + "😭" + "漏" * 66, "UCS-2", 134, 3, 66),  # no pair is cut: one part more than 134 / 67
        ("a" * 69 + "ç", "UCS-2", 70, 1, 0),
        ("é" * 160, "GSM-7", 160, 1, 0),
        ("`", "UCS-2", 1, 1, 69),
    ],
)
def test_parts_abroad(text: str, encoding: str, units: int, parts: int, left: int) -> None:
    found = segments(text)
    assert (found.encoding, found.units, found.parts, found.left) == (encoding, units, parts, left)


@pytest.mark.parametrize(("length", "parts"), [(0, 1), (64, 1), (65, 2), (128, 2), (129, 3)])
def test_parts_on_the_mainland_count_the_signature_and_give_no_discount(length: int, parts: int) -> None:
    for character in "漏a😭":
        assert mainland_segments(character * length, "某某物业").parts == parts


@given(st.text(max_size=400))
def test_a_longer_text_never_takes_fewer_parts(text: str) -> None:
    counts = [segments(text[:end] + "漏").parts for end in range(0, len(text), 7)]
    assert counts == sorted(counts)
    found = segments(text)
    assert found.units <= found.parts * 160
    assert found.left >= 0
