"""From data to a page: parts that refresh by themselves, words in the person's language, times as the community's
clock shows them.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import jinja2
import sqlalchemy as sa
from aiohttp import web
from markupsafe import Markup

from bot.errors import NotFound
from bot.store import alarms, inbox
from bot.store.base import NOBODY, Row
from bot.web.access import Person
from bot.web.console import labels, masks, texts
from bot.web.context import CONTEXT, Context
from bot.web.rights import Act
from bot.world import World

ENV = web.AppKey("console_environment", jinja2.Environment)
_TEMPLATES = Path(__file__).parent / "templates"
NO_STORE = {"Cache-Control": "no-store"}
ALWAYS = ("nav", "alarms")
"""The parts that every page has."""


@dataclass(frozen=True, slots=True)
class View:
    """What a template needs besides its data."""

    context: Context
    person: Person
    now: datetime

    @property
    def language(self) -> str:
        return texts.known(self.person.language)

    @property
    def world(self) -> World:
        return self.context.world

    def t(self, key: str, **values: Any) -> str:
        return texts.say(self.language, key, **values)

    def label(self, group: str, value: str | None) -> str:
        """The word for a value of a closed list; the value itself where there is none."""
        words = labels.LISTS.get(group, {}).get(value or "")
        if words is not None:
            return words[self.language == "en"]
        return texts.find(self.language, f"{group}.{value}") or (value or "")

    def reason(self, error: str | None) -> str:
        """Why a way did not carry a text, in a word of ours; what a provider says stands beside it."""
        return texts.find(self.language, f"reason.{(error or '').partition(':')[0]}") or ""

    def when(self, moment: datetime | None) -> str:
        """14:02 today, 11-21 14:02 this year."""
        if moment is None:
            return ""
        local, now = self.world.local(moment), self.world.local(self.now)
        if local.date() == now.date():
            return f"{local:%H:%M}"
        return f"{local:%m-%d %H:%M}" if local.year == now.year else f"{local:%Y-%m-%d %H:%M}"

    def day(self, moment: datetime) -> str:
        """今天, 昨天, 11-20 周五."""
        day = self.world.local(moment).date()
        ago = (self.world.local(self.now).date() - day).days
        if ago in {0, 1}:
            return self.t("time.today") if ago == 0 else self.t("time.yesterday")
        date = f"{day:%m-%d}" if day.year == self.world.local(self.now).year else f"{day:%Y-%m-%d}"
        return self.t("time.day", date=date, week=self.t("time.weekdays").split()[day.weekday()])

    def exactly(self, moment: datetime | None) -> str:
        return f"{self.world.local(moment):%Y-%m-%d %H:%M:%S}" if moment else ""

    def slot(self, start: datetime | None, end: datetime | None) -> str:
        if start is None:
            return ""
        return f"{self.when(start)}–{self.world.local(end):%H:%M}" if end else self.when(start)

    def since(self, moment: datetime) -> str:
        """How long ago, in the largest unit that fits."""
        minutes = max(0, int((self.now - moment) / timedelta(minutes=1)))
        if minutes < 60:
            return self.t("time.minutes", n=minutes)
        return self.t("time.hours", n=minutes // 60) if minutes < 48 * 60 else self.t("time.days", n=minutes // 1440)

    def late(self, moment: datetime | None) -> bool:
        return moment is not None and moment < self.now

    def may(self, act: str, community_id: UUID | None = None, *, mine: bool = False, emergency: bool = False) -> bool:
        """Whether the person may do this at all, or to a record of this community."""
        may = self.person.may(Act[act])
        return bool(may) if community_id is None else may.covers(community_id, mine=mine, emergency=emergency)

    def masked(self, act: Act, community_id: UUID, *, mine: bool = False, emergency: bool = False) -> bool:
        """Whether names and numbers in words are hidden from this person here."""
        return self.person.audits and not self.person.may_unmasked(act).covers(
            community_id, mine=mine, emergency=emergency
        )

    def community(self, community_id: UUID) -> str:
        if community_id == NOBODY:
            return self.t("community.unknown")
        found = self.world.communities.get(community_id)
        return found.name if found else ""

    def member(self, staff_id: UUID | None) -> str:
        found = self.world.members.get(staff_id) if staff_id else None
        return found.name if found else ""

    def home(self, home: Mapping[str, Any]) -> str:
        """3栋2单元1502, or 3-2-1502 in English."""
        if self.language == "en":
            return "-".join(part for part in (home["building"], home["unit"], home["room"]) if part)
        unit = f"{home['unit']}单元" if home["unit"] else ""
        return f"{_block(str(home['building']))}{unit}{home['room']}"

    def wish(self, wish: Mapping[str, Any]) -> str:
        """The wished time in the resident's words."""
        return str(wish.get("text", ""))

    def facts(self, data: Mapping[str, Any]) -> str:
        """What an event holds besides its words, in one line."""
        return " · ".join(
            f"{self.label('fact', name)} {self._fact(name, value)}" for name, value in data.items() if value
        )

    def _fact(self, name: str, value: Any) -> str:
        if isinstance(value, Mapping):
            return self.wish(value)
        text = str(value)
        if name == "phone":
            return masks.phone(text)
        if name in {"start", "end", "result_by"}:
            try:
                return self.when(datetime.fromisoformat(text))
            except ValueError:
                return text
        return self.label(_WORDS_OF.get(name, name), text)

    def alarm(self, alarm: Mapping[str, Any]) -> str:
        """What an alarm says. One of a deadline names the case, what is owed and how much of the time has gone."""
        if alarm["kind"] == "drill":
            return self.t("alarm_page.drill", name=alarm["summary"])
        if alarm["kind"] == "drill_due":
            return self.t("ways.due")
        parts = str(alarm["summary"]).split(" ")
        if alarm["kind"] != "late" or len(parts) != 3:
            return str(alarm["summary"])
        number, owed, share = parts
        return self.t("alarms.late", number=number, what=self.label("owed", owed), share=share)

    def local_input(self, moment: datetime | None, form: str) -> str:
        """A moment as the value of an input field."""
        return format(self.world.local(moment), form) if moment else ""


