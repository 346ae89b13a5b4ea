"""Migrations and metadata build the same schema; records are the columns of their tables."""

from dataclasses import fields
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot.store import migrations, records
from bot.store.database import Database
from bot.store.schema import metadata


def _differences(conn: sa.Connection) -> list[Any]:
    context = MigrationContext.configure(conn, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


async def test_migrations_build_what_the_metadata_says(database: Database) -> None:
    assert await database.read(_differences) == []


async def test_a_migrated_database_is_current(database: Database) -> None:
    assert await database.read(migrations.is_current)


async def test_partial_indexes_are_partial(database: Database) -> None:
    def indexes(conn: sa.Connection) -> dict[str, Any]:
        found = sa.inspect(conn).get_indexes("outbox")
        return {str(index["name"]): index.get("dialect_options", {}) for index in found}

    options = await database.read(indexes)
    assert any(key.endswith("_where") for key in options["ix_outbox_queued"])


TABLES = {
    records.Resident: "residents", records.Identity: "identities", records.Conversation: "conversations",
    records.WorkOrder: "work_orders",
    records.Complaint: "complaints", records.Affair: "affairs", records.Alarm: "alarms", records.Job: "jobs",
}  # fmt: skip


@pytest.mark.parametrize("record", TABLES, ids=lambda record: record.__name__)
def test_a_record_has_the_columns_of_its_table(record: type[records.Record]) -> None:
    columns = list(metadata.tables[TABLES[record]].columns.keys())
    assert [field.name for field in fields(record)] == columns  # type: ignore[arg-type]


def test_every_table_but_reference_tables_carries_its_community() -> None:
    without = {
        "communities", "accounts", "staff", "staff_roles", "sessions", "counters", "unreadable", "channel_events",
        "alerts", "reading_models", "learning_revision",
    }  # fmt: skip
    lacking = {name for name, table in metadata.tables.items() if "community_id" not in table.c}
    assert lacking <= without
