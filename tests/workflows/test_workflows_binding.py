"""How an address becomes a resident: over the register, by a number, by a code; limits, objection, unbinding."""

import re
from datetime import timedelta

import pytest

from channels.sms import vocabulary
from tests.workflows.binding_kit import HER_NUMBER, SMS, TELEGRAM, WANG, Bound, town
from tests.workflows.town import WECHAT
from workflows import takeover, texts

ALL = "绑定 3-2-1502 王芳 8000"


def code_in(texts_sent: list[str]) -> str:
    found = re.search(r"\d{6}", texts_sent[-1])
    assert found is not None
    return found.group()


# -- over the register


@pytest.mark.parametrize(
    "words",
    [
        ALL,
        "绑定 翠湖苑3栋2单元1502 王芳 13800138000",
        "綁定 3-2-1502 王芳 8000",
        "我要绑定，3栋2单元1502，我叫王芳，手机尾号8000",
    ],
)
def test_one_line_binds(words: str) -> None:
    with town() as desk:
        reply = desk.story.say(words)
        assert re.search("绑定好了：3栋2单元1502|綁定好了：3座2單元1502", reply.text)
        assert desk.who()["id"] == desk.people["王芳"]
        assert desk.states() == ["active"]
        assert desk.texted() == [texts.say("zh-Hans", "binding.told_phone")]
        assert desk.story.say("厨房水管漏水").state == "recorded"


def test_step_by_step_one_question_a_message() -> None:
    with town() as desk:
        asked = [desk.story.say(words) for words in ("绑定", "3-2-1502", "王芳")]
        assert [reply.questions for reply in asked] == [1, 1, 1]
        assert [reply.state for reply in asked] == ["collecting"] * 3
        assert "绑定好了" in desk.story.say("8000").text
        assert desk.who()["name"] == "王芳"


def test_the_told_text_is_the_approved_one() -> None:
    assert texts.say("zh-Hans", "binding.told_phone") == vocabulary.render("bound")
    assert texts.say("zh-Hans", "binding.code_sms", code="482913") == vocabulary.render("code", code="482913")


WRONG = ["绑定 3-2-1502 王芳 8001", "绑定 3-2-1502 王方 8000", "绑定 3-2-803 王芳 8000"]


def test_the_answer_never_says_which_part_was_wrong() -> None:
    answers = set()
    for words in WRONG:
        with town() as desk:
            answers.add(desk.story.say(words).text)
            assert desk.who()["provisional"]
            assert desk.states() == ["pending"]
            assert desk.tasks() == ["binding"]
            assert desk.texted() == []
    assert len(answers) == 1
    assert "管家核对" in answers.pop()


def test_five_tries_an_hour_then_a_day_without() -> None:
    with town() as desk:
        for _ in range(4):
            assert "管家核对" in desk.story.say(WRONG[0]).text
        assert "24小时后再试" in desk.story.say(WRONG[0]).text
        assert "24小时后再试" in desk.story.say(ALL).text
        assert desk.who()["provisional"]
        assert desk.tasks() == ["binding", "binding_locked"]
        desk.story.wait(hours=24, minutes=5)
        assert "绑定好了" in desk.story.say(ALL).text


def test_tries_of_an_hour_ago_do_not_count() -> None:
    with town() as desk:
        for _ in range(8):
            desk.story.say(WRONG[0])
            desk.story.wait(minutes=20)
        assert "绑定好了" in desk.story.say(ALL).text


def test_ten_tries_a_day_for_a_home_whoever_tries() -> None:
    with town() as desk:
        for number in range(10):
            desk.by(WECHAT, f"guesser-{number}")
            desk.story.say(WRONG[0])
        desk.by(WECHAT, "the-real-one")
        assert "24小时后再试" in desk.story.say(ALL).text
        assert "绑定好了" in desk.story.say("绑定 3-2-803 陈伟 3333").text


def test_a_report_in_the_middle_comes_first() -> None:
    with town() as desk:
        desk.story.say("绑定")
        assert "登记好了" in desk.story.say("3-2-1502 厨房水管漏水，电话13900001111").text
        assert len(desk.story.orders()) == 1


def test_danger_is_never_asked_for_a_name() -> None:
    with town() as desk:
        desk.story.say("绑定 3-2-1502")
        reply = desk.story.say("家里煤气味很大")
        assert reply.state == "emergency"
        assert "姓名" not in reply.text


# -- what is brought along


def test_what_was_reported_before_is_the_residents_and_the_word_goes_on() -> None:
    with town() as desk:
        desk.story.say("3-2-1502 厨房水管漏水，电话13900001111")
        desk.story.say("好")
        before = desk.story.conversation()["id"]
        desk.story.say(ALL)
        after = desk.story.conversation()["id"]
        assert after != before
        order = desk.story.orders()[0]
        assert (order.resident_id, order.conversation_id, order.verified) == (desk.people["王芳"], after, True)
        for table in ("messages", "outbox", "promises"):
            assert {row["conversation_id"] for row in desk.story.rows(table)} == {after}, table
        waiting = [row for row in desk.story.rows("jobs") if row["state"] == "waiting"]
        assert waiting
        assert {row["conversation_id"] for row in waiting} == {after}
        assert "厨房水管漏水" in desk.story.say("我报的单到哪了").text


