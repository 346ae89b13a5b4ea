"""The register of residents as workflows ask it: who belongs to a home, whose a number is, who somebody becomes.

All of it asks the database, and only where somebody is about to be bound, is not known by name, or asks for what is not
their own.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot import planner
from bot.desk import DIALOGUE, Conversation, Desk, Home, Moment, Resident, WorkOrder, new_id
from bot.store import affairs, alarms, bindings, complaints, merging, outbox, residents, work_orders
from bot.store import conversations as conversation_store
from bot.store.base import Row
from bot.store.conversations import conversations
from bot.store.merging import JoinForms
from bot.store.records import Affair, Alarm, Complaint, Identity
from channels.sms.numbers import spellings

CODE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Registered:
    """Somebody who belongs to a home by the register."""

    resident: Resident
    role: str


def members_of(desk: Desk, home_id: UUID) -> list[Registered]:
    """Who belongs to a home today."""
    rows = residents.members_of(desk.conn, home_id, desk.world.local(desk.now).date())
    return [Registered(Resident.of(row), row["role"]) for row in rows]


def with_phone(desk: Desk, number: str) -> list[Resident]:
    """On whom this number (E.164) is registered; entries of the same name are one person, the oldest stands for it."""
    rows = [Resident.of(row) for row in residents.with_phone(desk.conn, spellings(number))]
    return list({row.name: row for row in reversed(rows)}.values())


def resident(desk: Desk, resident_id: UUID) -> Resident | None:
    rows = residents.get_many(desk.conn, [resident_id])
    return Resident.of(rows[0]) if rows else None


def homes_of(desk: Desk, resident_id: UUID) -> list[Home]:
    found = residents.homes_of(desk.conn, [resident_id], desk.world.local(desk.now).date())
    return [Home.of(row) for row in found.get(resident_id, ())]


# -- becoming somebody ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Joined:
    """The conversation that this one goes on in. `form`: what that one had open."""

    id: UUID
    form: dict[str, Any] | None


def become(desk: Desk, person: Resident, join: JoinForms) -> Joined | None:
    """Whoever writes here is `person` from now on: this turn already acts for them, and what both conversations hold
    becomes one when the turn is written.

    None where somebody is in the way at this moment: then nothing has changed.
    """
    into = merging.conversation_for(desk.conn, person.id, desk.now)
    if not merging.hold(desk.conn, [desk.conversation.id, into]):
        return None
    other = Conversation.of(_one(desk, into))
    desk.pending.moves.append(merging.Merge(desk.conversation.id, person.id, join))
    desk.pending.update(conversations, other.id, {"form": None})  # it goes on in this turn
    _take_word(desk, other)
    _take_cases(desk, other.id)
    for name in ("language", "greeted_at", "privacy_version", "privacy_told_at"):  # as the two will be one
        setattr(person, name, getattr(person, name) or getattr(desk.resident, name))
    desk.resident = person
    desk.homes = homes_of(desk, person.id)
    return Joined(other.id, other.form)


def _one(desk: Desk, conversation_id: UUID) -> Row:
    found = conversation_store.get(desk.conn, conversation_id)
    assert found is not None
    return found


def _take_word(desk: Desk, other: Conversation) -> None:
    """Whoever has the other conversation, or is waited for in it, has this message, too."""
    mine = desk.conversation
    if other.mode == "bot" or mine.mode != "bot":
        return
    desk.change(
        mine, mode=other.mode, owner_id=other.owner_id, owned_until=other.owned_until,
        waiting_since=other.waiting_since,
    )  # fmt: skip


def _take_cases(desk: Desk, other_id: UUID) -> None:
    since = desk.now - timedelta(days=desk.settings.remember_days)
    desk.orders[:0] = _of(WorkOrder, work_orders.recent_of(desk.conn, [other_id], since), other_id)
    desk.complaints[:0] = _of(Complaint, complaints.recent_of(desk.conn, [other_id], since), other_id)
    desk.affairs[:0] = _of(Affair, affairs.recent_of(desk.conn, [other_id], since), other_id)
    standing = alarms.of_conversations(desk.conn, [other_id])
    if desk.alarm is None and other_id in standing:
        desk.alarm = Alarm.of(standing[other_id])


def _of(kind: Any, found: Mapping[UUID, list[Row]], key: UUID) -> list[Any]:
    return [kind.of(row) for row in found.get(key, ())]


def part(desk: Desk, identity_id: UUID) -> bool:
    """An address is nobody's any more, and takes along what came by it; False where somebody is in the way."""
    identity = residents.get_identity(desk.conn, identity_id)
    assert identity is not None
    source = merging.conversation_for(desk.conn, identity["resident_id"], desk.now)
    if not merging.hold(desk.conn, [source]):
        return False
    desk.pending.moves.append(merging.Split(source, identity_id))
    return True


