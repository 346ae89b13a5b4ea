"""The account's menu: what stands there now, and the same with our lines in it (自定义菜单).

Turning on the callback switches off the menu that was made at the platform, so ours puts it back.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from channels.wechat.api import WeChatApi

Button = Mapping[str, Any]

FIRST_MOST: Final = 3
SECOND_MOST: Final = 5

OURS: Final[Button] = {
    "name": "报事报修",
    "sub_button": [
        {"type": "click", "name": "报修", "key": "repair"},
        {"type": "click", "name": "投诉", "key": "complaint"},
        {"type": "click", "name": "查进度", "key": "progress"},
        {"type": "click", "name": "找人工", "key": "human"},
    ],
}
"""Keys are names of intents: what a press starts (`bot.engine.routing`)."""

_KEYS: Final = frozenset(line["key"] for line in OURS["sub_button"])
_SETTABLE: Final = {
    "view": ("url",), "click": ("key",), "miniprogram": ("url", "appid", "pagepath"), "scancode_push": ("key",),
    "scancode_waitmsg": ("key",), "pic_sysphoto": ("key",), "pic_photo_or_album": ("key",), "pic_weixin": ("key",),
    "location_select": ("key",), "media_id": ("media_id",), "view_limited": ("media_id",),
    "article_id": ("article_id",), "article_view_limited": ("article_id",),
}  # fmt: skip
"""Kinds that an API call can set, and the fields that it takes (创建接口). The others exist only in the platform's own
back office: texts, pictures and articles that it sends itself."""


async def current(api: WeChatApi) -> dict[str, object]:
    """The menu that residents see now, however it was made (获取自定义菜单配置). Raises a `SendError`."""
    return await api.ask("/cgi-bin/get_current_selfmenu_info")


async def put(api: WeChatApi, buttons: Sequence[Button]) -> None:
    """Set the whole menu. Raises a `SendError`."""
    await api.call("/cgi-bin/menu/create", {"button": list(buttons)})


def buttons_of(answer: Mapping[str, Any]) -> tuple[list[Button], list[str]]:
    """The lines of a menu that a call can set again, and the names of those that it cannot.

    Raises `ValueError` for what is no menu.
    """
    lost: list[str] = []
    try:
        found = answer.get("selfmenu_info", answer).get("button", ())
        kept = [button for button in (_first_level(one, lost) for one in found) if button]
    except (KeyError, TypeError, AttributeError):
        raise ValueError("this is no menu of an official account") from None
    return kept, lost


def _first_level(button: Mapping[str, Any], lost: list[str]) -> Button | None:
    below = button.get("sub_button") or []
    lines = below.get("list", []) if isinstance(below, Mapping) else below
    if not lines:
        return _line(button, lost)
    kept = [line for line in (_line(one, lost) for one in lines) if line]
    return {"name": str(button["name"]), "sub_button": kept} if kept else None


def _line(line: Mapping[str, Any], lost: list[str]) -> Button | None:
    fields = _SETTABLE.get(str(line.get("type", "")))
    if fields is None or not all(line.get(field) for field in fields):
        lost.append(str(line["name"]))
        return None
    return {"type": line["type"], "name": line["name"], **{field: line[field] for field in fields}}


def with_ours(old: Sequence[Button]) -> list[Button]:
    """The menu with our lines: as a button of their own where there is room, else below the last one.

    Running it again changes nothing. Raises `ValueError` where there is no room.
    """
    kept = without_ours(old)
    if len(kept) < FIRST_MOST:
        return [*kept, OURS]
    last = kept[-1]
    below = [*last["sub_button"], *OURS["sub_button"]] if "sub_button" in last else [last, *OURS["sub_button"]]
    if len(below) > SECOND_MOST:
        raise ValueError(
            f"the menu is full: {FIRST_MOST} buttons, and {last['name']!r} has no room for {len(_KEYS)} lines more. "
            "Take a button or lines out of the exported file, then run this again with --from FILE"
        )
    name = last["name"] if "sub_button" in last else OURS["name"]
    return [*kept[:-1], {"name": name, "sub_button": below}]


def without_ours(menu: Sequence[Button]) -> list[Button]:
    """The menu without our lines, wherever they stand."""
    return [button for button in (_without_ours(one) for one in menu) if button]


def _without_ours(button: Button) -> Button | None:
    if "sub_button" not in button:
        return None if button.get("key") in _KEYS else button
    kept = [line for line in button["sub_button"] if line.get("key") not in _KEYS]
    return {**button, "sub_button": kept} if kept else None
