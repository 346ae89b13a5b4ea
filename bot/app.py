"""Builds everything from the settings, starts it in order, unwinds what is half started, stops in reverse."""

import asyncio
import contextlib
import gc
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal, NamedTuple

import msgspec
import sqlalchemy as sa
from aiohttp import web

from bot import alarm_ways, demo, knowledge
from bot.clock import Clock, SystemClock
from bot.engine import learning, metrics
from bot.engine.alarms import AlarmSender
from bot.engine.delivery import Delivery
from bot.engine.intake import Intake
from bot.engine.media import MediaFetcher
from bot.engine.scheduler import Scheduler
from bot.engine.second_look import SecondLook
from bot.errors import SettingsError, StoreError, trace
from bot.links import Links
from bot.settings import Settings
from bot.store import migrations, outbox
from bot.store.database import Database
from bot.store.writer import FileLock
from bot.web import doors, public, sockets, staff
from bot.web.context import Context
from bot.web.simulator import group_demo, group_pages, pages, sms_account, sms_pages, telegram_pages, wechat_demo
from bot.web.simulator.robots import WorkGroup
from bot.web.simulator.sms import SmsGateway
from bot.web.simulator.telegram import TelegramPlatform
from bot.web.simulator.telegram_demo import fill_in, opened, recall
from bot.web.simulator.wechat import WeChatPlatform
from bot.world import World, Worlds, load
from channels.base import Channel
from channels.registry import CHANNELS
from intents.reader import Reader

log = logging.getLogger(__name__)

STOP_WITHIN_S = 10.0
WORLD_EVERY = timedelta(seconds=5)
DEMO_ACCOUNT = ("wechat", "demo")
PHONE_LINES = 500
DEMO_NUMBERS = {"gas": "0571-8800 0101", "power": "0571-8800 0102", "water": "0571-8800 0103",
                "lift_rescue": "0571-8800 0104"}  # fmt: skip
"""Invented, like everything of the demonstration: so that advice in danger reads whole."""


class Port(NamedTuple):
    """A port that is ours already, by the name of its setting."""

    setting: str
    number: int
    bound: list[socket.socket]


Part = Literal["", "web", "worker"]
"""What a process does: everything, or the listeners and the intake, or delivery and the scheduler."""
Tell = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Service:
    """A running service, and the addresses it listens on."""

    context: Context
    simulator: WeChatPlatform | None = None
    sms: SmsGateway | None = None
    group: WorkGroup | None = None
    only: Part = ""
    telegram: TelegramPlatform | None = None
    addresses: list[str] = field(default_factory=list)


def _silent(line: str) -> None:
    del line


@contextlib.asynccontextmanager
async def running(
    settings: Settings, *, with_demo: bool = False, only: Part = "", clock: Clock | None = None, tell: Tell = _silent
) -> AsyncIterator[Service]:
    """The whole service, or a part of it, while the block runs; `tell` hears what is being done before it is ready.

    Raises `FrontdeskError` with one sentence when it cannot start.
    """
    clock = clock or SystemClock()
    _check_parts(settings, only, with_demo=with_demo)
    async with contextlib.AsyncExitStack() as stack:
        ports = _ports(settings, stack) if only != "worker" else []
        tell("preparing the database …")
        database = await _database(settings, stack)
        platform = await _simulator(settings, stack) if with_demo else None
        telegram: TelegramPlatform | None = None
        if platform is not None:
            settings = _with_demonstration(settings, platform)
            telegram = await opened(platform.wire, stack)
            settings = fill_in(settings, telegram)
            tell("preparing the demonstration …")
            await database.write(demo.load, clock.now(), zone=settings.zone)
            await _remember(platform, database)
            await recall(telegram, database)
        gateway = None
        if with_demo:
            settings, gateway = await sms_account.start(settings, database, stack)
        group = None
        if platform is not None:
            settings, group = await group_demo.start(settings, platform.wire, stack)
        context = await _context(settings, database, clock, stack, with_demo=with_demo, tell=tell)
        metrics.READ_BEFORE.set_function(_remembered(context))
        _start_engine(context, only, stack)
        await stack.enter_async_context(database.listening())
        await _watch_world(context, stack)
        service = Service(context=context, simulator=platform, telegram=telegram, sms=gateway, group=group, only=only)
        if only != "worker":
            await _listen(service, ports, stack)
            doors.start(context, stack, _telegram_addresses(service))
        gc.collect()
        gc.freeze()
        yield service
        log.info("stopping")


def _remembered(context: Context) -> Callable[[], float]:
    """How much the reader remembers, whichever reads by then."""

    def share() -> float:
        return context.world.reader.cache_share()

    return share


