"""What all tables share: metadata, column types, identifiers, and the few statements that both databases spell
differently."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal
from uuid_utils.compat import uuid7

from bot.store.bulk import insert_many, insert_returning, update_many

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

NOBODY = UUID(int=0)
"""Community 0: where rows of nobody yet known belong (design.md section 5)."""

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

Row = dict[str, Any]


class _Listed(sa.TypeDecorator[Sequence[Any]]):
    """Many values as one parameter: an array on PostgreSQL, JSON text on SQLite, so that a statement keeps one text
    whatever the batch."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, item: sa.types.TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        kind = postgresql.ARRAY(self.item) if dialect.name == "postgresql" else sa.Text()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Sequence[Any] | None, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return msgspec.json.encode([item.hex if isinstance(item, UUID) else item for item in value]).decode()


class among(sa.ColumnElement[bool]):  # noqa: N801 - reads as a clause, like `sa.and_`
    """`column` is one of the values given as parameter `name` at execution."""

    inherit_cache = True
    type = sa.Boolean()
    # SQLAlchemy's own name and type: how the cache key of a statement is made.
    _traverse_internals = [  # noqa: RUF012
        ("column", InternalTraversal.dp_clauseelement),
        ("values", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: sa.ColumnElement[Any], name: str) -> None:
        self.column = column
        self.values = sa.bindparam(name, type_=_Listed(column.type))

    def self_group(self, against: Any = None) -> "among":
        """A truth already: written as `… = 1`, as SQLAlchemy does where a database has no booleans, no index serves."""
        del against
        return self


@compiles(among)
def _among(element: among, compiler: Any, **kw: Any) -> str:
    column, values = compiler.process(element.column, **kw), compiler.process(element.values, **kw)
    if compiler.dialect.name == "postgresql":
        return f"{column} = ANY({values})"
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are compiled clauses


def fixed(column: sa.ColumnElement[str], *words: str) -> sa.ColumnElement[bool]:
    """`column` is one of these words, which stand in the statement itself: an index over part of a table serves only
    statements whose text shows that they ask for that part."""
    literals = [sa.literal_column(f"'{word}'", sa.Text) for word in words]
    return column == literals[0] if len(literals) == 1 else column.in_(literals)


class Utc(sa.TypeDecorator[datetime]):
    """An aware moment, kept in UTC. A naive one is refused: it would silently be somebody's local time."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | str | None:
        return None if value is None else _as_text(value) if dialect.name == "sqlite" else _as_utc(value)

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[datetime | None], Any]:
        """Written out because it runs for every moment of every row: the layers above cost more than the work."""
        convert = _as_text if dialect.name == "sqlite" else _as_utc
        return lambda value: None if value is None else convert(value)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        del coltype
        convert = _from_text if dialect.name == "sqlite" else _as_utc
        return lambda value: None if value is None else convert(value)


def _as_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without time zone cannot be stored")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


@functools.lru_cache(maxsize=256)
def _as_text(moment: datetime) -> str:
    """A batch writes few moments many times."""
    return _as_utc(moment).replace(tzinfo=None).isoformat(" ", "microseconds")


def _from_text(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def new_id() -> UUID:
    """A UUIDv7: later ones sort after earlier ones, within a process strictly."""
    return uuid7()


def id_at(moment: datetime) -> UUID:
    """An id that sorts as if it had been given at `moment`: for what is entered after it happened."""
    return uuid7(nanoseconds=int(moment.timestamp() * 1_000_000) * 1000)


def id_column() -> sa.Column[UUID]:
    return sa.Column("id", sa.Uuid, primary_key=True)


def community_column() -> sa.Column[UUID]:
    """Which community a row belongs to. In no key of law 1: a row may move from community 0 to a real one."""
    return sa.Column("community_id", sa.Uuid, nullable=False, default=NOBODY)


def when(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, Utc, nullable=nullable)


def reference(name: str, target: str, *, nullable: bool = True, index: bool = False) -> sa.Column[UUID]:
    return sa.Column(name, sa.Uuid, sa.ForeignKey(target), nullable=nullable, index=index)


def part_index(name: str, *columns: str, where: str, unique: bool = False) -> sa.Index:
    """An index over the rows of which `where` is true. Statements that it shall serve say so with `fixed`."""
    condition = sa.text(where)
    return sa.Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def words(name: str) -> sa.Column[str]:
    """Free text that is empty rather than missing."""
    return sa.Column(name, sa.Text, nullable=False, default="")


_DIALECTS: Mapping[str, Any] = {"postgresql": postgresql, "sqlite": sqlite}


def insert(conn: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert all rows in one statement; nothing where there are none."""
    insert_many(conn, table, rows)


def insert_once(conn: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert the rows that meet no unique key yet; whoever must know which those are asks `insert_new`."""
    insert_many(conn, table, rows, once=True)


def insert_new(conn: sa.Connection, table: sa.Table, rows: Sequence[Row], key: str = "id") -> set[Any]:
    """Insert the rows that meet no unique key yet; the values of `key` of those that went in (law 1: the database
    decides)."""
    return insert_returning(conn, table, rows, key)


def add_up(conn: sa.Connection, table: sa.Table, row: Row, keys: Sequence[str], column: str) -> int:
    """Add `row[column]` to the stored value, or store it; the new value."""
    return int(conn.execute(_add_up(conn.dialect.name, table, tuple(keys), column), row).scalar_one())


@functools.cache
def _add_up(dialect: str, table: sa.Table, keys: tuple[str, ...], column: str) -> Any:
    statement = _DIALECTS[dialect].insert(table)
    added = {column: table.c[column] + statement.excluded[column]}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=added).returning(table.c[column])


def update_by_id(conn: sa.Connection, table: sa.Table, changes: Mapping[UUID, Row]) -> None:
    """Change rows by id: one statement for all rows that change the same columns, in order of id (the lock order)."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row_id in sorted(changes):
        change = changes[row_id]
        if change:
            groups.setdefault(tuple(sorted(change)), []).append({"id": row_id, **change})
    for columns, rows in groups.items():
        update_many(conn, table, columns, rows)


def mappings(conn: sa.Connection, statement: sa.Select[Any], **values: Any) -> list[Row]:
    """The rows of a query as plain dictionaries."""
    result = conn.execute(statement, values)
    names = tuple(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result.all()]


def one(conn: sa.Connection, statement: sa.Select[Any]) -> Row | None:
    """The only row of a query, or None."""
    found = conn.execute(statement).mappings().one_or_none()
    return dict(found) if found is not None else None


def value(conn: sa.Connection, statement: sa.Select[Any]) -> Any:
    """The one value of a query of one row."""
    return conn.execute(statement).scalar_one()


def by_id(rows: Iterable[Row]) -> dict[UUID, Row]:
    return {row["id"]: row for row in rows}
