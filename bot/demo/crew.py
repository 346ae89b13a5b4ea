"""Everybody who works there, what they may do, and who works when."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from argon2 import PasswordHasher

from bot.demo.book import Book
from bot.demo.sheets import Employee, Line, Roster, Staff, read
from bot.demo.town import Town
from bot.store import roster, staff
from bot.store.base import Row, new_id
from bot.world import DutyLine, Member

PASSWORD = read("staff", Staff).password
"""Everybody of the demonstration signs in with it."""

_HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
"""Cheap: it guards invented people with a published password, and forty of them must not delay the first start."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """An account to try the console with."""

    login: str
    name: str
    title: str
    role: str


def sign_ins() -> list[SignIn]:
    """One account of each kind of work, those that a visitor wants first."""
    known = {one.login: one for one in read("staff", Staff).people}
    return [
        SignIn(login, known[login].name, known[login].title, known[login].roles[0])
        for login in read("staff", Staff).shown
    ]


@dataclass(frozen=True, slots=True)
class Crew:
    ids: dict[str, UUID]
    """By login."""
    members: dict[UUID, Member]
    lines: list[DutyLine]

    def on_duty(self, community_id: UUID, duty: str, local: datetime) -> UUID:
        """The first who is on this duty at a local time."""
        fitting = (line for line in self.lines if line.community_id == community_id and line.duty == duty)
        return next(line.staff_id for line in fitting if line.covers(local))


def hire(book: Book, town: Town, since: datetime) -> Crew:
    crew = Crew({}, {}, [])
    for number, employee in enumerate(read("staff", Staff).people, 1):
        staff_id = crew.ids[employee.login] = new_id()
        crew.members[staff_id] = Member(staff_id, employee.name, employee.title)
        book.enter(staff.staff, _person(employee, staff_id, f"1540000{9000 + number}", since))
        book.enter(staff.staff_roles, *_roles(employee, staff_id, town))
    for line in read("roster", Roster).lines:
        book.enter(roster.roster, _duty(line, crew, town))
    return crew


def _duty(line: Line, crew: Crew, town: Town) -> Row:
    community_id, staff_id = town.communities[line.community], crew.ids[line.who]
    crew.lines.append(DutyLine(community_id, staff_id, line.duty, line.days, line.starts, line.ends, None, None))
    return {
        "id": new_id(), "community_id": community_id, "staff_id": staff_id, "duty": line.duty, "shift": line.shift,
        "weekdays": line.days, "starts": line.starts, "ends": line.ends, "valid_from": None, "valid_until": None,
    }  # fmt: skip


def _person(employee: Employee, staff_id: UUID, phone: str, since: datetime) -> Row:
    return {
        "id": staff_id, "login": employee.login, "name": employee.name, "title": employee.title, "phone": phone,
        "password_hash": _HASHER.hash(PASSWORD), "language": "zh-Hans", "skills": list(employee.skills), "active": True,
        "created_at": since,
    }  # fmt: skip


def _roles(employee: Employee, staff_id: UUID, town: Town) -> list[Row]:
    everywhere: list[UUID | None] = [None]
    where = [town.communities[name] for name in employee.communities] or everywhere
    return [
        {"id": new_id(), "staff_id": staff_id, "role": role, "community_id": community_id}
        for role in employee.roles
        for community_id in where
    ]
