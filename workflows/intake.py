"""What repair, complaint and affair forms share: beginning one, hearing a message, finding and asking the place."""

from datetime import datetime, timedelta
from typing import Any

from bot.desk import Case, Choice
from workflows import dialogue, forms, where, wording
from workflows.dialogue import Fills, Heard, Needs, View
from workflows.forms import Form
from workflows.seen import is_elsewhere, stated_by
from workflows.summary import fault_of, is_vague
from workflows.talk import Talk, move_to
from workflows.where import Where

PICTURES_COUNT_FOR = timedelta(hours=6)
"""Pictures sent so long before their words still belong to them."""

SAME_TALK = timedelta(hours=2)
"""What was stated so recently was stated for the next request, too."""

PLACES = ("building", "unit", "room", "place", "community")


def begin(talk: Talk, workflow: str, kind: str = "") -> Form:
    """A form for what this message asks."""
    form = forms.new_form(workflow, talk.desk.now, kind)
    reading = talk.reading
    form.words = [talk.said.text]
    form.stated = dialogue.stated(reading, talk.said.text)
    form.wish = dialogue.wish_of(reading.slots.time)
    form.category = reading.category or "other"
    form.urgency = reading.urgency
    form.fault = fault_of(talk.said.text, reading)
    _take_scan(talk, form)
    _keep_phone(talk, form)
    talk.touch(form)
    talk.began = form.id
    return form


def _take_scan(talk: Talk, form: Form) -> None:
    """Where a code was scanned just now, unless the words name another place; a kitchen is in no lift."""
    seen = talk.scanned
    if seen is None or is_elsewhere(form.stated, seen):
        return
    if seen.kind == "place" and dialogue.is_at_home(form.text):
        seen = Where("unknown", seen.community)
    form.stated = {**stated_by(seen), **form.stated, **seen.parts()}
    if seen.kind in {"home", "place"}:
        form.where = where.as_json(seen)


def carry(talk: Talk, form: Form) -> None:
    """The place that was stated for another request just now counts for this one, too."""
    fresh = bool(talk.memory.place_at) and talk.desk.now - datetime.fromisoformat(talk.memory.place_at) < SAME_TALK
    if fresh and not any(name in form.stated for name in PLACES):
        form.stated |= {name: value for name, value in talk.memory.place_stated.items() if name in PLACES}


def hear(talk: Talk, form: Form, owns: frozenset[str], *, takes_time: bool = True) -> Heard:
    """What this message means to the form."""
    any_day = form.kind == "application"
    view = View(form.step, form.stated, form.wish, form.text, owns, len(form.choices), takes_time, any_day)
    return dialogue.hear(view, talk.said)


def take(talk: Talk, form: Form, found: Fills) -> None:
    """Write what was stated into the form."""
    form.words.append(talk.said.text)
    read = dialogue.stated(talk.reading, talk.said.text)
    if "building" in read and "room" in read and "unit" not in read:
        form.stated.pop("unit", None)
    form.stated |= found.all
    if found.moves:
        form.where = None
    if found.wish is not None:
        form.wish = found.wish
    _keep_phone(talk, form)


def _keep_phone(talk: Talk, form: Form) -> None:
    """A number that somebody not yet known has told is theirs until they are known."""
    phone = form.stated.get("phone")
    if phone and not talk.desk.known_phone and talk.desk.resident.provisional:
        talk.desk.change(talk.desk.resident, phone=phone)


def more(talk: Talk, form: Form) -> None:
    """Further words; where what was said so far was vague they become the fault."""
    vague = is_vague(form.text)
    form.words.append(talk.said.text)
    if vague and not is_vague(talk.said.text):
        form.fault = fault_of(talk.said.text, talk.reading)
        if talk.reading.category and talk.reading.intent in {"repair", "complaint"}:
            form.category = talk.reading.category


def place_of(talk: Talk, form: Form) -> Where:
    """Where it is: what was settled by an answer, else what the statements say."""
    if form.where is not None:
        return where.of_json(form.where, talk.desk.world.communities)
    return where.find(form.stated, talk.desk.homes, talk.communities(), talk.atlas, talk.remembered)


def settle(form: Form, place: Where) -> None:
    """This place is meant: it was chosen, or said to a suggestion."""
    form.where = where.as_json(place)
    for name in ("building", "unit", "room", "place"):
        form.stated.pop(name, None)
    form.stated |= place.parts()


