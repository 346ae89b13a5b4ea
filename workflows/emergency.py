"""Danger: a person is alerted in the same commit, advice goes before any question, and no machine closes it (law 9)."""

import re
from datetime import timedelta
from uuid import UUID

from bot.desk import EMERGENCY, NOBODY, Alarm, Desk, Job, Member, Moment, WorkOrder
from bot.errors import Conflict
from intents.answers import is_thanks
from workflows import danger, dialogue, forms, intake, moments, texts, where, wording
from workflows.dialogue import Heard
from workflows.forms import Form
from workflows.repair import states
from workflows.repair.order import open_order, order_of
from workflows.talk import Talk
from workflows.where import Where

name = "emergency"
timers = frozenset({"emergency"})

ON_DUTY = ("desk", "control_room", "duty_manager", "supervisor", "technician")
"""Everybody who hears of it at once."""
HIGHER = (("duty_manager",), ("duty_manager",), ("duty_manager", "site_manager"))
"""Who hears of it at each rung, on duty or not."""
DETAILS_FOR = timedelta(hours=3)
"""So long after the alarm a message in the conversation counts as a detail of it."""

_ACKNOWLEDGED = re.compile(
    r"^(?:嗯+|哦+|噢+|好+|行|收到|明白|知道|了解|等着|在等|ok(?:ay)?|all right|alright|got it|noted|waiting|understood)"
    r"(?:的|了|啦|喇|嘞|吧|呀)*[\s。.!！~～]*$",
    re.IGNORECASE,
)
LEAST_WORDS = 5
"""Shorter messages say too little for a doubt."""


def start(talk: Talk) -> None:
    """A message that tells of danger going on now."""
    kind = _kind(talk)
    form = talk.memory.of(name)
    if standing(talk) is not None and form is not None and kind in {form.kind, "other"}:
        details(talk)
        return
    begin(talk, kind)


def _kind(talk: Talk) -> str:
    """The kind of danger; where the reader only knows that there is one, the words of the whole talk may tell which."""
    if talk.reading.emergency not in {None, "other"}:
        return talk.reading.emergency or "other"
    open_form = talk.memory.forms[0] if talk.memory.forms else None
    return danger.named_in(talk.said.text) or danger.named_in(open_form.text if open_form else "") or "other"


def begin(talk: Talk, kind: str) -> Form:
    """Alarm, order, advice, and one question where: in this order, in one turn."""
    earlier = talk.memory.forms[0] if talk.memory.forms else None
    form = _form(talk, kind, earlier)
    place = intake.place_of(talk, form)
    order = _order(talk, form, place, earlier)
    raise_alarm(talk, form, order, place)
    talk.urgent()
    talk.understood()
    _advise(talk, form, place)
    talk.end("repair", "emergency", form.slots())
    return form


def _form(talk: Talk, kind: str, earlier: Form | None) -> Form:
    form = intake.begin(talk, name, kind)
    form.urgency, form.wish = "emergency", None
    form.category = (
        danger.CATEGORY.get(kind) or (talk.reading.category if talk.reading.intent == "repair" else None) or "other"
    )
    if earlier is not None and (earlier.step or not earlier.case or talk.desk.now - earlier.since < timedelta(hours=1)):
        form.stated = {**{k: v for k, v in earlier.stated.items() if k != "place"}, **form.stated}
        form.words = [*earlier.words, talk.said.text]
    return form


def _order(talk: Talk, form: Form, place: Where, earlier: Form | None) -> WorkOrder:
    """The order that was being reported becomes the emergency's; else one is opened."""
    intake.claim(talk, place)
    order = order_of(talk, earlier) if earlier is not None and earlier.workflow == "repair" else None
    if order is not None and order.state in states.OPEN and order.category == form.category:
        talk.desk.change(order, urgency="emergency", words=f"{order.words}\n{talk.said.text}")
        talk.desk.record(order, "emergency", talk.said.text)
        form.case = str(order.id)
    else:
        order = open_order(talk, form, place)
    if earlier is not None and (earlier.workflow == "repair" or not earlier.case):
        talk.memory.drop(earlier)
    return order


def raise_alarm(talk: Talk, form: Form, order: WorkOrder, place: Where) -> Alarm:
    """Everybody on duty and the duty manager, now; the ladder begins."""
    desk = talk.desk
    first, _ = desk.settings.ladder_minutes
    summary = _summary(form, place, talk.said.text)
    waiting = standing(talk)
    if waiting is not None and waiting.acknowledged_at is None:
        # One ladder is climbing already: the same people would hear the same twice.
        news = f"{danger.NAMES[form.kind]}：{wording.brief(talk.said.text, 60)}"
        desk.change(waiting, summary=f"{waiting.summary}；又报{news}")
        form.data["alarm"] = str(waiting.id)
        return waiting
    deadline = desk.now + timedelta(minutes=first)
    alarm = desk.raise_alarm("emergency", summary, people(desk, 0), case=order, acknowledge_by=deadline)
    for step, minutes in enumerate(desk.settings.ladder_minutes, 1):
        desk.schedule(
            "emergency", desk.now + timedelta(minutes=minutes), ref=alarm.id, step=step, payload={"kind": form.kind}
        )
    form.data["alarm"] = str(alarm.id)
    return alarm


