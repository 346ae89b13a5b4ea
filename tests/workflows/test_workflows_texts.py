"""All wording that a resident reads: whole in three languages, polite, one question, no forbidden word."""

import re
from pathlib import Path

import pytest

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


def _keys_in_code() -> set[str]:
    sections = {key.split(".")[0] for key in texts("zh-Hans")}
    found: set[str] = set()
    for path in [*Path("workflows").rglob("*.py"), Path("bot/engine/routing.py")]:
        for literal in re.findall(r'"([a-z]+\.[a-z_]+(?:\.[a-z_]+)?)"', path.read_text("utf-8")):
            found |= {literal} if literal.split(".")[0] in sections else set()
    return found


TIMERS = {"human.waiting", "unfinished.remind", "unfinished.task", "complaint.dialogue"}


def test_every_text_that_the_code_asks_for_exists() -> None:
    assert {key for key in _keys_in_code() if key not in texts("zh-Hans")} <= TIMERS
