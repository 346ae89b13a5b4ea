"""The registered phone says that it was not they: the binding ends at once, both sides hear it, a person looks."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from bot import register
from bot.desk import Identity
from workflows import deadlines, texts
from workflows.binding import become, words
from workflows.talk import Talk


def heard(talk: Talk) -> bool:
    """Whether this message objects to a binding; it counts whoever has the word at this moment."""
    incoming = talk.desk.incoming
    if incoming is None or not words.objects(incoming.text) or not incoming.own_phone:
        return False
    row = register.told_to(talk.desk, incoming.identity.id)
    if row is None:
        return False
    _end(talk, row)
    return True


def _end(talk: Talk, row: Mapping[str, Any]) -> None:
    desk = talk.desk
    identity, person, conversation_id = register.identity(desk, row["identity_id"])
    register.settle(desk, row["id"], "objected")
    register.lock(desk, identity.id)
    by = deadlines.answer_by(talk.local, desk.settings)
    desk.call_task(
        "binding_objection", f"{row['name']}（{become.who(identity)}）".strip(), by, key=f"objection:{row['id']}"
    )
    _tell_them(talk, identity, person.language, conversation_id)
    if not register.part(desk, identity.id):
        become.later(desk, identity=identity.id)
    talk.reply("binding.objected", by=talk.by(by))
    talk.end("application", "answered")


def _tell_them(talk: Talk, identity: Identity, language: str, conversation_id: UUID) -> None:
    text = texts.say(language or "zh-Hans", "binding.objected_to")
    register.tell(talk.desk, identity, conversation_id, text, "binding")
