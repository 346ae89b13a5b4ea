"""Existing orders and cases: answered from the record, urged, moved, cancelled after one yes, taken back."""

import re
from datetime import datetime, timedelta

from bot.desk import Affair, Case, Choice, Complaint, Desk, Job, Member, WorkOrder
from workflows import asks, deadlines, dialogue, forms, intake, standing, wording
from workflows.affair import actions as affair_actions
from workflows.binding import household
from workflows.complaint import actions as complaint_actions
from workflows.complaint import states as complaint_states
from workflows.dialogue import View
from workflows.forms import Form
from workflows.repair import amend, states
from workflows.repair import order as orders
from workflows.summary import shared
from workflows.talk import Talk, department_head, is_bound, supervisor

name = "progress"
timers: frozenset[str] = frozenset()

URGE_TOLD_EVERY = timedelta(minutes=30)
"""Whoever has the case hears of urging at most this often (desk.md section 11)."""
URGES_TO_SUPERVISOR = 3
ANSWER_MINUTES = 30
OWNS = frozenset({"progress"})
_OF_REPAIRS = re.compile(r"修|师傅|師傅|工人|technician|plumber|electrician|repair|fix", re.IGNORECASE)


def start(talk: Talk) -> None:
    """A message about something that was entered before."""
    reading = talk.reading
    ask = asks.ask_of(talk.said.text, time=talk.said.wish is not None, phone=reading.slots.phone is not None)
    talk.understood()
    found = candidates(talk)
    if (household.asked(talk.said.text) or not found) and household.tell(talk, own=found):
        return
    if not found:
        _unknown(talk, ask)
    elif len(found) > 1:
        _which(talk, found, ask)
    else:
        act(talk, found[0], ask)


def candidates(talk: Talk) -> list[Case]:
    """The cases that may be meant: the one that the words name, else the one just spoken of, else all that are open."""
    every: list[Case] = [*talk.desk.orders, *talk.desk.complaints, *talk.desk.affairs]
    every.sort(key=lambda case: case.created_at)
    named = [case for case in every if case.number.replace("-", "") in talk.said.text.upper().replace("-", "")]
    if named:
        return named
    scores = [(shared(talk.said.text, case.words), case) for case in every]
    best = max((score for score, _ in scores), default=0)
    if best:
        return [case for score, case in scores if score == best][-1:]
    if _OF_REPAIRS.search(talk.said.text) and any(order.closed_at is None for order in talk.desk.orders):
        every = [case for case in every if isinstance(case, WorkOrder)]
    spoken = next((form.case for form in talk.memory.forms if form.case), "")
    just = [case for case in every if str(case.id) == spoken]
    return just or _open(every)


def has_open(talk: Talk) -> bool:
    """Whether something of this resident is still being worked on."""
    every: list[Case] = [*talk.desk.orders, *talk.desk.complaints, *talk.desk.affairs]
    return any(case.closed_at is None for case in every)


def _open(cases: list[Case]) -> list[Case]:
    """Open ones first; where none is open the last one: it is what they ask about."""
    still = [
        case for case in cases if case.closed_at is None and not (isinstance(case, Affair) and case.kind == "question")
    ]
    return still or cases[-1:]


def _which(talk: Talk, cases: list[Case], ask: asks.Ask) -> None:
    latest = cases[-3:]
    options = [Choice(str(n), standing.what(talk, case)) for n, case in enumerate(latest, 1)]
    form = forms.new_form(name, talk.desk.now, ask)
    form.words = [talk.said.text]
    form.ask("which", [{"case": str(case.id)} for case in latest])
    form.data["labels"] = [option.label for option in options]
    form.wish = dialogue.wish_of(talk.said.wish)
    talk.touch(form)
    talk.offer(options)
    talk.ask("progress.which", choices=wording.choices(options, talk.language))
    talk.end(name, "choosing")


