"""Access tokens as the platform gives them (获取稳定版接口调用凭据; 获取接口调用凭据)."""

import secrets
from datetime import datetime, timedelta
from typing import Final

_LIFE: Final = timedelta(seconds=7200)
_OVERLAP: Final = timedelta(minutes=5)


class Tokens:
    """The stable token and the one of `/cgi-bin/token`, which do not touch each other."""

    def __init__(self) -> None:
        self._valid_until: dict[str, datetime] = {}
        self._stable = ""
        self._plain = ""

    def stable(self, now: datetime, *, force: bool) -> tuple[str, int]:
        """The stable token and its life in seconds: the same one while it lives, a new one in its last five minutes."""
        if force:
            self._valid_until.pop(self._stable, None)
        if self._valid_until.get(self._stable, now) <= now + _OVERLAP:
            self._stable = self._new(now)
        return self._stable, int((self._valid_until[self._stable] - now).total_seconds())

    def plain(self, now: datetime) -> tuple[str, int]:
        """A new token; the one before it lives five minutes more."""
        if self._plain in self._valid_until:
            self._valid_until[self._plain] = min(self._valid_until[self._plain], now + _OVERLAP)
        self._plain = self._new(now)
        return self._plain, int(_LIFE.total_seconds())

    def error(self, token: str, now: datetime) -> int:
        """The errcode for a call with `token`, 0 for none."""
        if not token:
            return 41001
        if token not in self._valid_until:
            return 40001
        return 42001 if self._valid_until[token] <= now else 0

    def expire(self, now: datetime) -> None:
        """Every token is over: 42001."""
        self._valid_until = dict.fromkeys(self._valid_until, now)

    def revoke(self) -> None:
        """Every token is forgotten, as after a change of the secret: 40001."""
        self._valid_until.clear()

    def _new(self, now: datetime) -> str:
        token = f"{len(self._valid_until) + 1}_{secrets.token_urlsafe(96)}"
        self._valid_until[token] = now + _LIFE
        return token
