"""What one bot needs."""

import re
from typing import Final, Literal

import msgspec

Mode = Literal["webhook", "polling"]

_TOKEN: Final = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{3,100}")
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_ADDRESS: Final = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")
_SHOWN: Final = ("mode", "api_base")


class TelegramSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials and address of one bot. Raises `ValueError`, and never shows a secret in its `repr`."""

    bot_token: str
    """What BotFather gives: digits, a colon, letters."""
    webhook_secret: str = ""
    """Our choice, 1-256 of A-Z, a-z, 0-9, _ and - (setWebhook, `secret_token`). Needed in mode `webhook`."""
    mode: Mode = "webhook"
    """`polling`: the service fetches updates itself and needs no public address."""
    api_base: str = "https://api.telegram.org"
    proxy: str = ""
    """An HTTP proxy on the way to the API, which mainland China does not reach directly."""

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.bot_token):
            raise ValueError("bot_token must be as BotFather gave it: digits, a colon, letters and digits")
        if self.mode == "webhook" and not self.webhook_secret:
            raise ValueError("webhook_secret must be set; without a public address choose mode polling")
        if self.webhook_secret and not _SECRET.fullmatch(self.webhook_secret):
            raise ValueError("webhook_secret must be 1 to 256 letters, digits, _ or -")
        if not _ADDRESS.fullmatch(self.api_base):
            raise ValueError("api_base must be an http or https address")
        if self.proxy and not _ADDRESS.fullmatch(self.proxy):
            raise ValueError("proxy must be an http or https address")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _SHOWN)
        return f"TelegramSettings({shown})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [(name, getattr(self, name)) for name in _SHOWN]
