"""What staff corrected, and the models made from it."""

import sqlalchemy as sa
from alembic import op

from bot.store.base import Json, Utc

revision = "0011_learning"
down_revision = "0010_knowledge"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _corrections()
    _examples()
    _models()
    op.create_table(
        "learning_revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learning_revision")),
        comment="One row: grows with every change that a running process has to hear of.",
    )


def _corrections() -> None:
    op.create_table(
        "corrections",
        *_ids("id", "community_id", "conversation_id", "message_id", "staff_id"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("was", Json, nullable=True),
        *_labels(),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("article", "paraphrase", "note", "state")),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", Utc(), nullable=True),
        *_references("corrections", conversation_id="conversations", message_id="messages"),
        *_references("corrections", staff_id="staff", decided_by="staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        comment="What a message should have been read as. The text is masked.",
    )
    op.create_index(op.f("ix_corrections_message_id"), "corrections", ["message_id"])
    _part_index("ix_corrections_open", "corrections", "id", "state = 'open'")
    _part_index("ix_corrections_holding", "corrections", "id", "state IN ('open', 'used')")


def _examples() -> None:
    op.create_table(
        "learned_examples",
        *_ids("id", "community_id", "correction_id", "staff_id"),
        sa.Column("text", sa.Text(), nullable=False),
        *_labels(),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("withdrawn_at", Utc(), nullable=True),
        *_references("learned_examples", correction_id="corrections", staff_id="staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learned_examples")),
        comment="Masked messages that the next model is trained with, beside the shipped ones.",
    )
    op.create_index(op.f("ix_learned_examples_correction_id"), "learned_examples", ["correction_id"])
    _part_index("ix_learned_examples_active", "learned_examples", "id", "state = 'active'")


def _models() -> None:
    op.create_table(
        "reading_models",
        *_ids("id"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("examples", sa.Integer(), nullable=False),
        sa.Column("against_id", sa.Uuid(), nullable=True),
        sa.Column("report", Json, nullable=True),
        sa.Column("model", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        *_ids("trained_by"),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("live_by", sa.Uuid(), nullable=True),
        sa.Column("live_at", Utc(), nullable=True),
        *_references("reading_models", trained_by="staff", live_by="staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_models")),
        sa.UniqueConstraint("number", name=op.f("uq_reading_models_number")),
        comment="Trained models. None live: the one that ships reads.",
    )
    _part_index("ix_reading_models_training", "reading_models", "state", "state = 'training'", unique=True)
    _part_index("ix_reading_models_live", "reading_models", "state", "state = 'live'", unique=True)


def _ids(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Uuid(), nullable=False) for name in names]


def _labels() -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=name == "category") for name in ("intent", "category", "urgency")]


def _references(table: str, **targets: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([name], [f"{target}.id"], name=op.f(f"fk_{table}_{name}"))
        for name, target in targets.items()
    ]


def _part_index(name: str, table: str, column: str, where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, [column], unique=unique, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    """Nothing leads back: restore the backup that was made before."""
