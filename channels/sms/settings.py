"""What an account at any SMS gateway may need. Which of it one gateway does need, the gateway says (`required`)."""

import re
from typing import Final

import msgspec

_BASE: Final = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_KEY: Final = re.compile(r"[A-Za-z0-9._~-]{16,128}")
_SECRETS: Final = ("auth_token", "previous_auth_token", "access_key_secret", "secret_key", "push_key")


class SmsAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials and address of one account. Raises `ValueError`, and never shows a secret in its `repr`."""

    gateway: str
    api_base: str = ""
    """Empty: the gateway's own."""
    sender: str = ""
    """Twilio: our number or a messaging service (`MG…`). Aliyun, Tencent: the extension code (扩展码), may be empty."""
    account_sid: str = ""
    auth_token: str = ""
    previous_auth_token: str = ""
    """Accepted beside `auth_token` while it is being rotated."""
    access_key_id: str = ""
    access_key_secret: str = ""
    secret_id: str = ""
    secret_key: str = ""
    sdk_app_id: str = ""
    sign_name: str = ""
    """The approved signature (签名), without 【】."""
    push_key: str = ""
    """The unguessable end of the address that a gateway which signs nothing pushes to."""
    templates: dict[str, str] = {}
    """By name of the text (channels/sms/vocabulary.toml), the id under which the gateway approved it."""
    country: str = "CN"
    """Where a number without country code belongs (ISO 3166)."""
    price_per_part: float = 0.0
    """What one part of a text costs, in any currency."""
    daily_cap: float = 0.0
    """An alarm is raised when a day has cost so much; 0: never."""
    public_url: str = ""
    """Where this account's pushes come in; empty: the service's public address."""

    def __post_init__(self) -> None:
        if self.api_base and not _BASE.fullmatch(self.api_base):
            raise ValueError("api_base must be an http or https address")
        if self.public_url and not _BASE.fullmatch(self.public_url):
            raise ValueError("public_url must be an http or https address")
        if self.push_key and not _KEY.fullmatch(self.push_key):
            raise ValueError("push_key must be 16 to 128 letters, digits, - . _ ~, and no word that can be guessed")
        if not _COUNTRY.fullmatch(self.country):
            raise ValueError("country must be two capital letters, such as CN or HK")
        if self.price_per_part < 0 or self.daily_cap < 0:
            raise ValueError("price_per_part and daily_cap must not be negative")
        if self.daily_cap and not self.price_per_part:
            raise ValueError("daily_cap needs price_per_part")

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be seen."""
        return tuple(filter(None, (getattr(self, name) for name in _SECRETS)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        shown = [name for name in self.__struct_fields__ if name not in _SECRETS]
        return [(name, getattr(self, name)) for name in shown if getattr(self, name)]