def _summary(form: Form, place: Where, words: str) -> str:
    """Place, danger and words, for staff. The community stands beside it wherever an alarm is shown."""
    told = place.kind in {"home", "place", "building", "absent"}
    label = where.label(place, "zh-Hans", named=False) if told else "地点未知"
    return f"{label} {danger.NAMES[form.kind or 'other']}：{wording.brief(words, 60)}"


def people(desk: Desk, rung: int) -> list[Member]:
    """Who hears of it: everybody on duty in the community, or in all of the account; nobody there: every supervisor."""
    communities = (
        [desk.community_id] if desk.community_id != NOBODY else [community.id for community in desk.communities()]
    )
    found: dict[UUID, Member] = {}
    for community_id in communities:
        on_duty = desk.world.on_duty(community_id, ON_DUTY, desk.now)
        higher = [member for role in HIGHER[rung] for member in desk.world.with_role(role, community_id)]
        found |= {member.id: member for member in (*on_duty, *higher)}
    if not found:
        ids = communities or list(desk.world.communities)
        found = {
            member.id: member for community_id in ids for member in desk.world.with_role("supervisor", community_id)
        }
    return list(found.values() or desk.world.members.values())


def _advise(talk: Talk, form: Form, place: Where) -> None:
    advice = talk.text(f"emergency.advice.{form.kind}", calls=danger.calls(talk.desk, talk.language, form.kind))
    gap = " " if talk.language == "en" else ""
    text = gap.join([advice, talk.text("emergency.calling")])
    line, asks = _where_line(talk, form, place)
    talk.add(text + gap + line)
    talk.asked = asks
    talk.told = moments.DANGER_AT_ONCE


def _where_line(talk: Talk, form: Form, place: Where) -> tuple[str, bool]:
    """Named where known, asked where not: the one question of an emergency."""
    if place.kind in {"home", "place"}:
        label = where.label(place, talk.language)
        if any(name in form.stated for name in intake.PLACES):
            return talk.text("emergency.where_told", place=label), False
        form.ask("where")
        return talk.text("emergency.where_known", place=label), True
    form.ask("where")
    if form.kind == "lift":
        return talk.text("emergency.where_lift"), True
    if form.kind in danger.ANYWHERE and len(talk.communities()) == 1:
        return talk.text("emergency.where_place"), True
    return talk.text("emergency.where" if len(talk.communities()) == 1 else "emergency.where_community"), True


def standing(talk: Talk) -> Alarm | None:
    """The emergency of this conversation, while messages still count as its details."""
    alarm = talk.desk.alarm
    if alarm is None or alarm.closed_at is not None or talk.desk.now - alarm.raised_at > DETAILS_FOR:
        return None
    return alarm


def is_detail(talk: Talk) -> bool:
    """Whether a message speaks of the emergency: anything but a clear request of another kind."""
    reading = talk.reading
    other = (
        reading.intent in {"faq", "payment", "application", "suggestion", "complaint"}
        and reading.confidence >= dialogue.SURE
    )
    return not other


def details(talk: Talk) -> None:
    """Whatever is said while it stands goes to those who come."""
    alarm, form = talk.desk.alarm, talk.memory.of(name)
    assert alarm is not None
    form = form or forms.new_form(name, talk.desk.now, "other")
    heard = intake.hear(talk, form, frozenset({"repair", "complaint", "human", "other"}), takes_time=False)
    if _is_only_heard(talk, heard):
        _heard(talk, form, alarm, yes=heard.meaning == "yes")
        return
    found = heard.fills
    intake.take(talk, form, found)
    talk.touch(form)
    order = order_of(talk, form)
    place = intake.place_of(talk, form)
    if order is not None:
        _write_down(talk, form, order, place, moved=found.moves)
    talk.urgent("details")
    talk.understood()
    _say_details(talk, form, alarm, place, moved=found.moves)
    talk.end("repair", "emergency", form.slots())


def _is_only_heard(talk: Talk, heard: Heard) -> bool:
    """好的, 谢谢: the resident has read it, and tells nothing new."""
    if heard.fills or talk.reading.flags or talk.desk.incoming is None or talk.desk.incoming.attachments:
        return False
    return heard.meaning == "yes" or is_thanks(talk.said.text) or _ACKNOWLEDGED.match(talk.said.text) is not None


