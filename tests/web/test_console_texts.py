"""The words of the console: the same keys in every language, each of them used, none missing."""

import re
import string
from pathlib import Path

import pytest

from bot.web import console
from bot.web.console import labels, masks, texts
from tests.web.console_kit import Kit

HERE = Path(console.__file__).parent
SOURCES = [*HERE.glob("templates/**/*.html"), *HERE.glob("*.py"), HERE.parent / "access.py"]
WRITTEN = re.compile(r"""(?:\bt\(|view\.t\()\s*["']([a-z_.]+)["']\s*[,)]""")
PREFIXES = re.compile(r"""(?:\bt\(|view\.t\()\s*["']([a-z_.]+\.)["']\s*~""")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_languages_have_the_same_keys_and_values() -> None:
    first, *others = texts.TEXTS.values()
    for other in others:
        assert first.keys() == other.keys()
        assert {key: fields(text) for key, text in first.items()} == {key: fields(text) for key, text in other.items()}


def test_every_key_that_is_written_exists() -> None:
    words = "\n".join(path.read_text("utf-8") for path in SOURCES)
    keys = texts.TEXTS["en"]
    assert {key for key in WRITTEN.findall(words) if key not in keys} == set()
    assert {start for start in PREFIXES.findall(words) if not any(key.startswith(start) for key in keys)} == set()


def test_closed_lists_have_both_languages() -> None:
    for name, words in labels.LISTS.items():
        assert words, name
        for pair in words.values():
            assert len(pair) == 2
            assert all(pair)


@pytest.mark.parametrize(
    ("full", "masked"),
    [("王小明", "王**"), ("欧阳询", "欧**"), ("王", "王**"), ("", ""), ("Alexander Hamilton", "A**")],
)
def test_names_are_masked(full: str, masked: str) -> None:
    assert masks.name(full) == masked


@pytest.mark.parametrize(
    ("full", "masked"), [("13812348000", "138****8000"), ("057112345678", "057****5678"), ("12345", "****45"), ("", "")]
)
def test_phones_are_masked(full: str, masked: str) -> None:
    assert masks.phone(full) == masked


@pytest.mark.parametrize(
    ("words", "masked"),
    [
        ("我是王小明，打13812348000", "我是王**，打138****8000"),
        ("+86 138 1234 8000", "+86****8000"),
        ("0571-12345678找我", "057****5678找我"),
        ("单号WX20261122-0001，3-2-1502", "单号WX20261122-0001，3-2-1502"),
    ],
)
def test_words_are_masked(words: str, masked: str) -> None:
    assert masks.text(words, "王小明") == masked


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_every_page_speaks_both_languages(kit: Kit, language: str) -> None:
    browser = await kit.sign_in("supervisor")
    await browser.post("/language", {"language": language, "back": "/console"})
    pages = ["/inbox", "/orders", "/orders?closed", "/complaints", "/affairs", "/calls", "/alarms", "/attention"]
    pages += [
        "/knowledge?try=停车",
        "/knowledge?tab=shipped",
        "/knowledge/new",
        "/knowledge/shipped/tap-price",
        "/questions",
    ]
    pages += [f"/inbox/{kit.seed.conversations['wang']}", f"/orders/{kit.seed.cases['given']}"]
    pages += [f"/complaints/{kit.seed.cases['noise']}", f"/affairs/{kit.seed.cases['affair']}"]
    for path in pages:
        page = await browser.text(path)
        assert f'<html lang="{language}">' in page
        assert re.findall(r">\s*([a-z_]+\.[a-z_.]+)\s*<", page) == []
