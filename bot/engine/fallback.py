"""A way did not carry a text: the next one does, or the resident hears that an answer waits, or a person phones."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot import planner
from bot.engine import ledger
from bot.planner import Way
from bot.store import alarms, outbox, parked, residents, ways
from bot.store.base import Row, new_id
from bot.store.outbox import EMERGENCY, HINT, JOINED, NOTICE
from bot.store.ways import Whereabouts
from bot.world import World
from channels import sms

ANOTHER_WAY = "said by the channel the resident writes by now"
HINT_MOMENT = "answer_waits"


def park(conn: sa.Connection, world: World, row: Row, now: datetime, reason: str) -> None:
    """The window is closed: another way, else the row waits for the resident's next message, who hears that it does;
    at last a person phones about what cannot wait."""
    here = ways.whereabouts(conn, row["conversation_id"])
    if _is_stopped(row, here):
        outbox.settle(conn, row["id"], "cancelled", now, "the resident wants no notices")
        return
    if _goes_on(conn, world, row, here, now, reason, "cancelled"):
        return
    if row["kind"] == HINT:
        _end_hint(conn, row, now, reason)
        return
    outbox.settle(conn, row["id"], "waiting", now, reason)
    if row["lane"] == NOTICE:
        return
    told = row["lane"] != EMERGENCY and _say_that_it_waits(conn, world, row, here, now)
    later = timedelta(hours=world.settings.delivery.answer_waits_hours) if told else timedelta()
    call_task(conn, row, here, now + later, now, reason)


def fail(conn: sa.Connection, world: World, row: Row, now: datetime, reason: str) -> None:
    """A permanent failure: another way, else it stands in the conversation, and a person phones the resident (law
    12)."""
    here = ways.whereabouts(conn, row["conversation_id"])
    if _goes_on(conn, world, row, here, now, reason, "failed"):
        return
    if row["kind"] == HINT:
        _end_hint(conn, row, now, reason)
        return
    outbox.settle(conn, row["id"], "failed", now, reason)
    _wait_after_all(conn, world, row, here, now)
    call_task(conn, row, here, now, now, reason)


def elsewhere(conn: sa.Connection, world: World, row: Row, now: datetime, reason: str) -> bool:
    """Nothing went out for certain and time presses: go on by another way; False where there is none."""
    here = ways.whereabouts(conn, row["conversation_id"])
    return _goes_on(conn, world, row, here, now, reason, "cancelled")


def _goes_on(
    conn: sa.Connection, world: World, row: Row, here: Whereabouts, now: datetime, reason: str, ending: str
) -> bool:
    """Whether the next way has taken the text over; then this row has ended, with the reason."""
    if _is_stopped(row, here):
        return False
    tried = ways.chain(conn, row["origin_id"] or row["id"])
    first = tried[0]
    found = _next(conn, world, row, here, tried, now)
    if found is None:
        return False
    way, text = found
    outbox.settle(conn, row["id"], ending, now, reason)
    plain = text == first["text"]
    new: Row = {
        **row, **fresh(now), "id": new_id(), "origin_id": first["id"], "dedupe_key": f"way:{row['id']}",
        "channel": way.channel, "account": way.account, "address": way.address, "route": way.route, "text": text,
        "identity_id": _identity_of(conn, way, here, row["community_id"], now),
        "choices": first["choices"] if plain else None,
        "without_question": first["without_question"] if plain else None,
    }  # fmt: skip
    outbox.add(conn, planner.in_parts(world, new))
    return True


def _is_stopped(row: Row, here: Whereabouts) -> bool:
    """Whether the resident has refused what this row says."""
    return bool(row["lane"] == NOTICE) and here.resident.stopped_at is not None


def _next(
    conn: sa.Connection, world: World, row: Row, here: Whereabouts, tried: list[Row], now: datetime
) -> tuple[Way, str] | None:
    """The first way that was not tried, is open, and can carry the text."""
    used = {_used(one) for one in tried} | {_used(row)}
    urgent = row["lane"] == EMERGENCY
    left = [
        way
        for way in planner.ways(
            world, here.resident, here.identities, here.last_identity_id, row["moment"] or "", urgent=urgent
        )
        if (*way.key, way.route) not in used
    ]
    book = ledger.of(conn, world, [(way.identity_id, way.channel, way.account) for way in left], now)
    for way in left:
        text = planner.worded(world, way, tried[0]["text"], row["moment"], row["values"])
        if text is not None and (way.route == "template" or not book.closed(way.identity_id)):
            return way, text
    return None


def _used(row: Row) -> tuple[str, str, str, str]:
    return row["channel"], row["account"], row["address"], "template" if row["route"] == "template" else "push"


def _identity_of(conn: sa.Connection, way: Way, here: Whereabouts, community_id: UUID, now: datetime) -> UUID:
    """The address of a way; a registered phone that nobody has written from gets one."""
    if way.identity_id is not None:
        return way.identity_id
    found: UUID = residents.handset(conn, here.resident.id, community_id, way.key, now)["id"]
    return found


def fresh(now: datetime) -> Row:
    """What a row that begins anew does not take over."""
    return {
        "route": "push", "status": "queued", "attempts": 0, "due_at": now, "lease_until": None, "sent_at": None,
        "settled_at": None, "provider_id": None, "error": "", "created_at": now, "reply_to": None, "joined_id": None,
    }  # fmt: skip


# -- "we have an answer for you"


def _say_that_it_waits(conn: sa.Connection, world: World, row: Row, here: Whereabouts, now: datetime) -> bool:
    """Tell the resident that something waits for them, once until they have written, never in quiet hours. False:
    there is no way to tell it."""
    key = f"waits:{row['conversation_id']}:{here.last_inbound_at.isoformat() if here.last_inbound_at else ''}"
    told = outbox.by_key(conn, key)
    if told is not None:
        return not all(one["status"] in {"failed", "expired"} for one in ways.chain(conn, told["id"]))
    hint: Row = {
        **row, **fresh(now), "id": new_id(), "origin_id": None, "dedupe_key": key, "kind": HINT,
        "lane": outbox.PROGRESS, "text": sms.approved(HINT_MOMENT, {}), "moment": HINT_MOMENT, "values": {},
        "choices": None, "without_question": None, "author_id": None, "part_of": None,
        "due_at": planner.after_quiet_hours(world, here.resident.id, now),
    }  # fmt: skip
    found = _next(conn, world, hint, here, [hint], now)
    if found is None:
        return False
    way, text = found
    address = {"channel": way.channel, "account": way.account, "address": way.address, "route": way.route}
    hint.update(identity_id=_identity_of(conn, way, here, row["community_id"], now), text=text, **address)
    outbox.add(conn, [hint])
    return True


def _end_hint(conn: sa.Connection, row: Row, now: datetime, reason: str) -> None:
    """The resident cannot be told that something waits: a person phones now, not tomorrow."""
    outbox.settle(conn, row["id"], "failed", now, reason)
    alarms.bring_forward(conn, row["conversation_id"], now, reason)


# -- waiting, and the resident's next message


def _wait_after_all(conn: sa.Connection, world: World, row: Row, here: Whereabouts, now: datetime) -> None:
    """No way is left, but one of them was only closed: the text waits there until the resident writes."""
    open_again = {one.id for one in here.identities if one.reachable}
    for one in ways.chain(conn, row["origin_id"] or row["id"]):
        limits = world.capabilities.get((one["channel"], one["account"]))
        could = limits is not None and limits.push_window is not None and one["identity_id"] in open_again
        if could and one["status"] == "cancelled" and one["kind"] != JOINED and one["route"] != "template":
            again = {**one, **fresh(now), "id": new_id(), "origin_id": row["origin_id"] or row["id"]}
            outbox.add(conn, [{**again, "status": "waiting", "dedupe_key": f"waits:{one['id']}"}])
            return


def resident_wrote(conn: sa.Connection, world: World, wrote: list[Row], now: datetime) -> None:
    """Residents with something waiting wrote, each from an address: it goes out there, in its order, and nobody has to
    tell them any more that it waits. `wrote`: identities with their conversation."""
    if not wrote:
        return
    outbox.unpark(conn, [(one["conversation_id"], one["id"]) for one in wrote], now)
    parked.cancel_hints(conn, [one["conversation_id"] for one in wrote], now)
    here = {one["conversation_id"]: one for one in wrote}
    moved = [_moved(world, row, here[row["conversation_id"]], now) for row in parked.waiting(conn, list(here))]
    rows = [row for row in moved if row is not None]
    outbox.add(conn, rows)
    parked.replace(conn, [row["dedupe_key"].partition(":")[2] for row in rows], now, ANOTHER_WAY)


def _moved(world: World, row: Row, to: Row, now: datetime) -> Row | None:
    """What waits for another address, as it is said where the resident writes now; None: it cannot be said there."""
    way = Way(to["channel"], to["account"], to["address"], to["id"])
    text = planner.worded(world, way, row["text"], row["moment"], row["values"])
    if text is None:
        return None
    origin = row["origin_id"] or row["id"]
    address: dict[str, Any] = {
        "channel": way.channel, "account": way.account, "address": way.address, "identity_id": way.identity_id,
    }  # fmt: skip
    return {**row, **fresh(now), **address, "id": new_id(), "origin_id": origin, "text": text,
            "dedupe_key": f"way:{row['id']}"}  # fmt: skip


# -- at last, a person


def call_task(conn: sa.Connection, row: Row, here: Whereabouts, due_at: datetime, now: datetime, reason: str) -> None:
    """A person phones the resident, once a text however often it fails, and says all of it."""
    whole = ways.chain(conn, row["origin_id"])[0] if row["origin_id"] else row
    alarms.add_task(
        conn,
        {
            "id": new_id(), "community_id": row["community_id"], "conversation_id": row["conversation_id"],
            "resident_id": here.resident.id, "case_kind": row["case_kind"], "case_id": row["case_id"], "kind": "tell",
            "phone": here.resident.phone, "text": whole["text"], "due_at": due_at, "owner_id": None, "state": "open",
            "result": "", "done_by": None, "done_at": None, "created_at": now, "dedupe_key": task_key(row),
            "reason": reason,
        },
    )  # fmt: skip


def task_key(row: Row) -> str:
    """What names the one call task of a text."""
    return f"tell:{row['origin_id'] or row['id']}"
