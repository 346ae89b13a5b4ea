"""The step machine of a form: what a message means to it, and what is asked next, as tables."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from tests.workflows.town import SUNDAY, reader
from workflows import dialogue
from workflows.dialogue import Needs, Said, View

HOME = {"building": "3", "unit": "2", "room": "1502"}
NOTHING: Mapping[str, str] = {}
REPAIR = frozenset({"repair"})


def say(text: str, now: datetime = SUNDAY) -> Said:
    return dialogue.said(text, reader().read(text, now, {}), now=now)


def view(step: str = "", known: Mapping[str, str] = NOTHING, words: str = "厨房水管漏水", options: int = 0) -> View:
    return View(step, known, None, words, REPAIR, options)


@pytest.mark.parametrize(
    ("open_view", "text", "meaning"),
    [
        # asked where
        (view("where"), "3-2-1502", "fill"),
        (view("where"), "1单元2203", "fill"),
        (view("where"), "不方便说", "decline"),
        (view("where"), "算了不用了", "cancel"),
        (view("where"), "又好了，不用报了", "cancel"),
        (view("where"), "水一直往下滴", "more"),
        (view("where"), "换水管收不收钱？", "aside"),
        (view("where"), "物业费怎么收的？", "aside"),
        (view("where", known=HOME), "就是3栋", "whatever"),
        # offered a choice
        (view("which", options=2), "2", "choose"),
        (view("which", options=2), "第二个", "choose"),
        (view("which", options=2), "不是3栋，是9栋502", "fill"),
        # a suggestion
        (view("suggest", known=HOME), "对的", "yes"),
        (view("suggest", known=HOME), "不是", "no"),
        # asked what
        (view("what", words="坏了"), "就那个呀 没反应了", "more"),
        # recorded, still open
        (view(known=HOME), "对", "yes"),
        (view(known=HOME), "ok 提交", "yes"),
        (view(known=HOME), "那行，先提交", "yes"),
        (view(known=HOME), "行 就这么记", "yes"),
        (view(known=HOME), "嗯这回对了", "yes"),
        (view(known=HOME), "啱", "yes"),
        (view(known=HOME), "周三晚上", "fill"),
        (view(known=HOME), "13800001111", "fill"),
        (view(known=HOME), "越快越好", "whatever"),
        (view(known=HOME), "都行", "whatever"),
        (view(known=HOME), "不留", "decline"),
        (view(known=HOME), "不用了，取消吧", "cancel"),
        (view(known=HOME), "不对，是1206", "fill"),
        (view(known=HOME), "Tomorrow after 3pm please", "fill"),
        (view(known=HOME), "你们上午几点上班来着", "aside"),
        (view(known=HOME), "停车费这个月扣了我两次", "aside"),
    ],
)
def test_hear(open_view: View, text: str, meaning: str) -> None:
    assert dialogue.hear(open_view, say(text)).meaning == meaning


@pytest.mark.parametrize(
    ("known", "text", "added", "corrected"),
    [
        ({}, "11栋", {"building": "11"}, {}),
        ({"building": "11"}, "1单元2203", {"unit": "1", "room": "2203"}, {}),
        ({"building": "4", "unit": "2", "room": "1602"}, "等下，写错了不是1602，是1206", {}, {"room": "1206"}),
        ({"building": "3", "room": "21A"}, "唔係A，係H，打錯字", {}, {"room": "21H"}),
        ({"building": "3", "room": "905"}, "actually it is flat 1302", {}, {"room": "1302"}),
        ({"phone": "13800004455"}, "sorry wrong number, make it 138 0000 4456", {}, {"phone": "13800004456"}),
        (HOME, "停车费那个 两笔都是300 都是5号扣的", {}, {}),
        (HOME, "大堂旁边", {}, {}),
    ],
)
def test_fills(known: dict[str, str], text: str, added: dict[str, str], corrected: dict[str, str]) -> None:
    found = dialogue.fills(View("", known), say(text))
    assert (dict(found.added), dict(found.corrected)) == (added, corrected)


def test_a_number_is_a_room_only_where_one_was_asked_for() -> None:
    asked = View("room", {"building": "20", "unit": "1"})
    assert dialogue.fills(asked, say("人都跑出来了 在楼下 我家701")).added == {"room": "701"}
    assert dialogue.fills(View("", {"building": "20"}), say("一共701块")).added == {}


def test_a_time_is_new_or_changed() -> None:
    first = dialogue.fills(View("", {}), say("明天上午九点"))
    assert first.wish is not None
    assert not first.wish_corrected
    again = dialogue.fills(View("", {}, first.wish), say("改成明天下午三点吧"))
    assert again.wish is not None
    assert again.wish_corrected
    assert not dialogue.fills(View("", {}, first.wish), say("明天上午九点")).wish


def test_a_complaint_takes_no_time() -> None:
    assert not dialogue.fills(View("", {}, takes_time=False), say("明天上午九点"))


def test_a_public_place_is_no_home_and_a_kitchen_no_public_place() -> None:
    assert dialogue.stated(say("厨房水池堵了").reading, "厨房水池堵了") == {}
    assert dialogue.stated(say("大堂的灯不亮").reading, "大堂的灯不亮") == {"place": "大堂"}
    assert dialogue.is_at_home("厨房水管漏水")
    assert not dialogue.is_at_home("楼道灯不亮")


@pytest.mark.parametrize(
    ("needs", "step"),
    [
        ({"vague": True}, "what"),
        ({"vague": True, "asked": {"what": 1}}, "where"),
        ({}, "where"),
        ({"asked": {"where": 1}}, "where"),
        ({"asked": {"where": 2}}, ""),
        ({"asked": {"where": 2}, "community": False}, "stuck"),
        ({"where": "home"}, ""),
        ({"where": "place"}, ""),
        ({"where": "several"}, "which"),
        ({"where": "absent", "nearest": True}, "suggest"),
        ({"where": "absent", "nearest": True, "asked": {"suggest": 1}}, ""),
        ({"where": "absent"}, "room"),
        ({"where": "building"}, "room"),
        ({"where": "building", "asked": {"room": 1}}, ""),
        ({"where": "building", "community": False}, "where"),
        ({"where": "unknown", "place": True}, "spot"),
        ({"where": "unknown", "place": True, "asked": {"spot": 1}}, ""),
        ({"where": "unknown", "declined": True}, ""),
        ({"where": "unknown", "declined": True, "community": False}, "where"),
    ],
)
def test_next_step(needs: dict[str, Any], step: str) -> None:
    assert dialogue.next_step(Needs(**needs)) == step
