"""A report that stops half-way never vanishes; what is not understood is kept; turns that raise are apologised for."""

import pytest

from bot.desk import Desk
from bot.engine import routing
from tests.workflows.harness import story
from tests.workflows.town import SUNDAY
from workflows.talk import Talk


def test_one_reminder_by_day_then_a_persons_task_with_all_that_was_said() -> None:
    with story("open") as played:
        played.say("厨房水管漏水")
        told = played.wait(minutes=11)
        assert [row["kind"] for row in told] == ["reminder"]
        assert played.wait(minutes=25) == []
        task = played.rows("call_tasks")[0]
        assert task["kind"] == "unfinished"
        assert "厨房水管漏水" in task["text"]
        assert played.say("3-2-1502").state == "recorded"
        assert played.rows("call_tasks")[0]["state"] == "done"


def test_no_reminder_at_night() -> None:
    with story("open", at=SUNDAY.replace(hour=23)) as played:
        played.say("厨房水管漏水")
        assert played.wait(hours=2) == []
        assert [task["kind"] for task in played.rows("call_tasks")] == ["unfinished"]


def test_who_goes_on_is_not_reminded() -> None:
    with story("open") as played:
        played.say("厨房水管漏水")
        played.wait(minutes=8)
        played.say("11栋")
        assert played.wait(minutes=8) == []
        played.say("1单元2203")
        assert played.wait(minutes=60) == []
        assert [task["kind"] for task in played.rows("call_tasks")] == []


def test_a_question_nobody_can_answer_goes_to_a_person_with_a_time() -> None:
    with story("open") as played:
        reply = played.say("装修押金什么时候退")
        assert (reply.intent, reply.state) == ("faq", "answered")
        assert "今天12:00前" in reply.text
        affair = played.rows("affairs")[0]
        assert (affair["kind"], affair["owner_id"]) == ("question", played.member("李敏").id)
        assert affair["number"].startswith("RC")


@pytest.mark.parametrize(
    ("text", "kind", "prefix"),
    [
        ("建议在单元门口装个雨棚", "suggestion", "JY"),
        ("表扬一下李师傅，修水管特别利索", "praise", "RC"),
        ("停车费这个月扣了我两次", "payment", "JF"),
        ("家里打算装修，帮我申请一下", "application", "SQ"),
    ],
)
def test_affairs_have_a_number_an_owner_and_a_due_time(text: str, kind: str, prefix: str) -> None:
    with story("listed", ["3-2-1502"], phone="13800138000") as played:
        reply = played.say(text)
        assert (reply.intent, reply.state) == (kind, "recorded")
        affair = played.rows("affairs")[0]
        assert affair["number"].startswith(prefix)
        assert affair["number"] in reply.text
        assert affair["owner_id"] is not None
        assert affair["due_at"] > played.now


def test_a_voice_message_is_listened_to_by_a_person() -> None:
    with story("open") as played:
        reply = played.say(kind="voice")
        assert "同事会听" in reply.text
        assert [task["kind"] for task in played.rows("call_tasks")] == ["voice"]


@pytest.mark.parametrize("kind", ["location", "file", "unsupported", "link"])
def test_every_kind_of_message_has_an_answer(kind: str) -> None:
    with story("open") as played:
        assert played.say(kind=kind).text != ""


def test_a_follower_is_greeted_with_the_privacy_line() -> None:
    with story("open") as played:
        reply = played.say(kind="followed")
        assert "隐私" in reply.text
        assert "自动回复" in reply.text
        assert played.rows("residents")[0]["greeted_at"] is not None
        assert "隐私" not in played.say("你好").text


def test_stopping_notices_stops_no_order() -> None:
    with story("listed", ["3-2-1502"], phone="13800138000") as played:
        played.say("厨房水管漏水")
        assert "照常" in played.say("退订").text
        assert played.rows("residents")[0]["stopped_at"] is not None
        played.finish_again()
        played.say("恢复")
        assert played.rows("residents")[0]["stopped_at"] is None


def test_a_turn_that_raises_is_kept_apologised_for_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(talk: Talk) -> None:
        raise RuntimeError("planted")

    with story("listed", ["3-2-1502"], phone="13800138000") as played:
        monkeypatch.setattr(routing, "_by_words", break_down)
        reply = played.say("厨房水管漏水")
        assert reply.status == "failed"
        assert "没处理成" in reply.text
        assert played.orders() == []
        assert [row["kind"] for row in played.rows("alarms")] == ["failed_turn"]
        monkeypatch.undo()
        assert played.say("厨房水管漏水").state == "recorded"


def test_a_timer_of_a_later_version_is_left_alone() -> None:
    with story("open") as played:
        played.say("你好")

        def plan(desk: Desk) -> None:
            desk.schedule("teleport", desk.now)

        played.act(plan)
        assert played.wait(minutes=1) == []
