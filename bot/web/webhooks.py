"""One handler for every channel route: read bytes, verify, parse, intake, acknowledge (laws 1 and 12)."""

import asyncio
import contextlib
import hashlib
import logging
from datetime import datetime, timedelta

import msgspec
from aiohttp import web

from bot.engine import metrics, receipts
from bot.engine.turn import Verdict
from bot.store import messages as stored_messages
from bot.store.base import new_id
from bot.web.context import CONTEXT, Context
from channels.base import Channel
from channels.errors import Unauthorised, Unreadable
from channels.messages import ChannelEvent, InboundMessage, MessageKind, Parsed, WebhookAnswer, WebhookRequest

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024
"""Bytes; real pushes are under 4 KiB (protocols: WeChat B.3), and a parser must not be fed megabytes."""


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
    body = await _body(request)
    if body is None:
        metrics.REFUSED.labels(channel.name, "too large").inc()
        return web.Response(status=413, text=f"the body is larger than {LARGEST_BODY} bytes")
    raw = WebhookRequest(
        method=request.method,
        suffix=suffix,
        query=request.query,
        headers=request.headers,
        body=body,
        received_at=received_at,
    )
    try:
        channel.verify(raw)
    except Unauthorised as error:
        metrics.REFUSED.labels(channel.name, "unauthorised").inc()
        return web.Response(status=error.status, text="not authorised")
    greeting = channel.handshake(raw)
    if greeting is not None:
        return _response(greeting)
    try:
        parsed = channel.parse(raw)
    except Unreadable as error:
        return await _keep_unreadable(context, channel, raw, str(error))
    return await _take_in(request, context, channel, parsed, received_at)


async def _body(request: web.Request) -> bytes | None:
    if request.content_length is not None and request.content_length > LARGEST_BODY:
        return None
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return None


def _response(answer: WebhookAnswer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type, charset="utf-8")


async def _keep_unreadable(context: Context, channel: Channel, raw: WebhookRequest, reason: str) -> web.Response:
    metrics.REFUSED.labels(channel.name, "unreadable").inc()
    row = {
        "id": new_id(), "channel": channel.name, "account": channel.account,
        "digest": hashlib.sha256(raw.body).hexdigest(),
        "raw": raw.body[:LARGEST_BODY], "reason": reason, "received_at": raw.received_at, "seen_at": None,
    }  # fmt: skip
    try:
        await context.database.write(stored_messages.store_unreadable, row)
    except Exception:
        log.exception("an unreadable request could not be kept")
        return web.Response(status=503, text="try again")
    context.database.announce()
    return _response(channel.acknowledge(Parsed(), None, raw.received_at))


ANSWERED_EVENTS = ("followed", "menu_click", "scanned")


def _as_message(event: ChannelEvent) -> InboundMessage:
    """An event that deserves an answer passes the desk as a message: the same dedupe, turn and passive reply."""
    return InboundMessage(
        channel=event.channel, account=event.account, external_id=event.external_id, sender=event.sender,
        kind=msgspec.convert(event.kind, MessageKind), choice=event.key or None, sent_at=event.sent_at, raw=event.raw,
    )  # fmt: skip


async def _take_in(
    request: web.Request, context: Context, channel: Channel, parsed: Parsed, received_at: datetime
) -> web.StreamResponse:
    try:
        answered = [_as_message(event) for event in parsed.events if event.kind in ANSWERED_EVENTS]
        if parsed.receipts or len(answered) < len(parsed.events):
            await context.database.write(receipts.apply, parsed, context.clock.now())
            context.database.announce()
        verdicts = [await _turned(context, channel, message, received_at) for message in (*parsed.messages, *answered)]
    except Exception:
        log.exception("a message could not be stored; the provider will repeat it")
        return web.Response(status=503, text="try again")
    reply = next((verdict.reply for verdict in verdicts if verdict is not None and verdict.reply is not None), None)
    response = _response(channel.acknowledge(parsed, reply[1] if reply else None, context.clock.now()))
    if reply is None:
        return response
    written = await _write(request, response)
    (context.intake.written if written else context.intake.unwritten)(reply[0])
    return response


async def _turned(context: Context, channel: Channel, message: InboundMessage, received_at: datetime) -> Verdict | None:
    """The verdict, or None where the channel's answer time is over first: what is said then goes the other way."""
    limits = channel.capabilities
    work = asyncio.ensure_future(context.intake.accept(message, limits, received_at))
    longest = limits.answer_within or limits.acknowledge_within
    until = received_at + timedelta(seconds=longest)
    left = (until - context.clock.now()).total_seconds()
    try:
        return await asyncio.wait_for(asyncio.shield(work), max(0.0, left))
    except TimeoutError:
        work.add_done_callback(lambda done: _too_late(context, done))
        return None


def _too_late(context: Context, done: "asyncio.Future[Verdict]") -> None:
    if done.cancelled() or done.exception() is not None:
        return
    reply = done.result().reply
    if reply is not None:
        context.intake.unwritten(reply[0])


async def _write(request: web.Request, response: web.Response) -> bool:
    """Write the answer now, to know whether the connection took it."""
    if request.transport is None or request.transport.is_closing():
        return False
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        await response.write_eof()
        return not request.transport.is_closing()
    return False
