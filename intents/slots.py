"""What a message states about home, phone, plate and place. Only what is written; nothing guessed.

Everything works on `fold`ed text, whose positions match the message, and blanks out what it has read, so that a phone
is never read as a room. The order matters: order numbers, phones, plates, times, then homes.
"""

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

import msgspec
import phonenumbers

from intents.gates import Gate, Gated, alternatives, marks
from intents.model import Slots
from intents.normalise import clean, fold
from intents.numerals import DIGIT, digit_string
from intents.times import TimePhrase, phrases_of

_CN = "一二三四五六七八九十"
# What units are called where they have no number: 乙单元, 东单元, B单元.
_LETTERS = "a-h甲乙丙丁东西南北中"
_BUILDING_NUMBER = rf"(?:\d{{1,3}}|[{_CN}百零]{{1,4}}|[a-z]\d{{0,2}}(?![a-z])|[甲乙丙丁])"
_AREA = r"(?:(?P<area>[东南西北中](?:区|苑|园|院)|[一二三四五六七八1-8]期)\s*的?\s*)?"
_BUILDING_WORD = (
    r"(?:号楼|號楼|号栋|栋|幢|座(?!机|位|椅|便|垫|谈)|#楼?|号院(?=\d)|(?<=[\da-z])\s*(?:hao lou|dong|zhuang|zuo)\b)"
)
_ROOM_DIGITS = (
    rf"(?:\d{{3,4}}(?!\d)|[{DIGIT}]{{3,4}}(?![{DIGIT}])|"
    rf"[{_CN}]{{2,3}}零[{DIGIT}](?![{DIGIT}])|[{_CN}]零[{DIGIT}](?![{DIGIT}]))"
)
_NOT_ROOM = (
    r"(?!\s*(?:[元块年米度平个人次条斤%万点:：]|k?[mw]h?\b|路|天|小时|分钟|"
    r"多[个元块年天米]|[楼层](?!的?(?:厨|卫|家|住)|[上下])|车位|号?线|\.\d|rmb|yuan|hkd))"
)
_ROOM = (
    rf"(?P<room>{_ROOM_DIGITS}){_NOT_ROOM}(?P<letter>[a-h](?![a-z]))?\s*(?:室|房号|房|户|号房|号(?!楼|线|车|电)|shi\b)?"
)
_FLOOR_FLAT = (
    rf"(?P<floor>\d{{1,2}}|[{_CN}]{{1,3}})\s*(?:楼|层|/f|f)\s*(?:flat|room|rm|"
    r"unit)?\s*(?P<flat>[a-h])(?![a-z])\s*(?:室|座|单位|户)?"
)
_TAIWAN = rf"(?P<zhi>(?:\d{{1,2}}|[{_CN}]{{1,3}})(?:楼|f)\s*之\s*(?:\d{{1,2}}|[{_CN}]))"
_FLOOR_ROOM = rf"(?P<floor2>\d{{1,2}}|[{_CN}]{{1,3}})(?:楼|层)\s*0?(?P<door>\d{{1,2}})\s*(?:室|号房|房|户)"
_DOOR = rf"(?:{_TAIWAN}|{_FLOOR_FLAT}|{_FLOOR_ROOM}|(?:(?:\d{{1,2}}|[{_CN}]{{1,3}})(?:楼|层)\s*的?\s*)?{_ROOM})"
_UNIT = (
    rf"(?P<unit>\d{{1,2}}|[{_CN}]{{1,2}}|(?<![其a-z])[{_LETTERS}](?=\s*单元))\s*(?:单元|单位?(?=\d)|门洞|门(?=\s*[\d{DIGIT}])|"
    rf"梯(?=\s*\d{{3}})|\s*danyuan|\s*dan yuan)"
)
_UNIT_DASH = r"(?P<unit2>\d{1,2})-(?=\d{3,4}(?!\d))"
_GAP = r"[\s,，、\-–—_/.的]*"
_EN_BUILDING = r"\b(?:tower|block|blk|building|bldg|bld|twr)\s*\.?\s*(?:no\.?\s*)?#?(?P<building>\d{1,3}[a-z]?|[a-z])\b"
_EN_ROOM = (
    r"\b(?:flat|room|rm|unit|apt|apartment|suite|"
    r"door)\s*\.?\s*(?:no\.?\s*)?#?\s*(?P<room>\d{3,4}[a-z]?|\d{1,2}-?[a-h])\b"
)
_EN_FLOOR_FLAT = (
    r"(?P<floor>\d{1,2})\s*(?:/\s*f|f\b|(?:st|nd|rd|th)\s*fl(?:oo)?r?)[\s,]*(?:flat|room|"
    r"rm|unit|apt)?\s*(?P<flat>[a-h])\b"
)
_EN_FLAT_FLOOR = (
    r"\b(?:flat|unit|rm|"
    r"room)\s*(?P<flat>[a-h])[\s,]*(?:on\s*)?(?:the\s*)?(?P<floor>\d{1,2})\s*(?:/\s*f|f\b|"
    r"(?:st|nd|rd|th)\s*fl)"
)
_EN_BARE = r"(?P<room>\d{3,4}[a-h]?|\d{1,2}[a-h])\b(?!\s*(?:am|pm|yuan|rmb|hkd|times|days|floor|/f))"
_EN_DOOR = (
    rf"(?:{_EN_FLOOR_FLAT.replace('<floor>', '<floor3>').replace('<flat>', '<flat3>')}|"
    rf"{_EN_FLAT_FLOOR.replace('<floor>', '<floor4>').replace('<flat>', '<flat4>')}|"
    rf"{_EN_ROOM.replace('<room>', '<room2>')}|{_EN_BARE})"
)

