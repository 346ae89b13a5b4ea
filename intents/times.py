"""Wished times in a message: found as phrases over the text as written, resolved against a clock given."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import msgspec

from intents.gates import Gate, alternatives, marks
from intents.model import WishedTime
from intents.normalise import clean, fold
from intents.numerals import number
from intents.time_words import (
    ANCHORS,
    ATOMS,
    CLOCKS,
    DAY_PARTS,
    DAY_WORDS,
    EDGES,
    ENGLISH_DAYS,
    ENGLISH_SHORT,
    MONTHS,
    PART_WORDS,
    PARTS,
    SOLID,
    WEEKDAYS,
    atom_beginning,
)

_MAY_HOLD_TIME = re.compile(
    r"[点时日天周末拜月号早晚午昼朝夜晨]|星期|小时|分钟|全天|\d:|\d ?[ap]\.?m|\d/\d|day|"
    r"tomorrow|tmr|tonight|morning|noon|evening"
    r"|week|clock|\b(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|tian\b|wu\b",
    re.ASCII,
)
# What a phrase needs at the least; 天 and 号 alone, as in 天花板 and 3号楼, are none.
_SOLID = Gate((kind, branch) for kind, pattern in ATOMS if kind in SOLID for branch in alternatives(pattern))
_COMING = re.compile(
    r"来人?|上门|过来|过嚟|派|有空|得闲|有人|在家|喺屋企|喺度|方便|我在|我都?在|都在|"
    r"家里有人|屋企有人|先?可以|都?行|都得|得唔得|能不能|"
    r"安排|[修整换搞弄]|看看|睇|看一?下|约|搬|装|师傅|弄好|处理|之前|以?前|办好|到场|碰头|取|送|打?电话|联系|"
    r"\bcome\b|\bvisit|\bavailable|\bfree\b|\bhome\b|\bworks?\b|\bsuits?\b|\bok(?:ay)?\b|"
    r"\bplease\b|\bpls\b|\bfine\b|\bsend\b|"
    r"\bsomeone\b|\blook\b|\bfix|\bcheck\b|\bmove\b|\bbetter\b|\bgood\b|\bpossible\b|\?$|吗|ok",
    re.ASCII,
)
_ASKING = re.compile(
    r"改[到成在约期]?|换[到成]|推[到迟]|提前|延[到后期]|挪到|调[到整成]|预?约|定[在到]|"
    r"希望|最好|麻烦|唔该|请|等|要|想|能不能|可不可以|可以|可否|"
    r"只有|就|在家|有空|方便|时间|来|上门|派人?|\bcome\b|\bvisit|\bavailable|\bfree\b|"
    r"\bresched|\bmove|\bbook|\bsend|\bplease|\bpls|"
    r"\bcan\b|\bcould\b|\bchange|\bpostpone|\bschedul|\bappointment|\bhome\b|\bprefer|"
    r"\bhow about|\bonly\b|\bwant|\blike to\b",
    re.ASCII,
)
_NO_WISH_AFTER = re.compile(
    r"^(?:[,，\s]*)(?:'s\b|[^,，。]{0,5}几点|就(?!可以|行|来|好|方便|在|有)|的时候|"
    r"那会儿?|那次|那天|开门|关门|营业|上班|下班|开放|停[水电气]|检修|施工|就?(?:已经|"
    r"开始)|起(?!码)|到现在|交的|缴的|报的|说的|"
    r"来的|刚|还|又|都没|以来|一直|我?(?:交|缴|付|扣|报|打|发)了|[一-龥]{0,3}(?:坏|停|漏|"
    r"断|黑|响|掉|堵|跳闸|爆|吵|闹)|(?:就)?没|被|说|发现|看到|听到)"
)
_HAPPENED = re.compile(r"^[^,，。!！?？\n]{0,8}(?:(?:了|过)(?!吗|么|没|[?？])|的(?:[,，。!！\s]|$))")
_NO_WISH_BEFORE = re.compile(
    r"(?:从|自从|打从|since|自|截至|截止|每|昨天|今[天日]都?(?:已经|是|都)?|上次|上周|"
    r"交到|缴到|停[水电气]?到|到期|开到|营业到|有效期|[说讲]好?(?:了|是)?|话(?:咗|好)|"
    r"约好?(?:了|的)|原定|本来|报的|报修的|reported|said|told(?: me)?|promised|paid|"
    r"booked|was|were|cancel|ban|allowed|permitted)[\s的]*(?:on|for|in|it)?\s*$",
    re.ASCII,
)


# Days named as loosely as this are wishes only where words around say so.
_VAGUE = frozenset({"in", "rel", "week", "month_end", "dom"})


class _Atom(msgspec.Struct, frozen=True):
    kind: str
    begin: int
    end: int
    found: re.Match[str]


class TimePhrase(msgspec.Struct, frozen=True):
    """A stretch of a message that names a time.

    `wished`: somebody is to come or act then; `sure`: the words around say so; `alone`: the message is nothing else.
    """

    text: str
    begin: int
    end: int
    atoms: tuple[_Atom, ...]
    wished: bool
    sure: bool
    alone: bool

    def resolve(self, now: datetime) -> WishedTime:
        """The phrase as local time, seen from `now` (the community's local time)."""
        start, end = _Resolver(self.atoms, now.replace(tzinfo=None, second=0, microsecond=0)).span()
        return WishedTime(self.text, _minutes(start), _minutes(end))


def find_time(text: str, now: datetime) -> WishedTime | None:
    """The wished visit or action time in `text`, seen from `now` (local time of the community); None where none is."""
    phrase = wished_phrase(find_phrases(clean(text)))
    return phrase.resolve(now) if phrase else None


def wished_phrase(phrases: list[TimePhrase]) -> TimePhrase | None:
    """The phrase that names the wish: of several the last sure one, since a moved visit names the old time first."""
    wished = [phrase for phrase in phrases if phrase.wished]
    sure = [phrase for phrase in wished if phrase.sure]
    if sure:
        return sure[-1]
    return wished[0] if wished else None


def find_phrases(text: str) -> list[TimePhrase]:
    """Every time phrase of a cleaned text, wished or not, in order."""
    return phrases_of(text, fold(text))


def phrases_of(text: str, folded: str) -> list[TimePhrase]:
    """`find_phrases` for whoever has folded the text already."""
    if not _SOLID.may_match(marks(folded)) or not _MAY_HOLD_TIME.search(folded):
        return []
    return [_phrase(text, folded, run) for run in _runs(folded)]


def _atoms(folded: str) -> Iterator[_Atom]:
    place = 0
    while place < len(folded):
        pattern = atom_beginning(folded[place])
        found = pattern.match(folded, place) if pattern else None
        if found:
            yield _Atom((found.lastgroup or "").removesuffix("_"), place, found.end(), found)
        place = found.end() if found else place + 1


def _runs(folded: str) -> list[list[_Atom]]:
    runs: list[list[_Atom]] = [[]]
    for atom in _atoms(folded):
        if runs[-1] and (atom.begin != runs[-1][-1].end or _starts_anew(runs[-1], atom)):
            runs.append([])
        runs[-1].append(atom)
    trimmed = [_trim(run) for run in runs]
    return [run for run in trimmed if any(atom.kind in SOLID for atom in run)]


def _starts_anew(run: list[_Atom], atom: _Atom) -> bool:
    solid = [before for before in run if before.kind not in ("joint", "around")]
    if not solid or solid[-1].kind == "to":
        return False
    kinds = {before.kind for before in solid}
    if atom.kind in ANCHORS:
        return bool(kinds & CLOCKS or kinds & {"part", atom.kind}) and not _english_order(solid, atom)
    return atom.kind in CLOCKS and bool(kinds & CLOCKS)


def _english_order(solid: list[_Atom], atom: _Atom) -> bool:
    """In English the clock comes first: "after 6pm on Thursday"."""
    return (
        atom.kind in ("enday", "day", "endate")
        and atom.found.group().isascii()
        and not any(before.kind in ANCHORS for before in solid)
    )


def _trim(run: list[_Atom]) -> list[_Atom]:
    while run and (run[-1].kind in ("joint", "to") or (run[-1].kind in EDGES and run[-1].found.group().isascii())):
        run = run[:-1]
    while run and not _may_lead(run):
        run = run[1:]
    return run


def _may_lead(run: list[_Atom]) -> bool:
    if run[0].kind in SOLID or run[0].kind in ("recurring", "past", "since"):
        return True
    words = run[0].found.group()
    return run[0].kind in ("after", "before", "all") and (words.isascii() or run[0].kind == "all") and len(run) > 1


def _phrase(text: str, folded: str, run: list[_Atom]) -> TimePhrase:
    begin, end = run[0].begin, run[-1].end
    wished, sure = _judge(folded, run, begin, end)
    return TimePhrase(
        text[begin:end].strip(" ,，"), begin, end, tuple(run), wished, sure, _is_alone(folded, begin, end)
    )


def _judge(folded: str, run: list[_Atom], begin: int, end: int) -> tuple[bool, bool]:
    """Whether somebody is to come or act then, and whether words around say so."""
    kinds = {atom.kind for atom in run}
    before, after = folded[max(0, begin - 14) : begin], folded[end : end + 18]
    if kinds & {"recurring", "past", "since"} or _day_offset(run) < 0 or _NO_WISH_BEFORE.search(before):
        return False, False
    if _is_alone(folded, begin, end):
        return True, True
    if _NO_WISH_AFTER.match(after):
        return False, False
    cue = bool(_COMING.search(re.split(r"[。！？!?\n;；]", after)[0]) or _ASKING.search(before))
    if kinds & EDGES and kinds & (CLOCKS | {"part"}):
        cue = True
    if _HAPPENED.match(after) and _day_offset(run) <= 0 and not re.search("[吗嘛么?？]|好了|行了|得了", after):
        return False, False
    return _by_kind(run, kinds, cue)


def _is_alone(folded: str, begin: int, end: int) -> bool:
    return not folded[:begin].strip(" ,，。就那嗯好") and not folded[end:].strip(" ,，。!！~吧呀啊哈嘛来")


def _by_kind(run: list[_Atom], kinds: set[str], cue: bool) -> tuple[bool, bool]:
    if kinds & (ANCHORS - _VAGUE) and not _is_today(run):
        return True, cue
    return cue, cue


def _is_today(run: list[_Atom]) -> bool:
    return any(atom.kind in ("day", "daypart") for atom in run) and _day_offset(run) == 0


def _day_offset(run: list[_Atom]) -> int:
    for atom in run:
        if atom.kind == "day":
            return DAY_WORDS[atom.found.group().removeprefix("the ")]
        if atom.kind == "daypart":
            return DAY_PARTS[atom.found.group()][0]
    return 0


def _minutes(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="minutes") if moment else None


class _Resolver:
    """Walks the atoms of one phrase; holds the day, the part of the day and the clock times met so far."""

    def __init__(self, atoms: tuple[_Atom, ...], now: datetime) -> None:
        self.atoms = [atom for atom in atoms if atom.kind not in ("joint", "around")]
        self.now = now
        self.days = [day for atom in self.atoms if (day := _day(atom, now))]
        self.kinds = {atom.kind for atom in self.atoms}

    def span(self) -> tuple[datetime | None, datetime | None]:
        """Start and end; None for an open side."""
        if moved := next((atom for atom in self.atoms if atom.kind in ("rel", "in")), None):
            return _relative(moved, self.now)
        first_day = self.days[0] if self.days else None
        ends = self._ends()
        start, end = self._place(first_day, ends)
        if "before" in self.kinds:
            return None, (start if len(ends) == 1 and ends[0][1] is None else end) or start
        if "after" in self.kinds:
            return start, (end if "to" in self.kinds else None)
        return start, end

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


def _at(day: date, minutes: int) -> datetime:
    return datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes)


