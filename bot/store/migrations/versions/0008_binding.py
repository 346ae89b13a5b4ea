"""Binding: tries, codes, scenes, and bindings that wait for a person."""

revision = "0008_binding"
down_revision = "0007_delivery"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled in by the work that needs it."""


def downgrade() -> None:
    """Nothing leads back: restore the backup that was made before."""
