"""A provider's later word: receipts to outbox rows, and what happened to an address without a message."""

import contextlib
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bot.engine import joining, results
from bot.store import joined, messages, outbox, residents
from bot.store.base import new_id
from bot.world import World
from channels.errors import Blocked, Rejected
from channels.messages import ChannelEvent, Parsed, Receipt


def apply(conn: sa.Connection, world: World, parsed: Parsed, now: datetime) -> None:
    """Apply all receipts and events of one request. A repeat changes nothing."""
    for receipt in parsed.receipts:
        _receipt(conn, world, receipt, now)
    for event in parsed.events:
        _event(conn, event, now)


def _receipt(conn: sa.Connection, world: World, receipt: Receipt, now: datetime) -> None:
    row = outbox.receipt(
        conn, receipt.channel, receipt.account, receipt.provider_id, receipt.outcome, receipt.error, now,
        row_id=_uuid(receipt.row_id),
    )  # fmt: skip
    if row is None:
        return
    carried = joining.members_of(conn, [row]).get(row["id"], [])
    joined.follow(conn, [member["id"] for member in carried], receipt.outcome, receipt.error, now)
    if receipt.outcome == "failed":
        error = (Blocked if receipt.blocked else Rejected)(receipt.error)
        for one in carried or [row]:
            results.fail(conn, world, one, error, now)


def _uuid(text: str) -> UUID | None:
    """Our own name for a row, unless somebody else wrote there."""
    with contextlib.suppress(ValueError):
        return UUID(text)
    return None


def _event(conn: sa.Connection, event: ChannelEvent, now: datetime) -> None:
    if event.kind not in {"unfollowed", "returned"}:
        return
    row = {
        "id": new_id(), "channel": event.channel, "account": event.account, "external_id": event.external_id,
        "address": event.sender,
        "kind": event.kind, "key": event.key, "received_at": now, "raw": event.raw,
    }  # fmt: skip
    new = messages.store_events(conn, [row])
    if new:
        reachable = event.kind == "returned"
        residents.mark_reachable(conn, event.channel, event.account, [event.sender], reachable=reachable)