def _form(talk: Talk, case: Case | None, kind: str) -> Form:
    """What follows ("yes", another number) speaks of this case."""
    for known in list(talk.memory.forms):
        if known.workflow == name or (case is not None and known.case == str(case.id)):
            talk.memory.drop(known)
    form = forms.new_form(name, talk.desk.now, kind)
    form.words = [case.words if case is not None else "", talk.said.text]
    if case is not None:
        form.case = str(case.id)
        said = (case.where or {}).get("stated") or {}
        form.stated = {key: value for key, value in said.items() if isinstance(value, str)}
        form.wish = None if isinstance(case, Complaint) else case.wish
        talk.case = case
    talk.touch(form)
    return form


def act(talk: Talk, case: Case, ask: asks.Ask) -> None:
    """Do what was asked with this case."""
    form = _form(talk, case, ask)
    if ask == "cancel":
        _confirm_cancel(talk, form, case)
    elif ask in {"restore", "swap"}:
        _confirm_restore(talk, form, case, ask)
    elif ask in {"move", "contact"} and not isinstance(case, Complaint) and case.closed_at is None:
        _change(talk, form, case)
    elif ask == "urge" and case.closed_at is None:
        _urge(talk, case)
    else:
        standing.tell(talk, case)
        talk.end(name, "answered")


# -- asked and urged


def _urge(talk: Talk, case: Case) -> None:
    """Every urge is answered with the state and the next time; it is counted; the third goes to the supervisor."""
    desk = talk.desk
    by = wording.soon(talk.local, ANSWER_MINUTES)
    head = department_head(desk) if isinstance(case, WorkOrder) else supervisor(desk)
    told = "progress.urged"
    if isinstance(case, (WorkOrder, Complaint)):
        count = case.urges + 1
        breached = _is_late(case, desk.now) and case.urges == 0
        if count >= URGES_TO_SUPERVISOR or breached:
            told, head = "progress.urged_supervisor", supervisor(desk)
        elif case.urged_at is not None and desk.now - case.urged_at < URGE_TOLD_EVERY:
            told, by = "progress.urged_again", wording.soon(desk.world.local(case.urged_at), ANSWER_MINUTES)
        desk.change(case, urges=count)
        if told != "progress.urged_again":
            desk.change(case, urged_at=desk.now)
    if told != "progress.urged_again":
        _pass_on(desk, case, head, by)
    desk.record(case, "urged", talk.said.text)
    standing.tell(talk, case, short=True)
    talk.reply(told, name=wording.person(head, talk.language, "engineering"), by=talk.by(by))
    talk.end(name, "answered")


def _is_late(case: WorkOrder | Complaint, now: datetime) -> bool:
    due = case.contact_by if isinstance(case, WorkOrder) else case.answer_by
    open_still = case.state in (states.TO_DISPATCH if isinstance(case, WorkOrder) else complaint_states.TO_ANSWER)
    return due is not None and open_still and now > due


def _pass_on(desk: Desk, case: Case, head: Member | None, by: datetime) -> None:
    desk.call_task(
        "urge",
        f"{case.number}: {desk.incoming.text if desk.incoming else ''}",
        by,
        case=case,
        owner_id=head.id if head else None,
    )
    desk.promise(case, "urge", by, head.id if head else None)


def _unknown(talk: Talk, ask: asks.Ask) -> None:
    """Nothing of it stands here: said so, and a cancellation is passed to a person rather than lost."""
    if ask in {"cancel", "restore", "swap"} and asks.thing_of(talk.said.text):
        form = _form(talk, None, ask)
        form.data["thing"] = asks.thing_of(talk.said.text)
        form.ask("confirm")
        talk.ask("progress.cancel_unknown", what=form.data["thing"])
        talk.end(name, "confirming")
        return
    talk.reply("progress.none_who" if ask == "who" else "progress.none")
    if not is_bound(talk.desk):
        talk.reply("binding.offer")
    talk.end(name, "answered")


# -- changed


