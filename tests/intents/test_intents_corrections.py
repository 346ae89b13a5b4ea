"""What staff said of a message holds at once: for the same words, for nearly the same, and never against a rule."""

from datetime import datetime

import pytest

from intents.corrections import Correction, Corrections, key, may_teach
from intents.locked import locked_dangers
from intents.masking import mask
from intents.normalise import normalise
from intents.reader import Reader
from intents.rules import judge

NOW = datetime.fromisoformat("2026-11-22T10:00")
TEXT = "3栋那边的儿童滑梯扶手松了，孩子抓着直晃"
TOLD = Correction(mask(TEXT), "suggestion", None, "normal", was="repair")


def told(reader: Reader, *corrections: Correction) -> Reader:
    return reader.with_corrections(Corrections(corrections))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我电话13812348000，急", "我电话00000000000，急"),
        ("打138 1234 8000", "打000 0000 0000"),
        ("我手机一三八一二三四八零零零", "我手机零零零零零零零零零零零"),
        ("燃气味！打119了", "燃气味！打119了"),
        ("单号WX20261122-0001怎么样了", "单号WX00000000-0000怎么样了"),
        ("粤B·12AB3堵着门", "粤B00000堵着门"),
        ("车牌沪A12345", "车牌沪A00000"),
        ("我是王小明，3栋1502漏水", "我是某某，3栋0000漏水"),
        ("我叫李四，交了物业费", "我叫某某，交了物业费"),
        ("我姓张", "我姓某"),
        ("找李师傅来修", "找某师傅来修"),
        ("我是业主，水管漏了", "我是业主，水管漏了"),
        ("我是说楼上漏水", "我是说楼上漏水"),
        ("My name is John Smith, no water", "My name is Somebody, no water"),
        ("发到wang.xm@example.com", "发到某某"),
        ("加微信wangxm_88", "加微信某某"),
    ],
)
def test_personal_data_is_taken_out(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_a_known_name_is_taken_out() -> None:
    assert mask("欧阳上官家漏水", "欧阳上官") == "某某家漏水"


def test_masking_twice_changes_nothing() -> None:
    text = "我是王小明，沪A12345，电话13812348000，微信wangxm_88，打119"
    assert mask(mask(text)) == mask(text)


def test_the_same_words_are_read_as_staff_said(reader: Reader) -> None:
    assert reader.read(TEXT, NOW).intent == "repair"
    reading = told(reader, TOLD).read(TEXT, NOW)
    assert (reading.intent, reading.category, reading.urgency) == ("suggestion", None, "normal")
    assert reading.confidence > 0.95
    assert reading.requests[0].intent == "suggestion"
    assert "suggestion" not in [other.intent for other in reading.alternatives]


@pytest.mark.parametrize(
    "text",
    [
        "5栋那边的儿童滑梯扶手松了!!孩子抓着直晃",
        "3栋那边的儿童滑梯的扶手松了，孩子抓着直晃",
        "3棟那邊的兒童滑梯扶手鬆了，孩子抓着直晃",
    ],
)
def test_nearly_the_same_words_too(reader: Reader, text: str) -> None:
    assert told(reader, TOLD).read(text, NOW).intent == "suggestion"


@pytest.mark.parametrize(
    "text", ["3栋那边的儿童滑梯扶手没松，孩子抓着直晃", "3栋那边的儿童秋千绳子断了，孩子抓着直晃", "滑梯松了"]
)
def test_another_sense_is_read_by_the_model(reader: Reader, text: str) -> None:
    assert Corrections([TOLD]).find(text) is None
    assert told(reader, TOLD).read(text, NOW) == reader.read(text, NOW)


def test_many_at_once_are_told_as_well(reader: Reader) -> None:
    readings = told(reader, TOLD).read_all([TEXT, "你好"], NOW)
    assert [reading.intent for reading in readings] == ["suggestion", "smalltalk"]


def test_the_last_word_on_a_text_counts(reader: Reader) -> None:
    later = Correction(TOLD.text, "complaint", "facility", "normal")
    assert told(reader, TOLD, later).read(TEXT, NOW).category == "facility"


def test_a_second_request_in_the_message_stays(reader: Reader) -> None:
    text = "物业费能不能月付？\n另外厨房水龙头漏水了，麻烦来修一下"
    assert "repair" in [request.intent for request in reader.read(text, NOW).requests]
    correction = Correction(mask(text), "suggestion", None, "normal", was=reader.read(text, NOW).intent)
    reading = told(reader, correction).read(text, NOW)
    assert reading.requests[0].intent == "suggestion"


GAS = "厨房好大的煤气味"
SEEN = "门外那人一直在试我家密码，按了好多次了，我不敢出声"


def test_no_correction_lowers_what_a_rule_raises(reader: Reader) -> None:
    harmless = Correction(mask(GAS), "smalltalk", None, "normal", approved=True)
    reading = told(reader, harmless).read(GAS, NOW)
    assert (reading.intent, reading.urgency, reading.emergency) == ("smalltalk", "emergency", "gas")


def test_what_the_model_sees_is_taken_back_only_once_approved_and_for_the_same_words(reader: Reader) -> None:
    unnamed = (text for text in locked_dangers().must if judge(normalise(text)).danger is None and len(text) > 13)
    text = next(text for text in unnamed if reader.read(text, NOW).urgency == "emergency")
    by_agent = Correction(mask(text), "complaint", "hygiene", "normal")
    assert told(reader, by_agent).read(text, NOW).urgency == "emergency"
    approved = Correction(mask(text), "complaint", "hygiene", "normal", approved=True)
    assert told(reader, approved).read(text, NOW).urgency == "normal"
    assert told(reader, approved).read(f"{text}呀", NOW).urgency == "emergency"


def test_a_correction_raises(reader: Reader) -> None:
    text = "楼下那间屋子里的人两天没有声音了"
    raised = Correction(mask(text), "other", None, "emergency")
    reading = told(reader, raised).read(text, NOW)
    assert (reading.urgency, reading.emergency) == ("emergency", "other")


@pytest.mark.parametrize("text", ["1502", "13812348000", "你好", "转人工", "！！！", "[图片]", "嗯"])
def test_what_says_too_little_teaches_nothing(text: str) -> None:
    assert not may_teach(text)


@pytest.mark.parametrize("text", ["漏水", "no water", "大堂灯不亮"])
def test_a_short_report_may_teach(text: str) -> None:
    assert may_teach(text)


def test_numbers_do_not_set_texts_apart() -> None:
    assert key("3栋1502漏水，13812348000") == key("12棟803漏水!! 13912345678")


def test_an_explanation_tells_the_correction_and_what_the_model_thinks(reader: Reader) -> None:
    plain, corrected = reader.explain(TEXT, NOW), told(reader, TOLD).explain(TEXT, NOW)
    assert (plain.corrected, plain.reading.intent) == (None, plain.alone[0])
    assert corrected.corrected is not None
    assert corrected.corrected.exact
    assert (corrected.reading.intent, corrected.alone) == ("suggestion", plain.alone)


def test_without_corrections_nothing_is_read_differently(reader: Reader) -> None:
    texts = [TEXT, GAS, SEEN, "物业费多少钱一平"]
    fresh = told(reader)
    assert [fresh.read(text, NOW) for text in texts] == [reader.read(text, NOW) for text in texts]
