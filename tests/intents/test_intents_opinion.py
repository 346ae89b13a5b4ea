"""An opinion of somebody else is held to our labels, and laid over our own reading."""

from datetime import datetime

import pytest

from intents.opinion import SURE, Opinion, follow, opinion_of
from intents.reader import Reader

TEXT = "地下车库那个东西又那样了"
NOW = datetime(2026, 11, 23, 10, 0)  # noqa: DTZ001 - local, as the reader takes it

ANSWERS: tuple[tuple[dict[str, object], Opinion | None], ...] = (
    ({"intent": "repair", "category": "electrical", "urgency": "urgent"}, Opinion("repair", "electrical", "urgent")),
    ({"intent": "repair", "category": "fees"}, Opinion("repair")),
    ({"intent": "faq", "category": "plumbing"}, Opinion("faq")),
    ({"intent": "refund"}, None),
    ({"intent": "other"}, None),
    ({"intent": None}, None),
    ({}, None),
    ({"intent": ["repair"]}, None),
    ({"intent": "faq", "urgency": "very"}, Opinion("faq")),
    ({"intent": "other", "urgency": "emergency", "danger": "gas"}, Opinion("repair", None, "emergency", "gas")),
    ({"intent": "repair", "urgency": "emergency", "danger": "ufo"}, Opinion("repair", None, "emergency", "other")),
    ({"intent": "repair", "danger": "gas"}, Opinion("repair")),
    ({"intent": "repair", "place": "车库"}, Opinion("repair", place="车库")),
    ({"intent": "repair", "place": "电梯"}, Opinion("repair")),
    ({"intent": "repair", "place": {"name": "车库"}}, Opinion("repair")),
)


@pytest.mark.parametrize(("found", "expected"), ANSWERS)
def test_a_label_that_we_do_not_know_is_as_good_as_none(found: dict[str, object], expected: Opinion | None) -> None:
    assert opinion_of(found, TEXT) == expected


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load()


def test_an_opinion_is_followed_where_we_were_not_sure(reader: Reader) -> None:
    ours = reader.read(TEXT, NOW)
    theirs = follow(ours, Opinion("complaint", "noise", "urgent"))
    assert (theirs.intent, theirs.category, theirs.urgency, theirs.confidence) == ("complaint", "noise", "urgent", SURE)
    assert [request.intent for request in theirs.requests] == ["complaint"]
    assert theirs.lang == ours.lang


@pytest.mark.parametrize("intent", ["repair", "complaint"])
def test_a_category_is_never_missing(reader: Reader, intent: str) -> None:
    assert follow(reader.read("你好", NOW), Opinion(intent)).category == "other"


def test_danger_is_never_lowered(reader: Reader) -> None:
    ours = reader.read("家里煤气味好大", NOW)
    theirs = follow(ours, Opinion("smalltalk", None, "normal"))
    assert (theirs.urgency, theirs.emergency) == ("emergency", ours.emergency)


def test_what_we_read_of_slots_stays(reader: Reader) -> None:
    ours = reader.read("3栋2单元1502电梯口", NOW)
    theirs = follow(ours, Opinion("repair", place="口"))
    assert (theirs.slots.room, theirs.slots.place) == (ours.slots.room, ours.slots.place or "口")
