"""A resident's Telegram as the stand-in sees it: what is on the screen, with buttons that can be pressed."""

from collections import deque
from datetime import datetime
from typing import Literal

import msgspec

Side = Literal["sent", "received", "system"]


CONTACT = "contact"
"""The data of a button that hands over the number of the phone."""


class Key(msgspec.Struct, frozen=True):
    """An inline button, or one in place of the keyboard (`data` empty, or `CONTACT`)."""

    text: str
    data: str


class Bubble(msgspec.Struct, frozen=True, kw_only=True):
    """One message: `sent` by the resident, `received` from the bot, or a grey line of the `system`."""

    message_id: int
    side: Side
    text: str
    at: datetime
    kind: str = "text"
    edited: bool = False
    keys: tuple[tuple[Key, ...], ...] = ()


class Phone:
    """One person's private chat with the bot."""

    def __init__(self, person: int, name: str, language: str) -> None:
        self.person = person
        self.name = name
        self.language = language
        self.blocked = False
        self.started = False
        self.notes: list[str] = []
        """What answerCallbackQuery showed for a moment."""
        self.answered: list[str] = []
        """The presses whose waiting mark was ended, by their query id."""
        self.screen: deque[Bubble] = deque(maxlen=1000)
        self._last_id = 0

    def next_message_id(self) -> int:
        """Message ids grow within a chat."""
        self._last_id += 1
        return self._last_id

    def received(self) -> list[str]:
        """The texts the bot has sent, in the order they came."""
        return [bubble.text for bubble in self.screen if bubble.side == "received"]

    def bubble(self, message_id: int) -> Bubble | None:
        """The message of this id, where it is still on the screen."""
        return next((bubble for bubble in self.screen if bubble.message_id == message_id), None)

    def replace(self, bubble: Bubble) -> None:
        """The message of the same id looks like this now."""
        for index, old in enumerate(self.screen):
            if old.message_id == bubble.message_id:
                self.screen[index] = bubble
