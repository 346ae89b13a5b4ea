"""A bounded count of failures in memory: nothing of it is stored, and it forgets by itself."""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta


class FailureLimit:
    """Refuses a key that failed too often lately."""

    def __init__(self, failures: int, within: timedelta, keys: int = 10_000) -> None:
        self._failures = failures
        self._within = within
        self._keys = keys
        self._seen: OrderedDict[Hashable, list[datetime]] = OrderedDict()

    def retry_after(self, key: Hashable, now: datetime) -> timedelta | None:
        """How long this key has to wait; None: it may try."""
        recent = self._recent(key, now)
        if len(recent) < self._failures:
            return None
        return recent[-self._failures] + self._within - now

    def failed(self, key: Hashable, now: datetime) -> None:
        recent = self._recent(key, now)
        recent.append(now)
        self._seen[key] = recent[-self._failures :]
        self._seen.move_to_end(key)
        while len(self._seen) > self._keys:
            self._seen.popitem(last=False)

    def passed(self, key: Hashable) -> None:
        self._seen.pop(key, None)

    def _recent(self, key: Hashable, now: datetime) -> list[datetime]:
        return [at for at in self._seen.get(key, ()) if now - at < self._within]

    def __len__(self) -> int:
        return len(self._seen)
