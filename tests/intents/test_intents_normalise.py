"""One form for many ways of writing."""

import pytest

from intents.normalise import clean, fold, is_pinyin, language, normalise
from intents.numerals import digit_string, number


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("３棟２單元", "3栋2单元"),
        ("水喉爆咗", "水管爆了"),
        ("閘門閂唔埋", "大门关不埋"),
        ("係咪有關係", "是不是有关系"),
        ("著火喇", "着火了"),
        ("升降機壞咗", "电梯坏了"),
        ("管理處幾時開門", "物业什么时候开门"),
        ("湖泊边泊车", "湖泊边停车"),
        ("等了一上午[裂开]", "等了一上午[裂开]"),
        ("  a\n\nB\t c ", "a b c"),
        ("漏\u200b水\x00\ue000", "漏水"),
        ("①", "1"),
        ("停车场", "停车场"),
        ("停車場", "停车场"),
        ("泊車場", "停车场"),
        ("車場好暗", "停车场好暗"),
        ("玻璃被打坏了", "玻璃被打坏了"),
        ("玻璃俾人打壞咗", "玻璃给人打坏了"),
        ("毛坯房", "毛坯房"),
    ],
)
def test_normal_form(written: str, normal: str) -> None:
    assert normalise(written) == normal


@pytest.mark.parametrize("text", ["水喉爆咗", "聽日下晝嚟", "Ａ座", "謝謝著急", "乾淨", "停車場", "一坏就停"])
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_clean_takes_out_only_what_cannot_be_stored() -> None:
    assert clean("a\x00b\ud800c\ue000　d😀") == "abc　d😀"


@pytest.mark.parametrize("text", ["聽日３點 İ ﬀ", "棟①", "ＡＢＣ"])
def test_a_fold_keeps_positions(text: str) -> None:
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("里面后面都发霉了", "zh-Hans"),
        ("請問幾點關門", "zh-Hant"),
        ("唔", "zh-Hant"),
        ("The lift is out of order", "en"),
        ("hi", "en"),
        ("che wei fei yi ge yue duo shao", "zh-Hans"),
        ("lobby的sofa破了，可以换一个new的吗", "zh-Hans"),
        ("3-2-1502", "zh-Hans"),
        ("[图片]", "zh-Hans"),
        ("Please fix the 灯 in our lobby today", "en"),
        ("", "zh-Hans"),
    ],
)
def test_language(text: str, lang: str) -> None:
    assert language(text) == lang


def test_pinyin_needs_more_than_two_syllables() -> None:
    assert is_pinyin("shui guan lou le")
    assert not is_pinyin("can you send someone to fix the tap")


@pytest.mark.parametrize(
    ("written", "digits"),
    [("一五零二", "1502"), ("十五零二", "1502"), ("幺六零三", "1603"), ("二十一", "21"), ("十", "10"), ("二十", "20")],
)
def test_chinese_numerals(written: str, digits: str) -> None:
    assert digit_string(written) == digits
    assert number(written) == int(digits)
