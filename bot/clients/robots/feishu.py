"""Feishu and Lark (飞书), 自定义机器人: `…/open-apis/bot/v2/hook/<token>` (open.feishu.cn, custom bot guide).

With 签名校验 the body carries `timestamp` (seconds, at most an hour off) and `sign`: HMAC-SHA256 over nothing with
"<timestamp>\\n<secret>" as key, in base64. 20 KB a body, 100 a minute, 5 a second.
"""

import base64
import hmac
from typing import Final

from bot.clients.robots.message import Call, GroupMessage, code_of, words_of
from bot.settings import RobotSettings
from channels.errors import Later, Misconfigured, Rejected, SendError
from channels.text import shorten

_TEXT_BYTES: Final = 16_000
_TOO_FAST: Final = (11232, 11233)
_NO_ROBOT: Final = (19001, 19002, 19003, 19007, 19021, 19022, 19024)
"""No such token, robot switched off, wrong sign, address not allowed, key word missing."""


def call(message: GroupMessage, settings: RobotSettings, now: float) -> Call:
    """A rich text (post), whose link is one word to tap; in danger it calls everybody."""
    rows: list[list[dict[str, str]]] = []
    if message.text:
        rows.append([{"tag": "text", "text": shorten(message.text, _TEXT_BYTES, "bytes")}])
    if message.link:
        rows.append([{"tag": "a", "text": message.link_label or message.link, "href": message.link}])
    if message.everybody:
        rows.append([{"tag": "at", "user_id": "all"}])
    post = {"zh_cn": {"title": message.title, "content": rows}}
    payload: dict[str, object] = {"msg_type": "post", "content": {"post": post}}
    if settings.secret:
        stamp = str(round(now))
        payload |= {"timestamp": stamp, "sign": _sign(stamp, settings.secret)}
    return Call(payload)


def _sign(stamp: str, secret: str) -> str:
    return base64.b64encode(hmac.digest(f"{stamp}\n{secret}".encode(), b"", "sha256")).decode()


def refusal(answer: dict[str, object]) -> SendError | None:
    """`code` decides, where there is one: the older `StatusCode` beside it stays 0 in a refusal."""
    code = code_of(answer, "code", "StatusCode")
    words = words_of(answer, "msg", "StatusMessage")
    detail = f"code {code}: {words}"
    if code == 0:
        return None
    if code is None:
        return Later("an answer without code", 5.0)
    # 9499 is "too many request" as well as a body of the wrong shape.
    if code in _TOO_FAST or (code == 9499 and "many" in words.lower()):
        return Later(detail, 60.0, throttled=True)
    return Misconfigured(detail) if code in _NO_ROBOT else Rejected(detail)
