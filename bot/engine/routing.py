"""The table from a message (and what is open) to a workflow: order and thresholds in one place."""

import logging
import re
from dataclasses import replace
from datetime import timedelta

import msgspec

from bot.desk import EMERGENCY, Desk, Job
from channels.consent import OPT_IN, OPT_OUT
from channels.messages import TOUCHES
from intents.answers import asks_back
from intents.model import Reading
from workflows import (
    anger,
    asks,
    bubbles,
    emergency,
    faq,
    human,
    progress,
    satisfaction,
    scenes,
    second_look,
    smalltalk,
    takeover,
    unfinished,
    unknown,
    voice,
)
from workflows.binding import codes, objection, recognise, staff, unbind, words
from workflows.binding import dialogue as binding
from workflows.dialogue import HOME_STEPS, Said
from workflows.forms import Form
from workflows.summary import shared
from workflows.table import BY_NAME, STARTS, TIMERS
from workflows.talk import Talk, of_turn

log = logging.getLogger(__name__)

ALWAYS_SURE = 0.6
"""From this confidence on a reading is acted on, however near the second comes."""
RECORDED_FOR = timedelta(hours=24)
"""So long after its recording a case can still be completed or corrected in passing."""
OPEN_FOR = timedelta(hours=48)
URGENT_WORD_MOST = 8
"""急: a message this short calls for somebody; a longer one is read as what it says."""
SHORT_ENOUGH_FOR_A_PERSON = 24

_EXPLICIT = (
    (
        "complaint",
        re.compile(r"(?:我?要|想|必须)(?:投诉|投訴|举报)|^投诉|i want to complain|make a complaint", re.IGNORECASE),
    ),
    (
        "suggestion",
        re.compile(r"(?:提|有)(?:个|一个|點|点)?(?:小)?建议|i(?:'d| would) suggest|i have a suggestion", re.IGNORECASE),
    ),
    ("repair", re.compile(r"^(?:我?要|帮我|我想)?(?:报个?修|報個?修)")),
)
"""Requests that name themselves, which counts where the reading alone is unsure."""
_ASKS = re.compile(r"[?？]|(?:要|收|用|能|可以|需要|得|有).{0,8}(?:不|没|么|嘛|吗)[。.]?$|多少|几|怎么|哪")
_NOT_RED = frozenset(
    {"anger", "opt_in", "opt_out", "confidential", "urgent_word", "wants_person", "privacy", "doubtful_danger"}
)


def handle(desk: Desk) -> None:
    """Answer the message of this turn: exactly one reply; silence where a person has the word, and for the rest of an
    album."""
    talk = of_turn(desk)
    recognise.at_the_door(talk)
    _follow_language(talk)
    _forget_old(talk)
    bubbles.together(talk)
    scenes.note(talk)
    talk.mark()
    _route(talk)
    _reply(talk)


def again(desk: Desk, job: Job) -> None:
    """A message that waited for a language model is answered now, in the light of what it said or as without it."""
    held = second_look.standing(desk, job)
    if held is None or job.ref is None:
        return
    text = "\n".join(held.words)
    reading = desk.world.reader.read(text, desk.world.local(desk.now), desk.world.names)
    desk.take_up(job.ref, text, second_look.with_opinion(job, reading, text))
    talk = of_turn(desk)
    talk.memory.held, talk.held, talk.looked_again = None, held, True
    worded, articles = second_look.wording(job)
    if _is_danger(talk):
        emergency.start(talk)
    elif worded:
        faq.worded_by_machine(talk, worded, articles)
    else:
        _by_intent(talk)
    _reply(talk)


def _reply(talk: Talk) -> None:
    """What stands at the end of every turn: one message, or a question that waits for another bubble."""
    if talk.lane != EMERGENCY:
        _return_to_form(talk)
        smalltalk.first_line(talk)
    unfinished.watch(talk)
    unfinished.finished(talk)
    hold = bubbles.hold(talk)
    rows = talk.finish(hold)
    if hold is not None and rows:
        bubbles.keep(talk, rows)
    talk.save()


def timer(desk: Desk, job: Job) -> None:
    """A timer of this conversation is due. An unknown kind, of a later version, is left to that version."""
    workflow = TIMERS.get(job.kind)
    if job.kind in second_look.KINDS:
        again(desk, job)
    elif workflow is None:
        log.warning("no workflow owns timers of kind %s", job.kind)
    else:
        workflow.due(desk, job)


