"""The one lock of a turn: its conversation, read together with its resident and with what else has to be looked up."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from bot.store.affairs import affairs
from bot.store.alarms import alarms
from bot.store.base import among, fixed
from bot.store.complaints import complaints
from bot.store.conversations import conversations
from bot.store.messages import messages
from bot.store.outbox import outbox
from bot.store.records import Conversation, Resident
from bot.store.residents import residents
from bot.store.work_orders import work_orders


@dataclass(slots=True)
class Locked:
    """A conversation that this transaction holds."""

    conversation: Conversation
    resident: Resident
    behind: bool
    """A message of it is stored and not yet turned."""
    parked: bool
    """Something we said waits for the resident to write."""
    has_cases: bool


def _any(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(table.c.conversation_id == conversations.c.id, *conditions)


_LOCK = (
    sa.select(
        conversations,
        *residents.c,
        _any(messages, fixed(messages.c.status, "stored")).label("behind"),
        _any(outbox, fixed(outbox.c.status, "waiting")).label("parked"),
        sa.or_(_any(work_orders), _any(complaints), _any(affairs), _any(alarms)).label("has_cases"),
    )
    .join(residents, residents.c.id == conversations.c.resident_id)
    .where(among(conversations.c.id, "ids"), conversations.c.merged_into.is_(None))
    .order_by(conversations.c.id)
)
# NO KEY UPDATE: rows that only point at a locked conversation (a message stored for later, a call task) need not wait.
_WAITING = _LOCK.with_for_update(of=conversations, key_share=True)
_SKIPPING = _LOCK.with_for_update(of=conversations, key_share=True, skip_locked=True)

_CONVERSATION = tuple(conversations.c.keys())
_RESIDENT = tuple(residents.c.keys())


def lock(conn: sa.Connection, ids: Sequence[UUID], *, wait: bool) -> list[Locked]:
    """The conversations, locked in order of id; not those that have gone on in another.

    `wait=False` leaves out those that another transaction holds.
    """
    if not ids:
        return []
    split = len(_CONVERSATION)
    return [
        Locked(
            Conversation(**dict(zip(_CONVERSATION, row[:split], strict=True))),
            Resident(**dict(zip(_RESIDENT, row[split:-3], strict=True))),
            *row[-3:],
        )
        for row in conn.execute(_WAITING if wait else _SKIPPING, {"ids": ids}).all()
    ]
