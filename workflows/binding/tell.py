"""What the registered phone is told: that somebody bound a home with its data, and one-time codes."""

from datetime import timedelta
from uuid import UUID

from bot import register
from bot.desk import Desk, Resident
from workflows import deadlines, texts
from workflows.talk import Talk

ONLY_LANGUAGE = "zh-Hans"


def bound(talk: Talk, person: Resident) -> UUID | None:
    """The registered phone hears of it and can object; where there is no such way a colleague phones."""
    told = _sms(talk.desk, person, "binding.told_phone", "bound")
    if told is None:
        by = deadlines.answer_by(talk.local, talk.desk.settings)
        talk.desk.call_task("binding_told", texts.say("zh-Hans", "binding.told_phone"), by, phone=person.phone)
    return told


def code(desk: Desk, person: Resident, digits: str) -> bool:
    """Send a one-time code to the registered phone; False where there is no way."""
    lasts = timedelta(minutes=desk.settings.binding_code_minutes)
    return _sms(desk, person, "binding.code_sms", "code", lasts, code=digits) is not None


def _sms(
    desk: Desk, person: Resident, key: str, kind: str, lasts: timedelta | None = None, **values: object
) -> UUID | None:
    """Where every text has to be approved beforehand, the approved ones are in one language."""
    approved = any(
        limits.templates_only for (channel, _), limits in desk.world.capabilities.items() if channel == "sms"
    )
    language = ONLY_LANGUAGE if approved else person.language or ONLY_LANGUAGE
    return register.tell_phone(desk, person, texts.say(language, key, **values), kind, lasts=lasts)
