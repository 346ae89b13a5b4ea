"""Articles: the list with its search, one article, its way from draft to release, and the box to try a question."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from aiohttp import web

from bot import knowledge
from bot.errors import NotAllowed, NotFound
from bot.store import articles, questions, staff
from bot.store.base import NOBODY, Row
from bot.web import access
from bot.web.access import Person
from bot.web.console import article_form, trying, view
from bot.web.console.fields import FieldError
from bot.web.console.view import Data, View
from bot.web.context import CONTEXT, Context
from bot.web.rights import Act
from knowledge_base.model import Article
from workflows.unanswered import OFFER

LISTED = 200
TABS: Mapping[str, tuple[str, ...]] = {
    "own": ("draft", "proposed", "released"), "shipped": (), "ended": ("replaced", "withdrawn"),
}  # fmt: skip


async def page(request: web.Request, person: Person) -> web.StreamResponse:
    """The company's own articles, those that ship, or those that are told no more; with a question to try."""
    may = person.may(Act.WRITE_KNOWLEDGE)
    if not may:
        raise NotAllowed("not_allowed")
    query = request.query
    tab = query.get("tab", "own") if query.get("tab") in TABS else "own"
    search = query.get("search", "").strip()[:80]
    tried = await trying.tried(request)

    def read(conn: sa.Connection, v: View) -> Data:
        counts = articles.helpful_counts(conn, may.listed)
        own = articles.listed(conn, may.listed, states=TABS[tab], search=search, limit=LISTED) if TABS[tab] else []
        rows = sorted((_line(v, row, counts) for row in own), key=lambda row: row["state"] != "proposed")
        rows += [_shipped_line(sheet, counts) for sheet in _shipped(v, search)] if tab == "shipped" else []
        return {"rows": rows, "tab": tab, "search": search, "most": LISTED, **tried}

    return await view.show(request, person, "knowledge.html", read, ("knowledge",))


def _line(v: View, row: Row, counts: Mapping[str, tuple[int, int]]) -> Row:
    helped = counts.get(articles.key(row["slug"], row["community_id"]), (0, 0))
    today = v.world.local(v.now).date()
    over = row["state"] == "released" and row["valid_until"] is not None and row["valid_until"] < today
    return {**row, "path": str(row["id"]), "helped": helped, "over": over, "where": _where(v, row["community_id"])}


def _shipped_line(sheet: Article, counts: Mapping[str, tuple[int, int]]) -> Row:
    until = sheet.valid_until
    return {
        "path": f"shipped/{sheet.id}", "title": sheet.title, "state": "shipped", "where": "、".join(sheet.communities),
        "helped": counts.get(sheet.id, (0, 0)), "over": False, "valid_until": until, "updated_at": None,
        "author_name": sheet.owner, "version": 0,
    }  # fmt: skip


def _shipped(v: View, search: str) -> list[Article]:
    words = search.casefold()
    return [
        sheet
        for sheet in v.world.knowledge.shipped
        if not words
        or any(words in text.casefold() for text in (sheet.title, sheet.title_en, *sheet.ask, sheet.answer))
    ]


def _where(v: View, community_id: UUID) -> str:
    return v.t("knowledge.everywhere") if community_id == NOBODY else v.community(community_id)


async def blank(request: web.Request, person: Person) -> web.StreamResponse:
    """The form of a new article; `from` names a sheet that ships and that it is to stand in for."""
    if not person.may(Act.WRITE_KNOWLEDGE):
        raise NotAllowed("not_allowed")

    def read(conn: sa.Connection, v: View) -> Data:
        del conn
        sheet = _sheet(v, request.query["from"]) if request.query.get("from") else None
        row = article_form.of_sheet(sheet, v) if sheet else article_form.empty(v)
        return {"row": row, "communities": article_form.communities(v), "sheet": sheet}

    return await view.show(request, person, "article_new.html", read)


def _sheet(v: View, slug: str) -> Article:
    found = next((sheet for sheet in v.world.knowledge.shipped if sheet.id == slug), None)
    if found is None:
        raise NotFound("article")
    return found


async def shipped(request: web.Request, person: Person) -> web.StreamResponse:
    """A sheet that ships, as residents are told it; it is not changed but stood in for."""
    if not person.may(Act.WRITE_KNOWLEDGE):
        raise NotAllowed("not_allowed")

    def read(conn: sa.Connection, v: View) -> Data:
        sheet = _sheet(v, request.match_info["slug"])
        counts = articles.helpful_counts(conn, person.may(Act.WRITE_KNOWLEDGE).listed)
        return {"sheet": sheet, "helped": counts.get(sheet.id, (0, 0))}

    return await view.show(request, person, "article_shipped.html", read)


async def create(request: web.Request, person: Person) -> web.StreamResponse:
    """A first draft, or the next version of an article that is told."""
    context, here = request.app[CONTEXT], view.here(request, person)
    row = article_form.new(await request.post(), here)

    def write(conn: sa.Connection) -> None:
        articles.add(conn, row)
        _note(conn, person, "article.drafted", row, here)

    await context.database.write(write)
    return view.move_on(request, f"{access.PATH}/knowledge/{row['id']}")


