"""WeCom (企业微信), 群机器人: `…/cgi-bin/webhook/send?key=…` (developer.work.weixin.qq.com, document 91770).

Text of at most 2048 bytes; only a text can call people by name. No signature: the key in the address is all.
"""

from typing import Final

from bot.clients.robots.message import Call, GroupMessage, code_of, words_of
from bot.settings import RobotSettings
from channels.errors import Later, Misconfigured, Rejected, SendError

_TEXT_BYTES: Final = 2048
_BUSY: Final = -1
_TOO_FAST: Final = (45009, 45033)
_NO_ROBOT: Final = (93000, 93004, 93008, 40001, 40014, 42001)
"""The key names no robot any more, or the robot was taken out of the group."""


def call(message: GroupMessage, settings: RobotSettings, now: float) -> Call:
    """A text; in danger it calls everybody."""
    del settings, now
    text: dict[str, object] = {"content": message.within(_TEXT_BYTES)}
    if message.everybody:
        text["mentioned_list"] = ["@all"]
    return Call({"msgtype": "text", "text": text})


def refusal(answer: dict[str, object]) -> SendError | None:
    """`errcode` decides."""
    code = code_of(answer, "errcode")
    detail = f"errcode {code}: {words_of(answer, 'errmsg')}"
    if code == 0:
        return None
    if code is None:
        return Later("an answer without errcode", 5.0)
    if code == _BUSY:
        return Later(detail, 2.0)
    if code in _TOO_FAST:
        return Later(detail, 60.0, throttled=True)
    # 93000 is also the code of a text that is too long.
    if code in _NO_ROBOT and "content exceed" not in detail:
        return Misconfigured(detail)
    return Rejected(detail)
