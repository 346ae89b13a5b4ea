"""A code was scanned. That of a place says where: for the next report of this conversation, and never who it is."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import structs

from bot.desk import Community
from channels import scenes
from channels.messages import SCENE
from channels.scenes import Scene
from workflows import dialogue, emergency, smalltalk, where
from workflows.binding import codes
from workflows.dialogue import Said
from workflows.seen import stated_by
from workflows.talk import Talk
from workflows.where import Where


def note(talk: Talk) -> None:
    """Before a message is routed: keep the place that was scanned; whoever was asked where has answered by it."""
    seen = _place(talk)
    if seen is None:
        return
    talk.memory.scene = where.as_json(seen)
    talk.memory.scene_at = talk.desk.now.isoformat()
    if not talk.said.text and seen.kind in {"home", "place"} and _is_asked_where(talk):
        talk.said = _stated(talk, seen)


def _stated(talk: Talk, seen: Where) -> Said:
    """The place as if it had been typed, with the names of the lists."""
    label = where.label(seen, "zh-Hans", named=True)
    reading = talk.desk.world.reader.read(label, talk.local, talk.desk.world.names)
    slots = structs.replace(reading.slots, **stated_by(seen))
    return dialogue.said(label, structs.replace(reading, slots=slots, intent="other", confidence=0.0))


def _is_asked_where(talk: Talk) -> bool:
    form = talk.memory.forms[0] if talk.memory.forms else None
    if form is None or talk.desk.conversation.mode != "bot":
        return False
    return form.step in dialogue.HOME_STEPS or (form.workflow == emergency.name and talk.desk.alarm is not None)


def scanned(talk: Talk) -> bool:
    """A scan without words is answered by what its code is for; False: like any first contact."""
    scene = _scene(talk)
    act = SCANNED.get(scene.partition(":")[0])
    return act is not None and act(talk, scene)


def _greet(talk: Talk, scene: str) -> bool:
    """The place is named, so that nobody has to say it again. A code of something that is gone says nothing."""
    del scene
    seen = _place(talk)
    if seen is None:
        return False
    if talk.desk.resident.greeted_at is None:
        smalltalk.first(talk)
    only_community = seen.community.name if seen.kind == "unknown" and seen.community else ""
    place = only_community or where.label(seen, talk.language, named=True)
    talk.reply("greeting.scanned", place=place)
    talk.end("smalltalk", "idle")
    return True


def _with_code(talk: Talk, scene: str) -> bool:
    """The code in it is used as if it had been typed."""
    codes.scanned(talk, scene.partition(":")[2])
    return True


SCANNED: Final[Mapping[str, Callable[[Talk, str], bool]]] = {
    "c": _greet, "h": _greet, "p": _greet, codes.BIND: _with_code, codes.STAFF: _with_code,
}  # fmt: skip
"""By the beginning of a scene (`channels.scenes`), what a scan of it does: False where it is not valid any more."""


def _scene(talk: Talk) -> str:
    choice = talk.desk.incoming.choice if talk.desk.incoming else None
    return choice.removeprefix(SCENE) if choice and choice.startswith(SCENE) else ""


def _place(talk: Talk) -> Where | None:
    """The place of the code in this message, where the lists still have it."""
    scene = scenes.read(_scene(talk))
    incoming = talk.desk.incoming
    if scene is None or incoming is None:
        return None
    served = talk.desk.world.communities_of(incoming.identity.channel, incoming.identity.account)
    community = next((one for one in served if one.name == scene.community), None)
    return _in(talk, scene, community) if community is not None else None


def _in(talk: Talk, scene: Scene, community: Community) -> Where | None:
    if scene.kind == "community":
        return Where("unknown", community)
    if scene.kind == "place":
        rows = talk.atlas.places.get(community.id, ())
        row = next((row for row in rows if row.name == scene.place), None)
        return Where("place", community, place=row.name, place_id=row.id, listed=True) if row is not None else None
    stated = {"building": scene.building, "unit": scene.unit, "room": scene.room}
    found = where.find(stated, (), [community], talk.atlas)
    return found if found.kind == "home" and found.listed else None
