"""Demonstration data: two invented communities, who lives and works there, a desk in the middle of its day."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.demo import crew, folk, stories, town
from bot.demo.book import Book
from bot.demo.crew import PASSWORD, SignIn, sign_ins
from bot.demo.folk import people
from bot.demo.times import Times
from bot.store import places

__all__ = ["PASSWORD", "SignIn", "load", "people", "sign_ins"]

SHANGHAI = ZoneInfo("Asia/Shanghai")


def load(
    conn: sa.Connection, now: datetime, *, account: tuple[str, str] = ("wechat", "demo"), zone: ZoneInfo = SHANGHAI
) -> bool:
    """Load everything into an empty database; whether it was empty. `account` serves both communities."""
    if places.all_communities(conn):
        return False
    book, since = Book(), now - timedelta(days=200)
    where = town.build(book)
    who = crew.hire(book, where, since)
    neighbours = folk.move_in(book, where, account, since)
    stories.tell(conn, stories.Scene(book, Times(now, zone), where, who, neighbours))
    book.write(conn)
    return True
