"""The step machine of a form: what a message means while it is open, and what has to be asked next. Pure."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from intents.answers import Answer, asks_back, read_answer
from intents.model import Reading, WishedTime
from intents.times import find_phrases, find_time
from workflows.summary import is_vague, shared

HOME_STEPS = frozenset({"where", "room", "unit", "which", "suggest", "spot", "community"})
"""Steps that ask where."""

LIMITS: Mapping[str, int] = {"danger": 1, "what": 1, "which": 1, "suggest": 1, "room": 1, "spot": 1, "where": 2}
"""How often a question may be asked for one request (desk.md section 12); then the case is recorded without."""

PARTS = ("building", "unit", "room")
SURE = 0.5
"""From this confidence on a reading counts against the context of an open form."""

LONGEST_ANSWER = 60
"""A message longer than this tells a story: a time in it need not be a wish."""

NO_MORE_THAN_A_NO = 12

_PICTURES = re.compile(r"(?:\s*\[(?:图片|圖片|photo|image)\]\s*)+")
_YES = re.compile(
    r"^(?:嗯+|对+|對+|是|好|行|可以|ok(?:ay)?|yes|yep|sure|那行|那好|没错|冇錯|确认|係|啱|得|没问题)(?:的|"
    r"了|啊|呀|吧|嘅|啦)*[,，、\s]*"
    r"(?:(?:那|就|先|请|麻烦|按)*(?:这样|这么|这个|照这样|咁)?(?:提交|记|記|办|辦|投诉|投訴|取消|报|報|"
    r"登记|定|来|下单|安排|查查|查一下|弄|改|恢复|please|go ahead|submit|cancel it|do it)*(?:吧|了|着|"
    r"一下|下|它|掉|啦)*)[。.!！~\s]*$"
    r"|^(?:那|就|那就)*(?:是)?(?:这样|這樣|咁樣?)(?:的|吧|记|办|了)*[。.!！~\s]*$|^(?:那行|那|"
    r"就)?[,，\s]*(?:先|就)(?:提交|这样|这么办?|这么记|登记|报)(?:吧|了)*[。.!！~\s]*$",
    re.IGNORECASE,
)
_CANCEL = re.compile(
    r"(?:不用|唔使|不需要|不必|别|先不|不)(?:再)?(?:报|報|修|登记|办|辦|投诉|投訴|麻烦|弄|处理|来|"
    r"申请)(?:修)?了|^[哎唉那还是\s,，]*算(?:了|啦|咯|數)|(?:自己|又)(?:修|弄)?好(?:了|返)|撤销|撤掉|"
    r"^取消|不用了|"
    r"\b(?:never ?mind|forget (?:it|about it)|cancel (?:it|that|please)?|no need|don'?t bother)\b",
    re.IGNORECASE,
)
_WHETHER = re.compile(r"([来來修报報办辦弄管])不\1")
"""还来不来了: whether somebody comes, and no wish that nobody should."""
_DECLINE = re.compile(
    r"^(?:就|先|还是)?(?:不留|不给|不说|不填|不方便|不想留|没手机|没有手机|唔留|唔方便|no phone)"
    r"(?:了|吧|啦)?[。.!！]*$",
    re.IGNORECASE,
)
_OLD_NEW = re.compile(
    r"(?:不是|唔係|唔是|不对是|"
    r"not)\s*(?P<old>[A-Za-z0-9]{1,11})[^A-Za-z0-9，,。;；\n]{0,4}[\s,，。、;；]*(?:而?是|係|应该是|"
    r"應該是|改成|it'?s|but)\s*(?P<new>[A-Za-z0-9]{1,11})",
    re.IGNORECASE,
)
_NEW_ROOM = re.compile(
    r"(?:是|係|应该是|改成|改为|it'?s|should be|make it)\s*(?P<new>\d{3,4}[A-Ha-h]?|\d{1,2}[A-Ha-h])(?!\d)",
    re.IGNORECASE,
)
_PUTS_RIGHT = re.compile(r"不对|不是|错|唔係|唔啱|更正|改|wrong|sorry|not |typo|actually", re.IGNORECASE)
_BARE_ROOM = re.compile(r"(?<![\d.])(?P<room>\d{3,4}[A-Ha-h]?)(?![\d.:：]|[元块年月日度平米号]|\s*(?:yuan|rmb))")
_STRONG_PLACE = re.compile(
    r"走廊|楼道|樓道|过道|電梯|电梯|大堂|大厅|车库|車庫|地库|停车场|楼梯|天台|大门|小区|花坛|lift|"
    r"elevator|lobby|corridor|hallway|car ?park|garage|stair",
    re.IGNORECASE,
)
_AT_HOME = re.compile(
    r"厨房|廚房|卫生间|厕所|廁所|浴室|洗手间|阳台|客厅|卧室|书房|次卧|主卧|家里|我家|屋企|入户|马桶|"
    r"kitchen|bathroom|bedroom|toilet|living room|my (?:flat|home|place|apartment)",
    re.IGNORECASE,
)
_SOONEST = re.compile(
    r"越快越好|尽快|儘快|尽早|马上来|快点来|asap|as soon as|soonest|earliest|the sooner", re.IGNORECASE
)
_LIKE_NOTHING = frozenset({"other", "smalltalk"})


@dataclass(frozen=True, slots=True)
class Said:
    """One message as a form hears it."""

    text: str
    reading: Reading
    answer: Answer = field(default_factory=Answer)
    pictures: int = 0
    wish: WishedTime | None = None
    """The time that an open form takes as the wished one, although the message alone may not say that it is wished."""
    day: WishedTime | None = None
    """Any time to come that is named: when an application is to begin."""

    @property
    def only_pictures(self) -> bool:
        return self.pictures > 0 and not _PICTURES.sub("", self.text).strip()

    @property
    def sure(self) -> bool:
        return self.reading.confidence >= SURE

    @property
    def asks(self) -> bool:
        """It is a question: about rules rather than about the request that is open."""
        return self.reading.intent == "faq" and (self.reading.confidence >= 0.4 or asks_back(self.text))

    @property
    def is_bare(self) -> bool:
        """Nothing but a time, a number or an address: it answers, whatever it is read as."""
        rest = self.text.replace(self.wish.text, " ") if self.wish is not None else self.text
        return is_vague(rest)

    @property
    def soonest(self) -> bool:
        return _SOONEST.search(self.text) is not None

    @property
    def yes(self) -> bool:
        return self.answer.kind == "yes" or _YES.match(self.text.strip()) is not None

    @property
    def denies(self) -> bool:
        """A no, or a correction that does not say yet what is right."""
        bare = self.answer.kind == "correction" and not self.answer.text and len(self.text) <= NO_MORE_THAN_A_NO
        return self.answer.kind == "no" or bare

    @property
    def cancels(self) -> bool:
        if self.yes or _WHETHER.search(self.text):
            return False
        return self.answer.kind == "cancel" or _CANCEL.search(self.text) is not None


def said(
    text: str, reading: Reading, pictures: int = 0, choice: str | None = None, now: datetime | None = None
) -> Said:
    """A message with its answer read. `choice`: the value of a button that was pressed; `now`: local, to read times."""
    pictures += len(re.findall(r"\[(?:图片|圖片|photo|image)\]", text, re.IGNORECASE))
    wish = reading.slots.time
    if wish is None and now is not None and reading.intent != "faq" and len(text) <= LONGEST_ANSWER:
        wish = find_time(text, now)
    return Said(text, reading, _answer(choice or text), pictures, wish, wish or _coming(text, now))


@functools.lru_cache(maxsize=4096)
def _answer(text: str) -> Answer:
    """Residents answer in the same few words."""
    return read_answer(text)


def _coming(text: str, now: datetime | None) -> WishedTime | None:
    if now is None or len(text) > LONGEST_ANSWER:
        return None
    times = (phrase.resolve(now) for phrase in find_phrases(text))
    return next((time for time in times if (time.end or time.start or "") >= f"{now:%Y-%m-%dT%H:%M}"), None)


def stated(reading: Reading, text: str) -> dict[str, str]:
    """The slots of a message that say where and how to reach somebody."""
    slots = reading.slots
    found = {name: getattr(slots, name) for name in ("building", "unit", "room", "phone", "community")}
    if slots.place and not slots.room and (_STRONG_PLACE.search(slots.place) or not _AT_HOME.search(text)):
        found["place"] = slots.place
    return {name: value for name, value in found.items() if value}


def is_at_home(text: str) -> bool:
    """Whether the words name a room of a home, so that no public place can be meant."""
    return _AT_HOME.search(text) is not None and not _STRONG_PLACE.search(text)


def wish_of(time: WishedTime | None) -> dict[str, Any] | None:
    """A wished time as it is kept."""
    return {"text": time.text, "start": time.start, "end": time.end} if time is not None else None


@dataclass(frozen=True, slots=True)
class Fills:
    """What a message adds to a form and what it puts right."""

    added: Mapping[str, str] = field(default_factory=dict)
    corrected: Mapping[str, str] = field(default_factory=dict)
    wish: dict[str, Any] | None = None
    wish_corrected: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.corrected or self.wish)

    @property
    def all(self) -> dict[str, str]:
        return {**self.added, **self.corrected}

    @property
    def moves(self) -> bool:
        """It says where."""
        return any(name != "phone" for name in self.all)

    @property
    def corrects(self) -> bool:
        return bool(self.corrected) or self.wish_corrected


@dataclass(frozen=True, slots=True)
class View:
    """What the step machine looks at of a form. `owns`: the intents that speak of it."""

    step: str
    known: Mapping[str, str]
    wish: Mapping[str, Any] | None = None
    words: str = ""
    owns: frozenset[str] = frozenset()
    options: int = 0
    takes_time: bool = True
    takes_any_day: bool = False


Meaning = Literal["choose", "yes", "no", "cancel", "decline", "whatever", "fill", "more", "aside"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message means to an open form. `aside`: it speaks of something else, the form stays as it is."""

    meaning: Meaning
    option: int = 0
    fills: Fills = field(default_factory=Fills)


