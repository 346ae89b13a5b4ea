"""A person and the bot: queue, takeover, silence, hand-back, night (law 8)."""

import pytest

from bot.errors import Conflict
from tests.workflows.harness import Story, story
from tests.workflows.town import SUNDAY
from workflows import takeover
from workflows.repair import actions

NIGHT = SUNDAY.replace(hour=23)


def take(played: Story, name: str = "李敏") -> list[dict[str, object]]:
    return played.act(lambda desk: takeover.take(desk, played.member(name)), by=name)


def test_place_and_minutes_are_told_at_once() -> None:
    with story("open") as played:
        reply = played.say("转人工")
        assert (reply.intent, reply.state) == ("human", "human")
        assert "下一位就是您" in reply.text
        assert played.conversation()["mode"] == "waiting"
        again = played.say("喂 人呢")
        assert (again.intent, again.state) == ("human", "human")


def test_who_waits_too_long_hears_the_truth_and_the_supervisor_hears_of_it() -> None:
    with story("open") as played:
        played.say("转人工")
        told = played.wait(minutes=11)
        assert len(told) == 1
        assert "陈静" in told[0]["text"]
        assert [row["kind"] for row in played.rows("alarms")] == ["waiting"]


def test_the_bot_is_silent_while_a_person_has_it() -> None:
    with story("open") as played:
        played.say("转人工")
        assert "李敏" in str(take(played)[0]["text"])
        reply = played.say("厨房水管漏水 3-2-1502")
        assert (reply.rows, reply.state) == ([], "human")
        assert played.orders() == []
        said = played.act(lambda desk: takeover.reply(desk, played.member("李敏"), "好，我给您登记"), by="李敏")
        assert said[0]["author_id"] == played.member("李敏").id
        assert said[0]["fence"] is None


def test_it_is_given_back_with_words_and_the_bot_goes_on() -> None:
    with story("open") as played:
        played.say("转人工")
        take(played)
        told = played.act(lambda desk: takeover.hand_back(desk, "漏水这单我会跟到底。"), by="李敏")
        assert "漏水这单我会跟到底" in told[0]["text"]
        assert "智能客服" in told[0]["text"]
        assert played.say("厨房水管漏水 3-2-1502").state == "recorded"


def test_a_hold_that_is_not_used_ends_in_words_not_in_silence() -> None:
    with story("open") as played:
        played.say("转人工")
        take(played)
        played.wait(minutes=20)
        played.act(lambda desk: takeover.reply(desk, played.member("李敏"), "稍等"), by="李敏")
        assert played.wait(minutes=20) == []
        told = played.wait(minutes=15)
        assert [row["kind"] for row in told] == ["handed_back"]
        assert played.conversation()["mode"] == "bot"


def test_a_colleagues_conversation_is_not_taken_away() -> None:
    with story("open") as played:
        played.say("转人工")
        take(played)
        with pytest.raises(Conflict, match="李敏"):
            take(played, "陈静")
        with pytest.raises(Conflict):
            played.act(lambda desk: takeover.reply(desk, played.member("陈静"), "在吗"), by="陈静")


def test_progress_of_orders_goes_on_while_a_person_has_the_word() -> None:
    with story("listed", ["3-2-1502"], phone="13800138000") as played:
        played.say("厨房水管漏水")
        take(played)
        slot = played.local(14), played.local(15)
        told = played.act(lambda desk: actions.dispatch(desk, desk.orders[-1], played.member("李强"), *slot), by="李敏")
        assert told[0]["fence"] is None


def test_at_night_the_truth_is_told_and_nothing_meets_silence() -> None:
    with story("listed", ["3-2-1502"], at=NIGHT, phone="13800138000") as played:
        reply = played.say("转人工")
        assert (reply.state, reply.intent) == ("human", "human")
        assert "明早8:30" in reply.text
        assert [task["kind"] for task in played.rows("call_tasks")] == ["person"]
        assert played.say("喂 人呢").text != ""
        assert played.say("厨房水管漏水").state == "recorded"


def test_two_misunderstandings_in_a_row_lead_to_a_person() -> None:
    with story("open") as played:
        assert played.say("我家那个").state == "idle"
        reply = played.say("就是那个什么呀那个")
        assert reply.state in {"human", "choosing"}


def test_half_a_form_is_not_lost_when_a_person_is_asked_for() -> None:
    with story("open") as played:
        played.say("门口走廊的地砖松了两块")
        played.say("转人工")
        assert played.wait(minutes=9) == []


def test_who_never_says_which_community_reaches_a_person() -> None:
    with story("two") as played:
        replies = [played.say(text) for text in ("厨房水管漏水", "就在厨房里", "水一直漏啊", "水管还在滴水")]
        assert replies[-1].state == "human"
        assert played.orders() == []


def test_what_a_person_writes_is_signed() -> None:
    with story("open") as played:
        played.say("转人工")
        assert "客服李敏" in str(take(played)[0]["text"])
        lee = played.member("李敏")
        said = played.act(lambda desk: takeover.reply(desk, lee, "好，我给您登记"), by="李敏")
        said += played.act(lambda desk: takeover.reply(desk, lee, "师傅下午到"), by="李敏")
        assert [row["text"] for row in said] == ["（李敏）好，我给您登记", "（李敏）师傅下午到"]
