"""Passive replies between the commit of their turn and the mark that says what became of them (design.md section 5).

The same text may be in the hands of several live requests at once: the first and its repeats. It goes the other way
only when none of them could write it, and from then on no request gets it.
"""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from bot.clock import Clock
from bot.engine.turn import Marks

MARKS_WAIT = timedelta(seconds=0.25)
"""A mark that found no batch to ride in is written by itself after this long."""
MARKS_AGAIN = timedelta(seconds=2)
"""Marks that could not be written are tried again by themselves, and hold up no batch."""


class Replies:
    """The passive replies of a process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: Counter[UUID] = Counter()
        self._written: set[UUID] = set()
        self._moved: set[UUID] = set()
        self._fresh = Marks()
        self._failed = Marks()
        self._fresh_due: datetime | None = None
        self._failed_due: datetime | None = None

    def hand(self, row_id: UUID) -> bool:
        """Give a reply to a live request, which says `written` or `unwritten` later; False: it went the other way."""
        if row_id in self._moved:
            return False
        self._held[row_id] += 1
        return True

    def written(self, row_id: UUID) -> None:
        self._let_go(row_id)
        if row_id not in self._written:
            self._written.add(row_id)
            self._mark(self._fresh.written, row_id)

    def unwritten(self, row_id: UUID) -> None:
        if self._let_go(row_id) or row_id in self._written or row_id in self._moved:
            return
        self._moved.add(row_id)
        self._mark(self._fresh.unwritten, row_id)

    def _let_go(self, row_id: UUID) -> int:
        """How many requests still hold it."""
        self._held[row_id] -= 1
        left = self._held[row_id]
        if left <= 0:
            del self._held[row_id]
        return max(left, 0)

    def _mark(self, marks: list[UUID], row_id: UUID) -> None:
        marks.append(row_id)
        self._fresh_due = self._fresh_due or self._clock.now() + MARKS_WAIT

    @property
    def due(self) -> datetime | None:
        """When marks have to be written by themselves."""
        return min(filter(None, (self._fresh_due, self._failed_due)), default=None)

    def take(self) -> Marks:
        """What rides in the next batch."""
        marks, self._fresh, self._fresh_due = self._fresh, Marks(), None
        return marks

    def take_all(self) -> Marks:
        """What is written by itself: those that failed, too."""
        failed, self._failed, self._failed_due = self._failed, Marks(), None
        fresh = self.take()
        return Marks(failed.written + fresh.written, failed.unwritten + fresh.unwritten)

    def done(self, marks: Marks) -> None:
        """These marks are in the database, or given up."""
        self._written.difference_update(marks.written)
        self._moved.difference_update(marks.unwritten)

    def failed(self, marks: Marks) -> None:
        """These could not be written."""
        if marks:
            self._failed.written += marks.written
            self._failed.unwritten += marks.unwritten
            self._failed_due = self._clock.now() + MARKS_AGAIN
