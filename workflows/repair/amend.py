"""What a resident adds to an order, puts right or takes back while it was just recorded."""

from bot.desk import WorkOrder
from workflows import intake, moments, wording
from workflows.dialogue import Fills, Heard
from workflows.forms import Form
from workflows.repair import order as orders
from workflows.repair import states
from workflows.summary import fault_of, is_vague
from workflows.talk import Talk
from workflows.where import Where


def after_recording(talk: Talk, form: Form, order: WorkOrder, heard: Heard) -> bool:
    """A message while the order was just recorded. True: it speaks of another place, which has to be found first."""
    talk.case = order
    talk.understood()
    if heard.meaning == "fill":
        return _fill(talk, form, order, heard.fills)
    if heard.meaning == "cancel":
        cancel(talk, form, order)
    elif heard.meaning == "no":
        form.ask("fix")
        talk.ask("repair.wrong")
        talk.end("repair", "collecting", form.slots())
    else:
        _small(talk, form, order, heard)
        talk.end("repair", "recorded", form.slots())
    return False


def _small(talk: Talk, form: Form, order: WorkOrder, heard: Heard) -> None:
    if heard.meaning == "yes":
        talk.memory.drop(form)
        _confirm(talk, order)
    elif heard.meaning == "decline":
        talk.reply("repair.no_phone")
    elif heard.meaning == "whatever":
        _whatever(talk, order)
    else:
        more(talk, form, order)


def _confirm(talk: Talk, order: WorkOrder) -> None:
    if order.state in states.TO_DISPATCH and order.contact_by:
        talk.reply("repair.confirmed", by=talk.by(order.contact_by))
    else:
        talk.reply("repair.confirmed_plain")


def _whatever(talk: Talk, order: WorkOrder) -> None:
    talk.desk.record(order, "wish", talk.said.text)
    if order.state in states.TO_DISPATCH and order.contact_by:
        talk.reply("repair.soonest", by=talk.by(order.contact_by))
    else:
        orders.tell_technician(talk, order, talk.said.text)
        talk.reply("repair.soonest_dispatched")


def more(talk: Talk, form: Form, order: WorkOrder) -> None:
    """Further words, or another thing that the same visit can mend."""
    form.words.append(talk.said.text)
    if talk.said.answer.kind == "correction" and talk.said.answer.text and not is_vague(talk.said.answer.text):
        _other_fault(talk, form, order, fault_of(talk.said.answer.text))
        return
    talk.desk.change(order, words=f"{order.words}\n{talk.said.text}".strip())
    talk.desk.record(order, "words", talk.said.text)
    if talk.reading.urgency == "urgent" and order.urgency == "normal":
        talk.desk.change(order, urgency="urgent")
    if talk.reading.intent == "repair" and not is_vague(talk.said.text):
        talk.reply("repair.also", fault=fault_of(talk.said.text, talk.reading))
    else:
        talk.reply("repair.more")


def _other_fault(talk: Talk, form: Form, order: WorkOrder, fault: str) -> None:
    """不对，是洗手间的水管: another thing than was recorded."""
    form.fault = fault
    talk.desk.change(order, fault=fault, words=f"{order.words}\n{talk.said.text}".strip())
    talk.desk.record(order, "changed", talk.said.text, {"fault": fault})
    place = orders.told_place(talk, intake.place_of(talk, form), fault)
    talk.told = moments.changed(order)
    talk.reply("repair.moved", place=place, fault=fault)


def _fill(talk: Talk, form: Form, order: WorkOrder, found: Fills) -> bool:
    """Write what was added or put right into the order, and say it back."""
    fixing = bool(form.data.pop("fixing", False))
    intake.take(talk, form, found)
    form.settle()
    if found.moves:
        form.asked.pop("suggest", None)
        return True
    orders.apply(talk, order, found)
    say_filled(talk, order, found)
    changed = found.corrects or fixing or order.state in states.UNDER_WAY
    talk.end("repair", "changed" if changed else "recorded", form.slots())
    return False


def say_filled(talk: Talk, order: WorkOrder, found: Fills) -> None:
    """Say back a new time or number."""
    phone = found.all.get("phone")
    wish = found.wish["text"] if found.wish else None
    talk.told = moments.changed(order)
    member = talk.desk.world.members.get(order.assignee_id) if order.assignee_id else None
    if order.state in states.UNDER_WAY:
        name = wording.technician(member, talk.language)
        talk.reply("repair.told_technician", name=name, change=wish or wording.masked_phone(phone or ""))
    elif phone and wish:
        talk.reply("repair.phone_wish", phone=phone, wish=wish)
    elif wish:
        talk.reply("repair.changed_wish" if found.wish_corrected else "repair.wish", wish=wish)
    elif phone:
        talk.reply("repair.changed_phone" if "phone" in found.corrected else "repair.phone", phone=phone)


def moved(talk: Talk, form: Form, order: WorkOrder, place: Where) -> None:
    """The order is at another place than was recorded: changed, and said back."""
    orders.move(talk, form, order, place)
    form.settle()
    talk.case = order
    talk.told = moments.changed(order)
    talk.reply("repair.moved", place=orders.told_place(talk, place, order.fault), fault=order.fault)
    talk.end("repair", "changed", form.slots())


def cancel(talk: Talk, form: Form, order: WorkOrder) -> None:
    """Taken back by the one who reported it."""
    talk.memory.drop(form)
    orders.cancel_order(talk, order)
    talk.reply("repair.cancelled", what=order.fault)
    talk.end("repair", "cancelled")


def drop(talk: Talk, form: Form) -> None:
    """The report is taken back before it was recorded."""
    talk.memory.drop(form)
    talk.reply("repair.dropped")
    talk.end("repair", "cancelled")
