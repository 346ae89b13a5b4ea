"""The one writer lane of SQLite: a thread with a synchronous connection, because the async way costs forty times as
much.

A checkpoint of the write-ahead log runs on a connection of its own, so that no turn pays for it.
"""

import asyncio
import contextlib
import enum
import fcntl
import itertools
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

import sqlalchemy as sa

from bot.errors import StoreError

T = TypeVar("T")
Priority = int
Task = tuple[Priority, int, Callable[[sa.Connection], Any] | None, Callable[[Any, BaseException | None], None]]

log = logging.getLogger(__name__)

CHECKPOINT_EVERY_S = 1.0
"""After a commit, the write-ahead log is folded into the database this often at most."""


class Lane(enum.IntEnum):
    """Which writes go first where several wait."""

    URGENT = 0
    USUAL = 1
    STOP = 2


def sqlite_engine(path: str, codec: dict[str, Any]) -> sa.Engine:
    """A synchronous engine that writes: WAL, every commit on disk, foreign keys held."""
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=sa.pool.NullPool, **codec)

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        del record
        connection.isolation_level = None  # BEGIN is ours: see below
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "busy_timeout = 5000",
            "cache_size = -65536",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(conn: sa.Connection) -> None:
        # A transaction that reads first and writes later would fail at once beside another writer; this one waits at
        # its start.
        conn.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


class SqliteWriter:
    """Runs functions one after the other, each in its own transaction, on its own thread."""

    def __init__(self, path: str, codec: dict[str, Any]) -> None:
        self.path = path
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._engine = sqlite_engine(path, codec)
        self._tasks: queue.PriorityQueue[Task] = queue.PriorityQueue()
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._dirty = threading.Event()
        self._stopped = threading.Event()
        self._folder: threading.Thread | None = None
        self._closing = False

    async def write(self, f: Callable[[sa.Connection], T], priority: Priority) -> T:
        if self._closing:
            raise StoreError("the database is being closed")
        if self._thread is None:
            self._start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is gone, and with it who waits; the thread goes on
                loop.call_soon_threadsafe(_settle, future, result, error)

        self._tasks.put((priority, next(self._order), f, settle))
        return await asyncio.shield(future)

    async def close(self) -> None:
        """Finish what was handed in, then stop."""
        self._closing = True
        if self._thread is not None:
            self._tasks.put((Lane.STOP, next(self._order), None, lambda *_: None))
            self._stopped.set()
            await asyncio.to_thread(self._join)
        self._engine.dispose()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()
        self._folder = threading.Thread(target=self._fold_log, name="sqlite-checkpoint", daemon=True)
        self._folder.start()

    def _join(self) -> None:
        for thread in (self._thread, self._folder):
            if thread is not None:
                thread.join()
        self._thread = self._folder = None

    def _run(self) -> None:
        conn: sa.Connection | None = None
        while True:
            _, _, f, settle = self._tasks.get()
            if f is None:
                break
            try:
                conn = conn or self._writing_connection()
                with conn.begin():
                    result = f(conn)
            except BaseException as error:
                settle(None, error)
            else:
                settle(result, None)
                self._dirty.set()
        if conn is not None:
            conn.exec_driver_sql("PRAGMA optimize")
            conn.close()

    def _writing_connection(self) -> sa.Connection:
        conn = self._engine.connect()
        driver = conn.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA wal_autocheckpoint = 0")
        return conn

    def _fold_log(self) -> None:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            driver = conn.connection.driver_connection
            assert driver is not None
            while not self._stopped.wait(CHECKPOINT_EVERY_S):
                if self._dirty.is_set():
                    self._dirty.clear()
                    _fold(driver)


def _fold(driver: Any) -> None:
    """A checkpoint that fails (disk full, file locked) is tried again after the next commit."""
    try:
        driver.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except sqlite3.Error as error:
        log.warning("the write-ahead log could not be folded in: %s", type(error).__name__)


def _settle(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


class FileLock:
    """Keeps a second service off the same embedded database."""

    def __init__(self, database: str) -> None:
        self._path = Path(f"{database}.lock")
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock or raise `StoreError`. It falls with the process, however that ends."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            self._file = None
            raise StoreError(
                f"another Frontdesk already runs on {self._path.with_suffix('')}: stop it first, "
                "or give this one its own FRONTDESK_DATA_DIR"
            ) from None

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
