"""The channels there are: the type of an account's settings, and what is built from them. A new one is one line."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from channels.base import Channel
from channels.sms import Sms, SmsSettings
from channels.telegram import Telegram, TelegramSettings
from channels.wechat import WeChat, WeChatSettings


class Entry(NamedTuple):
    """`build(account, settings)` makes one account's channel; it raises nothing and connects to nothing."""

    settings: type[msgspec.Struct]
    build: Callable[[str, Any], Channel]


CHANNELS: Final[Mapping[str, Entry]] = {
    "wechat": Entry(WeChatSettings, WeChat),
    "telegram": Entry(TelegramSettings, Telegram),
    "sms": Entry(SmsSettings, Sms),
}
