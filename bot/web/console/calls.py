"""Call tasks: whom a person has to phone, what to say, and what came of it."""

from uuid import UUID

import sqlalchemy as sa
from aiohttp import web

from bot.desk import Desk
from bot.errors import Conflict, NotAllowed
from bot.store import alarms
from bot.store.base import Row
from bot.web import access
from bot.web.access import Person
from bot.web.console import fields, view
from bot.web.console.view import Data, View
from bot.web.context import CONTEXT
from bot.web.rights import Act
from workflows import satisfaction

ANSWERS = {
    "work_order": ("satisfied", "remarks", "not_fixed", "none"),
    "complaint": ("satisfied", "fair", "unhappy", "none"),
}
"""What a satisfaction callback can end in; whoever was not reached has not answered (law 10)."""
CASES = {
    "work_order": ("orders", "SEE_ORDERS"),
    "complaint": ("complaints", "SEE_COMPLAINTS"),
    "affair": ("affairs", "SEE_AFFAIRS"),
}
"""Where the page of a case is, and the right to see it."""


async def page(request: web.Request, person: Person) -> web.StreamResponse:
    """Open tasks of this person's communities, the most urgent first."""
    may = person.may(Act.CALL)
    if not may:
        raise NotAllowed("not_allowed")

    def read(conn: sa.Connection, v: View) -> Data:
        rows = alarms.open_tasks(conn, may.listed)
        for row in rows:
            row["late"] = v.late(row["due_at"])
        return {"rows": rows, "answers": ANSWERS, "cases": CASES}

    return await view.show(request, person, "calls.html", read, ("calls",))


async def finish(request: web.Request, person: Person) -> web.StreamResponse:
    """The call was made, or nobody was reached: the result is kept with the task."""
    context, task_id = request.app[CONTEXT], view.record_id(request)
    task = await context.database.read(access.task_for, person, task_id)
    given = await request.post()
    answer = fields.choice(given, "answer", ANSWERS.get(task["case_kind"], ())) if task["kind"] == "follow_up" else ""
    words = fields.text(given, "result", 500) if answer else fields.needed(given, "result", 500)

    def run(desk: Desk) -> None:
        fresh = alarms.get_task(desk.conn, task_id)
        if fresh is None or fresh["state"] != "open":
            raise Conflict("closed_already")
        if answer:
            satisfaction.callback_result(desk, access.case_in(desk, task["case_id"]), answer, words)
            _end_follow_up(desk, task_id, answer, words)
        result = {"state": "done", "result": words or answer, "done_by": person.id, "done_at": desk.now}
        desk.pending.update(alarms.call_tasks, task_id, result)
        desk.audit("call_task.done", "call_task", task_id, {"answer": answer} if answer else None)

    if task["conversation_id"] is not None:
        await context.act(task["conversation_id"], run, person.id)
    elif not await context.database.write(alarms.finish_task, task_id, person.id, words, context.clock.now()):
        raise Conflict("closed_already")
    return view.done(request, view.here(request, person), f"{access.PATH}/calls")


def _end_follow_up(desk: Desk, task_id: UUID, answer: str, words: str) -> None:
    row = alarms.follow_up_of(desk.conn, task_id)
    if row is not None:
        said = None if answer == "none" else answer
        desk.pending.update(
            alarms.follow_ups, row["id"], {"state": "done", "answer": said, "words": words, "done_at": desk.now}
        )


async def phone(request: web.Request, person: Person) -> web.StreamResponse:
    """The number to ring, and who looked at it when."""
    context = request.app[CONTEXT]
    task: Row = await context.database.read(access.task_for, person, view.record_id(request))
    if not person.may(Act.PHONE).covers(task["community_id"]):
        raise NotAllowed("not_allowed")
    if task["conversation_id"] is not None:
        await context.act(
            task["conversation_id"], lambda desk: desk.audit("phone_shown", "call_task", task["id"]), person.id
        )
    return view.fragment(request, view.here(request, person), "parts/phone.html", phone=task["phone"])
