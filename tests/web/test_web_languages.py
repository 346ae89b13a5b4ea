"""The language of a new follower: asked beside the work, and only where the resident has not shown another."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store.residents import identities, residents
from tests.engine import kit
from tests.engine.kit import Kit, openid
from tests.support.clock import StoppedClock


@pytest.fixture
async def desk(database_url: str, clock: StoppedClock) -> AsyncIterator[Kit]:
    async with kit.opened(database_url, clock) as desk:
        yield desk


async def _language(desk: Kit, who: str) -> str:
    identity = await desk.row(identities, identities.c.address == who)
    return str((await desk.row(residents, residents.c.id == identity["resident_id"]))["language"])


async def _asked(desk: Kit, times: int) -> None:
    await desk.platform.wire.until(lambda: desk.platform.calls["user/info"] == times)


PHONES = (
    ("en", "en", "You scanned the code at 翠湖苑."),
    ("en_GB", "en", "You scanned the code at 翠湖苑."),
    ("zh_HK", "zh-Hant", "您掃描的是翠湖苑的二維碼"),
    ("zh_CN", "zh-Hans", "您在翠湖苑扫的码"),
    ("fr", "", "您在翠湖苑扫的码"),
)


async def test_a_follower_is_answered_in_the_language_of_the_phone(desk: Kit) -> None:
    for asked, (phone, language, greeting) in enumerate(PHONES, 1):
        who = openid()
        desk.platform.phone(who).language = phone
        await desk.platform.follow(who)
        await _asked(desk, asked)
        mine = sa.select(residents.c.language).join(identities).where(identities.c.address == who)
        await desk.until(lambda conn, mine=mine, known=language: conn.execute(mine).scalar_one() == known)  # type: ignore[misc]
        desk.pass_time(seconds=1)
        assert (await desk.platform.scan(who, "c:翠湖苑")).shown.startswith(greeting)


FAULTS: tuple[dict[str, Any], ...] = (
    {"errcode": 48001}, {"errcode": -1}, {"cut": "before"}, {"html": True}, {"body": '{"language": 5}'}
)  # fmt: skip


async def test_nothing_depends_on_it(desk: Kit) -> None:
    for asked, fault in enumerate(FAULTS, 1):
        who = openid()
        desk.platform.script("user/info", **fault)
        assert (await desk.platform.follow(who)).result == "reply"
        await _asked(desk, asked)
        desk.pass_time(seconds=1)
        await desk.push(who, "Hello, the kitchen pipe is leaking")
        assert await _language(desk, who) == "en"


async def test_what_is_written_wins(desk: Kit) -> None:
    who = openid()
    await desk.push(who, "Hello, the kitchen pipe is leaking")
    desk.pass_time(seconds=1)
    await desk.platform.follow(who)
    await _asked(desk, 1)
    desk.pass_time(seconds=1)
    await desk.push(who, "12")
    assert await _language(desk, who) == "en"