def _check_parts(settings: Settings, only: Part, *, with_demo: bool) -> None:
    if not only:
        return
    if sa.make_url(settings.database).get_backend_name() == "sqlite":
        raise SettingsError(
            f"run --only {only} needs PostgreSQL: one process does everything on SQLite. "
            "Leave --only out, or set FRONTDESK_DATABASE_URL=postgresql+asyncpg://…"
        )
    if with_demo:
        raise SettingsError("run --demo is one process, because its simulator lives inside: leave --only out")


def _ports(settings: Settings, stack: contextlib.AsyncExitStack) -> list[Port]:
    """The ports, taken before anything slow is done."""
    wanted = [("FRONTDESK_PORT", settings.port)]
    if settings.staff_port is not None:
        wanted.append(("FRONTDESK_STAFF_PORT", settings.staff_port))
    ports = []
    for setting, port in wanted:
        bound = sockets.bind(settings.host, port, setting)
        stack.callback(sockets.close, bound)
        ports.append(Port(setting, port, bound))
    return ports


async def _context(
    settings: Settings,
    database: Database,
    clock: Clock,
    stack: contextlib.AsyncExitStack,
    *,
    with_demo: bool,
    tell: Tell,
) -> Context:
    tell("reading examples and articles; the first time takes some seconds …")
    channels = _channels(settings, stack)
    worlds = await _worlds(settings, database, channels, with_demo=with_demo)
    return Context(
        settings=settings,
        clock=clock,
        database=database,
        worlds=worlds,
        channels=channels,
        intake=Intake(database, worlds, clock),
        links=Links.load(settings.data_dir),
        demo=with_demo and any(one.demonstration for one in worlds.current.communities.values()),
        simulator=with_demo,
    )


async def _database(settings: Settings, stack: contextlib.AsyncExitStack) -> Database:
    address = sa.make_url(settings.database)
    if address.get_backend_name() == "sqlite":
        # Taken before the file is opened and given back after it is closed.
        lock = FileLock(str(address.database))
        lock.acquire()
        stack.callback(lock.release)
    database = Database.open(settings.database)
    stack.push_async_callback(database.close)
    try:
        await migrations.upgrade(settings.database)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        raise StoreError(
            f"the database cannot be reached or brought up to date: {type(error).__name__}. See docs/operations.md."
        ) from error
    return database


async def _simulator(settings: Settings, stack: contextlib.AsyncExitStack) -> WeChatPlatform:
    platform = WeChatPlatform(
        app_id="wxdemo0000000001",
        app_secret=secrets.token_hex(16),
        token=secrets.token_hex(16),
        original_id="gh_demo00000001",
        service_url=f"{settings.local(settings.port)}/channels/wechat/demo",
    )
    await platform.start()
    stack.push_async_callback(platform.stop)
    return platform


async def _remember(platform: WeChatPlatform, database: Database) -> None:
    """The phones show what was said before this start, and their windows are as open as they were left."""
    for line in await database.read(outbox.said_before, *DEMO_ACCOUNT, PHONE_LINES):
        if line["text"] and line["at"] is not None:
            platform.remember(line["address"], "sent" if line["theirs"] else "received", line["text"], line["at"])


def _with_demonstration(settings: Settings, platform: WeChatPlatform) -> Settings:
    """An account `demo` beside those that are set, and public numbers where there are none: what is set is kept."""
    missing = {name: number for name, number in DEMO_NUMBERS.items() if not getattr(settings.numbers, name)}
    numbers = msgspec.structs.replace(settings.numbers, **missing)
    return msgspec.structs.replace(
        settings, wechat={**settings.wechat, "demo": wechat_demo.account(platform)}, numbers=numbers
    )


def _telegram_addresses(service: Service) -> dict[str, str]:
    """Where each bot's updates are to be pushed; without a public address only those of the simulator's bot can be."""
    settings = service.context.settings
    base = settings.public_url.rstrip("/")
    found = {account: f"{base}/channels/telegram/{account}" for account in settings.telegram} if base else {}
    if service.telegram is not None:
        own = service.telegram.account
        found[own] = f"http://127.0.0.1:{settings.port}/channels/telegram/{own}"
    return found


def _channels(settings: Settings, stack: contextlib.AsyncExitStack) -> dict[tuple[str, str], Channel]:
    channels: dict[tuple[str, str], Channel] = {}
    for name, entry in CHANNELS.items():
        for account, values in settings.accounts(name).items():
            channel = entry.build(account, values)
            stack.push_async_callback(channel.close)
            channels[name, account] = channel
    return channels


async def _worlds(
    settings: Settings, database: Database, channels: Mapping[tuple[str, str], Channel], *, with_demo: bool
) -> Worlds:
    reader = await asyncio.to_thread(_reader, settings)
    articles = await asyncio.to_thread(knowledge.load, settings.knowledge_dir, demonstration=with_demo)
    capabilities = {key: channel.capabilities for key, channel in channels.items()}
    worlds = Worlds(await database.read(load, settings, reader, articles, capabilities))
    await learning.renew(database, worlds)
    await knowledge.renew(database, worlds)
    return worlds


