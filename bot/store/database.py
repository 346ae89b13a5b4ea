"""One door to both databases: `Database.write` and `Database.read` run a plain function in a transaction of its own.

SQLite: every write of the process passes one thread with a synchronous connection, urgent ones first; reads go
through the async engine,
which is opened read-only. PostgreSQL: both run under `AsyncConnection.run_sync`; a deadlock or serialization failure
reruns the function.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.errors import SettingsError, StoreError
from bot.store.writer import Lane, Priority, SqliteWriter

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

RERUNS = 3
CONNECT_WITHIN_S = 5.0
LISTEN_AGAIN_S = 1.0
RERUN_STATES = ("40001", "40P01")
"""SQLSTATE of a serialization failure and of a deadlock."""

PASSING_STATES = (*RERUN_STATES, "55P03", "57014")
"""Also a lock that was not to be had in time, and a statement that was called off."""

JSON_CODEC: dict[str, Any] = {
    "json_serializer": lambda value: msgspec.json.encode(value).decode(),
    "json_deserializer": msgspec.json.decode,
    "hide_parameters": True,
}


class _Writer(Protocol):
    async def write(self, f: Callable[[sa.Connection], T], priority: Priority) -> T: ...

    async def close(self) -> None: ...


class Database:
    """A database and the two ways to use it. Made by `Database.open`."""

    def __init__(self, engine: AsyncEngine, writer: _Writer) -> None:
        self.engine = engine
        self._writer = writer
        self._listeners: list[Callable[[], None]] = []

    @classmethod
    def open(cls, url: str) -> "Database":
        """Open by SQLAlchemy address: `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`. Raises `SettingsError`."""
        address = sa.make_url(url)
        if address.drivername == "sqlite+aiosqlite":
            return cls(_read_only_engine(address), SqliteWriter(str(address.database), JSON_CODEC))
        if address.drivername == "postgresql+asyncpg":
            engine = _postgres_engine(address)
            return cls(engine, _PostgresWriter(engine))
        raise SettingsError(
            f"FRONTDESK_DATABASE_URL starts with {address.drivername!r}; use sqlite+aiosqlite:///<file> or postgresql+asyncpg://…"
        )

    @property
    def embedded(self) -> bool:
        return isinstance(self._writer, SqliteWriter)

    async def write(self, f: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `f(conn, …)` in one transaction and commit it; nothing of it stays when it raises."""
        return await self._writer.write(lambda conn: f(conn, *args, **kwargs), Lane.USUAL)

    async def write_urgent(self, f: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `write`, ahead of the usual ones where they queue."""
        return await self._writer.write(lambda conn: f(conn, *args, **kwargs), Lane.URGENT)

    async def read(self, f: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `f(conn, …)` over one consistent view, read-only."""
        async with self.engine.connect() as conn:
            return await conn.run_sync(lambda sync: f(sync, *args, **kwargs))

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` in the event loop whenever some process has committed something that others wait for."""
        self._listeners.append(listener)

    def announce(self) -> None:
        """Tell this process's listeners; other processes hear by NOTIFY (`listening`)."""
        for listener in self._listeners:
            listener()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """While inside, changes of other processes reach the listeners (PostgreSQL; on SQLite there are none)."""
        if self.embedded:
            yield
            return
        ready = asyncio.Event()
        task = asyncio.create_task(self._listen(ready), name="listen")
        try:
            await ready.wait()
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _listen(self, ready: asyncio.Event) -> None:
        """Hear of changes, for ever: a connection that drops is replaced, and whatever was missed is looked for."""
        while True:
            try:
                await self._listen_once(ready)
            except (
                OSError,
                TimeoutError,
                sa.exc.SQLAlchemyError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
            ) as error:
                log.warning("changes of other processes are not heard: %s", type(error).__name__)
            ready.set()
            await asyncio.sleep(LISTEN_AGAIN_S)

    async def _listen_once(self, ready: asyncio.Event) -> None:
        lost = asyncio.Event()
        async with self.engine.connect() as conn:
            raw = (await conn.get_raw_connection()).driver_connection
            assert raw is not None
            raw.add_termination_listener(lambda *_: lost.set())
            await raw.add_listener(CHANNEL, lambda *_: self.announce())
            try:
                self.announce()
                ready.set()
                await lost.wait()
            finally:
                # Not given back to the pool: whoever got it would be woken for nothing, or find it dead.
                await conn.invalidate()

    async def close(self) -> None:
        await self._writer.close()
        await self.engine.dispose()


CHANNEL = "frontdesk"


def is_away(error: Exception) -> bool:
    """The database cannot be reached, or takes nothing from anybody."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)
    return isinstance(error, OSError | TimeoutError | StoreError | sa.exc.TimeoutError | asyncpg.PostgresError)


def is_passing(error: Exception) -> bool:
    """The same work may succeed later: the database is away, or somebody else was in the way."""
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return is_away(error) or state in PASSING_STATES


def notify(conn: sa.Connection) -> None:
    """Wake the other processes when this transaction commits. One a transaction is enough; nothing to do on SQLite."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))


class _PostgresWriter:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def write(self, f: Callable[[sa.Connection], T], priority: Priority) -> T:
        del priority
        for attempt in range(RERUNS + 1):
            try:
                async with self._engine.begin() as conn:
                    return await conn.run_sync(f)
            except DBAPIError as error:
                if attempt == RERUNS or getattr(error.orig, "sqlstate", None) not in RERUN_STATES:
                    raise
                log.warning("transaction rerun after %s", getattr(error.orig, "sqlstate", None))
                await asyncio.sleep(0)
        raise AssertionError("the last attempt returns or raises")

    async def close(self) -> None:
        """The engine is closed by its owner."""


def _postgres_engine(address: sa.URL) -> AsyncEngine:
    settings = {"lock_timeout": "2s", "idle_in_transaction_session_timeout": "30s", "timezone": "UTC"}
    return create_async_engine(
        address,
        pool_size=8,
        max_overflow=8,
        pool_pre_ping=True,
        connect_args={"server_settings": settings, "timeout": CONNECT_WITHIN_S},
        **JSON_CODEC,
    )


def _read_only_engine(address: sa.URL) -> AsyncEngine:
    engine = create_async_engine(address, **JSON_CODEC)

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _read_only(connection: Any, record: Any) -> None:
        del record
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 5000")
        cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    return engine
