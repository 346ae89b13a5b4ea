"""Repair work orders (WX)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import (
    Json,
    Row,
    among,
    community_column,
    id_column,
    mappings,
    metadata,
    one,
    part_index,
    reference,
    when,
    words,
)
from bot.store.places import buildings, homes
from bot.store.residents import residents
from bot.store.staff import staff

work_orders = sa.Table(
    "work_orders",
    metadata,
    id_column(),
    community_column(),
    sa.Column("number", sa.Text, nullable=False, unique=True),
    reference("conversation_id", "conversations.id", nullable=False),
    reference("resident_id", "residents.id", nullable=False, index=True),
    reference("identity_id", "identities.id"),
    sa.Column("source", sa.Text, nullable=False),
    reference("home_id", "homes.id", index=True),
    reference("place_id", "public_places.id"),
    sa.Column("where", Json),
    sa.Column("verified", sa.Boolean, nullable=False, default=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("urgency", sa.Text, nullable=False),
    words("fault"),
    words("words"),
    words("contact_name"),
    words("contact_phone"),
    sa.Column("wish", Json),
    sa.Column("state", sa.Text, nullable=False),
    reference("assignee_id", "staff.id", index=True),
    when("slot_start"),
    when("slot_end"),
    when("contact_by"),
    when("done_by"),
    when("accepted_at"),
    when("on_site_at"),
    when("done_at"),
    words("work_done"),
    words("fee"),
    words("cause"),
    words("responsible_party"),
    words("outcome"),
    when("asked_at"),
    sa.Column("answer", sa.Text),
    words("answer_words"),
    sa.Column("score", sa.Integer),
    sa.Column("reworks", sa.Integer, nullable=False, default=0),
    sa.Column("urges", sa.Integer, nullable=False, default=0),
    when("urged_at"),
    when("created_at", nullable=False),
    when("updated_at", nullable=False),
    when("closed_at"),
    sa.Index("ix_work_orders_conversation_id_id", "conversation_id", "id"),
    part_index("ix_work_orders_open", "state", "id", where="closed_at IS NULL"),
)  # fmt: skip

_SHOWN = (
    work_orders,
    residents.c.name.label("resident_name"),
    residents.c.title.label("resident_title"),
    staff.c.name.label("assignee_name"),
    buildings.c.name.label("building"),
    homes.c.unit.label("unit"),
    homes.c.room.label("room"),
)


def _listed() -> sa.Select[tuple[object, ...]]:
    joined = (
        work_orders.join(residents, residents.c.id == work_orders.c.resident_id)
        .outerjoin(staff, staff.c.id == work_orders.c.assignee_id)
        .outerjoin(homes, homes.c.id == work_orders.c.home_id)
        .outerjoin(buildings, buildings.c.id == homes.c.building_id)
    )
    return sa.select(*_SHOWN).select_from(joined)


_RECENT = (
    sa.select(work_orders)
    .where(among(work_orders.c.conversation_id, "conversations"))
    .where(sa.or_(work_orders.c.closed_at.is_(None), work_orders.c.closed_at > sa.bindparam("since")))
    .order_by(work_orders.c.id)
)


def recent_of(conn: sa.Connection, conversation_ids: Sequence[UUID], since: datetime) -> dict[UUID, list[Row]]:
    """Orders of each conversation that are open or were closed after `since`, oldest first."""
    if not conversation_ids:
        return {}
    found: dict[UUID, list[Row]] = {}
    for row in mappings(conn, _RECENT, conversations=conversation_ids, since=since):
        found.setdefault(row["conversation_id"], []).append(row)
    return found


def open_loads(conn: sa.Connection, staff_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many open orders each of these people has."""
    statement = (
        sa.select(work_orders.c.assignee_id, sa.func.count())
        .where(work_orders.c.assignee_id.in_(staff_ids), work_orders.c.closed_at.is_(None))
        .group_by(work_orders.c.assignee_id)
    )
    return {row[0]: row[1] for row in conn.execute(statement)}


def listed(
    conn: sa.Connection,
    communities: Sequence[UUID] | None,
    *,
    closed: bool,
    assignee: UUID | None = None,
    state: str = "",
    urgency: str = "",
    limit: int = 200,
) -> list[Row]:
    """For the list page: the newest first, open or closed, of these communities (None: of all)."""
    statement = _listed().where(work_orders.c.closed_at.is_not(None) if closed else work_orders.c.closed_at.is_(None))
    if communities is not None:
        statement = statement.where(work_orders.c.community_id.in_(communities))
    if assignee is not None:
        statement = statement.where(work_orders.c.assignee_id == assignee)
    if state:
        statement = statement.where(work_orders.c.state == state)
    if urgency:
        statement = statement.where(work_orders.c.urgency == urgency)
    return mappings(conn, statement.order_by(work_orders.c.id.desc()).limit(limit))


def get(conn: sa.Connection, order_id: UUID) -> Row | None:
    return one(conn, _listed().where(work_orders.c.id == order_id))


def get_many(conn: sa.Connection, ids: Sequence[UUID]) -> list[Row]:
    return (
        mappings(conn, sa.select(work_orders).where(work_orders.c.id.in_(ids)).order_by(work_orders.c.id))
        if ids
        else []
    )


def unask(conn: sa.Connection, case_kind: str | None, case_id: UUID | None) -> None:
    """The question of this order was not sent after all."""
    if case_kind == "work_order":
        conn.execute(sa.update(work_orders).where(work_orders.c.id == case_id).values(asked_at=None))


_OF_HOMES = (
    sa.select(work_orders)
    .where(among(work_orders.c.home_id, "homes"), work_orders.c.closed_at.is_(None))
    .where(work_orders.c.resident_id != sa.bindparam("but", type_=sa.Uuid))
    .order_by(work_orders.c.id)
)


def open_of_homes(conn: sa.Connection, home_ids: Sequence[UUID], but: UUID) -> list[Row]:
    """Open orders of these homes that somebody else than the resident `but` has reported."""
    return mappings(conn, _OF_HOMES, homes=home_ids, but=but)
