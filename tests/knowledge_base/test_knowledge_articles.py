"""The sheets that ship: wording, sources, figures."""

import datetime
import re
from collections import Counter

import pytest

from intents.normalise import normalise
from knowledge_base.facets import FACET_NAMES
from knowledge_base.loader import load_folder, packaged_articles
from knowledge_base.model import Article

ARTICLES = load_folder(packaged_articles())
BY_ID = {article.id: article for article in ARTICLES}

FORBIDDEN = ["亲", "尊敬的", "温馨提示", "感谢您的理解与支持", "系统检测到", "已反馈相关部门", "小美", "敬请"]
# Words that only contain a forbidden one.
HARMLESS = ["亲戚", "亲自", "母亲", "父亲"]
TOPICS = {
    "fees": 13,
    "procedures": 12,
    "repair": 9,
    "parking": 7,
    "rules": 7,
    "emergencies": 6,
    "contacts": 6,
    "outside": 6,
}
PUBLIC_NUMBERS = {"110", "119", "120", "12345"}


def each() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("article", ARTICLES, ids=[article.id for article in ARTICLES])


@each()
def test_wording(article: Article) -> None:
    text = article.answer
    for word in HARMLESS:
        text = text.replace(word, "")
    assert [word for word in FORBIDDEN if word in text + article.title] == []
    assert not re.search("[!！～~…]|你(?!们)", article.answer + article.title)
    assert len(article.answer) <= 300
    assert 2 <= len(re.findall("[。？]", article.answer)) <= 6
    assert article.answer.endswith("。")
    assert "\n" not in article.answer


@each()
def test_ways_to_ask_are_spread(article: Article) -> None:
    lines = [article.title, *article.ask]
    assert len(article.ask) >= 4
    assert any(line.isascii() for line in lines), "English or pinyin"
    assert min(map(len, lines)) <= 8
    assert max(len(line) for line in lines if not line.isascii()) >= 12
    assert any(normalise(line) != line.lower() for line in lines if not line.isascii()), "Traditional or Cantonese"


@each()
def test_dates_owner_source(article: Article) -> None:
    assert article.valid_from <= datetime.date(2026, 11, 22) <= article.valid_until
    assert article.valid_until <= datetime.date(2040, 1, 1)
    assert article.owner.endswith("主管")
    assert set(article.answers) <= FACET_NAMES
    assert article.source


@each()
def test_what_only_a_community_can_know_is_a_demonstration(article: Article) -> None:
    numbers = set(re.findall(r"\d[\d-]*(?: \d+)*\d", article.answer)) - PUBLIC_NUMBERS
    phones = {number for number in numbers if number.startswith("0571")}
    assert all(re.fullmatch(r"0571-8800 0\d{3}", phone) for phone in phones), "invented numbers only"
    money = re.search(r"\d元|元/|每平方米\d|[一-鿿]路\d|街\d", article.answer)
    if not article.demonstration:
        assert not phones
        assert not money
        assert not article.communities
        assert not re.search("翠湖|云杉", article.answer)


# In a manual, but to be confirmed by the community before a resident is told.
@pytest.mark.parametrize(
    ("ident", "fact"),
    [
        ("worker-pass-fees", "押金50元"),
        ("worker-pass-fees", "工本费5元"),
        ("worker-pass", "居住证"),
        ("move-in-fees", "专户"),
        ("move-in-documents", "身份证复印件"),
    ],
)
def test_unconfirmed_facts_stand_only_in_demonstrations(ident: str, fact: str) -> None:
    assert fact in BY_ID[ident].answer
    assert BY_ID[ident].demonstration
    assert not [a.id for a in ARTICLES if fact in a.answer and not a.demonstration]


@pytest.mark.parametrize(
    ("ident", "facts"),
    [
        ("temporary-pass", ["身份证", "登记", "3天"]),
        ("worker-pass-validity", ["3个月"]),
        ("worker-pass", ["施工许可证", "身份证", "财务"]),
        ("hot-work-permit", ["操作证", "身份证", "红章"]),
        (
            "move-in",
            ["会签单", "入伙通知书", "业主手册", "装修指南", "登记表", "消防", "文明公约", "验房", "整改单", "钥匙"],
        ),
        ("release-slip-tenant", ["业主同意"]),
        ("arrears-no-cut", ["944", "报修和投诉也照常受理"]),
        ("desk-hours", ["9:00到17:00", "17:00到24:00", "0:00到8:00"]),
        ("repair-response-time", ["2小时", "48小时"]),
        ("complaint-time", ["2小时", "24小时", "3天", "7天", "72小时"]),
        ("urgent-repair-time", ["10分钟", "30分钟", "60分钟", "4小时", "15分钟"]),
    ],
)
def test_facts_of_the_manuals(ident: str, facts: list[str]) -> None:
    assert [fact for fact in facts if fact not in BY_ID[ident].answer] == []


def test_enough_of_every_topic() -> None:
    count = Counter(article.topic for article in ARTICLES)
    assert set(count) == set(TOPICS)
    assert {topic: n for topic, n in count.items() if n < TOPICS[topic]} == {}
    assert len(ARTICLES) >= 64


def test_no_way_to_ask_stands_in_two_articles() -> None:
    count = Counter(normalise(line) for article in ARTICLES for line in (article.title, *article.ask))
    assert [line for line, times in count.items() if times > 1] == []


def test_one_24_hour_number_in_all_articles() -> None:
    sentences = [s for article in ARTICLES for s in article.answer.split("。") if "0571-8800 0001" in s]
    assert sentences
    others = [a.id for a in ARTICLES if re.search(r"24小时电话\s*(?!0571-8800 0001)0571", a.answer)]
    assert others == []


def test_no_threat_with_water_power_or_heating() -> None:
    for article in ARTICLES:
        if article.topic == "fees" and re.search("停(水|电|气|暖)", article.answer):
            assert "不能用" in article.answer


FIGURE = re.compile(r"0571-8800 \d{4}|\d+(?:[:.]\d+)*")
IN_WORDS = {"1", "7"}
"""Figures that English writes out or leaves unsaid: the first floor, one hour, seven days."""


@each()
def test_the_english_answer_says_the_same_figures_in_the_same_tone(article: Article) -> None:
    assert article.title_en
    assert article.speaks("en")
    chinese, english = (set(FIGURE.findall(text)) for text in (article.answer, article.answer_en))
    assert chinese - english <= IN_WORDS
    assert english - chinese <= ({"0.03"} if "万分之三" in article.answer else set())
    assert not re.search(r"[!?~…]|\b(?:dear|kindly)\b", article.answer_en, re.IGNORECASE)


@each()
def test_readers_of_traditional_characters_get_them(article: Article) -> None:
    told = article.told_in("zh-Hant")
    assert set(FIGURE.findall(told)) == set(FIGURE.findall(article.answer))
    assert not re.search("[们这说电请业证]", told)