def owner_lapsed(desk: Desk) -> None:
    """Whoever had the conversation has not acted until the lease ran out."""
    takeover.lapse(desk)


def apologise(desk: Desk) -> None:
    """The turn raised: its message is kept, the resident hears so, the people on duty are told."""
    talk = of_turn(desk)
    people = desk.world.on_duty(desk.community_id, ("desk", "control_room"), desk.now)
    head = talk.supervisor()
    desk.raise_alarm(
        "failed_turn", desk.incoming.text[:200] if desk.incoming else "", people or ([head] if head else [])
    )
    if desk.conversation.mode != "human":
        phone = talk.phone()
        talk.reply("unknown.failed", phone=talk.text("affair.urgent_phone", phone=phone) if phone else "")
        desk.say("\n".join(talk.parts), kind="apology")
    desk.outcome.intent, desk.outcome.state = desk.incoming.reading.intent if desk.incoming else None, "idle"


def _route(talk: Talk) -> None:
    incoming = talk.desk.incoming
    assert incoming is not None
    if _is_unheard(talk):
        voice.watch(talk.desk)
    if _is_danger(talk):
        emergency.start(talk)
    elif _calls_for_help(talk):
        emergency.urgent_word(talk)
    elif _counts_always(talk):
        pass
    elif talk.desk.conversation.mode == "human":
        _keep_pictures(talk)
        takeover.start(talk)
    elif talk.desk.conversation.mode == "waiting":
        _keep_pictures(talk)
        _raise_red_flags(talk)
        human.while_waiting(talk)
    elif emergency.standing(talk) is not None and emergency.is_detail(talk):
        emergency.details(talk)
    elif not _by_kind(talk, incoming.kind):
        _raise_red_flags(talk)
        _by_words(talk)
        emergency.doubtful(talk)


def _is_unheard(talk: Talk) -> bool:
    """A voice without words, which whoever has the conversation has not got already."""
    incoming, mode = talk.desk.incoming, talk.desk.conversation.mode
    return incoming is not None and incoming.kind == "voice" and not incoming.text.strip() and mode != "human"


def _is_danger(talk: Talk) -> bool:
    return talk.reading.urgency == "emergency"


def _calls_for_help(talk: Talk) -> bool:
    return "urgent_word" in talk.reading.flags and len(talk.said.text.strip()) <= URGENT_WORD_MOST


def _counts_always(talk: Talk) -> bool:
    """What a resident may say whoever has the word: that it was not they, and that they want no notices."""
    if objection.heard(talk):
        return True
    if talk.desk.conversation.mode == "bot":
        return False
    return _consents(talk)


def _consents(talk: Talk) -> bool:
    """Stopping notices and surveys, and having them again."""
    mark = talk.desk.incoming.choice if talk.desk.incoming else None
    if "opt_out" in talk.reading.flags or mark == OPT_OUT:
        smalltalk.stopped(talk)
    elif smalltalk.wants_notices_again(talk) or mark == OPT_IN:
        smalltalk.started(talk)
    else:
        return False
    return True


def _says_who(talk: Talk) -> bool:
    """Who somebody is, or is not any more; what a colleague reports for a resident."""
    text = talk.said.text
    if staff.heard(talk) or recognise.shared_contact(talk):
        return True
    if code := words.signs_in(text):
        codes.typed(talk, code, signing_in=True)
        return True
    if words.wants_to_unbind(text):
        unbind.start(talk)
    elif words.wants_to_bind(text) and talk.reading.urgency == "normal":
        binding.start(talk)
    else:
        return False
    return True


def _by_kind(talk: Talk, kind: str) -> bool:
    """Messages that say nothing in words."""
    if kind == "menu_click" or (kind in TOUCHES and not talk.said.text.strip()):
        _clicked(talk, kind)
    elif talk.said.only_pictures or (kind in {"image", "video"} and not talk.said.text.strip()):
        form = unknown.picture(talk)
        if form is not None:
            BY_NAME[form.workflow].question(talk, form)
    elif kind == "voice" and not talk.said.text.strip():
        voice.start(talk)
    elif kind == "unsupported" and recognise.shared_contact(talk):
        pass
    elif kind in {"location", "file", "link", "too_large", "unsupported"} and not talk.said.text.strip():
        unknown.other_kind(talk, kind)
    else:
        return False
    return True


