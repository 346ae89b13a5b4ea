"""By when what is due: desk.md section 7 as a table."""

from datetime import date, datetime, timedelta

import pytest

from bot.desk import DeskSettings
from tests.workflows.town import ZONE
from workflows import deadlines

DESK = DeskSettings()


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """November 2026; the 22nd is a Sunday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("now", "urgency", "due"),
    [
        (at(24, 15, 24), "normal", at(24, 17, 20)),
        (at(24, 8, 0), "normal", at(24, 10, 0)),
        (at(24, 18, 30), "normal", at(24, 20, 0)),
        (at(24, 19, 45), "normal", at(25, 8, 30)),
        (at(24, 23, 0), "normal", at(25, 8, 30)),
        (at(25, 2, 11), "normal", at(25, 8, 30)),
        (at(25, 7, 59), "normal", at(25, 8, 30)),
        (at(24, 15, 24), "urgent", at(24, 15, 54)),
        (at(24, 23, 10), "urgent", at(25, 0, 10)),
    ],
)
def test_contact_by(now: datetime, urgency: str, due: datetime) -> None:
    assert deadlines.contact_by(now, urgency, DESK) == due


@pytest.mark.parametrize(
    ("now", "morning"), [(at(24, 23, 0), True), (at(24, 19, 45), False), (at(24, 6, 40), True), (at(24, 12, 0), False)]
)
def test_only_the_first_call_of_a_morning_is_told_as_from_then(now: datetime, morning: bool) -> None:
    due = deadlines.contact_by(now, "normal", DESK)
    assert deadlines.is_morning_call(now, due, DESK) is morning


@pytest.mark.parametrize(
    ("now", "due"),
    [(at(24, 9), at(24, 20)), (at(24, 17, 59), at(24, 20)), (at(24, 18, 30), at(25, 12)), (at(24, 2), at(24, 12))],
)
def test_a_public_place_is_looked_at_the_same_day(now: datetime, due: datetime) -> None:
    assert deadlines.public_look_by(now, "normal", DESK) == due


@pytest.mark.parametrize(
    ("urgency", "public", "span"),
    [
        ("normal", False, timedelta(hours=48)),
        ("normal", True, timedelta(days=3)),
        ("urgent", False, timedelta(hours=4)),
    ],
)
def test_done_by(urgency: str, public: bool, span: timedelta) -> None:
    assert deadlines.done_by(at(24, 9), urgency, DESK, public=public) == at(24, 9) + span


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (at(24, 9, 5), at(24, 11, 0)),
        (at(24, 17, 59), at(24, 19, 50)),
        (at(24, 19, 0), at(25, 10)),
        (at(24, 22, 0), at(25, 10)),
        (at(25, 2, 0), at(25, 10)),
        (at(25, 8, 0), at(25, 10)),
    ],
)
def test_a_complaint_has_its_first_answer_in_two_hours_or_at_ten(now: datetime, due: datetime) -> None:
    assert deadlines.answer_by(now, DESK) == due


def test_a_complaint_has_its_result_in_three_days() -> None:
    assert deadlines.result_by(at(22, 22), DESK) == at(25, 18)


@pytest.mark.parametrize(
    ("now", "due"),
    [(at(24, 10), at(24, 18)), (at(24, 17, 30), at(25, 10)), (at(24, 3), at(24, 10)), (at(24, 21), at(25, 10))],
)
def test_rework_is_called_about_today_or_at_ten(now: datetime, due: datetime) -> None:
    assert deadlines.rework_by(now, DESK) == due


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (at(24, 10), at(25, 18)),
        (at(20, 10), at(23, 18)),
        (at(22, 10), at(23, 18)),
        (datetime(2026, 9, 30, 10, tzinfo=ZONE), datetime(2026, 10, 8, 18, tzinfo=ZONE)),
        (datetime(2026, 10, 9, 10, tzinfo=ZONE), datetime(2026, 10, 10, 18, tzinfo=ZONE)),
    ],
)
def test_an_affair_is_answered_by_the_end_of_the_next_working_day(now: datetime, due: datetime) -> None:
    assert deadlines.affair_by(now, DESK) == due


def test_weekends_worked_in_exchange_for_holidays_count() -> None:
    assert deadlines.is_working_day(date(2026, 10, 10))
    assert not deadlines.is_working_day(date(2026, 10, 1))
    assert deadlines.next_working_day(date(2026, 9, 30)) == date(2026, 10, 8)


@pytest.mark.parametrize(
    ("now", "rings"),
    [
        (at(24, 7), at(24, 9)),
        (at(24, 10, 20), at(24, 10, 20)),
        (at(24, 12, 30), at(24, 15)),
        (at(24, 20), at(25, 9)),
        (datetime(2026, 9, 30, 21, tzinfo=ZONE), datetime(2026, 10, 8, 9, tzinfo=ZONE)),
    ],
)
def test_follow_up_calls_ring_in_call_hours(now: datetime, rings: datetime) -> None:
    assert deadlines.next_call_hour(now) == rings


def test_the_ladder_climbs_each_rung_once() -> None:
    rungs = list(deadlines.ladder(at(24, 8), at(24, 10), "urgent"))
    assert [(rung.who, f"{rung.at:%H:%M}") for rung in rungs] == [
        ("owner", "09:36"), ("supervisor", "10:00"), ("site_manager", "11:00"), ("quality", "12:00"),
    ]  # fmt: skip


def test_rungs_of_the_night_wait_for_the_morning_unless_it_presses() -> None:
    normal = list(deadlines.ladder(at(24, 18), at(24, 22), "normal"))
    assert [rung.at for rung in normal][1:3] == [at(25, 8), at(25, 8)]
    assert list(deadlines.ladder(at(24, 18), at(24, 22), "urgent"))[1].at == at(24, 22)
