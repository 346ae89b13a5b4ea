"""Times, people and phones as one says them."""

from datetime import datetime

import pytest

from bot.desk import Choice, Member, new_id
from tests.workflows.town import ZONE
from workflows import wording

NOW = datetime(2026, 11, 24, 15, 24, tzinfo=ZONE)
"""A Tuesday."""
LATE = datetime(2026, 11, 24, 23, 10, tzinfo=ZONE)
SMALL = datetime(2026, 11, 25, 2, 11, tzinfo=ZONE)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("moment", "now", "language", "said"),
    [
        (at(24, 17, 30), NOW, "zh-Hans", "今天17:30前"),
        (at(25, 8, 30), LATE, "zh-Hans", "明早8:30前"),
        (at(25, 8, 30), SMALL, "zh-Hans", "今早8:30前"),
        (at(25, 15), NOW, "zh-Hans", "明天（周三）15:00前"),
        (at(26, 10), NOW, "zh-Hans", "后天（周四）10:00前"),
        (at(29, 10), NOW, "zh-Hans", "11月29日（周日）10:00前"),
        (at(26, 10), NOW, "zh-Hant", "後天（週四）10:00前"),
        (at(24, 17, 30), NOW, "en", "by 17:30 today"),
        (at(25, 8, 30), LATE, "en", "by 8:30 tomorrow (Wed)"),
        (at(29, 10), NOW, "en", "by 10:00 Sun 29 Nov"),
    ],
)
def test_by(moment: datetime, now: datetime, language: str, said: str) -> None:
    assert wording.by(moment, now, language) == said


@pytest.mark.parametrize(
    ("start", "end", "language", "said"),
    [
        (at(25, 9), at(25, 10), "zh-Hans", "明天（周三）9点到10点"),
        (at(24, 15), at(24, 16, 30), "zh-Hans", "今天15点到16:30"),
        (at(25, 9), at(25, 10), "zh-Hant", "明天（週三）9點到10點"),
        (at(25, 9), at(25, 10), "en", "tomorrow (Wed) 9:00 to 10:00"),
    ],
)
def test_slot(start: datetime, end: datetime, language: str, said: str) -> None:
    assert wording.slot(start, end, NOW, language) == said


def test_after_is_for_the_first_call_of_a_morning() -> None:
    assert wording.after(at(25, 8, 30), LATE, "zh-Hans") == "明早8:30后"
    assert wording.after(at(25, 8, 30), LATE, "en") == "after 8:30 tomorrow (Wed)"


def test_people_are_told_by_title_and_technicians_by_surname() -> None:
    chen = Member(new_id(), "陈静", "客服主管")
    lee = Member(new_id(), "李强", "维修")
    assert wording.person(chen, "zh-Hans") == "客服主管陈静"
    assert wording.person(chen, "en") == "陈静 (客服主管)"
    assert wording.person(None, "zh-Hans") == "客服主管"
    assert wording.technician(lee, "zh-Hans") == "李师傅"
    assert wording.technician(None, "zh-Hans") == "师傅"


def test_phones_are_masked() -> None:
    assert wording.masked_phone("13800138000") == "138****8000"
    assert wording.masked_phone("") == ""


def test_choices_say_the_digit() -> None:
    options = [Choice("1", "3栋1101"), Choice("2", "9栋502")]
    assert wording.choices(options, "zh-Hans") == "回1：3栋1101　回2：9栋502"


@pytest.mark.parametrize(
    ("text", "brief"),
    [("厨房水管漏水", "厨房水管漏水"), ("一" * 50, "一" * 39 + "…"), ("前" * 25 + "，" + "后" * 30, "前" * 25 + "…")],
)
def test_brief_cuts_at_a_clause(text: str, brief: str) -> None:
    assert wording.brief(text) == brief