def test_two_channels_one_resident() -> None:
    with town() as desk:
        desk.story.say(ALL)
        desk.story.say("厨房水管漏水")
        desk.by(TELEGRAM, "7001")
        desk.story.say(WANG, own_phone=HER_NUMBER)
        assert desk.who()["id"] == desk.people["王芳"]
        assert "厨房水管漏水" in desk.story.say("我的单子怎么样了").text
        desk.story.say("取消这单")
        desk.by(WECHAT, "openid-1")
        assert desk.story.say("是的").state == "cancelled"
        assert desk.story.orders()[0].state == "cancelled"


def test_with_whom_it_is_it_stays() -> None:
    with town() as desk:
        desk.story.say(ALL)
        lee = desk.story.member("李敏")
        desk.story.act(lambda one: takeover.take(one, lee), by="李敏")
        desk.by(SMS, HER_NUMBER)
        reply = desk.story.say("在吗", own_phone=HER_NUMBER)
        assert reply.rows == []
        conversation = desk.story.conversation()
        assert (conversation["mode"], conversation["owner_id"]) == ("human", lee.id)


# -- by a number


def test_a_text_message_from_the_registered_phone_is_the_resident() -> None:
    with town() as desk:
        desk.by(SMS, HER_NUMBER)
        reply = desk.story.say("厨房水管漏水", own_phone=HER_NUMBER)
        assert "登记好了：3栋2单元1502" in reply.text
        assert desk.who()["id"] == desk.people["王芳"]
        assert desk.states() == ["active"]
        assert desk.texted() == [reply.text]


def test_an_unknown_number_stays_unknown() -> None:
    with town() as desk:
        desk.by(SMS, "+8613600000000")
        desk.story.say("厨房水管漏水", own_phone="+8613600000000")
        assert desk.who()["provisional"]


def test_ones_own_contact_binds() -> None:
    with town() as desk:
        desk.by(TELEGRAM, "7001")
        assert "绑定好了：3栋2单元803" in desk.story.say("13700003333", own_phone="+8613700003333").text
        assert desk.who()["name"] == "陈伟"


def test_a_number_that_nobody_registered_binds_nobody() -> None:
    with town() as desk:
        desk.by(TELEGRAM, "7001")
        assert "没有这个号码" in desk.story.say("13600000000", own_phone="+8613600000000").text
        assert desk.who()["provisional"]


def test_a_number_of_two_people_binds_neither() -> None:
    with town() as desk:
        desk.enter("王刚", WANG, "3-2-1502", "family")
        desk.by(SMS, HER_NUMBER)
        desk.story.say("你好", own_phone=HER_NUMBER)
        assert desk.who()["provisional"]


# -- by a code


def test_a_code_comes_to_the_registered_phone_and_is_typed_here() -> None:
    with town() as desk:
        desk.story.say("绑定 3-2-1502 王芳")
        assert "验证码已发到登记的手机" in desk.story.say("验证码").text
        code = code_in(desk.texted())
        assert "绑定好了" in desk.story.say(code).text
        assert desk.who()["name"] == "王芳"
        assert all(code not in (row["code_hash"], row["salt"]) for row in desk.story.rows("binding_codes"))


def test_a_wrong_name_gets_the_same_words_and_no_code() -> None:
    said = []
    for name in ("王芳", "王方"):
        with town() as desk:
            desk.story.say(f"绑定 3-2-1502 {name}")
            said.append([row["text"] for row in desk.story.say("验证码").rows if row["channel"] == "wechat"])
            assert len(desk.texted()) == (name == "王芳")
    assert said[0] == said[1]


def test_a_code_is_for_who_asked_for_it() -> None:
    with town() as desk:
        desk.story.say("绑定 3-2-1502 王芳")
        desk.story.say("验证码")
        desk.by(WECHAT, "somebody-else")
        assert "用不了" in desk.story.say(f"绑定 {code_in(desk.texted())}").text
        assert desk.who()["provisional"]


def test_a_code_from_the_console_works_once_and_for_ten_minutes() -> None:
    with town() as desk:
        code = desk.code("resident", resident_id=desk.people["王芳"])
        assert "绑定好了" in desk.story.say(f"绑定 {code}").text
        desk.by(WECHAT, "somebody-else")
        assert "用不了" in desk.story.say(f"绑定 {code}").text
        late = desk.code("resident", resident_id=desk.people["陈伟"])
        desk.story.wait(minutes=11)
        assert "用不了" in desk.story.say(f"绑定 {late}").text


