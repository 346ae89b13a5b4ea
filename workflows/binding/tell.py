"""What the registered phone is told: that somebody bound a home with its data, and one-time codes."""

from datetime import timedelta
from uuid import UUID

from bot import register
from bot.desk import Desk, Moment, Resident
from workflows import deadlines, texts
from workflows.talk import Talk


def bound(talk: Talk, person: Resident) -> UUID | None:
    """The registered phone hears of it and can object; where there is no such way a colleague phones."""
    told = _sms(talk.desk, person, "binding.told_phone", Moment("bound"))
    if told is None:
        by = deadlines.answer_by(talk.local, talk.desk.settings)
        talk.desk.call_task("binding_told", texts.say("zh-Hans", "binding.told_phone"), by, phone=person.phone)
    return told


def code(desk: Desk, person: Resident, digits: str) -> bool:
    """Send a one-time code to the registered phone; False where there is no way."""
    lasts = timedelta(minutes=desk.settings.binding_code_minutes)
    return _sms(desk, person, "binding.code_sms", Moment("code", {"code": digits}), lasts) is not None


def _sms(desk: Desk, person: Resident, key: str, told: Moment, lasts: timedelta | None = None) -> UUID | None:
    text = texts.say(person.language or "zh-Hans", key, **told.values)
    return register.tell_phone(desk, person, text, told, lasts=lasts)
