"""What a message was read as: frozen values that cross the border of this package."""

from typing import Any

import msgspec

INTENTS = (
    "faq",
    "repair",
    "complaint",
    "suggestion",
    "praise",
    "payment",
    "progress",
    "application",
    "human",
    "smalltalk",
    "other",
)
REPAIR_CATEGORIES = (
    "plumbing",
    "drainage",
    "electrical",
    "elevator",
    "door_window_lock",
    "hvac",
    "gas",
    "wall_leak",
    "low_voltage",
    "public_facility",
    "other",
)
COMPLAINT_CATEGORIES = ("facility", "hygiene", "security", "noise", "parking", "staff", "fees", "other")
CATEGORIES = {"repair": REPAIR_CATEGORIES, "complaint": COMPLAINT_CATEGORIES}
URGENCIES = ("normal", "urgent", "emergency")
EMERGENCIES = (
    "gas",
    "fire",
    "lift",
    "burst_pipe",
    "electric",
    "falling_object",
    "break_in",
    "violence",
    "medical",
    "missing_child",
    "self_harm",
    "flood",
    "animal",
    "other",
)


class WishedTime(msgspec.Struct, frozen=True):
    """A wished visit or action time: as written, and as local ISO minutes (`2026-11-23T15:00`); an open end is None."""

    text: str
    start: str | None = None
    end: str | None = None


class Slots(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the message states; None where it states nothing. Never guessed, never looked up."""

    building: str | None = None
    unit: str | None = None
    room: str | None = None
    phone: str | None = None
    time: WishedTime | None = None
    community: str | None = None
    area: str | None = None
    place: str | None = None
    plate: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Only the slots present; `time` always with its three keys."""
        found = {name: getattr(self, name) for name in self.__struct_fields__}
        if self.time is not None:
            found["time"] = {"text": self.time.text, "start": self.time.start, "end": self.time.end}
        return {name: value for name, value in found.items() if value is not None}


class Request(msgspec.Struct, frozen=True):
    """One of the things a message asks for, with the part of the text that asks for it."""

    intent: str
    text: str
    category: str | None = None
    urgency: str = "normal"
    slots: Slots = Slots()

    def as_json(self) -> dict[str, Any]:
        """As in the `requests` of `frontdesk classify`."""
        return {
            "intent": self.intent,
            "text": self.text,
            "category": self.category,
            "urgency": self.urgency,
            "slots": self.slots.as_json(),
        }


class Alternative(msgspec.Struct, frozen=True):
    """Another intent that the message may have."""

    intent: str
    confidence: float


class Reading(msgspec.Struct, frozen=True):
    """All that one message says, read without any context.

    `gap` is the distance between the best two confidences. `flags` holds red-flag words as written in the rules, and
    `anger`, `opt_out`, `confidential`, `urgent_word`, `wants_person`, `privacy`, `doubtful_danger`. `emergency` is
    the kind of danger where `urgency` is `emergency`, else None. `explanation` says in words what decided.
    """

    intent: str
    confidence: float
    category: str | None
    urgency: str
    lang: str
    slots: Slots
    alternatives: tuple[Alternative, ...]
    requests: tuple[Request, ...]
    gap: float
    flags: frozenset[str] = frozenset()
    emergency: str | None = None
    explanation: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The object that `frontdesk classify` prints."""
        return {
            "intent": self.intent,
            "confidence": round(self.confidence, 4),
            "category": self.category,
            "urgency": self.urgency,
            "lang": self.lang,
            "slots": self.slots.as_json(),
            "alternatives": [
                {"intent": other.intent, "confidence": round(other.confidence, 4)} for other in self.alternatives
            ],
            "requests": [request.as_json() for request in self.requests],
        }