def test_codes_are_not_guessed() -> None:
    with town() as desk:
        code = desk.code("resident", resident_id=desk.people["王芳"])
        for number in range(5):
            desk.story.say(f"绑定 {(int(code) + number + 1) % 10**6:06}")
        assert "24小时后再试" in desk.story.say(f"绑定 {code}").text
        assert desk.who()["provisional"]


def test_a_scanned_code_binds() -> None:
    with town() as desk:
        code = desk.code("resident", resident_id=desk.people["王芳"])
        assert "绑定好了" in desk.story.say(kind="scanned", choice=f"scene:b:{code}").text


# -- objection


def objected(desk: Bound) -> None:
    desk.story.say("3-2-1502 厨房水管漏水，电话13900001111")
    desk.story.say(ALL)
    desk.by(SMS, HER_NUMBER)


def test_the_registered_phone_objects_and_both_sides_hear_it() -> None:
    with town() as desk:
        objected(desk)
        reply = desk.story.say("不是", own_phone=HER_NUMBER)
        assert "这次绑定已经停用" in reply.text
        assert desk.states() == ["objected"]
        assert "binding_objection" in desk.tasks()
        assert desk.who()["name"] == "王芳"
        desk.by(WECHAT, "openid-1")
        assert desk.who()["provisional"]
        told = [row["text"] for row in desk.story.rows("outbox") if row["address"] == "openid-1"]
        assert "登记的手机说不是本人绑定" in told[-1]
        own = desk.story.conversation()["id"]
        assert [order.conversation_id for order in desk.story.orders()] == [own]
        assert {row["conversation_id"] for row in desk.story.rows("messages") if row["channel"] == "wechat"} == {own}
        assert "24小时后再试" in desk.story.say(ALL).text


def test_it_is_heard_while_a_person_has_the_word() -> None:
    with town() as desk:
        objected(desk)
        lee = desk.story.member("李敏")
        desk.story.act(lambda one: takeover.take(one, lee), by="李敏")
        assert "停用" in desk.story.say("不是我", own_phone=HER_NUMBER).text


def test_a_no_that_objects_to_nothing_is_just_a_no() -> None:
    with town() as desk:
        desk.by(SMS, HER_NUMBER)
        desk.story.say("不是", own_phone=HER_NUMBER)
        assert desk.states() == ["active"]
        assert desk.tasks() == []


def test_after_a_week_it_is_too_late_for_a_word() -> None:
    with town() as desk:
        objected(desk)
        desk.story.wait(days=8)
        desk.story.say("不是", own_phone=HER_NUMBER)
        assert "objected" not in desk.states()


def test_without_a_way_to_the_phone_a_colleague_calls() -> None:
    with town(sms=False) as desk:
        desk.story.say(ALL)
        assert desk.tasks() == ["binding_told"]
        assert desk.story.rows("call_tasks")[0]["phone"] == WANG


# -- unbinding


def test_letting_go_of_the_address_is_asked_once() -> None:
    with town() as desk:
        desk.story.say(ALL)
        assert desk.story.say("解绑").state == "confirming"
        assert "解绑好了" in desk.story.say("1").text
        assert desk.who()["provisional"]
        assert desk.states() == ["ended"]
        assert "绑定好了" in desk.story.say(ALL).text


def test_a_no_keeps_it() -> None:
    with town() as desk:
        desk.story.say(ALL)
        desk.story.say("解绑")
        assert "绑定不变" in desk.story.say("算了，不解绑了").text
        assert not desk.who()["provisional"]


def test_one_of_two_homes_sleeps_and_wakes() -> None:
    with town() as desk:
        desk.enter("王芳", WANG, "9--502")
        first = desk.people["王芳"]
        desk.story.say("绑定 9栋502 王芳 8000")
        desk.story.say(ALL)
        assert desk.who()["id"] == first
        assert desk.story.say("解绑").state == "choosing"
        assert "9栋502解绑好了" in desk.story.say("1").text
        assert "登记好了：3栋2单元1502" in desk.story.say("厨房水管漏水").text
        assert "已经绑定" in desk.story.say("绑定 9栋502 王芳 8000").text
        assert {row["asleep_at"] for row in desk.story.rows("households")} == {None}


def test_who_is_not_bound_hears_so() -> None:
    with town() as desk:
        assert "还没有绑定" in desk.story.say("解绑").text


# -- another person


def test_somebody_known_does_not_become_somebody_else() -> None:
    with town() as desk:
        desk.story.say(ALL)
        reply = desk.story.say("绑定 3-2-803 陈伟 3333")
        assert "管家核对" in reply.text
        assert desk.who()["name"] == "王芳"
        assert desk.states() == ["active", "pending"]


def test_a_tenancy_that_has_ended_binds_nothing() -> None:
    with town() as desk:
        desk.story.now += timedelta(days=60)
        assert "管家核对" in desk.story.say("绑定 3-2-803 陈伟 3333").text
