"""Links that do one thing without a sign-in: signed and encrypted (Fernet) with the key of this installation.

The key is the file `key` in the data dir, made at the first start. Whoever has it can make links.
"""

import contextlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken

from bot.errors import SettingsError

FILE = "key"
PATH = "/alarm"
"""Where the links of alarms lead, below the public address."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a token stands for."""

    row_id: UUID
    made_at: datetime

    def lasts(self, now: datetime, minutes: int) -> bool:
        return now - self.made_at <= timedelta(minutes=minutes)


class Links:
    """Makes tokens and reads them."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    @classmethod
    def fresh(cls) -> "Links":
        """With a key of this process alone."""
        return cls(Fernet.generate_key())

    @classmethod
    def load(cls, data_dir: Path) -> "Links":
        """With the key of this installation. Raises `SettingsError` where it cannot be read or is none."""
        path = data_dir / FILE
        try:
            _make(path)
            return cls(path.read_bytes().strip())
        except OSError as error:
            raise SettingsError(f"the key of links cannot be read or made at {path}: {error.strerror}") from None
        except ValueError:
            raise SettingsError(f"{path} holds no key: remove it, and a new one is made at the next start") from None

    def token(self, row_id: UUID, now: datetime) -> str:
        return self._fernet.encrypt_at_time(row_id.bytes, int(now.timestamp())).decode()

    def read(self, token: str) -> Link | None:
        """What an authentic token stands for, however old it is; None: it is none of ours."""
        try:
            row_id = UUID(bytes=self._fernet.decrypt(token.encode()))
            return Link(row_id, datetime.fromtimestamp(self._fernet.extract_timestamp(token.encode()), UTC))
        except (InvalidToken, ValueError):
            return None


def _make(path: Path) -> None:
    """Write a key where there is none, for this user's eyes only. Of two processes the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return
    draft = path.with_name(f"{FILE}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(Fernet.generate_key())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)  # whole or not at all
    draft.unlink()
