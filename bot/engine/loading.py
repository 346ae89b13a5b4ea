"""Locked conversations and all that their turns usually need: one query a kind for the whole batch."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.desk import Desk
from bot.store import affairs, alarms, complaints, residents, work_orders
from bot.store.base import Row
from bot.store.locking import Locked, lock
from bot.store.records import Affair, Alarm, Complaint, Home, Identity, WorkOrder
from bot.world import World


def load(conn: sa.Connection, world: World, locked: Sequence[Locked], now: datetime) -> dict[UUID, Desk]:
    """A Desk for each of these conversations, without the addresses that its resident is reached by."""
    since = now - timedelta(days=world.settings.desk.remember_days)
    known = [one.resident.id for one in locked if not one.resident.provisional]
    homes = residents.homes_of(conn, known, world.local(now).date())
    with_cases = [one.conversation.id for one in locked if one.has_cases]
    orders = work_orders.recent_of(conn, with_cases, since)
    cases = complaints.recent_of(conn, with_cases, since)
    errands = affairs.recent_of(conn, with_cases, since)
    standing = alarms.of_conversations(conn, with_cases)
    return {
        one.conversation.id: Desk(
            conn=conn,
            world=world,
            now=now,
            conversation=one.conversation,
            resident=one.resident,
            identities=[],
            homes=_records(Home, homes, one.resident.id),
            orders=_records(WorkOrder, orders, one.conversation.id),
            complaints=_records(Complaint, cases, one.conversation.id),
            affairs=_records(Affair, errands, one.conversation.id),
            alarm=Alarm.of(standing[one.conversation.id]) if one.conversation.id in standing else None,
        )
        for one in locked
    }


def load_whole(
    conn: sa.Connection, world: World, conversation_ids: Sequence[UUID], now: datetime, *, wait: bool
) -> dict[UUID, Desk]:
    """As `load`, locking first, and with every address: for what no message of the resident has set off."""
    locked = lock(conn, conversation_ids, wait=wait)
    desks = load(conn, world, locked, now)
    addresses = residents.identities_of(conn, [one.resident.id for one in locked])
    for desk in desks.values():
        desk.identities = _records(Identity, addresses, desk.resident.id)
    return desks


def _records(kind: Any, found: Mapping[UUID, list[Row]], key: UUID) -> list[Any]:
    return [kind.of(row) for row in found.get(key, ())]
