"""What SMS cost today, and the alarm when it is more than was meant to be spent.

Nothing is held back: a text that tells of danger costs a few cents. A person looks for what runs away.
"""

from datetime import datetime

import sqlalchemy as sa

from bot.engine import results
from bot.settings import Settings
from bot.store import alarm_sends, outbox
from bot.store.base import NOBODY
from channels.sms import SmsSettings

CHANNEL = "sms"


def check(conn: sa.Connection, settings: Settings, now: datetime) -> int:
    """Raise an alarm, once a day, for each account over its daily cap; how many are."""
    local = now.astimezone(settings.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    over = 0
    for name, account in settings.sms.items():
        staff = name == settings.staff_sms
        spent = _spent(conn, name, account, midnight, staff=staff) if account.daily_cap else 0.0
        if account.daily_cap and spent >= account.daily_cap:
            over += 1
            summary = f"{CHANNEL}/{name}: {spent:.2f} spent today, the daily cap is {account.daily_cap:.2f}"
            results.alarm(conn, NOBODY, "channel", summary, now, key=f"spending:{name}:{local:%Y%m%d}")
    return over


def _spent(conn: sa.Connection, name: str, account: SmsSettings, since: datetime, *, staff: bool) -> float:
    texts = [*outbox.texts_since(conn, CHANNEL, name, since), *(alarm_sends.texts_since(conn, since) if staff else ())]
    return account.price_per_part * sum(account.segments(text).parts for text in texts)
