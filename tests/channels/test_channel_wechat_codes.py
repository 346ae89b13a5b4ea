"""Codes of places, made at the platform: what they hold, what is refused, and the image that is printed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from bot import channel_codes
from bot.errors import SettingsError
from bot.settings import Settings
from bot.store import places
from bot.store.base import insert, new_id
from bot.web.simulator.chips import SCANS
from bot.web.simulator.wechat import WeChatPlatform
from bot.web.simulator.wechat_media import PHOTO
from channels import scenes
from channels.errors import Blocked, Later, Rejected, SendError
from channels.wechat import WeChat
from tests.channels.wechat_kit import APP_ID, ORIGINAL_ID, SECRET, TOKEN, settings
from tests.engine.kit import town
from tests.support.clock import StoppedClock
from tests.support.databases import opened

LIFT = "p:翠湖苑/3栋2号电梯"


@asynccontextmanager
async def desk(url: str, clock: StoppedClock) -> AsyncIterator[tuple[WeChatPlatform, Settings]]:
    """A platform, and a desk that knows one lift."""
    platform = WeChatPlatform(APP_ID, SECRET, TOKEN, ORIGINAL_ID, now=clock.now)
    await platform.start()
    async with opened(url) as database:
        await database.write(town, clock)
        (community,) = await database.read(places.all_communities)
        lift = {"id": new_id(), "community_id": community["id"], "building_id": None, "name": "3栋2号电梯"}
        await database.write(insert, places.public_places, [{**lift, "kind": "lift"}])
        account = structs.replace(settings(platform.base_url), image_base=platform.base_url)
        try:
            yield platform, Settings(database_url=url, wechat={"main": account})
        finally:
            await platform.stop()


async def test_a_code_is_made_and_its_image_kept(database_url: str, clock: StoppedClock, tmp_path: Path) -> None:
    async with desk(database_url, clock) as (platform, known):
        for scene, days in ((LIFT, None), ("h:翠湖苑/3-2-1502", 7), ("c:翠湖苑", 30)):
            to = tmp_path / "code.jpg"
            (line,) = await channel_codes.wechat(known, "main", scene, days=days, to=to)
            assert to.read_bytes() == PHOTO
            assert str(to) in line
            assert line.endswith("for ever" if days is None else f"for {days} days")
            asked = next(payload for name, payload in platform.requests[::-1] if name == "qrcode/create")
            assert asked["action_info"] == {"scene": {"scene_str": scene}}
            assert asked["action_name"] == ("QR_LIMIT_STR_SCENE" if days is None else "QR_STR_SCENE")
            assert asked.get("expire_seconds") == (days * 86400 if days else None)


NOTHING = [
    ("", None, "write c:COMMUNITY, h:COMMUNITY/BUILDING-UNIT-ROOM or p:COMMUNITY/PLACE"),
    ("b:482913", None, "write c:COMMUNITY"),
    ("c:远方", None, "no community is called 远方; there are 翠湖苑"),
    ("p:翠湖苑/4号电梯", None, "翠湖苑 has no place 4号电梯 on its list"),
    ("h:翠湖苑/33-2-1502", None, "翠湖苑 has no home 33-2-1502 on its list"),
    (f"p:翠湖苑/{'梯' * 70}", None, "a code holds 64 characters"),
    (LIFT, 31, "a temporary code lasts 1 to 30 days"),
    (LIFT, 0, "a temporary code lasts 1 to 30 days"),
]


async def test_a_code_of_nothing_is_not_made(database_url: str, clock: StoppedClock, tmp_path: Path) -> None:
    async with desk(database_url, clock) as (platform, known):
        for scene, days, says in NOTHING:
            with pytest.raises(SettingsError) as caught:
                await channel_codes.wechat(known, "main", scene, days=days, to=tmp_path / "code.jpg")
            assert says in str(caught.value)
        assert platform.requests == []
    assert not (tmp_path / "code.jpg").exists()


async def test_what_the_platform_refuses_is_told(database_url: str, clock: StoppedClock, tmp_path: Path) -> None:
    async with desk(database_url, clock) as (platform, known):
        platform.script("qrcode/create", errcode=45009)
        with pytest.raises(SettingsError, match="wechat/main: errcode 45009"):
            await channel_codes.wechat(known, "main", LIFT, to=tmp_path / "x.jpg")
        with pytest.raises(SettingsError, match="no WeChat account 'other'"):
            await channel_codes.wechat(known, "other", LIFT, to=None)


@pytest.mark.parametrize(
    ("answer", "expected"), [("{}", Rejected), ('{"ticket": 1}', Rejected), ('{"errcode": 43004}', Blocked)]
)
async def test_an_answer_without_a_ticket_is_no_code(answer: str, expected: type[SendError]) -> None:
    platform = WeChatPlatform(APP_ID, SECRET, TOKEN, ORIGINAL_ID)
    await platform.start()
    channel = WeChat("main", structs.replace(settings(platform.base_url), image_base=platform.base_url))
    try:
        platform.script("qrcode/create", body=answer)
        with pytest.raises(expected):
            await channel.code(LIFT, None)
        platform.script("qrcode/create", status=502)
        with pytest.raises(Later):
            await channel.code(LIFT, timedelta(days=1))
    finally:
        await channel.close()
        await platform.stop()


def test_the_stand_in_refuses_what_the_platform_does(clock: StoppedClock) -> None:
    codes = WeChatPlatform(APP_ID, SECRET, TOKEN, ORIGINAL_ID, now=clock.now).api.codes
    info = {"scene": {"scene_str": LIFT}}
    for wrong in (
        {}, {"action_name": "QR_STR_SCENE"}, {"action_name": "QR_OTHER", "action_info": info},
        {"action_name": "QR_STR_SCENE", "action_info": info, "expire_seconds": 2592001},
        {"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": "x" * 65}}},
        {"action_name": "QR_LIMIT_SCENE", "action_info": {"scene": {"scene_id": 100001}}},
    ):  # fmt: skip
        assert codes.create(wrong, clock.now()) is None
    made = codes.create({"action_name": "QR_STR_SCENE", "action_info": info, "expire_seconds": 60}, clock.now())
    assert made is not None
    assert codes.scene(str(made["ticket"]), clock.now()) == LIFT
    assert codes.scene(str(made["ticket"]), clock.now() + timedelta(seconds=60)) == ""


@pytest.mark.parametrize(("scene", "label"), SCANS)
def test_the_codes_of_the_simulator_are_right(scene: str, label: str) -> None:
    read = scenes.read(scene)
    assert label
    assert read is not None
    assert scenes.write(read) == scene
