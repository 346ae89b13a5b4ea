"""What the knowledge base holds and what it says."""

import datetime
from typing import Any, Literal

import msgspec

from knowledge_base.script import traditional

Decision = Literal["answer", "choose", "unknown"]


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """One fact sheet. `id` is the file name without its ending; `valid_until` is the last day on which it holds.

    `communities` empty means all of them. `not_about` are questions that look near and that this sheet does not
    answer; `answers` names facets (see `data/facets.toml`) that the ways to ask do not show. Title and answer are
    written in Simplified Chinese; `…_hant` and `…_en` say the same for other readers, empty where nobody wrote them.
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
    title_hant: str = ""
    answer_hant: str = ""
    title_en: str = ""
    answer_en: str = ""
    own: bool = False
    """A company's own sheet: it wins over one that ships."""
    replaces: str = ""
    """The sheet that an own one stands in for, in its communities."""
    not_in: tuple[str, ...] = ()
    """Communities where another sheet stands in for this one."""

    def title_in(self, language: str) -> str:
        """The title for a reader of this language; in Chinese where nobody has translated it."""
        return _in(language, self.title, self.title_hant, self.title_en)

    def told_in(self, language: str) -> str:
        """The answer, likewise."""
        return _in(language, self.answer, self.answer_hant, self.answer_en)

    def speaks(self, language: str) -> bool:
        """Whether the answer is there in this language; Traditional is made of Simplified where it is not written."""
        return language != "en" or bool(self.answer_en)

    def holds(self, on: datetime.date) -> bool:
        """Whether the sheet is valid on this day."""
        return self.valid_from <= on <= self.valid_until


def _in(language: str, hans: str, hant: str, en: str) -> str:
    if language == "zh-Hant":
        return hant or traditional(hans)
    return en or hans if language == "en" else hans


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
