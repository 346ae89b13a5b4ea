"""The desk for tests of the engine: real databases, real sockets to the stand-in platform, a stopped clock.

What goes in are the bytes of a webhook, what comes out are calls of the provider's API; in between are rows.
"""

import asyncio
import contextlib
import functools
import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import time
from typing import Any, TypeVar
from uuid import UUID

import aiohttp
import asyncpg
import sqlalchemy as sa
from aiohttp import web

from bot.desk import Desk
from bot.engine.delivery import Delivery
from bot.engine.intake import Intake
from bot.engine.scheduler import Scheduler
from bot.settings import DeliverySettings, Settings
from bot.store import messages, outbox, places, residents, roster, staff
from bot.store.base import Row, insert, mappings, new_id
from bot.store.database import Database
from bot.store.locking import lock
from bot.web import public
from bot.web.context import Context
from bot.web.simulator.wechat import WeChatPlatform
from bot.web.simulator.wechat_push import Limits, Pushed, render
from bot.world import Member, World, Worlds, load
from channels.base import Capabilities, Channel
from channels.wechat import WeChat, WeChatSettings
from intents.reader import Reader
from knowledge_base.answer import KnowledgeBase
from tests.support import seed
from tests.support.clock import StoppedClock
from tests.support.databases import opened as database_opened

T = TypeVar("T")

ACCOUNT = seed.ACCOUNT
OTHER = ("wechat", "other")
"""A second account of the same platform."""
APP_ID, SECRET, TOKEN, ORIGINAL_ID = (
    "wxengine00000001",
    "engine-app-secret-0123456789",
    "enginetoken2026",
    "gh_engine0000001",
)
PHONE = "13912345678"
QUESTION = "物业费怎么交"
"""Answered from the knowledge base."""
REPORT = f"3栋2单元1502厨房水管漏水，电话{PHONE}"
"""Recorded at once, with a number."""
HELLO = "你好"
FIRE = "3栋2单元1502厨房着火了"
WAIT_S = 15.0
"""Longer than anything takes on a busy machine; a test that waits so long has failed."""

SUCCESS = (200, b"success")
_openids = itertools.count(1)
MESSAGE_IDS = (str(24_900_000_000_000_000 + number) for number in itertools.count(1))


@functools.cache
def reader() -> Reader:
    return Reader.load()


@functools.cache
def knowledge() -> KnowledgeBase:
    return KnowledgeBase.load(demonstration=True)


def openid() -> str:
    """Somebody who has not written before."""
    return f"oEngine{next(_openids):021d}"