# Most telling first; what one has read is blanked before the next looks.
_HOMES = [
    # 3-2-1502, 3#2-1502, 3/2/1502, T3-2-1502
    (
        rf"(?<![\w\-]){_AREA}(?:t|第)?(?P<building>\d{{1,2}}|[a-h])\s*(?:[-–—#/_~、]|栋|"
        rf"幢)\s*(?P<unit>\d{{1,2}})\s*[-–—/_#~、]\s*(?P<room>\d{{3,4}})(?P<letter>[a-h])?(?![\d\-])"
    ),
    # 3栋2单元1502, 东区8号楼1203, F栋4楼之2, 5座12楼A室; the door may be missing
    (
        rf"{_AREA}(?:第\s*)?(?<![a-z\d.])(?P<building>{_BUILDING_NUMBER})\s*{_BUILDING_WORD}{_GAP}(?:(?:{_UNIT}|"
        rf"{_UNIT_DASH}){_GAP})?(?:{_DOOR})?"
    ),
    rf"(?<![\d.])(?P<building>\d{{1,3}}|[{_CN}]{{1,3}})\s*号?楼?{_GAP}{_UNIT}{_GAP}(?:{_DOOR})?",
    # Shanghai and Taiwan: 15号602室, 15号7楼之2
    rf"{_AREA}(?<![\d.第])(?P<building>\d{{1,3}})号\s*(?:{_TAIWAN}|(?P<room>\d{{3,4}})(?!\d)\s*室?)",
    # T3-2005, B-1203, A1203, 3-1502, 3#1502
    r"(?<![\w\-])t\s?(?P<building>\d{1,2})[\s\-–—/,，]*(?P<room>\d{3,4}[a-h]?|\d{1,2}[a-h])(?!\d)",
    r"(?<![\w\-])(?P<building>\d{1,2}|[a-h])\s*[-–—#/]\s*(?P<room>\d{3,4})(?P<letter>[a-h])?(?![\d\-])",
    r"(?<![\w\-])(?P<building>[a-h])(?P<room>\d{4})(?![\d\-\w])",
    # Tower 2 Flat 905, Block C 1203, Building 3 unit 2 room 1502
    rf"{_EN_BUILDING}[\s,]*(?:unit\s*(?P<unit>\d{{1,2}})\b(?!\d)[\s,]*)?(?:{_EN_DOOR})?",
    rf"(?:{_EN_DOOR})[\s,]*(?:\b(?:in|of|at)\b\s*)?{_EN_BUILDING}".replace(_EN_BARE, r"(?P<room>\d{1,2}[a-h])\b"),
    r"(?<![a-z\d])t(?P<building>\d{1,2})(?![\d\w])",
    rf"{_UNIT}{_GAP}(?:{_DOOR})?",
]
_DOORS = [
    (
        r"(?:^|[,，。\s])(?:应该|其实|而)?(?:是|"
        r"系)\s*(?P<room>\d{3,4})(?P<letter>[a-h](?![a-z]))?(?![\d.:\-])\s*(?:室|号|"
        r"[,，。!\s]|$)"
    ),
    rf"(?:{_TAIWAN})",
    rf"(?<![a-z\d]){_FLOOR_FLAT}",
    _EN_FLOOR_FLAT,
    _EN_FLAT_FLOOR,
    _EN_ROOM,
    rf"(?<![\d.]){_FLOOR_ROOM}",
    rf"(?<![\da-z.\-/])(?P<room>{_ROOM_DIGITS})(?P<letter>[a-h])?\s*(?:室|号房|房(?!租|东|产|价|贷|子))",
    (
        r"(?:我家(?:是|住|在)?|我们?(?:家)?(?:是|住在?|在)|家里?是|家?住在?|房号是?|"
        r"门牌号?是?|房间号?是?|业主|本人|这里是|这边是|呢度系|我系|"
        rf"帮)\s*[:：]?\s*(?P<room>{_ROOM_DIGITS})(?P<letter>[a-h](?![a-z]))?{_NOT_ROOM}"
    ),
    # 我302漏水: whoever begins with a number of people, points or pages means no room.
    (
        rf"(?:^|[,，。;；!\s])(?:我们?|咱们?|俺们?|阿拉)家?\s*(?P<room>\d{{3,4}})(?P<letter>[a-h](?![a-z]))?(?![\d:.\-/]){_NOT_ROOM}"
        r"(?!\s*[多几来分秒岁号名页字张票股集级期件步款])"
    ),
    (
        r"\b(?:i'?m (?:in|at|from)|(?:come|go|get|up|over|sent?|someone|him|her|them) to|"
        r"i live (?:in|at)|this is|from|in|at|my (?:flat|room|unit|apartment|place) is|it'?s|"
        r"for)\s+(?P<room>\d{3,4}[a-h]?|\d{1,2}[a-h])\b(?!\s*(?:am|pm|o|yuan|rmb|:))"
    ),
    (
        r"(?:^|[\n。;；])\s*(?:(?:你好|您好|hi|hello|喂|师傅|物业|管家|"
        rf"hey)[啊呀,，!！\s]*)*(?P<room>\d{{3,4}})(?P<letter>[a-h](?![a-z]))?(?![\da-z.:\-/]){_NOT_ROOM}"
    ),
    (
        rf"(?<![\da-z.\-/#])(?P<room>\d{{3,4}})(?![\d.:\-/a-z]){_NOT_ROOM}\s*(?:的?业主|"
        r"这[边户家里]|家里|呢边|[,，]?\s*(?:我家|我们家))"
    ),
    r"^\s*(?P<room>\d{1,2}[a-h])\s*$",
]
_HOME_GATE = Gate((None, pattern) for pattern in _HOMES + _DOORS)

