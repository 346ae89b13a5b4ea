"""A service account is verified for a year; without it templates, menus and customer-service messages stop."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bot.engine import results
from bot.settings import Settings
from bot.store.base import NOBODY

WARNINGS: Final = (0, 7, 30, 60)
"""Days ahead. One alarm for each, the nearest alone where several are due."""


def check(conn: sa.Connection, settings: Settings, now: datetime) -> int:
    """Raise an alarm, once a warning, for each account whose verification ends soon; how many do."""
    today, soon = now.astimezone(settings.zone).date(), 0
    for name, account in settings.wechat.items():
        if account.verified_until is None:
            continue
        left = (account.verified_until - today).days
        warning = next((days for days in WARNINGS if left <= days), None)
        if warning is not None:
            soon += 1
            summary = f"wechat/{name}: 微信认证 {account.verified_until} 到期，{_words(left)} · verification ends"
            key = f"verification:{name}:{account.verified_until}:{warning}"
            results.alarm(conn, NOBODY, "channel", summary, now, key=key)
    return soon


def _words(left: int) -> str:
    return f"还有{left}天" if left > 0 else "今天到期" if left == 0 else f"已过期{-left}天"
