"""Greetings, thanks, goodbye; the first contact; what is asked about privacy and about stopping notices."""

import re

from bot.desk import Desk, Job
from intents.answers import is_thanks
from workflows import deadlines, moments, wording
from workflows.forms import Form
from workflows.talk import Talk

name = "smalltalk"
timers: frozenset[str] = frozenset()

PRIVACY_VERSION = "2026-11"
"""Names the text of `greeting.privacy`; whoever changes the text gives it another (a test holds them together)."""

_BYE = re.compile(
    r"再见|拜拜|回见|晚安|没事了|不用了|没有了|好的|知道了|收到|bye|good ?night|that'?s all|no problem|\bok\b",
    re.IGNORECASE,
)
_GREETS = re.compile(
    r"你好|您好|在吗|在不|有人|哈[喽啰]|嗨|早|晚上好|下午好|喂|\b(?:hi|hello|hey|good)\b", re.IGNORECASE
)
_RESUME = re.compile(r"^\s*(?:恢复|恢復|resume|start)\s*$", re.IGNORECASE)
_THANKS = re.compile(r"谢|謝|麻烦|麻煩|辛苦|多谢|唔該|感谢|thank|cheers", re.IGNORECASE)


def start(talk: Talk) -> None:
    """Answer a word of courtesy with one."""
    if is_thanks(talk.said.text) or (_THANKS.search(talk.said.text) and len(talk.said.text) <= 12):
        talk.reply("greeting.thanks")
    elif _BYE.search(talk.said.text):
        talk.reply("greeting.bye")
    elif talk.desk.resident.greeted_at is None:
        first(talk)
    else:
        again(talk)
    talk.understood()
    talk.end("smalltalk", "idle")


def first(talk: Talk) -> None:
    """The first contact: who answers here, how to reach a person, and the line about privacy (desk.md section 6)."""
    communities = talk.communities()
    own = communities[0].name if len(communities) == 1 else ""
    phone = talk.phone()
    told = talk.text("greeting.first_phone", phone=phone) if phone else ""
    talk.reply("greeting.first", community=own, phone=told)
    _greeted(talk)


def _greeted(talk: Talk) -> None:
    """They have been told who answers, and where to read about their data: which text, and when, stays on record."""
    desk = talk.desk
    desk.change(
        desk.resident, greeted_at=desk.now, privacy_version=PRIVACY_VERSION, privacy_told_at=desk.now
    )  # fmt: skip


def again(talk: Talk) -> None:
    """Known, or met before: short; at night what happens tonight."""
    resident = talk.desk.resident
    if talk.memory.forms and not _GREETS.search(talk.said.text):
        talk.reply("greeting.again")
        return
    called = f"{resident.name[:1]}{resident.title}" if resident.title and talk.language != "en" else resident.name
    if called:
        talk.reply("greeting.known", name=called)
    else:
        talk.reply("greeting.again")
    if deadlines.is_night(talk.local, talk.desk.settings):
        due = deadlines.contact_by(talk.local, "normal", talk.desk.settings)
        if deadlines.is_morning_call(talk.local, due, talk.desk.settings):
            talk.reply("greeting.night", time=wording.when(due, talk.local, talk.language))


def followed(talk: Talk) -> None:
    """They have just found the account: greet."""
    if talk.desk.resident.greeted_at is None:
        first(talk)
    else:
        again(talk)
    talk.end("smalltalk", "idle")


def first_line(talk: Talk) -> None:
    """Whoever begins with a request hears in one line, after the answer, that a program answers."""
    desk = talk.desk
    if desk.resident.greeted_at is None and talk.parts:
        talk.reply("greeting.first_line")
        _greeted(talk)


def privacy(talk: Talk) -> None:
    """The text about their data as it is now."""
    talk.reply("greeting.privacy")
    if talk.desk.world.settings.language_model.base_url:
        talk.reply("greeting.privacy_model")
    talk.desk.change(talk.desk.resident, privacy_version=PRIVACY_VERSION, privacy_told_at=talk.desk.now)
    talk.end("faq", "answered")


def stopped(talk: Talk) -> None:
    """No notices and surveys from now on; orders and emergencies go on."""
    talk.desk.change(talk.desk.resident, stopped_at=talk.desk.now)
    talk.reply("greeting.stopped")
    talk.told = moments.STOPPED
    talk.end("other", "answered")


def wants_notices_again(talk: Talk) -> bool:
    return talk.desk.resident.stopped_at is not None and _RESUME.match(talk.said.text) is not None


def started(talk: Talk) -> None:
    talk.desk.change(talk.desk.resident, stopped_at=None)
    talk.reply("greeting.started")
    talk.end("other", "answered")


def resume(talk: Talk, form: Form) -> bool:
    """It has no form."""
    del talk, form
    return False


def question(talk: Talk, form: Form) -> None:
    """It asks nothing."""
    del talk, form


def due(desk: Desk, job: Job) -> None:
    """It has no timers."""
    del desk, job
