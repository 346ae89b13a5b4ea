"""Thirty angry messages, as people write them (desk.md section 11)."""

import re

import pytest

from tests.workflows.harness import Story, story
from workflows.anger import named

HOME = ["3-2-1502"]
PHONE = "13800138000"

ANGRY = [
    "电梯坏了五天没人修，你们物业是吃干饭的吗",
    "什么垃圾物业，报了三次修都没人来，明天再不来我打12345",
    "天天收物业费，楼道灯坏了半个月，骗子公司",
    "你们他妈的到底管不管？楼上漏水漏了一个月了",
    "忍无可忍了，半夜两点还在装修，再不管我发抖音曝光",
    "废物物业，垃圾堆了一个星期臭死了",
    "最后一次警告，我家门口那辆车再不挪走我就找律师",
    "受够了，保安睡觉，外人随便进，出了事你们负责吗",
    "黑心物业，停车费说涨就涨，不交物业费了",
    "气死我了，快递又丢了，监控还说坏了",
    "你们是不是不要脸，水管修了四次还漏",
    "我要起诉你们，地库淹水泡了我的车没人赔",
    "投诉你们那个前台，态度恶劣，什么东西，缺德",
    "上回说三天解决，都十天了，骗谁呢骗子",
    "绿化死了一大片没人管，你们收钱干什么吃的，无耻",
    "第五次催了！厨房下水道堵成这样还让不让人做饭",
    "叫你们经理滚出来，电梯三天两头坏又不修",
    "滚，别再发这些没用的",
    "小区天天有狗乱拉屎，投诉多少遍了，破物业",
    "交了钱不给开发票，你们是骗子吗，我找记者",
    "垃圾管理處，冷氣機滴水投訴咗三次都冇人理，氣死人",
    "樓上夜夜拖椅，講咗好多次都係咁，再唔搞我搵律師",
    "你哋班廢物，升降機壞咗成個禮拜",
    "這個物業什麼態度，停車位被占了一個月，忍無可忍",
    "收埋收埋管理費，大堂污糟到咁，黑心",
    "This is bullshit, I have reported the leaking ceiling five times and nobody came",
    "I am fed up with the noise from flat 1602, do something or I call my lawyer",
    "Useless management. The lobby light has been broken for three weeks",
    "What a scam, you charged me twice and nobody answers",
    "outrageous! my parking space is taken every single night and your guards do nothing",
]

INSULTS = re.compile(
    r"吃干饭|垃圾物业|骗子|他妈|废物|黑心|不要脸|缺德|无耻|滚|破物业|廢物|垃圾管理|bullshit|useless|scam", re.IGNORECASE
)
TIME = re.compile(r"\d{1,2}:\d\d前|by \d{1,2}:\d\d")


def tasks(played: Story) -> list[str]:
    return [row["kind"] for row in played.rows("call_tasks")]


def test_there_are_thirty() -> None:
    assert len(set(ANGRY)) == 30


@pytest.mark.parametrize("phone", [PHONE, ""], ids=["phone", "none"])
@pytest.mark.parametrize("text", ANGRY)
def test_a_person_by_name_and_time_and_nothing_is_asked(text: str, phone: str) -> None:
    with story("listed", HOME, phone=phone) as played:
        reply = played.say(text)
        assert reply.questions == 0
        assert "回1" not in reply.text
        assert "陈静" in reply.text
        assert TIME.search(reply.text)
        assert INSULTS.search(reply.text) is None
        assert ("138****8000" in reply.text) is bool(phone)
        assert reply.rows[0]["due_at"] == reply.rows[0]["created_at"]
        assert tasks(played).count("angry") == 1
        assert len(played.rows("work_orders") + played.rows("complaints") + played.rows("affairs")) == 1


@pytest.mark.parametrize("text", ANGRY)
def test_somebody_unknown_is_asked_nothing_either(text: str) -> None:
    with story("listed") as played:
        reply = played.say(text)
        assert (reply.questions, "陈静" in reply.text) == (0, True)
        assert tasks(played).count("angry") == 1


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        ("厨房水管漏水，废物物业", "厨房水管漏水"),
        ("你们他妈的到底管不管，楼上漏水一个月了", "楼上漏水一个月了"),
        ("废物", ""),
        ("忍无可忍了，半夜两点还在装修，再不管我发抖音曝光", "半夜两点还在装修"),
        ("你哋班廢物，升降機壞咗成個禮拜", "升降機壞咗成個禮拜"),
        ("outrageous! my parking space is taken every night", "my parking space is taken every night"),
        ("他妈的电梯又坏了", "电梯又坏了"),
    ],
)
def test_the_matter_is_named_without_the_insult(text: str, matter: str) -> None:
    assert named(text) == matter


def test_anger_about_an_open_order_goes_up_with_it() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        played.wait(hours=3)
        reply = played.say("人呢？你们他妈的还来不来了")
        assert "厨房水管漏水" in reply.text
        assert played.orders()[0].number in reply.text
        assert played.complaints() == []
        assert "angry" in [row["what"] for row in played.rows("case_events")]
        assert [row["case_id"] for row in played.rows("call_tasks") if row["kind"] == "angry"] == [
            played.orders()[0].id
        ]


def test_an_angry_no_to_the_one_question_is_rework_without_a_question() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.repaired()
        reply = played.say("修了个屁，又漏了，废物")
        assert (reply.state, reply.questions) == ("rework", 0)
        assert "赵工" in reply.text


def test_an_angry_answer_is_taken_as_the_answer() -> None:
    with story("listed", phone=PHONE) as played:
        played.say("厨房水管漏水")
        played.say("3-2-1502 快点行不行，垃圾物业")
        assert [(order.where or {})["label"] for order in played.orders()] == ["3栋2单元1502"]


def test_the_third_urge_goes_to_the_supervisor_by_name_and_time() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        for _ in range(2):
            played.wait(minutes=40)
            played.say("怎么还没来")
        played.wait(minutes=40)
        reply = played.say("到底来不来")
        assert "陈静" in reply.text
        assert TIME.search(reply.text)
        assert reply.questions == 0


def test_whoever_asks_for_a_person_gets_one_however_angrily() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        assert played.say("转人工，机器人废物").state == "human"


@pytest.mark.parametrize("text", ["律师楼的快递能放前台吗？", "12345是什么电话？", "孩子住院了，能帮我收一下快递吗"])
def test_a_word_of_the_list_alone_is_no_anger(text: str) -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say(text)
        assert "angry" not in tasks(played)
