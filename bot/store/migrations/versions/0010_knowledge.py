"""Articles of the company, questions without an answer, and what residents said of answers."""

import sqlalchemy as sa
from alembic import op

from bot.store.base import Json, Utc

revision = "0010_knowledge"
down_revision = "0009_alarm_ways"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _question_groups()
    _questions()
    _articles()
    _ratings()


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _ids(*names: str, nullable: bool = True) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Uuid(), nullable=nullable) for name in names]


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def _question_groups() -> None:
    op.create_table(
        "question_groups",
        *_ids("id", "community_id", nullable=False),
        *_texts("title", "state"),
        *(sa.Column(name, Utc(), nullable=False) for name in ("created_at", "updated_at")),
        *_ids("ended_by"),
        _reference("question_groups", "ended_by", "staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_groups")),
        comment="Questions that ask the same; `title` is the commonest wording.",
    )
    op.create_index("ix_question_groups_community_id_state", "question_groups", ["community_id", "state"])


def _questions() -> None:
    op.create_table(
        "questions",
        *_ids("id", "community_id", "conversation_id", nullable=False),
        *_ids("group_id"),
        *_texts("text", "language", "why"),
        *_ids("affair_id"),
        sa.Column("asked_at", Utc(), nullable=False),
        sa.Column("offered_at", Utc(), nullable=True),
        _reference("questions", "conversation_id", "conversations"),
        _reference("questions", "group_id", "question_groups"),
        _reference("questions", "affair_id", "affairs"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
    )
    op.create_index(op.f("ix_questions_conversation_id"), "questions", ["conversation_id"])
    op.create_index(op.f("ix_questions_group_id"), "questions", ["group_id"])
    op.create_index("ix_questions_community_id_asked_at", "questions", ["community_id", "asked_at"])
    new = sa.text("group_id IS NULL")
    op.create_index("ix_questions_new", "questions", ["asked_at"], sqlite_where=new, postgresql_where=new)


def _articles() -> None:
    op.create_table(
        "articles",
        *_ids("id", "community_id", nullable=False),
        *_texts("slug"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_texts("state", "title", "title_hant", "title_en"),
        *(sa.Column(name, Json, nullable=False) for name in ("ask", "not_about")),
        *_texts("answer", "answer_hant", "answer_en"),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        *_texts("source"),
        *_ids("group_id", "author_id"),
        *(sa.Column(name, Utc(), nullable=False) for name in ("created_at", "updated_at")),
        sa.Column("proposed_at", Utc(), nullable=True),
        *_ids("released_by"),
        sa.Column("released_at", Utc(), nullable=True),
        *_ids("ended_by"),
        sa.Column("ended_at", Utc(), nullable=True),
        _reference("articles", "group_id", "question_groups"),
        *(_reference("articles", name, "staff") for name in ("author_id", "released_by", "ended_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
        sa.UniqueConstraint("slug", "community_id", "version", name=op.f("uq_articles_slug_community_id_version")),
    )
    op.create_index(op.f("ix_articles_group_id"), "articles", ["group_id"])
    for name, where in (("released", "state = 'released'"), ("open", "state IN ('draft', 'proposed')")):
        part = sa.text(where)
        op.create_index(
            f"uq_articles_{name}", "articles", ["slug", "community_id"], unique=True,
            sqlite_where=part, postgresql_where=part,
        )  # fmt: skip


def _ratings() -> None:
    op.create_table(
        "article_ratings",
        *_ids("id", "community_id", "conversation_id", nullable=False),
        *_texts("article"),
        sa.Column("helpful", sa.Boolean(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        _reference("article_ratings", "conversation_id", "conversations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_ratings")),
        comment="What residents said of an answer; `article` is the id under which the knowledge base told it.",
    )
    op.create_index(op.f("ix_article_ratings_conversation_id"), "article_ratings", ["conversation_id"])
    op.create_index(op.f("ix_article_ratings_article"), "article_ratings", ["article"])


def downgrade() -> None:
    """Nothing leads back: restore the backup that was made before."""
