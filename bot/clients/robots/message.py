"""What a group is told, and how a platform takes it."""

from typing import Protocol

import msgspec
from msgspec import field

from bot.settings import RobotSettings
from channels.errors import SendError
from channels.text import shorten, size


class GroupMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message to a work group."""

    title: str
    text: str = ""
    link: str = ""
    link_label: str = ""
    everybody: bool = False
    """It concerns danger: the group is called by name (@所有人), and our own pace keeps room for it."""

    def within(self, most: int) -> str:
        """As plain text of at most `most` bytes; the link stands in a line of its own, which every client makes one
        to tap, and is never what is cut."""
        link = f"{self.link_label} {self.link}".strip() if self.link else ""
        taken = size("\n".join([self.title, "", link]), "bytes")
        text = shorten(self.text, most - taken, "bytes") if self.text else ""
        return "\n".join(line for line in (self.title, text, link) if line)


class Call(msgspec.Struct, frozen=True):
    """What is posted: parameters beside those of the address, and the JSON body."""

    payload: object
    params: dict[str, str] = field(default_factory=dict)


class Platform(Protocol):
    """One platform's way to be told, and to refuse."""

    def call(self, message: GroupMessage, settings: RobotSettings, now: float) -> Call:
        """The request. `now`: seconds since the epoch, which some platforms sign."""

    def refusal(self, answer: dict[str, object]) -> SendError | None:
        """Why it was not said, from the answer's own code: HTTP says 200 either way."""


def code_of(answer: dict[str, object], *names: str) -> int | None:
    """The first code that the answer holds under one of these names; None: it holds none."""
    return next((value for name in names if isinstance(value := answer.get(name), int)), None)


def words_of(answer: dict[str, object], *names: str) -> str:
    """The platform's own words for its code."""
    return next((value[:200] for name in names if isinstance(value := answer.get(name), str)), "")