_ORDER = re.compile(
    r"\b[a-z]{2}\s?\d{8}\s?-?\s?\d{3,}|(?:单号|订单号?|工单号?|编号|流水号?|尾号|账号|"
    r"卡号|案号|order(?: no\.?| number)?|ticket(?: no\.?)?|case(?: no\.?)?)\s*(?:是|为|"
    r"[:：#])?\s*#?[a-z\d\-]*\d[a-z\d\-]*"
)
_MONEY = re.compile(
    r"[¥$￥]\s?\d[\d,.]*|(?<![\d,.])\d[\d,.]*\s?(?:多|来)?(?:元|块|rmb|yuan|hkd|蚊|度电|平米|平方|kg|"
    r"公斤|%|万)|\d{1,4}年|[01]?\d月份?(?!\d)",
    re.ASCII,
)
_BAYS = re.compile(
    r"(?:负[一二三四1-4]层?|[bp][1-4]|地下?[一二三123]?层?|车位|停车位|车库|地库|\bbay|"
    r"\bparking(?: space| spot| lot)?|"
    r"\bspace)[\s\-–—号是:#的no.]*[a-z]?[\s\-]?\d{2,4}号?(?:车位)?"
    r"|[a-z]?-?\d{2,4}\s*(?:号)?\s*(?:车位|停车位|泊位)",
)
_CAR_WORDS = re.compile(r"车位|停车|泊|车库|地库|parking|garage|\bbay\b")
_NEGATED = re.compile(
    r"(?:不是|唔系|not)\s*(?P<old>[^,，。;；\n是]{1,14}?)\s*(?:[,，、\s]*)(?=(?:而?是|系|应该是|改成|it'?s|but)\s*\S)"
)
_ELSEWHERE = re.compile(
    r"(?:楼上|楼下|隔壁|隔篱|对门|对面|对过|邻居|上面|下面|头顶|上层|下层|upstairs|"
    r"downstairs|above|below|next door|neighbou?rs?)"
    r"(?:那?[户家]|的|那个|嗰[户家]|邻居|住户|业主|[,，\s(（]|\bat\b|\bin\b|\bflat\b|\bunit\b|\broom\b|是|住)*"
)
_THEIRS = re.compile(
    r"^\s*(?:室|房|户)?(?:的)?\s*(?:那[一个]?[家户人]|嗰[户家]|的?(?:人|租客|租户|狗|猫|"
    r"邻居|住户|小孩|熊孩子|男的|女的)|邻居|住户|租客|租户|养|家养|家的?狗|在?装修|把|"
    r"经常把|总?把|扔|往楼?下|蹦迪|半夜还)|^\s*(?:next door|upstairs|downstairs) (?:is|are|has|have|keeps?|was)\b"
)
_OWN = re.compile(r"(?:我|本人|自己|阿拉|俺)[^,，。]{0,6}$")