def _change(talk: Talk, form: Form, case: WorkOrder | Affair) -> None:
    found = dialogue.fills(View("", form.stated, form.wish, form.text), talk.said)
    if not found:
        form.ask("time")
        talk.ask("progress.what_time")
        talk.end(name, "collecting", form.slots())
        return
    form.stated |= {key: value for key, value in found.all.items() if key == "phone"}
    form.wish = found.wish or form.wish
    form.settle()
    if isinstance(case, WorkOrder):
        orders.apply(talk, case, found)
        amend.say_filled(talk, case, found)
    else:
        talk.desk.change(case, wish=form.wish, contact_phone=form.stated.get("phone") or case.contact_phone)
        talk.desk.record(case, "changed", talk.said.text)
        talk.reply("affair.wish", wish=form.wish["text"] if form.wish else form.stated.get("phone", ""))
    talk.end(name, "changed", form.slots())


def _confirm_cancel(talk: Talk, form: Form, case: Case) -> None:
    if case.closed_at is not None:
        standing.tell(talk, case)
        talk.end(name, "answered")
        return
    form.ask("confirm")
    talk.ask("progress.cancel", what=standing.what(talk, case), number=case.number)
    talk.end(name, "confirming")


def _confirm_restore(talk: Talk, form: Form, case: Case, ask: asks.Ask) -> None:
    drop = asks.to_drop(talk.said.text)
    kept = _cancelled(talk, case)
    if kept is None:
        standing.tell(talk, case)
        talk.end(name, "answered")
        return
    form.case, form.kind = str(kept.id), ask
    form.ask("confirm")
    if ask == "swap" and drop:
        form.data["drop"] = drop
        other = _matching(talk, drop, kept)
        form.data["drop_case"] = str(other.id) if other else ""
        talk.ask("progress.swap", keep=standing.what(talk, kept), drop=drop)
    else:
        talk.ask("progress.restore", keep=standing.what(talk, kept))
    talk.end(name, "confirming")


def _cancelled(talk: Talk, case: Case) -> WorkOrder | None:
    """The order that was cancelled and is wanted again: the one named, else the last one cancelled."""
    if isinstance(case, WorkOrder) and case.state == states.CANCELLED:
        return case
    gone = [order for order in talk.desk.orders if order.state == states.CANCELLED]
    return max(gone, key=lambda order: order.closed_at or order.created_at, default=None)


def _matching(talk: Talk, drop: str, kept: WorkOrder) -> Case | None:
    every: list[Case] = [*talk.desk.orders, *talk.desk.complaints, *talk.desk.affairs]
    scored = [(shared(drop, case.words), case) for case in every if case.id != kept.id and case.closed_at is None]
    best = max((score for score, _ in scored), default=0)
    return next((case for score, case in scored if score == best and best), None)


# -- the yes


def resume(talk: Talk, form: Form) -> bool:
    if form.step == "which":
        return _picked(talk, form)
    view = View(form.step, form.stated, form.wish, form.text, OWNS, takes_time=True)
    heard = dialogue.hear(view, talk.said)
    if form.step == "confirm":
        return _confirmed(talk, form, heard.meaning)
    case = talk.desk.case_named(form.case)
    if not isinstance(case, (WorkOrder, Affair)) or case.closed_at is not None:
        return False
    if heard.meaning == "fill" and not heard.fills.moves:
        talk.touch(form)
        talk.case = case
        talk.understood()
        _change(talk, form, case)
        return True
    if heard.meaning == "fill" and isinstance(case, WorkOrder):
        return _other_place(talk, form, case, heard.fills)
    return _small(talk, form, heard.meaning)


def _other_place(talk: Talk, form: Form, case: WorkOrder, found: dialogue.Fills) -> bool:
    """The order is somewhere else than was recorded."""
    talk.touch(form)
    intake.take(talk, form, found)
    place = intake.place_of(talk, form)
    if place.kind not in {"home", "place", "building"}:
        return False
    amend.moved(talk, form, case, place)
    talk.end(name, "changed", form.slots())
    return True


def _small(talk: Talk, form: Form, meaning: str) -> bool:
    if meaning != "yes":
        return False
    changed = form.kind in {"move", "contact", "changed"}
    talk.memory.drop(form)
    talk.reply("repair.confirmed_plain")
    talk.understood()
    talk.end(name, "changed" if changed else "answered", form.slots() if changed else None)
    return True


