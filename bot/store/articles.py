"""Articles of the company's own: one row a version. A version that was released is never changed again (law 13).

Community 0 stands for all communities. The sheets that ship are files and stand in no table.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.errors import Conflict
from bot.store.base import (
    NOBODY,
    Json,
    Row,
    community_column,
    id_column,
    insert_new,
    mappings,
    metadata,
    one,
    part_index,
    reference,
    value,
    when,
    words,
)
from bot.store.places import communities
from bot.store.staff import staff

STATES = ("draft", "proposed", "released", "replaced", "withdrawn")
"""draft and proposed can be edited; released is told to residents; replaced by a later version; withdrawn by staff."""
OPEN = ("draft", "proposed")

articles = sa.Table(
    "articles",
    metadata,
    id_column(),
    community_column(),
    sa.Column("slug", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    words("title"),
    words("title_hant"),
    words("title_en"),
    sa.Column("ask", Json, nullable=False),
    sa.Column("not_about", Json, nullable=False),
    words("answer"),
    words("answer_hant"),
    words("answer_en"),
    sa.Column("valid_from", sa.Date, nullable=False),
    sa.Column("valid_until", sa.Date),
    words("source"),
    reference("group_id", "question_groups.id", index=True),
    reference("author_id", "staff.id"),
    when("created_at", nullable=False),
    when("updated_at", nullable=False),
    when("proposed_at"),
    reference("released_by", "staff.id"),
    when("released_at"),
    reference("ended_by", "staff.id"),
    when("ended_at"),
    sa.UniqueConstraint("slug", "community_id", "version"),
    part_index("uq_articles_released", "slug", "community_id", where="state = 'released'", unique=True),
    part_index("uq_articles_open", "slug", "community_id", where="state IN ('draft', 'proposed')", unique=True),
)

ratings = sa.Table(
    "article_ratings",
    metadata,
    id_column(),
    community_column(),
    reference("conversation_id", "conversations.id", nullable=False, index=True),
    sa.Column("article", sa.Text, nullable=False, index=True),
    sa.Column("helpful", sa.Boolean, nullable=False),
    when("at", nullable=False),
    comment="What residents said of an answer; `article` is the id under which the knowledge base told it.",
)


def key(slug: str, community_id: UUID) -> str:
    """The id of an own article in the knowledge base: that of the sheet it stands in for, where it does so for all."""
    return slug if community_id == NOBODY else f"{slug}@{community_id}"


# -- what residents are told -------------------------------------------------------------------------------------------

_RELEASED = articles.c.state == sa.literal_column("'released'", sa.Text)


_STAMP = sa.select(
    sa.func.count(),
    sa.func.sum(articles.c.version),
    sa.func.max(articles.c.released_at, type_=articles.c.released_at.type),
).where(_RELEASED)


def stamp(conn: sa.Connection) -> str:
    """Which state of the released articles this is: another text whenever one was released or withdrawn."""
    count, versions, last = conn.execute(_STAMP).one()
    return f"{count} {versions} {last.isoformat()}" if count else ""


def released(conn: sa.Connection) -> list[Row]:
    """All released articles with the name of their community (None: of all), in order of slug."""
    joined = articles.outerjoin(communities, sa.and_(communities.c.id == articles.c.community_id))
    name = sa.case((articles.c.community_id == NOBODY, sa.null()), else_=communities.c.name)
    statement = sa.select(articles, name.label("community")).select_from(joined).where(_RELEASED)
    return mappings(conn, statement.order_by(articles.c.slug, articles.c.community_id))


# -- what staff see ----------------------------------------------------------------------------------------------------


def _with_people() -> sa.Select[Any]:
    author, releaser = staff.alias("author"), staff.alias("releaser")
    joined = articles.outerjoin(author, author.c.id == articles.c.author_id).outerjoin(
        releaser, releaser.c.id == articles.c.released_by
    )
    return sa.select(articles, author.c.name.label("author_name"), releaser.c.name.label("releaser_name")).select_from(
        joined
    )


def get(conn: sa.Connection, article_id: UUID) -> Row | None:
    return one(conn, _with_people().where(articles.c.id == article_id))


def listed(
    conn: sa.Connection,
    among: Collection[UUID] | None,
    *,
    states: Sequence[str] = ("draft", "proposed", "released"),
    search: str = "",
    limit: int = 200,
) -> list[Row]:
    """The newest first, of these communities and of all (None: every one). `search` stands in title, ways to ask or
    answer."""
    statement = _with_people().where(articles.c.state.in_(states))
    if among is not None:
        statement = statement.where(articles.c.community_id.in_([*among, NOBODY]))
    if search:
        places = (articles.c.title, articles.c.answer, articles.c.title_en, articles.c.slug)
        asked = sa.cast(articles.c.ask, sa.Text)
        statement = statement.where(sa.or_(*(column.icontains(search, autoescape=True) for column in (*places, asked))))
    return mappings(conn, statement.order_by(articles.c.updated_at.desc(), articles.c.id.desc()).limit(limit))


def versions(conn: sa.Connection, slug: str, community_id: UUID) -> list[Row]:
    """Every version of an article, the newest first."""
    statement = _with_people().where(articles.c.slug == slug, articles.c.community_id == community_id)
    return mappings(conn, statement.order_by(articles.c.version.desc()))


def helpful_counts(conn: sa.Connection, among: Collection[UUID] | None) -> dict[str, tuple[int, int]]:
    """By article: how often it helped, and how often it did not, in these communities (None: in all)."""
    statement = sa.select(ratings.c.article, ratings.c.helpful, sa.func.count()).group_by(
        ratings.c.article, ratings.c.helpful
    )
    if among is not None:
        statement = statement.where(ratings.c.community_id.in_([*among, NOBODY]))
    found: dict[str, tuple[int, int]] = {}
    for article, helpful, count in conn.execute(statement):
        yes, no = found.get(article, (0, 0))
        found[article] = (yes + count, no) if helpful else (yes, no + count)
    return found


# -- what staff do -----------------------------------------------------------------------------------------------------


def add(conn: sa.Connection, row: Row) -> None:
    """Enter a first draft, or the next version of an article; `version` is given here. Raises `Conflict` where one is
    being written already."""
    mine = sa.and_(articles.c.slug == row["slug"], articles.c.community_id == row["community_id"])
    if conn.execute(sa.select(articles.c.id).where(mine, articles.c.state.in_(OPEN))).first() is not None:
        raise Conflict("article_open")
    last = value(conn, sa.select(sa.func.coalesce(sa.func.max(articles.c.version), 0)).where(mine))
    if not insert_new(conn, articles, [{**row, "version": last + 1}]):  # somebody else began one this very moment
        raise Conflict("article_open")


def edit(conn: sa.Connection, article_id: UUID, changes: Row) -> None:
    """Change what can still be edited; a proposal that is edited is a draft again. Raises `Conflict`."""
    _move(conn, article_id, OPEN, {**changes, "state": "draft", "proposed_at": None})


def propose(conn: sa.Connection, article_id: UUID, now: datetime) -> None:
    """A draft is ready to be released. Raises `Conflict`."""
    _move(conn, article_id, ("draft",), {"state": "proposed", "proposed_at": now, "updated_at": now})


def release(conn: sa.Connection, article_id: UUID, staff_id: UUID, now: datetime) -> Row:
    """Residents are told this version from now on, in place of the one before. Raises `Conflict`."""
    row = get(conn, article_id)
    if row is None or row["state"] not in OPEN:
        raise Conflict("article_moved")
    before = sa.and_(articles.c.slug == row["slug"], articles.c.community_id == row["community_id"], _RELEASED)
    conn.execute(sa.update(articles).where(before).values(state="replaced", ended_at=now, ended_by=staff_id))
    _move(conn, article_id, OPEN, {"state": "released", "released_at": now, "released_by": staff_id, "updated_at": now})
    return {**row, "state": "released"}


def withdraw(conn: sa.Connection, article_id: UUID, staff_id: UUID, now: datetime) -> None:
    """It is told no more, or never will be. Raises `Conflict`."""
    ended = {"state": "withdrawn", "ended_at": now, "ended_by": staff_id, "updated_at": now}
    _move(conn, article_id, ("draft", "proposed", "released"), ended)


def _move(conn: sa.Connection, article_id: UUID, among: Sequence[str], changes: Row) -> None:
    statement = sa.update(articles).where(articles.c.id == article_id, articles.c.state.in_(among))
    if not conn.execute(statement.values(changes)).rowcount:
        raise Conflict("article_moved")
