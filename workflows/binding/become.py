"""The moment at which somebody is known: the rest of the turn acts for them already."""

from typing import Any
from uuid import UUID

from bot import register
from bot.desk import Desk, Identity, Resident, new_id
from workflows import forms
from workflows.talk import Talk

AGAIN = "binding.again"
"""A timer: somebody else had one of the two conversations; tried again at once."""


def become(talk: Talk, person: Resident) -> bool:
    """Whoever writes is `person`; False where that has to wait for a moment."""
    joined = register.become(talk.desk, person, forms.join)
    if joined is None:
        return False
    talk.memory = forms.load(forms.join(forms.dump(talk.memory), joined.form))
    return True


def later(desk: Desk, **what: UUID) -> None:
    """Do it as soon as the other conversation is free."""
    payload = {name: str(value) for name, value in what.items()}
    desk.schedule(AGAIN, desk.now, ref=new_id(), payload=payload)


def again(desk: Desk, payload: dict[str, Any]) -> None:
    """What had to wait: becoming a resident, or an address that leaves one."""
    if "resident" in payload:
        done = _become_now(desk, UUID(payload["resident"]))
    else:
        done = register.part(desk, UUID(payload["identity"]))
    if not done:
        later(desk, **{name: UUID(value) for name, value in payload.items()})


def _become_now(desk: Desk, resident_id: UUID) -> bool:
    person = register.resident(desk, resident_id)
    return person is None or not desk.resident.provisional or now(desk, person)


def now(desk: Desk, person: Resident) -> bool:
    """As `become`, where nobody has said anything: a timer, or an act of the staff."""
    kept = desk.conversation.form
    joined = register.become(desk, person, forms.join)
    if joined is not None:
        desk.set_form(forms.join(kept, joined.form))
    return joined is not None


def who(identity: Identity) -> str:
    """An address as a task for staff names it."""
    return f"{identity.channel} …{identity.address[-4:]}"
