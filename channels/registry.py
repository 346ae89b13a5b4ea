"""The channels there are: the type of an account's settings, and what is built from them. A new one is one line."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from channels import sms
from channels.base import Channel
from channels.sms import Sms, SmsSettings
from channels.telegram import Telegram, TelegramSettings
from channels.wechat import WeChat, WeChatSettings


class Entry(NamedTuple):
    """`build(account, settings)` makes one account's channel; it raises nothing and connects to nothing."""

    settings: type[msgspec.Struct]
    build: Callable[[str, Any], Channel]
    approved: Callable[[str, Mapping[str, str]], str | None] | None = None
    """The approved text of a moment with these values, None where none fits: for accounts that send nothing else
    (`Capabilities.templates_only`)."""
    handset: Callable[[str, Any], str | None] | None = None
    """The address that a phone number has for an account with these settings: this channel reaches people who have
    never written to it, and each message is paid for. None where the number is no handset's."""


CHANNELS: Final[Mapping[str, Entry]] = {
    "wechat": Entry(WeChatSettings, WeChat),
    "telegram": Entry(TelegramSettings, Telegram),
    "sms": Entry(SmsSettings, Sms, sms.approved, sms.handset),
}
