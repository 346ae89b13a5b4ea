"""Answers in the reader's language, whether they helped, and questions that nobody here could answer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from bot.store.base import Row, new_id
from bot.store.records import Job
from tests.workflows.harness import Story, story
from workflows import unanswered
from workflows.affair import actions
from workflows.masking import masked

LINE = "有帮助回1，没解决回2"
ASKED = "临时出入证管几天"
NOBODY_KNOWS = "会所能办生日派对吗"
NOW_KNOWN = {"zh-Hans": "会所周末可以办，提前3天到前台订。", "en": "Yes, on weekends; book three days ahead."}


@pytest.mark.parametrize(
    ("asked", "line", "answer"),
    [
        (ASKED, LINE, "临时出入证3天有效"),
        ("臨時出入證可以用幾多日呀", "有幫助回1，未解決回2", "臨時出入證3天有效"),
        ("How long is a temporary pass valid?", "Reply 1 if this helped", "3 days"),
    ],
)
def test_an_answer_in_the_readers_language_with_one_light_line(asked: str, line: str, answer: str) -> None:
    with story("listed", ["3-2-1502"]) as played:
        told = played.say(asked)
        assert len(told.rows) == 1, "it is part of the answer"
        assert answer in told.text
        assert line in told.text
        assert told.questions == 0
        assert [choice["value"] for choice in told.rows[0]["choices"]] == ["1", "2"]


@pytest.mark.parametrize("word", ["1", "有帮助", "解决了"])
def test_it_helped(word: str) -> None:
    with story("listed", ["3-2-1502"]) as played:
        played.say(ASKED)
        assert "谢谢" in played.say(word).text
        rated = played.rows("article_ratings")
        assert [(row["article"], row["helpful"]) for row in rated] == [("temporary-pass", True)]
        assert rated[0]["community_id"] == played.conversation()["community_id"]
        assert played.rows("affairs") == []


@pytest.mark.parametrize("word", ["2", "没解决", "2。"])
def test_it_did_not_help_so_a_person_answers_the_first_question(word: str) -> None:
    with story("listed", ["3-2-1502"]) as played:
        played.say(ASKED)
        told = played.say(word)
        assert "已经转给客服同事" in told.text
        assert [row["helpful"] for row in played.rows("article_ratings")] == [False]
        (affair,) = played.rows("affairs")
        assert (affair["kind"], affair["words"]) == ("question", ASKED)
        (kept,) = played.rows("questions")
        assert (kept["why"], kept["text"], kept["affair_id"]) == ("not_helpful", ASKED, affair["id"])


def test_not_twice_within_a_day() -> None:
    with story("listed", ["3-2-1502"]) as played:
        assert LINE in played.say(ASKED).text
        assert LINE not in played.say("装修工人出入证有效期").text
        played.wait(hours=25)
        assert LINE in played.say(ASKED).text


def test_only_the_next_message_speaks_of_it() -> None:
    with story("listed", ["3-2-1502"]) as played:
        played.say(ASKED)
        played.say("厨房水管漏水")
        played.say("1")
        assert played.rows("article_ratings") == []


def _in_danger(played: Story) -> str:
    return played.say("闻到煤气味怎么办，万一以后遇到").text


def _with_a_complaint(played: Story) -> str:
    played.say("楼道堆物没人清，我要投诉")
    return played.say(ASKED).text


def _within_a_report(played: Story) -> str:
    played.say("水管漏水")
    return played.say("师傅上门要收费吗").text


def _when_repaired(played: Story) -> str:
    played.repaired(home="3-2-1502")
    return played.say(ASKED).text


@pytest.mark.parametrize("told", [_in_danger, _with_a_complaint, _within_a_report, _when_repaired])
def test_where_it_never_stands(told: Any) -> None:
    with story("listed", ["3-2-1502"]) as played:
        assert LINE not in told(played)


def test_a_channel_of_filed_texts_is_not_asked() -> None:
    with story("listed", ["3-2-1502"]) as played:
        limits = {key: msgspec.structs.replace(c, templates_only=True) for key, c in played.world.capabilities.items()}
        played.world = replace(played.world, capabilities=limits)
        assert LINE not in played.say(ASKED).text


def test_without_a_translation_one_line_says_so() -> None:
    with story("listed", ["3-2-1502"]) as played:
        base = played.world.knowledge
        bare = [msgspec.structs.replace(a, answer_en="", title_en="") for a in base.shipped]
        played.world = replace(played.world, knowledge=type(base)(bare))
        told = played.say("How long is a temporary pass valid?").text
        assert told.startswith("We have this only in Chinese")
        assert "3天有效" in told


def test_what_nobody_knows_is_kept_without_who_asked() -> None:
    with story("listed", ["3-2-1502"], phone="13900001111") as played:
        played.say(f"我是王女，{NOBODY_KNOWS}")
        (kept,) = played.rows("questions")
        assert kept["text"] == f"我是[姓名]，{NOBODY_KNOWS}"
        assert (kept["why"], kept["language"], kept["group_id"]) == ("unknown", "zh-Hans", None)
        (affair,) = played.rows("affairs")
        assert kept["affair_id"] == affair["id"]


def test_none_of_the_choices_is_kept_too() -> None:
    with story("listed", ["3-2-1502"]) as played:
        offered = played.say("办证要啥")
        assert offered.state == "choosing"
        played.say(str(len(offered.rows[0]["choices"])))
        assert [(row["why"], row["text"]) for row in played.rows("questions")] == [("none_of_them", "办证要啥")]


@pytest.mark.parametrize(
    ("text", "known", "kept"),
    [
        ("我是王小明，打13812348000", ("王小明",), "我是[姓名]，打[号码]"),
        ("车牌沪A12345能进吗", (), "车牌[车牌]能进吗"),
        ("我架車滬A12345泊咗喺度", (), "我架車[车牌]泊咗喺度"),
        ("发到wang@example.com行吗", (), "发到[邮箱]行吗"),
        ("3棟2單元1502有冇通知", (), "[房号]有冇通知"),
        ("3-2-1502的快递呢", (), "[房号]的快递呢"),
        ("Tower 3 flat 1502, is there a gym?", (), "[房号], is there a gym?"),
        ("my name is Wang Ming, can I swim", (), "my name is [姓名], can I swim"),
        ("身份证11010519491231002X要带吗", (), "身份证[号码]要带吗"),
        ("月租车位350元能转租3个月吗", (), "月租车位350元能转租3个月吗"),
    ],
)
def test_what_tells_who_asked_is_masked(text: str, known: tuple[str, ...], kept: str) -> None:
    assert masked(text, *known) == kept


# -- the answer that comes later


def _offer(played: Story) -> Job:
    """The timer that a release sets (`bot.store.questions.offer`)."""
    (kept,) = played.rows("questions")
    told = {
        "affair": str(kept["affair_id"]), "question": kept["text"], "asked_at": kept["asked_at"].isoformat(),
        "answers": NOW_KNOWN,
    }  # fmt: skip
    return Job(
        id=new_id(), conversation_id=kept["conversation_id"], kind=unanswered.OFFER, ref=kept["id"], payload=told,
        due_at=played.now, created_at=played.now,
    )  # fmt: skip


def _told(played: Story) -> list[Row]:
    job = _offer(played)
    return played.act(lambda desk: unanswered.offer(desk, job))


def test_who_asked_is_told_once() -> None:
    with story("listed", ["3-2-1502"]) as played:
        played.say(NOBODY_KNOWS)
        played.wait(days=2, hours=3)
        (row,) = _told(played)
        assert row["text"] == f"您昨天问的“{NOBODY_KNOWS}”，现在有答案了：{NOW_KNOWN['zh-Hans']}".replace(
            "昨天", "周日"
        )
        (affair,) = played.rows("affairs")
        assert (affair["state"], affair["answer"]) == ("answered", NOW_KNOWN["zh-Hans"])
        assert all(promise["kept_at"] for promise in played.rows("promises"))
        assert played.rows("questions")[0]["offered_at"] == played.now
        assert _told(played) == []


def test_in_english_where_they_write_it() -> None:
    with story("listed", ["3-2-1502"]) as played:
        played.say("Can I hold a birthday party in the clubhouse?")
        played.wait(hours=1)
        (row,) = _told(played)
        assert row["text"].startswith("You asked today:")
        assert NOW_KNOWN["en"] in row["text"]


def test_at_night_it_waits_for_the_morning() -> None:
    with story("listed", ["3-2-1502"]) as played:
        played.say(NOBODY_KNOWS)
        played.at(23)
        (row,) = _told(played)
        assert row["due_at"] - played.now >= timedelta(hours=8, minutes=30)


def test_not_where_a_person_has_answered() -> None:
    with story("listed", ["3-2-1502"]) as played:
        played.say(NOBODY_KNOWS)
        played.act(lambda desk: actions.answer(desk, desk.affairs[-1], "可以，找前台订"), by="李敏")
        assert _told(played) == []


def test_not_where_a_person_has_the_word() -> None:
    with story("listed", ["3-2-1502"]) as played:
        played.say(NOBODY_KNOWS)
        lee = played.member("李敏")
        played.act(lambda desk: desk.take_over(lee, desk.now + timedelta(hours=1)), by="李敏")
        assert _told(played) == []
        assert played.rows("affairs")[0]["state"] == "recorded"
