"""What surrounds every answer: headers, limits, and errors that tell nothing."""

import asyncio
import io
import logging
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.clock import SystemClock
from bot.errors import Conflict, FrontdeskError, NotAllowed, NotFound
from bot.store.database import Database
from bot.web import live, middleware
from bot.web.live import Hub
from tests.web.console_kit import Kit

SECRET = "王小明 13812348000"


def application(**handlers: middleware.Handler) -> web.Application:
    app = web.Application(middlewares=middleware.middlewares(), client_max_size=middleware.BODY_LIMIT)
    for name, handler in handlers.items():
        app.router.add_route("*", f"/{name}", handler)
    return app


def raising(error: Exception) -> middleware.Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        raise error

    return handler


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (RuntimeError(SECRET), 500, None),
        (NotFound("record"), 404, "record"),
        (NotAllowed("no"), 403, "no"),
        (Conflict("moved on"), 409, "moved on"),
        (FrontdeskError("wrong"), 400, "wrong"),
        (web.HTTPGone(), 410, None),
        (TimeoutError(SECRET), 503, None),
    ],
)
async def test_an_error_is_a_problem_and_never_a_stack_trace(
    error: Exception, status: int, detail: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with TestClient(TestServer(application(boom=raising(error)))) as client:
        response = await client.get(f"/boom?q={SECRET}")
        body = await response.json()
    assert (response.status, response.content_type) == (status, "application/problem+json")
    assert (body["status"], body.get("detail")) == (status, detail)
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert SECRET not in str(body) + caplog.text.replace("aiohttp.access", "")
    assert "Traceback" not in str(body)


async def test_pages_carry_headers_that_keep_others_out(kit: Kit) -> None:
    browser = await kit.sign_in("agent")
    for path in ("/sign-in", "/inbox", "/static/console.js", "/nowhere"):
        headers = (await browser.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
    assert (await browser.get("/inbox")).headers["Cache-Control"] == "no-store"


async def test_errors_of_the_console_are_pages(kit: Kit) -> None:
    browser = await kit.sign_in("agent")
    missing = await browser.get("/orders/nonsense")
    assert (missing.status, missing.content_type) == (404, "text/html")
    page = await missing.text()
    assert "没有这条记录" in page
    assert missing.headers["X-Request-Id"] in page
    assert (await browser.get("/nowhere")).status == 404
    assert (await browser.get("/orders/x/dispatch")).status == 405


async def test_a_body_too_large_is_refused_before_it_is_read(kit: Kit) -> None:
    browser = await kit.sign_in("agent")
    body = io.BytesIO(b"x" * (middleware.BODY_LIMIT + 1))
    response = await browser.client.post("/console/language", data=body, headers={"X-CSRF-Token": browser.csrf})
    assert response.status == 413


async def test_a_handler_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forever(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    monkeypatch.setattr(middleware, "TIME_LIMIT_S", 0.01)
    async with TestClient(TestServer(application(forever=forever))) as client:
        assert (await client.get("/forever")).status == 503


async def test_consoles_hear_of_changes_once_a_second_at_most(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "COALESCE", timedelta(milliseconds=50))
    database = kit.context.database
    hub = Hub(database, SystemClock())
    app = application(live=middleware.stream(hub.stream))
    async with TestClient(TestServer(app)) as client:
        response = await client.get("/live")
        assert response.headers["Content-Type"] == "text/event-stream"
        assert await response.content.readuntil(b"\n\n") == live.EVENT
        for _ in range(100):
            database.announce()
        assert await response.content.readuntil(b"\n\n") == live.EVENT
        assert hub.listeners == 1
        await hub.close()
        rest = await response.content.read()
        assert rest.count(b"event:") <= 1
    assert hub.listeners == 0


async def test_a_stream_beats_while_nothing_happens(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "COALESCE", timedelta(0))
    monkeypatch.setattr(live, "HEARTBEAT", timedelta(milliseconds=10))
    hub = Hub(database, SystemClock())
    async with TestClient(TestServer(application(live=middleware.stream(hub.stream)))) as client:
        response = await client.get("/live")
        assert await response.content.readuntil(b"\n\n") == live.EVENT
        assert await response.content.readuntil(b"\n\n") == live.BEAT
        await hub.close()


async def test_the_stream_is_for_people_who_are_signed_in(kit: Kit) -> None:
    assert (await kit.stranger().get("/live")).status == 303
