"""The knowledge base: articles from files, with those of the company's own over them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.errors import SettingsError
from bot.store import articles
from bot.store.base import Row
from bot.store.database import Database
from bot.world import Worlds
from knowledge_base.answer import KnowledgeBase
from knowledge_base.loader import KnowledgeError
from knowledge_base.model import Article

_TEXTS = ("title", "title_hant", "title_en", "answer", "answer_hant", "answer_en", "source")


def load(folder: Path | None, *, demonstration: bool) -> KnowledgeBase:
    """The articles of a folder, or those that ship. Raises `SettingsError` naming the file and what is wrong in it."""
    try:
        knowledge = KnowledgeBase.load(folder, demonstration=demonstration)
    except KnowledgeError as error:
        raise SettingsError(f"knowledge base: {error}. Mend the article, or leave knowledge_dir out.") from None
    if folder is not None and not knowledge.articles:
        raise SettingsError(f"knowledge_dir {folder} holds no article (*.md): put some there, or leave it out")
    return knowledge


def article_of(row: Mapping[str, Any]) -> Article:
    """An own article as the knowledge base tells it. `row`: of `articles`, with the name of its community."""
    return Article(
        id=articles.key(row["slug"], row["community_id"]),
        **{name: row[name] for name in _TEXTS},
        ask=tuple(row["ask"]),
        not_about=tuple(row["not_about"]),
        topic="own",
        owner=row.get("author_name") or "",
        valid_from=row["valid_from"],
        valid_until=row["valid_until"] or date.max,
        communities=(row["community"],) if row["community"] else (),
        demonstration=False,
        own=True,
        replaces=row["slug"],
    )


async def renew(database: Database, worlds: Worlds) -> bool:
    """Take what was released or withdrawn since into the snapshot; whether anything was.

    What is released changes seldom: mostly this is one small statement. The new index is built beside the event loop.
    """
    if await database.read(articles.stamp) == worlds.current.knowledge.stamp:
        return False
    stamp, rows = await database.read(_released)
    own = [article_of(row) for row in rows]
    knowledge = await asyncio.to_thread(worlds.current.knowledge.with_own, own, stamp)
    worlds.current = replace(worlds.current, knowledge=knowledge)
    return True


def _released(conn: sa.Connection) -> tuple[str, list[Row]]:
    return articles.stamp(conn), articles.released(conn)