def add_home(desk: Desk, person: Resident, home_id: UUID, community_id: UUID, role: str, until: Any = None) -> None:
    """The register gains a line: a person has confirmed it."""
    row = {
        "id": new_id(), "community_id": community_id, "resident_id": person.id, "home_id": home_id, "role": role,
        "payer": False, "since": desk.world.local(desk.now).date(), "until": until,
    }  # fmt: skip
    desk.pending.insert(residents.households, row)


def add_homes_of(desk: Desk, other: Resident) -> None:
    """Another entry of the same person: its homes are theirs here, too."""
    residents.homes_copied(desk.conn, other.id, desk.resident.id, desk.world.local(desk.now).date())
    desk.homes = homes_of(desk, desk.resident.id)


def sleep(desk: Desk, home: Home) -> None:
    """The resident does not want to see this home here any more; the register keeps it."""
    assert home.household_id is not None
    desk.pending.update(residents.households, home.household_id, {"asleep_at": desk.now})
    desk.homes = [kept for kept in desk.homes if kept.id != home.id]


def wake(desk: Desk, home_id: UUID) -> None:
    """A home that slept, bound again."""
    household_id = residents.asleep(desk.conn, desk.resident.id, home_id)
    if household_id is not None:
        desk.pending.update(residents.households, household_id, {"asleep_at": None})


# -- what was bound ---------------------------------------------------------------------------------------------------


def write_down(desk: Desk, method: str, state: str, **columns: Any) -> UUID:
    """Put a binding, or one that waits for a person, on record."""
    assert desk.incoming is not None
    row = {
        "id": new_id(), "community_id": desk.community_id, "identity_id": desk.incoming.identity.id, "method": method,
        "state": state, "created_at": desk.now, **columns,
    }  # fmt: skip
    desk.pending.insert(bindings.bindings, row)
    return UUID(str(row["id"]))


def settle(desk: Desk, binding_id: UUID, state: str) -> None:
    changes = {"state": state, "settled_at": desk.now, "settled_by": desk.staff_id, "dedupe_key": None}
    desk.pending.update(bindings.bindings, binding_id, changes)


def binding(desk: Desk, binding_id: UUID) -> Row | None:
    return bindings.get(desk.conn, binding_id)


def end_tasks(desk: Desk, keys: Sequence[str], result: str) -> None:
    """The reason of these call tasks is gone."""
    alarms.end_tasks(desk.conn, keys, result, desk.now)


def settle_all(desk: Desk, identity_id: UUID, state: str, *, was: str) -> None:
    """End all bindings of an address that are in the state `was`."""
    for binding_id in bindings.ids_of(desk.conn, identity_id, was):
        settle(desk, binding_id, state)


def told_to(desk: Desk, identity_id: UUID) -> Row | None:
    """The binding that this address was told of lately and may object to."""
    since = desk.now - timedelta(days=desk.settings.binding_objection_days)
    return bindings.told_to(desk.conn, identity_id, since)


# -- guessing ---------------------------------------------------------------------------------------------------------


def is_locked(desk: Desk, home_id: UUID | None = None) -> bool:
    """Whether this address, or anybody for this home, has failed too often."""
    assert desk.incoming is not None
    return bindings.locked(desk.conn, desk.incoming.identity.id, home_id, desk.now)


def failed(desk: Desk, home_id: UUID | None = None) -> bool:
    """Count a try that failed; True where it was one too many: nobody tries again for a while."""
    assert desk.incoming is not None
    settings, conn, who = desk.settings, desk.conn, desk.incoming.identity.id
    of_identity = bindings.tries_of_identity(conn, who, desk.now - timedelta(hours=1)) + 1
    of_home = bindings.tries_of_home(conn, home_id, desk.now - timedelta(days=1)) + 1 if home_id else 0
    last = of_identity >= settings.binding_tries_an_hour or of_home >= settings.binding_tries_a_day
    lock(desk, who, home_id, locked=last)
    return last


