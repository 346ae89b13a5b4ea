"""One line a record on standard error, JSON, without secrets and personal data (law 14)."""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

_PHONE = re.compile(r"(?<!\d)(?:\+?\d{1,3}[- ]?)?(\d{3})\d{4,6}(\d{2,4})(?!\d)")
_TOKEN = re.compile(r"(access_token|secret|password|token)=[^\s&\"']+", re.IGNORECASE)
_BOT_TOKEN = re.compile(r"\b(?:bot)?\d{5,20}:[A-Za-z0-9_-]{30,}")
"""Telegram's, which stands in every address of its API."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def scrub(text: str) -> str:
    """`text` without what looks like a phone number or a credential."""
    return _PHONE.sub(r"\1***\2", _TOKEN.sub(r"\1=***", _BOT_TOKEN.sub("***", text)))


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": scrub(record.getMessage()),
        }
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info:
            line["error"] = scrub(self.formatException(record.exc_info))
        return msgspec.json.encode(line, enc_hook=str).decode()


def set_up(level: str) -> None:
    """Send all records to standard error, one line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    quieten()


def quieten() -> None:
    """Let libraries that put addresses with tokens into their records tell only what went wrong."""
    for noisy in ("aiohttp.access", "httpx", "httpcore", "telegram", "alembic", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
