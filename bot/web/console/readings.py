"""How a message was read, in the words of the console: shared by the explanation and the page of what was learned."""

from collections.abc import Mapping
from typing import Any

from bot.web.console.fields import FieldError
from bot.web.console.view import View
from intents.model import CATEGORIES, INTENTS

# What the linear model calls by a name of its own instead of by the words themselves.
_RULES = ("<danger", "<guard", "<flag", "<lost")

Choice = tuple[str, str]
"""The value of an option and its words."""


def words(v: View, intent: str, category: str | None, urgency: str = "normal") -> str:
    """报修 · 给水 · 紧急."""
    parts = [v.label("intent", intent)]
    if category:
        parts.append(category_word(v, intent, category))
    if urgency != "normal":
        parts.append(v.label("urgency", urgency))
    return " · ".join(parts)


def category_word(v: View, intent: str, category: str) -> str:
    return v.label("repair.category" if intent == "repair" else "complaint.nature", category)


def choices(v: View) -> list[tuple[str, list[Choice]]]:
    """All readings that a message can have, in groups: intent and category are one choice."""
    groups = [
        (v.label("intent", intent), [(f"{intent}/{name}", words(v, intent, name)) for name in names])
        for intent, names in CATEGORIES.items()
    ]
    plain = [(f"{intent}/", v.label("intent", intent)) for intent in INTENTS if intent not in CATEGORIES]
    return [*groups, (v.t("why.others"), plain)]


def chosen(fields: Mapping[str, Any]) -> tuple[str, str | None]:
    """Intent and category of the option that a form sent."""
    value = str(fields.get("reading", ""))
    if not value:
        raise FieldError("missing")
    intent, _, category = value.partition("/")
    if intent not in INTENTS or category not in CATEGORIES.get(intent, ("",)):
        raise FieldError("not_a_choice")
    return intent, category or None


def feature(v: View, name: str) -> str:
    """What the model weighed, as staff can read it."""
    if name.startswith("<len"):
        return v.t("why.length")
    if name.startswith(_RULES):
        return v.t("why.by_rule")
    if name.startswith("<"):
        return v.t("why.concept", name=name.strip("<>"))
    return f"“{name.strip('^$').replace('#', '').replace('0', v.t('why.number'))}”"


def rule(v: View, name: str) -> str:
    """The name of a rule: a family and what it is about."""
    family, _, kind = name.partition(" ")
    about = v.label(f"why.{family}", kind) if kind not in {"any", "red"} else ""
    return " · ".join(part for part in (v.label("why.family", family if kind != "red" else "red"), about) if part)
