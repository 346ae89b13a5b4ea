"""Builds everything from the settings, starts it in order, unwinds what is half started, stops in reverse."""

import asyncio
import contextlib
import gc
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
import sqlalchemy as sa
from aiohttp import web

from bot import demo
from bot.clock import Clock, SystemClock
from bot.engine.delivery import Delivery
from bot.engine.intake import Intake
from bot.engine.scheduler import Scheduler
from bot.errors import FrontdeskError, StoreError, trace
from bot.settings import Settings
from bot.store import migrations, outbox
from bot.store.database import Database
from bot.store.writer import FileLock
from bot.web import public, staff
from bot.web.context import Context
from bot.web.simulator import pages, sms_pages
from bot.web.simulator.sms import SmsGateway
from bot.web.simulator.sms_twilio import Twilio
from bot.web.simulator.wechat import WeChatPlatform
from bot.world import World, Worlds, load
from channels.base import Channel
from channels.registry import CHANNELS
from channels.sms import SmsSettings
from channels.wechat import WeChatSettings
from intents.reader import Reader
from knowledge_base.answer import KnowledgeBase

log = logging.getLogger(__name__)

STOP_WITHIN_S = 10.0
WORLD_EVERY = timedelta(seconds=5)
DEMO_ACCOUNT = ("wechat", "demo")
PHONE_LINES = 500


@dataclass(slots=True, kw_only=True)
class Service:
    """A running service, and the addresses it listens on."""

    context: Context
    simulator: WeChatPlatform | None = None
    sms: SmsGateway | None = None
    addresses: list[str] = field(default_factory=list)


@contextlib.asynccontextmanager
async def running(settings: Settings, *, with_demo: bool = False, clock: Clock | None = None) -> AsyncIterator[Service]:
    """The whole service while the block runs. Raises `FrontdeskError` with one sentence when it cannot start."""
    clock = clock or SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        database = await _database(settings, stack)
        platform = await _simulator(settings, stack) if with_demo else None
        if platform is not None:
            settings = _with_demo_account(settings, platform)
            await database.write(demo.load, clock.now(), zone=settings.zone)
            await _remember(platform, database)
        gateway = None
        if with_demo:
            settings, gateway = await _sms_simulator(settings, database, stack)
        channels = _channels(settings, stack)
        worlds = await _worlds(settings, database, channels, with_demo=with_demo)
        intake = Intake(database, worlds, clock)
        context = Context(
            settings=settings,
            clock=clock,
            database=database,
            worlds=worlds,
            channels=channels,
            intake=intake,
            demo=with_demo,
        )
        _start_engine(context, stack)
        await stack.enter_async_context(database.listening())
        await _watch_world(context, stack)
        service = Service(context=context, simulator=platform, sms=gateway)
        await _listen(service, stack)
        gc.collect()
        gc.freeze()
        yield service
        log.info("stopping")


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
        service_url=f"http://127.0.0.1:{settings.port}/channels/wechat/demo",
    )
    await platform.start()
    stack.push_async_callback(platform.stop)
    return platform


async def _remember(platform: WeChatPlatform, database: Database) -> None:
    """The phones show what was said before this start, and their windows are as open as they were left."""
    for line in await database.read(outbox.said_before, *DEMO_ACCOUNT, PHONE_LINES):
        if line["text"] and line["at"] is not None:
            platform.remember(line["address"], "sent" if line["theirs"] else "received", line["text"], line["at"])


def _with_demo_account(settings: Settings, platform: WeChatPlatform) -> Settings:
    """An account `demo` beside those that are set, which keep their credentials."""
    account = WeChatSettings(
        app_id=platform.account.app_id, app_secret=platform.account.app_secret, token=platform.account.token,
        original_id=platform.account.original_id, api_base=platform.base_url,
    )  # fmt: skip
    return msgspec.structs.replace(settings, wechat={**settings.wechat, "demo": account})


