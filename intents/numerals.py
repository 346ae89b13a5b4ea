"""Chinese numerals as residents write them: 十五, 二十一, 一五零二, 十五零二, 幺六零三."""

import re

_DIGITS = dict(zip("零〇一二三四五六七八九", "00123456789", strict=True)) | {"幺": "1", "两": "2", "二": "2", "廿": "2"}
DIGIT = "零〇一二三四五六七八九幺两"
NUMBER = r"(?:\d{1,4}|[一二三四五六七八九十两]{1,3})"
_TENS = re.compile("([一二三四五六七八九两]?)十([一二三四五六七八九]?)")


def number(text: str) -> int | None:
    """The value of a small number in Arabic digits or Chinese numerals; None where it is neither."""
    if text.isascii():
        return int(text) if text.isdigit() else None
    digits = digit_string(text)
    return int(digits) if digits.isdigit() else None


def digit_string(text: str) -> str:
    """Arabic digits for a spoken room or house number: 一五零二 and 十五零二 are both 1502, 二十一 is 21.

    Signs that are no numerals stay as they are.
    """
    text = _TENS.sub(_ten, text.replace("百零", "零").replace("百", ""))
    return "".join(_DIGITS.get(sign, sign) for sign in text)


def _ten(found: re.Match[str]) -> str:
    tens, ones = found.groups()
    return _DIGITS.get(tens, "1") + _DIGITS.get(ones, "0")
