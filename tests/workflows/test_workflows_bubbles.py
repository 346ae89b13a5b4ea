"""Bubbles: what is written in several messages is read as one, and asked about once (desk.md section 11)."""

from datetime import timedelta

import pytest

from tests.workflows.harness import Story, story
from workflows import takeover

HOME = ["3-2-1502"]
PHONE = "13800138000"


def bubbles(played: Story, *texts: str, gap: float = 2) -> None:
    for text in texts:
        played.say(text, pause=gap)
    played.now += timedelta(seconds=20)


@pytest.mark.parametrize(
    ("texts", "fault", "asked"),
    [
        (("厨房水管漏水", "漏得挺大的", "地上都是水"), "厨房水管漏水", "几栋几单元几室"),
        (("我家那个", "厨房水管", "漏水了"), "厨房水管", "几栋几单元几室"),
        (("空调不制冷", "谢谢"), "空调不制冷", "几栋几单元几室"),
        (("my kitchen tap is leaking", "it drips all night"), "kitchen tap is leaking", "Which building"),
        (("廚房水喉漏水", "漏咗成日"), "廚房水喉漏水", "幾"),
    ],
)
def test_a_report_in_bubbles_is_asked_about_once(texts: tuple[str, ...], fault: str, asked: str) -> None:
    with story("listed") as played:
        bubbles(played, *texts)
        told = played.told()
        assert len(told) == 1
        assert fault in told[0]
        assert asked in told[0]
        played.say("3-2-1502")
        assert len(played.orders()) == 1
        assert all(text in played.orders()[0].words for text in texts[:2])


def test_the_question_waits_three_seconds_and_goes_the_other_way() -> None:
    with story("listed") as played:
        row = played.say("厨房水管漏水").rows[0]
        assert (row["status"], row["route"]) == ("queued", "push")
        assert row["due_at"] - row["created_at"] == timedelta(seconds=3)


def test_a_complaint_waits_eight_seconds() -> None:
    with story("listed", HOME) as played:
        row = played.say("楼上天天半夜装修").rows[0]
        assert row["due_at"] - row["created_at"] == timedelta(seconds=8)
        assert [case.state for case in played.complaints()] == ["recorded"]


def test_it_never_waits_longer_than_twelve_in_all() -> None:
    with story("listed") as played:
        began = played.now
        for text in ("厨房漏水", "水管那里", "一直滴", "滴了一天", "地上湿了", "越来越多"):
            last = played.say(text, pause=2.3)
        assert last.rows[0]["due_at"] <= began + timedelta(seconds=12, milliseconds=500)
        assert len([text for text in played.told() if "几栋" in text]) == 1


def test_after_twelve_seconds_it_is_asked_at_once() -> None:
    with story("listed", HOME) as played:
        for text in ("楼上天天半夜装修", "都一个月了", "跟他们说也不听"):
            last = played.say(text, pause=7)
        assert last.rows[0]["due_at"] == last.rows[0]["created_at"]


def test_a_complaint_is_heard_out_and_said_back_whole_under_one_number() -> None:
    with story("listed", HOME) as played:
        bubbles(played, "楼上天天半夜装修", "钻墙钻到十二点", "孩子都没法睡", gap=4)
        told = played.told()
        assert len(told) == 1
        assert "楼上天天半夜装修，钻墙钻到十二点，孩子都没法睡" in told[0]
        assert "TS20261122-0001" in told[0]
        assert [case.words for case in played.complaints()] == ["楼上天天半夜装修\n钻墙钻到十二点\n孩子都没法睡"]


def test_what_is_sent_already_is_not_taken_back() -> None:
    with story("listed") as played:
        first = played.say("厨房水管漏水", pause=3.1)
        played.say("3-2-1502")
        assert first.rows[0]["id"] in {row["id"] for row in played.rows("outbox") if row["status"] == "queued"}
        assert [order.fault for order in played.orders()] == ["厨房水管漏水"]


def test_the_home_in_the_next_bubble_is_recorded_without_a_question() -> None:
    with story("listed") as played:
        bubbles(played, "厨房水管漏水", "3栋2单元1502")
        assert [text.count("几栋") for text in played.told()] == [0]
        assert [order.fault for order in played.orders()] == ["厨房水管漏水"]


def test_danger_in_the_next_bubble_waits_for_nothing() -> None:
    with story("listed") as played:
        played.say("厨房有股怪味", pause=2)
        reply = played.say("是煤气 头晕")
        assert reply.state == "emergency"
        assert reply.rows[0]["status"] == "sending"
        assert [row["kind"] for row in played.rows("alarms") if row["kind"] == "emergency"] == ["emergency"]
        assert len(played.told()) == 1


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (["厨房水管漏水"], "33栋2单元1502"),
        (["厨房水管漏水"], "3栋"),
        (["厨房水管漏水", "33栋2单元1502"], "不是"),
    ],
)
def test_a_question_after_an_answer_waits_for_nothing(before: list[str], text: str) -> None:
    with story("listed") as played:
        for said in before:
            played.say(said)
        reply = played.say(text)
        assert reply.questions == 1
        assert reply.rows[0]["due_at"] == reply.rows[0]["created_at"]


@pytest.mark.parametrize("text", ["3", "没修好", "2"])
def test_a_rating_waits_for_nothing(text: str) -> None:
    with story("listed", HOME) as played:
        played.repaired()
        reply = played.say(text)
        assert reply.rows[0]["due_at"] == reply.rows[0]["created_at"]


def test_pictures_in_a_row_are_asked_about_once() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        for _ in range(3):
            played.say("[图片]", pause=1)
        bubbles(played, "厨房水管漏成这样了")
        assert [text.split("。")[0] for text in played.told()] == ["登记好了：3栋2单元1502，厨房水管漏成这样了"]
        assert len([row for row in played.rows("attachments") if row["case_id"] == played.orders()[0].id]) == 3


def test_half_words_are_not_counted_as_misunderstood_twice() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        bubbles(played, "那个", "就是", "厨房水管漏水")
        assert played.conversation()["misunderstood"] == 0
        assert played.conversation()["mode"] == "bot"
        assert [text.split("。")[0][:4] for text in played.told()] == ["登记好了"]


def test_another_request_in_the_next_bubble_is_answered_and_the_question_comes_with_it() -> None:
    with story("listed") as played:
        bubbles(played, "厨房水管漏水", "临时出入证管几天")
        told = played.told()
        assert len(told) == 1
        assert "3天" in told[0]
        assert told[0].count("？") == 1


def test_the_number_of_a_complaint_is_told_whatever_comes_next() -> None:
    with story("listed", HOME) as played:
        bubbles(played, "楼上天天半夜装修", "临时出入证管几天")
        assert sorted("TS20261122-0001" in text for text in played.told()) == [False, True]


def test_whoever_is_greeted_with_the_question_is_greeted_once() -> None:
    with story("listed") as played:
        bubbles(played, "厨房水管漏水", "漏得挺大的")
        assert [text.count("智能客服自动回复") for text in played.told()] == [1]


def test_a_takeover_stops_the_question_that_waits() -> None:
    with story("listed") as played:
        played.say("厨房水管漏水", pause=1)
        played.act(lambda desk: takeover.take(desk, played.member("李敏")), by="李敏")
        assert [text[:8] for text in played.told()] == ["您好，我是客服李"]