def fills(view: View, heard: Said) -> Fills:
    """What the message states that the form did not know, or knew otherwise."""
    new = stated(heard.reading, heard.text)
    if "place" in new and (view.step not in HOME_STEPS or any(view.known.get(part) for part in PARTS)):
        del new["place"]
    new |= _replaced(view.known, heard.text, new) | _bare_room(view, heard, new)
    added = {name: value for name, value in new.items() if name not in view.known}
    corrected = {name: value for name, value in new.items() if view.known.get(name, value) != value}
    wish = wish_of(heard.day if view.takes_any_day else heard.wish) if view.takes_time else None
    if wish is not None and view.wish is not None and wish["text"] == view.wish.get("text"):
        wish = None
    return Fills(added, corrected, wish, wish_corrected=wish is not None and view.wish is not None)


def _replaced(known: Mapping[str, str], text: str, read: Mapping[str, str]) -> dict[str, str]:
    """不是A，是H: the part of the home that was wrong, where no reader of whole homes can tell which."""
    found = _OLD_NEW.search(text)
    if found:
        old, new = found["old"].upper(), found["new"].upper()
        for part in ("room", "unit", "building", "phone"):
            value = known.get(part, "").upper()
            if value and value == old:
                return {part: new}
            if value and len(old) < len(value) and value.endswith(old) and part in {"room", "phone"}:
                return {part: value[: -len(old)] + new}
    bare = _NEW_ROOM.search(text) if "phone" not in read else None
    if bare and known.get("room") and "room" not in read and _PUTS_RIGHT.search(text):
        return {"room": bare["new"].upper()}
    return {}