def _reader(settings: Settings) -> Reader:
    """Ready to read: the first reading builds tables for a second, and no resident should wait for that."""
    reader = Reader.load()
    reader.read("你好", SystemClock().now().astimezone(settings.zone))
    return reader


def _start_engine(context: Context, only: Part, stack: contextlib.AsyncExitStack) -> None:
    """What belongs to this process. Stopped in reverse: nothing more comes in, then no timer starts, then what is on
    its way out is finished."""
    if only != "web":
        delivery = Delivery(
            context.database, context.worlds, context.channels, context.clock, context.settings.delivery
        )
        delivery.start()
        stack.push_async_callback(delivery.close, STOP_WITHIN_S)
        scheduler = Scheduler(context.database, context.worlds, context.intake, context.clock, context.settings)
        scheduler.start()
        stack.push_async_callback(scheduler.close, STOP_WITHIN_S)
        fetcher = MediaFetcher(context.database, context.channels, context.clock, context.settings.data_dir)
        fetcher.start()
        stack.push_async_callback(fetcher.close, STOP_WITHIN_S)
        if context.settings.language_model.base_url:
            second_look = SecondLook(context.database, context.worlds, context.clock, context.settings.language_model)
            second_look.start()
            stack.push_async_callback(second_look.close, STOP_WITHIN_S)
        alarms = AlarmSender(context.database, context.worlds, context.channels, context.links, context.clock)
        alarms.start()
        stack.push_async_callback(alarms.close, STOP_WITHIN_S)
    if only != "worker":
        context.intake.start()
        stack.push_async_callback(context.intake.close, STOP_WITHIN_S)


async def _watch_world(context: Context, stack: contextlib.AsyncExitStack) -> None:
    """Take a new snapshot every few seconds: another process may have imported homes or changed the roster."""

    never = asyncio.Event()

    async def watch() -> None:
        while True:
            await context.clock.wait(never, context.clock.now() + WORLD_EVERY)
            try:
                await reload_world(context)
            except Exception as error:
                log.error("the snapshot could not be renewed: %s", trace(error))  # noqa: TRY400 - without its words

    task = asyncio.create_task(watch(), name="world")
    stack.callback(task.cancel)


async def reload_world(context: Context) -> None:
    """Read the snapshot anew, what staff have taught, and which articles are released."""
    old: World = context.world
    new = await context.database.read(load, old.settings, old.reader, old.knowledge, old.capabilities)
    # Somebody may have taught this process or released an article meanwhile: those stay.
    now = context.world
    context.worlds.current = replace(new, reader=now.reader, knowledge=now.knowledge)
    await learning.renew(context.database, context.worlds)
    await knowledge.renew(context.database, context.worlds)


async def _listen(service: Service, ports: list[Port], stack: contextlib.AsyncExitStack) -> None:
    context = service.context
    internet = public.application(context)
    inside = internet if context.settings.staff_port is None else staff.application(context)
    staff.add_routes(inside)
    if service.simulator is not None:
        people = [pages.Person(one.openid, one.name, one.note) for one in demo.people()]
        pages.add_routes(inside, service.simulator, people=people, more=["telegram", "sms", "group"])
    if service.telegram is not None:
        telegram_pages.add_routes(inside, service.telegram)
    if service.sms is not None:
        sms_pages.add_routes(inside, service.sms, {one.openid: one.number for one in demo.people()})
    if service.group is not None:
        group_pages.add_routes(inside, service.group, service.sms, lambda: alarm_ways.phones(context.world))
    applications = [internet] if inside is internet else [internet, inside]
    for app, port in zip(applications, ports, strict=True):
        await _serve(app, port, service, stack)


async def _serve(app: web.Application, port: Port, service: Service, stack: contextlib.AsyncExitStack) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_WITHIN_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    settings = service.context.settings
    try:
        for one in port.bound:
            await web.SockSite(runner, one).start()
    except OSError as error:  # somebody else was bound to it, too, and has begun to listen first
        raise sockets.refused(error, settings.host, port.number, port.setting) from None
    service.addresses.append(settings.local(port.number))


def welcome(service: Service) -> str:
    """What the terminal shows when the service is up."""
    if service.only == "worker":
        return "Frontdesk · 物业前台: the worker is ready (delivery and timers). Ctrl-C stops it."
    settings = service.context.settings
    inside = settings.address if settings.staff_port is None else settings.local(settings.staff_port)
    lines = ["", "Frontdesk · 物业前台 is ready. Ctrl-C stops it.", ""]
    if service.simulator is not None:
        lines.append(f"  simulator (phones)    {inside}/simulator")
    lines.append(f"  staff console         {inside}/console")
    if service.context.demo:
        lines += [f"    {one.login:<12} {one.title}" for one in demo.sign_ins()]
        lines.append(f"    password of all: {demo.PASSWORD}")
    return "\n".join([*lines, ""])
