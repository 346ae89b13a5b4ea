"""A report that stops half-way never vanishes: one reminder by day, then a person's task with all that was said."""

from datetime import datetime, timedelta
from uuid import UUID

from bot.desk import Desk, Job
from workflows import deadlines, texts
from workflows.forms import Form, dump, load
from workflows.talk import Talk

name = "unfinished"
timers = frozenset({"unfinished.remind", "unfinished.task"})

_KEPT = frozenset({"repair", "complaint", "affair"})


def watch(talk: Talk) -> None:
    """After each message: an open question of a report is waited for."""
    for form in talk.memory.forms:
        if form.id not in talk.touched or form.workflow not in _KEPT:
            continue
        if form.step and not form.case:
            _wait(talk.desk, form, UUID(form.id))


def _wait(desk: Desk, form: Form, ref: UUID) -> None:
    """A timer of an earlier message finds that the form was spoken of since, and does nothing."""
    settings = desk.settings
    payload = {"at": form.at}
    if not form.reminded:
        desk.schedule(
            "unfinished.remind", desk.now + timedelta(minutes=settings.reminder_minutes), ref=ref, payload=payload
        )
    desk.schedule(
        "unfinished.task", desk.now + timedelta(minutes=settings.unfinished_minutes), ref=ref, payload=payload
    )


def due(desk: Desk, job: Job) -> None:
    memory = load(desk.conversation.form)
    form = next((known for known in memory.forms if job.ref == UUID(known.id)), None)
    still = form is not None and form.step and not form.case and (job.payload or {}).get("at") == form.at
    if form is None or not still or desk.conversation.mode != "bot":
        return
    if job.kind == "unfinished.task":
        _task(desk, form)
    elif not deadlines.is_night(desk.world.local(desk.now), desk.settings):
        _remind(desk, form)
    desk.set_form(dump(memory))


def _remind(desk: Desk, form: Form) -> None:
    form.reminded = True
    key = (
        "remind_what"
        if form.step == "what"
        else "remind_where"
        if form.workflow == "repair" and form.fault
        else "remind"
    )
    values = {"what": form.fault} if key == "remind_where" else {}
    desk.say(texts.say(desk.language, f"unfinished.{key}", **values), kind="reminder", question=True)


def _task(desk: Desk, form: Form) -> None:
    """All that was said, for a person to call about or to ask in the conversation."""
    by = _by(desk)
    stated = " ".join(form.stated.values())
    text = f"{form.workflow}: {form.text} {stated}".strip()
    form.task = str(
        desk.call_task("unfinished", text, by, phone=form.stated.get("phone", ""), key=f"unfinished:{form.id}")
    )


def _by(desk: Desk) -> datetime:
    return deadlines.contact_by(desk.world.local(desk.now), "normal", desk.settings)


def finished(talk: Talk) -> None:
    """A draft whose case is entered now needs no call any more."""
    for form in talk.memory.forms:
        if form.task and form.case:
            talk.desk.end_task(UUID(form.task), "recorded by the resident")
            form.task = ""


def start(talk: Talk) -> None:
    """Nothing a resident says begins this."""
    del talk


def resume(talk: Talk, form: Form) -> bool:
    """It has no form."""
    del talk, form
    return False


def question(talk: Talk, form: Form) -> None:
    """It asks nothing."""
    del talk, form
