"""Articles of the company, questions without an answer, and what residents said of answers."""

revision = "0010_knowledge"
down_revision = "0009_alarm_ways"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled in by the work that needs it."""


def downgrade() -> None:
    """Nothing leads back: restore the backup that was made before."""