_NO_SLOTS = Slots()


@dataclass
class _Home:
    parts: dict[str, str] = field(default_factory=dict)
    begin: int = 0
    end: int = 0


class Found(msgspec.Struct, frozen=True):
    """The slots but `time` and `community`, with the time phrases met on the way, and the text `fold`ed."""

    slots: Slots
    phrases: tuple[TimePhrase, ...]
    folded: str


def find_slots(text: str, communities: Mapping[str, str] | None = None) -> Slots:
    """All slots of `text` but `time` (see `times.find_time`); `communities` maps alias to canonical name."""
    slots = read_slots(text).slots
    return with_community(slots, fold(clean(text)), communities or {})


def read_slots(text: str) -> Found:
    """The slots that need neither clock nor community, and the time phrases for whoever has a clock."""
    text = clean(text)
    folded = fold(text)
    held = marks(folded)
    phone, plate, rest = _numbers(folded)
    phrases = phrases_of(text, folded)
    home = {}
    if _SIGN_GATE.may_match(held) and _HOME_SIGN.search(rest):
        home = _home(text, _without_numbers(rest, phrases), _HOME_GATE.worth_trying(held))
    place = None if _places().marks.isdisjoint(held) else _place(text, folded)
    if not (home or phone or plate or place):
        return Found(_NO_SLOTS, tuple(phrases), folded)
    slots = Slots(
        building=home.get("building"),
        unit=home.get("unit"),
        room=home.get("room"),
        area=home.get("area"),
        phone=phone,
        plate=plate,
        place=place,
    )
    return Found(slots, tuple(phrases), folded)


# Any sign that counts in an order number, a phone or a plate.
_NUMERAL = re.compile(rf"[\d{DIGIT}]")
_SHORTEST_PHONE = 7


