"""The inbox: conversations, one of them open, the composer below it and the resident beside it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from aiohttp import web

from bot.store import alarms, conversations, inbox, media, outbox, residents, thread
from bot.store.base import Row
from bot.store.records import Conversation
from bot.web import access
from bot.web.access import Person
from bot.web.console import cards, masks, view
from bot.web.console.view import Data, View
from bot.web.context import CONTEXT
from bot.web.rights import Act
from channels.messages import Attachment

LISTED = 60
SHOWN = 40
OLDER = 40
MOST = 1000
"""Whoever has scrolled back further than this starts again from the end."""
FILTERS = inbox.FILTERS
PARTS = ("list", "head", "thread", "composer", "card")


async def index(request: web.Request, person: Person) -> web.StreamResponse:
    """The first page for this person: the inbox for who reads conversations, their orders for who does not."""
    del request
    for act, to in (
        (Act.READ, "inbox"),
        (Act.SEE_ORDERS, "orders"),
        (Act.SEE_AFFAIRS, "affairs"),
        (Act.UNREADABLE, "attention"),
    ):
        if person.may(act):
            raise web.HTTPSeeOther(f"{access.PATH}/{to}")
    raise web.HTTPSeeOther(f"{access.PATH}/alarms")


async def page(request: web.Request, person: Person) -> web.StreamResponse:
    """The list alone, or with one conversation open."""
    chosen = view.record_id(request) if "id" in request.match_info else None
    name, limit = _filter(request), _limit(request)
    since = _uuid(request.query.get("since", ""))

    def read(conn: sa.Connection, v: View) -> Data:
        went = conversations.follow(conn, chosen) if chosen else None
        if went is not None:  # its resident is known since; a page that refreshes itself goes on there, too
            raise web.HTTPSeeOther(request.rel_url.with_path(f"{access.PATH}/inbox/{went}", keep_query=True))
        data: Data = {
            "filter": name,
            "filters": FILTERS,
            "limit": limit,
            "chosen": chosen,
            "thread": None,
            "listed": LISTED,
        }
        data["rows"] = _rows(conn, v, inbox.listed(conn, view.seen_by(person), name, person.id, limit=limit))
        return data | (_open(conn, v, chosen, since) if chosen else {"resident": None})

    return await view.show(request, person, "inbox.html", read, PARTS)


async def older(request: web.Request, person: Person) -> web.StreamResponse:
    """What was said before, for somebody who scrolls up."""
    conversation_id, before = view.record_id(request), _uuid(request.query.get("before", ""))
    if before is None:
        raise web.HTTPBadRequest

    def read(conn: sa.Connection, v: View) -> Data:
        row = access.conversation_for(conn, person, conversation_id)
        entries = thread.entries(conn, conversation_id, before=before, limit=OLDER)
        return {"conversation": row, **_entries(conn, v, row, entries, before)}

    v, data = await view.load(request, person, read)
    return view.fragment(request, v, "parts/older.html", **data)


def _filter(request: web.Request) -> str:
    name = request.query.get("filter", "all")
    return name if name in FILTERS else "all"


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", "")
    return min(600, max(LISTED, int(text))) if text.isdecimal() else LISTED


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# -- the list ---------------------------------------------------------------------------------------------------------


def _rows(conn: sa.Connection, v: View, rows: list[Row]) -> list[Row]:
    """Each conversation with its first home and what this person may see of the words."""
    homes = residents.homes_of(conn, [row["resident_id"] for row in rows], v.world.local(v.now).date())
    for row in rows:
        masked = v.masked(Act.READ, row["community_id"], emergency=row["emergency"])
        row["homes"] = homes.get(row["resident_id"], [])
        row["shown_text"] = _last(v, row["last_text"], row["resident_name"] if masked else None)
    return rows


def _last(v: View, text: str, masked_name: str | None) -> str:
    """The last words; what came without words stands there as `[kind]`."""
    if text.startswith("[") and text.endswith("]"):
        return f"[{v.label('file', text[1:-1])}]"
    return text if masked_name is None else masks.text(text, masked_name)


# -- the open conversation --------------------------------------------------------------------------------------------


def _open(conn: sa.Connection, v: View, conversation_id: UUID, since: UUID | None) -> Data:
    row = access.conversation_for(conn, v.person, conversation_id)
    entries = thread.entries(conn, conversation_id, since=since, limit=MOST)
    if since is None or len(entries) >= MOST:
        entries = thread.entries(conn, conversation_id, limit=SHOWN)
    return {
        "conversation": row,
        "thread": _entries(conn, v, row, entries, None),
        "speaks": v.may("SPEAK", row["community_id"]),
        "owned": row["owner_id"] == v.person.id,
        "last": inbox.last_sent(conn, conversation_id, v.now),
        "sending": outbox.still_sending(conn, conversation_id),
        "by_text": (outbox.reachable_identity(conn, row["resident_id"]) or {}).get("channel") == "sms",
        "alarm": alarms.of_conversations(conn, [conversation_id]).get(conversation_id),
        "owned_for": _left(v, Conversation.of(row)),
        "resident": cards.resident(conn, v, row),
    }


def _left(v: View, conversation: Conversation) -> int:
    """Minutes until the owner's hold on it lapses."""
    until = conversation.owned_until
    return max(0, int((until - v.now) / timedelta(minutes=1))) if until else 0