@dataclass(kw_only=True)
class Kit:
    """A desk and all around it."""

    database: Database
    clock: StoppedClock
    platform: WeChatPlatform
    channel: WeChat
    worlds: Worlds
    intake: Intake
    delivery: Delivery
    scheduler: Scheduler
    context: Context
    session: aiohttp.ClientSession
    url: str = ""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    # -- in

    async def push(self, who: str, text: str, msg_id: str = "") -> Pushed:
        """The platform pushes a text once."""
        return await self.platform.push_text(who, text, msg_id=msg_id)

    def body(self, who: str, text: str, msg_id: str) -> bytes:
        """The bytes of a push, with a window opened at the platform as a real one would."""
        self.platform.phone(who).window.wrote(self.clock.now())
        inner = f"<Content><![CDATA[{text}]]></Content><MsgId>{msg_id}</MsgId>"
        return render(self.platform.account, who, "text", inner)

    async def post(self, body: bytes, query: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """One request, answered however it is answered."""
        params = dict(self.platform.signed_query() if query is None else query)
        async with self.session.post(self.url, params=params, data=body) as response:
            return response.status, await response.read()

    async def write_as(self, who: str, text: str, msg_id: str = "") -> tuple[int, bytes]:
        return await self.post(self.body(who, text, msg_id or next(MESSAGE_IDS)))

    def writing(self, who: str, text: str, msg_id: str = "") -> "asyncio.Task[tuple[int, bytes]]":
        """As `write_as`, under way."""
        return asyncio.create_task(self.write_as(who, text, msg_id))

    async def busy(self, lanes: int = 2) -> "list[asyncio.Task[tuple[int, bytes]]]":
        """Messages that keep every lane of the intake, while nobody writes: what comes after them waits together."""
        requests = []
        for _ in range(lanes):
            requests.append(self.writing(openid(), HELLO))
            await under_way(requests[-1])
        return requests

    # -- between

    async def rows(self, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> list[Row]:
        statement = sa.select(table).where(*conditions).order_by(table.c.id)
        return await self.database.read(lambda conn: mappings(conn, statement))

    async def row(self, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> Row:
        (found,) = await self.rows(table, *conditions)
        return found

    async def said(self, who: str) -> list[Row]:
        return await self.rows(outbox.outbox, outbox.outbox.c.address == who)

    async def statuses(self, who: str) -> list[str]:
        return [str(row["status"]) for row in await self.said(who)]

    async def heard(self, who: str) -> list[Row]:
        """The messages of somebody, in order of acceptance."""
        joined = sa.select(messages.messages).join(residents.identities).where(residents.identities.c.address == who)
        return await self.database.read(lambda conn: mappings(conn, joined.order_by(messages.messages.c.id)))

    async def count(self, table: sa.Table) -> int:
        return len(await self.rows(table))

    async def until(self, holds: Callable[[sa.Connection], T | None]) -> T:
        """Wait until something is true of the rows, looking again whenever the desk announces a change."""
        async with asyncio.timeout(WAIT_S):
            while True:
                self._changed.clear()
                found = await self.database.read(holds)
                if found:
                    return found
                await self._changed.wait()

    async def until_said(self, who: str, *statuses: str) -> list[Row]:
        """Wait until what was said to somebody has exactly these statuses, in order."""

        def holds(conn: sa.Connection) -> list[Row] | None:
            mine = sa.select(outbox.outbox).where(outbox.outbox.c.address == who).order_by(outbox.outbox.c.id)
            found = mappings(conn, mine)
            return found if [row["status"] for row in found] == list(statuses) else None

        try:
            return await self.until(holds) or []
        except TimeoutError:
            raise AssertionError(f"expected {statuses}, found {await self.statuses(who)}") from None

    async def quiet(self) -> None:
        """Wait until nothing is on its way any more."""
        busy = sa.select(outbox.outbox.c.id).where(outbox.outbox.c.status == "sending").limit(1)
        await self.until(lambda conn: conn.execute(busy).first() is None)

    def pass_time(self, **amount: float) -> None:
        self.clock.advance(**amount)

    def announced(self) -> None:
        self._changed.set()

    # -- out

    def sends(self, who: str) -> list[str]:
        """The texts that the provider was asked to send, whatever it answered."""
        return [
            str(payload["text"]["content"])  # type: ignore[index]
            for name, payload in self.platform.requests
            if name == "custom/send" and payload["touser"] == who
        ]

    def seen(self, who: str) -> list[tuple[str, str]]:
        """What reached the phone: how, and the text."""
        return [(entry.via, entry.text) for entry in self.platform.phone(who).screen if entry.direction == "received"]

    # -- staff

    async def conversation(self, who: str) -> UUID:
        key = (*ACCOUNT, who)
        found = await self.database.read(residents.find_identities, [key])
        return UUID(str(found[key]["conversation_id"]))

    def member(self, name: str) -> Member:
        return next(member for member in self.worlds.current.members.values() if member.name == name)

    async def act(self, who: str, f: Callable[[Desk], T], by: str = "李敏") -> T:
        return await self.context.act(await self.conversation(who), f, self.member(by).id)

    # -- rows of our own

    async def known(self, who: str | None = None) -> Row:
        """Somebody who wrote just now, without the desk having heard it: identity and conversation."""
        who = who or openid()
        self.platform.phone(who).window.wrote(self.clock.now())
        return await self.database.write(_known, who, self.clock)

    async def queue(self, who: Row, text: str, **changes: Any) -> UUID:
        row = {"text": text, **changes}
        row_id = await self.database.write(lambda conn: seed.say(conn, who, self.clock.now(), **row))
        self.database.announce()
        return row_id


def _known(conn: sa.Connection, who: str, clock: StoppedClock) -> Row:
    person = seed.person(conn, who, clock.now())
    row = {
        "id": new_id(), "conversation_id": person["conversation_id"], "identity_id": person["id"],
        "channel": ACCOUNT[0], "account": ACCOUNT[1], "external_id": f"known-{who}",
        "kind": "text", "status": "turned",
        "received_at": clock.now(),
    }  # fmt: skip
    insert(conn, messages.messages, [row])
    return person


PEOPLE = (
    # name, role, duty, skills
    ("李敏", "agent", "desk", ()),
    ("陈静", "supervisor", "supervisor", ()),
    ("李强", "technician", "technician", ("plumbing",)),
    ("老刘", "control_room", "control_room", ()),
)


def town(conn: sa.Connection, clock: StoppedClock) -> None:
    """One community with a building, and somebody on each duty round the clock."""
    community, building = new_id(), new_id()
    named = {"id": community, "name": "翠湖苑", "aliases": [], "night_model": "staffed", "demonstration": False}
    insert(conn, places.communities, [{**named, "phone": "021-60000000"}])
    insert(conn, places.accounts, [{"channel": ACCOUNT[0], "account": ACCOUNT[1], "community_id": community}])
    insert(conn, places.buildings, [{"id": building, "community_id": community, "cluster_id": None, "name": "3"}])
    home = {"community_id": community, "building_id": building, "unit": "2"}
    insert(conn, places.homes, [{**home, "id": new_id(), "room": room} for room in ("1502", "803")])
    for number, (name, role, duty, skills) in enumerate(PEOPLE):
        member = {
            "id": new_id(), "login": f"s{number}", "name": name, "title": "", "phone": "", "password_hash": "-",
            "language": "zh-Hans", "skills": list(skills), "active": True, "created_at": clock.now(),
        }  # fmt: skip
        staff.add(conn, member, [(role, None)])
        line = {
            "id": new_id(), "community_id": community, "staff_id": member["id"], "duty": duty, "shift": "",
            "weekdays": "1234567", "starts": time(0), "ends": time(0), "valid_from": None, "valid_until": None,
        }  # fmt: skip
        insert(conn, roster.roster, [line])


@asynccontextmanager
async def opened(
    url: str,
    clock: StoppedClock,
    *,
    change: Callable[[World], World] = lambda world: world,
    capabilities: Capabilities = WeChat.capabilities,
    idle: bool = False,
    fresh: bool = True,
    send_within_s: float = 5.0,
    parallel: int = 20,
    beside: Mapping[tuple[str, str], Channel] | None = None,
    more: Mapping[str, Any] | None = None,
) -> AsyncIterator[Kit]:
    """A desk on this database. `change`: another world, such as a broken one; `idle`: delivery is not started;
    `beside`: further channels, with `more` settings."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(database_opened(url))
        if fresh:
            await database.write(town, clock)
        platform = WeChatPlatform(
            APP_ID, SECRET, TOKEN, ORIGINAL_ID, now=clock.now, limits=Limits(answer_s=WAIT_S, pause_s=0.01, repeats=0)
        )
        await platform.start()
        stack.push_async_callback(platform.stop)
        settings = Settings(
            wechat={
                "main": WeChatSettings(
                    app_id=APP_ID,
                    app_secret=SECRET,
                    token=TOKEN,
                    original_id=ORIGINAL_ID,
                    api_base=platform.base_url,
                )
            },
            delivery=DeliverySettings(lease_seconds=30, parallel=parallel),
            **(more or {}),
        )
        limits = {ACCOUNT: capabilities} | {key: channel.capabilities for key, channel in (beside or {}).items()}
        world = await database.read(load, settings, reader(), knowledge(), limits)
        kit = await _kit(stack, database, clock, platform, change(world), send_within_s, beside or {})
        await stack.enter_async_context(database.listening())
        await _start(stack, kit, idle=idle)
        yield kit


async def _kit(
    stack: AsyncExitStack,
    database: Database,
    clock: StoppedClock,
    platform: WeChatPlatform,
    world: World,
    send_within_s: float,
    beside: Mapping[tuple[str, str], Channel],
) -> Kit:
    settings, account = world.settings, world.settings.wechat["main"]
    channel = WeChat("main", account, lambda: clock.now().timestamp(), timeout_s=send_within_s)
    stack.push_async_callback(channel.close)
    worlds = Worlds(world)
    intake = Intake(database, worlds, clock)
    other = WeChat(OTHER[1], account, lambda: clock.now().timestamp())
    stack.push_async_callback(other.close)
    channels: dict[tuple[str, str], Channel] = {ACCOUNT: channel, OTHER: other, **beside}
    context = Context(
        settings=settings, clock=clock, database=database, worlds=worlds, channels=channels, intake=intake
    )
    session = await stack.enter_async_context(aiohttp.ClientSession())
    return Kit(
        database=database,
        clock=clock,
        platform=platform,
        channel=channel,
        worlds=worlds,
        intake=intake,
        delivery=Delivery(database, worlds, channels, clock, settings.delivery),
        scheduler=Scheduler(database, worlds, intake, clock, settings),
        context=context,
        session=session,
    )


async def _start(stack: AsyncExitStack, kit: Kit, *, idle: bool) -> None:
    kit.database.on_change(kit.announced)
    if not idle:
        kit.delivery.start()
    stack.push_async_callback(kit.delivery.close)
    kit.scheduler.start()
    stack.push_async_callback(kit.scheduler.close)
    kit.intake.start()
    stack.push_async_callback(kit.intake.close)
    runner = web.AppRunner(public.application(kit.context), access_log=None, shutdown_timeout=1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kit.url = kit.platform.service_url = f"http://127.0.0.1:{runner.addresses[0][1]}/channels/wechat/main"


class BrokenKnowledge(KnowledgeBase):
    """Raises at every question, with the question in its words."""

    def __init__(self, error: Callable[[str], Exception]) -> None:
        super().__init__(knowledge().articles)
        self._error = error

    def ask(self, question: str, **_: Any) -> Any:
        raise self._error(question)


def breaking(error: Callable[[str], Exception]) -> Callable[[World], World]:
    """A world in which every question about the community raises."""
    return lambda world: replace(world, knowledge=BrokenKnowledge(error))


@asynccontextmanager
async def nobody_writes(url: str) -> AsyncIterator[None]:
    """Every write of the desk waits while inside: for less than two seconds, or it gives up."""
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        with contextlib.closing(sqlite3.connect(str(address.database), isolation_level=None)) as conn:
            conn.execute("BEGIN IMMEDIATE")
            yield
            conn.execute("ROLLBACK")
        return
    async with raw_connection(url) as raw, raw.transaction():
        await raw.execute("LOCK TABLE messages, outbox, conversations, jobs IN EXCLUSIVE MODE")
        yield


@asynccontextmanager
async def raw_connection(url: str) -> AsyncIterator[Any]:
    """A connection to PostgreSQL that is none of the desk's."""
    raw = await asyncpg.connect(sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        yield raw
    finally:
        await raw.close()


@asynccontextmanager
async def holding(url: str, conversations: Sequence[UUID]) -> AsyncIterator[None]:
    """Another process has these conversations in a turn that takes its time."""
    async with database_opened(url) as database, database.engine.begin() as conn:
        await conn.run_sync(lambda sync: lock(sync, conversations, wait=True))
        yield


def content(answered: tuple[int, bytes]) -> bytes:
    """The text of a passive reply."""
    status, body = answered
    assert (status, b"<Content>" in body) == (200, True), answered
    return body.split(b"<Content>")[1]


async def under_way(*tasks: "asyncio.Task[Any]") -> None:
    """Give requests the time to get into the desk; none of them can be answered yet."""
    done, _ = await asyncio.wait(tasks, timeout=0.3)
    assert not done
