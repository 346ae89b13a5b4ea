"""The message budget (desk.md section 13): what nobody asked for is never said twice within minutes, but joined.

A joined message is a row of its own that carries the texts of others. They go with it, have its outcome, and are told
apart again when it did not go out: then each looks for its own way. It lives for one attempt.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from bot import planner
from bot.store import joined, outbox
from bot.store.base import Row, new_id
from bot.store.joined import Budget
from bot.store.outbox import HINT, JOINED, PROGRESS
from bot.world import World
from channels.text import size


def in_time(conn: sa.Connection, world: World, rows: Sequence[Row], now: datetime) -> list[Row]:
    """The rows that may go now; what is unasked and comes too soon after another is put off."""
    unasked = [row for row in rows if is_unasked(row)]
    if not unasked:
        return list(rows)
    apart = timedelta(minutes=world.settings.delivery.join_minutes)
    budgets = joined.budgets(conn, list({row["conversation_id"] for row in unasked}), now - apart)
    put_off: dict[datetime, list[UUID]] = {}
    for row in unasked:
        budget = budgets[row["conversation_id"]]
        if budget.said_at is not None and budget.said_at + apart > now and not _is_fresh(world, budget, now):
            put_off.setdefault(budget.said_at + apart, []).append(row["id"])
    for due_at, ids in put_off.items():
        joined.put_off(conn, ids, due_at)
    gone = {row_id for ids in put_off.values() for row_id in ids}
    return [row for row in rows if row["id"] not in gone]


def is_unasked(row: Row) -> bool:
    """Whether nobody asked for a text. A later piece of a long one follows the first at once."""
    return row["lane"] >= PROGRESS and row["part_of"] in {None, row["id"]}


def _is_fresh(world: World, budget: Budget, now: datetime) -> bool:
    return planner.is_fresh(world.settings.desk, budget.last_inbound_at, now)


def join(conn: sa.Connection, world: World, rows: Sequence[Row], now: datetime) -> list[Row]:
    """The same rows, where each of those unasked takes along all else that its resident is to hear unasked."""
    unasked = [row for row in rows if is_unasked(row)]
    if not unasked:
        return list(rows)
    ids = list({row["conversation_id"] for row in unasked})
    budgets = joined.budgets(conn, ids, now)
    waiting = [conversation for conversation in ids if not _is_fresh(world, budgets[conversation], now)]
    if not waiting:
        return list(rows)
    held = joined.held(conn, waiting, [row["id"] for row in unasked], now)
    going = {row["id"]: row for row in rows}
    for conversation_id in waiting:
        mine = [row for row in unasked if row["conversation_id"] == conversation_id]
        mine.sort(key=lambda row: row["identity_id"] != budgets[conversation_id].last_identity_id)
        others = [row for row in held if row["conversation_id"] == conversation_id]
        _one_message(conn, world, mine, others, going, now)
    return list(going.values())


def _one_message(
    conn: sa.Connection, world: World, heads: Sequence[Row], held: Sequence[Row], going: dict[UUID, Row], now: datetime
) -> None:
    """What goes to one resident in this round: the first head, with all that fits; another head comes later."""
    head = heads[0]
    members = _fitting(world, head, held)
    if len(members) > 1:
        carrier = _carrier(members, head, now)
        outbox.add(conn, [carrier])
        joined.join(conn, [row["id"] for row in members], carrier, now)
        del going[head["id"]]
        going[carrier["id"]] = carrier
    taken = {row["id"] for row in members}
    later = [row["id"] for row in heads[1:]]
    for row_id in later:
        going.pop(row_id, None)
    apart = timedelta(minutes=world.settings.delivery.join_minutes)
    joined.put_off(conn, [row_id for row_id in later if row_id not in taken], now + apart)


def _fitting(world: World, head: Row, held: Iterable[Row]) -> list[Row]:
    """The head with all that can stand in one message with it: one question at most, and no more than the provider
    takes."""
    limits = world.capabilities.get((head["channel"], head["account"]))
    found = [head]
    if limits is None or limits.templates_only or not _can_join(head):
        return found
    length = size(head["text"], limits.text_unit)
    for row in held:
        more = size("\n" + row["text"], limits.text_unit)
        asks = bool(row["without_question"]) and any(one["without_question"] for one in found)
        if row["id"] != head["id"] and _can_join(row) and not asks and length + more <= limits.text_limit:
            found.append(row)
            length += more
    return sorted(found, key=lambda row: (bool(row["without_question"]), row["id"]))


def _can_join(row: Row) -> bool:
    whole = row["part_of"] is None and row["route"] == "push"
    return bool(whole and row["kind"] != HINT and row["fence"] is None)


def _carrier(members: Sequence[Row], head: Row, now: datetime) -> Row:
    """The message that carries these texts, the question last."""
    last = members[-1]
    before = [row["text"] for row in members[:-1]]
    first = min(members, key=lambda row: str(row["id"]))
    asks = last["without_question"]
    return {
        **head, "id": new_id(), "origin_id": first["origin_id"] or first["id"], "kind": JOINED,
        "lane": min(row["lane"] for row in members), "text": "\n".join([*before, last["text"]]),
        "choices": last["choices"], "without_question": "\n".join([*before, asks]) if asks else None,
        "case_kind": last["case_kind"] if asks else None, "case_id": last["case_id"] if asks else None,
        "attempts": max(row["attempts"] for row in members), "due_at": now, "created_at": now, "moment": None,
        "values": None, "dedupe_key": None, "error": "",
    }  # fmt: skip


def members_of(conn: sa.Connection, rows: Iterable[Row]) -> Mapping[UUID, list[Row]]:
    """By joined message among these rows, what it carries."""
    ids = [row["id"] for row in rows if row["kind"] == JOINED]
    return joined.members(conn, ids) if ids else {}
