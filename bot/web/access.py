"""Who is at the console, and which record is for them: sign-in, sessions, CSRF, and the only ways to a record.

A record that is not for this person does not exist for them: `NotFound`, never a hint.
"""

import asyncio
import contextlib
import functools
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import sqlalchemy as sa
from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.desk import Case, Desk
from bot.errors import Conflict, FrontdeskError, NotAllowed, NotFound
from bot.store import affairs, alarms, articles, bindings, complaints, inbox, media, questions, staff, work_orders
from bot.store.base import NOBODY, Row
from bot.web.context import CONTEXT, Context
from bot.web.limits import FailureLimit
from bot.web.rights import MASKED_ROLE, Act, Allowed, allowed, unmasked
from bot.world import Member

COOKIE = "frontdesk_session"
FORM_COOKIE = "frontdesk_form"
PATH = "/console"
SIGN_IN = f"{PATH}/sign-in"
LASTS = timedelta(hours=12)
"""A session ends so long after its last request: longer than a shift, shorter than a day."""
TOUCH_AFTER = timedelta(minutes=5)

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SENSITIVE_NATURES = frozenset({"staff"})
OUTSIDE_SOURCES = frozenset({"12345", "street_office", "press", "police"})

_hasher = PasswordHasher()


class SignInRefused(FrontdeskError):
    """Login and password do not fit; the message never says which."""


class TooManyTries(FrontdeskError):
    """Wait before the next try."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"too many tries, wait {wait}")
        self.seconds = max(1, int(wait.total_seconds()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is signed in. Roles are read with every request: what is taken from somebody is gone at once."""

    id: UUID
    login: str
    name: str
    title: str
    language: str
    roles: tuple[tuple[str, UUID | None], ...]
    csrf: str
    token_hash: str

    def may(self, act: Act) -> Allowed:
        return allowed(self.roles, act)

    def may_unmasked(self, act: Act) -> Allowed:
        """As `may`, without what the auditor's role gives: that one sees masked."""
        return allowed(unmasked(self.roles), act)

    @property
    def audits(self) -> bool:
        """Whether some of what this person reads is masked."""
        return any(role == MASKED_ROLE for role, _ in self.roles)

    def member(self, context: Context) -> Member:
        """The person as workflows know them."""
        known = context.world.members.get(self.id)
        return known or Member(self.id, self.name, self.title, roles=frozenset(self.roles))


class Throttle:
    """What slows down guessing: counters of failed sign-ins by login and address, and by address alone."""

    def __init__(self) -> None:
        self.pairs = FailureLimit(5, timedelta(minutes=15))
        self.addresses = FailureLimit(30, timedelta(minutes=15))
        self.at_once = asyncio.Semaphore(4)
        """Each check costs 64 MiB: this many side by side."""

    def enter(self, login: str, address: str, now: datetime) -> None:
        """Count a try as failed until it has passed, so that tries side by side are counted, too."""
        waits = [self.pairs.retry_after((login, address), now), self.addresses.retry_after(address, now)]
        longest = max((wait for wait in waits if wait is not None), default=None)
        if longest is not None:
            raise TooManyTries(longest)
        self.pairs.failed((login, address), now)
        self.addresses.failed(address, now)

    def passed(self, login: str, address: str) -> None:
        self.pairs.passed((login, address))
        self.addresses.passed(address)


THROTTLE = web.AppKey("throttle", Throttle)


# -- signing in and out -----------------------------------------------------------------------------------------------


def hash_password(password: str) -> str:
    """For accounts that are made elsewhere (commands, demonstration data)."""
    return _hasher.hash(password)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def sign_in(context: Context, throttle: Throttle, login: str, password: str, address: str) -> str:
    """A new session for the right password: its token. Raises `SignInRefused` or `TooManyTries`."""
    now = context.clock.now()
    throttle.enter(login, address, now)
    row = await context.database.read(staff.by_login, login)
    known = row["password_hash"] if row is not None and row["active"] else _no_hash()
    async with throttle.at_once:
        fits = await asyncio.to_thread(_verify, known, password)
    if not fits or row is None or not row["active"]:
        raise SignInRefused("login and password do not fit")
    throttle.passed(login, address)
    return await open_session(context, row["id"])


async def open_session(context: Context, staff_id: UUID) -> str:
    """A new session for somebody who has proved who they are: its token."""
    now, token = context.clock.now(), secrets.token_urlsafe(32)
    session: Row = {
        "token_hash": token_hash(token),
        "staff_id": staff_id,
        "csrf": secrets.token_urlsafe(24),
        "created_at": now,
        "seen_at": now,
        "expires_at": now + LASTS,
    }
    await context.database.write(staff.begin_session, session, now)
    return token


