"""Danger (law 9): alarm, advice and question in one turn; the ladder; who has it; no machine closes it."""

import pytest

from bot.desk import Alarm, Desk
from bot.errors import Conflict
from intents.model import EMERGENCIES
from tests.workflows.harness import Story, story
from tests.workflows.town import SUNDAY
from workflows import emergency, takeover
from workflows.texts import LANGUAGES, texts

PHONE = "13800138000"


def names(played: Story, rung: int) -> set[str]:
    """Who was addressed at a rung."""
    rows = [row for row in played.rows("alerts") if row["rung"] == rung]
    return {played.world.members[row["staff_id"]].name for row in rows}


def alarm_of(desk: Desk) -> Alarm:
    assert desk.alarm is not None
    return desk.alarm


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("家里好大煤气味，头晕", "燃气", "开窗"),
        ("着火了厨房全是烟快来人", "火情", "走楼梯"),
        ("我被困在电梯里了，出不去", "电梯困人", "别扒门"),
        ("水管爆了水喷得到处都是", "爆管", "总水阀"),
    ],
)
def test_advice_comes_before_the_question(text: str, kind: str, says: str) -> None:
    with story("listed") as played:
        reply = played.say(text)
        assert (reply.state, reply.questions) == ("emergency", 1)
        assert reply.text.index(says) < reply.text.index("正在叫") < reply.text.index("？")
        assert len(reply.rows) == 1
        assert reply.rows[0]["lane"] == 0
        assert reply.rows[0]["fence"] is None
        order = played.orders()[0]
        assert (order.urgency, order.state, order.verified) == ("emergency", "recorded", False)
        assert kind in played.rows("alarms")[0]["summary"]


def test_there_is_advice_for_every_kind_in_every_language() -> None:
    for language in LANGUAGES:
        assert {key.split(".")[-1] for key in texts(language) if key.startswith("emergency.advice.")} == set(
            EMERGENCIES
        )


def test_everybody_on_duty_and_the_duty_manager_hear_of_it_at_once() -> None:
    with story("listed") as played:
        played.say("家里好大煤气味")
        assert names(played, 0) == {"李敏", "李强", "王军", "陈静", "张强"}


def test_the_ladder_tells_the_truth_at_three_and_eight_minutes() -> None:
    with story("listed", ["3-2-1502"], phone=PHONE) as played:
        played.say("家里好大煤气味")
        assert played.wait(minutes=2, seconds=30) == []
        at_three = played.wait(seconds=30)
        assert len(at_three) == 1
        assert "还没有同事接起来" in at_three[0]["text"]
        assert "119" in at_three[0]["text"]
        assert names(played, 1) >= {"李敏", "张强"}
        calls = [task for task in played.rows("call_tasks") if task["kind"] == "alarm"]
        assert [task["phone"] for task in calls] == [played.member("张强").phone]
        at_eight = played.wait(minutes=5)
        assert len(at_eight) == 1
        assert "项目经理" in at_eight[0]["text"]
        assert "周明" in names(played, 2)
        assert played.wait(hours=12) == []
        assert played.rows("alarms")[0]["closed_at"] is None


def test_nobody_is_told_that_somebody_was_told_before_it_is_so() -> None:
    with story("listed") as played:
        texts_said = played.say("家里好大煤气味").text
        texts_said += "".join(row["text"] for row in played.wait(minutes=10))
        assert "已通知" not in texts_said
        assert "已经接到" not in texts_said


def test_whoever_takes_it_is_told_to_the_resident_once_and_the_ladder_ends() -> None:
    with story("listed") as played:
        played.say("家里好大煤气味")
        zhang = played.member("张强")
        told = played.act(lambda desk: emergency.acknowledge(desk, alarm_of(desk), zhang), by="张强")
        assert len(told) == 1
        assert "值班主任张强已经接到" in told[0]["text"]
        assert played.act(lambda desk: emergency.acknowledge(desk, alarm_of(desk), zhang), by="张强") == []
        assert played.wait(minutes=30) == []
        assert "张强" in played.say("快点 味道更大了").text
        with pytest.raises(Conflict, match="张强"):
            played.act(lambda desk: emergency.acknowledge(desk, alarm_of(desk), played.member("李敏")), by="李敏")


def test_only_a_person_closes_it_and_says_why() -> None:
    with story("listed") as played:
        played.say("家里好大煤气味")
        zhang = played.member("张强")
        with pytest.raises(Conflict):
            played.act(lambda desk: emergency.close(desk, alarm_of(desk), zhang, " "), by="张强")
        played.act(lambda desk: emergency.close(desk, alarm_of(desk), zhang, "灶具软管脱落，已关阀"), by="张强")
        assert played.rows("alarms")[0]["closed_by"] == zhang.id
        assert [row["act"] for row in played.rows("audit")] == ["alarm.close"]
        assert played.say("3-2-1502 厨房灯不亮").state == "recorded"


