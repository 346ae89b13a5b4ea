"""Questions without an answer: groups by how often they were asked, and what a person makes of them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from aiohttp import web

from bot.errors import Conflict, NotAllowed, NotFound
from bot.store import articles, questions, staff
from bot.store.base import NOBODY, Row, new_id
from bot.web import access
from bot.web.access import Person
from bot.web.console import article_form, fields, view
from bot.web.console.fields import FieldError
from bot.web.console.view import Data, View
from bot.web.context import CONTEXT
from bot.web.rights import Act
from intents.normalise import normalise

TABS: Mapping[str, tuple[str, ...]] = {
    "open": ("open", "drafted"), "answered": ("answered",), "dismissed": ("dismissed",),
}  # fmt: skip
SHOWN = 8
"""Examples of a group on the page."""
MOST_ASKS = 12


async def page(request: web.Request, person: Person) -> web.StreamResponse:
    """The commonest first, with examples as they were written."""
    may = person.may(Act.WRITE_KNOWLEDGE)
    if not may:
        raise NotAllowed("not_allowed")
    tab = request.query.get("tab", "open") if request.query.get("tab") in TABS else "open"

    def read(conn: sa.Connection, v: View) -> Data:
        rows = questions.listed(conn, may.listed, TABS[tab])
        asked = questions.of_groups(conn, [row["id"] for row in rows])
        return {"rows": [_shown(v, row, asked[row["id"]]) for row in rows], "tab": tab}

    return await view.show(request, person, "questions.html", read, ("questions",))


def _shown(v: View, row: Row, asked: list[Row]) -> Row:
    title, _ = wordings([one["text"] for one in asked])
    shown = {"examples": asked[:SHOWN], "where": v.community(row["community_id"]), "title": title or row["title"]}
    return {**row, **shown}


Make = Callable[[sa.Connection, Row, View, Mapping[str, Any]], str]
"""Makes the move; where to go then."""
_LIST = f"{access.PATH}/questions"


def _draft(conn: sa.Connection, group: Row, v: View, given: Mapping[str, Any]) -> str:
    """An article with the commonest wording as its title and the others as ways to ask."""
    del given
    title, others = wordings([row["text"] for row in questions.of_groups(conn, [group["id"]])[group["id"]]])
    written = {**article_form.empty(v), "title": title or group["title"], "ask": others}
    slug = written.pop("slug") or f"own-{new_id().hex[-12:]}"
    row = article_form.draft(_community(group, v), slug, written, v, group["id"])
    articles.add(conn, row)
    questions.set_state(conn, group["id"], "drafted", v.person.id, v.now)
    return f"{access.PATH}/knowledge/{row['id']}"


def wordings(texts: Sequence[str]) -> tuple[str, list[str]]:
    """The commonest way a question was asked, and the others, commonest first; none that a mark made unreadable."""
    plain = [text for text in texts if "[" not in text and len(text) <= 80]
    first = {normalise(text): text for text in reversed(plain)}
    ranked = [first[normal] for normal, _ in Counter(map(normalise, plain)).most_common(MOST_ASKS + 1)]
    return (ranked[0], ranked[1:]) if ranked else ("", [])


def _community(group: Row, v: View) -> UUID:
    """The community of the questions; of nobody yet known: all, or the person's first."""
    community_id = UUID(str(group["community_id"]))
    may = v.person.may(Act.WRITE_KNOWLEDGE)
    if community_id != NOBODY or may.everywhere:
        return community_id
    return min(may.communities - {NOBODY})


def _dismiss(conn: sa.Connection, group: Row, v: View, given: Mapping[str, Any]) -> str:
    del given
    questions.set_state(conn, group["id"], "dismissed", v.person.id, v.now)
    return _LIST


def _reopen(conn: sa.Connection, group: Row, v: View, given: Mapping[str, Any]) -> str:
    del given
    questions.set_state(conn, group["id"], "open", None, v.now)
    return _LIST


def _merge(conn: sa.Connection, group: Row, v: View, given: Mapping[str, Any]) -> str:
    other = access.group_for(conn, v.person, fields.ident(given, "into"))
    if other["id"] == group["id"] or other["community_id"] != group["community_id"]:
        raise FieldError("not_a_choice")
    questions.merge(conn, group["id"], other["id"], v.now)
    return _LIST


def _split(conn: sa.Connection, group: Row, v: View, given: Mapping[str, Any]) -> str:
    """One question asks something else: a group of its own."""
    row = questions.get_question(conn, fields.ident(given, "question"))
    if row is None or row["group_id"] != group["id"]:
        raise Conflict("article_moved")
    begun = {"community_id": group["community_id"], "title": row["text"], "state": "open", "ended_by": None}
    fresh = {**begun, "id": new_id(), "created_at": v.now, "updated_at": v.now}
    questions.open_group(conn, fresh)
    questions.put(conn, fresh["id"], [row["id"]], v.now)
    return _LIST


MOVES: Mapping[str, Make] = {
    "draft": _draft, "dismiss": _dismiss, "reopen": _reopen, "merge": _merge, "split": _split,
}  # fmt: skip


async def move(request: web.Request, person: Person) -> web.StreamResponse:
    """What somebody makes of a group of questions."""
    context, here = request.app[CONTEXT], view.here(request, person)
    name, given = request.match_info["move"], await request.post()
    if name not in MOVES:
        raise NotFound("move")

    def write(conn: sa.Connection) -> str:
        group = access.group_for(conn, person, view.record_id(request))
        to = MOVES[name](conn, group, here, given)
        staff.record_act(
            conn, person.id, f"questions.{name}", here.now, ref_kind="questions", ref_id=group["id"],
            community_id=group["community_id"],
        )  # fmt: skip
        return to

    to = await context.database.write(write)
    context.database.announce()
    return view.move_on(request, to) if name == "draft" else view.done(request, here, to)
