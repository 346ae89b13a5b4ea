"""Before a tenancy ends the steward is asked whether it goes on; at its end the binding sleeps by itself."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.settings import Settings
from bot.store import alarms, residents
from bot.store.base import Row, new_id


def check(conn: sa.Connection, settings: Settings, now: datetime) -> int:
    """A call task for each tenancy that ends within the days of the settings, once; how many are new."""
    today = now.astimezone(settings.zone).date()
    last = today + timedelta(days=settings.desk.tenancy_warning_days)
    return sum(alarms.add_task(conn, _task(row, now)) for row in residents.tenancies_ending(conn, today, last))


def _task(row: Row, now: datetime) -> Row:
    home = "-".join(part for part in (row["building"], row["unit"], row["room"]) if part)
    return {
        "id": new_id(), "community_id": row["community_id"], "conversation_id": row["conversation_id"],
        "resident_id": row["resident_id"], "kind": "tenancy", "phone": row["phone"],
        "text": f"{home} {row['until']:%Y-%m-%d}", "due_at": now + timedelta(days=1), "created_at": now,
        "dedupe_key": f"tenancy:{row['id']}:{row['until']}",
    }  # fmt: skip