async def _sms_simulator(
    settings: Settings, database: Database, stack: contextlib.AsyncExitStack
) -> tuple[Settings, SmsGateway]:
    """An SMS account for the simulator's phones: `main` where none is set, else `demo` beside those that are."""
    name = "demo" if "main" in settings.sms else "main"
    dialect = Twilio(f"AC{secrets.token_hex(16)}", secrets.token_hex(16), "+85230000001")
    # What the service is called by must be what it checks the signature over.
    gateway = SmsGateway(dialect, service=f"http://127.0.0.1:{settings.port}/channels/sms/{name}")
    await gateway.start()
    stack.push_async_callback(gateway.stop)
    for line in await database.read(outbox.said_before, "sms", name, PHONE_LINES):
        if line["text"] and line["at"] is not None:
            gateway.show(line["address"], "sent" if line["theirs"] else "received", line["text"], line["at"])
    account = SmsSettings(
        gateway="twilio", account_sid=dialect.account_sid, auth_token=dialect.auth_token, sender=dialect.number,
        api_base=gateway.base_url, public_url=f"http://127.0.0.1:{settings.port}",
    )  # fmt: skip
    return msgspec.structs.replace(settings, sms={**settings.sms, name: account}), gateway


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
    reader = await asyncio.to_thread(Reader.load)
    knowledge = await asyncio.to_thread(KnowledgeBase.load, settings.knowledge_dir, demonstration=with_demo)
    capabilities = {key: channel.capabilities for key, channel in channels.items()}
    return Worlds(await database.read(load, settings, reader, knowledge, capabilities))


def _start_engine(context: Context, stack: contextlib.AsyncExitStack) -> None:
    intake = context.intake
    delivery = Delivery(context.database, context.worlds, context.channels, context.clock, context.settings.delivery)
    scheduler = Scheduler(context.database, context.worlds, intake, context.clock, context.settings)
    # Stopped in reverse: nothing more comes in, then no timer starts, then what is on its way out is finished.
    delivery.start()
    stack.push_async_callback(delivery.close, STOP_WITHIN_S)
    scheduler.start()
    stack.push_async_callback(scheduler.close, STOP_WITHIN_S)
    intake.start()
    stack.push_async_callback(intake.close, STOP_WITHIN_S)


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
    """Read the snapshot anew."""
    old: World = context.world
    context.worlds.current = await context.database.read(
        load, old.settings, old.reader, old.knowledge, old.capabilities
    )


async def _listen(service: Service, stack: contextlib.AsyncExitStack) -> None:
    context = service.context
    settings = context.settings
    internet = public.application(context)
    inside = internet if settings.staff_port is None else staff.application(context)
    staff.add_routes(inside)
    if service.simulator is not None:
        people = [pages.Person(one.openid, one.name, one.note) for one in demo.people()]
        pages.add_routes(inside, service.simulator, people=people, more=["sms"])
    if service.sms is not None:
        sms_pages.add_routes(inside, service.sms, {one.openid: one.number for one in demo.people()})
    await _serve(internet, settings.host, settings.port, "FRONTDESK_PORT", service, stack)
    if inside is not internet:
        await _serve(inside, settings.host, int(settings.staff_port or 0), "FRONTDESK_STAFF_PORT", service, stack)


async def _serve(
    app: web.Application, host: str, port: int, setting: str, service: Service, stack: contextlib.AsyncExitStack
) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_WITHIN_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise FrontdeskError(
            f"port {port} on {host} cannot be used ({error.strerror}); choose another with {setting}=…"
        ) from None
    service.addresses.append(f"http://{host}:{port}")


def welcome(service: Service) -> str:
    """What the terminal shows when the service is up."""
    settings = service.context.settings
    inside = settings.address if settings.staff_port is None else f"http://{settings.host}:{settings.staff_port}"
    lines = ["", "Frontdesk · 物业前台 is running. Ctrl-C stops it.", ""]
    if service.simulator is not None:
        lines.append(f"  simulator (phones)   {inside}/simulator")
    lines.append(f"  staff console        {inside}/console{demo.SIGN_IN if service.simulator is not None else ''}")
    lines.append(f"  health               {settings.address}/healthz")
    return "\n".join([*lines, ""])
