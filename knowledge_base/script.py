"""Simplified answers for readers of Traditional characters."""

import functools
from typing import Final

import opencc

_TO_HONG_KONG: Final = opencc.OpenCC("s2hk")


@functools.lru_cache(maxsize=1024)
def traditional(text: str) -> str:
    """The text in Traditional characters as Hong Kong writes them."""
    return str(_TO_HONG_KONG.convert(text))
