"""Around every request: a number to ask for, limits, and what the caller sees when something goes wrong.

Never a stack trace or personal data to the caller, and no message of an exception in the log: those of a database
hold the row.
"""

import asyncio
import http
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from bot.errors import Conflict, FrontdeskError, NotAllowed, NotFound
from bot.store.base import new_id

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ErrorPage = Callable[[web.Request, int, str, str], Awaitable[web.StreamResponse]]
"""(request, status, sentence or "", request id) to a page."""

ERROR_PAGE = web.AppKey[ErrorPage]("error_page")
REQUEST_ID = web.RequestKey("request_id", str)
PAGES = "/console"
"""Requests below this path are answered by pages, all others by problem details (RFC 9457)."""

BODY_LIMIT = 1024 * 1024
TIME_LIMIT_S = 20.0

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_STATUS: tuple[tuple[type[FrontdeskError], int], ...] = ((NotFound, 404), (NotAllowed, 403), (Conflict, 409))
_streams: set[object] = set()


def stream(handler: Handler) -> Handler:
    """This handler answers as long as the client listens: no time limit."""
    _streams.add(handler)
    return handler


def middlewares() -> list[Any]:
    """What an application puts around everything that it serves."""
    return [guard]


def _with_headers(response: web.StreamResponse, request_id: str) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("X-Request-Id", request_id)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """An id, the limits, and headers on whatever the answer is."""
    request_id = request[REQUEST_ID] = new_id().hex
    try:
        response = await _guarded(request, handler, request_id)
    except web.HTTPException as redirect:
        _with_headers(redirect, request_id)
        raise
    if not response.prepared:
        _with_headers(response, request_id)
    return response


async def _guarded(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    """Errors turned into answers; only redirects are raised."""
    try:
        if request.content_length is not None and request.content_length > BODY_LIMIT:
            return await _answer(request, 413, "", request_id)
        async with asyncio.timeout(_limit(request)):
            return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return await _answer(request, error.status, "", request_id)
    except FrontdeskError as error:
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
        return await _answer(request, status, str(error), request_id)
    except TimeoutError:
        log.warning("request took too long", extra={"request_id": request_id, "route": _route(request)})
        return await _answer(request, 503, "", request_id)
    except Exception as error:
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("request %s %s failed: %s\n%s", request_id, _route(request), type(error).__name__, where)  # noqa: TRY400 - see above
        return await _answer(request, 500, "", request_id)


def _limit(request: web.Request) -> float | None:
    """Streams last as long as somebody listens; the simulator's phones hold some, too."""
    endless = request.match_info.handler in _streams or request.path.startswith("/simulator")
    return None if endless else TIME_LIMIT_S


def _route(request: web.Request) -> str:
    """The pattern that matched: paths hold ids, queries hold words."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "?"


async def _answer(request: web.Request, status: int, detail: str, request_id: str) -> web.StreamResponse:
    page = request.app.get(ERROR_PAGE)
    if page is not None and (request.path == PAGES or request.path.startswith(PAGES + "/")):
        return await page(request, status, detail, request_id)
    return problem(status, detail, request_id)


def problem(status: int, detail: str = "", request_id: str = "", **members: Any) -> web.Response:
    """Problem details for programs (RFC 9457)."""
    body = {"type": "about:blank", "title": http.HTTPStatus(status).phrase, "status": status, **members}
    if detail:
        body["detail"] = detail
    if request_id:
        body["request_id"] = request_id
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/problem+json")
