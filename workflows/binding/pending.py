"""Bindings that wait for a person: confirmed or refused with one click, and the resident hears of it."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from bot import register
from bot.desk import Desk, Resident
from bot.errors import Conflict
from workflows import texts
from workflows.binding import become

ROLES = ("owner", "family", "tenant")


def confirm(desk: Desk, row: Mapping[str, Any], person_id: UUID | None, role: str, until: date | None) -> None:
    """Whoever asked is this resident of the register, or joins the home in this role. Raises `Conflict`."""
    fresh = _still(desk, row)
    if person_id is not None:
        _is(desk, person_id)
    else:
        _joins(desk, fresh, role, until)
    _end(
        desk,
        fresh,
        "active",
        "binding.confirmed",
        {"role": role if person_id is None else "", "known": bool(person_id)},
    )


def refuse(desk: Desk, row: Mapping[str, Any]) -> None:
    """They are not bound; what they report goes on as before. Raises `Conflict`."""
    _end(desk, _still(desk, row), "refused", "binding.refused", {})


def _still(desk: Desk, row: Mapping[str, Any]) -> Mapping[str, Any]:
    fresh = register.binding(desk, row["id"])
    if fresh is None or fresh["state"] != "pending":
        raise Conflict("closed_already")
    return fresh


def _is(desk: Desk, person_id: UUID) -> None:
    person = register.resident(desk, person_id)
    if person is None or person.provisional:
        raise Conflict("not_in_register")
    if desk.resident.id == person.id:
        return
    if not desk.resident.provisional:
        register.add_homes_of(desk, person)
    elif not become.now(desk, person):
        raise Conflict("busy")


def _joins(desk: Desk, row: Mapping[str, Any], role: str, until: date | None) -> None:
    if row["home_id"] is None:
        raise Conflict("home_not_listed")
    if desk.resident.provisional:
        _enter(desk, desk.resident, row["name"])
    register.add_home(desk, desk.resident, row["home_id"], row["community_id"], role, until)


def _enter(desk: Desk, person: Resident, name: str) -> None:
    desk.change(person, provisional=False, name=name or person.name)


def _end(desk: Desk, row: Mapping[str, Any], state: str, key: str, data: Mapping[str, Any]) -> None:
    register.settle(desk, row["id"], state)
    home = (row["where"] or {}).get("label", "")
    desk.say(texts.say(desk.language, key, home=home), kind="binding", fenced=False)
    desk.audit(f"binding.{'confirm' if state == 'active' else 'refuse'}", "binding", row["id"], data)
    day = f"{desk.world.local(row['created_at']):%Y%m%d}"
    register.end_tasks(desk, [f"binding:{row['dedupe_key']}:{day}"], state)
