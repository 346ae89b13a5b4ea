"""Times, people and places as one says them, in the resident's language. Pure; all moments are local."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.desk import Choice, Member
from workflows.texts import say

_WEEKDAYS = {
    "zh-Hans": "一二三四五六日",
    "zh-Hant": "一二三四五六日",
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def clock(moment: datetime) -> str:
    """8:30, 17:30."""
    return f"{moment.hour}:{moment.minute:02d}"


def day(moment: datetime, now: datetime, language: str) -> str:
    """Today, tomorrow with its weekday, or the date."""
    days = (moment.date() - now.date()).days
    if language == "en":
        named = f"{_WEEKDAYS['en'][moment.weekday()]}"
        dated = f"{named} {moment.day} {_MONTHS[moment.month - 1]}"
        return "today" if days == 0 else f"tomorrow ({named})" if days == 1 else dated
    week = ("週" if language == "zh-Hant" else "周") + _WEEKDAYS[language][moment.weekday()]
    names = {0: "今天", 1: f"明天（{week}）", 2: f"{'後天' if language == 'zh-Hant' else '后天'}（{week}）"}
    return names.get(days, f"{moment.month}月{moment.day}日（{week}）")


def ago(moment: datetime, now: datetime, language: str) -> str:
    """A day that has been, as one speaks of it within a week: 今天, 昨天, 周三; else its date."""
    days = (now.date() - moment.date()).days
    words = {"zh-Hans": ("今天", "昨天"), "zh-Hant": ("今天", "昨天"), "en": ("today", "yesterday")}[language]
    if days < len(words):
        return words[days]
    if days >= 7:
        return day(moment, now, language)
    named = _WEEKDAYS[language][moment.weekday()]
    return f"on {named}" if language == "en" else f"{'週' if language == 'zh-Hant' else '周'}{named}"


def when(moment: datetime, now: datetime, language: str) -> str:
    """今天17:30, 明早8:30, 明天（周三）15:00."""
    if language == "en":
        return f"{clock(moment)} {day(moment, now, language)}"
    early = moment.hour < 10
    days = (moment.date() - now.date()).days
    if early and days == 1:
        return f"明早{clock(moment)}"
    if early and days == 0 and now.hour < 6:
        return f"今早{clock(moment)}"
    return f"{day(moment, now, language)}{clock(moment)}"


def by(moment: datetime, now: datetime, language: str) -> str:
    """今天17:30前; by 17:30 today."""
    return f"by {when(moment, now, language)}" if language == "en" else f"{when(moment, now, language)}前"


def after(moment: datetime, now: datetime, language: str) -> str:
    """明早8:30后; after 8:30 tomorrow."""
    if language == "en":
        return f"after {when(moment, now, language)}"
    return f"{when(moment, now, language)}{'後' if language == 'zh-Hant' else '后'}"


def slot(start: datetime, end: datetime, now: datetime, language: str) -> str:
    """明天（周三）9点到10点; tomorrow (Wed) 9:00 to 10:00."""
    if language == "en":
        return f"{day(start, now, language)} {clock(start)} to {clock(end)}"
    hour = "點" if language == "zh-Hant" else "点"
    first, last = (f"{m.hour}{hour}" if m.minute == 0 else clock(m) for m in (start, end))
    return f"{day(start, now, language)}{first}到{last}"


def person(member: Member | None, language: str, role: str = "supervisor") -> str:
    """The title and name of somebody responsible; the role alone where nobody is named."""
    if member is None:
        return say(language, f"title.{role}")
    if language == "en":
        return f"{member.name} ({member.title})" if member.title else member.name
    return f"{member.title}{member.name}"


def technician(member: Member | None, language: str) -> str:
    """李师傅: a technician is told by surname."""
    word = say(language, "title.technician")
    if member is None or not member.name:
        return word
    return f"{member.name}" if language == "en" else f"{member.name[0]}{word}"


def masked_phone(phone: str) -> str:
    """138****8000."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 8 else phone


def choices(options: Iterable[Choice], language: str) -> str:
    """回1：3栋1101　回2：9栋502."""
    gap = "; " if language == "en" else "　"
    return gap.join(say(language, "where.choice", value=option.value, label=option.label) for option in options)


def listed(parts: Iterable[str], language: str) -> str:
    """Clauses as one sentence; nothing where there are none."""
    found = [part for part in parts if part]
    if not found:
        return ""
    return (", ".join(found) + ".").capitalize() if language == "en" else "，".join(found) + "。"


def is_late_hour(moment: datetime) -> bool:
    """Whether people sleep."""
    return moment.hour >= 22 or moment.hour < 7


def brief(text: str, most: int = 40) -> str:
    """`text` in one line, cut at a clause where it is longer than `most` characters."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    for mark in "。；;，,、 ":
        cut = line.rfind(mark, most // 2, most)
        if cut > 0:
            return line[:cut] + "…"
    return line[: most - 1] + "…"


def soon(now: datetime, minutes: int) -> datetime:
    """`minutes` from now, rounded up to ten."""
    moment = (now + timedelta(minutes=minutes + 9)).replace(second=0, microsecond=0)
    return moment.replace(minute=moment.minute // 10 * 10)
