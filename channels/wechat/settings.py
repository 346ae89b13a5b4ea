"""What one official account needs."""

import re
from datetime import date
from typing import Final, Literal

import msgspec

from channels.wechat.templates import Template, check

Mode = Literal["plain", "compatible", "safe"]

_TOKEN: Final = re.compile(r"[A-Za-z0-9]{3,32}")
_KEY: Final = re.compile(r"[A-Za-z0-9]{43}")
_BASE: Final = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")
_ADDRESS: Final = re.compile(r"https?://[^\s/?#]+[^\s#]*")
_SHOWN: Final = ("app_id", "original_id", "mode", "api_base", "replay_window_s", "verified_until")


class WeChatSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials and address of one account. Raises `ValueError`, and never shows a secret in its `repr`."""

    app_id: str
    app_secret: str
    token: str
    """The Token of the server settings, 3-32 letters and digits (消息与事件推送介绍)."""
    original_id: str = ""
    """`gh_…`, what pushes carry as ToUserName; empty: not checked."""
    mode: Mode = "plain"
    """As at the platform: 明文模式, 兼容模式, 安全模式. Safe reads what compatible sends, too."""
    encoding_aes_key: str = ""
    """EncodingAESKey of the server settings, 43 letters and digits; not used in plain mode."""
    api_base: str = "https://api.weixin.qq.com"
    image_base: str = "https://mp.weixin.qq.com"
    """Where the images of codes lie."""
    replay_window_s: float = 600.0
    """Requests signed longer ago, or further ahead, are refused; our own rule, the protocol has none."""

    verified_until: date | None = None
    """When the account's yearly verification (微信认证) ends: the desk is warned 60, 30 and 7 days ahead."""
    forward_to: str = ""
    """Where every verified push is sent on as it came, for another system on the account; its answer is ignored."""
    templates: dict[str, Template] = {}
    """By moment, the approved template and what goes into its fields."""

    def __post_init__(self) -> None:
        for moment, template in self.templates.items():
            check(moment, template)
        if self.mode != "plain" and not _KEY.fullmatch(self.encoding_aes_key):
            raise ValueError(
                f"mode '{self.mode}' needs encoding_aes_key: EncodingAESKey, 43 letters and digits, as at the platform"
            )
        if not _TOKEN.fullmatch(self.token):
            raise ValueError("token must be 3 to 32 letters and digits, the same as at the platform")
        if not self.app_id or not self.app_secret:
            raise ValueError("app_id and app_secret must not be empty")
        if not _BASE.fullmatch(self.api_base):
            raise ValueError("api_base must be an http or https address")
        if not _BASE.fullmatch(self.image_base):
            raise ValueError("image_base must be an http or https address")
        if self.forward_to and not _ADDRESS.fullmatch(self.forward_to):
            raise ValueError("forward_to must be an http or https address")
        if self.replay_window_s <= 0:
            raise ValueError("replay_window_s must be more than 0 seconds")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _SHOWN)
        return f"WeChatSettings({shown})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [(name, getattr(self, name)) for name in _SHOWN]
