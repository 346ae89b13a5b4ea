"""Kinds of danger as data: whom to ring, what they are in an order, which words name them."""

import re
from collections.abc import Mapping

from bot.desk import Desk
from workflows import texts, wording

NUMBERS: Mapping[str, tuple[str, ...]] = {
    "gas": ("gas", "fire"),
    "fire": ("fire", "ambulance"),
    "lift": ("lift_rescue", "ambulance"),
    "burst_pipe": ("water",),
    "electric": ("power", "ambulance", "fire"),
    "falling_object": ("ambulance", "police"),
    "break_in": ("police",),
    "violence": ("police", "ambulance"),
    "medical": ("ambulance",),
    "missing_child": ("police",),
    "self_harm": ("ambulance", "police"),
    "flood": ("rescue", "ambulance"),
    "animal": ("police", "ambulance"),
    "other": ("police", "fire", "ambulance"),
}
"""The public numbers that each kind of danger needs, the first one first."""

_RESCUE = {"rescue": "fire"}
"""The fire brigade rescues, too."""

_CALLS: Mapping[str, str] = {
    "rescue": "rescue",
    "gas": "gas",
    "fire": "fire",
    "ambulance": "ambulance",
    "police": "police",
    "power": "power",
    "water": "water",
    "lift_rescue": "lift",
}

NAMES: Mapping[str, str] = {
    "gas": "燃气",
    "fire": "火情",
    "lift": "电梯困人",
    "burst_pipe": "爆管",
    "electric": "漏电",
    "falling_object": "高空坠物",
    "break_in": "有人闯入",
    "violence": "打斗",
    "medical": "有人急病受伤",
    "missing_child": "走失",
    "self_harm": "轻生",
    "flood": "水淹",
    "animal": "动物伤人",
    "other": "险情",
}
"""What staff read in an alarm."""

CATEGORY: Mapping[str, str] = {
    "gas": "gas",
    "lift": "elevator",
    "burst_pipe": "plumbing",
    "electric": "electrical",
    "flood": "drainage",
}
"""The category of the order that a kind of danger opens."""

OF_CATEGORY: Mapping[str, str] = {
    "plumbing": "burst_pipe",
    "drainage": "burst_pipe",
    "gas": "gas",
    "electrical": "electric",
    "elevator": "lift",
}
"""The danger that a fault becomes when somebody calls for help about it."""

ANYWHERE = frozenset({"falling_object", "violence", "missing_child", "animal", "flood", "break_in"})
"""Kinds that happen anywhere: no flat is asked for."""

_SIGNS = (
    ("gas", re.compile(r"煤气|燃气|天然气|液化气|\bgas\b|烂鸡蛋|臭鸡蛋", re.IGNORECASE)),
    ("fire", re.compile(r"火|烟|煙|\b(?:fire|smoke)\b", re.IGNORECASE)),
    ("lift", re.compile(r"电梯|電梯|𨋢|\b(?:lift|elevator)\b", re.IGNORECASE)),
    ("burst_pipe", re.compile(r"水管|喷水|爆管|\bpipe\b", re.IGNORECASE)),
)


def named_in(text: str) -> str:
    """The kind of danger that words name; empty where none."""
    return next((kind for kind, sign in _SIGNS if sign.search(text)), "")


def calls(desk: Desk, language: str, kind: str) -> str:
    """The public numbers for a kind of danger; one that the settings leave empty is not printed."""
    numbers = desk.world.settings.numbers
    known = [(way, getattr(numbers, _RESCUE.get(way, way))) for way in NUMBERS[kind]]
    return wording.listed(
        (texts.say(language, f"emergency.call_{_CALLS[way]}", number=number) for way, number in known if number),
        language,
    )
