"""All tables, imported once, so that `metadata` is whole for migrations and tests."""

from bot.store import (
    affairs,
    alarm_sends,
    alarms,
    complaints,
    conversations,
    events,
    jobs,
    learning,
    media,
    messages,
    numbers,
    outbox,
    places,
    residents,
    roster,
    staff,
    work_orders,
)
from bot.store.base import metadata

__all__ = [
    "affairs",
    "alarm_sends",
    "alarms",
    "complaints",
    "conversations",
    "events",
    "jobs",
    "learning",
    "media",
    "messages",
    "metadata",
    "numbers",
    "outbox",
    "places",
    "residents",
    "roster",
    "staff",
    "work_orders",
]
