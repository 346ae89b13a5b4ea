"""What all pages of cases share: a form names a move, the record is checked, the workflow makes it, one commit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from aiohttp import web

from bot.desk import Desk
from bot.engine import loading
from bot.errors import NotAllowed, NotFound
from bot.store import events, thread
from bot.store.base import Row
from bot.store.staff import audit
from bot.web import access
from bot.web.access import Person
from bot.web.console import masks, view
from bot.web.context import CONTEXT, Context
from bot.web.rights import Act
from bot.world import Member

Find = Callable[[sa.Connection, Person, UUID, Act], Row]
Reaches = Callable[[Person, Row, Act], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """A form that came in: who sent it, when, and what it holds."""

    person: Person
    context: Context
    fields: Mapping[str, Any]
    now: datetime

    @property
    def member(self) -> Member:
        return self.person.member(self.context)

    def somebody(self, staff_id: UUID) -> Member:
        found = self.context.world.members.get(staff_id)
        if found is None:
            raise NotFound("member")
        return found


Make = Callable[[Desk, Any, Doing], object]


@dataclass(frozen=True, slots=True)
class Move:
    """The right that it needs, and what it does with the case."""

    act: Act
    make: Make


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of case: its path, how a person gets at it, and its moves."""

    path: str
    ref: str
    find: Find
    reaches: Reaches
    moves: Mapping[str, Move]

    async def handle(self, request: web.Request, person: Person) -> web.StreamResponse:
        """Make the move of the path on the case of the path."""
        move = self.moves.get(request.match_info["move"])
        if move is None:
            raise NotFound("move")
        context, case_id = request.app[CONTEXT], view.record_id(request)
        row = await context.database.read(self.find, person, case_id, move.act)
        doing = Doing(person=person, context=context, fields=await request.post(), now=context.clock.now())
        await context.act(
            row["conversation_id"], self._run(case_id, request.match_info["move"], move, doing), person.id
        )
        return view.done(request, view.here(request, person), f"{access.PATH}/{self.path}/{case_id}")

    def _run(self, case_id: UUID, name: str, move: Move, doing: Doing) -> Callable[[Desk], None]:
        def run(desk: Desk) -> None:
            case = access.case_in(desk, case_id)
            # Checked again inside the act: it may have been given to somebody else meanwhile.
            if not self.reaches(doing.person, case.row(), move.act):
                raise NotAllowed("not_allowed")
            move.make(desk, case, doing)
            if audit not in desk.pending.inserts:  # most workflows write down by themselves what was done (law 13)
                desk.audit(name, self.ref, case.id)

        return run

    def may(self, person: Person, row: Row) -> frozenset[str]:
        """The moves that this person's role allows on this record, whatever its state."""
        return frozenset(name for name, move in self.moves.items() if self.reaches(person, row, move.act))


def story(conn: sa.Connection, row: Row) -> Row:
    """What happened to a case and what was told about it, as far as this person may read the words.

    `row` says so: `masked` hides names and numbers, `unnamed` whatever the resident wrote or was written to.
    """
    happened, told = events.of_case(conn, row["id"]), thread.of_case(conn, row["id"])
    if row.get("unnamed"):
        happened = [{**event, "note": ""} if event["actor"] == "resident" else event for event in happened]
        told = []
    if row["masked"]:
        happened = [{**event, "note": masks.text(event["note"], row["resident_name"])} for event in happened]
        told = [{**said, "text": masks.text(said["text"], row["resident_name"])} for said in told]
    files = [] if row.get("unnamed") else thread.attachments_of(conn, row["conversation_id"], row["id"])
    if row["masked"]:
        files = [{**file, "file_state": "hidden" if file["file_state"] else None} for file in files]
    return {"events": happened, "told": told, "files": files}


def desk_of(conn: sa.Connection, context: Context, conversation_id: UUID) -> Desk:
    """A Desk to look through, for a page that shows what a workflow would propose."""
    return loading.load_whole(conn, context.world, [conversation_id], context.clock.now(), wait=True)[conversation_id]


def communities_of(person: Person, act: Act, context: Context) -> list[tuple[str, str]]:
    """(id, name) of the communities that a list can be narrowed to."""
    listed = person.may(act).listed
    found = context.world.communities.values() if listed is None else (
        community for community in context.world.communities.values() if community.id in listed
    )  # fmt: skip
    return [(str(community.id), community.name) for community in found]
