"""A batch of turns: one synchronous function, one transaction, the same on both databases (design.md section 5).

Messages are inserted first; what does not come back is a repeat. Then the conversations are locked and loaded, the
workflows run, and all
rows are written, one statement a table. A turn that raises keeps its message and tells a person; the others go on.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from bot.desk import Desk, Incoming
from bot.engine import fallback, loading, media, routing
from bot.errors import NotFound, trace
from bot.store import conversations, merging, messages, outbox, pending, residents
from bot.store import media as files
from bot.store.base import NOBODY, Row, new_id
from bot.store.database import notify
from bot.store.locking import Locked, lock
from bot.store.records import Identity, Job
from bot.world import World
from channels.messages import InboundMessage
from intents.model import Reading
from intents.opinion import BY_MODEL

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Item:
    """A message on its way into a batch."""

    message: InboundMessage
    reading: Reading
    received_at: datetime
    passive_until: datetime | None = None
    store_only: bool = False
    """The turn would come too late for the provider's limit: keep and acknowledge, and turn it afterwards."""
    stored_id: UUID | None = None
    """The row of a message that was stored by an earlier batch."""
    broken: str = ""
    """Why it cannot be read or turned: it is kept as failed, and a person is told."""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.message.channel, self.message.account, self.message.external_id

    @property
    def sender(self) -> tuple[str, str, str]:
        return self.message.channel, self.message.account, self.message.sender


@dataclass(slots=True, frozen=True)
class Verdict:
    """What became of an item. `reply`: the outbox row and text that ride in the answer to this very request."""

    status: Literal["turned", "stored", "repeat", "failed"]
    reply: tuple[UUID, str] | None = None


@dataclass(slots=True)
class Marks:
    """What is known of passive replies since the last batch: written to their connection, or not."""

    written: list[UUID] = field(default_factory=list)
    unwritten: list[UUID] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.written or self.unwritten)


def apply_marks(conn: sa.Connection, marks: Marks, now: datetime) -> None:
    """Passive replies that were written are accepted; the others go the other way."""
    outbox.accepted(conn, [(row_id, None) for row_id in marks.written], now)
    outbox.passive_to_push(conn, marks.unwritten, now)


def write_marks(conn: sa.Connection, marks: Marks, now: datetime) -> None:
    """Marks that found no batch to ride in; what waits behind them may go now, from any process."""
    apply_marks(conn, marks, now)
    notify(conn)


def run_batch(conn: sa.Connection, world: World, items: Sequence[Item], marks: Marks, now: datetime) -> list[Verdict]:
    """Store, turn and answer these messages: at most one of a sender."""
    apply_marks(conn, marks, now)
    known = _identities(conn, world, items, now)
    ids = {index: item.stored_id or new_id() for index, item in enumerate(items)}
    fresh = messages.store(
        conn, [_row(item, ids[i], known[item.sender]) for i, item in enumerate(items) if item.stored_id is None]
    )
    _expect_files(conn, world, items, ids, fresh, known, now)
    new = [i for i, item in enumerate(items) if item.stored_id is not None or ids[i] in fresh]
    verdicts = _repeats(conn, items, [i for i in range(len(items)) if i not in set(new)])
    verdicts |= dict.fromkeys((i for i in new if items[i].store_only), Verdict("stored"))
    turning = [i for i in new if not items[i].store_only]
    verdicts |= _turn(conn, world, [(i, items[i], ids[i], known[items[i].sender]) for i in turning], now)
    return [verdicts[i] for i in range(len(items))]


def _expect_files(
    conn: sa.Connection, world: World, items: Sequence[Item], ids: Mapping[int, UUID], fresh: set[UUID],
    known: Mapping[tuple[str, str, str], Row], now: datetime,
) -> None:  # fmt: skip
    """What new messages bring beside words is to be fetched: a row in this very commit, a call outside of it."""
    rows: list[Row] = []
    for i, item in enumerate(items):
        limits = world.capabilities.get(item.sender[:2])
        if ids[i] in fresh and item.message.attachments and limits is not None and limits.media:
            rows += media.expected(item.message, ids[i], known[item.sender]["community_id"], now)
    if rows:
        files.expect(conn, rows)


def _identities(
    conn: sa.Connection, world: World, items: Sequence[Item], now: datetime
) -> dict[tuple[str, str, str], Row]:
    keys = {item.sender for item in items}
    known = residents.find_identities(conn, keys)
    missing = keys - known.keys()
    if missing:
        residents.create_identities(conn, [_newcomer(world, key, now) for key in missing])
        known |= residents.find_identities(conn, missing)
    return known


def _newcomer(world: World, key: tuple[str, str, str], now: datetime) -> Row:
    channel, account, address = key
    community_id = world.accounts.get((channel, account), NOBODY)
    return {"channel": channel, "account": account, "address": address, "community_id": community_id, "created_at": now}


