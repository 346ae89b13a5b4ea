"""What staff are told of a reading: rules, words, nearest examples; and whether a new model may replace the old."""

from datetime import datetime

import pytest

from intents.classifier import train
from intents.evaluate import compare
from intents.examples import Example, load_examples
from intents.nearest import Nearest
from intents.reader import Reader

NOW = datetime.fromisoformat("2026-11-22T10:00")
ROWS = [
    {"text": "闻到很重的煤气味，头晕", "intent": "repair", "category": "gas", "urgency": "emergency"},
    {"text": "有人晕倒在大堂没反应", "intent": "other", "urgency": "emergency"},
    {"text": "物业费多少钱一平", "intent": "faq", "urgency": "normal"},
    {"text": "厨房水龙头滴水，麻烦来修", "intent": "repair", "category": "plumbing", "urgency": "normal"},
]


def test_an_explanation_names_the_rule_and_its_words(reader: Reader) -> None:
    told = reader.explain("厨房好大的煤气味，我要找律师", NOW)
    assert ("danger gas", "煤气味") in told.rules
    assert ("flag red", "律师") in told.rules
    assert told.danger > 0.5
    assert told.danger_words


def test_an_explanation_names_what_holds_a_rule_back(reader: Reader) -> None:
    assert "guard suppose" in [name for name, _ in reader.explain("万一闻到煤气味应该打哪个电话", NOW).rules]


def test_an_explanation_names_words_and_examples(reader: Reader) -> None:
    told = reader.explain("厨房水龙头关不紧，一直滴水", NOW)
    assert told.rules == ()
    assert [gain for _, gain in told.words] == sorted((gain for _, gain in told.words), reverse=True)
    assert {near.example.intent for near in told.nearest} == {"repair"}


def test_a_message_of_unknown_signs_is_explained(reader: Reader) -> None:
    told = reader.explain("", NOW)
    assert told.rules == ()


@pytest.mark.parametrize(
    ("text", "likest"), [("厨房漏水了", "厨房漏水"), ("電梯壞咗", "电梯坏了"), ("the lift is dead", "lift is dead")]
)
def test_the_likest_example_is_found(text: str, likest: str) -> None:
    texts = ["厨房漏水", "电梯坏了", "lift is dead", "物业费多少", "谢谢"]
    index = Nearest([Example(own, "repair", "other", "normal") for own in texts])
    assert index.find(text)[0].example.text == likest


def test_an_example_is_nearest_to_itself() -> None:
    examples = load_examples()[::40]
    index = Nearest(examples)
    assert all(index.find(example.text, 1)[0].likeness == 1.0 for example in examples if len(example.text) > 1)


def test_nothing_in_common_finds_nothing() -> None:
    assert Nearest([Example("厨房漏水", "repair", "plumbing", "normal")]).find("zzz") == []


def test_a_model_as_good_as_the_old_may_replace_it(reader: Reader) -> None:
    assert compare(ROWS, reader, reader, NOW).may_replace


def test_a_model_that_misses_a_danger_may_not(reader: Reader) -> None:
    harmless = [example for example in load_examples() if example.urgency != "emergency"][::3]
    found = compare(ROWS, reader, Reader(train(harmless)), NOW)
    assert not found.may_replace
    assert found.missed
    assert "dangers would be missed" in found.against[0]
    assert found.old["emergency"]["recall"] == 1.0


def test_a_model_that_reads_worse_may_not(reader: Reader) -> None:
    turned = [
        Example(e.text, "praise" if e.intent == "faq" else e.intent, e.category, e.urgency)
        for e in load_examples()[::3]
    ]
    found = compare(ROWS, reader, Reader(train(turned)), NOW)
    assert any(reason.startswith("intent would fall") for reason in found.against)
