"""The words of time: tables and the one pattern that finds them in folded text."""

import functools
import re
from collections.abc import Iterable

from intents.gates import first_signs

# From and to, in minutes of the day. Wide on purpose: the resident named a part of the day, not a slot.
PARTS = {
    "dawn": (0, 6 * 60),
    "early": (7 * 60, 9 * 60),
    "morning": (8 * 60, 12 * 60),
    "noon": (12 * 60, 14 * 60),
    "afternoon": (12 * 60, 18 * 60),
    "dusk": (17 * 60, 19 * 60),
    "evening": (18 * 60, 22 * 60),
    "night": (22 * 60, 24 * 60),
}
PART_WORDS = {
    "凌晨": "dawn",
    "一大早": "early",
    "一早": "early",
    "清晨": "early",
    "大清早": "early",
    "朝早": "morning",
    "朝头早": "morning",
    "早上": "morning",
    "早晨": "morning",
    "上午": "morning",
    "上昼": "morning",
    "中午": "noon",
    "正午": "noon",
    "午间": "noon",
    "晏昼": "afternoon",
    "午后": "afternoon",
    "下午": "afternoon",
    "下昼": "afternoon",
    "傍晚": "dusk",
    "晚上": "evening",
    "夜晚": "evening",
    "晚黑": "evening",
    "晚间": "evening",
    "夜里": "night",
    "半夜": "night",
    "深夜": "night",
    "夜间": "evening",
    "morning": "morning",
    "afternoon": "afternoon",
    "evening": "evening",
    "night": "evening",
    "noon": "noon",
    "midday": "noon",
    "lunchtime": "noon",
    "midnight": "night",
    "shangwu": "morning",
    "xiawu": "afternoon",
    "wanshang": "evening",
    "zaoshang": "morning",
    "zhongwu": "noon",
}
DAY_WORDS = {
    "大后天": 3,
    "大后日": 3,
    "后天": 2,
    "后日": 2,
    "后儿": 2,
    "明后两天": 1,
    "明后天": 1,
    "今明两天": 0,
    "明天": 1,
    "明日": 1,
    "明儿个": 1,
    "明儿": 1,
    "明朝": 1,
    "听日": 1,
    "今天": 0,
    "今日": 0,
    "今儿个": 0,
    "今儿": 0,
    "当天": 0,
    "前天": -2,
    "前日": -2,
    "昨天": -1,
    "昨日": -1,
    "昨儿": -1,
    "寻日": -1,
    "琴日": -1,
    "噚日": -1,
    "day after tomorrow": 2,
    "tomorrow": 1,
    "tmr": 1,
    "tmrw": 1,
    "today": 0,
    "yesterday": -1,
    "mingtian": 1,
    "houtian": 2,
    "jintian": 0,
}
# A day and a part of it in one word.
DAY_PARTS = {
    "今晚": (0, "evening"),
    "今夜": (0, "evening"),
    "今早": (0, "morning"),
    "今朝": (0, "morning"),
    "明早": (1, "morning"),
    "明晚": (1, "evening"),
    "明晨": (1, "early"),
    "听朝": (1, "morning"),
    "听晚": (1, "evening"),
    "后晚": (2, "evening"),
    "昨晚": (-1, "evening"),
    "昨夜": (-1, "evening"),
    "昨早": (-1, "morning"),
    "寻晚": (-1, "evening"),
    "琴晚": (-1, "evening"),
    "噚晚": (-1, "evening"),
    "前晚": (-2, "evening"),
    "tonight": (0, "evening"),
}
WEEKDAYS = {sign: index for index, sign in enumerate("一二三四五六日")} | {"天": 6} | {str(n + 1): n for n in range(6)}
WEEKDAYS |= {"拜六": 5, "拜日": 6}
ENGLISH_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
ENGLISH_SHORT = {"mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6}
_HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
SPOKEN_HOURS = {word: hour for hour, word in enumerate(_HOURS, 1)}
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH = "|".join(MONTHS) + "|" + "|".join(sorted({m[:3] for m in MONTHS} | {"sept"}))

_N = r"(?:\d{1,2}|二十[一二三四五六七八九]?|三十一?|十[一二三四五六七八九]?|[一二三四五六七八九两])"
_WEEK = "(?:周|星期|礼拜)"
_NOT_DATE = (
    r"(?!\s*(?:楼|栋|幢|座|门|院|电梯|梯|单元|\d|车|位|桩|机|库|铺|柜|岗|亭|线|房|室|地|"
    r"会所|工|师|泵|出?口|业主|公|商|员|大))"
)


def _words(words: Iterable[str]) -> str:
    ordered = sorted(words, key=lambda word: (-len(word), word))
    return "|".join(rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in ordered)


# Public holidays by the name that the `holidays` package gives them; the others by month and day.
HOLIDAYS: dict[str, str | tuple[int, int]] = {
    "元旦": "New Year's Day",
    "除夕": "Chinese New Year's Eve",
    "年三十": "Chinese New Year's Eve",
    "春节": "Chinese New Year (Spring Festival)",
    "过年": "Chinese New Year (Spring Festival)",
    "过完年": "Chinese New Year (Spring Festival)",
    "农历新年": "Chinese New Year (Spring Festival)",
    "清明": "Tomb-Sweeping Day",
    "五一": "Labor Day",
    "劳动节": "Labor Day",
    "端午": "Dragon Boat Festival",
    "中秋": "Mid-Autumn Festival",
    "国庆": "National Day",
    "圣诞": (12, 25),
    "christmas": (12, 25),
    "new year's day": "New Year's Day",
    "chinese new year": "Chinese New Year (Spring Festival)",
    "spring festival": "Chinese New Year (Spring Festival)",
    "national day": "National Day",
}

ATOMS: list[tuple[str, str]] = [
    (
        "recurring",
        (
            r"每天|天天|日日|每日|每晚|晚晚|每周|每个?(?:星期|礼拜|月|年)|平时|工作日|"
            r"\bevery ?(?:day|night|week|morning)?\b|\bdaily\b|整天|整晚|一天到晚|成日"
        ),
    ),
    (
        "past",
        (
            r"上上?个?(?:周|星期|礼拜)[一二三四五六日天]?|上个?月|去年|前年|前几天|前两天|"
            r"前段时间|刚才|刚刚|\blast (?:week|month|year|night|[a-z]+day)|\bago\b|之前就"
        ),
    ),
    ("since", r"从(?=[今昨前周星礼明早凌上下晚半夜\d一二三四五六七八九十])|自从|\bsince\b|打从"),
    (
        "rel",
        (
            rf"(?P<rel_n>半|{_N}|\d+)\s*个?半?(?P<rel_u>小时|钟头|分钟|天|日|周|星期|"
            r"礼拜)\s*(?P<rel_s>以?之?后|以?之?内|过后)"
        ),
    ),
    ("in", r"\b(?:in|within) (?P<in_n>\d+|a|an|one|two|three|half an) (?P<in_u>minute|hour|day|week)s?\b"),
    # Names no day of its own, but which days the clock time after it is for.
    ("some_days", r"(?:这|呢|近|最近|接下来)(?:一?两|几|三)[天日]"),
    ("daypart", _words(DAY_PARTS)),
    ("day", rf"(?:the )?(?:{_words(DAY_WORDS)})"),
    ("weekend", rf"(?P<we_shift>下下|下个?|这个?|本)?(?:{_WEEK}末)|\b(?:(?P<we_en>next|this|the|at the) )?weekend\b"),
    (
        "weekday",
        (
            r"(?P<wd_shift>下下个?|下个?|这个?|本|今个?|"
            rf"呢个?)?{_WEEK}(?P<wd>[一二三四五六日天](?!期)|[1-6](?![\d期]))|"
            r"(?P<wd_bai>拜[一二三四五六日])"
        ),
    ),
    (
        "enday",
        (
            rf"\b(?:(?P<en_shift>next|this(?: coming)?|coming) )?"
            rf"(?P<en_day>{'|'.join(ENGLISH_DAYS)}|{'|'.join(ENGLISH_SHORT)})s?\b\.?"
        ),
    ),
    (
        "week",
        r"(?P<w_shift>下下个?|下个?|这个?|本)(?:周|星期|礼拜)(?![一二三四五六日天末])|\b(?P<w_en>next|this) week\b",
    ),
    ("date", rf"(?:(?:\d{{4}}|今|明)年)?(?P<mo>{_N})月(?P<da>{_N})[日号]?"),
    (
        "slash",
        (
            r"(?<![\d/\-.#栋幢座])(?P<s_mo>1[0-2]|0?[1-9])[/.](?P<s_da>3[01]|[12]\d|0?[1-9])(?:号|"
            r"日)?(?![\d/\-#.%元块万个]|\s*(?:f\b|flat))"
        ),
    ),
    (
        "endate",
        (
            rf"\b(?P<e_da>3[01]|[12]\d|[1-9])(?:st|nd|rd|th)? (?:of )?(?P<e_mo>{_MONTH})\b|"
            rf"\b(?P<f_mo>{_MONTH})\.? (?P<f_da>3[01]|[12]\d|[1-9])(?:st|nd|rd|th)?\b(?! ?(?:am|pm|"
            r":))"
        ),
    ),
    (
        "dom",
        (
            r"(?<![\d栋幢座#\-一二三四五六七八九十第])(?:这个月|本月|下个?月)?(?P<dom>3[01]|"
            r"[12]\d|[1-9]|二十[一二三四五六七八九]?|三十一?|十[一二三四五六七八九]?|"
            rf"[一二三四五六七八九])号{_NOT_DATE}"
        ),
    ),
    (
        # "on the 28th"; what is counted otherwise than by days of the month has its noun behind it.
        "ordinal",
        (
            r"\bthe (?P<o_da>3[01]|[12]\d|[1-9])(?:st|nd|rd|th)\b(?!\s*(?:floor|level|store?y|time|lift|block|tower|"
            r"building|door|flat|unit|person|week|month|day|call|re\w+|visit|attempt|year|row|bay|one|of))"
        ),
    ),
    ("holiday", rf"(?:{_words(HOLIDAYS)})(?:节(?!日快|快)|假期|放假)?"),
    ("month_end", r"(?:这个|本|下个?)?月[底初]"),
    ("part", _words(PART_WORDS)),
    ("colon", r"(?<![\d:])(?P<c_h>[01]?\d|2[0-4])[:：](?P<c_m>[0-5]\d)(?:\s*(?P<c_ap>[ap])\.?m\b\.?)?(?![\d:])"),
    (
        "ampm",
        (
            r"(?<![\d:.])(?P<a_h>1[0-2]|0?[1-9])(?:[.:](?P<a_m>[0-5]\d))?\s*(?P<ap>[ap])\.?m\b\.?|"
            r"(?P<oc>1[0-2]|[1-9])\s*o['’]?clock"
        ),
    ),
    (
        "spoken",
        (
            r"\b(?P<sp_m>half past|quarter past|quarter to) (?P<sp_h>1[0-2]|[1-9]|one|two|three|four|five|six|seven|"
            r"eight|nine|ten|eleven|twelve)\b"
        ),
    ),
    (
        "clock",
        (
            rf"(?<![\d.第半零])(?!(?<=[^\s,，。.午上晨夜天日号末到至约在改成一二三四五六])一点)"
            rf"{_N.replace('(?:', '(?P<k_h>', 1)}(?:点钟?|"
            r"时(?!候|间|代|常|不时))(?![都也儿]|不|没|小|建议|问题|意见|要求|心|名|个|点|"
            r"五?万)(?P<k_m>半(?!夜)|[一三]刻|整|[0-5]\d分?|"
            r"[一二三四五]?十[一二三四五六七八九]?分?)?"
        ),
    ),
    (
        "bare",
        (
            r"(?<![\d:.\-/#])(?P<b_h>1\d|2[0-3]|[1-9])(?=\s*(?:-|–|—|~|到|至|to|and)\s*(?:1\d|"
            r"2[0-3]|[1-9])\s*(?:点|pm|am))|"
            # "between 10 and 12" says by its first word that the numbers are hours.
            r"(?:(?<=between )|(?<=between \d and )|(?<=between \d\d and ))(?P<b_of>1[0-2]|[1-9])(?![\d:.]| ?[ap]\.?m)"
        ),
    ),
    (
        "to",
        (
            r"\s*(?:-|–|—|~|到|至|\bto\b|\btill?\b|\buntil\b|"
            r"\band\b)\s*(?=[\d一二三四五六七八九十两早上中下晚午傍凌明后周星礼n]|[a-z])"
        ),
    ),
    (
        "or",
        (
            r"\s*(?:或者?是?|还是|要么|、|\bor\b)\s*(?=[周星礼明后今下上早中晚\d]|mon|tue|wed|thu|fri|sat|sun|tom|the|next"
            r"|any|in the|morning|after|eve)"
        ),
    ),
    (
        "after",
        (
            r"以后|之后|过后|后(?!面|门|天|日|院|台|勤|来|果|续|悔|期|儿)|放工后|下班后|"
            r"(?:\bany ?time )?\bafter\b|\bfrom\b|\bonwards?\b|开始|起(?!来|火|码)"
        ),
    ),
    ("before", r"以前|之前|前(?!面|门|天|台|几|两|段|年|日|后|晚|院)|\bbefore\b|\bby\b|\bbefore the\b"),
    ("around", r"左右|前后|钟|\baround\b|\babout\b|\bany ?time\b|\bthe\b"),
    ("all", r"全天|一整天|整日|成日都|任何时间|随时|\ball day\b"),
    ("joint", r"[\s,，的嘅]+(?:\bon\b|\bat\b|\bin the\b|\bin\b)?\s*|\b(?:on|at|in the|between)\b\s*"),
]
# The signs each atom can begin with: most signs of most messages begin none.
_FIRSTS = {kind: first_signs(pattern) for kind, pattern in ATOMS}


@functools.lru_cache(maxsize=1024)
def atom_beginning(sign: str) -> re.Pattern[str] | None:
    """The pattern of the atoms that can begin with this sign; of several the first in the list wins."""
    kinds = tuple(kind for kind, firsts in _FIRSTS.items() if firsts is None or sign in firsts)
    return _either(kinds) if kinds else None


@functools.cache
def _either(kinds: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{kind}_>{pattern})" for kind, pattern in ATOMS if kind in kinds), re.ASCII)


ANCHORS = frozenset(
    {
        "day",
        "daypart",
        "weekday",
        "enday",
        "weekend",
        "week",
        "date",
        "slash",
        "endate",
        "dom",
        "month_end",
        "ordinal",
        "holiday",
        "rel",
        "in",
    }
)
CLOCKS = frozenset({"colon", "ampm", "clock", "bare", "spoken"})
SOLID = ANCHORS | CLOCKS | {"part"}
EDGES = frozenset({"after", "before", "around", "all"})
