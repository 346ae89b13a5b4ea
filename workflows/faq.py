"""Questions: answered from the knowledge base, offered as a choice, or passed to a person with a time."""

import re
from typing import Any

from bot.desk import Choice, Desk, Job
from workflows import forms, human, moments, wording
from workflows.affair import dialogue as affair
from workflows.forms import Form
from workflows.summary import bare_title, shared
from workflows.talk import Talk

name = "faq"
timers: frozenset[str] = frozenset()

_POINTS_BACK = re.compile(
    r"^(?:那|这|這|它|还|還|另外|and|what about|does it|is it|do i)|这个|那个|這個|它|这张|那张|that one|"
    r"this one|\bit\b",
    re.IGNORECASE,
)
_HAN = re.compile(r"[\u4e00-\u9fff]")
IN_A_FORM, LEAD_IN_A_FORM = 0.4, 0.1
_SHORT = 16
"""A question this short that points back speaks of what was answered last."""


def start(talk: Talk) -> None:
    """Answer a question; one inside another form leaves that form as it is."""
    answered(talk, ask(talk, talk.said.text))


def answered(talk: Talk, found: Any) -> None:
    """Say what the knowledge base decided."""
    if found.decision == "answer":
        talk.understood()
        _topic(talk, found.article)
        _tell(talk, found.text)
        talk.end("faq", "answered")
    elif found.decision == "choose" and _clear_enough_in_a_form(talk, found):
        best = talk.desk.world.knowledge.article(found.candidates[0].article)
        assert best is not None
        talk.understood()
        _topic(talk, best.id)
        _tell(talk, talk.text("faq.about", title=_label(best.title), answer=best.answer))
        talk.end("faq", "answered")
    elif found.decision == "choose":
        talk.understood()
        _offer(talk, found)
    else:
        unknown(talk)


def _tell(talk: Talk, answer: str) -> None:
    """An article as it stands; whoever writes English hears first that there is none in English."""
    if talk.language == "en" and _HAN.search(answer):
        talk.reply("faq.in_chinese")
    talk.add(answer)


def _clear_enough_in_a_form(talk: Talk, found: Any) -> bool:
    """Inside a form a choice would leave two questions open: the likeliest is told under its title, where it leads."""
    if not any(form.workflow in {"repair", "affair", "complaint"} for form in talk.memory.forms):
        return False
    scores = [candidate.score for candidate in found.candidates] + [0.0]
    return bool(scores[0] >= IN_A_FORM and scores[0] - scores[1] >= LEAD_IN_A_FORM)


def ask(talk: Talk, text: str) -> Any:
    """What the knowledge base says, in the light of what was spoken of last where the question points back to it."""
    base, local = talk.desk.world.knowledge, talk.local
    community = talk.desk.world.communities.get(talk.desk.community_id)
    own = community.name if community else None
    if points_back(talk, text):
        topic = base.article(talk.desk.conversation.topic)
        if topic is not None:
            found = base.ask(f"{bare_title(topic.title)}{text}", community=own, on=local.date())
            if found.decision != "answer" or found.article != topic.id or shared(text, topic.answer):
                return found
    return base.ask(text, community=own, on=local.date())


def points_back(talk: Talk, text: str) -> bool:
    """Whether a question speaks of what was answered last."""
    return bool(talk.desk.conversation.topic) and len(text) <= _SHORT and _POINTS_BACK.search(text) is not None


def _topic(talk: Talk, article: str) -> None:
    talk.desk.change(talk.desk.conversation, topic=article)


def _offer(talk: Talk, found: Any) -> None:
    form = forms.new_form(name, talk.desk.now)
    form.words = [talk.said.text]
    labels = [_label(candidate.title) for candidate in found.candidates]
    labels.append(talk.text("faq.none_of_them"))
    form.ask("choose", [{"article": candidate.article} for candidate in found.candidates] + [{"article": ""}])
    form.data["labels"] = labels
    talk.touch(form)
    _say_offer(talk, form)
    talk.end("faq", "choosing")


def _label(title: str) -> str:
    return title.rstrip("？?。")


def _say_offer(talk: Talk, form: Form) -> None:
    options = [Choice(str(n), label) for n, label in enumerate(form.data["labels"], 1)]
    talk.offer(options)
    talk.ask("faq.choose", choices=wording.choices(options, talk.language))


def unknown(talk: Talk) -> None:
    """Nobody here knows: a person answers, by a time that is told."""
    case = affair.ask_a_person(talk, talk.said.text)
    assert case.due_at is not None
    phone = talk.phone()
    urgent = talk.text("affair.urgent_phone", phone=phone) if phone else ""
    talk.reply("affair.question", by=talk.by(case.due_at), phone=urgent)
    talk.told = moments.unknown(talk.desk, case.due_at)
    talk.end("faq", "answered")


def resume(talk: Talk, form: Form) -> bool:
    """A choice by its number, or by words that fit one of the titles."""
    picked = _picked(talk, form)
    if picked is None:
        talk.memory.drop(form)
        return False
    talk.memory.drop(form)
    talk.understood()
    article = talk.desk.world.knowledge.article(form.choices[picked]["article"])
    if article is None:
        human.start(talk)
        return True
    _topic(talk, article.id)
    _tell(talk, article.answer)
    talk.end("faq", "answered")
    return True


def _picked(talk: Talk, form: Form) -> int | None:
    answer = talk.said.answer
    if answer.kind == "choice" and answer.choice is not None:
        number = len(form.choices) if answer.choice == -1 else answer.choice
        return number - 1 if 1 <= number <= len(form.choices) else None
    if answer.kind in {"no", "cancel"} or len(talk.said.text) > 14:
        return None
    scores = [shared(talk.said.text, label) for label in form.data["labels"]]
    best = max(scores)
    return scores.index(best) if best >= 2 and scores.count(best) == 1 else None


def question(talk: Talk, form: Form) -> None:
    """The same offer once more."""
    _say_offer(talk, form)


def due(desk: Desk, job: Job) -> None:
    """It has no timers."""
    del desk, job