def needs(talk: Talk, form: Form, place: Where, *, vague: bool = False) -> Needs:
    declined = bool(form.data.get("declined"))
    community = place.community is not None or len(talk.communities()) == 1
    return Needs(vague, place.kind, bool(place.place), place.nearest is not None, declined, community, form.asked)


def choose(talk: Talk, form: Form, heard: Heard) -> bool:
    """The resident picked one of the places offered; False: there is no such number."""
    if not 1 <= heard.option <= len(form.choices):
        return False
    settle(form, where.of_json(form.choices[heard.option - 1], talk.desk.world.communities))
    form.words.append(talk.said.text)
    return True


def ask_which(talk: Talk, form: Form, place: Where, key: str = "where.which") -> None:
    """Offer the places that fit, at most three."""
    communities = len({option.community for option in place.options}) > 1
    options = [
        Choice(str(n), where.label(option, talk.language, named=communities))
        for n, option in enumerate(place.options, 1)
    ]
    form.ask("which", [where.as_json(option) for option in place.options])
    form.data["labels"] = [option.label for option in options]
    talk.offer(options)
    talk.ask(key, choices=wording.choices(options, talk.language))


def offer_again(talk: Talk, form: Form) -> None:
    """The same places once more."""
    options = [Choice(str(n), label) for n, label in enumerate(form.data.get("labels", ()), 1)]
    talk.offer(options)
    talk.ask("again.which", choices=wording.choices(options, talk.language))


def ask_room(talk: Talk, form: Form, place: Where) -> None:
    """The building is known, the room is not; or the list has no such room."""
    form.ask("room")
    label = where.label(place, talk.language, named=False)
    community = place.community.name if place.community else ""
    if place.kind == "absent":
        talk.ask("where.absent", community=community, place=label)
    elif place.building:
        talk.ask("where.door" if place.unit else "where.room", building=label)
    elif place.room:
        talk.ask("where.building", room=place.room)
    else:
        talk.ask("where.more", where=where_question(talk))


def ask_nearest(talk: Talk, form: Form, place: Where) -> None:
    """The list has no such place, but one that looks like it."""
    assert place.nearest is not None
    form.ask("suggest")
    form.data["nearest"] = where.as_json(place.nearest)
    community = place.community.name if place.community else ""
    stated = where.label(Where("building", building=place.building), talk.language)
    if place.nearest.building == place.building:
        stated = where.label(place, talk.language, named=False)
    nearest = where.label(place.nearest, talk.language, named=False)
    talk.ask("where.suggest", community=community, place=stated, nearest=nearest)


def where_question(talk: Talk) -> str:
    """Asks for the home, and for the community only where that is not known."""
    known = len(talk.communities()) == 1
    return talk.text("where.home" if known else "where.home_community")


def remember(talk: Talk, form: Form, place: Where) -> None:
    """The place counts for what follows in this conversation."""
    if place.kind in {"home", "building"} and place.community is not None:
        talk.memory.place = where.as_json(place)
        talk.memory.place_stated = {name: value for name, value in form.stated.items() if name in PLACES}
        talk.memory.place_at = talk.desk.now.isoformat()


def where_row(form: Form, place: Where) -> dict[str, Any]:
    """The place as a case keeps it: its parts, how it is called, and what was stated."""
    row: dict[str, Any] = {**place.parts(), "label": where.label(place, "zh-Hans"), "stated": form.slots()}
    if place.community is not None:
        row["community"] = place.community.name
    if place.kind == "home" and not place.listed:
        row["unlisted"] = True
    return row


def opened(talk: Talk, form: Form, case: Case, place: Where, note: str) -> None:
    """What every new case leaves: its row, its pictures, the end of a task that was made of its draft."""
    desk = talk.desk
    desk.open_case(case, note)
    form.case = str(case.id)
    talk.case = case
    if talk.memory.photos or form.data.get("pictures"):
        since = min(form.since, desk.now) - PICTURES_COUNT_FOR
        desk.adopt(case, since)
        talk.memory.photos = False
    remember(talk, form, place)
    talk.memory.scene, talk.memory.scene_at = None, ""


def claim(talk: Talk, place: Where) -> None:
    """A conversation of nobody yet known belongs to the community of the place."""
    move_to(talk.desk, place.community)