@functools.cache
def _no_hash() -> str:
    """What an unknown login is checked against, so that it takes as long as a known one."""
    return _hasher.hash(secrets.token_urlsafe())


def _verify(known: str, password: str) -> bool:
    try:
        return _hasher.verify(known, password)
    except (VerificationError, InvalidHashError):
        return False


async def sign_out(context: Context, person: Person) -> None:
    await context.database.write(staff.end_session, person.token_hash, person.id, context.clock.now())


def set_cookie(
    response: web.StreamResponse, request: web.Request, name: str, value: str, max_age: int | None = None
) -> None:
    """A cookie that only we read, over TLS only where the console is served over it."""
    settings = request.app[CONTEXT].settings
    secure = request.secure or (settings.staff_port is None and settings.address.startswith("https://"))
    response.set_cookie(name, value, path=PATH, httponly=True, samesite="Lax", secure=secure, max_age=max_age)


async def signed_in(request: web.Request) -> Person | None:
    """The person of this request's session."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    context = request.app[CONTEXT]
    now = context.clock.now()
    found = await context.database.read(_session, token_hash(token), now)
    if found is None:
        return None
    row, person = found
    if now - row["seen_at"] > TOUCH_AFTER:
        await context.database.write(staff.touch_session, person.token_hash, now, now + LASTS)
    return person


def _session(conn: sa.Connection, hashed: str, now: datetime) -> tuple[Row, Person] | None:
    row = staff.session(conn, hashed, now)
    if row is None:
        return None
    roles = tuple((role["role"], role["community_id"]) for role in staff.roles_of(conn, row["staff_id"]))
    person = Person(
        id=row["staff_id"],
        login=row["login"],
        name=row["name"],
        title=row["title"],
        language=row["language"],
        roles=roles,
        csrf=row["csrf"],
        token_hash=hashed,
    )
    return row, person


# -- every request ----------------------------------------------------------------------------------------------------

Handler = Callable[[web.Request, Person], Awaitable[web.StreamResponse]]


def guarded(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Only for people who are signed in, and whatever changes something only from our own pages."""

    async def run(request: web.Request) -> web.StreamResponse:
        person = await signed_in(request)
        if person is None:
            return to_sign_in(request)
        if request.method not in SAFE:
            await check_form(request, person.csrf)
        return await handler(request, person)

    return run


