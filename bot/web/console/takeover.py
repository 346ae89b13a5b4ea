"""Who has the word in a conversation: taking it, speaking, giving it back (law 8)."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from aiohttp import web

from bot.desk import Desk
from bot.errors import NotAllowed
from bot.store import outbox
from bot.web import access
from bot.web.access import Person
from bot.web.console import fields, view
from bot.web.context import CONTEXT, Context
from bot.web.live import HUB
from bot.web.rights import Act
from channels.base import ShowsTyping
from channels.errors import SendError
from workflows import takeover

LOOK_AGAIN = timedelta(milliseconds=100)
"""Delivery marks do not always announce themselves: look this often while waiting."""


async def take(request: web.Request, person: Person) -> web.StreamResponse:
    """Take the conversation, then wait for what is just going out, so that the agent sees what was said last."""
    context, conversation_id = request.app[CONTEXT], view.record_id(request)
    member = person.member(context)
    await _act(request, person, lambda desk: takeover.take(desk, member))
    changed = request.app[HUB].listen()
    try:
        await _wait_until_sent(context, conversation_id, changed)
    finally:
        request.app[HUB].leave(changed)
    return _back(request, person, conversation_id)


async def _wait_until_sent(context: Context, conversation_id: UUID, changed: asyncio.Event) -> None:
    until = context.clock.now() + timedelta(seconds=context.settings.desk.takeover_wait_seconds)
    while await context.database.read(outbox.still_sending, conversation_id):
        now = context.clock.now()
        if now >= until:
            return
        changed.clear()
        await context.clock.wait(changed, min(until, now + LOOK_AGAIN))


async def hand_back(request: web.Request, person: Person) -> web.StreamResponse:
    words = fields.text(await request.post(), "words", 300)
    await _act(request, person, lambda desk: takeover.hand_back(desk, words))
    return _back(request, person, view.record_id(request), "done.handed_back")


async def typing(request: web.Request, person: Person) -> web.StreamResponse:
    """Its owner writes: the resident sees it where the channel can show it. Nothing depends on whether it did."""
    context = request.app[CONTEXT]
    row = await context.database.read(access.conversation_for, person, view.record_id(request))
    if row["owner_id"] == person.id:
        identity = await context.database.read(outbox.reachable_identity, row["resident_id"])
        channel = context.channels.get((identity["channel"], identity["account"])) if identity else None
        if identity and isinstance(channel, ShowsTyping):
            with contextlib.suppress(SendError):
                await channel.typing(identity["address"])
    return web.Response(status=204)


async def parts(request: web.Request, person: Person) -> web.StreamResponse:
    """While one writes to a phone number: how many text messages it makes, or that only approved texts go there."""
    context = request.app[CONTEXT]
    row = await context.database.read(access.conversation_for, person, view.record_id(request))
    words = fields.text(await request.post(), "text")
    identity = await context.database.read(outbox.reachable_identity, row["resident_id"])
    account = context.settings.sms.get(identity["account"]) if identity and identity["channel"] == "sms" else None
    if account is None or not words:
        return web.Response()
    seen = account.segments(words)
    key = "inbox.approved_only" if seen.encoding == "mainland" else "inbox.parts"
    return web.Response(text=view.here(request, person).t(key, n=seen.parts, left=seen.left))


async def reply(request: web.Request, person: Person) -> web.StreamResponse:
    text = fields.needed(await request.post(), "text")
    member = person.member(request.app[CONTEXT])
    await _act(request, person, lambda desk: takeover.reply(desk, member, text))
    return _back(request, person, view.record_id(request), "done.sent")


async def _act(request: web.Request, person: Person, move: Callable[[Desk], object]) -> None:
    """One act of a person who may speak here, in one commit. The workflow writes it down (law 13)."""
    context = request.app[CONTEXT]
    row = await context.database.read(access.conversation_for, person, view.record_id(request))

    def run(desk: Desk) -> None:
        if not person.may(Act.SPEAK).covers(desk.community_id):
            raise NotAllowed("not_allowed")
        move(desk)

    await context.act(row["id"], run, person.id)


def _back(request: web.Request, person: Person, conversation_id: UUID, key: str = "done.taken") -> web.Response:
    return view.done(request, view.here(request, person), f"{access.PATH}/inbox/{conversation_id}", key)