def _picked(talk: Talk, form: Form) -> bool:
    answer = talk.said.answer
    number = answer.choice or 0
    number = len(form.choices) if number == -1 else number
    if answer.kind != "choice" or not 1 <= number <= len(form.choices):
        talk.memory.drop(form)
        return False
    case = talk.desk.case_named(form.choices[number - 1]["case"])
    talk.memory.drop(form)
    if case is None:
        return False
    ask: asks.Ask = asks.ask_of(form.text, time=form.wish is not None, phone=False)
    talk.understood()
    act(talk, case, ask)
    return True


def _confirmed(talk: Talk, form: Form, meaning: str) -> bool:
    said = talk.said
    if form.kind == "cancel" and asks.ask_of(said.text, time=False, phone=False) in {"restore", "swap"}:
        meaning = "no"
    agreed = meaning == "yes" or (form.kind == "cancel" and meaning in {"cancel", "choose"}) or said.yes
    if said.asks and not agreed:
        return False
    if not agreed and meaning not in {"no", "decline"}:
        return False
    talk.understood()
    talk.memory.drop(form)
    if not agreed:
        talk.reply("progress.kept")
        talk.end(name, "answered")
    elif form.kind == "cancel":
        _cancel(talk, form)
    else:
        _restore(talk, form)
    return True


def _cancel(talk: Talk, form: Form) -> None:
    case = talk.desk.case_named(form.case)
    if case is None:
        by = _hand_over(talk, form.data.get("thing", ""))
        talk.reply("progress.cancelled_by_person", what=form.data.get("thing", ""), by=talk.by(by))
    else:
        cancel_case(talk, case)
        talk.reply("progress.cancelled_now", what=standing.what(talk, case))
    after = _form(talk, case, "cancelled")
    after.data["thing"] = form.data.get("thing", "")
    talk.end(name, "cancelled")


def cancel_case(talk: Talk, case: Case) -> None:
    """The resident takes a case back."""
    if isinstance(case, WorkOrder):
        orders.cancel_order(talk, case)
    elif isinstance(case, Affair):
        affair_actions.cancel(talk.desk, case, talk.said.text)
    else:
        complaint_actions.withdraw(talk.desk, case, talk.said.text)


def _restore(talk: Talk, form: Form) -> None:
    kept = next((order for order in talk.desk.orders if str(order.id) == form.case), None)
    dropped = talk.desk.case_named(form.data.get("drop_case", ""))
    drop = form.data.get("drop", "")
    if kept is None:
        by = _hand_over(talk, form.text)
        talk.reply("progress.cancelled_by_person", what=drop or form.data.get("thing", ""), by=talk.by(by))
        talk.end(name, "changed")
        return
    orders.restore_order(talk, kept)
    _form(talk, kept, "changed")
    assert kept.contact_by is not None
    if dropped is not None:
        cancel_case(talk, dropped)
        talk.reply("progress.swapped", keep=standing.what(talk, kept), drop=drop)
    elif drop:
        by = _hand_over(talk, drop)
        talk.reply("progress.swapped_by_person", keep=standing.what(talk, kept), drop=drop, by=talk.by(by))
    else:
        talk.reply("progress.restored", keep=standing.what(talk, kept), by=talk.by(kept.contact_by))
    talk.end(name, "changed")


def _hand_over(talk: Talk, what: str) -> datetime:
    """Somebody finds the order that does not stand in this conversation, and cancels it there."""
    by = deadlines.answer_by(talk.local, talk.desk.settings)
    talk.desk.call_task("cancel", what or talk.said.text, by)
    return by


def question(talk: Talk, form: Form) -> None:
    """Return to the open question after something else was answered."""
    if form.step == "confirm":
        talk.ask("again.confirm")
    elif form.step == "which":
        intake.offer_again(talk, form)


def due(desk: Desk, job: Job) -> None:
    """It has no timers."""
    del desk, job
