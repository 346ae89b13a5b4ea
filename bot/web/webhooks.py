"""One handler for every channel route: read bytes, verify, parse, intake, acknowledge (laws 1 and 12)."""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from aiohttp import web

from bot.engine import metrics, receipts
from bot.engine.turn import Verdict
from bot.errors import trace
from bot.store import messages as stored_messages
from bot.store.base import new_id
from bot.web import languages
from bot.web.context import CONTEXT, Context
from channels.base import Channel, Forwards
from channels.errors import Unauthorised, Unreadable
from channels.messages import (
    SCENE,
    TOUCHES,
    ChannelEvent,
    InboundMessage,
    MessageKind,
    Parsed,
    WebhookAnswer,
    WebhookRequest,
)

log = logging.getLogger(__name__)

Reply = tuple[UUID, str]
"""The outbox row of a passive reply, and its text."""

LARGEST_BODY = 64 * 1024
"""Bytes; real pushes of most channels are under 4 KiB, and a parser must not be fed megabytes."""


def add_routes(app: web.Application, channels: list[Channel]) -> None:
    """One route for each way that each configured account is called."""
    for channel in channels:
        for route in channel.routes:
            path = f"/channels/{channel.name}/{channel.account}{route.suffix}"
            app.router.add_route(route.method, path, _handler(channel, route.suffix))


def _handler(channel: Channel, suffix: str) -> "web.Handler":  # type: ignore[name-defined]
    async def handle(request: web.Request) -> web.StreamResponse:
        return await _receive(request, request.app[CONTEXT], channel, suffix)

    return handle


async def _receive(request: web.Request, context: Context, channel: Channel, suffix: str) -> web.StreamResponse:
    received_at = context.clock.now()
    if context.intake.closing:
        return web.Response(status=503, text="stopping")
    body = await _body(request, channel.capabilities.largest_body)
    if body is None:
        metrics.REFUSED.labels(channel.name, "too large").inc()
        return web.Response(status=413, text=f"the body is larger than {channel.capabilities.largest_body} bytes")
    raw = WebhookRequest(
        method=request.method,
        suffix=suffix,
        target=request.raw_path,
        key=request.match_info.get("key", ""),
        query=request.query,
        headers=request.headers,
        body=body,
        received_at=received_at,
    )
    refused = _refused(channel, raw)
    if refused is not None:
        return refused
    greeting = channel.handshake(raw)
    if greeting is not None:
        return _response(greeting)
    if isinstance(channel, Forwards):
        channel.forward(raw)
    parsed = _parsed(channel, raw)
    if isinstance(parsed, str):
        return await _keep_unreadable(context, channel, raw, parsed)
    return await _take_in(request, context, channel, parsed, received_at)


def _parsed(channel: Channel, raw: WebhookRequest) -> Parsed | str:
    """What the request holds, or why nobody can read it."""
    try:
        return channel.parse(raw)
    except Unreadable as error:
        return str(error)
    except Exception as error:
        log.error("a channel could not read a request: %s", trace(error))  # noqa: TRY400 - without its words
        return type(error).__name__


def _refused(channel: Channel, raw: WebhookRequest) -> web.Response | None:
    try:
        channel.verify(raw)
    except Unauthorised as error:
        metrics.REFUSED.labels(channel.name, "unauthorised").inc()
        return web.Response(status=error.status, text="not authorised")
    return None


async def _body(request: web.Request, largest: int) -> bytes | None:
    if request.content_length is not None and request.content_length > largest:
        return None
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return None
    return body if len(body) <= largest else None


def _response(answer: WebhookAnswer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type, charset="utf-8")


async def _keep_unreadable(context: Context, channel: Channel, raw: WebhookRequest, reason: str) -> web.Response:
    try:
        await _keep(context, channel, raw.body, reason, raw.received_at)
    except Exception as error:
        log.error("an unreadable request could not be kept: %s", trace(error))  # noqa: TRY400 - without its words
        return web.Response(status=503, text="try again")
    return _response(channel.acknowledge(Parsed(), None, raw.received_at))


async def _keep(context: Context, channel: Channel, raw: bytes, reason: str, received_at: datetime) -> None:
    """What nobody can read is kept once, and shown to staff."""
    metrics.REFUSED.labels(channel.name, "unreadable").inc()
    row = {
        "id": new_id(), "channel": channel.name, "account": channel.account,
        "digest": hashlib.sha256(raw).hexdigest(),
        "raw": raw[:LARGEST_BODY], "reason": reason, "received_at": received_at, "seen_at": None,
    }  # fmt: skip
    await context.database.write(stored_messages.store_unreadable, row)
    context.database.announce()


def _as_message(event: ChannelEvent) -> InboundMessage:
    """An event that deserves an answer passes the desk as a message: the same dedupe, turn and passive reply."""
    return InboundMessage(
        channel=event.channel, account=event.account, external_id=event.external_id, sender=event.sender,
        kind=msgspec.convert(event.kind, MessageKind), choice=_choice(event), sent_at=event.sent_at, raw=event.raw,
    )  # fmt: skip


