"""What the result of a send means for its row, its recipient and the people who have to know (laws 5, 6, 7, 12)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.engine import fallback, joining, ledger
from bot.settings import DeliverySettings
from bot.store import alarms, conversations, joined, outbox, residents, ways, work_orders
from bot.store.base import Row, new_id
from bot.store.database import notify
from bot.store.outbox import JOINED
from bot.world import World
from channels.errors import (
    Blocked,
    Later,
    Misconfigured,
    OutcomeUnknown,
    QuotaUsedUp,
    SendError,
    TemplateRefused,
    WindowClosed,
)
from channels.messages import SendResult

LONGEST_RETRY = timedelta(minutes=10)
RECOVERED = "已恢复 · recovered"
SENT_AFTER_ALL = "后来发出去了 · sent after all"


@dataclass(slots=True, frozen=True)
class Sent:
    """A row that was sent, with the provider's word or the error."""

    row: Row
    result: SendResult | None
    error: SendError | None


def write(conn: sa.Connection, world: World, done: Sequence[Sent], now: datetime, settings: DeliverySettings) -> None:
    """Write the results of a round."""
    done = _told_apart(conn, done, now)
    taken = [sent for sent in done if sent.result is not None]
    outbox.accepted(conn, [(sent.row["id"], sent.result.provider_id) for sent in taken if sent.result], now)
    alarms.end_tasks(conn, [fallback.task_key(sent.row) for sent in taken], SENT_AFTER_ALL, now)
    for account in sorted({_account(sent.row) for sent in taken}):
        alarms.close_standing(conn, f"channel:{account}:", RECOVERED, now)
    for sent in sorted(done, key=lambda sent: str(sent.row["id"])):
        if sent.error is not None:
            _write_error(conn, world, sent.row, sent.error, now, settings)
    notify(conn)


def _told_apart(conn: sa.Connection, done: Sequence[Sent], now: datetime) -> list[Sent]:
    """What a joined message carried has its result; where it went out for certain not, each text goes on by itself."""
    members = joining.members_of(conn, [sent.row for sent in done])
    found = list(done)
    for sent in done:
        result = SendResult() if sent.result else None
        found += [replace(sent, row=row, result=result) for row in members.get(sent.row["id"], ())]
        if sent.row["id"] in members and sent.error is not None and not isinstance(sent.error, OutcomeUnknown):
            joined.part(conn, sent.row["id"], now, sent.error.detail)
            found.remove(sent)
    return found


def _write_error(
    conn: sa.Connection, world: World, row: Row, error: SendError, now: datetime, settings: DeliverySettings
) -> None:
    if isinstance(error, WindowClosed | QuotaUsedUp):
        fallback.park(conn, world, row, now, _reason(error))
    elif isinstance(error, OutcomeUnknown):
        unknown(conn, world, row, now, error.detail)
    elif isinstance(error, Later | Misconfigured) and _presses(conn, world, row, error, now):
        return
    elif isinstance(error, Later) and error.throttled:
        outbox.again(conn, row["id"], now + timedelta(seconds=error.after), error.detail, throttled=True)
    elif isinstance(error, Later) and now - row["created_at"] < timedelta(hours=settings.give_up_hours):
        _again(conn, world, row, error, now, settings)
    elif isinstance(error, Misconfigured):
        outbox.again(conn, row["id"], now + timedelta(minutes=5), error.detail, throttled=True)
        _channel_down(conn, row, error, now)
    else:
        fail(conn, world, row, error, now)


def _reason(error: SendError) -> str:
    return f"{type(error).__name__}: {error.detail}"


def _presses(conn: sa.Connection, world: World, row: Row, error: SendError, now: datetime) -> bool:
    """In danger nothing waits for a channel that does not answer, as long as there is another."""
    if row["lane"] != outbox.EMERGENCY or not fallback.elsewhere(conn, world, row, now, _reason(error)):
        return False
    if not isinstance(error, Later):
        _channel_down(conn, row, error, now)
    return True


def _again(
    conn: sa.Connection, world: World, row: Row, error: SendError, now: datetime, settings: DeliverySettings
) -> None:
    """A failure that may pass is tried again; past the first tries another way is taken, or a person phones, and the
    desk hears of it."""
    lasts = row["attempts"] >= settings.attempts
    if lasts:
        _channel_down(conn, row, error, now)
    if lasts and fallback.elsewhere(conn, world, row, now, _reason(error)):
        return
    outbox.again(conn, row["id"], now + _back_off(row["attempts"], settings), error.detail, throttled=False)
    if lasts and row["lane"] != outbox.NOTICE:
        here = ways.whereabouts(conn, row["conversation_id"])
        fallback.call_task(conn, row, here, now, now, _reason(error))


def _channel_down(conn: sa.Connection, row: Row, error: SendError, now: datetime) -> None:
    """One alarm an account, which stands until something goes out again (law 12)."""
    account = _account(row)
    prefix = f"channel:{account}:"
    if not alarms.is_standing(conn, prefix):
        key = f"{prefix}{now.isoformat()}"
        alarm(conn, row["community_id"], "channel", f"{account}: {error.detail}", now, key=key)