def _part(atom: _Atom) -> str | None:
    if atom.kind == "part":
        return PART_WORDS[atom.found.group()]
    return DAY_PARTS[atom.found.group()][1] if atom.kind == "daypart" else None


def _clock(atom: _Atom, part: str | None, ends: list[tuple[int, int | None]], atoms: list[_Atom]) -> int:
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


def _later_mark(atom: _Atom, atoms: list[_Atom]) -> str | None:
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


def _hour_minute(atom: _Atom) -> tuple[int, int, str | None]:
    """Hour, minute, and a or p where marked; a leading zero or an hour past 12 marks itself."""
    found = atom.found.groupdict()
    if atom.kind == "colon":
        marked = found["c_ap"] or ("24" if found["c_h"].startswith("0") else None)
        return int(found["c_h"]), int(found["c_m"]), marked
    if atom.kind == "ampm":
        return int(found["a_h"] or found["oc"]), int(found["a_m"] or 0), found["ap"]
    if atom.kind == "bare":
        return int(found["b_h"]), 0, None
    return number(found["k_h"]) or 0, _minute(found["k_m"]), None


def _minute(text: str | None) -> int:
    if not text or text == "整":
        return 0
    if text == "半":
        return 30
    if text.endswith("刻"):
        return 45 if text[0] == "三" else 15
    return number(text.removesuffix("分")) or 0