def _numbers(folded: str) -> tuple[str | None, str | None, str]:
    """Phone, plate and the text without them and without order numbers; what has too few digits is not looked for."""
    numerals = len(_NUMERAL.findall(folded))
    if not numerals:
        return None, None, folded
    rest = _ORDER.sub(_blank, folded)
    phone, rest = _phone(rest) if numerals >= _SHORTEST_PHONE else (None, rest)
    plate, rest = _plate(rest)
    return phone, plate, rest


def with_community(slots: Slots, folded: str, communities: Mapping[str, str]) -> Slots:
    """The slots with the community that the `fold`ed text names."""
    named = named_community(folded, communities)
    return msgspec.structs.replace(slots, community=named) if named else slots


def named_community(folded: str, communities: Mapping[str, str]) -> str | None:
    """The community that a `fold`ed text names, in whatever script, width or case; the longest alias wins."""
    named = [alias for alias in communities if (plain := _plain(alias)) in folded and _stands_alone(plain, folded)]
    return communities[max(named, key=len)] if named else None


@functools.lru_cache(maxsize=8192)
def _plain(alias: str) -> str:
    """An alias as texts are folded; an empty one becomes what no text holds."""
    return fold(alias).strip() or "\0"


def _stands_alone(plain: str, folded: str) -> bool:
    """Park is not named by parking: an alias in Latin letters is whole words."""
    return not plain.isascii() or re.search(rf"(?<![a-z\d]){re.escape(plain)}(?![a-z])", folded) is not None


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group())


def _cut(text: str, begin: int, end: int) -> str:
    return text[:begin] + " " * (end - begin) + text[end:]


# -- phones

_PHONE = re.compile(
    r"(?<![\d\-])(?:(?:\+|00)(?:86|852|853|886)[\s\-]?|86[\s\-]?(?=1[3-9]))?\(?\d(?:[\s\-.()]{0,2}\d){6,12}(?![\d])",
    re.ASCII,
)
_CN_PHONE = re.compile(
    r"[一幺1][三四五六七八九3-9](?:\s?[零〇一二三四五六七八九幺\d]){9}(?![零〇一二三四五六七八九幺\d])"
)
_PHONE_WORD = re.compile(
    r"电话|手机|号码|联系|致电|打给|打我|tel|phone|mobile|call|whatsapp|contact|reach|"
    r"text me|手提|微信|callback|shouji|dianhua|sms"
)
_MOBILE = re.compile(r"1[3-9]\d{9}")


def _phone(folded: str) -> tuple[str | None, str]:
    """The first phone and the text without any phone."""
    best: str | None = None
    for found in [*_PHONE.finditer(folded), *_CN_PHONE.finditer(folded)]:
        number = _as_phone(found.group(), folded)
        if number:
            best = best or number
            folded = _cut(folded, found.start(), found.end())
    return best, folded


def _as_phone(written: str, context: str) -> str | None:
    digits = re.sub(r"\D", "", digit_string(written), flags=re.ASCII)
    international = written.lstrip("(").startswith(("+", "00"))
    if international or (digits.startswith("86") and len(digits) == 13):
        return _without_country(digits.removeprefix("00"))
    if _MOBILE.fullmatch(digits) or re.fullmatch(r"400\d{7}|09\d{8}", digits):
        return digits
    if digits.startswith("0"):
        return digits if _valid(digits, "CN") or _valid(digits, "TW") else None
    if len(digits) == 8 and digits[0] in "235679" and (_PHONE_WORD.search(context) or _is_alone(written, context)):
        return digits if _valid(digits, "HK") else None
    plain = re.fullmatch(r"\d{7,8}|\d{3,4}[\s\-]\d{4}", written.strip())
    return digits if plain and _PHONE_WORD.search(context) else None


def _is_alone(written: str, context: str) -> bool:
    """Eight digits in two groups of four, or nothing but the number."""
    return bool(re.search(r"\d{4}[\s\-]\d{4}$", written)) or len(context.strip()) <= len(written) + 4


def _without_country(digits: str) -> str:
    for code in ("852", "853", "886", "86"):
        if digits.startswith(code):
            rest = digits.removeprefix(code)
            return "0" + rest if code == "886" and rest.startswith("9") else rest
    return digits


