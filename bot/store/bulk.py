"""Writing many rows at the driver's own speed.

SQLAlchemy compiles each statement once and tells how a value is bound; handing the rows over is then the driver's
`executemany`, which costs a third of Core's. `executemany` of `sqlite3` drops the rows of RETURNING without an error:
what has to hear which rows went in writes several rows with one statement instead (`insert_returning`).
"""

import functools
import itertools
import operator
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]


class _Plan(NamedTuple):
    text: str
    values: Callable[[Row], tuple[Any, ...]]
    """Those of one row, in the order of the statement."""
    binds: tuple[tuple[int, Callable[[Any], Any]], ...]
    """Which of the values the driver does not take as they are."""
    defaults: Row


def insert_many(conn: sa.Connection, table: sa.Table, rows: Sequence[Row], *, once: bool = False) -> None:
    """Insert rows. A column that a row does not name gets its default, or NULL.

    `once`: a row that meets a unique key is left out.
    """
    if rows:
        plan = _kept(conn, (table.name, "insert", once), lambda: _insert_plan(conn.dialect, table, once=once))
        conn.exec_driver_sql(plan.text, [_bound(plan, row) for row in rows])


def insert_returning(conn: sa.Connection, table: sa.Table, rows: Sequence[Row], key: str) -> set[Any]:
    """Insert the rows that meet no unique key; the values of `key` of those that went in.

    In statements of 1, 2, 4, ... rows, so that few texts serve every number of rows.
    """
    fresh: set[Any] = set()
    start = 0
    while start < len(rows):
        size = min(MOST_AT_ONCE, 1 << ((len(rows) - start).bit_length() - 1))
        fresh |= _insert_chunk(conn, table, rows[start : start + size], key)
        start += size
    return fresh


MOST_AT_ONCE = 64


def _insert_chunk(conn: sa.Connection, table: sa.Table, rows: Sequence[Row], key: str) -> set[Any]:
    plan = _kept(conn, (table.name, key, len(rows)), lambda: _returning_plan(conn.dialect, table, len(rows), key))
    bound = [_bound(plan, row) for row in rows]
    found = conn.exec_driver_sql(plan.text, tuple(itertools.chain.from_iterable(bound))).scalars().all()
    at = table.columns.keys().index(key)
    meant = {values[at]: row[key] for values, row in zip(bound, rows, strict=True)}
    return {meant[value] for value in found}


def update_many(conn: sa.Connection, table: sa.Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Set these columns of the rows with these ids; each row names `id` and all the columns."""
    if rows:
        plan = _kept(conn, (table.name, "update", columns), lambda: _update_plan(conn.dialect, table, columns))
        conn.exec_driver_sql(plan.text, [_bound(plan, row) for row in rows])


def _bound(plan: _Plan, row: Row) -> tuple[Any, ...]:
    values = list(plan.values({**plan.defaults, **row}))
    for index, bind in plan.binds:
        if values[index] is not None:
            values[index] = bind(values[index])
    return tuple(values)


_plans: dict[tuple[Hashable, ...], _Plan] = {}


def _kept(conn: sa.Connection, key: tuple[Hashable, ...], make: Callable[[], _Plan]) -> _Plan:
    whole_key = conn.dialect.name, *key
    return _plans.get(whole_key) or _plans.setdefault(whole_key, make())


def _insert_plan(dialect: sa.Dialect, table: sa.Table, *, once: bool) -> _Plan:
    statement = _insert(dialect, table).values({column.name: _parameter(column) for column in table.columns})
    return _plan(dialect, table, list(table.columns), statement.on_conflict_do_nothing() if once else statement)


def _returning_plan(dialect: sa.Dialect, table: sa.Table, size: int, key: str) -> _Plan:
    rows = [{column.name: _parameter(column, str(n)) for column in table.columns} for n in range(size)]
    statement = _insert(dialect, table).values(rows).on_conflict_do_nothing().returning(table.c[key])
    return _plan(dialect, table, list(table.columns), statement)


def _update_plan(dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...]) -> _Plan:
    values = {name: _parameter(table.c[name]) for name in columns}
    statement = sa.update(table).where(table.c.id == _parameter(table.c.id)).values(values)
    return _plan(dialect, table, [*(table.c[name] for name in columns), table.c.id], statement)


_DIALECTS = {"postgresql": postgresql, "sqlite": sqlite}


def _insert(dialect: sa.Dialect, table: sa.Table) -> Any:
    return _DIALECTS[dialect.name].insert(table)


def _parameter(column: sa.Column[Any], row: str = "") -> sa.BindParameter[Any]:
    return sa.bindparam(f"to_{column.name}_{row}", type_=column.type)


def _plan(dialect: sa.Dialect, table: sa.Table, columns: Sequence[sa.Column[Any]], statement: Any) -> _Plan:
    compiled = statement.compile(dialect=dialect)
    names = [column.name for column in columns]
    in_order = [name.removeprefix("to_").rpartition("_")[0] for name in compiled.positiontup]
    ordered = in_order[: len(names)]
    assert sorted(ordered) == sorted(names), f"{table.name}: {in_order} against {names}"
    assert in_order == ordered * (len(in_order) // len(names)), f"{table.name}: the rows are not in one order"
    binders = [_binder(table.c[name].type, dialect) for name in ordered]
    return _Plan(
        str(compiled),
        operator.itemgetter(*ordered),
        tuple((index, bind) for index, bind in enumerate(binders) if bind is not None),
        _defaults(table) if isinstance(statement, sa.Insert) else {},
    )


@functools.cache
def _defaults(table: sa.Table) -> Row:
    return {column.name: _default(column) for column in table.columns}


def _binder(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    if isinstance(kind, sa.Uuid) and dialect.name == "sqlite":
        return operator.attrgetter("hex")  # what SQLAlchemy does, without its layers: ids are most of what is bound
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _default(column: sa.Column[Any]) -> Any:
    default = column.default
    return default.arg if isinstance(default, sa.ColumnDefault) and default.is_scalar else None
