"""Questions without an answer, put together with those that ask the same."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bot.settings import Settings
from bot.store import questions
from bot.store.base import Row, new_id
from knowledge_base.alike import Alike

AT_ONCE = 20
COMPARED = 400
"""Questions that a new one is compared with, the latest: a run stays far below the 50 ms of a write on SQLite."""


def group(conn: sa.Connection, settings: Settings, now: datetime) -> int:
    """Each new question joins the group of the likest one of its community, or begins one; how many there were."""
    del settings
    by_community: dict[UUID, list[Row]] = defaultdict(list)
    new = questions.ungrouped(conn, AT_ONCE)
    for row in new:
        by_community[row["community_id"]].append(row)
    for community_id, rows in by_community.items():
        _group(conn, community_id, rows, now)
    return len(new)


def _group(conn: sa.Connection, community_id: UUID, rows: list[Row], now: datetime) -> None:
    known = questions.known(conn, community_id, COMPARED)
    groups = [UUID(str(row["group_id"])) for row in known]
    alike = Alike(row["text"] for row in known)
    for row in rows:
        nearest = alike.nearest(row["text"])
        group_id = groups[nearest] if nearest is not None else _opened(conn, row, now)
        questions.put(conn, group_id, [row["id"]], now)
        groups.append(group_id)
        alike.add(row["text"])


def _opened(conn: sa.Connection, row: Row, now: datetime) -> UUID:
    group_id = new_id()
    begun = {"community_id": row["community_id"], "title": row["text"], "state": "open", "ended_by": None}
    questions.open_group(conn, {**begun, "id": group_id, "created_at": now, "updated_at": now})
    return group_id