async def detail(request: web.Request, person: Person) -> web.StreamResponse:
    """One version of an article: what is told, what is wrong with it, what it would answer."""
    article_id = view.record_id(request)
    context = request.app[CONTEXT]
    found = await context.database.read(access.article_for, person, article_id)
    draft = article_form.article(found, context) if found["state"] in articles.OPEN else None
    tried = await trying.tried(request, draft)

    def read(conn: sa.Connection, v: View) -> Data:
        row = access.article_for(conn, person, article_id)
        own = article_form.article(row, v.context)
        reach = {act.name: access.reaches_article(person, row["community_id"], act) for act in Act}
        counts = articles.helpful_counts(conn, person.may(Act.WRITE_KNOWLEDGE).listed)
        return {
            "row": {**_line(v, row, counts), "where": _where(v, row["community_id"])},
            "sheet": own,
            "problems": article_form.sentences(own, v) if row["state"] in articles.OPEN else [],
            "versions": articles.versions(conn, row["slug"], row["community_id"]),
            "may_write": reach["WRITE_KNOWLEDGE"],
            "may_release": reach["RELEASE_KNOWLEDGE"],
            **tried,
        }

    return await view.show(request, person, "article.html", read)


# -- moves -------------------------------------------------------------------------------------------------------------

Make = Callable[[sa.Connection, Row, Person, View, Mapping[str, Any]], None]


def _save(conn: sa.Connection, row: Row, person: Person, v: View, given: Mapping[str, Any]) -> None:
    del person
    articles.edit(conn, row["id"], {**article_form.texts(given), "updated_at": v.now})


def _propose(conn: sa.Connection, row: Row, person: Person, v: View, given: Mapping[str, Any]) -> None:
    del person, given
    _sound(row, v)
    articles.propose(conn, row["id"], v.now)


def _release(conn: sa.Connection, row: Row, person: Person, v: View, given: Mapping[str, Any]) -> None:
    del given
    _sound(row, v)
    articles.release(conn, row["id"], person.id, v.now)
    if row["group_id"] is not None:
        told = article_form.article(row, v.context)
        answers = {language: told.told_in(language) for language in ("zh-Hans", "zh-Hant", "en")}
        since = v.now - timedelta(days=v.context.settings.desk.offer_answer_days)
        questions.offer(conn, row["group_id"], OFFER, answers, since, v.now)
        questions.set_state(conn, row["group_id"], "answered", person.id, v.now)


def _withdraw(conn: sa.Connection, row: Row, person: Person, v: View, given: Mapping[str, Any]) -> None:
    del given
    articles.withdraw(conn, row["id"], person.id, v.now)
    if row["group_id"] is not None:
        questions.stop_offers(conn, row["group_id"], OFFER, v.now)
        questions.set_state(conn, row["group_id"], "open", None, v.now)


def _sound(row: Row, v: View) -> None:
    """Refuse what residents could not be told. Raises `FieldError` with the sentence."""
    wrong = article_form.sentences(article_form.article(row, v.context), v)
    if wrong:
        raise FieldError(wrong[0])


MOVES: Mapping[str, tuple[Act, Make]] = {
    "save": (Act.WRITE_KNOWLEDGE, _save),
    "propose": (Act.WRITE_KNOWLEDGE, _propose),
    "release": (Act.RELEASE_KNOWLEDGE, _release),
    "withdraw": (Act.RELEASE_KNOWLEDGE, _withdraw),
}


async def move(request: web.Request, person: Person) -> web.StreamResponse:
    """Save, propose, release or withdraw; what is released or withdrawn is told, or told no more, at once."""
    context, here = request.app[CONTEXT], view.here(request, person)
    name, given = request.match_info["move"], await request.post()
    if name not in MOVES:
        raise NotFound("move")
    act, make = MOVES[name]

    def write(conn: sa.Connection) -> UUID:
        row = access.article_for(conn, person, view.record_id(request), _needed(conn, person, act, name, request))
        if not access.reaches_article(person, row["community_id"], Act.WRITE_KNOWLEDGE):
            raise NotAllowed("not_allowed")
        make(conn, row, person, here, given)
        _note(conn, person, f"article.{name}", row, here)
        return UUID(str(row["id"]))

    article_id = await context.database.write(write)
    await _told_at_once(context)
    return view.move_on(request, f"{access.PATH}/knowledge/{article_id}")


def _needed(conn: sa.Connection, person: Person, act: Act, name: str, request: web.Request) -> Act:
    """Whoever wrote a draft may throw it away; what residents are told is withdrawn by those who release."""
    row = access.article_for(conn, person, view.record_id(request))
    mine = row["author_id"] == person.id and row["state"] in articles.OPEN
    return Act.WRITE_KNOWLEDGE if name == "withdraw" and mine else act


async def _told_at_once(context: Context) -> None:
    await knowledge.renew(context.database, context.worlds)
    context.database.announce()


def _note(conn: sa.Connection, person: Person, act: str, row: Row, v: View) -> None:
    staff.record_act(conn, person.id, act, v.now, ref_kind="article", ref_id=row["id"])
