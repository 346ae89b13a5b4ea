"""Was this helpful: one light line below an answer, never a question of its own (docs/adr/0013-knowledge.md).

It costs no message, since it is part of the answer, and no question of the budget. It never stands where somebody is in
danger, complains, is angry or has a report open, nor twice within a day; silence says nothing.
"""

import re
from datetime import datetime, timedelta

from bot.desk import Choice
from knowledge_base.model import Article
from workflows import forms, satisfaction, unanswered
from workflows.affair import dialogue as affair
from workflows.forms import Form
from workflows.talk import Talk

KIND = "helpful"
COUNTS_FOR = timedelta(hours=12)
"""A digit that comes later answers something else."""
_GRAVE = frozenset({"emergencies"})
"""Topics of articles that are read in danger."""
_GRAVE_FLAGS = frozenset({"anger", "doubtful_danger", "confidential"})
_YES = re.compile(
    r"^(?:有帮助|有幫助|有用|很?有帮助|解决了|解決了|(?:yes, )?(?:it )?help(?:ed|ful)|that helped)[了的啦。.]*$"
)
_NO = re.compile(
    r"^(?:没|沒|冇|未|没有|沒有)(?:解决|解決|帮助|幫助|用)[了的啊。.]*$"
    r"|^(?:not helpful|(?:it )?did(?:n't| not) help)[.]?$"
)


def ask(talk: Talk, article: Article) -> None:
    """Put the line below the answer, where it may stand."""
    if not _may_ask(talk, article):
        return
    talk.reply("faq.helpful")
    talk.offer([Choice("1", talk.text("faq.helped")), Choice("2", talk.text("faq.not_helped"))])
    form = forms.new_form("faq", talk.desk.now, KIND)
    form.data = {"article": article.id, "question": talk.said.text}
    talk.touch(form)
    talk.memory.helpful_at = talk.desk.now.isoformat()


def _may_ask(talk: Talk, article: Article) -> bool:
    desk, reading = talk.desk, talk.reading
    if talk.memory.forms or article.topic in _GRAVE or reading.urgency != "normal" or reading.flags & _GRAVE_FLAGS:
        return False
    if desk.alarm is not None or satisfaction.asked(desk) is not None:
        return False
    if any(case.closed_at is None for case in desk.complaints) or not answers_freely(talk):
        return False
    last = talk.memory.helpful_at
    again = timedelta(hours=desk.settings.helpful_again_hours)
    return not last or desk.now - datetime.fromisoformat(last) >= again


def answers_freely(talk: Talk) -> bool:
    """Not over a channel whose every text was filed beforehand."""
    identity = talk.desk.identity
    limits = talk.desk.world.capabilities.get((identity.channel, identity.account)) if identity else None
    return limits is None or not limits.templates_only


def heard(talk: Talk, form: Form) -> bool:
    """What the very next message says of the answer; False where it speaks of something else."""
    talk.memory.drop(form)
    helped = _verdict(talk)
    if helped is None or talk.desk.now - form.since > COUNTS_FOR:
        return False
    talk.desk.rate_article(form.data["article"], helpful=helped)
    talk.understood()
    if helped:
        talk.reply("faq.thanks")
    else:
        _to_a_person(talk, form.data["question"])
    talk.end("faq", "rated")
    return True


def _verdict(talk: Talk) -> bool | None:
    answer, text = talk.said.answer, talk.said.text.strip().lower()
    if answer.kind == "choice" and answer.choice in {1, 2}:
        return answer.choice == 1
    return True if _YES.match(text) else False if _NO.match(text) else None


def _to_a_person(talk: Talk, question: str) -> None:
    """Somebody answers the first question, by a time that is told."""
    case = affair.ask_a_person(talk, question)
    unanswered.keep(talk, question, "not_helpful", case)
    assert case.due_at is not None
    phone = talk.phone()
    urgent = talk.text("affair.urgent_phone", phone=phone) if phone else ""
    talk.reply("faq.not_solved", by=talk.by(case.due_at), phone=urgent)