def _day(atom: _Atom, now: datetime) -> tuple[date, date] | None:
    """First and last day that the atom names."""
    today = now.date()
    if find := _SPANS.get(atom.kind):
        return find(atom, today)
    if find_one := _DAYS.get(atom.kind):
        day = find_one(atom, today)
        return day, day
    return None


def _near(atom: _Atom, today: date) -> date:
    return today + timedelta(days=_day_offset([atom]))


def _shift(text: str | None) -> int | None:
    """Weeks ahead; None where the word names no week."""
    if not text:
        return None
    if text.startswith("下下"):
        return 2
    return 1 if text.startswith(("下", "next")) else 0


def _weekday(atom: _Atom, today: date) -> date:
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


def _weekend(atom: _Atom, today: date) -> tuple[date, date]:
    shift = _shift(atom.found.groupdict().get("we_shift") or atom.found.groupdict().get("we_en")) or 0
    saturday = today - timedelta(days=today.weekday()) + timedelta(days=5 + 7 * shift)
    return max(saturday, today), saturday + timedelta(days=1)


def _week(atom: _Atom, today: date) -> tuple[date, date]:
    shift = _shift(atom.found.groupdict().get("w_shift") or atom.found.groupdict().get("w_en")) or 0
    monday = today - timedelta(days=today.weekday()) + timedelta(days=7 * shift)
    return max(monday, today), monday + timedelta(days=6)