_WORDS_OF = {"answer": "case_answer", "what": "owed", "rung": "told_rung"}
"""Facts whose values have their words in a list of another name."""


def _block(building: str) -> str:
    """3栋, A座; a name that brings its own word stays as it is."""
    if building.isascii() and building.isalpha():
        return f"{building}座"
    return building if building.endswith(("栋", "座", "幢", "楼")) or not building else f"{building}栋"


Data = dict[str, Any]
Load = Callable[[sa.Connection, View], Data]


@functools.cache
def environment() -> jinja2.Environment:
    """The templates; every value is escaped."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.update(part=_part_here, languages=texts.LANGUAGES)
    env.filters.update(mask_name=masks.name, mask_phone=masks.phone, mask_address=masks.address)
    return env


def seen_by(person: Person) -> inbox.Seen:
    """Which conversations a person sees."""
    may = person.may(Act.READ)
    return inbox.Seen(may.listed, person.id if may.own else None, may.alarms_listed)


def _chrome(conn: sa.Connection, view: View) -> Data:
    """What the frame of every page shows."""
    person = view.person
    counts = inbox.counts(conn, seen_by(person), person.id) if person.may(Act.READ) else {}
    may = person.may(Act.SEE_ALARMS)
    standing = alarms.for_person(conn, may.listed, person.id, closed=False) if may else []
    return {
        "counts": counts,
        "standing": standing,
        "emergencies": [row for row in standing if row["kind"] == "emergency"],
    }


async def load(request: web.Request, person: Person, read: Load) -> tuple[View, Data]:
    """Read a page's data in one consistent view."""
    context = request.app[CONTEXT]
    view = View(context, person, context.clock.now())
    data = await context.database.read(lambda conn: {**_chrome(conn, view), **read(conn, view)})
    return view, data


