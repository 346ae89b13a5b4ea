"""Where an alarm went outside the console, and links that acknowledge it."""

revision = "0009_alarm_ways"
down_revision = "0008_binding"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled in by the work that needs it."""


def downgrade() -> None:
    """Nothing leads back: restore the backup that was made before."""