def _month_end(atom: _Atom, today: date) -> tuple[date, date]:
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    if atom.found.group().startswith("下"):
        first = (first + timedelta(days=32)).replace(day=1)
    if atom.found.group().endswith("初"):
        return first, first + timedelta(days=4)
    return first - timedelta(days=5), first - timedelta(days=1)


def _calendar_day(atom: _Atom, today: date) -> date:
    found = atom.found.groupdict()
    if atom.kind == "dom":
        return _day_of_month(number(found["dom"] or "") or 1, today)
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


def _next_date(month: int, day: int, today: date) -> date:
    """The coming one; a date that does not exist (30 February, the 5th of a month 13) is the last day before it."""
    if month > 12:
        month, day = 12, 31
    year = today.year + (month < today.month - 6)
    while True:
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1


_Days = Callable[[_Atom, date], date]
_Spans = Callable[[_Atom, date], tuple[date, date]]
_DAYS: dict[str, _Days] = {
    "day": _near,
    "daypart": _near,
    "weekday": _weekday,
    "enday": _weekday,
    "date": _calendar_day,
    "slash": _calendar_day,
    "endate": _calendar_day,
    "dom": _calendar_day,
}
_SPANS: dict[str, _Spans] = {"weekend": _weekend, "week": _week, "month_end": _month_end}


def _relative(atom: _Atom, now: datetime) -> tuple[datetime | None, datetime | None]:
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


def _is_within(atom: _Atom) -> bool:
    return "内" in atom.found.group() or atom.found.group().startswith("within")
