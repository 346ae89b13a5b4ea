"""The complaint case in the hands of staff, and what the complainant hears."""

import pytest

from bot.errors import Conflict
from tests.workflows.harness import story
from workflows.complaint import actions, states

HOME = ["3-2-1502"]
PHONE = "13800138000"
RESULT = {
    "result": "今天上午清走了",
    "ending": "justified",
    "cause": "third_party",
    "responsible_party": "another_home",
}


def test_two_messages_first_answer_and_result_with_the_question() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        first = played.say("楼道堆物没人清，都堆了一个月了")
        assert "陈静" in first.text
        assert "TS2026" in first.text
        played.act(lambda desk: actions.assign(desk, desk.complaints[-1], played.member("李敏")), by="陈静")
        plan = played.act(
            lambda desk: actions.first_answer(desk, desk.complaints[-1], "今天清走", played.local(18, days=1)),
            by="李敏",
        )
        assert len(plan) == 1
        assert "今天清走" in plan[0]["text"]
        assert "李敏" in plan[0]["text"]
        result = played.act(lambda desk: actions.finish(desk, desk.complaints[-1], **RESULT), by="陈静")
        assert len(result) == 1
        assert result[0]["text"].count("？") == 1
        assert "？" not in result[0]["without_question"]
        assert all(row["kept_at"] for row in played.rows("promises"))


def test_a_holding_line_keeps_the_resident_informed() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("楼道堆物没人清，都堆了一个月了")
        told = played.act(lambda desk: actions.hold(desk, desk.complaints[-1], "街道周五来联合清理"), by="陈静")
        assert "街道周五来联合清理" in told[0]["text"]


def test_a_complaint_about_staff_goes_to_the_supervisor_and_past_the_person() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        reply = played.say("你们前台那个女的态度太差了，问两句就翻白眼")
        assert "不经过本人" in reply.text
        assert reply.questions == 1
        assert played.complaints()[0].nature == "staff"
        assert played.complaints()[0].assignee_id == played.member("陈静").id
        assert played.say("1").state == "recorded"


def test_reopened_climbs_a_rung_and_is_told() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.resolved()
        told = played.act(lambda desk: actions.reopen(desk, desk.complaints[-1], "又堆上了"), by="陈静")
        case = played.complaints()[0]
        assert (case.state, case.rung, case.answered_at, case.asked_at) == ("reopened", 1, None, None)
        assert len(told) == 1


def test_moves_that_the_state_forbids_are_refused() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("楼道堆物没人清，都堆了一个月了")
        with pytest.raises(Conflict, match="已登记"):
            played.act(lambda desk: actions.reopen(desk, desk.complaints[-1], "x"))
        with pytest.raises(Conflict, match="结论"):
            played.act(lambda desk: actions.finish(desk, desk.complaints[-1], **{**RESULT, "ending": "perhaps"}))
        with pytest.raises(Conflict):
            played.act(lambda desk: actions.first_answer(desk, desk.complaints[-1], "今天清走", played.local(8)))
        played.act(lambda desk: actions.finish(desk, desk.complaints[-1], **RESULT))
        with pytest.raises(Conflict, match="待评价"):
            played.act(lambda desk: actions.hold(desk, desk.complaints[-1], "x"))


def test_every_move_starts_and_ends_in_a_known_state() -> None:
    for move in states.MOVES.values():
        assert move.sources <= set(states.STATES)
        assert move.target in states.STATES


def test_withdrawn_by_the_complainant() -> None:
    with story("open") as played:
        played.say("我要投诉，楼下健身房放的音乐咚咚咚的")
        reply = played.say("算了不投诉了，跟他们老板也认识")
        assert (reply.state, reply.intent) == ("cancelled", "complaint")
        assert (played.complaints()[0].state, played.complaints()[0].ending) == ("withdrawn", "withdrawn")


def test_red_flag_words_reach_the_supervisor_at_once() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("再不处理我就打12345，找律师起诉你们")
        alarms = [row for row in played.rows("alarms") if row["kind"] == "red_flag"]
        assert len(alarms) == 1
        assert "12345" in alarms[0]["summary"]
        assert [row["staff_id"] for row in played.rows("alerts")] == [played.member("陈静").id]


@pytest.mark.parametrize(
    "wish", ["想佢哋夜晚唔好裝修", "希望晚上别再装修", "罚他们款", "I want them to stop at night", "管一管就行"]
)
def test_the_wanted_outcome_is_taken_in_whatever_words(wish: str) -> None:
    with story("listed", ["3-2-1502"]) as played:
        played.say("楼上装修，晚上十点还在钻墙")
        reply = played.say(wish)
        assert (reply.intent, reply.state) == ("complaint", "recorded")
        assert played.complaints()[0].wanted == wish


def test_a_question_in_its_place_is_answered() -> None:
    with story("listed", ["3-2-1502"]) as played:
        played.say("楼上装修，晚上十点还在钻墙")
        assert played.say("装修出入证要带什么材料？").intent == "faq"
        assert played.complaints()[0].wanted == ""