def _clicked(talk: Talk, kind: str) -> None:
    key = talk.desk.incoming.choice if talk.desk.incoming else None
    if kind == "menu_click" and key is not None and key in STARTS and key != "other":
        talk.said = _as(talk, key)
        STARTS[key].start(talk)
    elif not scenes.scanned(talk):
        smalltalk.followed(talk)


def _keep_pictures(talk: Talk) -> None:
    incoming = talk.desk.incoming
    if incoming is not None and incoming.attachments:
        talk.desk.attach(None, incoming.id, incoming.attachments)


def _raise_red_flags(talk: Talk) -> None:
    """Words that the supervisor hears of at once (desk.md section 4)."""
    incoming = talk.desk.incoming
    assert incoming is not None
    found = sorted(
        anger.flags_of(incoming) - _NOT_RED
    )  # of this message: those of earlier bubbles were raised with them
    head = talk.supervisor() if found else None
    if head is not None:
        talk.desk.raise_alarm("red_flag", f"{'、'.join(found)}: {incoming.text[:120]}", [head])


def _by_words(talk: Talk) -> None:
    reading = talk.reading
    if _consents(talk) or _says_who(talk):
        return
    if "privacy" in reading.flags and len(talk.said.text) <= SHORT_ENOUGH_FOR_A_PERSON:
        smalltalk.privacy(talk)
    elif _wants_person(talk) and not (anger.is_angry(talk) and anger.asks_for_the_boss(talk.said.text)):
        human.start(talk)
    else:
        _by_request(talk)


def _by_request(talk: Talk) -> None:
    angry = anger.is_angry(talk)
    if not _answers_something(talk):
        (anger.start if angry else _by_intent)(talk)
    if angry:
        anger.calm(talk)


def _wants_person(talk: Talk) -> bool:
    reading = talk.reading
    if _urges(talk) and "wants_person" not in reading.flags:
        return False
    if reading.intent == "human" and reading.confidence >= ALWAYS_SURE:
        return "wants_person" in reading.flags or not _is_asked_what_to_do(talk)
    return "wants_person" in reading.flags and len(talk.said.text) <= SHORT_ENOUGH_FOR_A_PERSON


def _is_asked_what_to_do(talk: Talk) -> bool:
    """What a complaint is to lead to was asked: 想管理处去跟他说 is the answer."""
    form = talk.memory.forms[0] if talk.memory.forms else None
    return form is not None and form.workflow == "complaint" and form.step == "wanted"


def _urges(talk: Talk) -> bool:
    """快点啊, 还没人联系我: somebody who has something open chases it, however that is read."""
    said = talk.said
    weak = talk.reading.intent in {"human", "other", "smalltalk", "progress"} or talk.reading.confidence < ALWAYS_SURE
    if not weak or len(said.text) > SHORT_ENOUGH_FOR_A_PERSON or not progress.has_open(talk):
        return False
    return asks.ask_of(said.text, time=said.wish is not None, phone=False) == "urge"


def _answers_something(talk: Talk) -> bool:
    """An answer to the one question, or a message that an open form takes."""
    asked = satisfaction.asked(talk.desk)
    form = talk.memory.forms[0] if talk.memory.forms else None
    if asked is not None and satisfaction.verdict(talk.said, asked):
        newer = form is not None and form.step != "" and asked.asked_at is not None and form.since > asked.asked_at
        if not newer:
            satisfaction.start(talk)
            return True
    return any(BY_NAME[form.workflow].resume(talk, form) for form in _in_order(talk) if form.workflow in BY_NAME)


def _in_order(talk: Talk) -> list[Form]:
    """The newest form first, unless the words speak of another one."""
    found = list(talk.memory.forms)
    words = [shared(talk.said.text, form.text) for form in found]
    if found and not words[0] and any(words):
        found.insert(0, found.pop(words.index(max(words))))
    return found


def _by_intent(talk: Talk) -> None:
    if talk.memory.of("satisfaction") is not None and satisfaction.suggests(talk.said.text):
        talk.said = _as(talk, "suggestion")
    reading = _explicit(talk)
    if _asks_on(talk):
        faq.start(talk)
        return
    if _urges(talk):
        progress.start(talk)
        return
    if _is_unsure(talk, reading):
        _not_understood(talk)
        return
    _answer_on_the_side(talk)
    STARTS[reading.intent].start(talk)


