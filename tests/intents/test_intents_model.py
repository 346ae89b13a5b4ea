"""Training, its cache, its examples and the figures about them."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from rapidfuzz import fuzz, process

from intents import classifier
from intents.classifier import Classifier, train
from intents.evaluate import evaluate, main, read_rows
from intents.examples import Example, ExampleError, load_examples
from intents.model import INTENTS
from intents.normalise import normalise
from intents.reader import Reader
from intents.rules import find_danger, judge

NOW = datetime.fromisoformat("2026-11-22T10:00")
NEAR = 92
SHORT = 4


@pytest.fixture(scope="module")
def some() -> list[Example]:
    return load_examples()[::12]


def scores(model: Classifier, text: str) -> dict[str, dict[str, float]]:
    return model.scores(normalise(text), judge(normalise(text))).heads


def test_the_same_examples_give_the_same_model(some: list[Example]) -> None:
    first, second = train(some), train(some)
    for example in some[:50]:
        assert scores(first, example.text) == scores(second, example.text)


def test_a_cached_model_is_the_trained_one(some: list[Example], tmp_path: Path) -> None:
    model = train(some)
    model.save(tmp_path / "model.npz", "key")
    cached = Classifier.cached(tmp_path / "model.npz", "key")
    assert cached is not None
    assert scores(cached, "厨房漏水") == scores(model, "厨房漏水")


def test_a_cache_of_other_data_is_not_used(some: list[Example], tmp_path: Path) -> None:
    train(some).save(tmp_path / "model.npz", "old")
    assert Classifier.cached(tmp_path / "model.npz", "new") is None


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 broken"])
def test_a_broken_cache_is_not_used(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.npz").write_bytes(content)
    assert Classifier.cached(tmp_path / "model.npz", "key") is None


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(some: list[Example], tmp_path: Path) -> None:
    train(some).save(tmp_path / "missing" / "model.npz", "key")
    assert not (tmp_path / "missing").exists()


def test_changed_code_or_data_asks_for_a_new_model(monkeypatch: pytest.MonkeyPatch) -> None:
    before = classifier.model_key()
    monkeypatch.setattr(classifier, "VERSION", "other")
    assert classifier.model_key() != before


def write(folder: Path, text: str, name: str = "faq") -> Path:
    (folder / f"{name}.toml").write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[messages\n", "faq.toml"),
        ("[plumbing]\nnormal = []", "no category of faq"),
        ("[messages]\nsoon = []", "soon is no urgency"),
        ("[messages]\nnormal = [3]", "must be a list of messages"),
        ("[messages]\nnormal = ['']", "must be a list of messages"),
        ("messages = 3", "must be a table"),
    ],
)
def test_a_wrong_example_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ExampleError, match=says):
        load_examples(write(tmp_path, text))


def test_every_intent_has_examples() -> None:
    assert {example.intent for example in load_examples()} == set(INTENTS)


@pytest.mark.parametrize("intent", INTENTS)
def test_no_two_examples_of_an_intent_are_alike(intent: str) -> None:
    texts = [normalise(example.text) for example in load_examples() if example.intent == intent]
    alike = process.cdist(texts, texts, scorer=fuzz.ratio, score_cutoff=NEAR, dtype=int)
    # 你好 and 您好 are one in normal form; so short, both are worth having.
    pairs = [(texts[one], texts[two]) for one, two in zip(*alike.nonzero(), strict=True) if one < two]
    pairs = [(one, two) for one, two in pairs if len(one) > SHORT]
    assert not pairs


def test_no_example_has_two_intents() -> None:
    seen: dict[str, set[str]] = {}
    for example in load_examples():
        seen.setdefault(normalise(example.text), set()).add(example.intent)
    assert not {text: found for text, found in seen.items() if len(found) > 1}


def test_the_gates_lose_no_danger() -> None:
    """The quick look before the patterns must find whatever the patterns find."""
    texts = [normalise(example.text) for example in load_examples()]
    assert [t for t in texts if find_danger(t) is None and find_danger(t, gated=False) is not None] == []


def test_figures_of_a_file(reader: Reader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[dict[str, object]] = [
        {"text": "厨房水龙头漏水，麻烦派师傅来修", "intent": "repair", "category": "plumbing", "urgency": "normal"},
        {
            "text": "你好",
            "intent": "faq",
            "also_ok": ["smalltalk"],
            "urgency": "normal",
            "slots": {},
            "lang": "zh-Hans",
        },
        {"text": "谢谢", "intent": "repair", "category": "gas", "urgency": "normal"},
    ]
    figures = evaluate(rows, reader, NOW)
    assert (figures["intent"], figures["intent_strict"]) == (0.6667, 0.3333)
    assert figures["confusions"] == [("repair", "smalltalk", 1)]
    assert figures["out_of_scope"]["recall"] == 1.0
    assert 0 < figures["calibration_error"] <= 1
    assert figures["by_language"]["zh-Hans"] == {"messages": 1, "intent": 1.0}
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    assert main([str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["messages"] == 3


@pytest.mark.parametrize("line", ['{"text": "a"}', "[]", '{"text": "a", "intent": "x"}'])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(line, "utf-8")
    with pytest.raises(ValueError, match=r"rows\.jsonl:1"):
        read_rows(file)
