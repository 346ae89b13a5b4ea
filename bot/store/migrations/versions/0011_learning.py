"""What staff corrected, and the models made from it."""

revision = "0011_learning"
down_revision = "0010_knowledge"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled in by the work that needs it."""


def downgrade() -> None:
    """Nothing leads back: restore the backup that was made before."""