def _not_understood(talk: Talk) -> None:
    """A question that stands open is asked again, once, and the words are kept with it; else `unknown`."""
    form = next((form for form in talk.memory.forms if form.step in HOME_STEPS or form.step == "confirm"), None)
    count = talk.desk.conversation.misunderstood + 1
    again = form is not None and form.workflow in BY_NAME and count < talk.desk.settings.misunderstood_in_a_row
    if form is None or not again or asks_back(talk.said.text):
        unknown.start(talk)
        return
    talk.desk.change(talk.desk.conversation, misunderstood=count)
    form.words.append(talk.said.text)
    talk.touch(form)
    BY_NAME[form.workflow].question(talk, form)
    state = {"which": "choosing", "confirm": "confirming"}.get(form.step, "collecting")
    talk.end(form.kind or form.workflow if form.workflow == "affair" else form.workflow, state, form.slots())


def _asks_on(talk: Talk) -> bool:
    """A short question about what was answered last, which alone says little: 那这个要钱不."""
    weak = talk.reading.intent in {"faq", "other"} or talk.reading.confidence < ALWAYS_SURE
    return (
        weak
        and (asks_back(talk.said.text) or _ASKS.search(talk.said.text) is not None)
        and faq.points_back(talk, talk.said.text)
    )


def _explicit(talk: Talk) -> Reading:
    """The reading, or the request that the words name where the reading is unsure."""
    if talk.reading.confidence < ALWAYS_SURE:
        for intent, pattern in _EXPLICIT:
            if pattern.search(talk.said.text) and not talk.said.cancels:
                talk.said = _as(talk, intent)
                break
    return talk.reading


def _is_unsure(talk: Talk, reading: Reading) -> bool:
    """Too weak, or too near to the next, to act on without asking (law 11)."""
    settings = talk.desk.settings
    if reading.confidence >= ALWAYS_SURE or reading.intent == "other":
        return reading.intent == "other"
    return reading.confidence < settings.reading_threshold or reading.gap < settings.choice_gap


def _answer_on_the_side(talk: Talk) -> None:
    """A question in the same message as a request is answered with it."""
    for request in talk.reading.requests[1:]:
        if request.intent == "faq" and talk.reading.intent != "faq":
            found = faq.ask(talk, request.text)
            article = talk.desk.world.knowledge.article(found.article or "") if found.decision == "answer" else None
            if article is not None:
                talk.add(faq.worded(talk, article))
            return


def _return_to_form(talk: Talk) -> None:
    """After something thrown in, the open form goes on: its question comes back, and the turn's state is the form's."""
    outcome = talk.desk.outcome
    form = next((form for form in talk.memory.forms if form.id not in talk.touched), None)
    if form is None or outcome.state not in {"answered", "idle", "recorded"}:
        return
    asking = form.step not in {"", "wanted", "words", "confirm_staff"} and form.workflow in BY_NAME
    if asking and not talk.asked:
        BY_NAME[form.workflow].question(talk, form)
        if outcome.intent == "faq":
            outcome.state = {"which": "choosing", "choose": "choosing", "confirm": "confirming"}.get(
                form.step, "collecting"
            )
    if outcome.intent == "faq" and outcome.state != "choosing" and form.workflow not in {"faq", "satisfaction"}:
        outcome.slots = form.slots()


def _follow_language(talk: Talk) -> None:
    """The answer follows the resident: a clear sentence in another language changes it, a digit or a name does not."""
    resident, lang, text = talk.desk.resident, talk.reading.lang, talk.said.text
    if lang == talk.language or talk.said.only_pictures:
        return
    words = len(re.findall(r"[A-Za-z]{2,}", text))
    han = len(re.findall(r"[\u4e00-\u9fff]", text))
    enough = words >= 2 if lang == "en" else han >= (2 if lang == "zh-Hant" else 4)
    first = not resident.language and talk.desk.conversation.last_inbound_at is None
    if enough or (first and words >= 1 and lang == "en"):
        talk.desk.change(resident, language=lang)


def _forget_old(talk: Talk) -> None:
    now = talk.desk.now
    for form in list(talk.memory.forms):
        if now - form.since > (RECORDED_FOR if form.case else OPEN_FOR):
            talk.memory.drop(form)


def _as(talk: Talk, intent: str) -> Said:
    """What was said, with the intent that the words name."""
    reading = msgspec.structs.replace(talk.reading, intent=intent, confidence=1.0, gap=1.0)
    return replace(talk.said, reading=reading)