def test_an_unknown_community_alarms_everybody_of_the_account_and_asks_it_with_the_advice() -> None:
    with story("two") as played:
        reply = played.say("我被困在电梯里了")
        assert names(played, 0) >= {"李敏", "张强"}
        assert "几栋" in reply.text
        later = played.say("翠湖苑3栋")
        assert later.state == "emergency"
        assert played.rows("alarms")[0]["community_id"] in played.world.communities
        assert "3栋" in played.rows("alarms")[0]["summary"]


def test_what_follows_is_added_to_it() -> None:
    with story("open") as played:
        played.say("洗菜盆下面有点怪味")
        played.say("20栋1单元")
        first = played.say("等等不对 是煤气！越来越浓了")
        assert first.slots == {"building": "20", "unit": "1"}
        then = played.say("人都跑出来了 在楼下 我家701")
        assert (then.state, then.slots) == ("emergency", {"building": "20", "unit": "1", "room": "701"})
        assert len(played.orders()) == 1
        assert [row["kind"] for row in played.rows("alarms")][-1] == "emergency"
        assert (played.orders()[0].where or {})["label"] == "20栋1单元701"


def test_a_word_calls_for_help_about_what_was_just_reported() -> None:
    with story("listed", ["3-2-1502"], at=SUNDAY.replace(hour=23), phone=PHONE) as played:
        played.say("厨房水管漏水")
        reply = played.say("急")
        assert reply.state == "emergency"
        assert "总水阀" in reply.text
        assert [order.urgency for order in played.orders()] == ["emergency"]
        assert names(played, 0) == {"保安老刘", "张强"}


def test_danger_is_heard_while_a_person_has_the_conversation() -> None:
    with story("listed") as played:
        played.say("你好")
        played.act(lambda desk: takeover.take(desk, played.member("李敏")), by="李敏")
        reply = played.say("家里好大煤气味")
        assert reply.state == "emergency"
        assert reply.rows[0]["fence"] is None
        assert played.conversation()["mode"] == "human"


def test_look_alikes_raise_no_alarm() -> None:
    with story("listed") as played:
        for text in ("万一起火，走哪个楼梯？", "上个月漏水淹过的那面墙现在长毛了", "燃气公司电话多少"):
            played.say(text)
        assert [row["kind"] for row in played.rows("alarms") if row["kind"] == "emergency"] == []


def test_numbers_that_the_settings_leave_empty_are_not_said() -> None:
    with story("listed") as played:
        assert "供水" not in played.say("水管爆了水喷得到处都是").text


def test_a_takeover_by_somebody_on_duty_takes_the_emergency_in_one_message() -> None:
    with story("listed", ["3-2-1502"], phone=PHONE) as played:
        played.say("家里好大煤气味")
        told = played.act(lambda desk: takeover.take(desk, played.member("张强")), by="张强")
        assert [row["text"].split("。")[0] for row in told] == ["我是值班主任张强，您报的险情我已经接到，正在处理"]
        assert (told[0]["lane"], told[0]["fence"]) == (0, None)
        alarm = played.rows("alarms")[0]
        assert alarm["acknowledged_by"] == played.member("张强").id
        assert alarm["closed_at"] is None
        assert played.wait(minutes=20) == []


def test_a_takeover_by_somebody_off_duty_leaves_the_ladder_climbing() -> None:
    with story("listed", ["3-2-1502"], phone=PHONE) as played:
        played.say("家里好大煤气味")
        told = played.act(lambda desk: takeover.take(desk, played.member("吴芳")), by="吴芳")
        assert "前面您写的我都看了" in told[0]["text"]
        assert played.rows("alarms")[0]["acknowledged_at"] is None
        assert "还没有同事接起来" in played.wait(minutes=3)[0]["text"]


@pytest.mark.parametrize("word", ["好的", "收到", "谢谢", "嗯嗯", "知道了", "ok"])
def test_a_word_that_tells_nothing_new_is_answered_with_how_it_stands(word: str) -> None:
    with story("listed") as played:
        played.say("3栋2单元1502好大煤气味")
        before = played.orders()[0].words
        assert played.say(word).text == "好的，我还在叫值班人员。有变化马上说。"
        played.act(lambda desk: emergency.acknowledge(desk, alarm_of(desk), played.member("张强")), by="张强")
        assert played.say(word).text == "好的，值班主任张强在处理。有变化马上说。"
        assert played.orders()[0].words == before


def test_a_yes_to_the_place_confirms_it() -> None:
    with story("listed", ["3-2-1502"]) as played:
        assert "是3栋2单元1502这边吧？" in played.say("家里好大煤气味").text
        assert played.say("对").text == "收到，3栋2单元1502，马上告诉值班人员。"


def test_an_alarm_says_place_danger_and_words_once() -> None:
    with story("listed", ["3-2-1502"]) as played:
        played.say("家里好大煤气味")
        played.say("着火了 厨房烧起来了")
        assert [row["summary"] for row in played.rows("alarms")] == [
            "3栋2单元1502 燃气：家里好大煤气味；又报火情：着火了 厨房烧起来了"
        ]
