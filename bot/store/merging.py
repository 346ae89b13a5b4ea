"""One resident, one conversation: what two of them hold becomes one, and what was joined by mistake is parted again.

Both conversations are held in full (`hold`) before anything moves: no other transaction has a row under way that points
at them. What stays behind is an empty shell that says where it went on (`conversations.merged_into`); a batch that had
looked up the old one keeps its message, and `follow` sends it after.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.store.affairs import affairs
from bot.store.alarms import alarms, call_tasks, follow_ups
from bot.store.articles import ratings
from bot.store.base import NOBODY, Row, insert, insert_new, mappings, new_id
from bot.store.complaints import complaints
from bot.store.conversations import conversations
from bot.store.events import promises
from bot.store.jobs import jobs
from bot.store.messages import attachments, messages
from bot.store.outbox import outbox
from bot.store.questions import questions
from bot.store.residents import conversation_of, households, identities, residents
from bot.store.work_orders import work_orders

Form = dict[str, Any] | None
JoinForms = Callable[[Form, Form], Form]
"""What two conversations have open, as one: the first is the one that goes on. Pure."""

CASES = (work_orders, complaints, affairs)
_MOVING = ("waiting", "queued", "sending", "unknown")


@dataclass(frozen=True, slots=True)
class Merge:
    """`conversation_id`, of somebody provisional, goes on as that of the resident `into_id`."""

    conversation_id: UUID
    into_id: UUID
    join: JoinForms


@dataclass(frozen=True, slots=True)
class Split:
    """An address is nobody's any more: it leaves the conversation with what came by it."""

    conversation_id: UUID
    identity_id: UUID


Move = Merge | Split


def hold(conn: sa.Connection, conversation_ids: Sequence[UUID]) -> bool:
    """Hold these conversations in full until the end of the transaction; False, at once, where somebody is in the way.

    It never waits: whoever calls may hold other conversations already, in any order.
    """
    wanted = sorted(set(conversation_ids))
    statement = sa.select(conversations.c.id).where(conversations.c.id.in_(wanted)).order_by(conversations.c.id)
    return len(conn.execute(statement.with_for_update(skip_locked=True)).all()) == len(wanted)


def conversation_for(conn: sa.Connection, resident_id: UUID, now: datetime) -> UUID:
    """The conversation of a resident, begun where nobody has spoken with them yet."""
    found = _conversation(conn, resident_id)
    if found is None:
        of = sa.select(residents.c.community_id).where(residents.c.id == resident_id)
        row = {"id": resident_id, "community_id": conn.execute(of).scalar_one(), "created_at": now}
        insert_new(conn, conversations, [conversation_of(row)])
        found = _conversation(conn, resident_id)
    assert found is not None
    return found


def _conversation(conn: sa.Connection, resident_id: UUID) -> UUID | None:
    statement = sa.select(conversations.c.id).where(conversations.c.resident_id == resident_id)
    found: UUID | None = conn.execute(statement).scalar_one_or_none()
    return found


def follow(conn: sa.Connection, message_ids: Sequence[UUID]) -> None:
    """Messages that came into a conversation which has gone on in another belong there."""
    went = (
        sa.select(conversations.c.merged_into).where(conversations.c.id == messages.c.conversation_id).scalar_subquery()
    )
    late = messages.c.id.in_(sorted(message_ids)) & went.is_not(None)
    conn.execute(sa.update(messages).where(late).values(conversation_id=went))


def run(conn: sa.Connection, moves: Sequence[Move], now: datetime) -> None:
    """Do what turns have decided, after all their rows are written. The conversations are held."""
    for move in moves:
        if isinstance(move, Merge):
            merge(conn, move, now)
        else:
            split(conn, move, now)


# -- two become one


def merge(conn: sa.Connection, move: Merge, now: datetime) -> None:
    """All that the conversation holds belongs to the resident from now on; nothing is said twice or lost."""
    source, target = (_row(conn, conversations, key) for key in (move.conversation_id, _target(conn, move)))
    if source["id"] == target["id"] or source["merged_into"] is not None:
        return
    fence = max(source["fence"], target["fence"]) + 1
    joined = _joined(source, target, move.join, fence, now)
    for side in (source, target):
        _keep_fence(conn, side, joined, now)
    _move_rows(conn, source["id"], target["id"], move.into_id, target["community_id"])
    _verify(conn, target["id"], move.into_id)
    _merge_people(conn, source["resident_id"], move.into_id)
    conn.execute(sa.update(conversations).where(conversations.c.id == target["id"]).values(**joined))
    conn.execute(sa.update(conversations).where(conversations.c.id == source["id"]).values(**_shell(target["id"], now)))


