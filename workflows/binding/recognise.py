"""A number that the provider vouches for says who writes: the registered phone is the resident."""

import re

from bot import register
from workflows.binding import become, check
from workflows.forms import Form
from workflows.talk import Talk

CONTACT = "contact"


def at_the_door(talk: Talk) -> None:
    """Before anything else: an unknown address whose number is registered is that resident from this message on."""
    incoming = talk.desk.incoming
    if incoming is None or not incoming.own_phone or not talk.desk.resident.provisional:
        return
    found = register.with_phone(talk.desk, incoming.own_phone)
    if len(found) != 1 or not become.become(talk, found[0]):
        return
    register.settle_all(talk.desk, incoming.identity.id, "ended", was="pending")
    register.write_down(
        talk.desk, check.PHONE, "active", resident_id=found[0].id, community_id=found[0].community_id,
        settled_at=talk.desk.now,
    )  # fmt: skip


def shared_contact(talk: Talk) -> bool:
    """A contact card: one's own says who one is, somebody else's is refused; not where a form asked for a number."""
    incoming = talk.desk.incoming
    if incoming is None:
        return False
    if any(item.kind == "unsupported" and item.label == CONTACT for item in incoming.attachments):
        talk.reply("binding.not_own_contact")
        talk.end("other", "answered")
        return True
    number = re.sub(r"\D", "", incoming.text)
    bare = bool(number) and incoming.own_phone.endswith(number) and len(number) == len(incoming.text.lstrip("+"))
    if not bare or any(_takes_number(form) for form in talk.memory.forms):
        return False
    if talk.desk.resident.provisional:
        if not talk.desk.known_phone:
            talk.desk.change(talk.desk.resident, phone=number)
        talk.reply("binding.number_unknown")
        talk.end("application", "answered")
    else:
        check.welcome(talk, talk.desk.resident, check.PHONE)
    return True


def _takes_number(form: Form) -> bool:
    """A report that asks for something, or has asked for a number and got none."""
    waits = form.count("phone") > 0 and "phone" not in form.stated
    return form.workflow != "binding" and (bool(form.step) or waits)
