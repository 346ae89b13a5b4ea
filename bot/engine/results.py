"""What the result of a send means for its row, its recipient and the people who have to know (laws 5, 6, 7, 12)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.settings import DeliverySettings
from bot.store import alarms, conversations, messages, outbox, residents, work_orders
from bot.store.base import Row, new_id
from bot.store.database import notify
from bot.world import World
from channels.base import Capabilities
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
    taken = [sent for sent in done if sent.result is not None]
    outbox.accepted(conn, [(sent.row["id"], sent.result.provider_id) for sent in taken if sent.result], now)
    alarms.end_tasks(conn, [_task_key(sent.row) for sent in taken], SENT_AFTER_ALL, now)
    for account in sorted({_account(sent.row) for sent in taken}):
        alarms.close_standing(conn, f"channel:{account}:", RECOVERED, now)
    for sent in sorted(done, key=lambda sent: str(sent.row["id"])):
        if sent.error is not None:
            _write_error(conn, world, sent.row, sent.error, now, settings)
    notify(conn)


def _write_error(
    conn: sa.Connection, world: World, row: Row, error: SendError, now: datetime, settings: DeliverySettings
) -> None:
    if isinstance(error, WindowClosed | QuotaUsedUp):
        park(conn, row, now, error.detail)
    elif isinstance(error, OutcomeUnknown):
        unknown(conn, world, row, now, error.detail)
    elif isinstance(error, Later) and error.throttled:
        outbox.again(conn, row["id"], now + timedelta(seconds=error.after), error.detail, throttled=True)
    elif isinstance(error, Later) and now - row["created_at"] < timedelta(hours=settings.give_up_hours):
        _again(conn, row, error, now, settings)
    elif isinstance(error, Misconfigured):
        outbox.again(conn, row["id"], now + timedelta(minutes=5), error.detail, throttled=True)
        _channel_down(conn, row, error, now)
    else:
        fail(conn, row, error, now)


def _again(conn: sa.Connection, row: Row, error: SendError, now: datetime, settings: DeliverySettings) -> None:
    """A failure that may pass is tried again; past the first tries a person phones, and the desk hears of it."""
    outbox.again(conn, row["id"], now + _back_off(row["attempts"], settings), error.detail, throttled=False)
    if row["attempts"] >= settings.attempts:
        _channel_down(conn, row, error, now)
        if row["lane"] != outbox.NOTICE:
            _call_task(conn, row, now)


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


def park(conn: sa.Connection, row: Row, now: datetime, reason: str) -> None:
    """The window is closed: the row waits for the resident's next message, and a person is asked to phone what cannot
    wait."""
    outbox.settle(conn, row["id"], "waiting", now, reason)
    if row["lane"] != outbox.NOTICE:
        _call_task(conn, row, now)


def unknown(conn: sa.Connection, world: World, row: Row, now: datetime, reason: str) -> None:
    """Nobody knows whether it went out. What a resident must not miss is sent once more, as a new row that points to
    the first."""
    outbox.settle(conn, row["id"], "unknown", now, reason)
    limits = world.capabilities.get((row["channel"], row["account"]))
    if row["origin_id"] is None and (_owed(row) or (limits is not None and limits.resend_unknown)):
        outbox.add(
            conn, [{**row, **_fresh(now), "id": new_id(), "origin_id": row["id"], "dedupe_key": f"again:{row['id']}"}]
        )


def _owed(row: Row) -> bool:
    """Advice in danger, and the number of a case: better heard twice than never (design.md section 5)."""
    return bool(row["lane"] == outbox.EMERGENCY or row["kind"] == "recorded")


def _fresh(now: datetime) -> Row:
    return {
        "route": "push", "status": "queued", "attempts": 0, "due_at": now, "lease_until": None, "sent_at": None,
        "settled_at": None,
        "provider_id": None, "error": "", "created_at": now, "reply_to": None,
    }  # fmt: skip


def fail(conn: sa.Connection, row: Row, error: SendError, now: datetime) -> None:
    """A permanent failure: it stands in the conversation, and a person phones the resident (law 12)."""
    outbox.settle(conn, row["id"], "failed", now, f"{type(error).__name__}: {error.detail}")
    if isinstance(error, TemplateRefused):
        _template_refused(conn, row, error, now)
    if isinstance(error, Blocked):
        residents.mark_reachable(conn, row["channel"], row["account"], [row["address"]], reachable=False)
    _call_task(conn, row, now)


def _template_refused(conn: sa.Connection, row: Row, error: TemplateRefused, now: datetime) -> None:
    """One alarm a day and template: nothing goes out by it until somebody mends it."""
    key = f"template:{_account(row)}:{error.moment}:{now:%Y-%m-%d}"
    alarm(
        conn, row["community_id"], "template", f"{_account(row)} templates.{error.moment}: {error.detail}", now, key=key
    )


def _call_task(conn: sa.Connection, row: Row, now: datetime) -> None:
    resident_id = conversations.resident_of(conn, row["conversation_id"])
    alarms.add_task(
        conn,
        {
            "id": new_id(), "community_id": row["community_id"], "conversation_id": row["conversation_id"],
            "resident_id": resident_id,
            "case_kind": row["case_kind"], "case_id": row["case_id"], "kind": "tell",
            "phone": residents.phone_of(conn, resident_id),
            "text": row["text"], "due_at": now, "owner_id": None, "state": "open", "result": "", "done_by": None,
            "done_at": None,
            "created_at": now, "dedupe_key": _task_key(row),
        },
    )  # fmt: skip


def _task_key(row: Row) -> str:
    return f"tell:{row['origin_id'] or row['id']}"


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


def within_window(conn: sa.Connection, world: World, rows: Sequence[Row], now: datetime) -> list[Row]:
    """The rows that the ledger lets out (law 7); the rest are parked without asking the provider."""
    going: Counter[UUID] = Counter()
    open_rows = []
    for row in rows:
        reason = _closed(conn, world, row, now, going[row["identity_id"]])
        if reason:
            park(conn, row, now, reason)
        else:
            going[row["identity_id"]] += 1
            open_rows.append(row)
    return open_rows


def _closed(conn: sa.Connection, world: World, row: Row, now: datetime, going: int) -> str:
    """Why the ledger holds a row back. `going`: how many go to this address in the same round."""
    limits = world.capabilities.get((row["channel"], row["account"]))
    if limits is None or limits.push_window is None:
        return ""
    identity_id = row["identity_id"]
    last = messages.last_received(conn, identity_id)
    is_open = last is not None and now - last <= limits.push_window
    touch = _last_touch(conn, limits, identity_id, last if is_open else None, now)
    in_touch = _pushed_in_touch(conn, limits, identity_id, touch)
    if touch is not None and limits.touch_window and now - touch <= limits.touch_window:
        if in_touch + going < limits.touch_quota:
            return ""
        if not is_open:
            return "quota used up"
    if last is None or not is_open:
        return "window closed"
    # Which of two open windows a message uses is not documented: the shorter one is counted first, and where that is
    # wrong the provider has the last word.
    spent = outbox.pushed_since(conn, identity_id, last) - min(in_touch, limits.touch_quota)
    return "quota used up" if limits.push_quota is not None and spent + going >= limits.push_quota else ""


def _last_touch(
    conn: sa.Connection, limits: Capabilities, identity_id: UUID, last: datetime | None, now: datetime
) -> datetime | None:
    """The last touch that still matters: its own window is open, or it lies inside that of the last message."""
    if limits.touch_window is None:
        return None
    since = now - limits.touch_window
    return messages.last_touch(conn, identity_id, min(since, last) if last else since)


def _pushed_in_touch(conn: sa.Connection, limits: Capabilities, identity_id: UUID, touch: datetime | None) -> int:
    if touch is None or limits.touch_window is None:
        return 0
    return outbox.pushed_since(conn, identity_id, touch, touch + limits.touch_window)


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