def _target(conn: sa.Connection, move: Merge) -> UUID:
    found = _conversation(conn, move.into_id)
    assert found is not None, "the conversation of the resident is begun before it is held"
    return found


def _row(conn: sa.Connection, table: sa.Table, key: UUID) -> Row:
    (found,) = mappings(conn, sa.select(table).where(table.c.id == key))
    return found


def _shell(into: UUID, now: datetime) -> Row:
    return {
        "merged_into": into, "mode": "bot", "owner_id": None, "owned_until": None, "waiting_since": None, "form": None,
        "unread": 0, "last_text": "", "last_inbound_at": None, "updated_at": now,
    }  # fmt: skip


_MODES = {"human": 2, "waiting": 1, "bot": 0}


def _joined(source: Row, target: Row, join: JoinForms, fence: int, now: datetime) -> Row:
    """Who has the word: a person, where one of the two has; else who waits for one. The rest as it was last."""
    latest = max((source, target), key=lambda side: (side["last_inbound_at"] is not None, side["last_inbound_at"]))
    word = max((latest, target, source), key=lambda side: (_MODES[side["mode"]], side is latest))
    waiting = [side["waiting_since"] for side in (source, target) if side["waiting_since"] is not None]
    return {
        **{name: word[name] for name in ("mode", "owner_id", "owned_until")},
        **{name: latest[name] for name in ("last_identity_id", "last_inbound_at", "last_text", "last_state", "topic")},
        "waiting_since": min(waiting) if waiting and word["mode"] == "waiting" else None,
        "fence": fence,
        "form": join(target["form"], source["form"]),
        "misunderstood": latest["misunderstood"],
        "urges": source["urges"] + target["urges"],
        "unread": source["unread"] + target["unread"],
        "updated_at": now,
    }


def _keep_fence(conn: sa.Connection, side: Row, joined: Row, now: datetime) -> None:
    """What was still to be said here stays so under the new number; where a person now has the word it is not said."""
    mine = (outbox.c.conversation_id == side["id"]) & (outbox.c.fence == side["fence"])
    if joined["mode"] == "human" and side["mode"] != "human":
        unsaid = mine & outbox.c.status.in_(("queued", "waiting"))
        values = {"status": "cancelled", "lease_until": None, "settled_at": now, "error": "taken over"}
        conn.execute(sa.update(outbox).where(unsaid).values(**values))
    conn.execute(sa.update(outbox).where(mine, outbox.c.status.in_(_MOVING)).values(fence=joined["fence"]))


def _move_rows(conn: sa.Connection, source: UUID, target: UUID, resident_id: UUID, community_id: UUID) -> None:
    """In lock order. Whatever belonged to nobody's community belongs to the resident's."""
    followed = sa.select(work_orders.c.id).where(work_orders.c.conversation_id == source).union_all(
        sa.select(complaints.c.id).where(complaints.c.conversation_id == source)
    )  # fmt: skip
    conn.execute(sa.update(follow_ups).where(follow_ups.c.case_id.in_(followed)).values(resident_id=resident_id))
    for table in (messages, *CASES, promises, alarms, call_tasks, attachments, questions, ratings, outbox):
        named = {"resident_id": resident_id} if "resident_id" in table.c else {}
        at = sa.case((table.c.community_id == NOBODY, community_id), else_=table.c.community_id)
        mine = table.c.conversation_id == source
        conn.execute(sa.update(table).where(mine).values(conversation_id=target, community_id=at, **named))
    # A timer may name the conversation as its reason.
    ref = sa.case((jobs.c.ref == source, target), else_=jobs.c.ref)
    mine = (jobs.c.conversation_id == source) & (jobs.c.state == sa.literal_column("'waiting'"))
    conn.execute(sa.update(jobs).where(mine).values(conversation_id=target, ref=ref))


def _verify(conn: sa.Connection, conversation_id: UUID, resident_id: UUID) -> None:
    """What was reported for one of their homes needs nobody to check who reported it any more."""
    own = sa.select(households.c.home_id).where(households.c.resident_id == resident_id)
    for table in (work_orders, complaints):
        mine = (table.c.conversation_id == conversation_id) & table.c.verified.is_(False) & table.c.home_id.in_(own)
        conn.execute(sa.update(table).where(mine).values(verified=True))


