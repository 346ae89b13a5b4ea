"""All wording that a resident reads: whole in three languages, polite, one question, no forbidden word."""

import itertools
import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bot.desk import Desk
from bot.settings import PublicNumbers
from tests.workflows.harness import story
from workflows import danger
from workflows.texts import LANGUAGES, say, texts, values_in

FORBIDDEN = (
    "亲，", "亲亲", "尊敬的", "温馨提示", "溫馨提示", "感谢您的理解与支持", "系统检测到", "系統檢測", "请提供以下",
    "我听不懂", "请重新输入", "相关部门", "相關部門", "您的问题已反馈", "我去看看", "我帮您看", "帮您看了", "一下哦",
    "小美", "!", "！", "dear customer", "we apologize for any", "kindly", "欠费", "停水停电", "断水", "断电催",
)  # fmt: skip
LONGEST = {"zh-Hans": 160, "zh-Hant": 160, "en": 420}
"""Characters of a text before its values: a phone screen, read at a glance."""
QUESTIONS = re.compile(r"[？?]")
PARTS = {"where.phone", "where.public", "greeting.first_phone"}
TEMPLATES = [(language, key) for language in LANGUAGES for key in texts(language)]


def test_every_language_says_everything() -> None:
    for language in LANGUAGES:
        assert set(texts(language)) == set(texts("zh-Hans"))


@pytest.mark.parametrize("key", texts("zh-Hans"))
def test_the_same_values_stand_in_every_language(key: str) -> None:
    assert len({frozenset(values_in(texts(language)[key])) for language in LANGUAGES}) == 1


@pytest.mark.parametrize(("language", "key"), TEMPLATES)
def test_no_text_holds_what_residents_hate(language: str, key: str) -> None:
    text = texts(language)[key]
    assert [word for word in FORBIDDEN if word in text.lower()] == []
    assert len(text) <= LONGEST[language]
    assert len(QUESTIONS.findall(text)) <= 1 or key == "unknown.guess"
    assert not re.search(r"(?m)^\s*1[.、．].*\n\s*2[.、．]", text), "a numbered list of blanks"


@pytest.mark.parametrize("key", texts("zh-Hans"))
def test_chinese_says_you_politely(key: str) -> None:
    for language in ("zh-Hans", "zh-Hant"):
        assert "你" not in texts(language)[key]


def test_a_missing_key_or_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("zh-Hans", "no.such_text")
    with pytest.raises(KeyError):
        say("zh-Hans", "repair.recorded", place="3栋")


def test_a_value_is_said_as_it_is() -> None:
    assert "{number}" in say("zh-Hans", "progress.none_who") or "查不到" in say("zh-Hans", "progress.none_who")
    said = say("en", "where.noted", place="{phone}")
    assert "{phone}" in said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", danger.NUMBERS)
def test_advice_is_two_sentences_and_then_the_numbers(language: str, kind: str) -> None:
    advice = texts(language)[f"emergency.advice.{kind}"]
    assert advice.endswith("{calls}")
    sentences = [part for part in re.split(r"[。.]\s*", advice.removesuffix("{calls}").strip()) if part]
    assert len(sentences) == 2
    assert QUESTIONS.search(advice) is None


ALL_NUMBERS = PublicNumbers(gas="95158", power="95598", water="962740", lift_rescue="96333")
NO_NUMBERS = PublicNumbers(police="", fire="", ambulance="", traffic="", city="")


def _calls(numbers: PublicNumbers) -> dict[tuple[str, str], str]:
    """What is said of the numbers, by language and kind of danger."""
    said: dict[tuple[str, str], str] = {}
    with story("listed") as played:
        played.say("你好")
        settings = msgspec.structs.replace(played.world.settings, numbers=numbers)
        played.world = replace(played.world, settings=settings)

        def ask(desk: Desk) -> None:
            for language, kind in itertools.product(LANGUAGES, danger.NUMBERS):
                said[language, kind] = danger.calls(desk, language, kind)

        played.act(ask)
    return said


def test_every_danger_has_its_numbers() -> None:
    for (_, kind), text in _calls(ALL_NUMBERS).items():
        assert [getattr(ALL_NUMBERS, "fire" if way == "rescue" else way) in text for way in danger.NUMBERS[kind]] == [
            True
        ] * len(danger.NUMBERS[kind])


def test_an_empty_number_is_not_said() -> None:
    assert set(_calls(NO_NUMBERS).values()) == {""}


ASKED = (
    "gas", "fire", "lift", "burst_pipe", "electric", "falling_object", "break_in", "violence", "medical",
    "missing_child", "self_harm", "animal", "flood",
)  # fmt: skip


@pytest.mark.parametrize("kind", ASKED)
def test_every_danger_of_the_list_has_advice_numbers_and_a_name_for_staff(kind: str) -> None:
    assert kind in danger.NUMBERS
    assert kind in danger.NAMES
    assert all(f"emergency.advice.{kind}" in texts(language) for language in LANGUAGES)


def _keys_in_code() -> set[str]:
    sections = {key.split(".")[0] for key in texts("zh-Hans")}
    found: set[str] = set()
    for path in [*Path("workflows").rglob("*.py"), Path("bot/engine/routing.py")]:
        for literal in re.findall(r'"([a-z]+\.[a-z_]+(?:\.[a-z_]+)?)"', path.read_text("utf-8")):
            found |= {literal} if literal.split(".")[0] in sections else set()
    return found


TIMERS = {"binding.again", "human.waiting", "unfinished.remind", "unfinished.task", "complaint.dialogue"}


def test_every_text_that_the_code_asks_for_exists() -> None:
    assert {key for key in _keys_in_code() if key not in texts("zh-Hans")} <= TIMERS
