"""`frontdesk channels setup`: what has to be done once at the platform, with the way back kept in a file."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.errors import SettingsError
from bot.settings import Settings
from channels.errors import SendError
from channels.wechat import WeChat, menu


async def wechat(
    settings: Settings, account: str, now: datetime, *, source: Path | None = None, ours: bool = True, dry: bool = False
) -> list[str]:
    """Export the menu to a file, and put it back with our lines in it; what was done, line by line.

    `source`: this exported or edited file instead of what stands at the platform; `ours` False: without our lines;
    `dry`: change nothing. Raises `SettingsError` with one sentence.
    """
    values = settings.wechat.get(account)
    if values is None:
        raise SettingsError(f"no WeChat account {account!r} is set: known are {sorted(settings.wechat) or 'none'}")
    channel = WeChat(account, values)
    try:
        return await _menu(channel, account, now, source, ours=ours, dry=dry)
    except SendError as error:
        raise SettingsError(f"wechat/{account}: {channel.redact(error.detail)}") from None
    except ValueError as error:
        raise SettingsError(f"wechat/{account}: {error}") from None
    finally:
        await channel.close()


async def _menu(
    channel: WeChat, account: str, now: datetime, source: Path | None, *, ours: bool, dry: bool
) -> list[str]:
    there = await channel.menu()
    said = [f"the menu that stands there now is kept in {_export(there, account, now)}"]
    kept, lost = menu.buttons_of(_read(source) if source else there)
    said += [f"not kept, only the platform's back office can set it: {name}" for name in lost]
    wanted = menu.with_ours(kept) if ours else menu.without_ours(kept)
    if not wanted:
        raise ValueError("there is no line to set: name the exported file with --from FILE")
    said += [_shown(button) for button in wanted]
    if dry:
        return [*said, "nothing was changed"]
    await channel.set_menu(wanted)
    return [*said, "the menu is set; phones show it within five minutes, or after leaving and entering the account"]


def _export(there: object, account: str, now: datetime) -> Path:
    path = Path(f"wechat-menu-{account}-{now:%Y%m%d-%H%M%S}.json")
    path.write_text(json.dumps(there, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return path


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{path} is no JSON file") from None
    return found


def _shown(button: menu.Button) -> str:
    below = " · ".join(line["name"] for line in button.get("sub_button", ()))
    return f"  {button['name']}" + (f": {below}" if below else "")