async def show(
    request: web.Request, person: Person, template: str, read: Load, parts: Iterable[str] = ()
) -> web.Response:
    """A page, or the parts of it that have changed since the browser got them."""
    view, data = await load(request, person, read)
    values = {
        "view": view,
        "t": view.t,
        "person": person,
        "path": request.path,
        "query": request.query,
        "page": template,
        **data,
    }
    env = request.app[ENV]
    if "refresh" in request.query:
        return _html(_changed_parts(env, values, (*ALWAYS, *parts), request.query.get("have", "")))
    return _html(env.get_template(template).render(values))


def fragment(request: web.Request, view: View, template: str, **values: Any) -> web.Response:
    """A piece of a page."""
    return _html(request.app[ENV].get_template(template).render(view=view, t=view.t, person=view.person, **values))


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", headers=NO_STORE)


@jinja2.pass_context
def _part_here(context: jinja2.runtime.Context, name: str) -> Markup:
    return _part(context.environment, name, context.get_all(), out_of_band=False)[1]


def _part(env: jinja2.Environment, name: str, values: Mapping[str, Any], *, out_of_band: bool) -> tuple[str, Markup]:
    inner = env.get_template(f"parts/{name}.html").render(values)
    digest = hashlib.blake2b(inner.encode(), digest_size=8).hexdigest()
    swap = ' hx-swap-oob="true"' if out_of_band else ""
    # The inner text comes from a template that escapes; name and digest are ours.
    return digest, Markup(f'<div id="part-{name}" class="part part-{name}" data-digest="{digest}"{swap}>{inner}</div>')  # noqa: S704


def _changed_parts(env: jinja2.Environment, values: Mapping[str, Any], parts: Iterable[str], have: str) -> str:
    known = dict(pair.split(":", 1) for pair in have.split(",") if ":" in pair)
    made = [(name, *_part(env, name, values, out_of_band=True)) for name in parts]
    return "".join(str(html) for name, digest, html in made if known.get(name) != digest)


# -- after a form -----------------------------------------------------------------------------------------------------


def done(request: web.Request, view: View, to: str, key: str = "done.saved") -> web.Response:
    """A form went well: the page refreshes itself and says so; without scripts, the browser goes to `to`."""
    if request.headers.get("HX-Request"):
        return web.Response(status=204, headers={"HX-Trigger": said(view, key), **NO_STORE})
    return web.Response(status=303, headers={"Location": to})


def said(view: View, key: str) -> str:
    """The header by which the page hears that a form went well."""
    return json.dumps({"desk:done": {"text": view.t(key)}})


def move_on(request: web.Request, to: str) -> web.Response:
    """A form went well and leads to another page."""
    if request.headers.get("HX-Request"):
        return web.Response(status=204, headers={"HX-Redirect": to, **NO_STORE})
    return web.Response(status=303, headers={"Location": to})


def here(request: web.Request, person: Person) -> View:
    context = request.app[CONTEXT]
    return View(context, person, context.clock.now())


def record_id(request: web.Request, name: str = "id") -> UUID:
    """The id in the path; one of another shape names no record."""
    try:
        return UUID(request.match_info[name])
    except ValueError:
        raise NotFound("record") from None


async def error_page(request: web.Request, status: int, detail: str, request_id: str) -> web.StreamResponse:
    """What somebody at the console sees of an error."""
    language = texts.known(request.cookies.get("frontdesk_language", ""))
    sentence = texts.find(language, f"error.{detail}") or (detail if status in {400, 403, 409} else "")
    sentence = sentence or texts.find(language, f"error.{status}") or texts.say(language, "error.500")
    values = {
        "t": lambda key, **v: texts.say(language, key, **v),
        "status": status,
        "sentence": sentence,
        "request_id": request_id,
    }
    env = request.app[ENV]
    if request.headers.get("HX-Request"):
        response = _html(env.get_template("parts/notice.html").render(values), status)
        response.headers.update({"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"})
        return response
    return _html(env.get_template("error.html").render(values | {"language": language}), status)


def merged(*lists: Iterable[Row]) -> list[Row]:
    """Rows of several lists, each once, the newest first."""
    found = {row["id"]: row for rows in lists for row in rows}
    return sorted(found.values(), key=lambda row: str(row["id"]), reverse=True)
