"""The page of what staff have taught: corrections to decide on, examples, and the models trained with them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from aiohttp import web

from bot.engine import learning
from bot.engine.learning import Trainer
from bot.errors import Conflict, NotAllowed, NotFound
from bot.store import learning as store
from bot.store import staff
from bot.store.base import Row
from bot.store.database import notify
from bot.web import access
from bot.web.access import Person
from bot.web.console import fields, readings, view
from bot.web.console.fields import FieldError
from bot.web.console.view import Data, View
from bot.web.context import CONTEXT
from bot.web.rights import Act
from intents.classifier import model_key
from intents.corrections import may_teach
from intents.masking import mask

TRAINER = web.AppKey("trainer", Trainer)
WEIGHT, WEIGHT_OF_DANGER = 2, 3
"""As many times an example of staff counts: what was misread once is worth more than one of ten thousand."""
LISTED = 100
MODELS = 6
PAGE = f"{access.PATH}/learning"
PARTS = ("corrections", "examples", "models")
FIGURES = ("intent", "macro_f1", "category", "recall", "precision")

Decide = Callable[[sa.Connection, View], bool]
"""Writes what was decided; False where somebody else has decided already."""


async def page(request: web.Request, person: Person) -> web.StreamResponse:
    """What this person may see of it: administrators see the figures, not what residents wrote."""
    teach, models = person.may(Act.TEACH), person.may(Act.MODELS)
    if not (teach or models):
        raise NotAllowed("not_allowed")

    def read(conn: sa.Connection, v: View) -> Data:
        live = store.live(conn)
        data: Data = {"may_teach": bool(teach), "may_models": bool(models), "corrections": [], "examples": []}
        if teach:
            data["corrections"] = [_correction(v, row) for row in store.open_corrections(conn, teach.listed, LISTED)]
            data["examples"] = [_example(v, row, live) for row in store.newest_examples(conn, teach.listed, LISTED)]
        return data | _models(conn, v, live)

    return await view.show(request, person, "learning.html", read, PARTS)


def _correction(v: View, row: Row) -> Row:
    was = row["was"] or {}
    return {
        **row,
        "was_words": readings.words(v, was.get("intent") or "", was.get("category"), was.get("urgency") or "normal"),
        "becomes": readings.words(v, row["intent"], row["category"], row["urgency"]),
    }


def _example(v: View, row: Row, live: Row | None) -> Row:
    """`new`: no model that reads has seen it."""
    new = live is None or row["created_at"] > live["created_at"]
    return {**row, "labels": readings.words(v, row["intent"], row["category"], row["urgency"]), "new": new}


def _models(conn: sa.Connection, v: View, live: Row | None) -> Data:
    everywhere = _everywhere(v)
    rows = [_model(v, row, live, everywhere=everywhere) for row in store.models(conn, MODELS)]
    return {
        "models": rows,
        "live": live,
        "stale": live is not None and live["key"] != model_key(),
        "training": any(row["state"] == "training" and not v.late(row["lease_until"]) for row in rows),
        "waiting": len(store.examples(conn)),
        "everywhere": everywhere,
    }


def _everywhere(v: View) -> bool:
    """A model reads for every community: to put one to use needs the right in each of them."""
    may = v.person.may(Act.MODELS)
    return may.everywhere or (bool(may) and all(may.covers(community) for community in v.world.communities))


def _model(v: View, row: Row, live: Row | None, *, everywhere: bool) -> Row:
    report = row["report"]
    return {
        **row,
        "usable": everywhere and _hindrance(row, live) == "",
        "figures": _figures(report) if report else [],
        "reasons": [_reason(v, reason) for reason in report["against"]] if report else [],
        "missed": report["missed"] if report else [],
        "flips": [_flip(v, flip) for flip in report["flips"]] if report else [],
    }


def _hindrance(row: Row, live: Row | None) -> str:
    """Why a model cannot be put to use: the key of a sentence, empty where it can."""
    if row["state"] not in {"ready", "former"} or not row["kept"]:
        return "model_not_ready"
    if row["key"] != model_key():
        return "model_other_version"
    compared = live["id"] if live else None
    return "model_stale" if row["state"] == "ready" and row["against_id"] != compared else ""


def _figures(report: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """Name, before, after, whether it is worse."""
    old, new = report["old"], report["new"]
    shares = [(name, f"{old[name]:.1%}", f"{new[name]:.1%}", new[name] < old[name]) for name in FIGURES]
    found = ("dangers", str(old["dangers"]), str(new["dangers"]), new["dangers"] < old["dangers"])
    false = (
        "false_alarms",
        str(old["false_alarms"]),
        str(new["false_alarms"]),
        new["false_alarms"] > old["false_alarms"],
    )
    return [*shares, found, false]


def _reason(v: View, reason: dict[str, Any]) -> str:
    what = str(reason["what"]).replace(".", "_")
    as_share = what not in {"missed", "false_alarms"}
    was, becomes = (f"{reason[end]:.1%}" if as_share else f"{reason[end]:.0f}" for end in ("was", "becomes"))
    return v.t(f"learning.against.{what}", was=was, becomes=becomes)


def _flip(v: View, flip: dict[str, Any]) -> dict[str, Any]:
    return {**flip, "was": _labels(v, flip["was"]), "becomes": _labels(v, flip["becomes"])}


def _labels(v: View, joined: str) -> str:
    intent, category, urgency = joined.split("/")
    return readings.words(v, intent, category or None, urgency)


# -- corrections ------------------------------------------------------------------------------------------------------


async def use(request: web.Request, person: Person) -> web.StreamResponse:
    """Examples for the next training: the corrected message, and the same in other words where somebody gave them."""
    row = await _for_decision(request, person)
    form = await request.post()
    paraphrase = mask(fields.text(form, "paraphrase", 300)) if "paraphrase" in form else row["paraphrase"]
    if paraphrase and not may_teach(paraphrase):
        raise FieldError("teaches_nothing")
    examples = [_as_example(row, text) for text in (row["text"], paraphrase) if text]

    def write(conn: sa.Connection, v: View) -> bool:
        return store.teach(conn, row["id"], examples, person.id, v.now)

    return await _decided(request, person, write, "correction.use", row, "done.taught")


def _as_example(row: Row, text: str) -> Row:
    labels = {name: row[name] for name in ("community_id", "intent", "category", "urgency")}
    return {"text": text, "weight": WEIGHT_OF_DANGER if row["urgency"] == "emergency" else WEIGHT, **labels}


async def dismiss(request: web.Request, person: Person) -> web.StreamResponse:
    """It was no mistake, or none to learn from: the message is read by the model again."""
    row = await _for_decision(request, person)

    def write(conn: sa.Connection, v: View) -> bool:
        return store.dismiss(conn, row["id"], person.id, v.now)

    return await _decided(request, person, write, "correction.dismiss", row)


async def withdraw(request: web.Request, person: Person) -> web.StreamResponse:
    """An example that teaches the wrong thing, with its correction and what else was made of it."""
    found = await request.app[CONTEXT].database.read(store.example, view.record_id(request))
    row = _reached(person, found)

    def write(conn: sa.Connection, v: View) -> bool:
        store.withdraw(conn, row["correction_id"], person.id, v.now)
        return True

    return await _decided(request, person, write, "example.withdraw", row)


async def _for_decision(request: web.Request, person: Person) -> Row:
    return _reached(person, await request.app[CONTEXT].database.read(store.correction, view.record_id(request)))


def _reached(person: Person, row: Row | None) -> Row:
    """A record that is for this person, who may teach."""
    may = person.may(Act.TEACH)
    if not may:
        raise NotAllowed("not_allowed")
    if row is None or not may.covers(row["community_id"]):
        raise NotFound("correction")
    return row


async def _decided(
    request: web.Request, person: Person, write: Decide, act: str, row: Row, key: str = "done.saved"
) -> web.StreamResponse:
    v = view.here(request, person)

    def run(conn: sa.Connection) -> None:
        if not write(conn, v):
            raise Conflict("decided_already")
        _record(conn, v, act, row)

    await _written(request, run)
    return view.done(request, v, PAGE, key)


def _record(conn: sa.Connection, v: View, act: str, row: Row) -> None:
    kind = act.partition(".")[0]
    staff.record_act(conn, v.person.id, act, v.now, ref_kind=kind, ref_id=row["id"], community_id=row["community_id"])
    notify(conn)


async def _written(request: web.Request, run: Callable[[sa.Connection], None]) -> None:
    """In one commit, and at once in this process; others look within seconds."""
    context = request.app[CONTEXT]
    await context.database.write(run)
    await learning.renew(context.database, context.worlds)
    context.database.announce()


# -- models -----------------------------------------------------------------------------------------------------------


async def train(request: web.Request, person: Person) -> web.StreamResponse:
    """Begin to train; the page shows when it has ended."""
    if not person.may(Act.MODELS):
        raise NotAllowed("not_allowed")
    await request.app[TRAINER].start(person.id)
    return view.done(request, view.here(request, person), PAGE, "done.training")


async def go_live(request: web.Request, person: Person) -> web.StreamResponse:
    """A model that was found no worse, or one that read before."""
    model_id = view.record_id(request)

    def check(conn: sa.Connection) -> None:
        row = store.model(conn, model_id)
        if row is None:
            raise NotFound("model")
        if hindrance := _hindrance(row, store.live(conn)):
            raise Conflict(hindrance)

    return await _put_to_use(request, person, model_id, check)


async def ship(request: web.Request, person: Person) -> web.StreamResponse:
    """Back to the model that ships."""
    return await _put_to_use(request, person, None, None)


async def _put_to_use(
    request: web.Request, person: Person, model_id: UUID | None, check: Callable[[sa.Connection], None] | None
) -> web.StreamResponse:
    v = view.here(request, person)
    if not _everywhere(v):
        raise NotAllowed("not_everywhere")

    def run(conn: sa.Connection) -> None:
        if check is not None:
            check(conn)
        before = store.live(conn)
        store.go_live(conn, model_id, person.id, v.now)
        data = {"before": before["number"] if before else 0}
        staff.record_act(conn, person.id, "model.live", v.now, ref_kind="model", ref_id=model_id, data=data)
        notify(conn)

    await _written(request, run)
    return view.done(request, v, PAGE, "done.live")
