"""The ledger of windows and quotas: what may be pushed to an address, known before the provider is asked (law 7)."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from bot.store import ways
from bot.store.ways import Heard
from bot.world import World
from channels.base import Capabilities

WINDOW_CLOSED = "WindowClosed: known before asking"
QUOTA_USED_UP = "QuotaUsedUp: known before asking"


class Ledger:
    """What the windows of some addresses hold at this moment: two statements, however many addresses."""

    def __init__(
        self, limits: Mapping[UUID, Capabilities], heard: Mapping[UUID, Heard], pushed: Mapping[UUID, list[datetime]],
        now: datetime,
    ) -> None:  # fmt: skip
        self._limits = limits
        self._heard = heard
        self._pushed = {identity_id: list(moments) for identity_id, moments in pushed.items()}
        self._now = now

    def closed(self, identity_id: UUID | None) -> str:
        """Why nothing may be pushed to an address; empty: it may."""
        limits = self._limits.get(identity_id) if identity_id is not None else None
        if limits is None or identity_id is None:
            return ""
        return _closed(limits, self._heard.get(identity_id, Heard()), self._pushed.get(identity_id, []), self._now)

    def push(self, identity_id: UUID) -> None:
        """A message goes to an address in this very round."""
        self._pushed.setdefault(identity_id, []).append(self._now)


def of(conn: sa.Connection, world: World, addresses: Iterable[tuple[UUID | None, str, str]], now: datetime) -> Ledger:
    """The ledger of these addresses: (identity, channel, account). Nothing is asked where none of them has a window."""
    limits: dict[UUID, Capabilities] = {}
    for identity_id, channel, account in addresses:
        found = world.capabilities.get((channel, account))
        if identity_id is not None and found is not None and found.push_window is not None:
            limits[identity_id] = found
    if not limits:
        return Ledger({}, {}, {}, now)
    ids = sorted(limits)
    since = now - max(_longest(one) for one in limits.values())
    return Ledger(limits, ways.heard(conn, ids, since), ways.pushed(conn, ids, since), now)


def _longest(limits: Capabilities) -> timedelta:
    return max(limits.push_window or timedelta(), limits.touch_window or timedelta())


def _closed(limits: Capabilities, heard: Heard, pushed: list[datetime], now: datetime) -> str:
    assert limits.push_window is not None
    last = heard.words
    is_open = last is not None and now - last <= limits.push_window
    touch = _touch(limits, heard, now) if is_open else _open_touch(limits, heard, now)
    in_touch = _between(pushed, touch, limits.touch_window)
    if touch is not None and _open_touch(limits, heard, now) is not None:
        if in_touch < limits.touch_quota:
            return ""
        if not is_open:
            return QUOTA_USED_UP
    if last is None or not is_open:
        return WINDOW_CLOSED
    # Which of two open windows a message uses is not documented: the shorter one is counted first, and where that is
    # wrong the provider has the last word.
    spent = sum(moment >= last for moment in pushed) - min(in_touch, limits.touch_quota)
    return QUOTA_USED_UP if limits.push_quota is not None and spent >= limits.push_quota else ""


def _open_touch(limits: Capabilities, heard: Heard, now: datetime) -> datetime | None:
    """The last touch, while its own window is open."""
    if heard.touch is None or limits.touch_window is None or now - heard.touch > limits.touch_window:
        return None
    return heard.touch


def _touch(limits: Capabilities, heard: Heard, now: datetime) -> datetime | None:
    """The last touch that still matters: its own window is open, or it lies inside that of the last message."""
    inside = heard.touch is not None and heard.words is not None and heard.touch >= heard.words
    return heard.touch if inside and limits.touch_window is not None else _open_touch(limits, heard, now)


def _between(pushed: list[datetime], begin: datetime | None, length: timedelta | None) -> int:
    """How many of these lie in a window of this length."""
    if begin is None or length is None:
        return 0
    return sum(begin <= moment < begin + length for moment in pushed)
