"""Numbers told to people: WX20261122-0001. One counter a kind and day for the whole installation; gaps allowed,
repeats never."""

from datetime import date

import sqlalchemy as sa

from bot.store.base import add_up, metadata

counters = sa.Table(
    "counters",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
)

KINDS = ("WX", "TS", "RC", "JY", "JF", "SQ", "GG", "SJ")


def count(conn: sa.Connection, kind: str, day: date, more: int) -> int:
    """How many of a kind there are on a day of the installation's time zone, with these."""
    return add_up(conn, counters, {"kind": kind, "day": day, "value": more}, ("kind", "day"), "value")


def draw(conn: sa.Connection, kind: str, day: date, wanted: int) -> list[str]:
    """The next `wanted` numbers of a kind on a day of the installation's time zone."""
    last = count(conn, kind, day, wanted)
    return [f"{kind}{day:%Y%m%d}-{value:04d}" for value in range(last - wanted + 1, last + 1)]
