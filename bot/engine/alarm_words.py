"""How an alarm is worded for groups and staff phones: short, with who has it, and never a resident's phone."""

from datetime import datetime
from typing import Final

from bot import alarm_ways
from bot.clients.robots import GroupMessage
from bot.logs import scrub
from bot.store.records import Alarm
from bot.world import World
from channels.sms import vocabulary
from workflows import texts

TELLING: Final = frozenset({"emergency", "doubtful", "channel"})
"""The kinds whose summary is told. What others hold is for those who may read it in the console: a complaint about
staff, say."""
_WHAT_AT_MOST: Final = 20


def for_group(world: World, alarm: Alarm, what: str, link: str) -> GroupMessage:
    """What a work group is told. `what`: raised, again, taken."""
    if what == "taken":
        return GroupMessage(title=_taken(world, alarm), text=told(alarm))
    return GroupMessage(
        title=title(world, alarm, what), text=body(world, alarm, what), link=link,
        link_label=_say(world, "take"), everybody=alarm.kind == alarm_ways.DANGER,
    )  # fmt: skip


def for_phone(world: World, alarm: Alarm, what: str, link: str) -> str:
    """The text of a staff phone where any text may be sent."""
    words = {"title": title(world, alarm, what), "text": body(world, alarm, what), "link": link}
    return _say(world, "phone", **words)


def approved(world: World, alarm: Alarm) -> dict[str, str]:
    """The values of the text that was approved for this (moment `alarm`): what it is, and when."""
    what = _say(world, "drill_what") if alarm.kind == alarm_ways.DRILL else told(alarm).partition("：")[0]
    values = {"what": what.replace(" ", "")[:_WHAT_AT_MOST], "at": clock(world, alarm.raised_at)}
    try:
        vocabulary.render("alarm", **values)
    except ValueError:  # words that no carrier takes
        values["what"] = _say(world, "what")
    return values


def title(world: World, alarm: Alarm, what: str = "raised") -> str:
    """【险情】翠湖苑."""
    known = world.communities.get(alarm.community_id)
    key = "drill" if alarm.kind == alarm_ways.DRILL else "called_again" if what == "again" else "called"
    kind = _say(world, f"kind.{alarm.kind}")
    return _say(world, key, kind=kind, place=known.name if known else "").strip()


def body(world: World, alarm: Alarm, what: str) -> str:
    """What is told, and since when."""
    if alarm.kind == alarm_ways.DRILL:
        return _say(world, "drill_text", name=alarm.summary)
    at = _say(world, "nobody" if what == "again" else "at", at=clock(world, alarm.raised_at))
    return "\n".join(part for part in (told(alarm), at) if part)


def clock(world: World, moment: datetime) -> str:
    return f"{world.local(moment):%H:%M}"


def told(alarm: Alarm) -> str:
    """What of an alarm is told outside the console, without phone numbers."""
    return scrub(alarm.summary) if alarm.kind in TELLING else ""


def _taken(world: World, alarm: Alarm) -> str:
    member = world.members.get(alarm.acknowledged_by) if alarm.acknowledged_by else None
    at = clock(world, alarm.acknowledged_at or alarm.raised_at)
    return _say(world, "taken", name=member.name if member else "", at=at)


def _say(world: World, key: str, **values: str) -> str:
    return texts.say(world.settings.alarms.language, f"staff.{key}", **values)
