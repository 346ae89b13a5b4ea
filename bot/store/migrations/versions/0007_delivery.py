"""What the planner of deliveries keeps: ways tried, texts joined, answers that wait."""

import sqlalchemy as sa
from alembic import op

from bot.store.base import Json

revision = "0007_delivery"
down_revision = "0006_media"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("moment", sa.Text(), nullable=True),
        sa.Column("values", Json, nullable=True),
        sa.Column("joined_id", sa.Uuid(), nullable=True),
        sa.Column("part_of", sa.Uuid(), nullable=True),
    ):
        op.add_column("outbox", column)
    op.add_column("call_tasks", sa.Column("reason", sa.Text(), nullable=True))
    _part_index("ix_outbox_unasked", ["conversation_id", "sent_at"], "lane >= 2")
    _part_index("ix_outbox_joined_id", ["joined_id"], "joined_id IS NOT NULL")


def _part_index(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "outbox", columns, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    """Nothing leads back: restore the backup that was made before."""
