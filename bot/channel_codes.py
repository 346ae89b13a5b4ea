"""`frontdesk channels qrcode`: the code of a door, a lift or a gate, as an image to be printed."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from bot.errors import SettingsError
from bot.settings import Settings
from bot.store import places
from bot.store.database import Database
from channels import scenes
from channels.errors import SendError
from channels.scenes import Scene
from channels.wechat import WeChat
from channels.wechat.codes import LONGEST_LIFE

_UNFIT: Final = re.compile(r"[^\w.-]+")
"""What no file name should hold."""


async def wechat(
    settings: Settings, account: str, text: str, *, days: int | None = None, to: Path | None = None
) -> list[str]:
    """Make the code of a scene and keep its image; what was done, line by line.

    `days`: a temporary code for so long; None: a permanent one. Raises `SettingsError` with one sentence.
    """
    values = settings.wechat.get(account)
    if values is None:
        raise SettingsError(f"no WeChat account {account!r} is set: known are {sorted(settings.wechat) or 'none'}")
    life = timedelta(days=days) if days is not None else None
    if life is not None and not timedelta() < life <= LONGEST_LIFE:
        raise SettingsError(f"--days {days}: a temporary code lasts 1 to {LONGEST_LIFE.days} days")
    await _check(settings, text)
    channel = WeChat(account, values)
    try:
        code, image = await channel.code(text, life)
    except SendError as error:
        raise SettingsError(f"wechat/{account}: {channel.redact(error.detail)}") from None
    finally:
        await channel.close()
    path = to or Path(f"wechat-{account}-{_UNFIT.sub('-', text)}.jpg")
    path.write_bytes(image)
    lasts = "for ever" if days is None else f"for {days} days"
    return [f"{text}: the image is {path}, the code holds {code.url}, {lasts}"]


async def _check(settings: Settings, text: str) -> None:
    """A code that was glued to a door cannot be taken back: what it names has to be there."""
    scene = scenes.read(text)
    if scene is None:
        raise SettingsError(
            f"scene {text!r}: write c:COMMUNITY, h:COMMUNITY/BUILDING-UNIT-ROOM or p:COMMUNITY/PLACE, "
            "such as h:翠湖苑/3-2-1502, without units h:翠湖苑/9--502"
        )
    try:
        scenes.write(scene)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    database = Database.open(settings.database)
    try:
        missing = await database.read(_missing, scene)
    finally:
        await database.close()
    if missing:
        raise SettingsError(f"scene {text!r}: {missing}")


def _missing(conn: sa.Connection, scene: Scene) -> str:
    """What the lists do not have of it."""
    known = {row["name"]: row["id"] for row in places.all_communities(conn)}
    if scene.community not in known:
        return f"no community is called {scene.community}; there are {', '.join(known) or 'none yet'}"
    here = known[scene.community]
    if scene.kind == "place":
        names = [row["name"] for row in places.all_public_places(conn) if row["community_id"] == here]
        return "" if scene.place in names else f"{scene.community} has no place {scene.place} on its list"
    if scene.kind == "home":
        wanted = (scene.building, scene.unit, scene.room)
        homes = {
            (row["building"], row["unit"], row["room"]) for row in places.all_homes(conn) if row["community_id"] == here
        }
        return "" if wanted in homes else f"{scene.community} has no home {'-'.join(wanted)} on its list"
    return ""
