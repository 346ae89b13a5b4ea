"""What the planner of deliveries keeps: ways tried, texts joined, answers that wait."""

revision = "0007_delivery"
down_revision = "0006_media"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled in by the work that needs it."""


def downgrade() -> None:
    """Nothing leads back: restore the backup that was made before."""
