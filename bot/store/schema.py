"""All tables, imported once, so that `metadata` is whole for migrations and tests."""

from bot.store import (
    affairs,
    alarms,
    bindings,
    complaints,
    conversations,
    events,
    jobs,
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
    "affairs", "alarms", "bindings", "complaints", "conversations", "events", "jobs", "media", "messages", "metadata",
    "numbers", "outbox", "places", "residents", "roster", "staff", "work_orders",
]  # fmt: skip
