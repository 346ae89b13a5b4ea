"""By when what is due (desk.md section 7), and whom a late case climbs to. Pure; moments are the community's."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from bot.desk import DeskSettings

CALL_HOURS = ((time(9), time(12)), (time(15), time(20)))
"""When a follow-up call may ring (desk.md section 11)."""

WARNING = 0.8
"""The share of its time after which the owner of a case is warned."""

CLIMB = 0.5
"""Past its time, a case climbs a rung after each further half of it."""

RUNGS = ("owner", "supervisor", "site_manager", "quality")
"""Whom a late case goes to: warned at 80 %, then one rung at 100, 150, 200 %."""


def clock(text: str) -> time:
    """`08:30` as a time of day."""
    hour, minute = text.split(":")
    return time(int(hour), int(minute))


def _next(local: datetime, at: time) -> datetime:
    """The next moment with this time of day."""
    same = local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return same if same > local else same + timedelta(days=1)


def _round(local: datetime) -> datetime:
    """Down to ten minutes, as people name times: a promise may only be earlier than the standard."""
    return local.replace(minute=local.minute // 10 * 10, second=0, microsecond=0)


def is_night(local: datetime, desk: DeskSettings) -> bool:
    begins, ends = map(clock, desk.night_hours)
    return local.time() >= begins or local.time() < ends


def _within(local: datetime, desk: DeskSettings) -> bool:
    begins, ends = map(clock, desk.contact_hours)
    return begins <= local.time() < ends


def contact_by(local: datetime, urgency: str, desk: DeskSettings) -> datetime:
    """When somebody has phoned the resident: within two hours by day, else first thing in the morning."""
    if urgency != "normal":
        by_day, by_night = desk.urgent_contact_minutes
        due = local + timedelta(minutes=by_night if is_night(local, desk) else by_day)
        return due.replace(second=0, microsecond=0)
    evening = local.replace(hour=clock(desk.contact_hours[1]).hour, minute=0, second=0, microsecond=0)
    if _within(local, desk) and evening - local >= timedelta(minutes=30):
        return min(_round(local + timedelta(hours=desk.contact_within_hours)), evening)
    return _next(local, clock(desk.first_contact_at))


def is_morning_call(local: datetime, due: datetime, desk: DeskSettings) -> bool:
    """Whether the promise is the first call of a morning: then it is told as "from 8:30", not as "by"."""
    return due.time() == clock(desk.first_contact_at) and not _within(local, desk)


def public_look_by(local: datetime, urgency: str, desk: DeskSettings) -> datetime:
    """When somebody has looked at a public place: the same day, or the next where the evening is near."""
    if urgency != "normal":
        return contact_by(local, urgency, desk)
    evening = local.replace(hour=clock(desk.contact_hours[1]).hour, minute=0, second=0, microsecond=0)
    if evening - local >= timedelta(hours=2) and local.time() >= time(6):
        return evening
    return _next(local, time(12))


def done_by(local: datetime, urgency: str, desk: DeskSettings, *, public: bool) -> datetime:
    """When the repair is to be done, or has a plan the resident was told."""
    if urgency != "normal":
        return local + timedelta(hours=desk.urgent_done_hours)
    return local + (timedelta(days=desk.public_done_days) if public else timedelta(hours=desk.done_within_hours))


def answer_by(local: datetime, desk: DeskSettings) -> datetime:
    """A complaint's first answer, or the answer to a question passed on: within two hours by day, else at ten."""
    due = _round(local + timedelta(hours=desk.complaint_answer_hours))
    if _within(local, desk) and due.date() == local.date() and due.time() <= clock(desk.contact_hours[1]):
        return due
    return _next(local, clock(desk.complaint_answer_at))


def result_by(local: datetime, desk: DeskSettings) -> datetime:
    """A complaint's result."""
    return (local + timedelta(days=desk.complaint_result_days)).replace(hour=18, minute=0, second=0, microsecond=0)


def rework_by(local: datetime, desk: DeskSettings) -> datetime:
    """When somebody has phoned about work that did not hold: today where an hour is left, else at ten."""
    today = local.replace(hour=clock(desk.rework_by).hour, minute=clock(desk.rework_by).minute, second=0, microsecond=0)
    if today - local >= timedelta(hours=1) and local.time() >= time(6):
        return today
    return _next(local, clock(desk.complaint_answer_at))


def affair_by(local: datetime, desk: DeskSettings) -> datetime:
    """The first answer in a daily affair: at the end of the next working day."""
    return _working_days(local, desk.affair_answer_working_days)


def affair_done_by(local: datetime, desk: DeskSettings, working_days: int | None) -> datetime:
    """The end of a daily affair: after so many working days, else after the days that all have."""
    if working_days is not None:
        return _working_days(local, working_days)
    return (local + timedelta(days=desk.affair_days)).replace(hour=18, minute=0, second=0, microsecond=0)


def _working_days(local: datetime, days: int) -> datetime:
    day = local.date()
    for _ in range(days):
        day = next_working_day(day)
    return local.replace(year=day.year, month=day.month, day=day.day, hour=18, minute=0, second=0, microsecond=0)


def next_working_day(day: date) -> date:
    day += timedelta(days=1)
    while not is_working_day(day):
        day += timedelta(days=1)
    return day


def is_working_day(day: date) -> bool:
    """By the calendar of mainland China, weekends worked in exchange for holidays included."""
    return bool(_calendar(day.year).is_working_day(day))


@functools.cache
def _calendar(year: int) -> Any:
    import holidays  # noqa: PLC0415 - large, and not needed by most turns

    return holidays.country_holidays("CN", years=[year])


def next_call_hour(local: datetime) -> datetime:
    """The next moment at which a follow-up call may ring: in call hours of a day that is no holiday."""
    moment = local
    while True:
        for begins, ends in CALL_HOURS:
            opens = moment.replace(hour=begins.hour, minute=0, second=0, microsecond=0)
            if moment.time() < ends and _may_call(moment.date()):
                return max(moment, opens)
        moment = (moment + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _may_call(day: date) -> bool:
    """No holiday, nor a weekend that one reaches into."""
    run = [day] if day.weekday() < 5 else [day + timedelta(days=n) for n in range(4 - day.weekday(), 8 - day.weekday())]
    return not any(near in _calendar(near.year) for near in run)


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder: `who` of RUNGS hears of it at `at`."""

    step: int
    who: str
    at: datetime


def ladder(start: datetime, due: datetime, urgency: str) -> Iterator[Rung]:
    """The rungs of a case that is due: each once; those of the night wait for 08:00 unless it presses."""
    whole = due - start
    for step, who in enumerate(RUNGS):
        share = WARNING if step == 0 else 1 + (step - 1) * CLIMB
        yield Rung(step, who, _after_night(start + whole * share, urgency))


def _after_night(at: datetime, urgency: str) -> datetime:
    if urgency != "normal" or 8 <= at.hour < 21:
        return at
    return _next(at, time(8))
