"""What runs for every message, or every few seconds, finds its rows by an index, however many rows there are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store import (
    alarm_sends,
    alarms,
    articles,
    bindings,
    jobs,
    joined,
    learning,
    locking,
    messages,
    outbox,
    parked,
    questions,
    residents,
    ways,
    work_orders,
)
from bot.store.base import new_id
from tests.support.clock import MONDAY as NOW
from tests.support.databases import opened

LEASE = timedelta(seconds=30)
IDS = [new_id(), new_id()]
KEYS = [("wechat", "main", "ann"), ("wechat", "main", "bob")]

HOT: dict[str, Callable[[sa.Connection], Any]] = {
    "who writes": lambda conn: residents.find_identities(conn, KEYS),
    "lock and load": lambda conn: locking.lock(conn, IDS, wait=False),
    "marks of passive replies": lambda conn: outbox.accepted(conn, [(IDS[0], None)], NOW),
    "marks of pushed rows": lambda conn: outbox.accepted(conn, [(IDS[0], "named")], NOW),
    "repeats": lambda conn: messages.find(conn, KEYS),
    "replies of repeats": lambda conn: outbox.passive_replies(conn, IDS),
    "what waits for the resident": lambda conn: outbox.unpark(conn, [(IDS[0], IDS[1])], NOW),
    "standing emergencies": lambda conn: alarms.of_conversations(conn, IDS),
    "claim": lambda conn: outbox.claim(conn, NOW, 20, LEASE),
    "claim beside a paused account": lambda conn: outbox.claim(conn, NOW, 20, LEASE, [("wechat", "main")]),
    "begin to send": lambda conn: outbox.begin_sending(conn, IDS, NOW, LEASE),
    "the ledger": lambda conn: (ways.heard(conn, IDS, NOW), ways.pushed(conn, IDS, NOW)),
    "the message budget": lambda conn: (joined.budgets(conn, IDS, NOW), joined.held(conn, IDS, IDS, NOW)),
    "what was joined": lambda conn: joined.members(conn, IDS),
    "a joined message apart": lambda conn: joined.part(conn, IDS[0], NOW, ""),
    "ways tried": lambda conn: ways.chain(conn, IDS[0]),
    "what waits anywhere": lambda conn: parked.waiting(conn, IDS),
    "hints without a reason": lambda conn: parked.cancel_hints(conn, IDS, NOW),
    "a takeover": lambda conn: outbox.cancel_fenced(conn, IDS[0], NOW),
    "what is still on its way": lambda conn: outbox.still_sending(conn, IDS[0]),
    "leases": lambda conn: (outbox.any_lapsed(conn, NOW), outbox.lapsed(conn, NOW, 10)),
    "what is queued": lambda conn: (outbox.next_due(conn, NOW), outbox.queued(conn)),
    "stored messages": lambda conn: (messages.any_stored(conn), messages.oldest_stored(conn, 10)),
    "timers": lambda conn: (jobs.due(conn, NOW, 10), jobs.next_due(conn)),
    "timers that wait for an answer": lambda conn: (
        jobs.unasked(conn, ["k"], NOW, NOW + LEASE, 10),
        jobs.begin_asking(conn, IDS),
        jobs.answered(conn, IDS[0], {}, NOW),
    ),
    "timers about a message": lambda conn: jobs.about(conn, IDS[0], ["k"]),
    "the message of a timer": lambda conn: messages.by_id(conn, IDS[0]),
    "timers without a reason": lambda conn: jobs.cancel(conn, IDS, ["k"], NOW),
    "alarm ways": lambda conn: (
        alarm_sends.next_due(conn),
        alarm_sends.unannounced(conn),
        alarm_sends.claim(conn, NOW, 20, LEASE),
    ),
    "leases of alarm ways": lambda conn: alarm_sends.release_lapsed(conn, NOW),
    "an alarm was taken": lambda conn: alarm_sends.cancel_calls(conn, IDS[0], NOW),
    "ways of an alarm": lambda conn: (
        alarm_sends.robots_told(conn, IDS[0]),
        alarm_sends.was_accepted(conn, IDS[0]),
        alarm_sends.of_alarms(conn, IDS),
    ),
    "the last drill": alarm_sends.latest_drill,
    "whether staff have taught something": learning.revision,
    "what staff have taught": lambda conn: (learning.live(conn), learning.holding(conn), learning.count_open(conn)),
    "which articles are released": articles.stamp,
    "questions of no group": lambda conn: questions.ungrouped(conn, 10),
    "questions of a community": lambda conn: questions.known(conn, IDS[0], 10),
    "questions of a group": lambda conn: questions.of_groups(conn, IDS),
    "whose number it is": lambda conn: residents.with_phone(conn, ["+8613800138000", "13800138000"]),
    "who belongs to a home": lambda conn: residents.members_of(conn, IDS[0], NOW.date()),
    "an objection": lambda conn: bindings.told_to(conn, IDS[0], NOW),
    "tries to bind": lambda conn: (
        bindings.locked(conn, IDS[0], IDS[1], NOW),
        bindings.tries_of_identity(conn, IDS[0], NOW),
        bindings.tries_of_home(conn, IDS[1], NOW),
    ),
    "open codes": lambda conn: bindings.open_codes(conn, NOW),
    "orders of a household": lambda conn: work_orders.open_of_homes(conn, IDS, IDS[0]),
    "a receipt": lambda conn: outbox.receipt(conn, "wechat", "main", "p1", "delivered", "", NOW),
}
SMALL = (
    "ix_alarm_sends_queued",
    "ix_alarms_unannounced",
    "ix_corrections_holding",
    "ix_corrections_open",
    "ix_messages_stored",
    "ix_outbox_in_flight",
    "ix_outbox_queued",
    "ix_questions_new",
    "uq_articles_released",
)
ALLOWED = ("json_each", "CONSTANT ROW", "anon_1", *SMALL)
"""Not tables: a parameter, a subquery; and the indexes that hold nothing but what is asked for."""


@pytest.mark.parametrize("name", HOT)
async def test_no_table_is_read_from_end_to_end(sqlite_url: str, name: str) -> None:
    async with opened(sqlite_url) as database:
        plans = await database.write(_plans, HOT[name])
    assert plans, "nothing was asked of the database"
    scans = [step for step in plans if step.startswith("SCAN") and not any(word in step for word in ALLOWED)]
    assert scans == []


def _plans(conn: sa.Connection, f: Callable[[sa.Connection], Any]) -> list[str]:
    heard: list[tuple[str, Any]] = []

    def hear(conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        del conn, cursor, context
        heard.append((statement, parameters[0] if many else parameters))

    sa.event.listen(conn, "before_cursor_execute", hear)
    f(conn)
    sa.event.remove(conn, "before_cursor_execute", hear)
    return [
        str(step[3])
        for statement, parameters in heard
        for step in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    ]