def _account(row: Row) -> str:
    return f"{row['channel']}/{row['account']}"


def _back_off(attempts: int, settings: DeliverySettings) -> timedelta:
    return min(timedelta(seconds=settings.first_retry_seconds * 2 ** max(0, attempts - 1)), LONGEST_RETRY)


def unknown(conn: sa.Connection, world: World, row: Row, now: datetime, reason: str) -> None:
    """Nobody knows whether it went out. What a resident must not miss is sent once more, as a new row that points to
    the first, and where that is not known either, by another way; everything else is shown to staff."""
    outbox.settle(conn, row["id"], "unknown", now, reason)
    if row["kind"] == JOINED:
        return
    limits = world.capabilities.get((row["channel"], row["account"]))
    again = _owed(row) or (limits is not None and limits.resend_unknown)
    if again and row["origin_id"] is None:
        new = {**row, **fallback.fresh(now), "id": new_id(), "origin_id": row["id"], "route": _push_route(row)}
        outbox.add(conn, [{**new, "dedupe_key": f"again:{row['id']}"}])
    elif _owed(row):
        fallback.elsewhere(conn, world, row, now, reason)


def _push_route(row: Row) -> str:
    return "template" if row["route"] == "template" else "push"


def _owed(row: Row) -> bool:
    """Advice in danger, and the number of a case: better heard twice than never (design.md section 5)."""
    return bool(row["lane"] == outbox.EMERGENCY or row["kind"] == "recorded")


def fail(conn: sa.Connection, world: World, row: Row, error: SendError, now: datetime) -> None:
    """A permanent failure of one way."""
    if isinstance(error, TemplateRefused):
        _template_refused(conn, row, error, now)
    if isinstance(error, Blocked):
        residents.mark_reachable(conn, row["channel"], row["account"], [row["address"]], reachable=False)
    fallback.fail(conn, world, row, now, _reason(error))


def _template_refused(conn: sa.Connection, row: Row, error: TemplateRefused, now: datetime) -> None:
    """One alarm a day and template: nothing goes out by it until somebody mends it."""
    account = _account(row)
    key = f"template:{account}:{error.moment}:{now:%Y-%m-%d}"
    alarm(conn, row["community_id"], "template", f"{account} templates.{error.moment}: {error.detail}", now, key=key)


def alarm(
    conn: sa.Connection, community_id: UUID, kind: str, summary: str, now: datetime, *, key: str,
    conversation_id: UUID | None = None,
) -> None:  # fmt: skip
    """Tell a person, once a `key`."""
    alarms.raise_once(
        conn,
        {
            "id": new_id(), "community_id": community_id, "kind": kind, "conversation_id": conversation_id,
            "case_kind": None, "case_id": None, "summary": summary, "rung": 0, "raised_at": now, "acknowledge_by": None,
            "acknowledged_by": None, "acknowledged_at": None, "closed_by": None, "closed_at": None, "closing_note": "",
            "dedupe_key": key,
        },
    )  # fmt: skip


def in_force(conn: sa.Connection, rows: Sequence[Row], now: datetime) -> list[Row]:
    """The rows that still serve; a code that is not valid any more is told to nobody."""
    over = [row for row in rows if row["expires_at"] is not None and row["expires_at"] <= now]
    for row in over:
        outbox.settle(conn, row["id"], "expired", now, "no longer valid")
    return [row for row in rows if row not in over]


def within_window(conn: sa.Connection, world: World, rows: Sequence[Row], now: datetime) -> list[Row]:
    """The rows that the ledger lets out (law 7); the rest go another way without asking the provider."""
    pushed = [row for row in rows if row["route"] == "push"]
    book = ledger.of(conn, world, [(row["identity_id"], row["channel"], row["account"]) for row in pushed], now)
    open_rows = []
    for row in rows:
        reason = book.closed(row["identity_id"]) if row["route"] == "push" else ""
        if reason:
            fallback.park(conn, world, row, now, reason)
        else:
            book.push(row["identity_id"])
            open_rows.append(row)
    return open_rows


def without_questions(conn: sa.Connection, rows: Sequence[Row]) -> list[Row]:
    """A person has the conversation at the moment of sending: "done" goes without its question, and counts as not
    asked (law 8)."""
    asking = [row for row in rows if row["without_question"]]
    taken = conversations.with_person(conn, [row["conversation_id"] for row in asking]) if asking else set()
    changed: list[Row] = []
    for row in rows:
        if row["without_question"] and row["conversation_id"] in taken:
            row = {**row, "text": row["without_question"], "choices": None}  # noqa: PLW2901 - the row as it is sent
            outbox.set_text(conn, row["id"], row["text"])
            work_orders.unask(conn, row["case_kind"], row["case_id"])
        changed.append(row)
    return changed


def sweep(conn: sa.Connection, world: World, now: datetime) -> int:
    """Rows whose lease ended while they were being sent: a process died (law 5). How many."""
    rows: list[dict[str, Any]] = outbox.lapsed(conn, now, 100)
    for row in rows:
        unknown(conn, world, row, now, "the process ended while this was being sent")
    return len(rows)
