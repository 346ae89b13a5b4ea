"""Signing in, sessions, forms, and what a stranger gets."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.store import staff
from bot.web import access
from bot.web.limits import FailureLimit
from bot.web.staff import PAGES
from tests.support.clock import MONDAY, StoppedClock
from tests.web.console_kit import Kit, enter
from tests.web.console_seed import PASSWORD


async def test_signs_in_with_the_right_password_and_out_again(kit: Kit) -> None:
    browser = await kit.sign_in("agent")
    assert (await browser.get("/inbox")).status == 200
    left = await browser.post("/sign-out")
    assert (left.status, left.headers["Location"]) == (303, "/console/sign-in")
    assert (await browser.get("/inbox")).status == 303
    assert await kit.acts() == ["sign_in", "sign_out"]
    assert await kit.every(sa.select(staff.sessions)) == []


async def test_the_token_is_kept_as_a_hash_only_and_the_cookie_is_for_us_alone(kit: Kit) -> None:
    browser = kit.stranger()
    response = await enter(browser, "agent", PASSWORD)
    cookie = response.cookies[access.COOKIE]
    row = await kit.one(sa.select(staff.sessions))
    assert row["token_hash"] == access.token_hash(cookie.value)
    assert cookie.value not in str(row)
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/console")


@pytest.mark.parametrize(("login", "password"), [("agent", "wrong"), ("unknown", PASSWORD), ("agent", ""), ("", "")])
async def test_a_wrong_sign_in_says_the_same_whatever_was_wrong(kit: Kit, login: str, password: str) -> None:
    browser = kit.stranger()
    response = await enter(browser, login, password)
    page = await response.text()
    assert response.status == 401
    assert "账号或密码不对" in page
    assert password not in page or not password
    assert access.COOKIE not in response.cookies


async def test_somebody_who_left_cannot_come_in_and_is_out_at_once(kit: Kit) -> None:
    browser = await kit.sign_in("agent")
    gone = sa.update(staff.staff).where(staff.staff.c.login == "agent").values(active=False)
    await kit.run(lambda conn: conn.execute(gone))
    assert (await browser.get("/inbox")).status == 303
    assert (await enter(kit.stranger(), "agent", PASSWORD)).status == 401


async def test_too_many_tries_have_to_wait_and_only_that_login(kit: Kit, clock: StoppedClock) -> None:
    browser = kit.stranger()
    for _ in range(5):
        assert (await enter(browser, "agent", "wrong")).status == 401
    refused = await enter(browser, "agent", PASSWORD)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "900")
    assert (await enter(kit.stranger(), "agent2", PASSWORD)).status == 303
    clock.advance(minutes=16)
    assert (await enter(browser, "agent", PASSWORD)).status == 303


async def test_a_session_lasts_while_it_is_used(kit: Kit, clock: StoppedClock) -> None:
    browser = await kit.sign_in("agent")
    for _ in range(3):
        clock.advance(hours=8)
        assert (await browser.get("/inbox")).status == 200
    clock.advance(hours=13)
    assert (await browser.get("/inbox")).status == 303


async def test_a_role_that_is_taken_is_gone_with_the_next_request(kit: Kit) -> None:
    browser = await kit.sign_in("agent")
    gone = sa.delete(staff.staff_roles).where(staff.staff_roles.c.staff_id == kit.seed.people["agent"])
    await kit.run(lambda conn: conn.execute(gone))
    assert (await browser.get(f"/inbox/{kit.seed.conversations['wang']}")).status == 404


ANY_ID = "00000000-0000-0000-0000-000000000001"


async def test_a_stranger_is_sent_to_sign_in(kit: Kit) -> None:
    browser = kit.stranger()
    for method, path, _ in PAGES:
        where = path.replace("{id}", ANY_ID).replace("{message}", ANY_ID).replace("{move}", "note")
        response = await (browser.get(where) if method == "GET" else browser.post(where))
        assert (where, response.status) == (where, 303)
        assert response.headers["Location"].startswith("/console/sign-in")
    partial = await browser.get("/inbox", headers={"HX-Request": "true"})
    assert (partial.status, partial.headers["HX-Redirect"]) == (401, "/console/sign-in")


async def test_no_form_works_without_the_token_of_its_session(kit: Kit) -> None:
    browser = await kit.sign_in("supervisor")
    token = browser.csrf
    for path in (path for method, path, _ in PAGES if method == "POST"):
        where = path.replace("{id}", ANY_ID).replace("{message}", ANY_ID).replace("{move}", "note")
        for wrong in ("", token[:-1] + "x"):
            browser.csrf = wrong
            assert (where, (await browser.post(where)).status) == (where, 403)
        browser.csrf = token
        assert (await browser.post(where, None, **{"Sec-Fetch-Site": "cross-site"})).status == 403
        assert (await browser.post(where, None, Origin="https://evil.example")).status == 403
    assert await kit.acts() == ["sign_in"]


async def test_the_sign_in_form_works_only_in_the_browser_that_got_it(kit: Kit) -> None:
    theirs, mine = kit.stranger(), kit.stranger()
    await theirs.text("/sign-in")
    await mine.text("/sign-in")
    fields = {"login": "agent", "password": PASSWORD}
    assert (await mine.post("/sign-in", {**fields, "csrf": "made up"})).status == 403
    assert (await enter(mine, "agent", PASSWORD)).status == 303


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("/console/orders?closed", "/console/orders?closed"),
        ("https://evil.example/", "/console"),
        ("//evil.example", "/console"),
        ("/console\\@evil.example", "/console"),
        ("/consoleevil", "/console"),
        ("/simulator", "/console"),
        ("", "/console"),
    ],
)
async def test_after_signing_in_one_stays_in_the_console(kit: Kit, asked: str, goes: str) -> None:
    response = await enter(kit.stranger(), "agent", PASSWORD, next=asked)
    assert response.headers["Location"] == goes


async def test_the_first_page_fits_the_role(kit: Kit) -> None:
    firsts = {"agent": "inbox", "tech": "orders", "cashier": "affairs", "admin": "attention", "auditor": "inbox"}
    for login, page in firsts.items():
        response = await (await kit.sign_in(login)).get("")
        assert (login, response.headers["Location"]) == (login, f"/console/{page}")


async def test_the_language_is_kept_with_the_person(kit: Kit) -> None:
    browser = await kit.sign_in("agent")
    assert "会话" in await browser.text("/inbox")
    assert (await browser.post("/language", {"language": "en", "back": "/console/orders"})).headers[
        "Location"
    ] == "/console/orders"
    assert "Inbox" in await browser.text("/inbox")
    assert "Inbox" in await (await kit.sign_in("agent")).text("/inbox")


def test_a_limit_forgets_and_stays_small() -> None:
    limit = FailureLimit(2, timedelta(minutes=1), keys=3)
    for key in "abcd":
        limit.failed(key, MONDAY)
    assert len(limit) == 3
    assert limit.retry_after("d", MONDAY) is None
    limit.failed("d", MONDAY + timedelta(seconds=10))
    assert limit.retry_after("d", MONDAY + timedelta(seconds=20)) == timedelta(seconds=40)
    assert limit.retry_after("d", MONDAY + timedelta(seconds=61)) is None
    limit.passed("d")
    assert limit.retry_after("d", MONDAY) is None