def _bare_room(view: View, heard: Said, read: Mapping[str, str]) -> dict[str, str]:
    """Where the building is known and the home was asked for, a number that looks like a room is one."""
    asked = (
        view.step in HOME_STEPS and view.known.get("building") and not view.known.get("room") and not read.get("room")
    )
    found = _BARE_ROOM.search(heard.text) if asked and not heard.reading.slots.phone else None
    return {"room": found["room"].upper()} if found else {}


def hear(view: View, heard: Said) -> Heard:
    """What the message means to the form."""
    if view.options and heard.answer.kind == "choice":
        picked = heard.answer.choice or 0
        return Heard("choose", view.options if picked == -1 else picked)
    found = fills(view, heard)
    if not _is_aside(view, heard, found):
        meaning = _plain(view, heard, found)
        if meaning is not None:
            return Heard(meaning, fills=found)
    return Heard("aside")


def _plain(view: View, heard: Said, found: Fills) -> Meaning | None:
    cancels = heard.cancels and not found.wish and not any(part in found.all for part in PARTS)
    repeated = any(part in stated(heard.reading, heard.text) for part in PARTS)
    meant: tuple[tuple[Meaning, bool], ...] = (
        ("cancel", cancels),
        ("fill", bool(found)),
        ("yes", heard.yes or (not view.step and repeated and heard.is_bare)),
        ("decline", heard.answer.kind == "decline" or _DECLINE.match(heard.text.strip()) is not None),
        ("whatever", (repeated and view.step in HOME_STEPS) or heard.answer.kind == "whatever"),
        ("no", heard.denies),
        ("more", _is_more(view, heard)),
    )
    return next((meaning for meaning, is_meant in meant if is_meant), None)


