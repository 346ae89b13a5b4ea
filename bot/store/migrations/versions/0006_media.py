"""Files that residents sent: fetched from the provider, kept, and shown to staff."""

import sqlalchemy as sa
from alembic import op

from bot.store.base import Utc

revision = "0006_media"
down_revision = "0005_promises_released"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "media",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("channel", "account", "media_id", "kind", "state")),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("path", "content_type")),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_media_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.UniqueConstraint("message_id", "position", name=op.f("uq_media_message_id_position")),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index("ix_media_waiting", "media", ["due_at", "id"], sqlite_where=waiting, postgresql_where=waiting)


def downgrade() -> None:
    """Nothing leads back: restore the backup that was made before."""
