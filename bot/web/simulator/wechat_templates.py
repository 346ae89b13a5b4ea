"""Templates and subscriptions as the platform treats them: what is in the library, what fits, what a phone shows."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

Kind = Literal["template", "subscription"]

ONCE_FOR: Final = timedelta(minutes=10)
"""One `client_msg_id` reaches a follower once in so long (发送模板消息)."""
_CLOCK: Final = r"\d{1,2}:\d{2}(:\d{2})?"
_DAY: Final = r"\d{4}(年\d{1,2}月\d{1,2}日|[-/]\d{1,2}[-/]\d{1,2})"
_TAKES: Final[Mapping[str, str]] = {
    "thing": r"[^\n]{1,20}",
    "const": r"[^\n]{1,20}",
    "number": r"[\d.]{1,32}",
    "letter": r"[A-Za-z]{1,32}",
    "symbol": r"\W{1,5}",
    "character_string": r"[\x21-\x7e]{1,32}",
    "time": rf"({_DAY} ?)?{_CLOCK}(~({_DAY} ?)?{_CLOCK})?",
    "date": rf"{_DAY}( {_CLOCK})?",
    "amount": r"\W?\d{1,10}(\.\d+)?元?",
    "phone_number": r"[\d\W]{1,17}",
    "car_number": r"\w{1,8}",
    "name": r"[^\x00-\x7f]{1,10}|[A-Za-z ]{1,20}",
    "phrase": r"[\u4e00-\u9fff]{1,5}",
}
_CUT: Final = 20
_DROPPED: Final = re.compile("[\n\u2600-\u27bf\U0001f000-\U0001faff]")


class Listed(msgspec.Struct, frozen=True):
    """A template that the account has chosen: its title, and the name of each field by its key (thing1)."""

    title: str
    fields: Mapping[str, str]
    kind: Kind = "template"


class Templates:
    """What the account has, who has agreed to what, and what was sent already."""

    def __init__(self) -> None:
        self.listed: dict[str, Listed] = {}
        self.consents: dict[tuple[str, str], int] = {}
        """By openid and template id, how many one-time subscriptions are left."""
        self._sent: dict[tuple[str, str], tuple[int, datetime]] = {}
        self._number = 200228331

    def error(self, kind: Kind, payload: Mapping[str, object]) -> tuple[int, str]:
        """The errcode of a call with this payload, and words where there are some; 0 for none."""
        listed = self.listed.get(str(payload.get("template_id", "")))
        if listed is None or listed.kind != kind:
            return 40037, ""
        field = self.unfit(listed, payload.get("data"))
        return (47003, f"argument invalid! data.{field}.value invalid") if field else (0, "")

    def unfit(self, listed: Listed, data: object) -> str:
        """The first field that is missing, unknown, or holds what its kind does not take."""
        given = data if isinstance(data, dict) else {}
        for field in {**dict.fromkeys(listed.fields), **dict.fromkeys(given)}:
            if field not in listed.fields or not self._fits(listed.kind, field, given.get(field)):
                return str(field)
        return ""

    def _fits(self, kind: Kind, field: str, entry: object) -> bool:
        value = entry.get("value") if isinstance(entry, dict) else None
        if not isinstance(value, str) or not value:
            return False
        word = field.rstrip("0123456789")
        # A template cuts a long text silently, a subscription refuses it.
        shown = _shown(value) if kind == "template" and word == "thing" else value
        return re.fullmatch(_TAKES.get(word, ""), shown) is not None

    def card(self, template_id: str, data: Mapping[str, Mapping[str, str]]) -> str:
        """What the phone shows: the title, then a line a field."""
        listed = self.listed[template_id]
        lines = (f"{name}：{_shown(data[field]['value'])}" for field, name in listed.fields.items())
        return "\n".join([listed.title, *lines])

    def consent(self, openid: str, template_id: str) -> bool:
        """Use up one subscription; whether there was one."""
        left = self.consents.get((openid, template_id), 0)
        self.consents[openid, template_id] = max(0, left - 1)
        return left > 0

    def number(self, openid: str, client_msg_id: str, now: datetime) -> tuple[int, bool]:
        """The message's number, and whether it is new."""
        known = self._sent.get((openid, client_msg_id))
        if client_msg_id and known is not None and now - known[1] < ONCE_FOR:
            return known[0], False
        self._number += 1
        self._sent[openid, client_msg_id] = self._number, now
        return self._number, True


def _shown(value: str) -> str:
    return _DROPPED.sub("", value)[:_CUT]
