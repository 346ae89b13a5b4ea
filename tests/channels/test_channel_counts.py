"""How many cases the tables of all channels hold: a table that shrinks fails here, and must say why in its commit."""

import tomllib
from typing import Final

import pytest

from tests.channels import test_channel_sms_outgoing as sms
from tests.channels import test_channel_sms_signed_json as signed_json
from tests.channels import test_channel_telegram_outgoing as telegram
from tests.channels import test_channel_wechat_outgoing as wechat
from tests.channels.cases import FIXTURES, Kit, incoming
from tests.channels.sms_kit import KeyedKit, TwilioKit
from tests.channels.telegram_kit import TelegramKit
from tests.channels.test_channel_wechat_safe import SAFE
from tests.channels.wechat_kit import WeChatKit

INCOMING: Final = {
    # folder: payloads, and how many of them nobody can read, whole or in part
    "wechat": (81, 19),
    "telegram": (79, 12),
    "sms_twilio": (32, 6),
    "sms_aliyun": (27, 8),
    "sms_tencent": (14, 5),
    "sms_signed_json": (8, 4),
}
OUTGOING: Final = {
    "wechat": (len(wechat.CASES), 51),
    "telegram": (len(telegram.CASES), 37),
    "sms": (len(sms.CASES), 134),
    "sms_signed_json": (len(signed_json.CASES), 6),
}
KITS: Final[dict[str, tuple[Kit, int]]] = {
    # the ways to forge and to mutilate that every payload goes through
    "wechat": (WeChatKit(), 30),
    "wechat_safe": (SAFE, 30),
    "telegram": (TelegramKit(), 30),
    "sms_twilio": (TwilioKit(), 15),
    "sms_aliyun": (KeyedKit("aliyun"), 15),
    "sms_tencent": (KeyedKit("tencent"), 15),
    "sms_signed_json": (signed_json.KIT, 15),
}


@pytest.mark.parametrize("folder", INCOMING)
def test_payloads_of_a_channel(folder: str) -> None:
    wanted = [tomllib.loads((FIXTURES / folder / f"{name}.toml").read_text("utf-8")) for name in incoming(folder)]
    hostile = sum(bool(one.get("unreadable") or one.get("broken")) for one in wanted)
    assert (len(wanted) >= INCOMING[folder][0], hostile >= INCOMING[folder][1]) == (True, True), (len(wanted), hostile)


@pytest.mark.parametrize("channel", OUTGOING)
def test_messages_of_a_channel(channel: str) -> None:
    found, at_least = OUTGOING[channel]
    assert found >= at_least


def test_all_together() -> None:
    assert sum(len(incoming(folder)) for folder in INCOMING) >= 240
    assert sum(found for found, _ in OUTGOING.values()) >= 225


@pytest.mark.parametrize("name", KITS)
def test_every_payload_is_forged_and_mutilated_in_many_ways(name: str) -> None:
    kit, at_least = KITS[name]
    folder = "wechat" if name == "wechat_safe" else name
    body = next(
        path.read_bytes() for path in sorted((FIXTURES / folder).iterdir())
        if path.suffix != ".toml" and "plain" in path.stem
    )  # fmt: skip
    hostile = [kind for kind, _ in kit.forgeries(body)] + [kind for kind, _ in kit.mutilations(body)]
    assert len(hostile) == len(set(hostile)) >= at_least
