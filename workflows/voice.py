"""A voice message is unread and urgent until a person has listened (desk.md section 4): a clock runs, and somebody
higher hears of it when it ends."""

from datetime import timedelta
from uuid import UUID

from bot.desk import Desk, Job, Member
from workflows import wording
from workflows.forms import Form
from workflows.talk import Talk, supervisor

name = "voice"
timers = frozenset({"voice"})

LISTENED = "已听 · listened"


def start(talk: Talk) -> None:
    """It is said at once that a person will listen, and what to do in danger."""
    talk.reply("unknown.voice_night" if wording.is_late_hour(talk.local) else "unknown.voice")
    talk.end("other", "idle")


def watch(desk: Desk) -> None:
    """The clock of a voice message begins: an alarm, a task for whoever listens or rings, and a look at its end."""
    assert desk.incoming is not None
    night = wording.is_late_hour(desk.world.local(desk.now))
    minutes = desk.settings.voice_minutes[night]
    due_at, (key, _) = desk.now + timedelta(minutes=minutes), keys(desk.incoming.id)
    people = desk.world.on_duty(desk.community_id, ("control_room", "duty_manager") if night else ("desk",), desk.now)
    desk.raise_alarm("voice", "", people or _higher(desk), acknowledge_by=due_at, key=key)
    desk.call_task("voice", "", due_at, key=key)
    desk.schedule("voice", due_at, ref=desk.incoming.id, payload={"minutes": minutes})


def due(desk: Desk, job: Job) -> None:
    """Nobody has listened in time: those on duty above hear of it, and it stands until somebody does."""
    if job.ref is None or job.payload is None:
        return
    key, late_key = keys(job.ref)
    if desk.is_asked(key):
        desk.raise_alarm("voice", f"{job.payload['minutes']} min", _higher(desk), key=late_key)


def listened(desk: Desk, message_id: UUID) -> None:
    """A person has played it, or has rung instead: alarms and task are over."""
    if desk.settle(keys(message_id), LISTENED):
        desk.unschedule(message_id, "voice")
        desk.audit("voice.listened", "message", message_id)


def _higher(desk: Desk) -> list[Member]:
    on_duty = desk.world.on_duty(desk.community_id, ("duty_manager", "supervisor"), desk.now)
    return on_duty or [member for member in [supervisor(desk)] if member]


def keys(message_id: UUID) -> tuple[str, str]:
    """What alarm and task of a voice message go by, and the alarm that it is late."""
    return f"voice:{message_id}", f"voice:{message_id}:late"


def resume(talk: Talk, form: Form) -> bool:
    """It has no form."""
    del talk, form
    return False


def question(talk: Talk, form: Form) -> None:
    """It asks nothing."""
    del talk, form
