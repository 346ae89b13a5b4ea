"""A question that is tried in the console: what residents would be told, and what came near."""

import asyncio
from datetime import date

import msgspec
from aiohttp import web

from bot.web.console.view import Data
from bot.web.context import CONTEXT
from knowledge_base.answer import KnowledgeBase
from knowledge_base.model import Answer, Article

LONGEST = 200


async def tried(request: web.Request, draft: Article | None = None) -> Data:
    """What the question in the address leads to; `draft`: as if it were released already."""
    world = request.app[CONTEXT].world
    question = request.query.get("try", "").strip()[:LONGEST]
    if not question:
        return {"question": "", "decision": None, "near": []}
    today = world.local(request.app[CONTEXT].clock.now()).date()
    place = request.query.get("community", "") or _only(draft)
    found, base = await asyncio.to_thread(_ask, world.knowledge, draft, question, place, today)
    near = [(base.article(one.article), one.score) for one in found.candidates]
    return {"question": question, "decision": found, "near": near}


def _only(draft: Article | None) -> str:
    return draft.communities[0] if draft is not None and draft.communities else ""


def _ask(
    base: KnowledgeBase, draft: Article | None, question: str, community: str, on: date
) -> tuple[Answer, KnowledgeBase]:
    if draft is not None:
        own = [article for article in base.articles if article.own and article.id != draft.id]
        begun = msgspec.structs.replace(draft, valid_from=min(draft.valid_from, on))
        base = base.with_own([*own, begun], "tried")
    return base.ask(question, community=community or None, on=on), base
