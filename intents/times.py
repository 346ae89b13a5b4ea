"""Wished times in a message: found as phrases over the text as written, resolved against a clock given."""

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from intents.gates import Gate, alternatives, marks
from intents.model import WishedTime
from intents.normalise import clean, fold
from intents.time_resolver import Atom, Resolver, day_offset
from intents.time_words import (
    ANCHORS,
    ATOMS,
    CLOCKS,
    EDGES,
    SOLID,
    atom_beginning,
)

_MAY_HOLD_TIME = re.compile(
    r"[点时日天周末拜月号早晚午昼朝夜晨节]|星期|小时|分钟|全天|元旦|除夕|五一|过年|过完年|\d:|\d ?[ap]\.?m|\d/\d|day|"
    r"tomorrow|tmr|tonight|morning|noon|evening|hour|minute| past |quarter to|between|christmas|new year|the \d"
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
    r"^(?:[,，\s]*)(?:'s\b|[^,，。]{0,5}几点|我?们?(?:都|也|家里?)?(?:不在|没人|没空|不方便|不行|别来|不要来|唔得|冇人|唔喺)|"
    r"(?:i )?(?:won't|not|isn't|doesn't|don't)\b|就(?!可以|行|来|好|方便|在|有)|的时候|"
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
    r"booked|was|were|cancel|ban|allowed|permitted|except|除了|不要|别|唔好)[\s的]*(?:on|for|in|it)?\s*$",
    re.ASCII,
)


# Days named as loosely as this are wishes only where words around say so.
_VAGUE = frozenset({"in", "rel", "week", "month_end", "dom", "ordinal", "holiday"})


class TimePhrase(msgspec.Struct, frozen=True):
    """A stretch of a message that names a time.

    `wished`: somebody is to come or act then; `sure`: the words around say so; `alone`: the message is nothing else.
    """

    text: str
    begin: int
    end: int
    atoms: tuple[Atom, ...]
    wished: bool
    sure: bool
    alone: bool

    def resolve(self, now: datetime) -> WishedTime:
        """The phrase as local time, seen from `now` (the community's local time)."""
        start, end = Resolver(self.atoms, now.replace(tzinfo=None, second=0, microsecond=0)).span()
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


def _atoms(folded: str) -> Iterator[Atom]:
    place = 0
    while place < len(folded):
        pattern = atom_beginning(folded[place])
        found = pattern.match(folded, place) if pattern else None
        if found:
            yield Atom((found.lastgroup or "").removesuffix("_"), place, found.end(), found)
        place = found.end() if found else place + 1


def _runs(folded: str) -> list[list[Atom]]:
    runs: list[list[Atom]] = [[]]
    for atom in _atoms(folded):
        if runs[-1] and (atom.begin != runs[-1][-1].end or _starts_anew(runs[-1], atom)):
            runs.append([])
        runs[-1].append(atom)
    trimmed = [_trim(run) for run in runs]
    return [run for run in trimmed if any(atom.kind in SOLID for atom in run)]


def _starts_anew(run: list[Atom], atom: Atom) -> bool:
    solid = [before for before in run if before.kind not in ("joint", "around")]
    if not solid or solid[-1].kind in ("to", "or"):
        return False
    kinds = {before.kind for before in solid}
    if atom.kind in ANCHORS:
        return bool(kinds & CLOCKS or kinds & {"part", atom.kind}) and not _english_order(solid, atom)
    return atom.kind in CLOCKS and bool(kinds & CLOCKS)


def _english_order(solid: list[Atom], atom: Atom) -> bool:
    """In English the clock comes first: "after 6pm on Thursday"."""
    return (
        atom.kind in ("enday", "day", "endate", "ordinal")
        and atom.found.group().isascii()
        and not any(before.kind in ANCHORS for before in solid)
    )


def _trim(run: list[Atom]) -> list[Atom]:
    while run and (
        run[-1].kind in ("joint", "to", "or") or (run[-1].kind in EDGES and run[-1].found.group().isascii())
    ):
        run = run[:-1]
    while run and not _may_lead(run):
        run = run[1:]
    return run


def _may_lead(run: list[Atom]) -> bool:
    if run[0].kind in SOLID or run[0].kind in ("recurring", "past", "since", "some_days"):
        return True
    words = run[0].found.group()
    return run[0].kind in ("after", "before", "all") and (words.isascii() or run[0].kind == "all") and len(run) > 1


def _phrase(text: str, folded: str, run: list[Atom]) -> TimePhrase:
    begin, end = run[0].begin, run[-1].end
    wished, sure = _judge(folded, run, begin, end)
    return TimePhrase(
        text[begin:end].strip(" ,，"), begin, end, tuple(run), wished, sure, _is_alone(folded, begin, end)
    )


def _judge(folded: str, run: list[Atom], begin: int, end: int) -> tuple[bool, bool]:
    """Whether somebody is to come or act then, and whether words around say so."""
    kinds = {atom.kind for atom in run}
    before, after = folded[max(0, begin - 14) : begin], folded[end : end + 18]
    if kinds & {"recurring", "past", "since"} or day_offset(run) < 0 or _NO_WISH_BEFORE.search(before):
        return False, False
    if _is_alone(folded, begin, end):
        return True, True
    if _NO_WISH_AFTER.match(after):
        return False, False
    cue = bool(_COMING.search(re.split(r"[。！？!?\n;；]", after)[0]) or _ASKING.search(before))
    if kinds & EDGES and kinds & (CLOCKS | {"part"}):
        cue = True
    if _HAPPENED.match(after) and day_offset(run) <= 0 and not re.search("[吗嘛么?？]|好了|行了|得了", after):
        return False, False
    return _by_kind(run, kinds, cue)


def _is_alone(folded: str, begin: int, end: int) -> bool:
    return not folded[:begin].strip(" ,，。就那嗯好") and not folded[end:].strip(" ,，。!！~吧呀啊哈嘛来")


def _by_kind(run: list[Atom], kinds: set[str], cue: bool) -> tuple[bool, bool]:
    if kinds & (ANCHORS - _VAGUE) and not _is_today(run):
        return True, cue
    return cue, cue


def _is_today(run: list[Atom]) -> bool:
    return any(atom.kind in ("day", "daypart") for atom in run) and day_offset(run) == 0


def _minutes(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="minutes") if moment else None
