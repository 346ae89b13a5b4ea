"""Making staff accounts from the command line."""

import argparse
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from argon2 import PasswordHasher

from bot.errors import SettingsError
from bot.settings import Settings
from bot.store import migrations, places, staff
from bot.store.base import new_id
from bot.store.database import Database

SHORTEST_PASSWORD = 8


async def add(settings: Settings, options: argparse.Namespace, password: str) -> None:
    """Add one person with roles. Raises `SettingsError` naming what is wrong."""
    unknown = set(options.role) - set(staff.ROLES)
    if unknown:
        raise SettingsError(f"no such role: {', '.join(sorted(unknown))}; there are {', '.join(staff.ROLES)}")
    if len(password) < SHORTEST_PASSWORD:
        raise SettingsError(
            f"the password needs {SHORTEST_PASSWORD} characters or more; it is read from standard input"
        )
    await migrations.upgrade(settings.database)
    database = Database.open(settings.database)
    try:
        await database.write(_add, options, PasswordHasher().hash(password))
    finally:
        await database.close()


def _add(conn: sa.Connection, options: argparse.Namespace, password_hash: str) -> None:
    if staff.by_login(conn, options.login) is not None:
        raise SettingsError(f"{options.login} exists already")
    community_id = _community(conn, options.community)
    person = {
        "id": new_id(), "login": options.login, "name": options.name, "title": "", "phone": "",
        "password_hash": password_hash,
        "language": options.language, "skills": None, "active": True, "created_at": datetime.now(UTC),
    }  # fmt: skip
    staff.add(conn, person, [(role, community_id) for role in options.role])


def _community(conn: sa.Connection, name: str | None) -> UUID | None:
    if name is None:
        return None
    known = {row["name"]: row["id"] for row in places.all_communities(conn)}
    if name not in known:
        raise SettingsError(f"no community is called {name}; there are: {', '.join(known) or 'none yet'}")
    return UUID(str(known[name]))
