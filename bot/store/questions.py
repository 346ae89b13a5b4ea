"""Questions that nobody here could answer: kept, without personal data, and grouped by what they ask."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.store import jobs
from bot.store.base import (
    Row,
    among,
    community_column,
    id_column,
    insert,
    mappings,
    metadata,
    new_id,
    one,
    part_index,
    reference,
    when,
    words,
)
from bot.store.records import Job

WHY = ("unknown", "none_of_them", "not_helpful")
"""No article was found; none of those that were offered was meant; the answer did not help."""
GROUP_STATES = ("open", "drafted", "answered", "dismissed")

groups = sa.Table(
    "question_groups",
    metadata,
    id_column(),
    community_column(),
    words("title"),
    sa.Column("state", sa.Text, nullable=False, default="open"),
    when("created_at", nullable=False),
    when("updated_at", nullable=False),
    reference("ended_by", "staff.id"),
    sa.Index("ix_question_groups_community_id_state", "community_id", "state"),
    comment="Questions that ask the same; `title` is the commonest wording.",
)

questions = sa.Table(
    "questions",
    metadata,
    id_column(),
    community_column(),
    reference("conversation_id", "conversations.id", nullable=False, index=True),
    reference("group_id", "question_groups.id", index=True),
    words("text"),
    words("language"),
    sa.Column("why", sa.Text, nullable=False),
    reference("affair_id", "affairs.id"),
    when("asked_at", nullable=False),
    when("offered_at"),
    sa.Index("ix_questions_community_id_asked_at", "community_id", "asked_at"),
    part_index("ix_questions_new", "asked_at", where="group_id IS NULL"),
)

_NEW = (
    sa.select(questions)
    .where(questions.c.group_id.is_(None))
    .order_by(questions.c.asked_at)
    .limit(sa.bindparam("most"))
)


def ungrouped(conn: sa.Connection, most: int) -> list[Row]:
    """Questions that belong to no group yet, the oldest first."""
    return mappings(conn, _NEW, most=most)


_KNOWN = (
    sa.select(questions.c.group_id, questions.c.text)
    .where(questions.c.community_id == sa.bindparam("community"), questions.c.group_id.is_not(None))
    .order_by(questions.c.asked_at.desc())
    .limit(sa.bindparam("most"))
)


def known(conn: sa.Connection, community_id: UUID, most: int) -> list[Row]:
    """Texts of a community that belong to a group, the latest first."""
    return mappings(conn, _KNOWN, community=community_id, most=most)


def open_group(conn: sa.Connection, row: Row) -> None:
    insert(conn, groups, [row])


def put(conn: sa.Connection, group_id: UUID, ids: Sequence[UUID], now: datetime) -> None:
    """These questions belong to this group from now on. Its state stays: only a person opens it again."""
    conn.execute(sa.update(questions).where(questions.c.id.in_(sorted(ids))).values(group_id=group_id))
    conn.execute(sa.update(groups).where(groups.c.id == group_id).values(updated_at=now))


# -- what staff see ----------------------------------------------------------------------------------------------------


def _counted() -> sa.Select[Any]:
    count = sa.func.count(questions.c.id)
    at = questions.c.asked_at
    return (
        sa.select(
            groups,
            count.label("asked"),
            sa.func.count(sa.distinct(questions.c.conversation_id)).label("people"),
            sa.func.min(at, type_=at.type).label("first_at"),
            sa.func.max(at, type_=at.type).label("last_at"),
        )
        .join(questions, questions.c.group_id == groups.c.id)
        .group_by(groups.c.id)
        .order_by(count.desc(), sa.func.max(at).desc())
    )


def listed(
    conn: sa.Connection, communities: Collection[UUID] | None, states: Sequence[str], limit: int = 100
) -> list[Row]:
    """Groups with how often they were asked, by how many, and when first and last; the commonest first."""
    statement = _counted().where(groups.c.state.in_(states))
    if communities is not None:
        statement = statement.where(groups.c.community_id.in_(communities))
    return mappings(conn, statement.limit(limit))


def get(conn: sa.Connection, group_id: UUID) -> Row | None:
    return one(conn, sa.select(groups).where(groups.c.id == group_id))


_OF_GROUPS = sa.select(questions).where(among(questions.c.group_id, "groups")).order_by(questions.c.asked_at.desc())


def of_groups(conn: sa.Connection, group_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The questions of each group, the latest first."""
    found: dict[UUID, list[Row]] = {group_id: [] for group_id in group_ids}
    for row in mappings(conn, _OF_GROUPS, groups=list(group_ids)) if group_ids else ():
        found[row["group_id"]].append(row)
    return found


# -- what staff do -----------------------------------------------------------------------------------------------------


def get_question(conn: sa.Connection, question_id: UUID) -> Row | None:
    return one(conn, sa.select(questions).where(questions.c.id == question_id))


def set_state(conn: sa.Connection, group_id: UUID, state: str, staff_id: UUID | None, now: datetime) -> None:
    conn.execute(
        sa.update(groups).where(groups.c.id == group_id).values(state=state, ended_by=staff_id, updated_at=now)
    )


def merge(conn: sa.Connection, group_id: UUID, into: UUID, now: datetime) -> None:
    """All questions of one group belong to the other; the emptied one stays, unseen, for what points at it."""
    conn.execute(sa.update(questions).where(questions.c.group_id == group_id).values(group_id=into))
    conn.execute(sa.update(groups).where(groups.c.id == group_id).values(state="dismissed", updated_at=now))
    conn.execute(sa.update(groups).where(groups.c.id == into).values(updated_at=now))


def offer(
    conn: sa.Connection, group_id: UUID, kind: str, answers: Mapping[str, str], since: datetime, now: datetime
) -> int:
    """Everybody who asked since then, and whose question a person has still to answer, is to be told the answer: a
    timer of this kind for the last question of each. How many."""
    statement = (
        sa.select(questions)
        .where(questions.c.group_id == group_id, questions.c.asked_at >= since)
        .where(questions.c.offered_at.is_(None), questions.c.affair_id.is_not(None))
        .order_by(questions.c.asked_at)
    )
    last = {row["conversation_id"]: row for row in mappings(conn, statement)}
    jobs.schedule(conn, [_timer(row, kind, answers, now) for row in last.values()])
    return len(last)


def _timer(row: Row, kind: str, answers: Mapping[str, str], now: datetime) -> Row:
    told = {
        "affair": str(row["affair_id"]), "question": row["text"], "asked_at": row["asked_at"].isoformat(),
        "answers": dict(answers),
    }  # fmt: skip
    return Job(
        id=new_id(), community_id=row["community_id"], conversation_id=row["conversation_id"], kind=kind,
        ref=row["id"], payload=told, due_at=now, created_at=now, dedupe_key=f"{kind}:{row['id']}",
    ).row()  # fmt: skip


def stop_offers(conn: sa.Connection, group_id: UUID, kind: str, now: datetime) -> None:
    """The article was withdrawn: whoever has not been told yet is not."""
    ids = list(conn.execute(sa.select(questions.c.id).where(questions.c.group_id == group_id)).scalars())
    jobs.cancel(conn, ids, [kind], now)


def new_question(community_id: UUID, text: str, language: str, why: str, now: datetime, **columns: Any) -> Row:
    """The row of a question; `columns`: id, conversation_id, affair_id."""
    return {
        "community_id": community_id, "group_id": None, "text": text, "language": language, "why": why,
        "asked_at": now, "offered_at": None, **columns,
    }  # fmt: skip
