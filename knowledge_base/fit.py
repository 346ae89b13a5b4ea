"""`python -m knowledge_base.fit`: fits the scorer's weights to the questions of the tests. For developers only."""

import sys
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from knowledge_base.answer import KnowledgeBase
from knowledge_base.evaluate import HELD_OUT, QUESTIONS, questions_in
from knowledge_base.index import Features, Index
from knowledge_base.model import Article
from knowledge_base.reading import read
from knowledge_base.scorer import FEATURES, values

Floats = NDArray[np.float64]

_FOLDS: Final = 4
_STEPS: Final = 600
_RATE: Final = 0.05
_PENALTY: Final = 0.002
# The ways to ask are many and easier than what residents send; the written questions count more.
_WRITTEN: Final = 3.0
_UNANSWERABLE: Final = 6.0
# The score of a candidate that is only padding.
_ABSENT: Final = -1e3

# A handful of questions can turn a sign by chance: what speaks against an article never speaks for it. And two bounds
# are not for the questions to decide: an article that does not answer what is asked about a thing, or that says so
# itself, is out, however near its words are.
_BOUNDS: Final = {
    "no_things": (-np.inf, np.inf),
    "length": (-np.inf, np.inf),
    "novel": (-np.inf, np.inf),
    "things_missing": (-np.inf, 0.0),
    "passing_missing": (-np.inf, 0.0),
    "title_things_extra": (-np.inf, 0.0),
    "facets_missing": (-np.inf, -8.0),
    "soft_facets_missing": (-np.inf, 0.0),
    "counter_wins": (-np.inf, -4.0),
    "counter_lead": (-np.inf, 0.0),
}


class Cases:
    """Questions as arrays: candidates' features padded to one length, which of them are right, what each counts."""

    def __init__(self) -> None:
        self._found: list[list[tuple[int, Features]]] = []
        self._right: list[set[int]] = []
        self._weights: list[float] = []

    def add(self, found: list[tuple[int, Features]], right: set[int], weight: float) -> None:
        """One more question, its candidates, the numbers of those that are right."""
        self._found.append(found)
        self._right.append(right)
        self._weights.append(weight)

    def arrays(self) -> tuple[Floats, Floats, Floats]:
        """Features (question, candidate, feature), targets (question, candidate; the last is "none"), weights."""
        longest = max(map(len, self._found)) + 1
        matrix = np.zeros((len(self._found), longest, len(FEATURES) + 1))
        matrix[:, -1, -1] = 1.0
        target = np.zeros((len(self._found), longest))
        for row, (found, right) in enumerate(zip(self._found, self._right, strict=True)):
            for column, (number, features) in enumerate(found):
                matrix[row, column] = (*values(features), 0.0)
                target[row, column] = number in right
            target[row, -1] = not target[row].any()
        return matrix, target, np.array(self._weights) / sum(self._weights)


def own_lines(articles: Sequence[Article], into: Cases) -> None:
    """The articles' own ways to ask and counter-phrases, each asked of an index that does not hold it."""
    for fold in range(_FOLDS):
        index = Index([_without(article, fold) for article in articles])
        everything = range(len(articles))
        for number, article in enumerate(articles):
            for line in article.ask[fold::_FOLDS]:
                into.add(index.search(read(line), everything), {number}, 1.0)
            for line in article.not_about[fold::_FOLDS]:
                into.add(index.search(read(line), everything), set(), 3.0)


def _without(article: Article, fold: int) -> Article:
    def kept(lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(line for place, line in enumerate(lines) if place % _FOLDS != fold)

    # What the sheet answers does not change with the line left out; only the wording is to be unknown.
    facets = frozenset(article.answers).union(*(read(line).facets for line in article.ask))
    return msgspec.structs.replace(
        article, ask=kept(article.ask), not_about=kept(article.not_about), answers=tuple(sorted(facets))
    )


def fit(matrix: Floats, target: Floats, weight: Floats) -> Floats:
    """The weights, and last the score of "none", by Adam on the softmax over candidates and none."""
    found = np.zeros(matrix.shape[2])
    padding = np.where(matrix.any(axis=2), 0.0, _ABSENT)
    mean, square = np.zeros_like(found), np.zeros_like(found)
    for step in range(1, _STEPS + 1):
        scores = matrix @ found + padding
        chance = np.exp(scores - scores.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        wanted = chance * (target > 0)
        wanted /= wanted.sum(axis=1, keepdims=True)
        slope = np.einsum("q,qc,qcf->f", weight, chance - wanted, matrix)
        slope[:-1] += _PENALTY * found[:-1]
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        found -= _RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        _keep_bounds(found)
    return found


def _keep_bounds(weights: Floats) -> None:
    for place, name in enumerate(FEATURES):
        low, high = _BOUNDS.get(name, (0.0, np.inf))
        weights[place] = np.clip(weights[place], low, high)


def main() -> None:
    """Prints the weights to put into `scorer.py`."""
    articles = KnowledgeBase.load(demonstration=True).articles
    cases = Cases()
    own_lines(articles, cases)
    index = Index(articles)
    place = {article.id: number for number, article in enumerate(articles)}
    for path in sorted(QUESTIONS.glob("*.toml")):
        for question in questions_in(path) if path.name not in HELD_OUT else []:
            right = {place[ident] for ident in question.expected}
            weight = _WRITTEN if right else _UNANSWERABLE
            cases.add(index.search(read(question.text), range(len(articles))), right, weight)
    found = [round(float(weight), 2) for weight in fit(*cases.arrays())]
    for name, weight in zip(FEATURES, found, strict=False):
        sys.stdout.write(f"    {name}={weight},\n")
    sys.stdout.write(f"NONE = {found[-1]}\n")


if __name__ == "__main__":
    main()
