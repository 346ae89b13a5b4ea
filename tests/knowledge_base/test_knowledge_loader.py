"""Errors name the file and what is wrong with it."""

import datetime
from pathlib import Path

import msgspec
import pytest

from knowledge_base.answer import KnowledgeBase
from knowledge_base.loader import KnowledgeError, check_together, load_folder, parse_article

GOOD = """+++
title = "访客停车收费"
ask = ["外来车停车多少钱", "訪客停車點計", "visitor parking fee", "fang ke ting che", "朋友的车停一晚要给多少钱"]
topic = "parking"
owner = "安全主管"
communities = []
valid_from = 2026-01-01
valid_until = 2026-12-31
source = "demonstration"
demonstration = true
+++
每小时5元，24小时最多25元。出口扫码付。
"""


def test_good_article() -> None:
    article = parse_article("visitor-fee.md", GOOD)
    assert article.id == "visitor-fee"
    assert article.ask[0] == "外来车停车多少钱"
    assert article.answer == "每小时5元，24小时最多25元。出口扫码付。"
    assert article.valid_until == datetime.date(2026, 12, 31)
    assert (article.communities, article.not_about, article.answers) == ((), (), ())


def test_windows_line_ends_and_byte_order_mark() -> None:
    assert parse_article("a.md", "\ufeff" + GOOD.replace("\n", "\r\n")) == parse_article("a.md", GOOD)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "访客停车收费"\n', "", "title is missing"),
        ('"访客停车收费"', '" "', "title must be a text that is not empty"),
        ('"访客停车收费"', "7", "title must be a text that is not empty"),
        ('topic = "parking"', 'topics = "parking"', "unknown key 'topics', did you mean 'topic'?"),
        (
            'topic = "parking"',
            'topic = "parking"\nvalid_til = 2026-01-01',
            "unknown key 'valid_til', did you mean 'valid_until'?",
        ),
        ('topic = "parking"', 'topic = "parking"\nzzz = 1', "unknown key 'zzz'"),
        (', "fang ke ting che", "朋友的车停一晚要给多少钱"]', "]", "3 ways to ask, at least 4 are needed"),
        ('"visitor parking fee"', '"訪客停車收費"', "a way to ask stands twice, or repeats the title"),
        ('"visitor parking fee"', "3", "ask must be a list of texts that are not empty"),
        ("communities = []", 'communities = "翠湖苑"', "communities must be a list of texts that are not empty"),
        ("2026-12-31", '"2026-12-31"', "valid_until must be a date such as 2026-12-31, without quotes"),
        ("2026-12-31", "2026-12-31T00:00:00", "valid_until must be a date"),
        ("2026-12-31", "2026-02-31", "front matter is not TOML"),
        ("2026-12-31", "2025-12-31", "valid_until 2025-12-31 is before valid_from 2026-01-01"),
        ("demonstration = true", 'demonstration = "yes"', "demonstration must be true or false"),
        (
            "demonstration = true",
            'demonstration = true\nanswers = ["fees"]',
            "unknown facet 'fees' in answers, did you mean 'fee'?",
        ),
        ("每小时5元，24小时最多25元。出口扫码付。", "", "no answer below the front matter"),
        ("出口扫码付。", "出口扫码付。" * 60, "at most 300 are read"),
        ("+++\ntitle", "---\ntitle", "must begin with front matter between two +++ lines"),
        ("title =", "title", "front matter is not TOML"),
    ],
)
def test_bad_article(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(KnowledgeError) as caught:
        parse_article("visitor-fee.md", GOOD.replace(old, new, 1))
    assert str(caught.value).startswith("visitor-fee.md: ")
    assert message in str(caught.value)


def test_bad_file_name() -> None:
    with pytest.raises(KnowledgeError, match=r"Visitor Fee\.md: the file name"):
        parse_article("Visitor Fee.md", GOOD)


def test_folder(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text(GOOD, "utf-8")
    (tmp_path / "README.txt").write_text("not a sheet", "utf-8")
    assert [article.id for article in load_folder(tmp_path)] == ["b"]
    (tmp_path / "a.md").write_text(GOOD, "utf-8")
    with pytest.raises(KnowledgeError, match="b: '访客停车收费' is asked in a already"):
        load_folder(tmp_path)


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="no such folder"):
        load_folder(tmp_path / "nothing")


def test_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(KnowledgeError, match=r"a\.md: not UTF-8"):
        load_folder(tmp_path)


def test_two_articles_with_one_id() -> None:
    article = parse_article("a.md", GOOD)
    with pytest.raises(KnowledgeError, match="a: two articles with this id"):
        check_together([article, article])


def test_communities_may_ask_the_same() -> None:
    article = parse_article("a.md", GOOD)
    one = msgspec.structs.replace(article, id="a", communities=("翠湖苑",))
    other = msgspec.structs.replace(article, id="b", communities=("云杉府",))
    assert check_together([one, other]) == (one, other)


def test_own_folder(tmp_path: Path) -> None:
    (tmp_path / "visitor-fee.md").write_text(GOOD, "utf-8")
    base = KnowledgeBase.load(tmp_path, demonstration=True)
    assert base.ask("外面的车停车多少钱", on=datetime.date(2026, 6, 1)).article == "visitor-fee"
    assert KnowledgeBase.load(tmp_path, demonstration=False).articles == ()
