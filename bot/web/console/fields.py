"""What a form sent, checked. A wrong field raises `FieldError` with the key of its sentence."""

from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bot.errors import FrontdeskError
from channels.text import clean

LONGEST = 2000


class FieldError(FrontdeskError):
    """A field is missing or does not fit."""


def text(fields: Mapping[str, Any], name: str, longest: int = LONGEST) -> str:
    """Free text, cleaned; empty where there is none."""
    value = fields.get(name, "")
    words = clean(value).strip() if isinstance(value, str) else ""
    if len(words) > longest:
        raise FieldError("too_long")
    return words


def needed(fields: Mapping[str, Any], name: str, longest: int = LONGEST) -> str:
    words = text(fields, name, longest)
    if not words:
        raise FieldError("missing")
    return words


def choice(fields: Mapping[str, Any], name: str, among: Container[str]) -> str:
    """A value of a closed list."""
    value = str(fields.get(name, ""))
    if value not in among:
        raise FieldError("missing" if not value else "not_a_choice")
    return value


def ident(fields: Mapping[str, Any], name: str) -> UUID:
    try:
        return UUID(str(fields.get(name, "")))
    except ValueError:
        raise FieldError("missing") from None


def moment(fields: Mapping[str, Any], day: str, clock: str, zone: ZoneInfo) -> datetime:
    """A date and a time of day as the community's clock shows them."""
    try:
        local = datetime.fromisoformat(f"{fields.get(day, '')}T{fields.get(clock, '')}")
    except ValueError:
        raise FieldError("no_time") from None
    return local.replace(tzinfo=zone)


def slot(fields: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """When somebody comes: a day, from and to; not in the past."""
    start, end = moment(fields, "day", "from", zone), moment(fields, "day", "to", zone)
    if end <= start:
        raise FieldError("slot_backwards")
    if end <= now:
        raise FieldError("slot_past")
    return start, end
