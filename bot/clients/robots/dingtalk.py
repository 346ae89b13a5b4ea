"""DingTalk (钉钉), 自定义机器人: `…/robot/send?access_token=…` (open.dingtalk.com, custom robot access).

With 加签 the address carries `timestamp` (milliseconds, at most an hour off) and `sign`: HMAC-SHA256 over
"<timestamp>\\n<secret>" with the secret as key, in base64. More than 20 messages a minute shut the robot up for ten.
"""

import base64
import hmac
from typing import Final

from bot.clients.robots.message import Call, GroupMessage, code_of, words_of
from bot.settings import RobotSettings
from channels.errors import Later, Misconfigured, Rejected, SendError

_TEXT_BYTES: Final = 18_000
"""The whole message may have 20,000 bytes."""
_BUSY: Final = -1
_TOO_FAST: Final = (130101, 410100, 90030)
_SHUT_UP_S: Final = 600.0
_NO_ROBOT: Final = (310000, 300001, 300005, 400013, 400101, 400102, 400106, 40014, 40056)
"""310000: sign, keyword or address not as the robot's safety settings want it; the rest: no such token or robot, robot
switched off, group gone."""


def call(message: GroupMessage, settings: RobotSettings, now: float) -> Call:
    """A text; in danger it calls everybody."""
    content = message.within(_TEXT_BYTES)
    payload = {"msgtype": "text", "text": {"content": content}, "at": {"isAtAll": message.everybody}}
    if not settings.secret:
        return Call(payload)
    stamp = str(round(now * 1000))
    return Call(payload, {"timestamp": stamp, "sign": _sign(stamp, settings.secret)})


def _sign(stamp: str, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), f"{stamp}\n{secret}".encode(), "sha256")).decode()


def refusal(answer: dict[str, object]) -> SendError | None:
    """`errcode` decides; a robot that was shut up may answer with a `wait` of its own."""
    code = code_of(answer, "errcode")
    detail = f"errcode {code}: {words_of(answer, 'errmsg')}"
    if code == 0:
        return None
    if code in _TOO_FAST or "punish" in answer:
        return Later(detail, _SHUT_UP_S, throttled=True)
    if code is None:
        return Later("an answer without errcode", 5.0)
    if code == _BUSY:
        return Later(detail, 2.0)
    return Misconfigured(detail) if code in _NO_ROBOT else Rejected(detail)
