"""Telegram: updates by webhook or by polling, and the Bot API through python-telegram-bot."""

from channels.telegram.channel import Telegram
from channels.telegram.settings import TelegramSettings

__all__ = ["Telegram", "TelegramSettings"]
