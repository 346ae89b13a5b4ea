"""What is looked at before a pattern must never hold back one that matches."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents import slots, split, times
from intents.examples import load_examples
from intents.features import features
from intents.gates import Gate, alternatives, first_signs, marks, needs
from intents.normalise import _words, fold, normalise
from intents.reader import Reader
from intents.rules import _rules, judge
from intents.time_words import ATOMS, atom_beginning

SOME = 9
TEXTS = [example.text for example in load_examples()]


def missed(gate: Gate[Any], texts: Iterable[str]) -> list[tuple[str, str]]:
    every = {one.order: one for found in gate._by_mark.values() for one in found}
    found = []
    for text in texts:
        tried = {one.order for one in gate.worth_trying(marks(text))}
        found += [
            (text, one.pattern.pattern) for one in every.values() if one.order not in tried and one.pattern.search(text)
        ]
    return found


def test_no_rule_is_held_back() -> None:
    texts = [normalise(text) for text in TEXTS[::SOME]]
    for gate in (_rules().spoken, _rules().guard, _rules().may_be_harmless):
        assert missed(gate, texts) == []


def test_no_home_time_or_cut_is_held_back() -> None:
    texts = [fold(text) for text in TEXTS[::SOME]]
    for gate in (slots._HOME_GATE, slots._SIGN_GATE, times._SOLID, split._GATE):
        assert missed(gate, texts) == []


@pytest.mark.parametrize(
    ("pattern", "branches"),
    [
        ("ab", ["ab"]),
        ("a|b", ["a", "b"]),
        ("(a|b)c|d", ["(a|b)c", "d"]),
        (r"[|\]]|[]|]x|\|", [r"[|\]]", "[]|]x", r"\|"]),
    ],
)
def test_branches_of_a_pattern(pattern: str, branches: list[str]) -> None:
    assert alternatives(pattern) == branches


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        ("电梯", {"电梯"}),
        ("电.{0,3}(?:梯|箱)", {"梯", "箱"}),
        ("(?:电|水)?梯", {"梯"}),
        ("a?(?=阀)", {"阀"}),
        ("(?:漏[水气])+", {"漏水", "漏气"}),
    ],
)
def test_needs_of_a_pattern(pattern: str, needed: set[str]) -> None:
    assert frozenset(needed) in needs(pattern)


@pytest.mark.parametrize("pattern", ["电*", "(?:水|.)", "[^水]", r"\w", r"\s电?", "(?!水)"])
def test_a_pattern_that_may_match_anything_needs_nothing(pattern: str) -> None:
    assert needs(pattern) == []
    assert Gate([(None, pattern)]).may_match(marks(""))


def test_without_the_parser_of_this_python_every_pattern_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    assert Gate([(None, "电梯")]).may_match(marks("水"))
    assert first_signs("电梯") is None


_PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["电", "梯", "水", "(?:电|水)", "[电水]", ".", "梯?", "(?:梯|水电)", "(?=电)", "(?!水)", "a", "bc"]
        ),
        st.sampled_from(["(?:电梯){1,2}", "水*", r"\d", "(?P<x>电)?"]),
    ),
    min_size=1,
    max_size=5,
)


@given(_PIECES, st.text(alphabet="电梯水 abc1", max_size=8))
def test_any_pattern_that_matches_is_tried(pieces: list[str], text: str) -> None:
    pattern = "|".join(["".join(dict.fromkeys(pieces)), "电梯"])
    for branch in alternatives(pattern):
        found = re.search(branch, text, re.ASCII)
        if found is None:
            continue
        assert Gate([(None, branch)]).may_match(marks(text))
        firsts = first_signs(branch)
        assert firsts is None or found.group()[0] in firsts


def test_every_time_word_is_found_by_its_first_sign() -> None:
    every = re.compile("|".join(f"(?P<{kind}_>{pattern})" for kind, pattern in ATOMS), re.ASCII)
    for text in map(fold, TEXTS[::SOME]):
        for found in every.finditer(text):
            pattern = atom_beginning(found.group()[0])
            same = pattern.match(text, found.start()) if pattern else None
            assert same is not None, (text, found.group())
            assert (same.lastgroup, same.end()) == (found.lastgroup, found.end())


def test_a_text_that_simplifying_changes_is_simplified(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = ["回覆", "瞭解", "打坏", "沈默", "英哩", "甦醒", "衹得", "藉口", "，！？", "a，\u0338b", "物业公司"]
    texts = [*TEXTS, *_words()["before"], *_words()["words"], *odd]
    looked_at_first = [normalise.__wrapped__(text) for text in texts]
    every_sign = frozenset().union(*map(marks, looked_at_first), *map(marks, texts))
    monkeypatch.setattr("intents.normalise._moving", lambda: every_sign)
    assert looked_at_first == [normalise.__wrapped__(text) for text in texts]


def test_reading_finds_the_features_that_training_names(reader: Reader) -> None:
    model = reader._classifier
    for text in (
        *map(normalise, TEXTS[::SOME]),
        "",
        "1",
        "139 0000 2468",
        "a",
        "^$",
        "[图片]",
        "高 空抛物",
        "fire exit door",
    ):
        verdict = judge(text)
        named = sorted(model._places[name] for name in features(text, verdict) & model._places.keys())
        assert model._known(model.text_places(text), verdict).tolist() == named, text
