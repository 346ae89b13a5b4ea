"""Moments of the demonstration, told from the moment it is loaded, so that it is alive on any day and at any hour.

`D-1 10:05`: a local day and clock; `-25m`, `-1h5m`, `+2h`: from now; `W-90m`: so many minutes of working time ago;
`~3s`: after the step before; `contact`, `answer`, ...: what the desk promises at the moment of the step before.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.settings import DeskSettings
from workflows import deadlines, wording

OPENS, CLOSES = time(8, 30), time(20, 0)

_SPAN = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_DAY = re.compile(r"D([+-]\d+) (\d\d):(\d\d)")
_DESK = DeskSettings()
_DUES: Mapping[str, Callable[[datetime], datetime]] = {
    "contact": lambda local: deadlines.contact_by(local, "normal", _DESK),
    "urgent": lambda local: deadlines.contact_by(local, "urgent", _DESK),
    "answer": lambda local: deadlines.answer_by(local, _DESK),
    "result": lambda local: deadlines.result_by(local, _DESK),
    "rework": lambda local: deadlines.rework_by(local, _DESK),
    "affair": lambda local: deadlines.affair_by(local, _DESK),
    "call": lambda local: deadlines.next_call_hour(local + timedelta(hours=1)),
}


@dataclass(frozen=True, slots=True)
class Times:
    """Reads the notation above."""

    now: datetime
    zone: ZoneInfo

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def at(self, text: str, before: datetime | None = None) -> datetime:
        """The moment that `text` names, in UTC; `before` is the step before."""
        before = before or self.now
        if text in _DUES:
            return _DUES[text](self.local(before)).astimezone(UTC)
        day = _DAY.fullmatch(text)
        if day:
            date = self.local(self.now).date() + timedelta(days=int(day[1]))
            return datetime.combine(date, time(int(day[2]), int(day[3])), self.zone).astimezone(UTC)
        if text.startswith("W-"):
            return self._worked(_span(text[2:]))
        return {"~": before, "+": self.now, "-": self.now}[text[0]] + _span(text[1:]) * (-1 if text[0] == "-" else 1)

    def _worked(self, span: timedelta) -> datetime:
        """The moment since which `span` of working time has gone by."""
        moment = self.local(self.now)
        while True:
            opened = datetime.combine(moment.date(), OPENS, self.zone)
            until = min(moment, datetime.combine(moment.date(), CLOSES, self.zone))
            worked = max(timedelta(), until - opened)
            if worked >= span:
                return (until - span).astimezone(UTC)
            span -= worked
            moment = datetime.combine(moment.date() - timedelta(days=1), CLOSES, self.zone)

    def promised(self, what: str, moment: datetime, language: str) -> str:
        """今天17:30前, as the desk says at `moment` what it promises."""
        local, due = self.local(moment), self.local(self.at(what, moment))
        if what == "contact" and deadlines.is_morning_call(local, due, _DESK):
            return f"{wording.after(due, local, language)}联系您"
        told = wording.by(due, local, language)
        return f"{told}打电话跟您约时间" if what == "contact" else told


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if not found or not text:
        raise ValueError(f"{text!r} is no span of time")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
