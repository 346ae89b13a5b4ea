"""Signing in with the phone: the browser shows a code, a colleague's bound chat account sends it, the browser is in."""

import hmac
import secrets
from datetime import timedelta

import sqlalchemy as sa
from aiohttp import web

from bot import register
from bot.store import bindings
from bot.web import access
from bot.web.access import COOKIE, FORM_COOKIE, PATH, SIGN_IN, THROTTLE
from bot.web.console import sign_in, texts, view
from bot.web.context import CONTEXT
from bot.web.proxies import client_address

WAITING_COOKIE = "frontdesk_waiting"
"""What this browser alone knows of its code, and the code, which is shown again at each look."""
LASTS = timedelta(minutes=2)


async def begin(request: web.Request) -> web.StreamResponse:
    """A new code for this browser, twenty at most from an address in a quarter of an hour."""
    given = await request.post()
    cookie = request.cookies.get(FORM_COOKIE, "")
    if not cookie or not hmac.compare_digest(str(given.get("csrf", "")).encode(), cookie.encode()):
        raise web.HTTPSeeOther(SIGN_IN)
    await access.check_form(request, cookie)
    context, address = request.app[CONTEXT], client_address(request)
    now, limits = context.clock.now(), request.app[THROTTLE].addresses
    if limits.retry_after(address, now) is not None:
        raise web.HTTPTooManyRequests
    limits.failed(address, now)
    secret = secrets.token_urlsafe(24)

    def make(conn: sa.Connection) -> str:
        return register.make_code(conn, "sign_in", now, LASTS, session_hash=access.token_hash(secret))

    code = await context.database.write(make)
    response = web.Response(status=303, headers={"Location": f"{SIGN_IN}/phone"})
    seconds = int(LASTS.total_seconds())
    access.set_cookie(response, request, WAITING_COOKIE, f"{secret}.{code}", max_age=seconds)
    return response


async def wait(request: web.Request) -> web.StreamResponse:
    """The code, until somebody has sent it; the page looks again by itself."""
    secret, _, code = request.cookies.get(WAITING_COOKIE, "").rpartition(".")
    if not secret:
        raise web.HTTPSeeOther(SIGN_IN)
    context = request.app[CONTEXT]
    staff_id = await context.database.write(bindings.let_in, access.token_hash(secret))
    if staff_id is None:
        return _page(request, code)
    response = web.Response(status=303, headers={"Location": PATH})
    access.set_cookie(response, request, COOKIE, await access.open_session(context, staff_id))
    response.del_cookie(WAITING_COOKIE, path=PATH)
    return response


def _page(request: web.Request, code: str) -> web.Response:
    language = sign_in.language_of(request)
    values = {"t": lambda key, **v: texts.say(language, key, **v), "language": language, "code": code}
    text = request.app[view.ENV].get_template("phone_sign_in.html").render(values)
    return web.Response(text=text, content_type="text/html", headers={**view.NO_STORE, "Refresh": "3"})