def _choice(event: ChannelEvent) -> str | None:
    """A menu key as it is; a scene named as one, so that no code in the street can press a menu line or an answer."""
    if not event.key or event.kind == "menu_click":
        return event.key or None
    return f"{SCENE}{event.key}"


async def _take_in(
    request: web.Request, context: Context, channel: Channel, parsed: Parsed, received_at: datetime
) -> web.StreamResponse:
    replies = await _store(context, channel, parsed, received_at)
    if replies is None:
        return web.Response(status=503, text="try again")
    languages.of_followers(request.app, channel, parsed)
    return await _answer(request, context, channel, parsed, replies)


async def fetched(context: Context, channel: Channel, raw: WebhookRequest) -> bool:
    """Take in what was fetched instead of pushed, the same way; whether it is durable (law 1)."""
    parsed = _parsed(channel, raw)
    if isinstance(parsed, str):
        return (await _keep_unreadable(context, channel, raw, parsed)).status == web.HTTPOk.status_code
    replies = await _store(context, channel, parsed, raw.received_at)
    if replies is None:
        return False
    _other_way(context, replies)
    channel.acknowledge(parsed, None, context.clock.now())
    return True


async def _store(context: Context, channel: Channel, parsed: Parsed, received_at: datetime) -> list[Reply] | None:
    """Store and turn all that a request held. At most one reply that may ride in its answer; None: not stored."""
    answered = [_as_message(event) for event in parsed.events if event.kind in TOUCHES]
    try:
        if parsed.receipts or len(answered) < len(parsed.events):
            await context.database.write(receipts.apply, context.world, parsed, context.clock.now())
            context.database.announce()
        for broken in parsed.broken:
            await _keep(context, channel, broken.raw.encode(), broken.reason, received_at)
        # Side by side, accepted in their order: one after the other would outlast a provider's limit.
        turning = [_turned(context, channel, message, received_at) for message in (*parsed.messages, *answered)]
        replies = await _all(context, turning)
    except Exception as error:
        log.error("a message could not be stored; the provider will repeat it: %s", trace(error))  # noqa: TRY400
        return None
    _other_way(context, replies[1:])
    return replies[:1]


async def _answer(
    request: web.Request, context: Context, channel: Channel, parsed: Parsed, replies: list[Reply]
) -> web.StreamResponse:
    """Acknowledge, with the reply in it where there is one."""
    text = replies[0][1] if replies else None
    response = _response(channel.acknowledge(parsed, text, context.clock.now()))
    if replies:
        written = await _write(request, response)
        (context.intake.written if written else context.intake.unwritten)(replies[0][0])
    return response


async def _all(context: Context, turning: Sequence[Coroutine[Any, Any, list[Reply]]]) -> list[Reply]:
    """The replies of all, in order. Raises the first error, when all have come to an end."""
    if len(turning) == 1:
        # The usual case needs no task: its reply is marked in the same step in which the intake lets it go.
        return await turning[0]
    ended = await asyncio.gather(*turning, return_exceptions=True)
    replies = [reply for one in ended if not isinstance(one, BaseException) for reply in one]
    for one in ended:
        if isinstance(one, BaseException):
            _other_way(context, replies)
            raise one
    return replies


def _other_way(context: Context, replies: list[Reply]) -> None:
    for row_id, _ in replies:
        context.intake.unwritten(row_id)


async def _turned(context: Context, channel: Channel, message: InboundMessage, received_at: datetime) -> list[Reply]:
    """What rides in the answer to this request. Returns when the message is durable, and not before (law 1).

    After the channel's answer time what is said goes the other way. Raises `TimeoutError` where the provider would
    wait no longer and nothing is stored yet.
    """
    limits = channel.capabilities
    work = context.intake.accept(message, limits, received_at)
    answer_until = received_at + timedelta(seconds=limits.answer_within or limits.acknowledge_within)
    done = asyncio.Event()
    work.add_done_callback(lambda _: done.set())
    try:
        if not await context.clock.wait(done, answer_until):
            work.add_done_callback(lambda _: _too_late(context, work))
            if not await context.clock.wait(done, received_at + timedelta(seconds=limits.acknowledge_within)):
                raise TimeoutError
            work.result()
            return []
    except asyncio.CancelledError:
        work.add_done_callback(lambda _: _too_late(context, work))
        raise
    reply = work.result().reply
    return [reply] if reply is not None else []


def _too_late(context: Context, work: "asyncio.Future[Verdict]") -> None:
    if not work.cancelled() and work.exception() is None:
        reply = work.result().reply
        _other_way(context, [reply] if reply is not None else [])


async def _write(request: web.Request, response: web.Response) -> bool:
    """Write the answer now, to know whether the connection took it."""
    transport = request.transport
    if transport is None or transport.is_closing():
        return False
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        await response.write_eof()
        return not transport.is_closing()
    return False
