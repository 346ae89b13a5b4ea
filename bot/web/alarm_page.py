"""The page behind the link of an alarm: what, where, and one button. Looking at it changes nothing.

Programs that look into messages for previews and viruses follow links: only the button, a POST, acknowledges. The link
is signed, serves once and for a quarter of an hour; afterwards the page says who has it.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from aiohttp import web

from bot import alarm_ways
from bot.desk import Alarm
from bot.engine import alarm_words
from bot.errors import Conflict, NotFound
from bot.links import PATH, Link
from bot.store import alarm_sends, alarms, staff
from bot.store.base import NOBODY, Row
from bot.store.roster import DUTIES
from bot.web import alarm_acts
from bot.web.console import texts, view
from bot.web.context import CONTEXT, Context
from bot.world import Member

_STATIC: Final = Path(__file__).parent / "static" / "alarm"
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address is the key
    "X-Robots-Tag": "noindex",
}
_STATUS: Final = {"open": 200, "taken": 200, "closed": 200, "expired": 410, "unknown": 404, "late": 409}


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands behind a link now."""

    send: Row
    alarm: Row
    people: tuple[Member, ...]
    """Who may say that they have it: whose phone it went to, or those of the group that it was addressed to."""
    language: str
    """Of the person, where it is one's own link."""


def add_routes(app: web.Application) -> None:
    """Put the page on the listener that is reached from outside."""
    app.router.add_static(f"{PATH}/static", _STATIC)
    app.router.add_get(f"{PATH}/{{token}}", show)
    app.router.add_post(f"{PATH}/{{token}}", acknowledge)


async def show(request: web.Request) -> web.Response:
    """GET: how it stands."""
    link, seen = await _seen(request)
    return _page(request, _state(request.app[CONTEXT], link, seen), seen)


async def acknowledge(request: web.Request) -> web.Response:
    """POST: somebody has it."""
    context = request.app[CONTEXT]
    link, seen = await _seen(request)
    state = _state(context, link, seen)
    if state != "open" or seen is None:
        return _page(request, "late" if state == "taken" else state, seen)
    given = str((await request.post()).get("staff", ""))
    member = next((one for one in seen.people if str(one.id) == given), None)
    if member is None:
        return _page(request, "open", seen)
    try:
        await alarm_acts.take(context, seen.alarm, member, seen.send)
    except Conflict:
        _, seen = await _seen(request)
        return _page(request, "late", seen)
    return web.Response(status=303, headers={"Location": request.path, **_HEADERS})


async def _seen(request: web.Request) -> tuple[Link | None, Seen | None]:
    context = request.app[CONTEXT]
    link = context.links.read(request.match_info["token"])
    if link is None:
        return None, None
    try:
        return link, await context.database.read(_look, context, link.row_id, context.clock.now())
    except NotFound:
        return None, None


def _look(conn: sa.Connection, context: Context, row_id: UUID, now: datetime) -> Seen:
    send = alarm_sends.get(conn, row_id)
    alarm = alarms.get(conn, send["alarm_id"]) if send is not None else None
    if send is None or alarm is None:
        raise NotFound("link")
    if send["way"] == "sms":
        person = staff.get(conn, UUID(send["target"]))
        member = context.world.members.get(UUID(send["target"]))
        return Seen(send, alarm, (member,) if member else (), person["language"] if person else "")
    ids = alarms.addressed(conn, alarm["id"])
    people = [member for member in context.world.members.values() if member.id in ids]
    return Seen(send, alarm, tuple(people or _on_duty(context, alarm, now)), "")


def _on_duty(context: Context, alarm: Row, now: datetime) -> list[Member]:
    """An alarm that is addressed to nobody by name is for whoever is on duty; else for those above the desk."""
    world, place = context.world, alarm["community_id"]
    places = [place] if place != NOBODY else list(world.communities)
    found = {member.id: member for one in places for member in world.on_duty(one, DUTIES, now)}
    above = (member for one in places for member in world.with_role("supervisor", one))
    return list((found or {member.id: member for member in above}).values())


def _state(context: Context, link: Link | None, seen: Seen | None) -> str:
    if link is None or seen is None:
        return "unknown"
    if seen.alarm["acknowledged_at"] is not None:
        return "taken"
    if seen.alarm["closed_at"] is not None:
        return "closed"
    minutes = context.settings.alarms.link_minutes
    return "open" if link.lasts(context.clock.now(), minutes) else "expired"


def _page(request: web.Request, state: str, seen: Seen | None) -> web.Response:
    context = request.app[CONTEXT]
    language = texts.known(seen.language) if seen is not None and seen.language else _asked_for(request)
    values: dict[str, Any] = {"state": state, "t": _say(language), "language": language, "path": request.path}
    values["kind"] = ""
    if seen is not None:
        values |= _told(context, seen)
    html = view.environment().get_template("alarm_page.html").render(values)
    return web.Response(text=html, status=_STATUS[state], content_type="text/html", headers=_HEADERS)


def _told(context: Context, seen: Seen) -> dict[str, Any]:
    world, alarm = context.world, Alarm.of(seen.alarm)
    taker = world.members.get(alarm.acknowledged_by) if alarm.acknowledged_by else None
    place = world.communities.get(alarm.community_id)
    return {
        "kind": alarm.kind,
        "place": place.name if place else "",
        "words": alarm_words.told(alarm),
        "starter": alarm.summary if alarm.kind == alarm_ways.DRILL else "",
        "raised_at": alarm_words.clock(world, alarm.raised_at),
        "people": seen.people,
        "personal": seen.send["way"] == "sms",
        "taker": taker.name if taker else "",
        "taken_at": alarm_words.clock(world, alarm.acknowledged_at) if alarm.acknowledged_at else "",
    }


def _say(language: str) -> Any:
    return lambda key, **values: texts.say(language, key, **values)


def _asked_for(request: web.Request) -> str:
    """English where the browser asks for it before any Chinese."""
    wanted = request.headers.get("Accept-Language", "").lower()
    english, chinese = wanted.find("en"), wanted.find("zh")
    return "en" if english >= 0 and (chinese < 0 or english < chinese) else "zh-Hans"
