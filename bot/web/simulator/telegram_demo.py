"""The demonstration's bot: the account that `--demo` fills in, and whose phones write to it."""

import secrets
from contextlib import AsyncExitStack
from typing import Final

import msgspec

from bot import demo
from bot.settings import Settings
from bot.store import outbox
from bot.store.database import Database
from bot.web.simulator.pages import VISITOR
from bot.web.simulator.telegram import TelegramPlatform
from bot.web.simulator.wire import Wire
from channels.telegram import TelegramSettings

FIRST_PERSON: Final = 5_000_000_001
SCREEN_LINES: Final = 500


async def opened(wire: Wire, stack: AsyncExitStack) -> TelegramPlatform:
    """Telegram, running, with a phone for everybody of the demonstration. `wire` shows what travels."""
    platform = TelegramPlatform(f"{secrets.randbelow(10**9) + 10**9}:{secrets.token_urlsafe(26)}", wire=wire)
    names = {person.openid: person.name for person in demo.people()}
    names.setdefault(VISITOR.openid, VISITOR.name)
    for person, (openid, name) in enumerate(names.items(), FIRST_PERSON):
        platform.phone(person, name, "en" if name.isascii() else "zh-hans")
        platform.bot.openids[person] = openid
    await platform.start()
    stack.push_async_callback(platform.stop)
    return platform


def fill_in(settings: Settings, platform: TelegramPlatform) -> Settings:
    """An account `main` where none is set; else `demo` beside those that are set, which keep their credentials."""
    platform.account = "demo" if settings.telegram else "main"
    account = TelegramSettings(
        bot_token=platform.bot.token, webhook_secret=secrets.token_urlsafe(24), api_base=platform.base_url
    )
    return msgspec.structs.replace(settings, telegram={**settings.telegram, platform.account: account})


async def recall(platform: TelegramPlatform, database: Database) -> None:
    """The phones show what was said before this start."""
    for line in await database.read(outbox.said_before, "telegram", platform.account, SCREEN_LINES):
        if line["text"] and line["at"] is not None and int(line["address"]) in platform.bot.phones:
            side = "sent" if line["theirs"] else "received"
            platform.remember(int(line["address"]), side, line["text"], line["at"])
