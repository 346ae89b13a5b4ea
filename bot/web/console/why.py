"""Why a message was read as it was, on demand; and what it should have been read as, by whoever knows better."""

import asyncio
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from bot.engine import learning
from bot.errors import NotAllowed, NotFound
from bot.store import inbox, jobs, staff, thread
from bot.store import learning as store
from bot.store.base import Row
from bot.store.database import notify
from bot.web import access
from bot.web.access import Person
from bot.web.console import fields, masks, readings, view
from bot.web.console.fields import FieldError
from bot.web.console.view import Data, View
from bot.web.context import CONTEXT
from bot.web.rights import Act
from intents.corrections import may_teach
from intents.masking import mask
from intents.model import URGENCIES
from intents.reader import Explanation
from workflows import second_look

SHOWN_WORDS = 6
LIKE = 0.35
"""An example that is less like the message explains nothing."""
DOUBT = 0.05
"""From this learned danger on, what speaks for danger is shown, too."""


async def show(request: web.Request, person: Person) -> web.StreamResponse:
    """The explanation: a piece of the inbox page, or a page of its own without scripts."""
    return await _show(request, person, *await _found(request, person))


async def _found(request: web.Request, person: Person) -> tuple[Row, Row]:
    """The conversation and the message of the path, as far as they are for this person."""
    conversation_id, message_id = view.record_id(request), view.record_id(request, "message")

    def read(conn: sa.Connection) -> tuple[Row, Row]:
        row = access.conversation_for(conn, person, conversation_id)
        row["mine"] = inbox.has_case_of(conn, conversation_id, person.id)
        message = thread.message(conn, conversation_id, message_id)
        if message is None or not message["text"]:
            raise NotFound("message")
        return row, message

    return await request.app[CONTEXT].database.read(read)


async def _show(request: web.Request, person: Person, conversation: Row, message: Row) -> web.Response:
    v = view.here(request, person)
    community_id, mine = conversation["community_id"], conversation["mine"]
    masked = v.masked(Act.READ, community_id, mine=mine, emergency=bool(conversation["emergency"]))
    text = mask(message["text"], conversation["resident_name"]) if masked else message["text"]
    # In a thread: the first one builds the index of examples, for half a second.
    told = await asyncio.to_thread(v.world.reader.explain, text, v.world.local(v.now), v.world.names)
    database = request.app[CONTEXT].database
    correction = await database.read(store.of_message, message["id"])
    asked = await database.read(jobs.about, message["id"], second_look.KINDS)
    data = {
        "conversation": conversation,
        "message": message,
        "text": text,
        "told": _told(v, told),
        "then": _then(v, message, told),
        "by_model": bool((message["reading"] or {}).get("by_model")),
        "sent_out": [row["payload"]["text"] for row in asked if row["step"]],
        "correction": _corrected(v, correction),
        "may_correct": _may_correct(v, conversation) and may_teach(message["text"]),
        "choices": readings.choices(v),
        "chosen": f"{told.reading.intent}/{told.reading.category or ''}",
        "urgency": told.reading.urgency,
        "urgencies": URGENCIES,
        "articles": [(article.id, article.title) for article in v.world.knowledge.articles],
    }
    if request.headers.get("HX-Request"):
        return view.fragment(request, v, "parts/why.html", **data)

    def whole(conn: sa.Connection, v: View) -> Data:
        del conn, v
        return data

    return await view.show(request, person, "why.html", whole)


def _may_correct(v: View, conversation: Row) -> bool:
    return v.may("CORRECT", conversation["community_id"])


def _told(v: View, told: Explanation) -> Data:
    """The explanation in words."""
    reading = told.reading
    alone = told.alone if told.corrected else None
    return {
        "reading": readings.words(v, reading.intent, reading.category, reading.urgency),
        "danger_now": reading.urgency == "emergency",
        "sure": _percent(reading.confidence),
        "others": [(v.label("intent", other.intent), _percent(other.confidence)) for other in reading.alternatives],
        "alone": (v.label("intent", alone[0]), _percent(alone[1])) if alone else None,
        "rules": [(readings.rule(v, name), found) for name, found in told.rules],
        "words": _weighed(v, told.words),
        "danger": _percent(told.danger),
        "danger_words": _weighed(v, told.danger_words) if told.danger >= DOUBT else [],
        "nearest": [
            (
                near.example.text,
                readings.words(v, near.example.intent, near.example.category, near.example.urgency),
                f"{near.likeness:.0%}",
            )
            for near in told.nearest
            if near.likeness >= LIKE
        ],
        "slots": _slots(v, reading.slots.as_json()),
    }