@functools.lru_cache(maxsize=4096)
def _valid(digits: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(digits, region))
    except phonenumbers.NumberParseException:
        return False


# -- plates

_PLATE = re.compile(
    r"(?<![\w])?(?P<plate>[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][a-z][\s·.\-]?(?:(?=[a-z]{0,6}\d)[a-hj-np-z\d]{5,6}(?![a-z\d])|"
    # Cars of Hong Kong and Macau on the mainland: 粤Z1234港.
    r"[a-z\d]{4}[港澳]))",
    re.ASCII,
)
_NAMED_PLATE = re.compile(
    r"(?:车牌号?码?|\bplate(?: number| no\.?)?|registration)\s*(?:是|为|系|is|"
    r"[:：])?\s*(?P<plate>[a-z]{1,3}[\s\-]?\d{2,4}|\d{3,4}[\s\-]?[a-z]{1,3})(?![a-z\d])"
)


def _plate(folded: str) -> tuple[str | None, str]:
    found = _PLATE.search(folded) or _NAMED_PLATE.search(folded)
    if not found:
        return None, folded
    plate = re.sub(r"[\s·.\-]", "", found.group("plate")).upper()
    return plate, _cut(folded, found.start(), found.end())


# -- homes

_SIGN = (
    rf"\d|[零幺〇]|[{_CN}]\s*(?:号|栋|幢|座|单元|期|楼|层)|[{_LETTERS}]\s*单元|[{_CN}][{_CN}][{_CN}]|[a-z甲乙丙丁]\s*[座栋幢]|[东南西北中][区苑园院]"
    r"|tower|block|blk|building|bldg|flat|unit"
)
_HOME_SIGN = re.compile(_SIGN, re.ASCII)
_SIGN_GATE = Gate((None, branch) for branch in alternatives(_SIGN))


def _without_numbers(folded: str, phrases: list[TimePhrase]) -> str:
    """Without what looks like a home and is none: times, sums, parking bays, what is denied, what is a neighbour's."""
    for phrase in phrases:
        folded = _cut(folded, phrase.begin, phrase.end)
    folded = _MONEY.sub(_blank, folded)
    folded = _BAYS.sub(_keep_home, folded)
    for denied in _NEGATED.finditer(folded):
        if re.search(r"\d", denied.group("old")):
            folded = _cut(folded, denied.start("old"), denied.end("old"))
    return folded


def _keep_home(found: re.Match[str]) -> str:
    """B1-1203 is a home unless the words around speak of cars; B2-118 is a bay."""
    is_home = re.fullmatch(r"[bp]\d[\s\-–—]*\d{4}", found.group()) and not _CAR_WORDS.search(found.string)
    return found.group() if is_home else _blank(found)


def _home(text: str, folded: str, patterns: list[Gated[None]]) -> dict[str, str]:
    homes: list[_Home] = []
    for gated in patterns:
        for found in gated.pattern.finditer(folded):
            home = _Home(_parts(found, text), found.start(), found.end())
            if _is_plausible(home, folded):
                homes.append(home)
                folded = _cut(folded, home.begin, home.end)
        if any(_is_whole(home, text) for home in homes):
            break
    return _joined(sorted(homes, key=lambda home: home.begin), text)


def _is_whole(home: _Home, text: str) -> bool:
    """Nothing that could still be found would add to it."""
    return {"building", "unit", "room"} <= home.parts.keys() and not _is_elsewhere(home, fold(text))


def _parts(found: re.Match[str], text: str) -> dict[str, str]:
    groups = {name: value for name, value in found.groupdict().items() if value}
    parts: dict[str, str] = {}
    if "building" in groups:
        parts["building"] = _building(groups["building"])
    if "area" in groups:
        begin, end = found.span("area")
        parts["area"] = text[begin:end]
        if not groups["area"].endswith("期") and "building" in parts:
            parts["building"] = text[begin:end] + parts["building"]
    if unit := groups.get("unit") or groups.get("unit2"):
        parts["unit"] = digit_string(unit).upper().lstrip("0") or "0"
    room = _room(found, groups, text)
    return parts | ({"room": room} if room else {})


