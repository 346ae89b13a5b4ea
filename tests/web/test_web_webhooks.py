"""Law 12 at the door: what is refused, what is kept though nobody can read it, and what the caller is told."""

import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store.messages import channel_events, messages, unreadable
from bot.store.residents import identities
from bot.store.work_orders import work_orders
from bot.web.webhooks import LARGEST_BODY
from tests.engine import kit
from tests.engine.kit import HELLO, SUCCESS, Kit, content, openid
from tests.support.clock import StoppedClock

REFUSED = (403, b"not authorised")
BOMB = b'<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><xml><ToUserName>&b;</ToUserName></xml>'


@pytest.fixture
async def desk(database_url: str, clock: StoppedClock) -> AsyncIterator[Kit]:
    async with kit.opened(database_url, clock) as desk:
        yield desk


async def _nothing_stored(desk: Kit) -> None:
    for table in (messages, unreadable, channel_events):
        assert await desk.count(table) == 0


async def test_what_the_platform_did_not_sign_is_refused_and_not_stored(desk: Kit) -> None:
    body, good = desk.body(openid(), HELLO, "1"), desk.platform.signed_query()
    forged: list[dict[str, str]] = [
        {},
        {**good, "signature": "0" * 40},
        {**good, "signature": good["signature"][:-1]},
        {**good, "signature": "签名"},
        {**good, "nonce": "1"},
        {**good, "timestamp": str(int(good["timestamp"]) + 1)},
        {name: value for name, value in good.items() if name != "nonce"},
        {name: value for name, value in good.items() if name != "timestamp"},
    ]
    for query in forged:
        assert await desk.post(body, query) == REFUSED, query
    desk.pass_time(minutes=11)
    assert await desk.post(body, good) == REFUSED
    await _nothing_stored(desk)


async def test_what_nobody_can_read_is_kept_once_and_acknowledged(desk: Kit) -> None:
    fine = desk.body(openid(), HELLO, "1")
    bodies = {
        "empty": b"",
        "no XML": b"\x00\x01 hello",
        "half": fine[:-20],
        "not UTF-8": fine.replace(HELLO.encode(), b"\xff\xfe"),
        "another account": fine.replace(kit.ORIGINAL_ID.encode(), b"gh_somebody_else"),
        "entity bomb": BOMB,
        "JSON": b'{"MsgType": "text"}',
        "no sender": fine.replace(b"FromUserName", b"From"),
        "no time": fine.replace(b"CreateTime", b"Time"),
        "just under the limit": b"<xml>" + b"x" * (LARGEST_BODY - 5),
    }
    for body in bodies.values():
        assert await desk.post(body) == SUCCESS
        assert await desk.post(body) == SUCCESS
    kept = await desk.rows(unreadable)
    assert [row["raw"] for row in kept] == list(bodies.values())
    assert all(row["reason"] for row in kept)
    assert await desk.count(messages) == 0
    assert await desk.count(identities) == 0
    assert content(await desk.post(fine)), "and the next message is answered"


async def test_a_body_that_is_too_large_is_refused_however_it_is_sent(desk: Kit) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * (LARGEST_BODY // 2)

    bodies: list[Any] = [b"x" * (LARGEST_BODY + 1), chunks(), io.BytesIO(b"x" * 3_000_000)]
    for body in bodies:
        async with desk.session.post(desk.url, params=desk.platform.signed_query(), data=body) as response:
            assert response.status == 413
    await _nothing_stored(desk)


async def test_the_handshake_echoes_only_what_is_signed(desk: Kit) -> None:
    assert await desk.platform.handshake()
    async with desk.session.get(
        desk.url, params={**desk.platform.signed_query(), "nonce": "1", "echostr": "9"}
    ) as answer:
        assert answer.status == 403


async def test_leaving_and_coming_back_is_kept_and_repeats_change_nothing(desk: Kit) -> None:
    who = openid()
    await desk.push(who, HELLO)
    left = await desk.platform.unfollow(who)
    assert left.result == "silent"
    assert not (await _identity(desk, who))["reachable"]
    desk.pass_time(seconds=1)
    assert (await desk.platform.follow(who)).result == "reply"
    assert (await _identity(desk, who))["reachable"]
    assert await desk.post(left.body) == SUCCESS
    assert (await _identity(desk, who))["reachable"]
    assert await desk.count(channel_events) == 1


async def test_a_code_tells_where_and_cannot_press_a_button(desk: Kit) -> None:
    who = openid()
    assert (await desk.platform.follow(who, "repair")).result == "reply"
    desk.pass_time(seconds=1)
    assert (await desk.platform.scan(who, "b3-u1-1202")).result == "reply"
    desk.pass_time(seconds=1)
    assert (await desk.platform.click(who, "repair")).result == "reply"
    choices = {"followed": "scene:repair", "scanned": "scene:b3-u1-1202", "menu_click": "repair"}
    for kind, choice in choices.items():
        assert (await desk.row(messages, messages.c.kind == kind))["choice"] == choice


async def test_a_scanned_home_is_where_the_next_report_is(desk: Kit) -> None:
    who = openid()
    followed = await desk.platform.follow(who, "h:翠湖苑/3-2-1502")
    assert "您在翠湖苑3栋2单元1502扫的码，直接说什么事就行。" in followed.shown
    desk.pass_time(seconds=1)
    assert (await desk.push(who, "厨房水管漏水")).result == "reply"
    order = await desk.row(work_orders)
    assert (order["where"]["building"], order["where"]["unit"], order["where"]["room"]) == ("3", "2", "1502")
    assert order["home_id"] is not None
    desk.pass_time(seconds=1)
    assert (await desk.platform.scan(who, "h:翠湖苑/33-2-1502")).shown == "在的，您说。"


async def _identity(desk: Kit, who: str) -> dict[str, Any]:
    return await desk.row(identities, identities.c.address == who)


async def test_health_says_whether_the_database_answers(desk: Kit, database_url: str) -> None:
    base = desk.url.split("/channels")[0]
    for path in ("/healthz", "/readyz"):
        async with desk.session.get(base + path) as response:
            assert response.status == 200
    await desk.database.write(lambda conn: conn.execute(sa.text("DELETE FROM alembic_version")).rowcount)
    async with desk.session.get(base + "/readyz") as response:
        assert response.status == 503
        assert "frontdesk migrate" in (await response.json())["status"]
    async with desk.session.get(base + "/channels/wechat/nobody") as response:
        assert response.status == 404
