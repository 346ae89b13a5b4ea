"""Writing many rows at the driver's own speed.

SQLAlchemy compiles each statement once and tells how a value is bound; handing the rows over is then the driver's
`executemany`, which costs
a third of Core's. Only for statements without RETURNING: executemany of `sqlite3` drops its rows without an error.
"""

import functools
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

Row = dict[str, Any]


class _Plan(NamedTuple):
    text: str
    values: Callable[[Row], tuple[Any, ...]]
    binds: tuple[tuple[int, Callable[[Any], Any]], ...]
    """Which of the values the driver does not take as they are."""
    defaults: Row


_plans: dict[tuple[str, str, tuple[str, ...]], _Plan] = {}


def insert_many(conn: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows. A column that a row does not name gets its default, or NULL."""
    if rows:
        key = conn.dialect.name, table.name, ()
        plan = _plans.get(key) or _plans.setdefault(key, _insert_plan(conn.dialect, table))
        _execute(conn, plan, rows)


def whole(table: sa.Table, row: Row) -> Row:
    """`row` with the default, or NULL, of every column that it does not name."""
    return {**_defaults(table), **row}


@functools.cache
def _defaults(table: sa.Table) -> Row:
    return {column.name: _default(column) for column in table.columns}


def update_many(conn: sa.Connection, table: sa.Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Set these columns of the rows with these ids; each row names `id` and all the columns."""
    if rows:
        key = conn.dialect.name, table.name, columns
        plan = _plans.get(key) or _plans.setdefault(key, _update_plan(conn.dialect, table, columns))
        _execute(conn, plan, rows)


def _execute(conn: sa.Connection, plan: _Plan, rows: Sequence[Row]) -> None:
    conn.exec_driver_sql(plan.text, [_bound(plan, row) for row in rows])


def _bound(plan: _Plan, row: Row) -> tuple[Any, ...]:
    values = list(plan.values({**plan.defaults, **row}))
    for index, bind in plan.binds:
        if values[index] is not None:
            values[index] = bind(values[index])
    return tuple(values)


def _insert_plan(dialect: sa.Dialect, table: sa.Table) -> _Plan:
    values = {column.name: sa.bindparam(column.name, type_=column.type) for column in table.columns}
    return _plan(dialect, table, sa.insert(table).values(**values))


def _update_plan(dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...]) -> _Plan:
    values = {name: sa.bindparam(f"to_{name}", type_=table.c[name].type) for name in columns}
    own = table.c.id == sa.bindparam("to_id", type_=table.c.id.type)
    return _plan(dialect, table, sa.update(table).where(own).values(**values))


def _plan(dialect: sa.Dialect, table: sa.Table, statement: sa.Insert | sa.Update) -> _Plan:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, sa.sql.compiler.SQLCompiler)
    columns = [table.c[name.removeprefix("to_")] for name in compiled.positiontup or ()]
    binders = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]
    return _Plan(
        str(compiled),
        itemgetter(*(column.name for column in columns)),
        tuple((index, bind) for index, bind in enumerate(binders) if bind is not None),
        _defaults(table) if isinstance(statement, sa.Insert) else {},
    )


def _default(column: sa.Column[Any]) -> Any:
    default = column.default
    return default.arg if isinstance(default, sa.ColumnDefault) and default.is_scalar else None