def _building(written: str) -> str:
    return digit_string(written).upper().lstrip("0") or written.upper()


def _room(found: re.Match[str], groups: dict[str, str], text: str) -> str | None:
    if "zhi" in groups:
        begin, end = found.span("zhi")
        return text[begin:end].replace(" ", "")
    for floor, flat in (("floor", "flat"), ("floor3", "flat3"), ("floor4", "flat4")):
        if floor in groups:
            return digit_string(groups[floor]) + groups[flat].upper()
    if "floor2" in groups:
        return digit_string(groups["floor2"]) + groups["door"].zfill(2)
    room = groups.get("room") or groups.get("room2")
    return digit_string(room).replace("-", "").upper() + groups.get("letter", "").upper() if room else None


_SHORT_NUMBERS = frozenset({"110", "119", "120", "122", "114", "911", "999", "400", "12345"})


def _is_plausible(home: _Home, folded: str) -> bool:
    if not home.parts:
        return False
    room = home.parts.get("room", "")
    if "unit" not in home.parts and home.parts.get("building", "").isdigit() and room.endswith("00"):
        return False
    if set(home.parts) == {"room"} and (room in _SHORT_NUMBERS or (room.isdigit() and not _is_door(room))):
        return False
    if home.parts.get("building") == "0" or home.parts.get("unit") == "0":
        return False
    if set(home.parts) == {"building"} and home.parts["building"] in ("一", "百", "零"):
        return False
    return folded[home.begin : home.end].strip() != ""


def _is_door(room: str) -> bool:
    return 1 <= int(room[-2:]) <= 40 and int(room[:-2]) >= 1


def _joined(homes: list[_Home], text: str) -> dict[str, str]:
    """One home from the pieces: the resident's own wins over another's, a piece completes what is missing."""
    result: dict[str, str] = {}
    folded_text = fold(text)
    own = [home for home in homes if not _is_elsewhere(home, folded_text)]
    for home in sorted(own, key=lambda home: -len(home.parts)):
        fits = not result or not (set(home.parts) & set(result) & {"building", "unit", "room"})
        if fits:
            result |= home.parts
    if not result:
        for home in homes[:1]:
            result = {name: value for name, value in home.parts.items() if name not in ("room", "unit")}
    return result


def _is_elsewhere(home: _Home, folded: str) -> bool:
    if "room" not in home.parts:
        return False
    before, after = folded[max(0, home.begin - 14) : home.begin], folded[home.end : home.end + 24]
    led = any(found.end() == len(before) for found in _ELSEWHERE.finditer(before))
    return led or bool(_THEIRS.match(after) and not _OWN.search(before))


# -- places


@dataclass(frozen=True)
class _Places:
    marks: frozenset[str]
    named: re.Pattern[str]
    before: re.Pattern[str]
    after: re.Pattern[str]


@functools.cache
def _places() -> _Places:
    data = tomllib.loads(resources.files("intents").joinpath("data/places.toml").read_text("utf-8"))
    named = sorted(data["places"], key=lambda word: (-len(word), word))
    latin = [rf"{re.escape(word)}(?![a-z])" if word.isascii() else re.escape(word) for word in named]
    return _Places(
        frozenset(word[:2] for word in named),
        re.compile("|".join(latin), re.ASCII),
        re.compile(rf"(?:{'|'.join(data['before'])})\s?的?$", re.ASCII),
        re.compile("|".join(data["after"]), re.ASCII),
    )


def _place(text: str, folded: str) -> str | None:
    """The longest public place named, with what says which one it is (2号, 负一层, 门口)."""
    places = _places()
    found = max(places.named.finditer(folded), key=lambda match: len(match.group()), default=None)
    if found is None:
        return None
    before = places.before.search(folded, max(0, found.start() - 6), found.start())
    after = places.after.match(folded, found.end())
    return text[before.start() if before else found.start() : after.end() if after else found.end()].strip()
