"""One-time codes: sent to the registered phone, made by a colleague at the console, or carried by a QR code."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from bot import register
from bot.desk import Desk
from workflows.binding import check, tell
from workflows.forms import Form
from workflows.talk import Talk
from workflows.where import Where

BIND, STAFF = "b", "s"
"""What the scene of a QR code begins with that carries a code: for a resident, for a colleague."""


def scanned(talk: Talk, code: str) -> None:
    """A QR code of ours that carries a one-time code (`b:` or `s:`), without its prefix."""
    typed(talk, code, signing_in=talk.desk.incoming is not None and talk.desk.incoming.identity.staff_id is not None)


def can_send(desk: Desk, place: Where) -> bool:
    """Whether a text message can reach the registered phone."""
    return place.community is not None and register.can_tell_phone(desk, place.community.id)


def send(talk: Talk, form: Form, place: Where) -> None:
    """A code to the registered phone, where home and name fit; the answer is the same where they do not."""
    if check.locked(talk, place):
        return
    desk = talk.desk
    assert desk.incoming is not None
    found = check.fitting(talk, form, place)
    if register.failed(desk, place.home_id):  # asking counts: whoever guesses names must not ask for ever
        check.locked(talk, place)
        return
    if found is not None and found.resident.phone:
        lasts = timedelta(minutes=desk.settings.binding_code_minutes)
        code = register.make_code(
            desk.conn, "resident", desk.now, lasts, resident_id=found.resident.id,
            community_id=found.resident.community_id, identity_id=desk.incoming.identity.id,
        )  # fmt: skip
        tell.code(desk, found.resident, code)
    form.ask("code")
    talk.ask("binding.code_sent", minutes=desk.settings.binding_code_minutes)
    talk.end("application", "collecting")


def typed(talk: Talk, digits: str, *, signing_in: bool = False) -> None:
    """Six digits that may be a code of ours; one that opens a console counts only where that is meant."""
    desk = talk.desk
    assert desk.incoming is not None
    if check.locked(talk):
        return
    row = register.find_code(desk, digits)
    mine = row is not None and row["identity_id"] in {None, desk.incoming.identity.id}
    meant = mine and row is not None and (signing_in or row["kind"] != "sign_in")
    if row is None or not meant or not register.use_code(desk, row):
        _wrong(talk)
        return
    _KINDS[row["kind"]](talk, row)


def _wrong(talk: Talk) -> None:
    if register.failed(talk.desk):
        check.locked(talk)
        return
    talk.reply("binding.code_wrong")
    talk.end("application", "collecting" if talk.memory.of("binding") else "answered")


def _resident(talk: Talk, row: Mapping[str, Any]) -> None:
    person = register.resident(talk.desk, row["resident_id"])
    if person is None:
        _wrong(talk)
    else:
        check.bound(talk, person, check.CODE)


def _staff(talk: Talk, row: Mapping[str, Any]) -> None:
    """From now on whoever writes from here is this colleague."""
    desk = talk.desk
    assert desk.incoming is not None
    member = desk.world.members.get(row["staff_id"])
    if member is None:
        _wrong(talk)
        return
    register.set_staff(desk, desk.incoming.identity.id, member.id)
    desk.staff_id = member.id
    desk.audit("identity.staff", "identity", desk.incoming.identity.id)
    talk.reply("binding.staff_done", name=member.name)
    talk.end("application", "answered")


def _sign_in(talk: Talk, row: Mapping[str, Any]) -> None:
    """A colleague who is bound lets the browser in that shows this code."""
    desk = talk.desk
    assert desk.incoming is not None
    member = desk.world.members.get(desk.incoming.identity.staff_id) if desk.incoming.identity.staff_id else None
    if member is None:
        _wrong(talk)
        return
    register.let_in(desk, row, member.id)
    talk.reply("binding.staff_signed_in", name=member.name)
    talk.end("application", "answered")


_KINDS: Mapping[str, Callable[[Talk, Mapping[str, Any]], None]] = {
    "resident": _resident,
    "staff": _staff,
    "sign_in": _sign_in,
}
