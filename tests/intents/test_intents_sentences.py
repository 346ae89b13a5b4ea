"""Every sentence of the tables: one that must match beside one that must not."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from intents.answers import asks_back, is_thanks, read_answer
from intents.reader import Reader
from intents.slots import find_slots
from intents.times import find_time

SENTENCES = Path(__file__).parent / "sentences"
NOW = datetime.fromisoformat("2026-11-22T10:00")


def table(name: str) -> dict[str, Any]:
    return tomllib.loads((SENTENCES / f"{name}.toml").read_text("utf-8"))


def emergencies(side: str) -> list[tuple[str, str]]:
    return [(kind, text) for kind, sides in table("emergencies").items() for text in sides[side]]


@pytest.mark.parametrize(("kind", "text"), emergencies("must"))
def test_danger_is_never_missed(reader: Reader, kind: str, text: str) -> None:
    reading = reader.read(text, NOW)
    assert reading.urgency == "emergency", reading.explanation
    assert reading.emergency == kind


@pytest.mark.parametrize(("kind", "text"), emergencies("must_not"))
def test_a_look_alike_is_no_danger(reader: Reader, kind: str, text: str) -> None:
    reading = reader.read(text, NOW)
    assert reading.urgency != "emergency", reading.explanation
    assert reading.emergency is None


def labelled(intent: str) -> list[tuple[str, str]]:
    return [(category, text) for category, texts in table("intents")[intent].items() for text in texts]


@pytest.mark.parametrize("intent", ["repair", "complaint"])
def test_intents_with_a_category(reader: Reader, intent: str) -> None:
    wrong = []
    for category, text in labelled(intent):
        reading = reader.read(text, NOW)
        if (reading.intent, reading.category) != (intent, category):
            wrong.append((text, category, reading.intent, reading.category))
    assert not wrong


def test_intents_without_a_category(reader: Reader) -> None:
    readings = [(intent, text, reader.read(text, NOW)) for intent, text in labelled("plain")]
    assert not [(intent, text, r.intent) for intent, text, r in readings if r.intent != intent]
    assert all(r.category is None for _, _, r in readings)


@pytest.mark.parametrize("case", table("slots")["case"], ids=lambda case: str(case["text"]))
def test_slots(case: dict[str, Any]) -> None:
    found = find_slots(case["text"], {"翠湖": "翠湖苑", "翠湖苑": "翠湖苑"}).as_json()
    if "place" not in case["slots"]:
        found.pop("place", None)
    assert found == case["slots"]


@pytest.mark.parametrize("case", table("times")["case"], ids=lambda case: str(case["text"]))
def test_times(case: dict[str, Any]) -> None:
    found = find_time(case["text"], NOW)
    if "found" not in case:
        assert found is None
        return
    assert found is not None
    assert (found.text, found.start, found.end) == (case["found"], case.get("start"), case.get("end"))


@pytest.mark.parametrize("kind", ["yes", "no", "cancel", "whatever", "decline", "none"])
def test_answers_by_kind(kind: str) -> None:
    assert [(text, read_answer(text).kind) for text in table("answers")[kind]] == [
        (text, kind) for text in table("answers")[kind]
    ]


@pytest.mark.parametrize(
    ("kind", "field"), [("choice", "choice"), ("correction", "text"), ("score", "score"), ("rating", "rating")]
)
def test_answers_with_a_value(kind: str, field: str) -> None:
    wanted = table("answers")[kind]
    assert {text: getattr(read_answer(text), field) for text in wanted} == wanted
    expected = "rating" if kind in ("score", "rating") else kind
    assert {read_answer(text).kind for text in wanted} == {expected}


def test_thanks_and_questions_back() -> None:
    assert is_thanks("好的，谢谢师傅！")
    assert not is_thanks("谢谢，那厨房的呢")
    assert asks_back("要收费吗？")
    assert not asks_back("明天上午")
