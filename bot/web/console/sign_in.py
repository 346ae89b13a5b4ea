"""Signing in and out, and the language of the console."""

import hmac
import secrets

from aiohttp import web

from bot import demo
from bot.store import staff
from bot.web import access
from bot.web.access import COOKIE, FORM_COOKIE, PATH, SIGN_IN, THROTTLE, Person
from bot.web.console import texts, view
from bot.web.context import CONTEXT
from bot.web.proxies import client_address

LANGUAGE_COOKIE = "frontdesk_language"


def language_of(request: web.Request) -> str:
    """What this browser reads: as it was chosen here, else as last time."""
    return texts.known(request.query.get("lang") or request.cookies.get(LANGUAGE_COOKIE, ""))


def _page(
    request: web.Request, *, error: str = "", login: str = "", status: int = 200, seconds: int = 0
) -> web.Response:
    language = language_of(request)
    token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    values = {
        "t": lambda key, **v: texts.say(language, key, **v),
        "language": language,
        "error": error,
        "login": login,
        "token": token,
        "next": access.safe_next(request.query.get("next", PATH)),
        "minutes": -(-seconds // 60),
        "sign_ins": demo.sign_ins() if request.app[CONTEXT].demo else (),
        "demo_password": demo.PASSWORD,
    }
    text = request.app[view.ENV].get_template("sign_in.html").render(values)
    response = web.Response(text=text, status=status, content_type="text/html", headers=view.NO_STORE)
    access.set_cookie(response, request, FORM_COOKIE, token)
    if request.query.get("lang"):
        _remember_language(response, request, language)
    if seconds:
        response.headers["Retry-After"] = str(seconds)
    return response


def _remember_language(response: web.StreamResponse, request: web.Request, language: str) -> None:
    access.set_cookie(response, request, LANGUAGE_COOKIE, language, max_age=31_536_000)


async def form(request: web.Request) -> web.StreamResponse:
    if await access.signed_in(request):
        raise web.HTTPSeeOther(PATH)
    return _page(request, login=request.query.get("login", "")[:100])


async def enter(request: web.Request) -> web.StreamResponse:
    """Check login and password. The form's token must be the one that this browser got with the page."""
    fields = await request.post()
    cookie = request.cookies.get(FORM_COOKIE, "")
    if not cookie or not hmac.compare_digest(str(fields.get("csrf", "")).encode(), cookie.encode()):
        return _page(request, error="sign_in.again", status=403)
    await access.check_form(request, cookie)
    context, login = request.app[CONTEXT], str(fields.get("login", "")).strip()[:100]
    password = str(fields.get("password", ""))[:1000]
    try:
        token = await access.sign_in(context, request.app[THROTTLE], login, password, client_address(request))
    except access.SignInRefused:
        return _page(request, error="sign_in.refused", login=login, status=401)
    except access.TooManyTries as error:
        return _page(request, error="sign_in.too_many", login=login, status=429, seconds=error.seconds)
    response = web.Response(status=303, headers={"Location": access.safe_next(str(fields.get("next", PATH)))})
    access.set_cookie(response, request, COOKIE, token)
    response.del_cookie(FORM_COOKIE, path=PATH)
    return response


async def leave(request: web.Request, person: Person) -> web.StreamResponse:
    await access.sign_out(request.app[CONTEXT], person)
    response = web.Response(status=303, headers={"Location": SIGN_IN, "Clear-Site-Data": '"storage"'})
    response.del_cookie(COOKIE, path=PATH)
    return response


async def language(request: web.Request, person: Person) -> web.StreamResponse:
    """Speak another language to this person from now on, here and on the next machine."""
    fields = await request.post()
    wanted = texts.known(str(fields.get("language", "")))
    await request.app[CONTEXT].database.write(staff.set_language, person.id, wanted)
    response = web.Response(status=303, headers={"Location": access.safe_next(str(fields.get("back", PATH)))})
    _remember_language(response, request, wanted)
    return response
