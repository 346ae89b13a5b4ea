"""Template messages (模板消息) and subscription notifications (订阅通知): what goes into which field of which template.

`templates.toml` beside this file says what a company applies for; an account's settings say under which id it got it.
"""

import difflib
import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Final, Literal, NamedTuple

import msgspec
import regex

from channels.errors import Rejected
from channels.text import clean, shorten_by_words

Kind = Literal["template", "subscription"]
Data = dict[str, dict[str, str]]
"""As both calls take it: `{"thing1": {"value": "…"}}`."""

TOLD_AT: Final = "told_at"
"""The value that every moment has: when it was said."""

_PLACE: Final = re.compile(r"\{(\w+)\}")
_FIELD: Final = re.compile(r"([a-z_]+?)\d{1,2}")
_SPACE: Final = re.compile(r"\s+")
# The platform drops emoji from templates; dropped by us, what is left is counted right.
_EMOJI: Final = regex.compile(r"(?!\p{ASCII})\p{Emoji_Presentation}|\p{Extended_Pictographic}|[\u200d\ufe0f\u20e3]")
_CLOCK: Final = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_DATE: Final = r"\d{4}(?:年\d{1,2}月\d{1,2}日|-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2})"
_TIME: Final = rf"(?:{_DATE} ?)?{_CLOCK}"


class FieldKind(NamedTuple):
    """What a kind of field takes: a pattern of the whole value, and that in words. `limit`: what is longer is cut."""

    takes: re.Pattern[str]
    words: str
    limit: int = 0


def _kind(takes: str, words: str, limit: int = 0) -> FieldKind:
    return FieldKind(re.compile(takes), words, limit)


FIELD_KINDS: Final[Mapping[str, FieldKind]] = {
    "thing": _kind(r".{1,20}", "1 to 20 characters", 20),
    "const": _kind(r".{1,20}", "1 to 20 characters", 20),
    "number": _kind(r"\d{1,32}(?:\.\d+)?", "a number of at most 32 digits"),
    "letter": _kind(r"[A-Za-z]{1,32}", "1 to 32 letters"),
    "symbol": _kind(r"[!-/:-@\[-`{-~]{1,5}", "1 to 5 symbols"),
    "character_string": _kind(r"[!-~]{1,32}", "1 to 32 digits, letters or symbols"),
    "time": _kind(rf"{_TIME}(?:~{_TIME})?", "a time such as 09:00 or 2026-11-25 09:00, or two with ~ between"),
    "date": _kind(rf"{_DATE}(?: {_CLOCK})?", "a date such as 2026-11-25"),
    "amount": _kind(r"[¥￥$€£]?\d{1,10}(?:\.\d{1,2})?元?", "a sum of at most 10 digits"),
    "phone_number": _kind(r"[\d+() -]{1,17}", "a phone number of at most 17 characters"),
    "car_number": _kind(r"[\u4e00-\u9fffA-Za-z0-9]{1,8}", "a number plate of at most 8 characters"),
    "name": _kind(r"[\u4e00-\u9fff·]{1,10}|[A-Za-z .'-]{1,20}", "at most 10 Chinese characters or 20 letters"),
    "phrase": _kind(r"[\u4e00-\u9fff]{1,5}", "1 to 5 Chinese characters"),
}
"""The kinds of keywords (订阅消息参数值内容限制说明); `const`, values that the platform fixed, is in templates only."""


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a template to apply for. `text` with {…} for values."""

    name: str
    kind: str
    text: str


class Suggested(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template to apply for. `example`: every value that the desk gives for this moment."""

    title: str
    example: dict[str, str]
    fields: tuple[Field, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The names that a text may hold."""
        return (*self.example, TOLD_AT)


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The approved template of one moment, in an account's settings."""

    id: str
    kind: Kind = "template"
    """`template` needs a follower, `subscription` somebody who has agreed to this one."""
    fields: dict[str, str]
    """By the field's name at the platform (thing1), the text in it, with {…} for values."""


@functools.cache
def suggested() -> Mapping[str, Suggested]:
    """All that can be applied for, by moment."""
    text = resources.files(__package__).joinpath("templates.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Suggested])


def check(moment: str, template: Template) -> None:
    """Raise `ValueError` naming what is wrong with a template of the settings, and the nearest right name."""
    known = suggested().get(moment)
    if known is None:
        raise ValueError(f"templates.{moment}: there is no such moment{_nearest(moment, suggested())}")
    if not template.id or not template.fields:
        raise ValueError(f"templates.{moment} needs id, and fields such as {_example(known)}")
    for field, text in template.fields.items():
        fault = _fault(field, text, known)
        if fault:
            raise ValueError(f"templates.{moment}.fields.{field}: {fault}")


def _example(known: Suggested) -> str:
    written = (f'{field.kind}{place} = "{field.text}"' for place, field in enumerate(known.fields, 1))
    return f"{{ {', '.join(written)} }}"


def _fault(field: str, text: str, known: Suggested) -> str:
    named = _FIELD.fullmatch(field)
    if named is None or named[1] not in FIELD_KINDS:
        return f"a field is a kind with its number, such as thing1{_nearest(field.rstrip('0123456789'), FIELD_KINDS)}"
    values = _PLACE.findall(text)
    wrong = next((value for value in values if value not in known.values), "")
    if wrong:
        return f"there is no value {{{wrong}}}{_nearest(wrong, known.values)}"
    if text in known.values:
        return f"{text} is a value: write {{{text}}}"
    if not values and _fitted(named[1], text) != text:
        return f"{text!r} does not fit: {FIELD_KINDS[named[1]].words}"
    return ""


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"


def filled(moment: str, template: Template, values: Mapping[str, str]) -> Data:
    """The fields with these values. Raises `Rejected` naming the first one that cannot be filled in."""
    return {field: {"value": _value(moment, field, text, values)} for field, text in template.fields.items()}


def _value(moment: str, field: str, text: str, values: Mapping[str, str]) -> str:
    missing = next((name for name in _PLACE.findall(text) if not values.get(name)), "")
    if missing:
        raise Rejected(f"no template: {moment} has no value {missing}")
    kind = field.rstrip("0123456789")
    found = _fitted(kind, _PLACE.sub(lambda place: values[place[1]], text))
    if found is None:
        raise Rejected(f"no template: {moment}.{field} takes {FIELD_KINDS[kind].words}")
    return found


def _fitted(kind: str, text: str) -> str | None:
    """`text` as a field of this kind takes it, on one line, without emoji, shortened where that may be; else None."""
    takes, _, limit = FIELD_KINDS[kind]
    plain = _SPACE.sub(" ", _EMOJI.sub("", clean(text))).strip()
    if limit:
        plain = shorten_by_words(plain, limit)
    return plain if takes.fullmatch(plain) else None