async def check_form(request: web.Request, expected: str) -> None:
    """Refuse a request that another site made the browser send."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise web.HTTPForbidden(reason="cross-site request")
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise web.HTTPForbidden(reason="cross-site request")
    given = request.headers.get("X-CSRF-Token") or str((await request.post()).get("csrf", ""))
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise web.HTTPForbidden(reason="form token missing or out of date")


def to_sign_in(request: web.Request) -> web.Response:
    """To the sign-in page and back; a page that refreshes a part of itself is sent there as a whole."""
    if request.headers.get("HX-Request"):
        return web.Response(status=401, headers={"HX-Redirect": SIGN_IN})
    back = f"?next={quote(request.path_qs)}" if request.method == "GET" and request.path != PATH else ""
    return web.Response(status=303, headers={"Location": SIGN_IN + back})


def safe_next(path: str) -> str:
    """Where to go after sign-in: only to a page of the console."""
    inside = path == PATH or path.startswith((PATH + "/", PATH + "?"))
    return path if inside and not any(char in path for char in "\\\r\n\t") else PATH


# -- the only ways to a record ----------------------------------------------------------------------------------------


def conversation_for(conn: sa.Connection, person: Person, conversation_id: UUID, act: Act = Act.READ) -> Row:
    """A conversation that this person may read, or do `act` in."""
    row = inbox.get(conn, conversation_id)
    may = person.may(act)
    if row is None or not may:
        raise NotFound("conversation")
    if may.covers(row["community_id"]):
        return row
    mine = may.own and inbox.has_case_of(conn, conversation_id, person.id)
    emergency = may.on_alarm and bool(alarms.of_conversations(conn, [conversation_id]))
    if not may.covers(row["community_id"], mine=mine, emergency=emergency):
        raise NotFound("conversation")
    return row


def order_for(conn: sa.Connection, person: Person, order_id: UUID, act: Act = Act.SEE_ORDERS) -> Row:
    row = work_orders.get(conn, order_id)
    if row is None or not reaches_order(person, row, Act.SEE_ORDERS):
        raise NotFound("work order")
    return _may(row, reaches_order(person, row, act))


def reaches_order(person: Person, row: Row, act: Act) -> bool:
    mine, emergency = row["assignee_id"] == person.id, row["urgency"] == "emergency"
    return person.may(act).covers(row["community_id"], mine=mine, emergency=emergency)


def complaint_for(conn: sa.Connection, person: Person, case_id: UUID, act: Act = Act.SEE_COMPLAINTS) -> Row:
    row = complaints.get(conn, case_id)
    if row is None or not reaches_complaint(person, row, Act.SEE_COMPLAINTS):
        raise NotFound("complaint")
    return _may(row, reaches_complaint(person, row, act))


def reaches_complaint(person: Person, row: Row, act: Act) -> bool:
    if sensitive(row) and not person.may(Act.SENSITIVE).covers(row["community_id"]):
        return False
    return person.may(act).covers(row["community_id"], mine=row["assignee_id"] == person.id)


def sensitive(row: Row) -> bool:
    """About our own people, or come from outside: not for everybody at the desk."""
    return row["nature"] in SENSITIVE_NATURES or row["source"] in OUTSIDE_SOURCES


def affair_for(conn: sa.Connection, person: Person, affair_id: UUID, act: Act = Act.SEE_AFFAIRS) -> Row:
    row = affairs.get(conn, affair_id)
    if row is None or not reaches_affair(person, row, Act.SEE_AFFAIRS):
        raise NotFound("affair")
    return _may(row, reaches_affair(person, row, act))


def reaches_affair(person: Person, row: Row, act: Act) -> bool:
    return person.may(act).covers(row["community_id"], mine=row["owner_id"] == person.id)


def alarm_for(conn: sa.Connection, person: Person, alarm_id: UUID, act: Act = Act.SEE_ALARMS) -> Row:
    row = alarms.get(conn, alarm_id)
    if row is None:
        raise NotFound("alarm")
    mine = alarms.addressed_to(conn, alarm_id, person.id)
    if not person.may(Act.SEE_ALARMS).covers(row["community_id"], mine=mine):
        raise NotFound("alarm")
    return _may(row, person.may(act).covers(row["community_id"], mine=mine))


def media_for(conn: sa.Connection, person: Person, media_id: UUID) -> Row:
    """A file that somebody sent, for whoever may read its conversation or handles a case it belongs to.

    A picture cannot be masked: a role that sees masked does not see it.
    """
    row = media.get(conn, media_id)
    person = replace(person, roles=tuple(unmasked(person.roles)))
    if row is None or not (_reads(conn, person, row) or _handles(conn, person, row)):
        raise NotFound("file")
    return row


def _reads(conn: sa.Connection, person: Person, row: Row) -> bool:
    with contextlib.suppress(NotFound):
        return bool(conversation_for(conn, person, row["conversation_id"]))
    return False


def _handles(conn: sa.Connection, person: Person, row: Row) -> bool:
    """Orders and affairs; what came with a complaint is for those who may read the conversation."""
    for kind, case_id in media.cases_of(conn, row):
        with contextlib.suppress(NotFound):
            if kind == "work_order":
                return bool(order_for(conn, person, case_id))
            if kind == "affair":
                return bool(affair_for(conn, person, case_id))
    return False


def task_for(conn: sa.Connection, person: Person, task_id: UUID) -> Row:
    row = alarms.get_task(conn, task_id)
    if row is None or not person.may(Act.CALL).covers(row["community_id"]):
        raise NotFound("call task")
    return row


def article_for(conn: sa.Connection, person: Person, article_id: UUID, act: Act = Act.WRITE_KNOWLEDGE) -> Row:
    """An article of the company's own. One of all communities is read by all who write, and changed only by those who
    may do so everywhere."""
    row, may = articles.get(conn, article_id), person.may(Act.WRITE_KNOWLEDGE)
    if row is None or not may or (row["community_id"] != NOBODY and not may.covers(row["community_id"])):
        raise NotFound("article")
    return _may(row, act is Act.WRITE_KNOWLEDGE or reaches_article(person, row["community_id"], act))


def reaches_article(person: Person, community_id: UUID, act: Act) -> bool:
    may = person.may(act)
    return may.everywhere if community_id == NOBODY else may.covers(community_id)


def group_for(conn: sa.Connection, person: Person, group_id: UUID) -> Row:
    """A group of questions without an answer."""
    row = questions.get(conn, group_id)
    if row is None or not person.may(Act.WRITE_KNOWLEDGE).covers(row["community_id"]):
        raise NotFound("questions")
    return row


def binding_for(conn: sa.Connection, person: Person, binding_id: UUID) -> Row:
    row = bindings.get(conn, binding_id)
    if row is None or not person.may(Act.BIND).covers(row["community_id"]):
        raise NotFound("binding")
    return row


def _may(row: Row, yes: bool) -> Row:
    if not yes:
        raise NotAllowed("not_allowed")
    return row


def case_in(desk: Desk, case_id: UUID) -> Any:
    """The case as it stands inside the act; one that was closed long ago is no longer moved."""
    case: Case | None = desk.case(case_id)
    if case is None:
        raise Conflict("archived")
    return case
