"""Question in, decision out: answer, offer a choice, or admit not to know."""

import datetime
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from intents.normalise import normalise
from knowledge_base.index import Features, Index
from knowledge_base.layers import beaten, layered
from knowledge_base.loader import check_together, load_folder, packaged_articles
from knowledge_base.model import Answer, Article, Candidate
from knowledge_base.reading import Reading, read
from knowledge_base.scorer import probabilities

# An answer needs this probability and this distance to the second; a wrong answer costs more than a question back.
ANSWER_FROM: Final = 0.7
ANSWER_GAP: Final = 0.3
# A choice is offered when this much of the probability lies on the offered articles together, and some on each. Spread
# thin over many, it says that the question is about something else.
CHOOSE_FROM: Final = 0.35
BEST_FROM: Final = 0.25
# A broad question ("物业费") also lies thin on many articles, but leaves next to nothing for "none of them".
SURELY_OURS: Final = 0.2
# A question for yes or no names what it is about and then what it asks of it: 快递柜能存行李吗. Where the article
# speaks of less than this share of it, it may well say nothing of the rest, and is only offered.
SPOKEN_OF_FROM: Final = 0.5
OFFER_FROM: Final = 0.04
MOST_OFFERED: Final = 3
# Nobody writes a question of this length; it keeps a pasted novel from costing more than a sentence.
_LONGEST_QUESTION: Final = 300

UNKNOWN_TEXT: Final = "这个我没把握，不敢乱说。回“人工”，请客服同事来答。"
OTHER_CHOICE: Final = "都不是，找人工"


class KnowledgeBase:
    """Articles and the index over them. Immutable: a change of articles makes a new one."""

    def __init__(self, articles: Sequence[Article], own: Sequence[Article] = (), stamp: str = "") -> None:
        """`own`: a company's own articles, which win; `stamp`: which state of them this is.

        Raises `KnowledgeError` when two of `articles` have one id or are asked for in the same words.
        """
        self.shipped = check_together(articles)
        self.stamp = stamp
        self._index = Index(layered(self.shipped, own))
        self._beaten = beaten(self.articles)
        self._by_id = {article.id: article for article in self.articles}
        self._allowed = functools.lru_cache(maxsize=64)(self._find_allowed)

    @classmethod
    def load(cls, folder: Path | None = None, *, demonstration: bool) -> "KnowledgeBase":
        """The fact sheets of a folder (default: those that ship); `demonstration` says whether invented ones count.

        Raises `KnowledgeError` when a file cannot be used.
        """
        articles = load_folder(packaged_articles() if folder is None else folder)
        return cls([article for article in articles if demonstration or not article.demonstration])

    def with_own(self, own: Sequence[Article], stamp: str) -> "KnowledgeBase":
        """The same articles from files, with these of the company over them."""
        return KnowledgeBase(self.shipped, own, stamp)

    @property
    def articles(self) -> tuple[Article, ...]:
        """All articles, whatever their community and validity."""
        return self._index.articles

    def article(self, ident: str) -> Article | None:
        """The article with this id, or None."""
        return self._by_id.get(ident)

    def ask(self, question: str, *, community: str | None = None, on: datetime.date) -> Answer:
        """What is said to this question in this community on this day.

        `community` is the community's name as the articles write it. Without it articles of single communities are
        only offered as a choice, unless the question names the community.
        """
        reading = read(question[:_LONGEST_QUESTION])
        found = self._unbeaten(self._index.search(reading, self._allowed(community, on)), community)
        scores = probabilities([features for _, features in found])
        ranked = sorted(
            (self._candidate(number, score, features) for (number, features), score in zip(found, scores, strict=True)),
            key=lambda pair: (-pair[0].score, pair[0].article),
        )
        candidates = [candidate for candidate, _ in ranked]
        if (
            _is_clear(candidates)
            and _speaks_of_it(ranked[0][1], reading)
            and self._may_tell(candidates[0], community, question)
        ):
            return self._answer(candidates)
        offered = tuple(candidate for candidate in candidates[:MOST_OFFERED] if candidate.score >= OFFER_FROM)
        if _is_worth_asking(candidates, offered):
            return _choice(offered)
        return Answer(decision="unknown", article=None, confidence=_rest(candidates), text=UNKNOWN_TEXT)

    def _find_allowed(self, community: str | None, on: datetime.date) -> frozenset[int]:
        return frozenset(
            number
            for number, article in enumerate(self.articles)
            if article.holds(on)
            and (community is None or not article.communities or community in article.communities)
            and community not in article.not_in
        )

    def _unbeaten(self, found: list[tuple[int, Features]], community: str | None) -> list[tuple[int, Features]]:
        """Without articles whose words an own article that was found claims for itself; one of a single community
        claims nothing from somebody whose community is not known."""
        if not self._beaten:
            return found
        numbers = {n for n, _ in found if community is not None or not self.articles[n].communities}
        return [(number, fit) for number, fit in found if numbers.isdisjoint(self._beaten.get(number, ()))]

    def _candidate(self, number: int, score: float, features: Features) -> tuple[Candidate, Features]:
        article = self.articles[number]
        return Candidate(article.id, article.title, round(score, 4)), features

    def _may_tell(self, candidate: Candidate, community: str | None, question: str) -> bool:
        communities = self._by_id[candidate.article].communities
        if community is not None or not communities:
            return True
        text = normalise(question)
        return any(normalise(name) in text for name in communities)

    def _answer(self, candidates: list[Candidate]) -> Answer:
        best = candidates[0]
        rivals = tuple(c for c in candidates[1:MOST_OFFERED] if c.score >= 0.01)
        return Answer(
            decision="answer",
            article=best.article,
            confidence=best.score,
            text=self._by_id[best.article].answer,
            candidates=(best, *rivals),
        )


def _is_clear(candidates: list[Candidate]) -> bool:
    if not candidates:
        return False
    second = candidates[1].score if len(candidates) > 1 else 0.0
    return candidates[0].score >= ANSWER_FROM and candidates[0].score - second >= ANSWER_GAP


def _speaks_of_it(features: Features, question: Reading) -> bool:
    """Whether the article answers each facet asked for, or enough of a question for yes or no, and no counter-phrase is
    nearer than its own ways to ask."""
    enough = features.coverage >= SPOKEN_OF_FROM or not question.polar or bool(question.facets)
    return enough and not features.facets_missing and not features.counter_wins


def _is_worth_asking(candidates: list[Candidate], offered: tuple[Candidate, ...]) -> bool:
    if sum(candidate.score for candidate in offered) < CHOOSE_FROM:
        return False
    return offered[0].score >= BEST_FROM or _rest(candidates) <= SURELY_OURS


def _choice(offered: tuple[Candidate, ...]) -> Answer:
    lines = [f"回{place}：{candidate.title}" for place, candidate in enumerate(offered, start=1)]
    text = "　".join([*lines, f"回{len(offered) + 1}：{OTHER_CHOICE}"])
    return Answer(
        decision="choose",
        article=None,
        confidence=offered[0].score,
        text=f"您是想问哪个？{text}",
        candidates=offered,
    )


def _rest(candidates: list[Candidate]) -> float:
    return round(max(0.0, 1.0 - sum(candidate.score for candidate in candidates)), 4)
