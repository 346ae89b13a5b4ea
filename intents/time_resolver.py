"""What a phrase of time means as local time, seen from a clock."""

import functools
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import msgspec

from intents.numerals import number
from intents.time_words import (
    ANCHORS,
    CLOCKS,
    DAY_PARTS,
    DAY_WORDS,
    ENGLISH_DAYS,
    ENGLISH_SHORT,
    HOLIDAYS,
    MONTHS,
    PART_WORDS,
    PARTS,
    SPOKEN_HOURS,
    WEEKDAYS,
)


class Atom(msgspec.Struct, frozen=True):
    """One word of time where it stands in the folded text."""

    kind: str
    begin: int
    end: int
    found: re.Match[str]


def day_offset(run: list[Atom]) -> int:
    """Days from today for words such as tomorrow; 0 where none stands."""
    for atom in run:
        if atom.kind == "day":
            return DAY_WORDS[atom.found.group().removeprefix("the ")]
        if atom.kind == "daypart":
            return DAY_PARTS[atom.found.group()][0]
    return 0


class Resolver:
    """Walks the atoms of one phrase; holds the day, the part of the day and the clock times met so far."""

    def __init__(self, atoms: tuple[Atom, ...], now: datetime) -> None:
        self.atoms = _first_choice([atom for atom in atoms if atom.kind not in ("joint", "around", "some_days")])
        self.now = now
        self.days = [day for _, day in self._dated()]
        self.kinds = {atom.kind for atom in self.atoms}

    def _dated(self) -> list[tuple[Atom, tuple[date, date]]]:
        return [(atom, day) for atom in self.atoms if (day := _day(atom, self.now))]

    def span(self) -> tuple[datetime | None, datetime | None]:
        """Start and end; None for an open side."""
        if moved := next((atom for atom in self.atoms if atom.kind in ("rel", "in")), None):
            return _relative(moved, self.now)
        holiday = next((day for atom, day in self._dated() if atom.kind == "holiday"), None)
        if holiday and (beside := self._beside(holiday)):
            return beside
        first_day = self.days[0] if self.days else None
        ends = self._ends()
        start, end = self._place(first_day, ends)
        if "before" in self.kinds:
            return None, (start if len(ends) == 1 and ends[0][1] is None else end) or start
        if "after" in self.kinds:
            return start, (end if "to" in self.kinds else None)
        return start, end

    def _beside(self, holiday: tuple[date, date]) -> tuple[datetime | None, datetime | None] | None:
        """Open time before or after a holiday; None where the holiday itself is meant, or an hour is named."""
        if self.kinds & (CLOCKS | {"part"}):
            return None
        if "after" in self.kinds or any(atom.found.group() == "过完年" for atom in self.atoms):
            return _at(holiday[1], 24 * 60), None
        return (None, _at(holiday[0], 0)) if "before" in self.kinds else None

    def _ends(self) -> list[tuple[int, int | None]]:
        """(from, to) in minutes of the day for each clock time or part named; `to` is None for a point."""
        ends: list[tuple[int, int | None]] = []
        part: str | None = None
        waiting = False
        for atom in self.atoms:
            name = _part(atom)
            if name and ends and self.atoms.index(atom) and self.atoms[self.atoms.index(atom) - 1].kind in CLOCKS:
                ends[-1] = (_clock(self.atoms[self.atoms.index(atom) - 1], name, ends[:-1], self.atoms), None)
            elif name:
                if waiting and part:
                    ends.append(PARTS[part])
                part, waiting = name, True
            elif atom.kind in CLOCKS:
                ends.append((_clock(atom, part, ends, self.atoms), None))
                waiting = False
        if waiting and part and not (ends and "to" not in self.kinds):
            ends.append(PARTS[part])
        return ends

    def _place(
        self, day: tuple[date, date] | None, ends: list[tuple[int, int | None]]
    ) -> tuple[datetime | None, datetime | None]:
        if not ends:
            first, last = day or (self.now.date(), self.now.date())
            last = self.days[-1][1] if len(self.days) > 1 and "to" in self.kinds else last
            return _at(first, 0), _at(last, 24 * 60 - 1)
        base = day[0] if day else self._next_day(ends)
        if self._is_bare_weekday() and _at(base, ends[-1][1] or ends[-1][0]) <= self.now:
            base += timedelta(days=7)
        start, first_end = ends[0]
        end = (ends[-1][1] or ends[-1][0]) if len(ends) > 1 else first_end
        if len(ends) > 1 and ends[-1][1] is not None:
            end = ends[-1][0] if PARTS["noon"][0] == ends[-1][0] else ends[-1][1]
        return _at(base, start), (_at(base, end) if end is not None else None)

    def _next_day(self, ends: list[tuple[int, int | None]]) -> date:
        last = ends[-1][1] or ends[-1][0]
        return self.now.date() + timedelta(days=0 if _at(self.now.date(), last) > self.now else 1)

    def _is_bare_weekday(self) -> bool:
        """周六 said late on a Saturday is the next one."""
        day = next((atom for atom in self.atoms if atom.kind in ("weekday", "enday")), None)
        if day is None or len(self.days) > 1:
            return False
        return not (day.found.groupdict().get("wd_shift") or day.found.groupdict().get("en_shift"))