def _percent(share: float) -> str:
    """Never quite certain."""
    return f"{min(share, 0.99):.0%}"


def _weighed(v: View, weighed: tuple[tuple[str, float], ...]) -> list[str]:
    return list(dict.fromkeys(readings.feature(v, name) for name, _ in weighed))[:SHOWN_WORDS]


def _slots(v: View, slots: dict[str, Any]) -> list[tuple[str, str]]:
    if v.person.audits:
        slots = {**slots, **({"phone": masks.phone(slots["phone"])} if "phone" in slots else {})}
    found = {name: value["text"] if name == "time" else str(value) for name, value in slots.items()}
    return [(v.label("why.slot", name), value) for name, value in found.items()]


def _then(v: View, message: Row, told: Explanation) -> str:
    """How it was read when it came, where it would be read otherwise now."""
    then = message["reading"] or {}
    if not then.get("intent"):
        return ""
    category = then.get("category", told.reading.category if then["intent"] == told.reading.intent else None)
    was = readings.words(v, then["intent"], category, then.get("urgency", "normal"))
    now = readings.words(v, told.reading.intent, told.reading.category, told.reading.urgency)
    return was if was != now else ""


def _corrected(v: View, row: Row | None) -> Data | None:
    if row is None:
        return None
    return {**row, "reading": readings.words(v, row["intent"], row["category"], row["urgency"])}


# -- the correction ---------------------------------------------------------------------------------------------------


async def correct(request: web.Request, person: Person) -> web.StreamResponse:
    """Store what it should have been read as; from then on the same words are read so, in every process."""
    context = request.app[CONTEXT]
    conversation, message = await _found(request, person)
    v = view.here(request, person)
    if not _may_correct(v, conversation):
        raise NotAllowed("not_allowed")
    row = _correction(v, conversation, message, dict(await request.post()))

    def write(conn: sa.Connection) -> None:
        correction_id = store.correct(conn, row)
        labels = {name: row[name] for name in ("was", "intent", "category", "urgency", "article")}
        staff.record_act(
            conn, person.id, "reading.correct", v.now, ref_kind="message", ref_id=message["id"],
            data={"correction": str(correction_id), **labels}, community_id=row["community_id"],
        )  # fmt: skip
        notify(conn)

    await context.database.write(write)
    await learning.renew(context.database, context.worlds)
    context.database.announce()
    if not request.headers.get("HX-Request"):
        return view.done(request, v, f"{access.PATH}/inbox/{conversation['id']}", "done.corrected")
    shown = await _show(request, person, conversation, message)
    shown.headers["HX-Trigger"] = view.said(v, "done.corrected")
    return shown


def _correction(v: View, conversation: Row, message: Row, form: dict[str, Any]) -> Row:
    """The row of what a form says, checked. Personal data stays behind in the message."""
    if not may_teach(message["text"]):
        raise FieldError("teaches_nothing")
    intent, category = readings.chosen(form)
    urgency = fields.choice(form, "urgency", URGENCIES)
    article = _article(v, form)
    now = v.world.reader.read(message["text"], v.world.local(v.now), v.world.names)
    if (intent, category, urgency) == (now.intent, now.category, now.urgency) and not article:
        raise FieldError("nothing_corrected")
    name = conversation["resident_name"]
    was = message["reading"] or {"intent": now.intent, "confidence": now.confidence, "urgency": now.urgency}
    return {
        "community_id": conversation["community_id"],
        "conversation_id": conversation["id"],
        "message_id": message["id"],
        "staff_id": v.person.id,
        "text": mask(message["text"], name),
        "was": {key: was.get(key) for key in ("intent", "category", "urgency", "confidence")},
        "intent": intent,
        "category": category,
        "urgency": urgency,
        "article": article,
        "paraphrase": mask(fields.text(form, "paraphrase", 300), name),
        "note": mask(fields.text(form, "note", 300), name),
        "created_at": v.now,
    }


def _article(v: View, form: dict[str, Any]) -> str:
    """The article that should have answered; its id, or its title as the list shows it."""
    given = fields.text(form, "article", 200)
    known = {article.title: article.id for article in v.world.knowledge.articles}
    if given and given not in known and given not in known.values():
        raise FieldError("no_article")
    return known.get(given, given)
