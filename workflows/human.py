"""The resident wants a person: queued with place and minutes by day; at night told the truth and when."""

from datetime import datetime, timedelta

from bot.desk import Desk, Job, Member
from workflows import deadlines, forms, moments, texts, wording
from workflows.forms import Form
from workflows.talk import Talk, silent, supervisor

name = "human"
timers = frozenset({"human.waiting"})

MINUTES_EACH = 4
"""How long a conversation takes a person, for what the resident is told."""
WAIT = timedelta(minutes=10)
"""By day somebody answers within this time (desk.md section 7)."""
TOLD_AGAIN_AFTER = timedelta(minutes=2)


def start(talk: Talk) -> None:
    """Queue the conversation; what was open stays readable for whoever takes it."""
    desk = talk.desk
    nobody = not agents(desk)
    if nobody and deadlines.is_night(talk.local, desk.settings):
        _at_night(talk)
        return
    if nobody:
        head = supervisor(desk)
        desk.raise_alarm("waiting", talk.said.text, [head] if head else [])
    desk.queue_for_person()
    ahead = desk.waiting_before()
    key = "human.queued" if ahead else "human.queued_next"
    talk.reply(key, ahead=ahead, minutes=minutes(ahead))
    talk.told = moments.person(desk, wording.soon(talk.local, int(WAIT / timedelta(minutes=1))))
    desk.schedule("human.waiting", desk.now + WAIT, ref=desk.conversation.id)
    talk.understood()
    talk.end("human", "human")


def _at_night(talk: Talk) -> None:
    """Nobody sits here at night: first on the morning's list; the bot goes on meanwhile, not to be silent."""
    desk = talk.desk
    morning = _morning(talk.local, desk)
    key = f"person:{desk.conversation.id}:{morning:%Y%m%d}"
    desk.call_task("person", talk.said.text or desk.conversation.last_text, morning, key=key)
    form = talk.memory.of(name) or forms.new_form(name, desk.now)
    talk.touch(form)
    talk.reply("human.night", by=wording.when(morning, talk.local, talk.language))
    talk.told = moments.person(desk, morning)
    talk.understood()
    talk.end("human", "human")


def agents(desk: Desk) -> list[Member]:
    """Who is at the console now."""
    return desk.world.on_duty(desk.community_id, ("desk",), desk.now)


def _morning(local: datetime, desk: Desk) -> datetime:
    at = deadlines.clock(desk.settings.first_contact_at)
    same = local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return same if same > local else same + timedelta(days=1)


def minutes(ahead: int) -> int:
    """What a place in the queue means in minutes."""
    return max(2, (ahead + 1) * MINUTES_EACH)


def while_waiting(talk: Talk) -> None:
    """A message while nobody has taken the conversation yet: kept; whoever asks hears their place in the queue."""
    desk = talk.desk
    recent = desk.conversation.last_inbound_at
    quiet = recent is not None and desk.now - recent < TOLD_AGAIN_AFTER and not _asks_where_we_are(talk)
    if not quiet:
        _say_place(talk)
    talk.end("human", "human")


def _asks_where_we_are(talk: Talk) -> bool:
    return talk.reading.intent == "human" or any(
        word in talk.said.text for word in ("人呢", "在吗", "多久", "有人", "anyone", "hello")
    )


def _say_place(talk: Talk) -> None:
    desk = talk.desk
    if not agents(desk) and deadlines.is_night(talk.local, desk.settings):
        talk.reply("human.night_more", by=wording.when(_morning(talk.local, desk), talk.local, talk.language))
        return
    ahead = desk.waiting_before()
    talk.reply("human.position" if ahead else "human.position_next", ahead=ahead, minutes=minutes(ahead))


def resume(talk: Talk, form: Form) -> bool:
    """Somebody who waits for the morning asks again for a person."""
    if agents(talk.desk) or not deadlines.is_night(talk.local, talk.desk.settings):
        talk.memory.drop(form)
        return False
    if not _asks_where_we_are(talk):
        return False
    talk.touch(form)
    _say_place(talk)
    talk.end("human", "human")
    return True


def due(desk: Desk, job: Job) -> None:
    """Nobody took it in time: the supervisor hears of it, and the resident the truth."""
    del job
    if desk.conversation.mode != "waiting" or desk.conversation.waiting_since is None:
        return
    head = supervisor(desk)
    by = wording.soon(desk.world.local(desk.now), 30)
    desk.raise_alarm("waiting", desk.conversation.last_text, [head] if head else [])
    desk.call_task("person", desk.conversation.last_text, by, owner_id=head.id if head else None)
    talk = silent(desk)
    text = texts.say(desk.language, "human.late", name=wording.person(head, desk.language), by=talk.by(by))
    desk.say(text, fenced=True, told=moments.person(desk, by))


def question(talk: Talk, form: Form) -> None:
    """It asks nothing."""
    del talk, form
