"""The rows of the demonstration, collected by table and entered in the order in which tables point at each other."""

import sqlalchemy as sa

from bot.store import schema
from bot.store.base import Row, insert


class Book:
    """Rows by table."""

    def __init__(self) -> None:
        self._rows: dict[sa.Table, list[Row]] = {}

    def enter(self, table: sa.Table, *rows: Row) -> None:
        self._rows.setdefault(table, []).extend(rows)

    def write(self, conn: sa.Connection) -> None:
        """One statement a table."""
        for table in schema.metadata.sorted_tables:
            insert(conn, table, self._rows.get(table, []))
