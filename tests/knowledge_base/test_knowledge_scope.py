"""Where and when an article is told, and what counter-phrases and facets keep it from answering."""

import datetime

import msgspec
import pytest

from knowledge_base.answer import KnowledgeBase
from knowledge_base.model import Article

TODAY = datetime.date(2026, 11, 22)


@pytest.fixture(scope="module")
def base() -> KnowledgeBase:
    return KnowledgeBase.load(demonstration=True)


def test_article_of_a_community_is_told_there(base: KnowledgeBase) -> None:
    question = "物业前台在哪里"
    assert base.ask(question, community="翠湖苑", on=TODAY).article == "desk-address-cuihu"
    assert base.ask(question, community="云杉府", on=TODAY).article == "desk-address-yunshan"


def test_article_of_another_community_is_never_told(base: KnowledgeBase) -> None:
    for question in ("坐几路公交", "翠湖苑坐什么公交", "物业前台在哪里"):
        answer = base.ask(question, community="云杉府", on=TODAY)
        assert not {candidate.article for candidate in answer.candidates} & {"bus-cuihu", "desk-address-cuihu"}


def test_community_not_known_is_a_choice_unless_named(base: KnowledgeBase) -> None:
    assert base.ask("物业前台在哪里", on=TODAY).decision == "choose"
    assert base.ask("翠湖苑的物业前台在哪里", on=TODAY).article == "desk-address-cuihu"


def test_only_one_community_has_it_and_the_community_is_not_known() -> None:
    whole = KnowledgeBase.load(demonstration=True)
    base = KnowledgeBase([article for article in whole.articles if article.id != "desk-address-yunshan"])
    answer = base.ask("物业前台在哪里", on=TODAY)
    assert answer.decision == "choose"
    assert answer.candidates[0].article == "desk-address-cuihu"


@pytest.mark.parametrize(
    ("on", "told"),
    [
        (datetime.date(2026, 2, 28), False),
        (datetime.date(2026, 3, 1), True),
        (datetime.date(2026, 3, 31), True),
        (datetime.date(2026, 4, 1), False),
    ],
)
def test_first_and_last_day(base: KnowledgeBase, on: datetime.date, told: bool) -> None:
    limits = {"valid_from": datetime.date(2026, 3, 1), "valid_until": datetime.date(2026, 3, 31)}
    march = [msgspec.structs.replace(a, **limits) if a.id == "tap-price" else a for a in base.articles]
    answer = KnowledgeBase(march).ask("换水龙头多少钱", on=on)
    assert (answer.article == "tap-price") == told


def test_demonstrations_are_left_out() -> None:
    base = KnowledgeBase.load(demonstration=False)
    assert base.articles
    assert not [article.id for article in base.articles if article.demonstration]
    assert base.ask("临时出入证管几天", on=TODAY).article == "temporary-pass"
    assert base.ask("物业费多少钱一平", on=TODAY).decision != "answer"
    assert base.ask("装修工人出入证押金多少", on=TODAY).decision != "answer"
    assert base.ask("物业24小时电话是多少", on=TODAY).decision != "answer"


def test_article_by_id(base: KnowledgeBase) -> None:
    article = base.article("temporary-pass")
    assert article is not None
    assert "3天" in article.answer
    assert base.article("no-such-article") is None


def test_nothing_is_known_without_articles() -> None:
    answer = KnowledgeBase([]).ask("临时出入证管几天", on=TODAY)
    assert (answer.decision, answer.confidence, answer.candidates) == ("unknown", 1.0, ())


POOL = Article(
    id="pool-hours",
    title="游泳池几点开门",
    ask=("泳池开放时间", "泳池几点关", "pool opening hours", "游泳池开到几点"),
    answer="每天7:00到21:00。",
    topic="contacts",
    owner="客服主管",
    valid_from=datetime.date(2026, 1, 1),
    valid_until=datetime.date(2026, 12, 31),
    source="company",
    demonstration=False,
)


def test_a_new_article_answers_what_was_unknown(base: KnowledgeBase) -> None:
    question = "泳池今天几点开放"
    assert base.ask(question, on=TODAY).decision == "unknown"
    assert KnowledgeBase([*base.articles, POOL]).ask(question, on=TODAY).article == "pool-hours"


@pytest.mark.parametrize("question", ["游泳池多少钱一次", "泳池年卡能退吗", "泳池在哪里", "泳池的电话是多少"])
def test_a_facet_that_the_article_does_not_answer_is_not_answered(base: KnowledgeBase, question: str) -> None:
    assert KnowledgeBase([*base.articles, POOL]).ask(question, on=TODAY).decision != "answer"


def test_a_facet_named_in_the_front_matter_is_answered(base: KnowledgeBase) -> None:
    told = msgspec.structs.replace(POOL, answer="每天7:00到21:00，每次20元。", answers=("fee",))
    assert KnowledgeBase([*base.articles, told]).ask("游泳池多少钱", on=TODAY).article == "pool-hours"


def test_a_counter_phrase_keeps_an_article_from_answering(base: KnowledgeBase) -> None:
    question = "泳池儿童几点可以进"
    assert KnowledgeBase([*base.articles, POOL]).ask(question, on=TODAY).decision == "answer"
    guarded = msgspec.structs.replace(POOL, not_about=("儿童几点可以进泳池",))
    assert KnowledgeBase([*base.articles, guarded]).ask(question, on=TODAY).decision != "answer"
