"""A company's own articles over those that ship."""

import datetime

import msgspec
import pytest

from knowledge_base.answer import KnowledgeBase
from knowledge_base.model import Article

TODAY = datetime.date(2026, 11, 22)
ASKED = "临时出入证管几天"
HERE, THERE = "翠湖苑", "云杉府"


@pytest.fixture(scope="module")
def base() -> KnowledgeBase:
    return KnowledgeBase.load(demonstration=True)


def own(ident: str = "temporary-pass", *, answer: str, replaces: str = "temporary-pass", **changes: object) -> Article:
    values = {
        "id": ident, "title": "临时出入证怎么办，管几天", "ask": (ASKED, "临时通行证要带什么"), "answer": answer,
        "topic": "own", "owner": "", "valid_from": datetime.date(2026, 1, 1), "valid_until": datetime.date.max,
        "source": "", "demonstration": False, "own": True, "replaces": replaces, **changes,
    }  # fmt: skip
    return msgspec.convert(values, Article)


def told(base: KnowledgeBase, community: str | None, question: str = ASKED) -> str:
    return base.ask(question, community=community, on=TODAY).text


def test_for_all_it_replaces_the_shipped_one_everywhere(base: KnowledgeBase) -> None:
    layered = base.with_own([own(answer="当天有效。")], "1")
    assert told(layered, HERE) == told(layered, THERE) == told(layered, None) == "当天有效。"
    assert layered.stamp == "1"


def test_of_a_community_it_replaces_there_only(base: KnowledgeBase) -> None:
    layered = base.with_own([own("temporary-pass@1", answer="当天有效。", communities=(HERE,))], "1")
    assert told(layered, HERE) == "当天有效。"
    assert "3天有效" in told(layered, THERE)
    assert layered.ask(ASKED, on=TODAY).decision == "choose", "nobody knows which community"


def test_that_of_a_community_wins_over_that_of_all(base: KnowledgeBase) -> None:
    both = [own(answer="当天有效。"), own("temporary-pass@1", answer="两天有效。", communities=(HERE,))]
    layered = base.with_own(both, "1")
    assert (told(layered, HERE), told(layered, THERE)) == ("两天有效。", "当天有效。")


def test_without_a_sheet_to_replace_the_very_words_decide(base: KnowledgeBase) -> None:
    layered = base.with_own([own("own-1", answer="当天有效。", replaces="own-1")], "1")
    assert told(layered, HERE) == "当天有效。"


def test_before_and_after_its_days_the_shipped_one_is_told(base: KnowledgeBase) -> None:
    ended = own("own-1", answer="当天有效。", replaces="own-1", valid_until=datetime.date(2026, 11, 21))
    assert "3天有效" in told(base.with_own([ended], "1"), HERE)


def test_withdrawn_what_was_below_is_back(base: KnowledgeBase) -> None:
    layered = base.with_own([own(answer="当天有效。")], "1").with_own([], "")
    assert told(layered, HERE) == told(base, HERE)


def test_words_of_the_company_that_clash_stop_nothing(base: KnowledgeBase) -> None:
    """The console refuses them; what got into the database all the same must not keep the desk from starting."""
    twice = [own("own-1", answer="一。", replaces="own-1"), own("own-2", answer="二。", replaces="own-2")]
    assert base.with_own(twice, "1").ask(ASKED, community=HERE, on=TODAY).decision == "choose"


@pytest.mark.parametrize(
    ("language", "title", "answer"),
    [("zh-Hans", "临时证", "3天。"), ("zh-Hant", "臨時證", "3天。"), ("en", "Temporary pass", "Three days.")],
)
def test_each_reader_in_their_language(language: str, title: str, answer: str) -> None:
    article = own(answer="3天。", title="临时证", title_en="Temporary pass", answer_en="Three days.")
    assert (article.title_in(language), article.told_in(language)) == (title, answer)


def test_what_somebody_wrote_in_traditional_is_told_as_written() -> None:
    article = own(answer="3天。", answer_hant="三日內有效。")
    assert article.told_in("zh-Hant") == "三日內有效。"
    assert not article.speaks("en")
