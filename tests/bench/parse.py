"""What a push costs before anything is stored: verified and parsed, per channel, beside a floor of the same run.

The floor decodes the same bytes with the fastest decoder at hand (JSON: msgspec, XML: ElementTree, forms: parse_qsl)
and signs them once (HMAC-SHA256): what any program must do that reads the payload and checks who sent it.
"""

import hmac
import statistics
import time
from collections.abc import Callable
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import msgspec

from channels.messages import WebhookRequest
from tests.channels.cases import FIXTURES, Kit
from tests.channels.sms_kit import KeyedKit, TwilioKit
from tests.channels.telegram_kit import TelegramKit
from tests.channels.test_channel_sms_signed_json import KIT as SIGNED_JSON
from tests.channels.test_channel_wechat_safe import SAFE
from tests.channels.wechat_kit import WeChatKit

ROUNDS = 9
PUSHES = 1_500
Decode = Callable[[bytes], object]

CASES: tuple[tuple[str, Kit, str, Decode], ...] = (
    ("wechat, plain", WeChatKit(), "wechat/text__plain.xml", ElementTree.fromstring),
    ("wechat, safe", SAFE, "wechat/text__plain.xml", ElementTree.fromstring),
    ("telegram", TelegramKit(), "telegram/text__plain.json", msgspec.json.decode),
    ("sms, twilio", TwilioKit(), "sms_twilio/text__plain.form", lambda body: parse_qsl(body.decode())),
    ("sms, aliyun", KeyedKit("aliyun"), "sms_aliyun/smsup__plain.json", msgspec.json.decode),
    ("sms, tencent", KeyedKit("tencent"), "sms_tencent/reply__plain.json", msgspec.json.decode),
    ("sms, signed json", SIGNED_JSON, "sms_signed_json/text__plain.json", msgspec.json.decode),
)


def main() -> None:
    """Print a line a channel."""
    print(f"\n{'verify and parse':24}{'floor us':>12}{'ours us':>12}{'ratio':>12}")
    for name, kit, payload, decode in CASES:
        request = kit.request((FIXTURES / payload).read_bytes())
        floor, ours = _measured(kit, request, decode)
        print(f"{name:24}{floor:12.1f}{ours:12.1f}{ours / floor:12.1f}")


def _measured(kit: Kit, request: WebhookRequest, decode: Decode) -> tuple[float, float]:
    """Microseconds a push, floor and ours: medians of rounds that take turns."""
    channel = kit.channel()

    def floor() -> None:
        decode(request.body)
        hmac.digest(b"secret", request.body, "sha256")

    def ours() -> None:
        channel.verify(request)
        channel.parse(request)

    rounds = [(_cost(floor), _cost(ours)) for _ in range(ROUNDS)]
    return statistics.median(one for one, _ in rounds), statistics.median(other for _, other in rounds)


def _cost(act: Callable[[], None]) -> float:
    started = time.process_time()
    for _ in range(PUSHES):
        act()
    return (time.process_time() - started) / PUSHES * 1e6


if __name__ == "__main__":
    main()
