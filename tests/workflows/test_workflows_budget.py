"""The question budget (desk.md section 12): situations, and how many questions each may cost, recording included."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from tests.workflows.harness import Reply, story
from tests.workflows.town import SUNDAY

PHONE = "13800138000"
NIGHT = SUNDAY.replace(hour=23)

SITUATIONS = [
    # title, communities, homes, phone, when, messages, most questions, where the order is at last
    ("bound, one home, clear", "listed", ["3-2-1502"], PHONE, SUNDAY, ["厨房水管漏水"], 0, "3栋2单元1502"),
    ("bound, one home, at night", "listed", ["3-2-1502"], PHONE, NIGHT, ["厨房水管漏水"], 0, "3栋2单元1502"),
    ("bound, vague", "listed", ["3-2-1502"], PHONE, SUNDAY, ["坏了", "客厅的灯，一直闪"], 1, "3栋2单元1502"),
    ("bound, two homes", "listed", ["3-2-1502", "9--502"], PHONE, SUNDAY, ["厨房水管漏水", "2"], 1, "9栋502"),
    ("two homes, one stated", "listed", ["3-2-1502", "9--502"], PHONE, SUNDAY, ["9栋502厨房水管漏水"], 0, "9栋502"),
    ("two homes, chosen", "listed", ["3-2-1502", "9--502"], PHONE, SUNDAY, ["水管漏", "1", "灯坏"], 1, "3栋2单元1502"),
    ("bound, public place at home", "listed", ["3-2-1502"], PHONE, SUNDAY, ["楼道灯不亮了"], 0, "3栋楼道"),
    ("unbound, all said", "listed", [], "", SUNDAY, [f"3-2-1502厨房水管漏水 {PHONE}"], 0, "3栋2单元1502"),
    ("unbound, nothing said", "listed", [], "", SUNDAY, ["厨房水管漏水", f"3-2-1502 {PHONE}"], 1, "3栋2单元1502"),
    ("unbound, number left out", "listed", [], "", SUNDAY, ["厨房水管漏水", "3-2-1502", PHONE], 2, "3栋2单元1502"),
    ("unbound, room kept back", "open", [], "", SUNDAY, ["厨房水管漏水", "不方便说", "不留"], 2, ""),
    ("unbound, piece by piece", "open", [], "", SUNDAY, ["地漏堵了", "11栋", "1单元2203", PHONE], 3, "11栋1单元2203"),
    ("public place, spot named", "open", [], "", SUNDAY, ["地库B2入口的灯不亮"], 0, "地库B2"),
    ("public place, spot not named", "open", [], "", SUNDAY, ["大堂的门关不上", "5栋"], 1, "5栋大堂"),
    ("building not there", "listed", [], "", SUNDAY, [f"33栋2单元1502水管漏{PHONE}", "对的"], 1, "3栋2单元1502"),
    ("insists on it", "listed", [], "", SUNDAY, [f"77栋2单元1502水管漏 {PHONE}", "就是77栋"], 1, "77栋2单元1502"),
    ("no unit, one fits", "listed", [], "", SUNDAY, [f"13幢803厨房灯不亮 {PHONE}"], 0, "13栋1单元803"),
    ("no unit, two fit", "listed", [], "", SUNDAY, [f"3栋1502厨房灯不亮 {PHONE}", "1"], 1, "3栋1单元1502"),
    ("one number in two communities", "two", [], "", SUNDAY, [f"3栋2单元1502水管漏 {PHONE}", "1"], 1, "3栋2单元1502"),
    ("only one community has it", "two", [], "", SUNDAY, [f"5栋1单元302水管漏 {PHONE}"], 0, "5栋1单元302"),
    ("community not clear", "two", [], "", SUNDAY, ["水管漏水", f"翠湖3栋1单元302 {PHONE}"], 1, "3栋1单元302"),
    ("whenever, soonest", "listed", ["3-2-1502"], PHONE, SUNDAY, ["厨房水管漏水", "都行", "尽快"], 0, "3栋2单元1502"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("communities", "homes", "phone", "at", "messages", "most", "label"),
    [situation[1:] for situation in SITUATIONS],
    ids=[str(situation[0]) for situation in SITUATIONS],
)
def test_a_repair_costs_no_more_questions(
    communities: str, homes: Sequence[str], phone: str, at: datetime, messages: Sequence[str], most: int, label: str
) -> None:
    with story(communities, homes, at=at, phone=phone) as played:
        replies = [played.say(text) for text in messages]
        assert sum(reply.questions for reply in replies) <= most, played.transcript
        assert all(reply.questions <= 1 for reply in replies), played.transcript
        assert all(len(reply.rows) == 1 for reply in replies)
        order = played.orders()[-1]
        assert (order.where or {}).get("label", "").endswith(label)
        assert replies[-1].state == "recorded"


def questions(replies: Sequence[Reply]) -> int:
    return sum(reply.questions for reply in replies)


def test_a_complaint_is_recorded_before_its_one_question() -> None:
    with story("listed") as played:
        first = played.say("楼上天天半夜砸墙，吵得没法睡")
        assert len(played.complaints()) == 1
        assert first.questions == 1
        assert questions([played.say("让他们晚上别弄"), played.say("保密")]) == 0
        case = played.complaints()[0]
        assert (case.wanted, case.confidential) == ("让他们晚上别弄", True)


def test_a_complaint_in_no_known_community_asks_for_that_instead() -> None:
    with story("two") as played:
        replies = [played.say("楼下天天跳广场舞到半夜，吵死了"), played.say("翠湖苑")]
        assert questions(replies) == 1
        assert played.complaints()[0].community_id in played.world.communities
        assert played.complaints()[0].assignee_id == played.member("陈静").id


def test_an_angry_complaint_is_asked_nothing() -> None:
    with story("listed", ["3-2-1502"], phone=PHONE) as played:
        reply = played.say("什么垃圾物业，报修三次都没人来，我要投诉")
        assert reply.questions == 0
        assert "陈静" in reply.text
        assert len(played.complaints()) == 1
        assert [task["kind"] for task in played.rows("call_tasks")] == ["angry"]


def test_an_emergency_alarms_before_its_one_question() -> None:
    with story("listed") as played:
        reply = played.say("家里好大煤气味")
        assert len(played.rows("alarms")) == 1
        assert reply.questions == 1
        assert reply.text.index("开窗") < reply.text.index("？")


def test_an_emergency_at_a_known_home_names_it() -> None:
    with story("listed", ["3-2-1502"], phone=PHONE) as played:
        reply = played.say("家里好大煤气味")
        assert "是3栋2单元1502这边吧？" in reply.text


def test_nothing_known_is_asked_again() -> None:
    with story("listed") as played:
        played.say(f"3-2-1502厨房水管漏水 {PHONE}")
        second = played.say("还有卧室灯也不亮了")
        assert second.questions == 0
        assert len(played.orders()) == 2
        assert played.orders()[1].contact_phone == PHONE
        assert played.orders()[1].home_id == played.orders()[0].home_id