def lock(desk: Desk, identity_id: UUID, home_id: UUID | None = None, *, locked: bool = True) -> None:
    """Write down a try; `locked`: the last for a while."""
    until = desk.now + timedelta(hours=desk.settings.binding_locked_hours) if locked else None
    row = {
        "id": new_id(), "community_id": desk.community_id, "identity_id": identity_id, "home_id": home_id,
        "at": desk.now, "locked_until": until,
    }  # fmt: skip
    bindings.count_try(desk.conn, row)


# -- codes ------------------------------------------------------------------------------------------------------------


def make_code(conn: sa.Connection, kind: str, now: datetime, lasts: timedelta, **columns: Any) -> str:
    """A new one-time code: told once, kept only as a salted hash."""
    code, salt = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}", secrets.token_hex(16)
    row = {
        "id": new_id(), "kind": kind, "salt": salt, "code_hash": _hash(salt, code), "created_at": now,
        "expires_at": now + lasts, **columns,
    }  # fmt: skip
    bindings.add_code(conn, row)
    return code


def _hash(salt: str, code: str) -> str:
    return hashlib.blake2b(code.encode(), key=bytes.fromhex(salt), digest_size=32).hexdigest()


def find_code(desk: Desk, code: str) -> Row | None:
    """The open code that these digits are. All are compared, each in constant time."""
    fits = [
        row for row in bindings.open_codes(desk.conn, desk.now)
        if hmac.compare_digest(row["code_hash"], _hash(row["salt"], code))
    ]  # fmt: skip
    return fits[0] if fits else None


def use_code(desk: Desk, row: Mapping[str, Any]) -> bool:
    """Use it up; False where somebody was faster."""
    assert desk.incoming is not None
    return bindings.use_code(desk.conn, row["id"], desk.incoming.identity.id, desk.now)


def let_in(desk: Desk, code: Mapping[str, Any], staff_id: UUID) -> None:
    """The browser that shows this code is this colleague's."""
    desk.pending.update(bindings.codes, code["id"], {"staff_id": staff_id})


def set_staff(desk: Desk, identity_id: UUID, staff_id: UUID | None) -> None:
    desk.pending.update(residents.identities, identity_id, {"staff_id": staff_id})


# -- the registered phone ---------------------------------------------------------------------------------------------


def tell_phone(desk: Desk, person: Resident, text: str, told: Moment, *, lasts: timedelta | None = None) -> UUID | None:
    """Send `text`, or the approved text of `told`, to the phone on which `person` is registered; the identity it goes
    to. None: there is no way."""
    for key in planner.handsets(desk.world, person):
        identity = Identity.of(residents.handset(desk.conn, person.id, person.community_id, key, desk.now))
        conversation_id = merging.conversation_for(desk.conn, person.id, desk.now)
        tell(desk, identity, conversation_id, text, told.name, told=told, lasts=lasts)
        return identity.id
    return None


def can_tell_phone(desk: Desk, community_id: UUID) -> bool:
    """Whether there is a way to registered phones of a community at all."""
    return planner.reaches_phones(desk.world, community_id)


def tell(
    desk: Desk, identity: Identity, conversation_id: UUID, text: str, kind: str, *,
    told: Moment | None = None, lasts: timedelta | None = None,
) -> None:  # fmt: skip
    """Say something to an address other than the one that this turn answers; no takeover stops it."""
    said = planner.Text(text=text, kind=kind, lane=DIALOGUE, due_at=desk.now, told=told)
    for row in planner.rows(desk.world, said, identity, Conversation.of(_one(desk, conversation_id)), desk.now):
        row["expires_at"] = desk.now + lasts if lasts else None
        desk.pending.insert(outbox.outbox, row)


def identity(desk: Desk, identity_id: UUID) -> tuple[Identity, Resident, UUID]:
    """An address, who it is at present, and their conversation."""
    row = residents.get_identity(desk.conn, identity_id)
    assert row is not None
    person = resident(desk, row["resident_id"])
    assert person is not None
    return Identity.of(row), person, merging.conversation_for(desk.conn, person.id, desk.now)


def orders_of_homes(desk: Desk, homes: Sequence[Home]) -> list[tuple[WorkOrder, Home]]:
    """Open orders of these homes that others have reported, each with its home."""
    by_id = {home.id: home for home in homes}
    rows = work_orders.open_of_homes(desk.conn, list(by_id), desk.resident.id) if by_id else []
    return [(order, by_id[order.home_id]) for order in map(WorkOrder.of, rows) if order.home_id in by_id]