def _is_more(view: View, heard: Said) -> bool:
    """Further words about the same thing."""
    intent = heard.reading.intent
    if view.step == "what" or intent in view.owns:
        return True
    if not view.takes_time and heard.wish is not None:
        return False
    if shared(heard.text, view.words):
        return True
    return not view.step and intent == "other" and len(heard.text) >= 4 and heard.reading.confidence < 0.9


def _is_aside(view: View, heard: Said, found: Fills) -> bool:
    """Whether the message speaks of something else than the open form."""
    if heard.asks and not found.moves:
        return True
    intent = heard.reading.intent
    answers = heard.yes or heard.cancels or heard.answer.kind in {"decline", "whatever"}
    placed = view.step in HOME_STEPS and found.moves
    if intent in view.owns or intent in _LIKE_NOTHING or answers or placed or (found and heard.is_bare):
        return False
    if intent == "progress":
        return heard.sure and not found
    return heard.sure and not (found and shared(heard.text, view.words))


@dataclass(frozen=True, slots=True)
class Needs:
    """What a request still lacks, as the step machine sees it. `where`: the kind of place found (`workflows.where`)."""

    vague: bool = False
    where: str = "unknown"
    place: bool = False
    """A public place was named, only not which one."""
    nearest: bool = False
    declined: bool = False
    community: bool = True
    asked: Mapping[str, int] = field(default_factory=dict)


def next_step(needs: Needs) -> str:
    """The next question; empty where the request is to be recorded now."""
    for step in _wanted(needs):
        if needs.asked.get(step, 0) < LIMITS[step]:
            return step
    return "" if needs.community else "stuck"


def _wanted(needs: Needs) -> list[str]:
    wanted = ["what"] if needs.vague else []
    if needs.declined and needs.community:
        return wanted
    by_kind = {
        "several": ["which", "where"],
        "building": ["room"] if needs.community else ["where"],
        "absent": ["suggest"] if needs.nearest else ["room"],
        "unknown": ["spot"] if needs.place and needs.community else ["where"],
    }  # fmt: skip
    return wanted + by_kind.get(needs.where, [])
