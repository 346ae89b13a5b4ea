"""A promise that was replaced by another, or whose reason is gone, is neither kept nor broken."""

import sqlalchemy as sa
from alembic import op

from bot.store.base import Utc

revision = "0005_promises_released"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("promises", sa.Column("released_at", Utc(), nullable=True))


def downgrade() -> None:
    """Nothing leads back: restore the backup that was made before."""