def _row(item: Item, row_id: UUID, identity: Row) -> Row:
    message = item.message
    return {
        "id": row_id, "community_id": identity["community_id"], "conversation_id": identity["conversation_id"],
        "identity_id": identity["id"], "channel": message.channel, "account": message.account,
        "external_id": message.external_id,
        "kind": message.kind, "text": message.text, "choice": message.choice,
        "attachments": [msgspec.to_builtins(a) for a in message.attachments] or None,
        "status": "stored" if item.store_only else "turned", "intent": "", "state": "", "reading": None, "error": "",
        "sent_at": message.sent_at, "received_at": item.received_at, "raw": message.raw,
        "own_phone": message.own_phone or None,
    }  # fmt: skip


def _repeats(conn: sa.Connection, items: Sequence[Item], repeated: Sequence[int]) -> dict[int, Verdict]:
    """A repeat gets the stored answer of the first, unless that has gone another way since."""
    if not repeated:
        return {}
    firsts = messages.find(conn, [items[i].key for i in repeated])
    replies = outbox.passive_replies(conn, [row["id"] for row in firsts.values()])
    verdicts = {}
    for i in repeated:
        first = firsts.get(items[i].key)
        reply = replies.get(first["id"]) if first else None
        usable = reply is not None and reply["status"] in {"sending", "accepted"}
        verdicts[i] = Verdict("repeat", (reply["id"], reply["text"]) if usable and reply else None)
    return verdicts


Turning = tuple[int, Item, UUID, Row]


def _turn(conn: sa.Connection, world: World, turning: Sequence[Turning], now: datetime) -> dict[int, Verdict]:
    if not turning:
        return {}
    conversation_ids = [identity["conversation_id"] for _, _, _, identity in turning]
    locked = {one.conversation.id: one for one in lock(conn, conversation_ids, wait=False)}
    ready, later = _ready(turning, locked)
    ready, done_before = _not_yet_turned(conn, ready)
    if later:
        messages.set_status(conn, [row_id for _, item, row_id, _ in later if item.stored_id is None], "stored")
        merging.follow(conn, [row_id for _, _, row_id, _ in later])
    desks = loading.load(conn, world, [locked[identity["conversation_id"]] for _, _, _, identity in ready], now)
    done = []
    for i, item, row_id, identity in ready:
        desk = desks[identity["conversation_id"]]
        desk.identities = [Identity.of(identity)]
        desk.incoming = _incoming(item, row_id, desk.identities[0])
        done.append((i, *_run(desk, _broken if item.broken else routing.handle)))
    parked = [identity for _, _, _, identity in ready if locked[identity["conversation_id"]].parked]
    fallback.resident_wrote(conn, world, parked, now)
    pending.flush(conn, [desk.pending for _, desk, _ in done], now, world.local(now).date())
    verdicts = {i: Verdict("stored") for i, _, _, _ in later} | {i: Verdict("repeat") for i, _, _, _ in done_before}
    return verdicts | {i: Verdict("failed" if failed else "turned", _passive(desk)) for i, desk, failed in done}


def _ready(turning: Sequence[Turning], locked: Mapping[UUID, Locked]) -> tuple[list[Turning], list[Turning]]:
    """Those whose turn it is, and those that come later: locked elsewhere, behind an earlier message, or second in
    this batch."""
    ready: list[Turning] = []
    later: list[Turning] = []
    taken: set[UUID] = set()
    for one in turning:
        conversation_id = one[3]["conversation_id"]
        held = locked.get(conversation_id)
        free = held is not None and conversation_id not in taken and (one[1].stored_id is not None or not held.behind)
        (ready if free else later).append(one)
        taken.add(conversation_id)
    return ready, later


def _not_yet_turned(conn: sa.Connection, ready: Sequence[Turning]) -> tuple[list[Turning], list[Turning]]:
    """Another process may have turned a stored message since it was found; asked under the lock of its conversation."""
    stored = [row_id for _, item, row_id, _ in ready if item.stored_id is not None]
    if not stored:
        return list(ready), []
    waiting = messages.still_stored(conn, stored)
    done = [one for one in ready if one[1].stored_id is not None and one[2] not in waiting]
    return [one for one in ready if one not in done], done


def _incoming(item: Item, row_id: UUID, identity: Identity) -> Incoming:
    message = item.message
    return Incoming(
        id=row_id,
        identity=identity,
        kind=message.kind,
        text=message.text,
        choice=message.choice,
        attachments=message.attachments,
        received_at=item.received_at,
        reading=item.reading,
        passive_until=item.passive_until,
        own_phone=message.own_phone,
    )


def _passive(desk: Desk) -> tuple[UUID, str] | None:
    for row in desk.pending.inserts.get(outbox.outbox, ()):
        if row["route"] == "passive":
            return row["id"], row["text"]
    return None


