"""Complaints: the list, and one case with its story and its moves."""

import sqlalchemy as sa
from aiohttp import web

from bot.desk import Complaint, Desk
from bot.errors import NotAllowed
from bot.store import complaints
from bot.store.base import Row
from bot.web import access
from bot.web.access import Person
from bot.web.console import fields, masks, moves, view
from bot.web.console.moves import Doing, Move
from bot.web.console.orders import may_read
from bot.web.console.view import Data, View
from bot.web.rights import Act
from bot.world import Member
from workflows.complaint import actions, states
from workflows.repair.actions import note

LISTED = 200
ASSIGNEES = frozenset({"agent", "steward", "department_head", "supervisor", "duty_manager", "site_manager"})


async def page(request: web.Request, person: Person) -> web.StreamResponse:
    """Open or closed cases, as far as they are for this person."""
    may = person.may(Act.SEE_COMPLAINTS)
    if not may:
        raise NotAllowed("not_allowed")
    closed = "closed" in request.query

    def read(conn: sa.Connection, v: View) -> Data:
        broad = complaints.listed(conn, may.listed, closed=closed, limit=LISTED) if may.broad else []
        own = complaints.listed(conn, None, closed=closed, assignee=person.id, limit=LISTED) if may.own else []
        rows = [row for row in view.merged(broad, own) if access.reaches_complaint(person, row, Act.SEE_COMPLAINTS)]
        for row in rows:
            _prepare(v, row)
        rows.sort(key=lambda row: not row["late"])
        return {"rows": rows, "closed": closed, "most": LISTED}

    return await view.show(request, person, "complaints.html", read, ("complaints",))


def _prepare(v: View, row: Row) -> None:
    """Who must not be named is not, and what is owed next."""
    row["due"] = None if row["closed_at"] else row["result_by"] if row["answered_at"] else row["answer_by"]
    row["late"] = v.late(row["due"])
    mine = row["assignee_id"] == v.person.id
    row["masked"] = v.masked(Act.SEE_COMPLAINTS, row["community_id"], mine=mine)
    # An unnamed complainant is known to the desk only; whoever handles the case otherwise reads what is wanted, not
    # the words.
    row["unnamed"] = (
        row["confidential"]
        and not v.may("CLOSE_COMPLAINT", row["community_id"])
        and not v.may("SPEAK", row["community_id"])
    )
    if row["unnamed"]:
        row.update(resident_name="", resident_title="", words="")
    if row["masked"]:
        for name in ("words", "wanted", "plan", "result", "answer_words"):
            row[name] = masks.text(row[name], row["resident_name"])


async def detail(request: web.Request, person: Person) -> web.StreamResponse:
    """One case: what was said, what happened, what may be done next."""
    case_id = view.record_id(request)

    def read(conn: sa.Connection, v: View) -> Data:
        row = access.complaint_for(conn, person, case_id)
        _prepare(v, row)
        return {
            "row": row,
            "may": COMPLAINTS.may(person, row),
            **moves.story(conn, row),
            "people": _people(v, row),
            "may_read": not row["unnamed"] and may_read(conn, person, row["conversation_id"]),
            "endings": states.ENDINGS,
            "causes": states.CAUSES,
            "parties": states.RESPONSIBLE,
            "moves": states.MOVES,
        }

    return await view.show(request, person, "complaint.html", read, ("complaint", "complaint_moves"))


def _people(v: View, row: Row) -> list[Member]:
    """Whom a case can be given to in its community."""
    found = (member for role in sorted(ASSIGNEES) for member in v.world.with_role(role, row["community_id"]))
    return sorted({member.id: member for member in found}.values(), key=lambda member: (member.title, member.name))


# -- the moves --------------------------------------------------------------------------------------------------------


def _assign(desk: Desk, case: Complaint, doing: Doing) -> None:
    member = doing.somebody(fields.ident(doing.fields, "member"))
    if not any(member.has(role, case.community_id) for role in ASSIGNEES):
        raise fields.FieldError("not_a_choice")
    actions.assign(desk, case, member)


def _first_answer(desk: Desk, case: Complaint, doing: Doing) -> None:
    by = fields.moment(doing.fields, "day", "at", desk.world.settings.zone)
    if by <= doing.now:
        raise fields.FieldError("slot_past")
    actions.first_answer(desk, case, fields.needed(doing.fields, "plan", 500), by)


def _hold(desk: Desk, case: Complaint, doing: Doing) -> None:
    actions.hold(desk, case, fields.needed(doing.fields, "words", 500))


def _finish(desk: Desk, case: Complaint, doing: Doing) -> None:
    given = doing.fields
    actions.finish(
        desk,
        case,
        result=fields.needed(given, "result", 1000),
        ending=fields.choice(given, "ending", states.ENDINGS),
        cause=fields.choice(given, "cause", states.CAUSES),
        responsible_party=fields.choice(given, "responsible_party", states.RESPONSIBLE),
    )


def _reopen(desk: Desk, case: Complaint, doing: Doing) -> None:
    actions.reopen(desk, case, fields.needed(doing.fields, "reason", 200))


COMPLAINTS = moves.Kind(
    "complaints",
    "complaint",
    access.complaint_for,
    access.reaches_complaint,
    {
        "assign": Move(Act.ASSIGN_COMPLAINT, _assign),
        "first_answer": Move(Act.ANSWER_COMPLAINT, _first_answer),
        "hold": Move(Act.ANSWER_COMPLAINT, _hold),
        "finish": Move(Act.CLOSE_COMPLAINT, _finish),
        "reopen": Move(Act.ASSIGN_COMPLAINT, _reopen),
        "note": Move(Act.NOTE, lambda desk, case, doing: note(desk, case, fields.needed(doing.fields, "text"))),
    },
)
