"""What an inline button carries (`callback_data`, 1-64 bytes) and what its press means.

The data comes back from the resident's client and may be anything. What a press can do is no more than what typing the
same digit does, so it is not signed; it names its value, and the channel looks whether its message is still the newest.
"""

import re
from typing import Final

from channels.telegram.updates import CallbackQuery

DATA_LIMIT: Final = 64
"""Bytes (InlineKeyboardButton)."""
USED: Final = "used"
"""The data of the one button that stays where a choice was made, to show which."""

_PREFIX: Final = "choice:"
_VALUE: Final = re.compile(r"choice:([A-Za-z0-9_.-]{1,57})")


def data_of(value: str) -> str:
    """The data of a button. Raises `ValueError` where the value does not fit."""
    data = f"{_PREFIX}{value}"
    if not _VALUE.fullmatch(data) or len(data) > DATA_LIMIT:
        raise ValueError(f"the value of a choice must be 1 to {DATA_LIMIT - len(_PREFIX)} letters or digits")
    return data


def value_of(query: CallbackQuery) -> str | None:
    """The value that was chosen; None: this is no button of ours, or one that was used."""
    found = _VALUE.fullmatch(query.data or "")
    return found[1] if found else None


def label_of(query: CallbackQuery) -> str:
    """What stood on the button; empty where the message is too old to be told."""
    keyboard = query.message.reply_markup if query.message else None
    rows = keyboard.inline_keyboard if keyboard else ()
    return next((button.text for row in rows for button in row if button.callback_data == query.data), "")
