"""The reader as others use it: the contract's JSON, requests, flags, memory, and texts nobody expects."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intents.model import CATEGORIES, INTENTS, URGENCIES
from intents.reader import Reader, is_unsure
from intents.times import find_time

NOW = datetime.fromisoformat("2026-11-22T10:00")
LATER = datetime.fromisoformat("2026-11-25T10:00")


def test_the_contract_example(reader: Reader) -> None:
    found = reader.read("3栋2单元1502厨房水管爆了", NOW).as_json()
    assert list(found) == [
        "intent",
        "confidence",
        "category",
        "urgency",
        "lang",
        "slots",
        "alternatives",
        "requests",
    ]
    assert (found["intent"], found["category"], found["urgency"]) == ("repair", "plumbing", "emergency")
    assert found["slots"] == {"building": "3", "unit": "2", "room": "1502"}
    assert 0 < found["confidence"] <= 1
    assert found["lang"] == "zh-Hans"


def test_a_request_has_the_contract_keys(reader: Reader) -> None:
    (request,) = reader.read("3栋2单元1502厨房水管爆了", NOW).as_json()["requests"]
    assert request == {
        "intent": "repair",
        "text": "3栋2单元1502厨房水管爆了",
        "category": "plumbing",
        "urgency": "emergency",
        "slots": {"building": "3", "unit": "2", "room": "1502"},
    }


def test_time_is_an_object_with_three_keys(reader: Reader) -> None:
    found = reader.read("客厅灯不亮，明天下午三点以后来修", NOW).as_json()
    assert found["slots"]["time"] == {"text": "明天下午三点以后", "start": "2026-11-23T15:00", "end": None}


def test_category_is_null_but_for_repair_and_complaint(reader: Reader) -> None:
    assert reader.read("物业费一平米多少钱", NOW).as_json()["category"] is None


def test_alternatives_come_in_order_and_exclude_the_best(reader: Reader) -> None:
    reading = reader.read("漏水", NOW)
    confidences = [other.confidence for other in reading.alternatives]
    assert confidences == sorted(confidences, reverse=True)
    assert reading.intent not in {other.intent for other in reading.alternatives}
    assert reading.gap == pytest.approx(reading.confidence - confidences[0])


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("厨房水龙头漏水，帮我报修一下。另外停车月租一个月多少钱？", ["repair", "faq"]),
        ("物业费发票帮我开一下，顺便报修一下卧室灯不亮", ["payment", "repair"]),
        ("卫生间地漏堵了，还有客厅空调不制冷，都来看看", ["repair", "repair"]),
        ("厨房水龙头漏水，麻烦来修", ["repair"]),
        ("你好。在吗？", ["smalltalk"]),
    ],
)
def test_requests_in_one_message(reader: Reader, text: str, intents: list[str]) -> None:
    found = [request.intent for request in reader.read(text, NOW).requests]
    assert sorted(found) == sorted(intents)
    assert found[0] == reader.read(text, NOW).intent


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("再不解决我就找律师起诉你们", "律师"),
        ("我要打12345投诉", "12345"),
        ("明天就去法院告你们", "起诉"),
        ("你们他妈的到底管不管", "anger"),
        ("退订", "opt_out"),
        ("TD", "opt_out"),
        ("STOP", "opt_out"),
        ("恢复", "opt_in"),
        ("保密", "confidential"),
        ("楼上太吵，请别说是我投诉的", "confidential"),
        ("急", "urgent_word"),
        ("急！！！", "urgent_word"),
        ("隐私", "privacy"),
        ("转人工", "wants_person"),
        ("can I talk to a real person", "wants_person"),
    ],
)
def test_flags(reader: Reader, text: str, flag: str) -> None:
    assert flag in reader.read(text, NOW).flags


@pytest.mark.parametrize("text", ["厨房漏水，电话13912345678", "粤B12345挡住了门", "单号123456到哪了"])
def test_a_number_inside_another_is_no_red_flag(reader: Reader, text: str) -> None:
    assert "12345" not in reader.read(text, NOW).flags


@pytest.mark.parametrize("text", ["厨房漏水急修", "隐私窗帘装在哪里", "停车场怎么走", "牛奶订多了想退"])
def test_no_flags_where_the_word_says_something_else(reader: Reader, text: str) -> None:
    assert not reader.read(text, NOW).flags & {"urgent_word", "privacy", "opt_out", "confidential", "anger"}


@pytest.mark.parametrize("text", ["厨房灯不亮，明天下午来修", "明天下午"])
def test_a_text_seen_before_gets_the_time_of_the_new_clock(reader: Reader, text: str) -> None:
    first, second = reader.read(text, NOW).slots.time, reader.read(text, LATER).slots.time
    assert first is not None
    assert second is not None
    assert (first.start, second.start) == ("2026-11-23T12:00", "2026-11-26T12:00")


def test_a_text_seen_before_gets_the_communities_of_the_new_call(reader: Reader) -> None:
    text = "翠湖3栋1502的门锁坏了"
    assert reader.read(text, NOW).slots.community is None
    assert reader.read(text, NOW, {"翠湖": "翠湖苑"}).slots.community == "翠湖苑"


@pytest.mark.parametrize(
    ("text", "community"),
    [
        ("GREEN LAKE tower 2 flat 5A, no hot water", "翠湖苑"),
        ("ＧＲＥＥＮ lake 灯坏了", "翠湖苑"),
        ("翠湖灣的門鎖壞了", "翠湖湾"),
        ("the parking barrier is stuck", None),
        ("Park tower 3, the lift is stuck on 5", "公园里"),
        ("门锁坏了", None),
    ],
)
def test_an_alias_is_known_in_any_script_width_and_case(reader: Reader, text: str, community: str | None) -> None:
    names = {"Green Lake": "翠湖苑", "翠湖": "翠湖苑", "翠湖湾": "翠湖湾", "Park": "公园里", "": "nowhere"}
    assert reader.read(text, NOW, names).slots.community == community


@pytest.mark.parametrize("text", ["我302", "我是1502的", "4幢乙单元602", "Tower 4, 18A"])
def test_a_home_alone_asks_for_nothing(reader: Reader, text: str) -> None:
    assert reader.read(text, NOW).intent == "other"


def test_all_at_once_is_the_same_as_one_by_one(reader: Reader) -> None:
    texts = ["水管漏水", "物业费多少钱", "水管漏水", "", "3-2-1502"]
    assert reader.read_all(texts, NOW) == [reader.read(text, NOW) for text in texts]


def test_many_at_once_are_remembered_like_single_ones(reader: Reader) -> None:
    fresh = Reader(reader._classifier)
    texts = ["灯不亮", "灯不亮\x00", "灯不亮", *(f"{number}栋门坏了" for number in range(1, 140))]
    assert fresh.read_all(texts, NOW) == [fresh.read(text, NOW) for text in texts]


def test_the_cache_counts_what_it_remembered(reader: Reader) -> None:
    fresh = Reader(reader._classifier)
    assert fresh.cache_share() == 0
    for text in ("灯不亮", "灯不亮", "门坏了", "灯不亮"):
        fresh.read(text, NOW)
    assert fresh.cache_share() == 0.5


@pytest.mark.parametrize(
    "text",
    [
        "13月5日来修",
        "99月9日上门",
        "99999999999天后来修",
        "9" * 5000 + "小时后来",
        "９９９９９９周后来修",
        "in 99999999 weeks",
    ],
)
def test_a_time_that_no_calendar_holds_is_read_in_good_time(reader: Reader, text: str) -> None:
    assert reader.read(text, NOW).intent in INTENTS
    find_time(text, NOW)


def test_an_unsure_reading_says_so(reader: Reader) -> None:
    assert is_unsure(reader.read("那个", NOW)) or reader.read("那个", NOW).intent in ("other", "smalltalk")
    assert not is_unsure(reader.read("厨房水龙头漏水，麻烦派师傅来修", NOW))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(codec=None, categories=None), max_size=80))
def test_any_text_is_read(text: str) -> None:
    reading = _reader().read(text, NOW)
    assert reading.intent in INTENTS
    assert reading.urgency in URGENCIES
    assert reading.category is None or reading.category in CATEGORIES[reading.intent]
    assert reading.requests
    assert reading.lang in ("zh-Hans", "zh-Hant", "en")


_MEMORY: list[Reader] = []


def _reader() -> Reader:
    """Hypothesis runs outside the fixtures of a single example."""
    if not _MEMORY:
        _MEMORY.append(Reader.load())
    return _MEMORY[0]


@pytest.mark.parametrize(
    "text", ["漏水" * 2000, "3-2-1502 " * 500, "明天" * 2000, "a" * 5000, "1" * 5000, "[图片]" * 800]
)
def test_long_texts_are_read_in_good_time(reader: Reader, text: str) -> None:
    assert reader.read(text, NOW).intent in INTENTS


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("厨\u200b房\u200b水\u2060龙\ufeff头\u00ad漏水", "repair"),
        ("\u202e厨房水龙头漏水，麻烦来修\u202c", "repair"),
        ("厨房水龙头漏水，麻烦来修" + "！" * 10_000, "repair"),
        ("🚿💧💧" * 3000, "other"),
        ("👨\u200d👩\u200d👧", "other"),
        ("שלום שלום", "other"),
        ("\u200b\u200b\u200b", "other"),
        ("\ud800\x00\ue000", "other"),
    ],
    ids=range(8),
)
def test_hostile_texts_are_read_for_what_they_say(reader: Reader, text: str, intent: str) -> None:
    assert reader.read(text, NOW).intent == intent
