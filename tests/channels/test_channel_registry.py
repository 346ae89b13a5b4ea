"""Every channel of the registry can be built from its settings and keeps the protocol's promises."""

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from channels.base import Channel
from channels.registry import CHANNELS

SETTINGS: Mapping[str, dict[str, Any]] = {
    "wechat": {"app_id": "wx1", "app_secret": "s3cr3t", "token": "AAAAA"},
    "telegram": {"bot_token": "1:s3cr3t", "webhook_secret": "AAAAA"},
    "sms": {"gateway": "twilio", "account_sid": "AC1", "auth_token": "s3cr3t", "sender": "+85230000001"},
}


@pytest.mark.parametrize("name", CHANNELS)
async def test_a_channel_is_built_from_its_settings(name: str) -> None:
    entry = CHANNELS[name]
    channel = entry.build("main", msgspec.convert(SETTINGS[name], entry.settings))
    assert (channel.name, channel.account) == (name, "main")
    assert channel.routes
    assert 0 < channel.capabilities.turn_budget < channel.capabilities.acknowledge_within
    for method, _ in inspect.getmembers(Channel, inspect.isfunction):
        if not method.startswith("_"):
            ours, theirs = (
                inspect.signature(getattr(type(channel), method)),
                inspect.signature(getattr(Channel, method)),
            )
            assert list(ours.parameters) == list(theirs.parameters), method
    await channel.close()


def test_a_wrong_setting_is_told_with_its_reason() -> None:
    wrong = {**SETTINGS["wechat"], "mode": "safe"}
    with pytest.raises(msgspec.ValidationError, match="mode 'safe' needs encoding_aes_key"):
        msgspec.convert(wrong, CHANNELS["wechat"].settings)