def _first_choice(atoms: list[Atom]) -> list[Atom]:
    """Of "Monday or Tuesday after 5" the first day; what is said once, after the last, holds for each."""
    place = next((index for index, atom in enumerate(atoms) if atom.kind == "or"), None)
    if place is None:
        return atoms
    first, rest = atoms[:place], [atom for atom in atoms[place:] if atom.kind not in (*ANCHORS, "or")]
    return first if any(atom.kind in (*CLOCKS, "part") for atom in first) else first + rest


def _at(day: date, minutes: int) -> datetime:
    return datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes)


def _part(atom: Atom) -> str | None:
    if atom.kind == "part":
        return PART_WORDS[atom.found.group()]
    return DAY_PARTS[atom.found.group()][1] if atom.kind == "daypart" else None


def _clock(atom: Atom, part: str | None, ends: list[tuple[int, int | None]], atoms: list[Atom]) -> int:
    hour, minute, marked = _hour_minute(atom)
    if marked == "p" and hour < 12:
        hour += 12
    elif marked == "a" and hour == 12:
        hour = 0
    elif marked is None and hour <= 12:
        hour = _by_part(hour, part or _later_mark(atom, atoms))
    minutes = hour * 60 + minute
    if ends and minutes <= ends[0][0] and minutes + 12 * 60 <= 24 * 60 and marked is None:
        minutes += 12 * 60
    return minutes


def _later_mark(atom: Atom, atoms: list[Atom]) -> str | None:
    """ "2 to 4pm": the mark of the end holds for the start."""
    for later in atoms:
        if later.begin > atom.begin and later.kind in ("ampm", "colon"):
            mark = later.found.groupdict().get("ap") or later.found.groupdict().get("c_ap")
            return {"p": "afternoon", "a": "morning"}.get(mark or "")
    return None


def _by_part(hour: int, part: str | None) -> int:
    if part in ("afternoon", "dusk"):
        return hour if hour == 12 else hour + 12
    if part in ("evening", "night"):
        return 24 if hour == 12 else hour + 12 if hour >= 5 or part == "evening" else hour
    if part == "noon":
        return hour if hour >= 10 else hour + 12
    if part in ("morning", "early"):
        return hour
    if part == "dawn":
        return 0 if hour == 12 else hour
    # Nobody is visited at three in the morning.
    return hour + 12 if hour <= 7 else hour


def _hour_minute(atom: Atom) -> tuple[int, int, str | None]:
    """Hour, minute, and a or p where marked; a leading zero or an hour past 12 marks itself."""
    found = atom.found.groupdict()
    if atom.kind == "colon":
        marked = found["c_ap"] or ("24" if found["c_h"].startswith("0") else None)
        return int(found["c_h"]), int(found["c_m"]), marked
    if atom.kind == "ampm":
        return int(found["a_h"] or found["oc"]), int(found["a_m"] or 0), found["ap"]
    if atom.kind == "spoken":
        hour = SPOKEN_HOURS.get(found["sp_h"]) or int(found["sp_h"])
        return (
            (hour - 1 or 12, 45, None)
            if found["sp_m"].endswith("to")
            else (hour, 30 if "half" in found["sp_m"] else 15, None)
        )
    if atom.kind == "bare":
        return int(found["b_h"] or found["b_of"]), 0, None
    return number(found["k_h"]) or 0, _minute(found["k_m"]), None


def _minute(text: str | None) -> int:
    if not text or text == "整":
        return 0
    if text == "半":
        return 30
    if text.endswith("刻"):
        return 45 if text[0] == "三" else 15
    return number(text.removesuffix("分")) or 0


def _day(atom: Atom, now: datetime) -> tuple[date, date] | None:
    """First and last day that the atom names."""
    today = now.date()
    if find := _SPANS.get(atom.kind):
        return find(atom, today)
    if find_one := _DAYS.get(atom.kind):
        day = find_one(atom, today)
        return day, day
    return None


def _near(atom: Atom, today: date) -> date:
    return today + timedelta(days=day_offset([atom]))


def _shift(text: str | None) -> int | None:
    """Weeks ahead; None where the word names no week."""
    if not text:
        return None
    if text.startswith("下下"):
        return 2
    return 1 if text.startswith(("下", "next")) else 0


def _weekday(atom: Atom, today: date) -> date:
    found = atom.found.groupdict()
    index = _weekday_index(found)
    shift = _shift(found.get("wd_shift") or found.get("en_shift"))
    if shift is not None:
        return today - timedelta(days=today.weekday()) + timedelta(days=index + 7 * shift)
    return today + timedelta(days=(index - today.weekday()) % 7)


def _weekday_index(found: dict[str, str | None]) -> int:
    if english := found.get("en_day"):
        return ENGLISH_DAYS.index(english) if english in ENGLISH_DAYS else ENGLISH_SHORT[english]
    return WEEKDAYS[found.get("wd") or (found.get("wd_bai") or "")[-1]]