def _entries(conn: sa.Connection, v: View, conversation: Row, found: list[Row], before: UUID | None) -> Data:
    """Messages and what stands between them, ready to be shown. `anchor`: where the next older page ends."""
    mine = inbox.has_case_of(conn, conversation["id"], v.person.id)
    masked = v.masked(Act.READ, conversation["community_id"], mine=mine, emergency=bool(conversation["emergency"]))
    anchor = found[0]["id"] if found else None
    marks = thread.marks(conn, conversation["id"], anchor, before) if anchor else []
    files = media.of_messages(conn, [row["id"] for row in found if row.get("attachments")])
    shown = [_entry(row, conversation["resident_name"], files, masked=masked) for row in found]
    entries = sorted([*shown, *marks], key=lambda row: row["id"])
    return {
        "entries": _with_days(v, entries),
        "anchor": anchor,
        "more": bool(found) and _has_older(conn, conversation, anchor),
    }


def _has_older(conn: sa.Connection, conversation: Row, anchor: UUID | None) -> bool:
    return bool(thread.entries(conn, conversation["id"], before=anchor, limit=1))


def _entry(row: Row, name: str, files: Mapping[tuple[UUID, int], Row], *, masked: bool) -> Row:
    text = masks.text(row["text"], name) if masked else row["text"]
    at = row["received_at"] if row["side"] == "in" else row["sent_at"] or row["created_at"]
    return {**row, "text": text, "at": at, "who": _who(row), "files": _files(row, files, masked=masked)}


def _who(row: Row) -> str:
    """Who speaks: the resident, an agent, the bot, or the system with the progress of a case (law 8)."""
    if row["side"] == "in":
        return "resident"
    if row["author_id"] is not None:
        return "agent"
    return "system" if row["fence"] is None else "bot"


def _files(row: Row, files: Mapping[tuple[UUID, int], Row], *, masked: bool) -> list[Row]:
    """What came beside the words, with what became of each file. A picture cannot be masked: it is left out."""
    stored: Any = row.get("attachments") or ()
    shown = []
    for position, item in enumerate(msgspec.convert(stored, tuple[Attachment, ...])):
        file = files.get((row["id"], position), {})
        state = "hidden" if masked and file else file.get("state")
        shown.append(
            {
                **msgspec.structs.asdict(item), "file_id": file.get("id"), "file_state": state,
                "file_type": file.get("content_type", ""),
            }
        )  # fmt: skip
    return shown


def _with_days(v: View, entries: list[Row]) -> list[Row]:
    """Marks the first entry of each day."""
    last = None
    for entry in entries:
        day = v.world.local(entry["at"]).date()
        entry["day"] = v.day(entry["at"]) if day != last else ""
        last = day
    return entries


# -- acts that are no workflow's --------------------------------------------------------------------------------------


async def mark_read(request: web.Request, person: Person) -> web.StreamResponse:
    """The thread stands before somebody who could answer it. Where a colleague has it, only that one counts."""
    context, conversation_id = request.app[CONTEXT], view.record_id(request)
    row = await context.database.read(access.conversation_for, person, conversation_id)
    speaks = person.may(Act.SPEAK).covers(row["community_id"])
    if speaks and row["unread"] and row["owner_id"] in {None, person.id}:
        await context.database.write(inbox.mark_read, conversation_id)
        context.database.announce()
    return web.Response(status=204)
