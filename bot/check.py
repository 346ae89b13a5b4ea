"""`frontdesk check`: what would keep the service from working, in plain words."""

from dataclasses import dataclass

from bot import knowledge
from bot.errors import SettingsError
from bot.settings import Settings
from bot.store import migrations, places
from bot.store.database import Database
from channels.base import Channel
from channels.errors import SendError
from channels.registry import CHANNELS


@dataclass(frozen=True, slots=True)
class Finding:
    good: bool
    text: str


async def findings(settings: Settings) -> list[Finding]:
    """Settings were read already; knowledge, database, then each channel's credentials, tried."""
    found = [Finding(True, "settings read"), _knowledge(settings), *await _database(settings)]
    channels = [
        entry.build(account, values)
        for name, entry in CHANNELS.items()
        for account, values in settings.accounts(name).items()
    ]
    if not channels:
        found.append(Finding(True, "no channel account is set: only --demo has phones (docs/settings.md)"))
    return found + [await _channel(channel) for channel in channels]


def _knowledge(settings: Settings) -> Finding:
    try:
        articles = knowledge.load(settings.knowledge_dir, demonstration=False).articles
    except SettingsError as error:
        return Finding(False, str(error))
    return Finding(True, f"knowledge base: {len(articles)} articles")


async def _database(settings: Settings) -> list[Finding]:
    database = Database.open(settings.database)
    try:
        if not await database.read(migrations.is_current):
            return [Finding(False, "the database lacks migrations: run frontdesk migrate")]
        communities = await database.read(places.all_communities)
        return [Finding(True, f"database reached, schema current, {len(communities)} communities")]
    except Exception as error:
        return [
            Finding(
                False,
                f"the database does not answer ({type(error).__name__}): check FRONTDESK_DATABASE_URL, "
                "then run frontdesk migrate",
            )
        ]
    finally:
        await database.close()


async def _channel(channel: Channel) -> Finding:
    label = f"{channel.name}/{channel.account}"
    try:
        await channel.try_credentials()
    except SendError as error:
        return Finding(False, f"{label}: {channel.redact(error.detail)}")
    finally:
        await channel.close()
    return Finding(True, f"{label}: credentials accepted")
