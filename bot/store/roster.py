"""Who works when: lines of the roster, in local times of the community."""

import sqlalchemy as sa

from bot.store.base import Row, id_column, mappings, metadata, reference
from bot.store.staff import staff

roster = sa.Table(
    "roster",
    metadata,
    id_column(),
    reference("community_id", "communities.id", nullable=False, index=True),
    reference("staff_id", "staff.id", nullable=False, index=True),
    sa.Column("duty", sa.Text, nullable=False),
    sa.Column("shift", sa.Text, nullable=False, default=""),
    sa.Column("weekdays", sa.Text, nullable=False, default="1234567"),
    sa.Column("starts", sa.Time, nullable=False),
    sa.Column("ends", sa.Time, nullable=False),
    sa.Column("valid_from", sa.Date),
    sa.Column("valid_until", sa.Date),
    comment="A line that ends at or before its start runs past midnight.",
)

DUTIES = ("desk", "technician", "control_room", "duty_manager", "site_manager", "supervisor")


def all_lines(conn: sa.Connection) -> list[Row]:
    """All lines of active people, with their names."""
    return mappings(
        conn,
        sa.select(roster, staff.c.name, staff.c.phone)
        .join(staff, staff.c.id == roster.c.staff_id)
        .where(staff.c.active),
    )