def _weekend(atom: Atom, today: date) -> tuple[date, date]:
    shift = _shift(atom.found.groupdict().get("we_shift") or atom.found.groupdict().get("we_en")) or 0
    saturday = today - timedelta(days=today.weekday()) + timedelta(days=5 + 7 * shift)
    return max(saturday, today), saturday + timedelta(days=1)


def _week(atom: Atom, today: date) -> tuple[date, date]:
    shift = _shift(atom.found.groupdict().get("w_shift") or atom.found.groupdict().get("w_en")) or 0
    monday = today - timedelta(days=today.weekday()) + timedelta(days=7 * shift)
    return max(monday, today), monday + timedelta(days=6)


def _month_end(atom: Atom, today: date) -> tuple[date, date]:
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    if atom.found.group().startswith("下"):
        first = (first + timedelta(days=32)).replace(day=1)
    if atom.found.group().endswith("初"):
        return first, first + timedelta(days=4)
    return first - timedelta(days=5), first - timedelta(days=1)


def _holiday(atom: Atom, today: date) -> tuple[date, date]:
    """First and last day of the coming holiday of this name; one that is on counts."""
    word = next(name for name in sorted(HOLIDAYS, key=len, reverse=True) if atom.found.group().startswith(name))
    name = HOLIDAYS[word]
    if isinstance(name, tuple):
        day = _next_date(*name, today)
        return day, day
    spans = [_days_of(name, year) for year in (today.year, today.year + 1)]
    return next(span for span in spans if span[1] >= today)


@functools.cache
def _days_of(name: str, year: int) -> tuple[date, date]:
    """By the calendar of mainland China."""
    # Large, and not needed by most turns.
    import holidays  # noqa: PLC0415

    days = sorted(day for day, found in holidays.country_holidays("CN", years=[year]).items() if name in found)
    return days[0], days[-1]


def _calendar_day(atom: Atom, today: date) -> date:
    found = atom.found.groupdict()
    if atom.kind == "dom":
        return _day_of_month(number(found["dom"] or "") or 1, today)
    if atom.kind == "ordinal":
        return _day_of_month(int(found["o_da"]), today)
    if atom.kind == "endate":
        month = next(i for i, name in enumerate(MONTHS) if name.startswith((found["e_mo"] or found["f_mo"] or "")[:3]))
        return _next_date(month + 1, int(found["e_da"] or found["f_da"] or 1), today)
    month_text, day_text = (found["mo"], found["da"]) if atom.kind == "date" else (found["s_mo"], found["s_da"])
    return _next_date(number(month_text or "") or 1, number(day_text or "") or 1, today)


def _day_of_month(day: int, today: date) -> date:
    month = today.replace(day=1)
    for _ in range(4):
        try:
            found = month.replace(day=day)
        except ValueError:
            found = date.min
        if found >= today:
            return found
        month = (month + timedelta(days=32)).replace(day=1)
    return today


# A date this long gone is next year's; one gone for less was meant as it is.
_GONE = timedelta(days=60)


def _next_date(month: int, day: int, today: date) -> date:
    """The coming one; a date that does not exist (30 February, the 5th of a month 13) is the last day before it."""
    if month > 12:
        month, day = 12, 31
    found = _existing(today.year, month, day)
    return found if found >= today - _GONE else _existing(today.year + 1, month, day)


def _existing(year: int, month: int, day: int) -> date:
    while True:
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1


_Days = Callable[[Atom, date], date]
_Spans = Callable[[Atom, date], tuple[date, date]]
_DAYS: dict[str, _Days] = {
    "day": _near,
    "daypart": _near,
    "weekday": _weekday,
    "enday": _weekday,
    "date": _calendar_day,
    "slash": _calendar_day,
    "endate": _calendar_day,
    "dom": _calendar_day,
    "ordinal": _calendar_day,
}
_SPANS: dict[str, _Spans] = {"weekend": _weekend, "week": _week, "month_end": _month_end, "holiday": _holiday}


def _relative(atom: Atom, now: datetime) -> tuple[datetime | None, datetime | None]:
    found = atom.found.groupdict()
    amount, unit = found.get("rel_n") or found.get("in_n") or "1", found.get("rel_u") or found.get("in_u") or "hour"
    size = _amount(amount)
    if unit in ("天", "日", "day", "周", "星期", "礼拜", "week"):
        days = size * (1 if unit in ("天", "日", "day") else 7)
        day = now.date() + timedelta(days=int(days))
        if _is_within(atom):
            return now, _at(day, 24 * 60 - 1)
        return _at(day, 0), _at(day, 24 * 60 - 1)
    step = timedelta(minutes=size) if unit in ("分钟", "minute") else timedelta(hours=size)
    return (now, now + step) if _is_within(atom) else (now + step, None)


# A "99999999 days" must not run over the end of the calendar.
_FARTHEST = 3650.0


def _amount(text: str) -> float:
    words = {"半": 0.5, "half an": 0.5, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3}
    if text in words:
        return words[text]
    return min(float(text) if text.isdigit() else float(number(text) or 1), _FARTHEST) or 1.0


def _is_within(atom: Atom) -> bool:
    return "内" in atom.found.group() or atom.found.group().startswith("within")
