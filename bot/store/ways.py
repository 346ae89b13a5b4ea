"""What is known of the ways to a resident: windows and quotas (law 7), what was tried, what was said unasked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from bot.store.base import Row, among, fixed, mappings
from bot.store.conversations import conversations
from bot.store.messages import messages
from bot.store.outbox import outbox
from bot.store.records import Identity, Resident
from bot.store.residents import identities, residents
from channels.messages import TOUCHES

_SINCE = sa.bindparam("since", type_=messages.c.received_at.type)


class Heard(NamedTuple):
    """When an address last wrote, and when it last followed, scanned or pressed a line of the menu."""

    words: datetime | None = None
    touch: datetime | None = None


def _last(*conditions: sa.ColumnElement[bool]) -> Any:
    return (
        sa.select(messages.c.received_at)
        .where(messages.c.identity_id == identities.c.id, *conditions)
        .order_by(messages.c.received_at.desc())
        .limit(1)
        .scalar_subquery()
    )


_HEARD = sa.select(
    identities.c.id,
    _last(messages.c.kind.not_in(TOUCHES)).label("words"),
    _last(messages.c.kind.in_(TOUCHES), messages.c.received_at >= _SINCE).label("touch"),
).where(among(identities.c.id, "identities"))


def heard(conn: sa.Connection, identity_ids: Sequence[UUID], since: datetime) -> Mapping[UUID, Heard]:
    """What opens the windows of these addresses. Touches before `since` are not looked for."""
    found = conn.execute(_HEARD, {"identities": sorted(identity_ids), "since": since})
    return {row.id: Heard(row.words, row.touch) for row in found}


_PUSHED = sa.select(outbox.c.identity_id, outbox.c.sent_at).where(
    among(outbox.c.identity_id, "identities"),
    fixed(outbox.c.route, "push"),
    outbox.c.sent_at >= sa.bindparam("since", type_=outbox.c.sent_at.type),
    fixed(outbox.c.status, "sending", "accepted", "delivered", "read", "unknown"),
)


def pushed(conn: sa.Connection, identity_ids: Sequence[UUID], since: datetime) -> Mapping[UUID, list[datetime]]:
    """When messages were pushed to these addresses since a moment: what is used of their windows."""
    found: dict[UUID, list[datetime]] = {}
    for row in conn.execute(_PUSHED, {"identities": sorted(identity_ids), "since": since}):
        found.setdefault(row.identity_id, []).append(row.sent_at)
    return found


_CHAIN = (
    sa.select(outbox)
    .where(sa.or_(outbox.c.id == sa.bindparam("root", type_=sa.Uuid), outbox.c.origin_id == sa.bindparam("root")))
    .order_by(outbox.c.origin_id.is_not(None), outbox.c.id)
)


def chain(conn: sa.Connection, root: UUID) -> list[Row]:
    """A text with all the ways it was tried, the first one first."""
    return mappings(conn, _CHAIN, root=root)


class Whereabouts(NamedTuple):
    """Who has a conversation, and where they may be reached."""

    resident: Resident
    identities: list[Identity]
    last_identity_id: UUID | None
    last_inbound_at: datetime | None
    fence: int


def whereabouts(conn: sa.Connection, conversation_id: UUID) -> Whereabouts:
    """The resident of a conversation with all their addresses, oldest first."""
    named = (conversations.c.last_identity_id, conversations.c.last_inbound_at, conversations.c.fence)
    joined = residents.join(conversations, conversations.c.resident_id == residents.c.id)
    statement = sa.select(*residents.c, *named).select_from(joined).where(conversations.c.id == conversation_id)
    (row,) = mappings(conn, statement)
    last, inbound, fence = (row.pop(column.name) for column in named)
    resident = Resident.of(row)
    mine = sa.select(identities).where(identities.c.resident_id == resident.id).order_by(identities.c.id)
    return Whereabouts(resident, [Identity.of(found) for found in mappings(conn, mine)], last, inbound, fence)
