"""Where an alarm went outside the console, and links that acknowledge it."""

import sqlalchemy as sa
from alembic import op

from bot.store.base import Utc

revision = "0009_alarm_ways"
down_revision = "0008_binding"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _announced()
    _alarm_sends()


def _announced() -> None:
    op.add_column("alarms", sa.Column("announced_at", Utc(), nullable=True))
    # Of what happened before nobody is called now.
    op.execute("UPDATE alarms SET announced_at = raised_at")
    for name, condition in (("unannounced", "announced_at IS NULL"), ("drills", "kind = 'drill'")):
        where = sa.text(condition)
        op.create_index(f"ix_alarms_{name}", "alarms", ["raised_at"], sqlite_where=where, postgresql_where=where)


def _alarm_sends() -> None:
    op.create_table(
        "alarm_sends",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("alarm_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("way", "target", "what")),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        *(sa.Column(name, Utc(), nullable=True) for name in ("sent_at", "settled_at", "link_used_at")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("text", "provider_id", "error")),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.id"], name=op.f("fk_alarm_sends_alarm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_sends")),
        sa.UniqueConstraint(
            "alarm_id", "way", "target", "what", "rung", name=op.f("uq_alarm_sends_alarm_id_way_target_what_rung")
        ),
        comment="`target`: name of the robot, or id of the person. `text`: as it was sent last, without its link.",
    )
    for status, column in (("queued", "due_at"), ("sending", "lease_until")):
        where = sa.text(f"status = '{status}'")
        name = f"ix_alarm_sends_{status}"
        op.create_index(name, "alarm_sends", [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Nothing leads back: restore the backup that was made before."""
