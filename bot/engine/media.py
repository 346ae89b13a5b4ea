"""Files that residents sent, fetched before the provider forgets them: leased rows, calls outside a transaction."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from bot.clock import Clock
from bot.errors import trace
from bot.store import media
from bot.store.base import Row, new_id
from bot.store.database import Database, notify
from channels.base import Channel, Downloads
from channels.errors import Later, Misconfigured, OutcomeUnknown, Rejected, SendError
from channels.media import ENDINGS, content_type, fits
from channels.messages import InboundMessage

log = logging.getLogger(__name__)

POLL: Final = timedelta(seconds=2)
PARALLEL: Final = 4
LEASE: Final = timedelta(seconds=60)
WITHIN_S: Final = 45.0
"""A download is given up before its lease ends."""
LARGEST: Final = 20 * 1024 * 1024
"""Bytes. WeChat lets nobody send more than 10 MB (新增临时素材)."""
FIRST_RETRY: Final = timedelta(seconds=10)
LONGEST_RETRY: Final = timedelta(hours=6)
FORGOTTEN_AFTER: Final = timedelta(days=3)
"""So long a provider keeps what was sent (获取临时素材)."""


def folder(data_dir: Path) -> Path:
    """Where files lie."""
    return data_dir / "media"


def expected(message: InboundMessage, message_id: UUID, community_id: UUID, now: datetime) -> list[Row]:
    """The rows of the files that a new message brings."""
    return [
        {
            "id": new_id(), "community_id": community_id, "message_id": message_id, "position": position,
            "channel": message.channel, "account": message.account, "media_id": item.media_id, "kind": item.kind,
            "due_at": now, "created_at": now,
        }
        for position, item in enumerate(message.attachments)
        if item.media_id
    ]  # fmt: skip


class MediaFetcher:
    """The fetcher of a process. Several processes may run one each: a lease keeps them off the same file."""

    def __init__(
        self, database: Database, channels: Mapping[tuple[str, str], Channel], clock: Clock, data_dir: Path
    ) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock
        self._folder = folder(data_dir)
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="media")

    async def close(self, within: float = 10.0) -> None:
        """Begin no more; what is still under way after `within` seconds is left to its lease."""
        self._stop.set()
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._task, within)

    async def _run(self) -> None:
        while not self._stop.is_set():
            try:
                more = await self.round() > 0
            except Exception as error:
                log.error("a round of downloads failed: %s", trace(error))  # noqa: TRY400 - without its words
                more = False
            if not more:
                await self._clock.wait(self._stop, self._clock.now() + POLL)

    async def round(self) -> int:
        """Fetch what is due, a few at a time; how many were tried."""
        now = self._clock.now()
        if not await self._database.read(media.any_due, now):
            return 0
        rows = await self._database.write(media.claim, now, PARALLEL, LEASE)
        await asyncio.gather(*(self._one(row) for row in rows))
        if rows:
            self._database.announce()
        return len(rows)

    async def _one(self, row: Row) -> None:
        """One file, with exactly one result. What goes wrong with it stops no other."""
        try:
            content = await self._download(row)
            named = _checked(row, content)
            path = await asyncio.to_thread(_keep, self._folder, row, content, ENDINGS[named])
        except SendError as error:
            await self._database.write(_write_error, row, error, self._clock.now())
        except OSError as error:
            log.error("a file could not be kept: %s", trace(error))  # noqa: TRY400 - without its words
            await self._database.write(_write_error, row, Later("not kept", 0), self._clock.now())
        else:
            kept = {"path": path, "content_type": named, "size": len(content)}
            await self._database.write(_write, row["id"], self._clock.now(), kept)

    async def _download(self, row: Row) -> bytes:
        channel = self._channels.get((row["channel"], row["account"]))
        if not isinstance(channel, Downloads):
            raise Misconfigured(f"no account {row['account']!r} of channel {row['channel']!r} is configured")
        try:
            async with asyncio.timeout(WITHIN_S):
                return await channel.download(row["media_id"], LARGEST)
        except TimeoutError:
            raise Later("no answer within the lease", 0) from None
        except SendError:
            raise
        except Exception as unforeseen:
            log.error("a channel raised what is not in its list of errors: %s", trace(unforeseen))  # noqa: TRY400
            raise Later(type(unforeseen).__name__, 0) from None


def _checked(row: Row, content: bytes) -> str:
    """The type of a file that is what its message says."""
    named = content_type(content)
    if not named or not fits(row["kind"], named):
        raise Rejected(f"no {row['kind']}: {named or 'unknown content'}")
    return named


def _keep(root: Path, row: Row, content: bytes, ending: str) -> str:
    """Write the file whole and durable before its row says that it is there; its path below `root`."""
    path = Path(f"{row['created_at']:%Y-%m}") / f"{row['id']}{ending}"
    target = root / path
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)
    return path.as_posix()


def _write(conn: sa.Connection, row_id: UUID, now: datetime, kept: Row) -> None:
    media.fetched(conn, row_id, now, **kept)
    notify(conn)


def _write_error(conn: sa.Connection, row: Row, error: SendError, now: datetime) -> None:
    """Tried again until the provider has forgotten it; then the thread says so (law 12)."""
    passing = isinstance(error, Later | OutcomeUnknown | Misconfigured)
    due_at = now + min(FIRST_RETRY * 4 ** min(row["attempts"] - 1, 8), LONGEST_RETRY)
    if passing and due_at < row["created_at"] + FORGOTTEN_AFTER:
        media.again(conn, row["id"], due_at, error.detail)
    else:
        media.failed(conn, row["id"], now, error.detail)
    notify(conn)
