"""Questions: answered from the knowledge base, offered as a choice, or passed to a person with a time."""

import re
from collections.abc import Sequence
from typing import Final

from bot.desk import Choice, Desk, Job
from knowledge_base.model import Answer, Article
from knowledge_base.script import traditional
from workflows import forms, helpful, human, moments, second_look, unanswered, wording
from workflows.affair import dialogue as affair
from workflows.forms import Form
from workflows.summary import bare_title, shared
from workflows.talk import Talk

name = "faq"
timers = frozenset({unanswered.OFFER})
WORDED: Final = "worded"
"""The kind of an answer that a language model worded: the console says so, too."""

_POINTS_BACK = re.compile(
    r"^(?:那|这|這|它|还|還|另外|and|what about|does it|is it|do i)|这个|那个|這個|它|这张|那张|that one|"
    r"this one|\bit\b",
    re.IGNORECASE,
)
IN_A_FORM, LEAD_IN_A_FORM = 0.4, 0.1
_SHORT = 16
"""A question this short that points back speaks of what was answered last."""


def start(talk: Talk) -> None:
    """Answer a question; one inside another form leaves that form as it is."""
    answered(talk, ask(talk, talk.said.text))


def answered(talk: Talk, found: Answer) -> None:
    """Say what the knowledge base decided."""
    if found.decision == "answer":
        _tell(talk, _article(talk, found.article or ""))
    elif found.decision == "choose" and _clear_enough_in_a_form(talk, found):
        best = _article(talk, found.candidates[0].article)
        _tell(talk, best, "faq.about")
    elif found.decision == "choose":
        if helpful.answers_freely(talk) and second_look.word(talk, found):
            return
        talk.understood()
        _offer(talk, found)
    else:
        unknown(talk)


def worded_by_machine(talk: Talk, answer: str, articles: Sequence[str]) -> None:
    """Tell what a language model made of these articles, labelled as such, with the originals to choose from."""
    talk.understood()
    options = _options(_open_choice(talk, articles))
    talk.offer(options)
    answer = traditional(answer) if talk.language == "zh-Hant" else answer
    talk.reply("faq.worded", answer=answer, choices=wording.choices(options, talk.language))
    talk.kind = WORDED
    talk.end("faq", "choosing")


def _article(talk: Talk, ident: str) -> Article:
    found = talk.desk.world.knowledge.article(ident)
    assert found is not None
    return found


def _tell(talk: Talk, article: Article, key: str = "") -> None:
    """Tell an article in the resident's language, below its title where `key` says how."""
    talk.understood()
    _topic(talk, article.id)
    answer = worded(talk, article)
    talk.add(talk.text(key, title=_label(article.title_in(talk.language)), answer=answer) if key else answer)
    helpful.ask(talk, article)
    talk.end("faq", "answered")


def worded(talk: Talk, article: Article) -> str:
    """The answer in the resident's language; else in Chinese, with one line that says so."""
    answer = article.told_in(talk.language)
    return answer if article.speaks(talk.language) else f"{talk.text('faq.in_chinese')}\n{answer}"


def _clear_enough_in_a_form(talk: Talk, found: Answer) -> bool:
    """Inside a form a choice would leave two questions open: the likeliest is told under its title, where it leads."""
    if not any(form.workflow in {"repair", "affair", "complaint"} for form in talk.memory.forms):
        return False
    scores = [candidate.score for candidate in found.candidates] + [0.0]
    return bool(scores[0] >= IN_A_FORM and scores[0] - scores[1] >= LEAD_IN_A_FORM)


def ask(talk: Talk, text: str) -> Answer:
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


def _offer(talk: Talk, found: Answer) -> None:
    _say_offer(talk, _open_choice(talk, [candidate.article for candidate in found.candidates]))
    talk.end("faq", "choosing")


def _open_choice(talk: Talk, articles: Sequence[str]) -> Form:
    form = forms.new_form(name, talk.desk.now)
    form.words = [talk.said.text]
    labels = [_label(_article(talk, article).title_in(talk.language)) for article in articles]
    labels.append(talk.text("faq.none_of_them"))
    form.ask("choose", [{"article": article} for article in (*articles, "")])
    form.data["labels"] = labels
    talk.touch(form)
    return form


def _options(form: Form) -> list[Choice]:
    return [Choice(str(n), label) for n, label in enumerate(form.data["labels"], 1)]


def _label(title: str) -> str:
    return title.rstrip("？?。")


def _say_offer(talk: Talk, form: Form) -> None:
    options = _options(form)
    talk.offer(options)
    talk.ask("faq.choose", choices=wording.choices(options, talk.language))


def unknown(talk: Talk) -> None:
    """Nobody here knows: a person answers, by a time that is told."""
    case = affair.ask_a_person(talk, talk.said.text)
    unanswered.keep(talk, talk.said.text, "unknown", case)
    assert case.due_at is not None
    phone = talk.phone()
    urgent = talk.text("affair.urgent_phone", phone=phone) if phone else ""
    talk.reply("affair.question", by=talk.by(case.due_at), phone=urgent)
    talk.told = moments.unknown(talk.desk, case.due_at)
    talk.end("faq", "answered")


def resume(talk: Talk, form: Form) -> bool:
    """A choice by its number, or by words that fit one of the titles; or what somebody says of an answer."""
    if form.kind == helpful.KIND:
        return helpful.heard(talk, form)
    picked = _picked(talk, form)
    talk.memory.drop(form)
    if picked is None:
        return False
    article = talk.desk.world.knowledge.article(form.choices[picked]["article"])
    if article is not None:
        _tell(talk, article)
        return True
    talk.understood()
    unanswered.keep(talk, form.text, "none_of_them")
    human.start(talk)
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
    if form.kind != helpful.KIND:
        _say_offer(talk, form)


def due(desk: Desk, job: Job) -> None:
    """What nobody could answer has an article now."""
    unanswered.offer(desk, job)
