"""The menu of an account that already lives: exported, kept, and put back with our lines."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot import channel_setup
from bot.errors import SettingsError
from bot.settings import Settings
from bot.web.simulator.wechat import WeChatPlatform
from channels.wechat import menu
from tests.channels.wechat_kit import APP_ID, ORIGINAL_ID, SECRET, TOKEN, settings

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
KEPT = "wechat-menu-main-20261122-100000.json"
PAY = {"type": "view", "name": "缴费", "url": "https://erp.example.com/pay?a=1&b=2"}
MALL = {"type": "miniprogram", "name": "商城", "url": "https://x", "appid": "wx2", "pagepath": "p/index"}
TEXT = {"type": "text", "name": "联系我们", "value": "电话021-1"}
NEWS = {"type": "news", "name": "公告", "value": "M", "news_info": {"list": []}}


def told(*buttons: dict[str, Any]) -> dict[str, Any]:
    """As the platform tells a menu: lines below a button lie in a list of their own."""
    wrapped = [{**one, "sub_button": {"list": one["sub_button"]}} if "sub_button" in one else one for one in buttons]
    return {"is_menu_open": 1, "selfmenu_info": {"button": wrapped}}


def below(name: str, *lines: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "sub_button": list(lines)}


OURS = list(menu.OURS["sub_button"])
CASES: list[tuple[str, dict[str, Any], list[Any], list[str]]] = [
    ("no menu", {"is_menu_open": 0}, [menu.OURS], []),
    ("one button", told(PAY), [PAY, menu.OURS], []),
    ("lines of a page and an app", told(below("服务", PAY, MALL), PAY), [below("服务", PAY, MALL), PAY, menu.OURS], []),
    ("what only the back office can set", told(TEXT, below("更多", NEWS, PAY)), [below("更多", PAY), menu.OURS],
     ["联系我们", "公告"]),
    ("a button of which nothing is left", told(below("更多", NEWS)), [menu.OURS], ["公告"]),
    ("three buttons, the last one a line", told(PAY, MALL, PAY), [PAY, MALL, below("报事报修", PAY, *OURS)], []),
    ("three, room below the last", told(PAY, MALL, below("我的", PAY)), [PAY, MALL, below("我的", PAY, *OURS)], []),
    ("ours is there already", told(PAY, dict(menu.OURS)), [PAY, menu.OURS], []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "wanted", "lost"), CASES, ids=[case[0] for case in CASES])
def test_the_menu_with_our_lines(name: str, answer: dict[str, Any], wanted: list[Any], lost: list[str]) -> None:
    kept, gone = menu.buttons_of(answer)
    found = menu.with_ours(kept)
    assert (name, found, gone) == (name, wanted, lost)
    assert menu.with_ours(found) == found, "once more changes nothing"
    assert len(found) <= menu.FIRST_MOST
    assert all(len(one.get("sub_button", ())) <= menu.SECOND_MOST for one in found)
    assert '"key"' not in json.dumps(menu.without_ours(found)), "and they can be taken out again"


def test_a_full_menu_is_told_and_left_alone() -> None:
    full = below("我的", PAY, PAY, PAY)
    with pytest.raises(ValueError, match="'我的' has no room for 4 lines more"):
        menu.with_ours([PAY, MALL, full])


@pytest.mark.parametrize("answer", [{"selfmenu_info": []}, {"button": [1]}, {"button": 5}, {"button": [{"type": "x"}]}])
def test_what_is_no_menu_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no menu"):
        menu.buttons_of(answer)


# The verb, against the platform


def files() -> None:
    Path("broken.json").write_text("{", "utf-8")
    Path("empty.json").write_text("{}", "utf-8")


def exported() -> object:
    return json.loads(Path(KEPT).read_text("utf-8"))


@pytest.fixture
async def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WeChatPlatform]:
    monkeypatch.chdir(tmp_path)
    files()
    platform = WeChatPlatform(APP_ID, SECRET, TOKEN, ORIGINAL_ID)
    platform.api.menu = told(below("服务", PAY, TEXT), MALL)
    await platform.start()
    try:
        yield platform
    finally:
        await platform.stop()


def frontdesk(platform: WeChatPlatform) -> Settings:
    return Settings(wechat={"main": settings(platform.base_url)})


async def test_the_old_menu_is_kept_and_put_back_with_ours(platform: WeChatPlatform) -> None:
    before = platform.api.menu
    said = await channel_setup.wechat(frontdesk(platform), "main", NOW)
    assert exported() == before
    assert platform.api.menu == told(below("服务", PAY), MALL, dict(menu.OURS))
    assert said[:2] == [
        f"the menu that stands there now is kept in {KEPT}",
        "not kept, only the platform's back office can set it: 联系我们",
    ]
    again = await channel_setup.wechat(
        frontdesk(platform), "main", NOW.replace(minute=1), source=Path(KEPT), ours=False
    )
    assert platform.api.menu == told(below("服务", PAY), MALL)
    assert "  商城" in again


async def test_a_dry_run_changes_nothing(platform: WeChatPlatform) -> None:
    before = platform.api.menu
    said = await channel_setup.wechat(frontdesk(platform), "main", NOW, dry=True)
    assert (platform.api.menu, said[-1]) == (before, "nothing was changed")
    assert "  报事报修: 报修 · 投诉 · 查进度 · 找人工" in said
    assert exported() == before


async def test_a_token_that_is_over_is_fetched_anew(platform: WeChatPlatform) -> None:
    platform.script("menu/current", errcode=42001)
    platform.script("menu/create", errcode=40001)
    await channel_setup.wechat(frontdesk(platform), "main", NOW)
    assert platform.calls["menu/create"] == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"account": "other"}, "no WeChat account 'other' is set: known are ['main']"),
        ({"source": Path("nowhere.json")}, "nowhere.json cannot be read: No such file or directory"),
        ({"source": Path("broken.json")}, "broken.json is no JSON file"),
        ({"source": Path("empty.json"), "ours": False}, "there is no line to set"),
        ({"errcode": 48001}, "errcode 48001 UNAUTHORIZED_API"),
    ],
    ids=str,
)
async def test_what_goes_wrong_is_told_in_a_sentence(
    platform: WeChatPlatform, change: dict[str, Any], says: str
) -> None:
    change = dict(change)
    if errcode := change.pop("errcode", 0):
        platform.script("menu/current", errcode=errcode)
    with pytest.raises(SettingsError) as caught:
        await channel_setup.wechat(frontdesk(platform), change.pop("account", "main"), NOW, **change)
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)
    assert platform.calls["menu/create"] == 0
