"""What somebody beside the reader takes a message for, such as a language model: held to our labels, laid over our own
reading. It may raise the urgency, and never lower it."""

from collections.abc import Mapping

import msgspec

from intents.model import CATEGORIES, EMERGENCIES, INTENTS, URGENCIES, Reading, Request

BY_MODEL = "read by a language model"
"""Stands in the explanation of a reading that follows an opinion."""
SURE = 0.75
"""How sure a reading is that follows an opinion: enough to act on, less than what a rule or the staff have said."""
LONGEST_PLACE = 12


class Opinion(msgspec.Struct, frozen=True, omit_defaults=True):
    """One view of a message; None where it says nothing. `danger` is the kind of an emergency."""

    intent: str
    category: str | None = None
    urgency: str = "normal"
    danger: str | None = None
    place: str | None = None


def opinion_of(found: Mapping[str, object], text: str) -> Opinion | None:
    """What an answer says in our labels. A label that we do not know is as good as none; None: nothing helpful is left.

    A place counts only where the text says it in these words.
    """
    urgency = _label(found, "urgency", URGENCIES) or "normal"
    danger = (_label(found, "danger", EMERGENCIES) or "other") if urgency == "emergency" else None
    intent = _label(found, "intent", INTENTS)
    if intent in {None, "other"} and danger is None:
        return None
    intent = "repair" if intent in {None, "other"} else intent
    assert intent is not None
    category = _label(found, "category", CATEGORIES.get(intent, ()))
    return Opinion(intent, category, urgency, danger, _place(found, text))


def _label(found: Mapping[str, object], name: str, known: tuple[str, ...]) -> str | None:
    value = found.get(name)
    return value if isinstance(value, str) and value in known else None


def _place(found: Mapping[str, object], text: str) -> str | None:
    value = found.get("place")
    if not isinstance(value, str) or not 1 < len(value) <= LONGEST_PLACE or value not in text:
        return None
    return value


def follow(reading: Reading, opinion: Opinion) -> Reading:
    """Our reading with this opinion laid over it: what we read of slots stays, and of two urgencies the higher."""
    urgency = max(reading.urgency, opinion.urgency, key=URGENCIES.index)
    slots = reading.slots if reading.slots.place else msgspec.structs.replace(reading.slots, place=opinion.place)
    category = opinion.category or (reading.category if reading.intent == opinion.intent else None)
    if category is None and opinion.intent in CATEGORIES:
        category = "other"
    text = reading.requests[0].text if reading.requests else ""
    return msgspec.structs.replace(
        reading,
        intent=opinion.intent,
        confidence=SURE,
        gap=SURE,
        category=category,
        urgency=urgency,
        emergency=(opinion.danger or reading.emergency or "other") if urgency == "emergency" else None,
        slots=slots,
        requests=(Request(opinion.intent, text, category, urgency, slots),),
        explanation=(*reading.explanation, BY_MODEL),
    )
