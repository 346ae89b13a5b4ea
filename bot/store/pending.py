"""What a turn wants written: collected while it runs, written together, one statement a table (design.md section 5)."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from bot.store import events, jobs, merging, numbers, outbox
from bot.store.affairs import affairs
from bot.store.alarm_sends import alarm_sends
from bot.store.alarms import alarms, alerts, call_tasks, follow_ups
from bot.store.articles import ratings
from bot.store.base import Row, insert, insert_new, insert_once, update_by_id
from bot.store.bindings import bindings, codes
from bot.store.complaints import complaints
from bot.store.conversations import conversations
from bot.store.database import notify
from bot.store.events import case_events, promises
from bot.store.messages import adopt, attachments, messages
from bot.store.questions import questions
from bot.store.residents import households, identities, residents
from bot.store.staff import audit
from bot.store.work_orders import work_orders

_INSERTS = (
    households,
    work_orders,
    complaints,
    affairs,
    case_events,
    promises,
    alarms,
    alerts,
    alarm_sends,
    call_tasks,
    follow_ups,
    attachments,
    outbox.outbox,
    bindings,
    audit,
    questions,
    ratings,
)
"""In this order the rows of one turn may point at each other."""

_ONCE = (households, call_tasks, follow_ups, outbox.outbox, bindings)
"""Tables with a key that says a thing once: a row that stands already is left as it is."""

_UPDATES = (
    residents,
    households,
    identities,
    conversations,
    messages,
    work_orders,
    complaints,
    affairs,
    alarms,
    call_tasks,
    follow_ups,
    questions,
    bindings,
    codes,
)
"""In lock order."""


class Pending:
    """The rows of one turn."""

    def __init__(self) -> None:
        self.inserts: dict[sa.Table, list[Row]] = {}
        self.updates: dict[sa.Table, dict[UUID, Row]] = {}
        self.timers: list[Row] = []
        self.cancelled_timers: list[tuple[UUID, tuple[str, ...]]] = []
        self.kept_promises: list[tuple[UUID, tuple[str, ...]]] = []
        self.released_promises: list[tuple[UUID, tuple[str, ...]]] = []
        self.fences: list[UUID] = []
        self.reworded: list[tuple[Row, Callable[[Row], str]]] = []
        """Rows whose words are decided once their numbers are drawn, and by what."""
        self.adopted: list[tuple[UUID, datetime, str, UUID]] = []
        """(conversation, since, kind of case, case): pictures that came before their case."""
        self.numbers: list[tuple[str, str]] = []
        """(kind, mark): a number that is drawn last; until then texts and rows carry the mark."""
        self.moves: list[merging.Move] = []
        """Conversations that become one or two, after all else is written."""

    def insert(self, table: sa.Table, row: Row) -> None:
        self.inserts.setdefault(table, []).append(row)

    def update(self, table: sa.Table, row_id: UUID, changes: Row) -> None:
        """Change a row; one that is itself new is changed where it stands."""
        for row in self.inserts.get(table, ()):
            if row["id"] == row_id:
                row.update(changes)
                return
        self.updates.setdefault(table, {}).setdefault(row_id, {}).update(changes)


def flush(conn: sa.Connection, turns: Sequence[Pending], now: datetime, day: date) -> dict[str, str]:
    """Write all turns of a batch; the numbers that were drawn, by mark."""
    _write_updates(conn, turns)
    _keep_promises(conn, turns, now)
    drawn = _draw(conn, turns, day)
    # Before the inserts: what is said with the new number ("you are back with the desk") must not fall with the old.
    for conversation_id in sorted(fence for turn in turns for fence in turn.fences):
        outbox.cancel_fenced(conn, conversation_id, now)
    _write_inserts(conn, turns, drawn)
    _write_rest(conn, turns, now)
    merging.run(conn, [move for turn in turns for move in turn.moves], now)
    notify(conn)
    return drawn


def _write_inserts(conn: sa.Connection, turns: Sequence[Pending], drawn: dict[str, str]) -> None:
    raised: set[UUID] = set()
    for table in _INSERTS:
        rows = [_numbered(row, drawn) for turn in turns for row in turn.inserts.get(table, ())]
        if table is outbox.outbox:
            _reword(turns)
        if table is alarms:
            raised = insert_new(conn, alarms, rows)
        elif table in {alerts, alarm_sends}:  # of an alarm that stood already everybody knows
            insert_once(conn, table, [row for row in rows if row["alarm_id"] in raised or not _is_new(turns, row)])
        elif table in _ONCE:
            insert_once(conn, table, rows)
        else:
            insert(conn, table, rows)


def _reword(turns: Iterable[Pending]) -> None:
    for turn in turns:
        for row, words in turn.reworded:
            row["text"] = words(row)


def _is_new(turns: Iterable[Pending], call: Row) -> bool:
    """Whether the alarm of a call is raised in these very turns."""
    return any(row["id"] == call["alarm_id"] for turn in turns for row in turn.inserts.get(alarms, ()))


def _write_updates(conn: sa.Connection, turns: Iterable[Pending]) -> None:
    for table in _UPDATES:
        changes: dict[UUID, Row] = {}
        for turn in turns:
            for row_id, change in turn.updates.get(table, {}).items():
                changes.setdefault(row_id, {}).update(change)
        update_by_id(conn, table, changes)


def _keep_promises(conn: sa.Connection, turns: Iterable[Pending], now: datetime) -> None:
    """Before the inserts: what a turn promises anew is neither kept nor released by the act that promises it."""
    for turn in turns:
        for case_id, what in turn.kept_promises:
            events.keep_promises(conn, [case_id], what, now)
        for case_id, what in turn.released_promises:
            events.release_promises(conn, [case_id], what, now)


def _draw(conn: sa.Connection, turns: Iterable[Pending], day: date) -> dict[str, str]:
    marks: dict[str, list[str]] = {}
    for turn in turns:
        for kind, mark in turn.numbers:
            marks.setdefault(kind, []).append(mark)
    drawn: dict[str, str] = {}
    for kind in sorted(marks):
        drawn.update(zip(marks[kind], numbers.draw(conn, kind, day, len(marks[kind])), strict=True))
    return drawn


def numbered(text: str, drawn: dict[str, str]) -> str:
    """`text` with the numbers in place of their marks."""
    for mark, number in drawn.items():
        if mark in text:
            text = text.replace(mark, number)
    return text


def _numbered(row: Row, drawn: dict[str, str]) -> Row:
    if drawn:
        for column in ("number", "text", "without_question", "summary"):
            value = row.get(column)
            if isinstance(value, str):
                row[column] = numbered(value, drawn)
        if row.get("values"):
            row["values"] = {name: numbered(value, drawn) for name, value in row["values"].items()}
    return row


def _write_rest(conn: sa.Connection, turns: Iterable[Pending], now: datetime) -> None:
    timers: list[Row] = []
    for turn in turns:
        for ref, kinds in turn.cancelled_timers:
            jobs.cancel(conn, [ref], kinds, now)
        for conversation_id, since, case_kind, case_id in turn.adopted:
            adopt(conn, conversation_id, since, case_kind, case_id)
        timers.extend(turn.timers)
    jobs.schedule(conn, timers)
