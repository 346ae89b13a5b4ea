"""A colleague who writes to the account: "代3-2-1502王阿姨报，厨房漏水" becomes a draft, and on one digit a case."""

import re
from datetime import datetime

from bot import register
from bot.desk import Case, Complaint, Member
from intents.model import Reading
from workflows import dialogue, forms, intake, where
from workflows.complaint import dialogue as complaint
from workflows.forms import Form
from workflows.repair import order as orders
from workflows.summary import complaint_of, fault_of
from workflows.talk import Talk
from workflows.where import Where

NAME = "binding"
STEP = "draft"
_DRAFT = re.compile(
    r"^\s*(?:代|幫|帮|on behalf of|for)\s*(?P<who>[^，,。:：\n]{1,40}?)\s*"
    r"(?:报修|報修|投诉|投訴|报|報|反映|说|說|reports?|complains?|says)?\s*[，,：:。\n]+\s*(?P<what>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_CALLED = re.compile(
    r"([\u4e00-\u9fff]{1,3}(?:阿姨|叔叔|先生|女士|小姐|老师|師奶|太太|伯伯|大爷|奶奶|爷爷|生|姐|哥|总|工)?)$"
)


def member_of(talk: Talk) -> Member | None:
    """Who of the staff writes here."""
    incoming = talk.desk.incoming
    staff_id = incoming.identity.staff_id if incoming is not None else None
    return talk.desk.world.members.get(staff_id) if staff_id else None


def heard(talk: Talk) -> bool:
    """A report for a resident; False where this is nobody of the staff, or says something else."""
    member = member_of(talk)
    found = _DRAFT.match(talk.said.text) if member is not None else None
    if member is None or found is None:
        return False
    talk.desk.staff_id, talk.desk.actor = member.id, "staff"
    world = talk.desk.world
    reading = world.reader.read(found["what"], talk.local, world.names)
    placed = world.reader.read(found["who"], talk.local, world.names)
    form = forms.new_form(NAME, talk.desk.now)
    form.stated = dialogue.stated(placed, found["who"]) or dialogue.stated(reading, found["what"])
    form.words = [found["what"].strip()]
    form.data["called"] = _called(found["who"], placed)
    _read(form, reading)
    _draft(talk, form)
    return True


def _called(who: str, reading: Reading) -> str:
    """王阿姨, behind the home."""
    rest = re.sub(r"(?:报修|報修|投诉|投訴|报|報|反映)$", "", who)
    if reading.slots.room:
        rest = rest.rpartition(reading.slots.room)[2].lstrip("室号號的房 ")
    found = _CALLED.search(rest.strip())
    return found[1] if found else rest.strip()[:20]


def _read(form: Form, reading: Reading) -> None:
    complains = reading.intent == "complaint"
    form.kind = "complaint" if complains else "repair"
    form.category, form.urgency = reading.category or "other", reading.urgency
    form.wish = dialogue.wish_of(reading.slots.time)
    form.fault = complaint_of(form.text) if complains else fault_of(form.text, reading)


def _draft(talk: Talk, form: Form) -> None:
    """What was understood, with the one digit that enters it."""
    place = intake.place_of(talk, form)
    if place.kind not in {"home", "place", "building"}:
        talk.reply("binding.draft_where", where=where.label(place, talk.language) or "?")
        talk.end("repair", "collecting")
        return
    form.ask(STEP, [{"yes": True}])
    talk.touch(form)
    about = {"place": where.label(place, talk.language), "called": form.data["called"], "what": form.fault}
    talk.reply(f"binding.draft_{form.kind}", **about)
    talk.end(form.kind, "confirming", form.slots())


def resume(talk: Talk, form: Form) -> bool:
    """1 enters it; anything else leaves it."""
    member = member_of(talk)
    talk.memory.drop(form)
    agreed = talk.said.yes or (talk.said.answer.kind == "choice" and talk.said.answer.choice == 1)
    if member is None or not agreed:
        return False
    talk.desk.staff_id, talk.desk.actor = member.id, "staff"
    place = intake.place_of(talk, form)
    case, by = _enter(talk, form, place)
    talk.desk.change(case, source="staff", verified=place.home_id is not None)
    talk.memory.place = None  # the next report is another resident's
    talk.desk.audit("case.on_behalf", "complaint" if isinstance(case, Complaint) else "work_order", case.id)
    talk.reply("binding.draft_entered", number=case.number, by=talk.by(by))
    talk.understood()
    talk.end(form.kind, "recorded", form.slots())
    return True


def _enter(talk: Talk, form: Form, place: Where) -> tuple[Case, datetime]:
    """The case with the resident's name and number, not the colleague's."""
    name, phone = _contact(talk, form, place)
    kept, talk.memory.forms = talk.memory.forms, []
    entered: Case
    if form.kind == "complaint":
        complained = complaint.record(talk, form)
        assert complained.answer_by is not None
        talk.desk.change(complained, contact_phone=phone)
        entered, by = complained, complained.answer_by
    else:
        intake.claim(talk, place)
        order = orders.open_order(talk, form, place)
        assert order.contact_by is not None
        talk.desk.change(order, contact_name=name, contact_phone=phone)
        entered, by = order, order.contact_by
    talk.memory.forms = kept
    talk.case = None
    return entered, by


def _contact(talk: Talk, form: Form, place: Where) -> tuple[str, str]:
    """As they were named, with the registered number of the one member of the home who has that surname."""
    called = form.data["called"]
    stated = form.stated.get("phone", "")
    if stated or place.home_id is None or not called:
        return called, stated
    alike = [one for one in register.members_of(talk.desk, place.home_id) if one.resident.name[:1] == called[:1]]
    return (alike[0].resident.name, alike[0].resident.phone) if len(alike) == 1 else (called, "")
