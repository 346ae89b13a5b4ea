"""How many parts a text is sent and billed in: GSM 03.38 and UCS-2 abroad, characters on the mainland."""

from typing import Final, Literal

import msgspec

Encoding = Literal["GSM-7", "UCS-2", "mainland"]

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("^{}\\[~]|€\f")
_LIMITS: Final[dict[Encoding, tuple[int, int]]] = {"GSM-7": (160, 153), "UCS-2": (70, 67), "mainland": (70, 67)}
"""Units in a text of one part, and in each part of a longer one."""


class Segments(msgspec.Struct, frozen=True):
    """`units` septets, UTF-16 units or characters, in `parts`; `left` fit into the last part."""

    encoding: Encoding
    units: int
    parts: int
    left: int


def segments(text: str) -> Segments:
    """How `text` travels abroad: one character outside GSM 03.38 turns all of it to UCS-2.

    Nothing that takes two units, a pair or an escaped character, is cut by the end of a part.
    """
    if all(character in _BASIC or character in _EXTENSION for character in text):
        return _split("GSM-7", [1 + (character in _EXTENSION) for character in text])
    return _split("UCS-2", [1 + (character > "\uffff") for character in text])


def mainland_segments(text: str, sign_name: str) -> Segments:
    """How `text` is billed on the mainland: characters, the signature with its brackets included (阿里云: 计费)."""
    return _split("mainland", [1] * (len(text) + len(sign_name) + 2))


def _split(encoding: Encoding, widths: list[int]) -> Segments:
    whole, many = _LIMITS[encoding]
    units = sum(widths)
    if units <= whole:
        return Segments(encoding, units, 1 if units else 0, whole - units)
    parts, used = 1, 0
    for width in widths:
        if used + width > many:
            parts, used = parts + 1, 0
        used += width
    return Segments(encoding, units, parts, many - used)