def _heard(talk: Talk, form: Form, alarm: Alarm, *, yes: bool) -> None:
    """Where the place was asked for as known, a yes confirms it; else how things stand."""
    order, place = order_of(talk, form), intake.place_of(talk, form)
    taker = talk.desk.world.members.get(alarm.acknowledged_by) if alarm.acknowledged_by else None
    talk.touch(form)
    talk.urgent("details")
    if order is not None:
        talk.desk.record(order, "words", talk.said.text)
    if yes and form.step == "where" and place.kind in {"home", "place"}:
        form.settle()
        talk.reply("emergency.placed", place=where.label(place, talk.language))
    elif taker is not None:
        talk.reply("emergency.heard_taken", name=wording.person(taker, talk.language))
    else:
        talk.reply("emergency.heard_arrived" if talk.desk.alarm_arrived(alarm) else "emergency.heard")
    talk.end("repair", "emergency", form.slots())


def _write_down(talk: Talk, form: Form, order: WorkOrder, place: Where, *, moved: bool) -> None:
    desk = talk.desk
    desk.record(order, "words", talk.said.text)
    changes = {
        "words": f"{order.words}\n{talk.said.text}",
        "contact_phone": form.stated.get("phone") or order.contact_phone,
    }
    desk.change(order, **changes)
    if moved and place.kind in {"home", "place", "building"}:
        intake.claim(talk, place)
        community = place.community.id if place.community else order.community_id
        desk.change(
            order,
            home_id=place.home_id,
            place_id=place.place_id,
            where=intake.where_row(form, place),
            community_id=community,
        )
        if desk.alarm is not None:
            desk.change(desk.alarm, summary=_summary(form, place, form.words[0]), community_id=community)
            desk.alert(desk.alarm, people(desk, desk.alarm.rung))
        intake.remember(talk, form, place)


def _say_details(talk: Talk, form: Form, alarm: Alarm, place: Where, *, moved: bool) -> None:
    taker = talk.desk.world.members.get(alarm.acknowledged_by) if alarm.acknowledged_by else None
    if moved and place.kind in {"home", "place", "building"}:
        form.settle()
        talk.reply("emergency.placed", place=where.label(place, talk.language))
    elif taker is not None:
        talk.reply("emergency.details_taken", name=taker.name)
    elif alarm.rung > 0:
        talk.reply("emergency.details_nobody", calls=danger.calls(talk.desk, talk.language, form.kind or "other"))
    elif place.kind == "unknown" and form.count("where") < 2:
        form.ask("where")
        talk.ask("emergency.details_where")
    else:
        talk.reply("emergency.details")


def urgent_word(talk: Talk) -> None:
    """急: the resident calls for somebody at once, about what was just reported or without a word more."""
    earlier = talk.memory.forms[0] if talk.memory.forms else None
    order = order_of(talk, earlier) if earlier is not None else None
    order = order or next((known for known in reversed(talk.desk.orders) if known.state in states.OPEN), None)
    if earlier is not None or order is None:
        begin(talk, _kind_of(order, earlier))
        return
    form = intake.begin(talk, name, _kind_of(order, None))
    form.case, form.urgency = str(order.id), "emergency"
    form.stated = {k: v for k, v in ((order.where or {}).get("stated") or {}).items() if isinstance(v, str)}
    place = intake.place_of(talk, form)
    talk.desk.change(order, urgency="emergency")
    talk.desk.record(order, "emergency", talk.said.text)
    talk.case = order
    raise_alarm(talk, form, order, place)
    talk.urgent()
    _advise(talk, form, place)
    talk.end("repair", "emergency", form.slots())


def _kind_of(order: WorkOrder | None, form: Form | None) -> str:
    category = order.category if order is not None else form.category if form is not None else ""
    return danger.OF_CATEGORY.get(category, "other")


def doubtful(talk: Talk) -> None:
    """It may be danger: somebody is told at once, and the reply ends in the way to call for help."""
    desk = talk.desk
    short = len(talk.said.text) < LEAST_WORDS
    if short or "doubtful_danger" not in talk.reading.flags or talk.lane == EMERGENCY or not talk.parts:
        return
    on_duty = desk.world.on_duty(desk.community_id, ("desk", "control_room"), desk.now)
    case = talk.case if isinstance(talk.case, WorkOrder) else None
    desk.raise_alarm("doubtful", talk.said.text[:120], on_duty or [m for m in [talk.supervisor()] if m], case=case)
    talk.reply("emergency.doubtful")


# -- the ladder


