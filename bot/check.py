"""`frontdesk check`: what would keep the service from working, in plain words."""

import time
from dataclasses import dataclass
from typing import Final

from bot import knowledge
from bot.clients.language_model import LanguageModel, ModelError
from bot.errors import SettingsError
from bot.settings import LanguageModelSettings, Settings
from bot.store import migrations, places
from bot.store.database import Database
from channels.base import Channel
from channels.errors import SendError
from channels.registry import CHANNELS
from channels.sms.gateways import GATEWAYS
from intents.opinion import opinion_of

TRIED: Final = "厨房水管漏水，帮忙看看"
"""What the language model is tried with."""


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
    found += await _language_model(settings.language_model)
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
        names = {name for row in communities for name in (row["name"], *(row["aliases"] or ()))}
        return [
            Finding(True, f"database reached, schema current, {len(communities)} communities"),
            *_ways(settings, names),
        ]
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


def _ways(settings: Settings, communities: set[str]) -> list[Finding]:
    """How staff hear of alarms. A robot cannot be tried without saying something: that is what the drill is for."""
    found = [
        Finding(
            not robot.community or robot.community in communities,
            f"robots.{name}: {robot.kind}, for {robot.community or 'all communities'}"
            if not robot.community or robot.community in communities
            else f"robots.{name}.community is {robot.community!r}, which is no community: "
            f"there are {', '.join(sorted(communities)) or 'none yet'}",
        )
        for name, robot in settings.robots.items()
    ]
    if settings.staff_sms is not None:
        found.append(_staff_texts(settings, settings.staff_sms))
    elif not settings.robots:
        found.append(Finding(True, "alarms are shown in the console only (docs/operations.md, Alarm ways)"))
    return found


def _staff_texts(settings: Settings, account: str) -> Finding:
    values = settings.sms[account]
    if GATEWAYS[values.gateway].capabilities.templates_only and not values.templates.get("alarm"):
        return Finding(
            False,
            f"sms.{account}.templates.alarm is missing: alarms cannot be texted to staff. Apply for the text "
            "(docs/channels/sms.md), or leave alarms.sms_kinds empty",
        )
    return Finding(True, f"alarms are texted to staff over sms/{account}")


async def _language_model(settings: LanguageModelSettings) -> list[Finding]:
    """One question to it, if it is set: nobody's words."""
    if not settings.base_url:
        return []
    model = LanguageModel(settings)
    began = time.monotonic()
    try:
        found = await model.read(TRIED)
    except ModelError as error:
        return [Finding(False, f"language model {settings.model}: {error}")]
    finally:
        await model.close()
    took = time.monotonic() - began
    if opinion_of(found, TRIED) is None:
        return [Finding(False, f"language model {settings.model}: it answers, but in none of our labels")]
    return [Finding(True, f"language model {settings.model}: answered in {took:.1f} s of {settings.timeout_s:g}")]


async def _channel(channel: Channel) -> Finding:
    label = f"{channel.name}/{channel.account}"
    try:
        await channel.try_credentials()
    except SendError as error:
        return Finding(False, f"{label}: {channel.redact(error.detail)}")
    finally:
        await channel.close()
    return Finding(True, f"{label}: credentials accepted")
