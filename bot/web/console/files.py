"""A file that a resident sent, for those who may see it."""

from typing import Final

from aiohttp import web

from bot.engine import media
from bot.errors import NotFound
from bot.store import alarms
from bot.store.base import Row
from bot.web import access
from bot.web.access import Person
from bot.web.console import view
from bot.web.context import CONTEXT, Context
from workflows import voice

_SHOWN: Final = frozenset(
    {
        "image/jpeg", "image/png", "image/gif", "image/webp", "audio/mpeg", "audio/ogg", "audio/wav", "audio/mp4",
        "video/mp4",
    }
)  # fmt: skip
"""What a browser shows by itself; everything else is handed out to be opened elsewhere."""


async def show(request: web.Request, person: Person) -> web.StreamResponse:
    """The file with the type that its content has: a browser must not guess another one."""
    context = request.app[CONTEXT]
    row = await context.database.read(access.media_for, person, view.record_id(request))
    path = media.folder(context.settings.data_dir) / row["path"]
    if row["state"] != "fetched" or not path.is_file():
        raise NotFound("file")
    if row["kind"] == "voice":
        await _listened(context, row, person)
    way = "inline" if row["content_type"] in _SHOWN else "attachment"
    return web.FileResponse(
        path,
        headers={
            "Content-Type": row["content_type"],
            "Content-Disposition": f'{way}; filename="{path.name}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def _listened(context: Context, row: Row, person: Person) -> None:
    """Whoever fetches a voice plays it: its clock stops."""
    if await context.database.read(alarms.stands, voice.keys(row["message_id"])):
        await context.act(row["conversation_id"], lambda desk: voice.listened(desk, row["message_id"]), person.id)