def due(desk: Desk, job: Job) -> None:
    """Nobody has taken it yet: all of them again, one rung higher, and the resident hears the truth."""
    alarm = desk.alarm
    if alarm is None or alarm.id != job.ref or alarm.acknowledged_at is not None or alarm.closed_at is not None:
        return
    desk.change(alarm, rung=job.step)
    desk.alert(alarm, people(desk, job.step))
    role = "duty_manager" if job.step == 1 else "site_manager"
    chief = next(iter(desk.world.with_role(role, desk.community_id)), None)
    desk.call_task(
        "alarm", alarm.summary, desk.now, phone=chief.phone if chief else "", owner_id=None, case=_case(desk, alarm)
    )
    kind = (job.payload or {}).get("kind", "other")
    key = "emergency.nobody" if job.step == 1 else "emergency.nobody_again"
    text = texts.say(desk.language, key, calls=danger.calls(desk, desk.language, kind))
    _tell(desk, text, alarm, moments.DANGER_NOBODY_YET)


def _case(desk: Desk, alarm: Alarm) -> WorkOrder | None:
    case = desk.case(alarm.case_id) if alarm.case_id else None
    return case if isinstance(case, WorkOrder) else None


def _tell(desk: Desk, text: str, alarm: Alarm, told: Moment) -> None:
    desk.say(text, kind="alarm", lane=EMERGENCY, case=_case(desk, alarm), fenced=False, told=told)


# -- acts of the staff


def acknowledge(desk: Desk, alarm: Alarm, member: Member) -> None:
    """`member` has it; the resident hears who, once. Raises `Conflict` where somebody else has it."""
    if _accept(desk, alarm, member) and alarm.kind == "emergency":
        phone = _own_phone(desk)
        values = {"title": member.title, "name": member.name, "phone": phone}
        _tell(desk, texts.say(desk.language, "emergency.acknowledged", **values), alarm, moments.DANGER)


def _accept(desk: Desk, alarm: Alarm, member: Member) -> bool:
    """Write down who has it; False where they had it before. Raises `Conflict`."""
    if alarm.closed_at is not None:
        raise Conflict("这个报警已经关闭。")
    if alarm.acknowledged_at is not None:
        if alarm.acknowledged_by == member.id:
            return False
        taker = desk.world.members.get(alarm.acknowledged_by) if alarm.acknowledged_by else None
        raise Conflict(f"{taker.name if taker else '同事'}已经接了。")
    desk.change(alarm, acknowledged_by=member.id, acknowledged_at=desk.now)
    desk.alarm_taken(alarm)
    desk.unschedule(alarm.id, "emergency")
    desk.audit("alarm.acknowledge", "alarm", alarm.id)
    case = _case(desk, alarm)
    if case is not None:
        desk.record(case, "acknowledged", data={"member": member.name})
    return True


def _own_phone(desk: Desk) -> str:
    phone = desk.world.service_phone(desk.community_id)
    return texts.say(desk.language, "emergency.acknowledged_phone", phone=phone) if phone else ""


def taken_over(desk: Desk, member: Member) -> bool:
    """Somebody on duty who takes over a conversation has its emergency, too, and says so; False: there is none to take.

    Whoever is not on duty takes the word only: the ladder goes on until somebody on duty has acknowledged.
    """
    alarm = desk.alarm
    if alarm is None or alarm.kind != "emergency" or alarm.closed_at is not None or alarm.acknowledged_at is not None:
        return False
    if member not in desk.world.on_duty(desk.community_id, ON_DUTY, desk.now):
        return False
    _accept(desk, alarm, member)
    values = {"title": member.title, "name": member.name, "phone": _own_phone(desk)}
    text = texts.say(desk.language, "emergency.taken_over", **values)
    desk.say(
        text, kind="taken", lane=EMERGENCY, case=_case(desk, alarm), fenced=False, author_id=member.id,
        told=moments.DANGER,
    )  # fmt: skip
    return True


def close(desk: Desk, alarm: Alarm, member: Member, note: str) -> None:
    """A person has seen that it is safe, and says what was found. Raises `Conflict`."""
    if alarm.closed_at is not None:
        raise Conflict("这个报警已经关闭。")
    if not note.strip():
        raise Conflict("请写明现场情况，再关闭报警。")
    desk.change(alarm, closed_by=member.id, closed_at=desk.now, closing_note=note.strip())
    desk.unschedule(alarm.id, "emergency")
    desk.audit("alarm.close", "alarm", alarm.id, {"note": note.strip()})
    case = _case(desk, alarm)
    if case is not None:
        desk.record(case, "alarm_closed", note.strip(), {"member": member.name})


def resume(talk: Talk, form: Form) -> bool:
    """While the alarm stands the details are heard before any form; afterwards the form is over."""
    talk.memory.drop(form)
    return False


def question(talk: Talk, form: Form) -> None:
    """Its question is part of the advice."""
    del talk, form
