"""The language of a new follower, where the platform tells it: asked beside the work, and nobody waits for it.

What the resident writes says it better, and wins; this only helps whoever has not written yet. What is lost in a stop
is not asked again.
"""

import asyncio
import logging
from typing import Final

from aiohttp import web

from bot.errors import trace
from bot.store import residents
from bot.web.context import CONTEXT, Context
from channels.base import Channel, TellsLanguage
from channels.errors import SendError
from channels.messages import Parsed

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 20
"""A campaign brings thousands of followers in a minute: what is more is left to what they write."""
_ASKING: Final = web.AppKey("languages", set[asyncio.Task[None]])


def add(app: web.Application) -> None:
    """Keep what is asked with the application, and end it with it."""
    app[_ASKING] = set()
    app.on_cleanup.append(_end)


def of_followers(app: web.Application, channel: Channel, parsed: Parsed) -> None:
    """Ask for the language of whoever has just followed. Never raises, never waits."""
    asking = app[_ASKING]
    if not isinstance(channel, TellsLanguage):
        return
    for event in parsed.events:
        if event.kind == "followed" and len(asking) < MOST_AT_ONCE:
            task = asyncio.create_task(_ask(app[CONTEXT], channel, (channel.name, channel.account, event.sender)))
            asking.add(task)
            task.add_done_callback(asking.discard)


async def _ask(context: Context, channel: TellsLanguage, key: residents.Key) -> None:
    try:
        language = await channel.language(key[2])
        if language:
            await context.database.write(residents.set_language, key, language)
            context.database.announce()
    except SendError:
        return  # nothing depends on it
    except Exception as error:
        log.error("a follower's language could not be kept: %s", trace(error))  # noqa: TRY400 - without its words


async def _end(app: web.Application) -> None:
    for task in app[_ASKING]:
        task.cancel()
    await asyncio.gather(*app[_ASKING], return_exceptions=True)
