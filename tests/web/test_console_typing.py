"""Who writes shows: the typing state of the channel, for the owner of the conversation alone."""

from collections.abc import AsyncIterator

import pytest

from bot.web.simulator.wechat import WeChatPlatform
from channels.wechat import WeChat
from tests.channels.wechat_kit import APP_ID, ORIGINAL_ID, SECRET, TOKEN, settings
from tests.support.clock import StoppedClock
from tests.web.console_kit import Kit

WANG = "owang"


@pytest.fixture
async def platform(kit: Kit, clock: StoppedClock) -> AsyncIterator[WeChatPlatform]:
    """The phone of Wang, who wrote a moment ago, and the account that the console knows."""
    platform = WeChatPlatform(APP_ID, SECRET, TOKEN, ORIGINAL_ID, now=clock.now)
    await platform.start()
    platform.phone(WANG).last_seen = clock.now()
    channel = WeChat("main", settings(platform.base_url), lambda: clock.now().timestamp())
    kit.context.channels = {("wechat", "main"): channel}
    try:
        yield platform
    finally:
        await channel.close()
        await platform.stop()


async def test_the_resident_sees_that_the_owner_writes(kit: Kit, platform: WeChatPlatform) -> None:
    where = f"/inbox/{kit.seed.conversations['wang']}"
    owner, colleague = await kit.sign_in("agent"), await kit.sign_in("agent2")
    await owner.post(f"{where}/take")
    assert (await colleague.post(f"{where}/typing")).status == 204
    assert platform.calls["custom/typing"] == 0
    assert (await owner.post(f"{where}/typing")).status == 204
    assert platform.phone(WANG).typing
    assert f'hx-post="/console{where}/typing"' in await owner.text(where)


@pytest.mark.parametrize("errcode", [45072, 45080, 45081, 45015, 40164, -1])
async def test_nothing_depends_on_it(kit: Kit, platform: WeChatPlatform, errcode: int) -> None:
    where = f"/inbox/{kit.seed.conversations['wang']}"
    owner = await kit.sign_in("agent")
    await owner.post(f"{where}/take")
    platform.script("custom/typing", errcode=errcode)
    assert (await owner.post(f"{where}/typing")).status == 204
    assert platform.calls["custom/typing"] == 1, "never repeated"


async def test_who_may_not_read_may_not_type(kit: Kit, platform: WeChatPlatform) -> None:
    where = f"/inbox/{kit.seed.conversations['wang']}/typing"
    assert (await (await kit.sign_in("tech")).post(where)).status == 404
    assert platform.calls["custom/typing"] == 0
