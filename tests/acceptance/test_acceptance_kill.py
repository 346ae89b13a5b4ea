"""The process is killed again and again while residents write; nothing is lost, nothing is said twice.

The sender repeats what was not acknowledged, as WeChat does, with the same message id.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store.database import Database
from bot.store.messages import messages
from bot.store.outbox import outbox
from bot.store.residents import identities
from bot.store.work_orders import work_orders
from bot.web.simulator.phones import Entry
from bot.web.simulator.wechat import WeChatPlatform
from bot.web.simulator.wechat_push import Limits
from tests.support.databases import opened
from tests.support.process import Service, running

APP_ID, SECRET, TOKEN, ORIGINAL_ID = "wxkill0000000001", "kill-secret", "killtoken", "gh_kill00000001"
AT_ONCE = 24
SETTLE_WITHIN_S = 60.0


@dataclass(frozen=True)
class Said:
    openid: str
    message_id: str
    text: str

    @property
    def is_report(self) -> bool:
        return "水管" in self.text


def _story(count: int) -> list[Said]:
    """Two of three residents report a fault in a home of their own building; the others greet or ask."""
    said = []
    for number in range(count):
        openid = f"oKill{number:023d}"
        home = f"翠湖苑1栋{number % 3 + 1}单元{number % 18 + 1}01"
        texts = (
            f"{home}厨房水管漏水，电话139{number:08d}",
            f"{home}卫生间水管滴水，电话138{number:08d}",
            "临时出入证管几天",
        )
        said.append(Said(openid, f"{24_900_000_000_100_000 + number}", texts[number % 3]))
    return said


class _Killer:
    """Kills the service when certain numbers of messages have been sent, and starts it again at once."""

    def __init__(self, service: Service, moments: list[int]) -> None:
        self._service = service
        self._moments = sorted(moments, reverse=True)
        self._lock = asyncio.Lock()
        self.kills = 0

    async def sent(self, number: int) -> None:
        async with self._lock:
            if not self._moments or number < self._moments[-1]:
                return
            self._moments.pop()
            await self._service.kill()
            self.kills += 1
            await self._service.start()


async def _push(platform: WeChatPlatform, said: Said) -> None:
    """Push until it is acknowledged."""
    pushed = await platform.push_text(said.openid, said.text, msg_id=said.message_id)
    while not pushed.acknowledged:
        pushed = await platform.push_body(said.openid, pushed.body)


async def _play(platform: WeChatPlatform, story: list[Said], killer: _Killer) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, said: Said) -> None:
        async with gate:
            _, _ = await asyncio.gather(_push(platform, said), killer.sent(number))

    await asyncio.gather(*(one(number, said) for number, said in enumerate(story)))


async def _settled(database: Database) -> None:
    """Wait until nothing of our accounts is on its way any more."""
    open_rows = sa.select(sa.func.count()).where(outbox.c.account == "main", outbox.c.status.in_(("queued", "sending")))
    untold = sa.select(sa.func.count()).where(messages.c.account == "main", messages.c.status == "stored")
    async with asyncio.timeout(SETTLE_WITHIN_S):
        while await database.read(
            lambda conn: conn.execute(open_rows).scalar_one() + conn.execute(untold).scalar_one()
        ):
            await asyncio.sleep(0.2)


async def _run(url: str, folder: Path, count: int, kills: int, seed: int) -> str:
    choose = random.Random(seed)
    platform = WeChatPlatform(APP_ID, SECRET, TOKEN, ORIGINAL_ID, limits=Limits(answer_s=5.0, pause_s=0.2, repeats=3))
    await platform.start()
    service = Service(folder, _settings(url, platform), "--demo")
    platform.service_url = f"{service.url}/channels/wechat/main"
    story = _story(count)
    try:
        async with running(service):
            killer = _Killer(service, [choose.randrange(count // 20, count) for _ in range(kills)])
            await _play(platform, story, killer)
            async with opened(url) as database:
                await _settled(database)
                assert killer.kills == kills
                return await _judge(database, platform, story, kills)
    finally:
        await platform.stop()


def _settings(url: str, platform: WeChatPlatform) -> dict[str, str]:
    return {
        "FRONTDESK_DATABASE_URL": url,
        "FRONTDESK_WECHAT__MAIN__APP_ID": APP_ID,
        "FRONTDESK_WECHAT__MAIN__APP_SECRET": SECRET,
        "FRONTDESK_WECHAT__MAIN__TOKEN": TOKEN,
        "FRONTDESK_WECHAT__MAIN__ORIGINAL_ID": ORIGINAL_ID,
        "FRONTDESK_WECHAT__MAIN__API_BASE": platform.base_url,
        "FRONTDESK_DELIVERY__LEASE_SECONDS": "8",
        "FRONTDESK_DELIVERY__PASSIVE_LEASE_SECONDS": "8",
        "FRONTDESK_LOG_LEVEL": "WARNING",
    }


async def _judge(database: Database, platform: WeChatPlatform, story: list[Said], kills: int) -> str:
    stored = await database.read(_stored)
    assert Counter(stored) == Counter({said.message_id: 1 for said in story}), "every acknowledged message once"
    reports = [said for said in story if said.is_report]
    orders = await database.read(_orders)
    assert orders == {said.openid: 1 for said in reports}, "one work order for each report"
    said_rows = await database.read(_said)
    seen = Counter((openid, entry.text) for openid, entry in _screens(platform, story))
    twice = _check_replies(said_rows, seen)
    statuses = Counter(status for rows in said_rows.values() for status, _ in rows)
    told = f"{len(story)} messages, {kills} kills: {len(reports)} orders, replies {dict(statuses)}"
    return f"{told}, {twice} seen a second time"


def _check_replies(said_rows: dict[tuple[str, str], list[tuple[str, bool]]], seen: Counter[tuple[str, str]]) -> int:
    """Each reply once, or its row is unknown; one that was owed, at most twice. How many were seen twice."""
    assert set(seen) <= set(said_rows), "nothing was seen that is no row"
    twice = 0
    for key, rows in said_rows.items():
        repeated = any(again for _, again in rows)
        unknown = any(status == "unknown" for status, _ in rows)
        assert {status for status, _ in rows} <= {"accepted", "unknown"}, (key, rows)
        assert seen[key] >= (0 if unknown and not repeated else 1), (key, rows)
        assert seen[key] <= (2 if repeated else 1), (key, rows, seen[key])
        twice += seen[key] == 2
    return twice


def _screens(platform: WeChatPlatform, story: list[Said]) -> list[tuple[str, Entry]]:
    return [
        (said.openid, entry)
        for said in story
        for entry in platform.phone(said.openid).screen
        if entry.direction == "received"
    ]


def _stored(conn: sa.Connection) -> list[str]:
    return list(conn.execute(sa.select(messages.c.external_id).where(messages.c.account == "main")).scalars())


def _orders(conn: sa.Connection) -> dict[str, int]:
    statement = (
        sa.select(identities.c.address, sa.func.count())
        .join(work_orders, work_orders.c.identity_id == identities.c.id)
        .where(identities.c.account == "main")
        .group_by(identities.c.address)
    )
    return {row[0]: row[1] for row in conn.execute(statement)}


def _said(conn: sa.Connection) -> dict[tuple[str, str], list[tuple[str, bool]]]:
    """By address and text: the status of each row, and whether it repeats one of unknown outcome."""
    statement = sa.select(outbox.c.address, outbox.c.text, outbox.c.status, outbox.c.origin_id).where(
        outbox.c.account == "main"
    )
    found: dict[tuple[str, str], list[tuple[str, bool]]] = {}
    for row in conn.execute(statement):
        found.setdefault((row.address, row.text), []).append((row.status, row.origin_id is not None))
    return found


@pytest.mark.parametrize(
    ("database_url", "count", "kills"),
    [
        ("sqlite", 90, 2),
        pytest.param("postgresql", 90, 2, marks=pytest.mark.long),
        pytest.param("sqlite", 1000, 10, marks=pytest.mark.long),
        pytest.param("postgresql", 1000, 10, marks=pytest.mark.long),
    ],
    indirect=["database_url"],
)
async def test_killed_again_and_again(
    database_url: str, tmp_path: Path, count: int, kills: int, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    report = await _run(database_url, tmp_path, count, kills, seed)
    with capsys.disabled():
        print(f"\n{database_url.split(':', 1)[0]} seed {seed}: {report}")
