"""A resident's phone as the platform sees it: what is on its screen, and how many messages may still be sent to it."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

Direction = Literal["sent", "received", "system"]
Via = Literal["", "passive", "push"]

FAULT_TEXT: Final = "该公众号提供的服务出现故障，请稍后再试"
"""What the phone shows when the service gave no usable answer (被动回复用户消息)."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One bubble: `sent` by the resident, `received` from the account, or a grey line of the `system`."""

    number: int
    direction: Direction
    text: str
    at: datetime
    via: Via = ""
    """How a received text came: in the answer to a push, or by a call of the API."""
    kind: str = "text"
    parts: int = 0
    """How many SMS it took; 0: it was none."""


class Grant(msgspec.Struct, frozen=True):
    """`left` messages until `until`."""

    left: int
    until: datetime


_MESSAGE: Final = (5, timedelta(hours=48))
_TOUCH: Final = (3, timedelta(minutes=1))


class Window:
    """The customer-service quota of one resident (客服消息介绍, rules of 2023-06).

    A message allows 5 for 48 h, counted anew by the next one; a click, a follow or a scan 3 for one minute. Which of
    two open ones a message uses is not documented: here the shorter first.
    """

    def __init__(self) -> None:
        self._message: Grant | None = None
        self._touch: Grant | None = None

    def wrote(self, now: datetime) -> None:
        """The resident sent a message."""
        self._message = Grant(_MESSAGE[0], now + _MESSAGE[1])

    def touched(self, now: datetime) -> None:
        """The resident clicked, followed or scanned."""
        self._touch = Grant(_TOUCH[0], now + _TOUCH[1])

    def close(self) -> None:
        """The resident left."""
        self._message = self._touch = None

    def left(self, now: datetime) -> int:
        """How many may be sent at this moment."""
        return sum(grant.left for grant in (self._touch, self._message) if grant is not None and grant.until > now)

    def is_open(self, now: datetime) -> bool:
        """Whether any window is open, used up or not."""
        return any(grant is not None and grant.until > now for grant in (self._touch, self._message))

    def use(self, now: datetime) -> bool:
        """Take one; whether there was one."""
        touch, message = self._touch, self._message
        if touch is not None and touch.left > 0 and touch.until > now:
            self._touch = Grant(touch.left - 1, touch.until)
            return True
        if message is not None and message.left > 0 and message.until > now:
            self._message = Grant(message.left - 1, message.until)
            return True
        return False


class Phone:
    """One follower of the account."""

    def __init__(self, openid: str) -> None:
        self.openid = openid
        self.followed = True
        self.refuses = False
        """接收消息 is switched off: the API answers 48002."""
        self.typing = False
        self.language = "zh_CN"
        self.last_seen: datetime | None = None
        self.window = Window()
        self.screen: deque[Entry] = deque(maxlen=1000)

    def received(self) -> list[str]:
        """The texts the account has sent, in the order they came."""
        return [entry.text for entry in self.screen if entry.direction == "received"]