def _merge_people(conn: sa.Connection, from_id: UUID, into_id: UUID) -> None:
    """What was learnt of somebody provisional stays with the resident, whose own entries win; the rest is emptied."""
    old, known = _row(conn, residents, from_id), _row(conn, residents, into_id)
    learnt = ("language", "phone", "preferred_channel", "greeted_at", "privacy_version", "privacy_told_at")
    kept = {name: known[name] or old[name] for name in learnt}
    stopped = max((moment for moment in (old["stopped_at"], known["stopped_at"]) if moment is not None), default=None)
    conn.execute(sa.update(residents).where(residents.c.id == into_id).values(**kept, stopped_at=stopped))
    conn.execute(sa.update(residents).where(residents.c.id == from_id).values(name="", title="", phone=""))
    moved = {"resident_id": into_id, "community_id": known["community_id"]}
    conn.execute(sa.update(identities).where(identities.c.resident_id == from_id).values(**moved))


# -- one becomes two


def split(conn: sa.Connection, move: Split, now: datetime) -> UUID:
    """An address begins anew as somebody nobody knows, with what it has said and reported; the new conversation."""
    identity, old = _row(conn, identities, move.identity_id), _row(conn, conversations, move.conversation_id)
    person = {
        "id": new_id(), "community_id": old["community_id"], "provisional": True, "created_at": now,
        **_told_already(conn, old["resident_id"]),
    }  # fmt: skip
    insert(conn, residents, [person])
    row = {**conversation_of(person), "last_identity_id": identity["id"], "fence": old["fence"]}
    row |= _last_words(conn, old, identity["id"])
    insert(conn, conversations, [row])
    conn.execute(sa.update(identities).where(identities.c.id == identity["id"]).values(resident_id=person["id"]))
    _part_rows(conn, old["id"], UUID(str(row["id"])), UUID(str(person["id"])), identity["id"])
    if old["last_identity_id"] == identity["id"]:
        back = {"last_identity_id": None, "form": None, "updated_at": now}
        conn.execute(sa.update(conversations).where(conversations.c.id == old["id"]).values(**back))
    return UUID(str(row["id"]))


def _told_already(conn: sa.Connection, resident_id: UUID) -> Row:
    known = _row(conn, residents, resident_id)
    return {
        name: known[name] for name in ("language", "greeted_at", "stopped_at", "privacy_version", "privacy_told_at")
    }


def _last_words(conn: sa.Connection, old: Row, identity_id: UUID) -> Row:
    """How the inbox shows the new conversation."""
    statement = (
        sa.select(messages.c.text, messages.c.received_at)
        .where(messages.c.identity_id == identity_id)
        .order_by(messages.c.received_at.desc())
        .limit(1)
    )
    found = conn.execute(statement).first()
    last = {"last_text": found.text[:200], "last_inbound_at": found.received_at} if found else {}
    return {"last_state": old["last_state"] if old["last_identity_id"] == identity_id else "", **last}


def _part_rows(conn: sa.Connection, source: UUID, target: UUID, resident_id: UUID, identity_id: UUID) -> None:
    """By the address they came by or go to; what hangs on them goes with them."""
    said = sa.select(messages.c.id).where(messages.c.conversation_id == target)
    conn.execute(
        sa.update(messages)
        .where(messages.c.conversation_id == source, messages.c.identity_id == identity_id)
        .values(conversation_id=target)
    )
    for table in CASES:
        mine = (table.c.conversation_id == source) & (table.c.identity_id == identity_id)
        conn.execute(sa.update(table).where(mine).values(conversation_id=target, resident_id=resident_id))
    parted = sa.union_all(*(sa.select(table.c.id).where(table.c.conversation_id == target) for table in CASES))
    case_ids = list(conn.execute(parted).scalars())
    conn.execute(sa.update(follow_ups).where(follow_ups.c.case_id.in_(case_ids)).values(resident_id=resident_id))
    for table in (promises, alarms, call_tasks):
        named = {"resident_id": resident_id} if "resident_id" in table.c else {}
        mine = (table.c.conversation_id == source) & table.c.case_id.in_(case_ids)
        conn.execute(sa.update(table).where(mine).values(conversation_id=target, **named))
    with_words = (attachments.c.conversation_id == source) & attachments.c.message_id.in_(said)
    conn.execute(sa.update(attachments).where(with_words).values(conversation_id=target))
    theirs = (outbox.c.conversation_id == source) & (outbox.c.identity_id == identity_id)
    conn.execute(sa.update(outbox).where(theirs).values(conversation_id=target))
    timers = (jobs.c.conversation_id == source) & jobs.c.ref.in_(case_ids)
    conn.execute(
        sa.update(jobs).where(timers, jobs.c.state == sa.literal_column("'waiting'")).values(conversation_id=target)
    )
