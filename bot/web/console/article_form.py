"""The form of an article: from a sheet or a row to its fields, and from its fields to a row that is checked."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from bot import knowledge
from bot.errors import NotAllowed
from bot.store.base import NOBODY, Row, new_id
from bot.web import access
from bot.web.console import fields
from bot.web.console.fields import FieldError
from bot.web.console.view import View
from bot.web.context import Context
from bot.web.rights import Act
from knowledge_base.checks import problems
from knowledge_base.model import Article

_TITLES = ("title", "title_hant", "title_en")
_ANSWERS = ("answer", "answer_hant", "answer_en")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MOST_LINES = 60


def empty(v: View) -> Row:
    """The fields of an article that nobody has written yet."""
    texts = dict.fromkeys((*_TITLES, *_ANSWERS, "slug", "source"), "")
    return {**texts, "ask": [], "not_about": [], "valid_from": v.world.local(v.now).date(), "valid_until": None}


def of_sheet(sheet: Article, v: View) -> Row:
    """The fields of a sheet that ships, to be stood in for."""
    return {
        **empty(v),
        **{name: getattr(sheet, name) for name in (*_TITLES, *_ANSWERS)},
        "slug": sheet.id,
        "ask": list(sheet.ask),
        "not_about": list(sheet.not_about),
    }


def communities(v: View) -> list[tuple[str, str]]:
    """(id, name) of where this person may put an article; all communities first, where they may."""
    may = v.person.may(Act.WRITE_KNOWLEDGE)
    found = [(str(one.id), one.name) for one in v.world.communities.values() if may.covers(one.id)]
    return [(str(NOBODY), v.t("knowledge.everywhere")), *found] if may.everywhere else found


def new(given: Mapping[str, Any], v: View) -> Row:
    """The row of a new draft. Raises `FieldError`, or `NotAllowed` for a community that is not theirs."""
    community_id = fields.ident(given, "community")
    if not access.reaches_article(v.person, community_id, Act.WRITE_KNOWLEDGE):
        raise NotAllowed("not_allowed")
    slug = fields.text(given, "slug", 80) or f"own-{new_id().hex[-12:]}"
    if not _SLUG.fullmatch(slug):
        raise FieldError("slug")
    return draft(community_id, slug, texts(given), v)


def draft(community_id: UUID, slug: str, written: Row, v: View, group_id: UUID | None = None) -> Row:
    """The row of a draft by this person, now."""
    return {
        "id": new_id(), "community_id": community_id, "slug": slug, "state": "draft", "group_id": group_id,
        "author_id": v.person.id, "created_at": v.now, "updated_at": v.now, **written,
    }  # fmt: skip


def texts(given: Mapping[str, Any]) -> Row:
    """The texts and dates of a form. A draft may lack most of them; raises `FieldError` for what cannot be kept."""
    return {
        "title": fields.needed(given, "title", 120),
        **{name: fields.text(given, name, 120) for name in _TITLES[1:]},
        **{name: fields.text(given, name) for name in _ANSWERS},
        "ask": _lines(given, "ask"),
        "not_about": _lines(given, "not_about"),
        "source": fields.text(given, "source", 200),
        "valid_from": _date(given, "valid_from") or _missing(),
        "valid_until": _date(given, "valid_until"),
    }


def _missing() -> date:
    raise FieldError("missing")


def _lines(given: Mapping[str, Any], name: str) -> list[str]:
    """One a line, without blank ones."""
    found = [line.strip() for line in fields.text(given, name, 6000).splitlines() if line.strip()]
    if len(found) > MOST_LINES:
        raise FieldError("too_long")
    return found


def _date(given: Mapping[str, Any], name: str) -> date | None:
    text = str(given.get(name, "")).strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise FieldError("no_date") from None


def article(row: Row, context: Context) -> Article:
    """A row as the knowledge base would tell it."""
    community = context.world.communities.get(row["community_id"])
    return knowledge.article_of({**row, "community": community.name if community else None})


def sentences(own: Article, v: View) -> list[str]:
    """What is wrong with an article, in the person's words."""
    others = [known for known in v.world.knowledge.articles if known.own]
    return [v.t(f"problem.{found.key}", **found.values) for found in problems(own, others)]
