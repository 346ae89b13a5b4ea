"""Questions without an answer: kept for the list of the console, and answered once there is an article.

An answer that comes later is an unasked message: quiet hours and the message budget hold for it (desk.md section 13).
"""

from datetime import datetime
from uuid import UUID

from bot.desk import Affair, Desk, Job
from workflows import texts, wording
from workflows.affair import actions
from workflows.masking import masked
from workflows.talk import Talk

OFFER = "faq.offer"
"""The timer that is set for each who asked when an article is released (`bot.store.questions.offers`)."""
LONGEST = 200
QUOTED = 30


def keep(talk: Talk, text: str, why: str, case: Affair | None = None) -> None:
    """Keep what nobody here could answer, without what tells who asked; `case`: the affair that a person answers."""
    resident = talk.desk.resident
    slots = talk.reading.slots
    known = (resident.name, resident.phone, slots.phone or "", slots.plate or "")
    words = masked(" ".join(text.split()), *known)[:LONGEST]
    if words:
        talk.desk.keep_question(words, talk.language, why, case)


def offer(desk: Desk, job: Job) -> None:
    """There is an answer now. It is told once, and not where a person has answered or has the word."""
    told = job.payload or {}
    case = desk.case(UUID(told["affair"])) if told.get("affair") else None
    if not isinstance(case, Affair) or case.closed_at is not None or desk.conversation.mode == "human":
        return
    answer = told["answers"].get(desk.language) or told["answers"]["zh-Hans"]
    asked_at = datetime.fromisoformat(told["asked_at"])
    words = wording.brief(told["question"], QUOTED)
    values = {"day": _day(desk, asked_at), "question": words.rstrip("？?。. "), "answer": answer}
    actions.answer_later(desk, case, answer, texts.say(desk.language, "faq.offer", **values))
    if job.ref is not None:
        desk.question_offered(job.ref)


def _day(desk: Desk, asked_at: datetime) -> str:
    return wording.ago(desk.world.local(asked_at), desk.world.local(desk.now), desk.language)
