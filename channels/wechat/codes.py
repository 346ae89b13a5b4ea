"""Codes that carry a scene (生成带参数的二维码): permanent ones for doors and lifts, temporary ones for a while."""

from datetime import timedelta
from typing import Final

import msgspec

from channels.errors import Rejected
from channels.wechat.api import WeChatApi

LONGEST_LIFE: Final = timedelta(days=30)
IMAGE: Final = "/cgi-bin/showqrcode"
PERMANENT_MOST: Final = 100_000
"""An account has so many permanent codes, for ever: there is no call that takes one back."""


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """`ticket` stands for the image, `url` is what the code holds: whoever draws it alike needs no image."""

    ticket: str
    url: str


async def create(api: WeChatApi, scene: str, life: timedelta | None) -> Code:
    """Make a code; `life` None: a permanent one. Raises a `SendError`."""
    asked: dict[str, object] = {"action_info": {"scene": {"scene_str": scene}}}
    if life is None:
        asked["action_name"] = "QR_LIMIT_STR_SCENE"
    else:
        asked |= {"action_name": "QR_STR_SCENE", "expire_seconds": int(life.total_seconds())}
    answer = await api.call("/cgi-bin/qrcode/create", asked)
    ticket, url = answer.get("ticket"), answer.get("url")
    if not isinstance(ticket, str) or not isinstance(url, str):
        raise Rejected("the answer holds no ticket: is api_base the API of WeChat?")
    return Code(ticket=ticket, url=url)
