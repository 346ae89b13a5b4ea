"""Binding: tries, codes, scenes, and bindings that wait for a person."""

import sqlalchemy as sa
from alembic import op

from bot.store.base import Json, Utc

revision = "0008_binding"
down_revision = "0007_delivery"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _columns()
    _bindings()
    _tries()
    _codes()


def downgrade() -> None:
    """Nothing leads back: restore the backup that was made before."""


def _columns() -> None:
    op.add_column("residents", sa.Column("privacy_version", sa.Text(), nullable=True))
    op.add_column("residents", sa.Column("privacy_told_at", Utc(), nullable=True))
    op.add_column("households", sa.Column("asleep_at", Utc(), nullable=True))
    op.add_column("identities", sa.Column("staff_id", sa.Uuid(), nullable=True))
    op.add_column("conversations", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.add_column("messages", sa.Column("own_phone", sa.Text(), nullable=True))
    _index("ix_residents_phone", "residents", ["phone"], "phone <> ''")


def _index(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def _bindings() -> None:
    op.create_table(
        "bindings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("identity_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("home_id", sa.Uuid(), nullable=True),
        sa.Column("where", Json, nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "method", "state")),
        sa.Column("told_identity_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("settled_at", Utc(), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("dedupe_key", sa.Text(), nullable=True),
        _to("bindings", "identity_id", "identities"),
        _to("bindings", "resident_id", "residents"),
        _to("bindings", "home_id", "homes"),
        _to("bindings", "told_identity_id", "identities"),
        _to("bindings", "settled_by", "staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bindings")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_bindings_dedupe_key")),
        comment="Each act by which an address became, or was to become, a resident.",
    )
    op.create_index("ix_bindings_identity_id", "bindings", ["identity_id"])
    _index("ix_bindings_pending", "bindings", ["created_at"], "state = 'pending'")
    _index("ix_bindings_told", "bindings", ["told_identity_id"], "told_identity_id IS NOT NULL")


def _tries() -> None:
    op.create_table(
        "binding_tries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("identity_id", sa.Uuid(), nullable=False),
        sa.Column("home_id", sa.Uuid(), nullable=True),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("locked_until", Utc(), nullable=True),
        _to("binding_tries", "identity_id", "identities"),
        _to("binding_tries", "home_id", "homes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_binding_tries")),
        comment="Tries to bind that failed; the one too many says how long nobody tries again.",
    )
    op.create_index("ix_binding_tries_identity_id_at", "binding_tries", ["identity_id", "at"])
    _index("ix_binding_tries_home", "binding_tries", ["home_id", "at"], "home_id IS NOT NULL")


def _codes() -> None:
    people = {
        "resident_id": "residents", "staff_id": "staff", "identity_id": "identities", "made_by": "staff",
        "used_by": "identities",
    }  # fmt: skip
    op.create_table(
        "binding_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "salt", "code_hash", "session_hash")),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in people),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("used_at", Utc(), nullable=True),
        *(_to("binding_codes", column, target) for column, target in people.items()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_binding_codes")),
        comment="One-time codes, never kept as they are read out.",
    )
    _index("ix_binding_codes_open", "binding_codes", ["expires_at"], "used_at IS NULL")
    _index("ix_binding_codes_session", "binding_codes", ["session_hash"], "session_hash <> ''")
