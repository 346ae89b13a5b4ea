"""What the knowledge base holds and what it says."""

import datetime
from typing import Any, Literal

import msgspec

Decision = Literal["answer", "choose", "unknown"]


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """One fact sheet. `id` is the file name without its ending; `valid_until` is the last day on which it holds.

    `communities` empty means all of them. `not_about` are questions that look near and that this sheet does not
    answer; `answers` names facets (see `data/facets.toml`) that the ways to ask do not show.
    """

    id: str
    title: str
    ask: tuple[str, ...]
    answer: str
    topic: str
    owner: str
    valid_from: datetime.date
    valid_until: datetime.date
    source: str
    demonstration: bool
    communities: tuple[str, ...] = ()
    not_about: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()

    def holds(self, on: datetime.date) -> bool:
        """Whether the sheet is valid on this day."""
        return self.valid_from <= on <= self.valid_until


class Candidate(msgspec.Struct, frozen=True):
    """An article that may be meant; `score` is the probability given to it, 0 to 1."""

    article: str
    title: str
    score: float


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is said to a question.

    `text` is the article's answer, the choice put to the resident, or the sentence that admits not knowing.
    `confidence` is the probability that the decision's best article is meant; for `unknown`, that none is.
    `candidates` are best first: the answer and its rivals, or the (at most three) offered choices; empty for `unknown`.
    """

    decision: Decision
    article: str | None
    confidence: float
    text: str
    candidates: tuple[Candidate, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The object that `frontdesk ask` prints."""
        return {
            "decision": self.decision,
            "article": self.article,
            "confidence": self.confidence,
            "answer": self.text,
            "candidates": [{"article": c.article, "score": c.score} for c in self.candidates],
        }
