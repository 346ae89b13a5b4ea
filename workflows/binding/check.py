"""Home, name and the end of the registered number against the register; what fails waits for a person.

The answer never says which part was wrong: whoever guesses learns nothing from it.
"""

from typing import Any
from uuid import UUID

from bot import register
from bot.desk import Community, Identity, Resident
from bot.register import Registered
from workflows import deadlines, where
from workflows.binding import become, tell, words
from workflows.forms import Form
from workflows.talk import Talk, move_to
from workflows.where import Where

REGISTER, PHONE, CODE, STAFF = "register", "phone", "code", "staff"


def check(talk: Talk, form: Form, place: Where) -> None:
    """Bind, or say that a colleague looks at it."""
    found = fitting(talk, form, place)
    four = form.data.get("four", "")
    proven = found if found is not None and found.resident.phone.endswith(four) and len(four) == 4 else None
    if proven is None:
        failed(talk, form, place)
    else:
        bound(talk, proven.resident, REGISTER, place)


def fitting(talk: Talk, form: Form, place: Where) -> Registered | None:
    """Who of the home has this name, by the register."""
    if place.home_id is None:
        return None
    members = register.members_of(talk.desk, place.home_id)
    return next((one for one in members if words.same_name(one.resident.name, form.data.get("name", ""))), None)


def locked(talk: Talk, place: Where | None = None) -> bool:
    """Too many have failed here: nobody tries again for a while, and that is said."""
    if not register.is_locked(talk.desk, place.home_id if place else None):
        return False
    _say_locked(talk)
    return True


def _say_locked(talk: Talk) -> None:
    _drop(talk)
    talk.reply("binding.locked", hours=talk.desk.settings.binding_locked_hours)
    talk.end("application", "answered")


def _drop(talk: Talk) -> None:
    form = talk.memory.of("binding")
    if form is not None:
        talk.memory.drop(form)


# -- it fits


def bound(talk: Talk, person: Resident, method: str, place: Where | None = None) -> None:
    """Whoever writes is `person`."""
    desk = talk.desk
    if desk.resident.id == person.id:
        _woken(talk, place)
        return
    if not desk.resident.provisional and not _same_person(desk.resident, person):
        another(talk, person, place)
        return
    told = tell.bound(talk, person) if method == REGISTER else None
    waits = False
    if desk.resident.provisional:
        waits = not become.become(talk, person)
    else:
        register.add_homes_of(desk, person)
    _record(talk, person, method, place, told)
    if waits:
        become.later(desk, resident=person.id)
    if place is not None and place.home_id is not None and not waits:
        register.wake(desk, place.home_id)
    welcome(talk, person, method)


def _same_person(one: Resident, other: Resident) -> bool:
    """Two entries of the register, of a buyer who moved or has two homes."""
    return bool(one.phone) and one.phone == other.phone and words.same_name(one.name, other.name)


def _woken(talk: Talk, place: Where | None) -> None:
    if place is not None and place.home_id is not None:
        register.wake(talk.desk, place.home_id)
    _drop(talk)
    talk.reply("binding.already")
    talk.end("application", "answered")


def _record(talk: Talk, person: Resident, method: str, place: Where | None, told: UUID | None) -> None:
    assert talk.desk.incoming is not None
    register.settle_all(talk.desk, talk.desk.incoming.identity.id, "ended", was="pending")
    register.write_down(
        talk.desk, method, "active", resident_id=person.id, community_id=person.community_id,
        home_id=place.home_id if place else None, told_identity_id=told, settled_at=talk.desk.now,
    )  # fmt: skip


def welcome(talk: Talk, person: Resident, method: str) -> None:
    """They are known, with these homes."""
    _drop(talk)
    homes = talk.desk.homes or register.homes_of(talk.desk, person.id)
    communities = list(talk.desk.world.communities.values())
    labels = [where.label(where.of_home(home, communities), talk.language) for home in homes]
    joint = ", " if talk.language == "en" else "、"
    talk.reply("binding.done_told" if method == REGISTER else "binding.done", homes=joint.join(labels))
    talk.understood()
    talk.end("application", "answered")


# -- it does not


def failed(talk: Talk, form: Form, place: Where) -> None:
    """Counted; a colleague looks at it, and the resident hears of that and nothing else."""
    if register.failed(talk.desk, place.home_id):
        _task(talk, "binding_locked", place, form)
        _say_locked(talk)
        return
    _wait(talk, place, form)


def another(talk: Talk, person: Resident, place: Where | None) -> None:
    """Somebody known would be somebody else, too: that is for a person to say."""
    form = talk.memory.of("binding")
    home = register.homes_of(talk.desk, person.id)
    communities: list[Community] = list(talk.desk.world.communities.values())
    found = place or (where.of_home(home[0], communities) if home else where.UNKNOWN)
    _wait(talk, found, form)


def _wait(talk: Talk, place: Where, form: Form | None) -> None:
    desk = talk.desk
    move_to(desk, place.community)
    assert desk.incoming is not None
    key = f"{desk.incoming.identity.id}:{place.home_id or where.label(place, 'zh-Hans')}"
    name = form.data.get("name", "") if form is not None else ""
    register.write_down(
        desk, REGISTER, "pending", home_id=place.home_id, name=name, dedupe_key=key, where=_stated(place),
        community_id=place.community.id if place.community else desk.community_id,
    )  # fmt: skip
    by = _task(talk, "binding", place, form, key=f"binding:{key}:{talk.local:%Y%m%d}")
    _drop(talk)
    talk.reply("binding.waits", by=by)
    talk.understood()
    talk.end("application", "recorded")


def _stated(place: Where) -> dict[str, Any]:
    return {**place.parts(), "label": where.label(place, "zh-Hans")}


def _task(talk: Talk, kind: str, place: Where, form: Form | None, key: str | None = None) -> str:
    """The steward hears of it; by when, as it is told."""
    desk = talk.desk
    assert desk.incoming is not None
    by = deadlines.answer_by(talk.local, desk.settings)
    stewards = desk.world.with_role("steward", place.community.id if place.community else desk.community_id)
    name = form.data.get("name", "") if form is not None else ""
    text = " ".join(part for part in (where.label(place, "zh-Hans"), name, _from(desk.incoming.identity)) if part)
    desk.call_task(kind, text, by, key=key, owner_id=stewards[0].id if len(stewards) == 1 else None)
    return talk.by(by)


def _from(identity: Identity) -> str:
    return f"（{become.who(identity)}）"