def _run(desk: Desk, f: Callable[[Desk], None]) -> tuple[Desk, bool]:
    """Run one turn on its Desk; where it raises, on one loaded anew that only apologises and tells a person."""
    try:
        f(desk)
        _close(desk, "turned")
    except SQLAlchemyError:
        raise
    except Exception as error:
        message_id = str(desk.incoming.id) if desk.incoming else None
        log.error("a turn failed: %s", trace(error), extra={"message_id": message_id})  # noqa: TRY400 - without its words
        return _apologised(desk), True
    return desk, False


def _broken(desk: Desk) -> None:
    """The turn of a message that is known to fail."""
    del desk
    raise ValueError("it cannot be turned")


def _apologised(desk: Desk) -> Desk:
    clean = _anew(desk)
    try:
        routing.apologise(clean)
    except SQLAlchemyError:
        raise
    except Exception as error:
        log.error("nobody could be told in the usual way: %s", trace(error))  # noqa: TRY400 - without its words
        clean = _anew(desk)
        clean.raise_alarm("failed_turn", "", ())
    _close(clean, "failed")
    return clean


def _anew(desk: Desk) -> Desk:
    """The Desk as it was before the turn, which may have changed its records."""
    locked = lock(desk.conn, [desk.conversation.id], wait=True)
    clean = loading.load(desk.conn, desk.world, locked, desk.now)[desk.conversation.id]
    clean.identities, clean.incoming = desk.identities, desk.incoming
    return clean


def _close(desk: Desk, status: str) -> None:
    """What every turn leaves on its message and conversation."""
    incoming = desk.incoming
    if incoming is None:
        return
    _write_outcome(desk, incoming, status)
    desk.change(
        desk.conversation, last_identity_id=incoming.identity.id, last_inbound_at=incoming.received_at,
        last_state=desk.outcome.state,
        last_text=(incoming.text or f"[{incoming.kind}]")[:200], unread=desk.conversation.unread + 1,
    )  # fmt: skip
    if not incoming.identity.reachable:
        desk.pending.update(residents.identities, incoming.identity.id, {"reachable": True})


def _write_outcome(desk: Desk, incoming: Incoming, status: str) -> None:
    """What became of a message, on its row."""
    reading = incoming.reading
    outcome: Row = {
        "status": status, "intent": desk.outcome.intent or "", "state": desk.outcome.state,
        "reading": {"intent": reading.intent, "confidence": reading.confidence, "category": reading.category,
        "urgency": reading.urgency, "slots": desk.outcome.slots},
    }  # fmt: skip
    if BY_MODEL in reading.explanation:
        outcome["reading"]["by_model"] = True
    desk.pending.update(messages.messages, incoming.id, outcome)


def run_alone(
    conn: sa.Connection,
    world: World,
    conversation_id: UUID,
    now: datetime,
    f: Callable[[Desk], Any],
    staff_id: UUID | None = None,
) -> Any:
    """One act on one conversation, by a person or a program: lock, load, `f(desk)`, write. Waits for the lock."""
    desk = _whole(conn, world, conversation_id, now)
    desk.actor, desk.staff_id = ("staff", staff_id) if staff_id else ("system", None)
    result = f(desk)
    drawn = pending.flush(conn, [desk.pending], now, world.local(now).date())
    return pending.numbered(result, drawn) if isinstance(result, str) else result


def _whole(conn: sa.Connection, world: World, conversation_id: UUID, now: datetime) -> Desk:
    """The Desk of a conversation, or of the one it has gone on in since somebody looked at it."""
    found = loading.load_whole(conn, world, [conversation_id], now, wait=True)
    if not found:
        went = conversations.follow(conn, conversation_id)
        found = loading.load_whole(conn, world, [went], now, wait=True) if went else {}
    if not found:
        raise NotFound("conversation")
    return next(iter(found.values()))


def run_timers(conn: sa.Connection, world: World, timers: Iterable[Job], now: datetime) -> list[UUID]:
    """Run due timers as events of their conversations; the ids of those that are done (the rest are locked
    elsewhere)."""
    by_conversation: dict[UUID, Job] = {}
    for job in timers:
        if job.conversation_id is not None:
            by_conversation.setdefault(job.conversation_id, job)
    desks = loading.load_whole(conn, world, list(by_conversation), now, wait=False)
    for desk in desks.values():
        desk.actor = "system"
        routing.timer(desk, by_conversation[desk.conversation.id])
        if desk.incoming is not None:
            _write_outcome(desk, desk.incoming, "turned")
            desk.change(desk.conversation, last_state=desk.outcome.state)
    pending.flush(conn, [desk.pending for desk in desks.values()], now, world.local(now).date())
    return [by_conversation[conversation_id].id for conversation_id in desks]
