"""Which articles a question may mean: rarity first, then the exact comparison on the best lines only."""

import functools
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
from rapidfuzz import fuzz

from knowledge_base.facets import missing
from knowledge_base.model import Article
from knowledge_base.reading import PASSING, Reading, read

# Lines that reach the exact comparison, and articles that reach the scorer.
_SHORT_LIST: Final = 20
_MOST_ARTICLES: Final = 5
# A token in more than this share of the lines finds nothing by itself ("多少钱").
_TOO_COMMON: Final = 0.08
# What the body says counts for less than what residents say: it explains, it does not ask.
_BODY_WEIGHT: Final = 0.6


class Line(msgspec.Struct, frozen=True):
    """A title, a way to ask or (`counter`) a question that the article does not answer."""

    article: int
    reading: Reading
    counter: bool
    norm: float


class Sheet(msgspec.Struct, frozen=True):
    """What the scorer knows of an article as a whole."""

    tokens: frozenset[str]
    body_only: frozenset[str]
    things: frozenset[str]
    title_things: frozenset[str]
    facets: frozenset[str]


class Features(msgspec.Struct, frozen=True):
    """How question and article fit; the scorer's weights carry the same names."""

    cosine: float
    likeness: float
    sound: float
    contained: float
    coverage: float
    acts_coverage: float
    on_topic: float
    no_things: float
    length: float
    novel: float
    things_missing: float
    passing_missing: float
    things_shared: float
    title_things_extra: float
    facets_missing: float
    soft_facets_missing: float
    facets_met: float
    counter_wins: float
    counter_lead: float


class _Fit(NamedTuple):
    """How near a line is to the question."""

    total: float
    cosine: float
    likeness: float
    sound: float
    contained: float


class _Asked(NamedTuple):
    """A question with what the index knows of its tokens: rarity squared, and the length of that vector."""

    question: Reading
    weights: dict[str, float]
    norm: float
    # The same without acts and not squared, and their sum.
    roots: dict[str, float]
    whole: float


# A base that is built anew because one article has changed reads only what is new. An index holds its readings anyway.
_line = functools.lru_cache(maxsize=16384)(read)


class Index:
    """The searchable form of some articles. Immutable; building 115 articles takes about a tenth of a second."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self.articles = tuple(articles)
        readings = [[_line(text) for text in (a.title, *a.ask)] for a in self.articles]
        self._sheets = [_sheet(article, lines) for article, lines in zip(self.articles, readings, strict=True)]
        self._squares = _squared_rarity(self._sheets)
        self._unknown = math.log(len(self.articles) + 1.0) + 0.5
        self.lines: list[Line] = []
        for number, lines in enumerate(readings):
            self._add(number, lines, counter=False)
            self._add(number, [_line(text) for text in self.articles[number].not_about], counter=True)
        self._owners = [line.article for line in self.lines]
        self._norms = [line.norm for line in self.lines]
        self._limit = max(12, int(len(self.lines) * _TOO_COMMON))
        self._postings = self._post()

    def _add(self, article: int, readings: Iterable[Reading], *, counter: bool) -> None:
        self.lines.extend(Line(article, r, counter, self._norm(r.tokens)) for r in readings)

    def _norm(self, tokens: Collection[str]) -> float:
        return math.sqrt(sum(self._squares.get(token, self._unknown**2) for token in tokens)) or 1.0

    def _post(self) -> dict[str, list[int]]:
        postings: dict[str, list[int]] = defaultdict(list)
        for number, line in enumerate(self.lines):
            for token in line.reading.tokens:
                postings[token].append(number)
        return dict(postings)

    def search(self, question: Reading, allowed: Collection[int]) -> list[tuple[int, Features]]:
        """Articles (by number, out of `allowed`) with a line near to the question, in no particular order."""
        weights = {token: self._squares.get(token, self._unknown**2) for token in question.tokens}
        roots = {token: math.sqrt(weight) for token, weight in weights.items() if token not in question.acts}
        norm = math.sqrt(sum(weights.values())) or 1.0
        asked = _Asked(question, weights, norm, roots, sum(roots.values()) or 1.0)
        best, counter = self._compared(asked, self._near(asked, allowed))
        nearest = sorted(best.items(), key=lambda item: -item[1].total)[:_MOST_ARTICLES]
        shape = self._shape(asked)
        return [(article, self._features(asked, article, fit, counter, shape)) for article, fit in nearest]

    def _near(self, asked: _Asked, allowed: Collection[int]) -> list[int]:
        """The numbers of the lines that share the rarest tokens."""
        found = [(asked.weights[token], posted) for token in asked.weights if (posted := self._postings.get(token))]
        rare = [entry for entry in found if len(entry[1]) <= self._limit] or found
        weights: dict[int, float] = defaultdict(float)
        for weight, posted in rare:
            for number in posted:
                weights[number] += weight
        owners, norms = self._owners, self._norms
        ranked = [(-weight / norms[n], n) for n, weight in weights.items() if owners[n] in allowed]
        ranked.sort()
        return [number for _, number in ranked[:_SHORT_LIST]]

    def _compared(self, asked: _Asked, near: list[int]) -> tuple[dict[int, _Fit], float]:
        """The best line of each article, and how near the nearest counter-phrase is."""
        best: dict[int, _Fit] = {}
        counter = 0.0
        for number in near:
            line = self.lines[number]
            fit = _fit(asked, line)
            if line.counter:
                counter = max(counter, fit.total if _speaks_against(line.reading, asked.question) else 0.0)
            elif line.article not in best or fit.total > best[line.article].total:
                best[line.article] = fit
        return best, counter

    def _shape(self, asked: _Asked) -> tuple[float, float, float]:
        """What the question is like whatever the article: without things, its length, its share of unheard tokens."""
        tokens = asked.question.tokens
        novel = sum(token not in self._squares for token in tokens) / (len(tokens) or 1)
        return float(not asked.question.things), math.log1p(len(tokens)), novel

    def _features(
        self, asked: _Asked, article: int, fit: _Fit, counter: float, shape: tuple[float, float, float]
    ) -> Features:
        question, sheet = asked.question, self._sheets[article]
        hard, soft = missing(question.facets, sheet.facets)
        unmatched = question.things - sheet.things
        shared = len(question.things & sheet.title_things)
        no_things, length, novel = shape
        return Features(
            cosine=fit.cosine,
            likeness=fit.likeness,
            sound=fit.sound,
            contained=fit.contained,
            coverage=_coverage(asked, sheet),
            acts_coverage=len(question.acts & sheet.tokens) / (len(question.acts) or 1),
            on_topic=shared / (len(question.things) or 1),
            no_things=no_things,
            length=length,
            novel=novel,
            things_missing=min(2.0, len(unmatched - PASSING)),
            passing_missing=min(2.0, len(unmatched & PASSING)),
            things_shared=min(2.0, shared),
            title_things_extra=0.0 if no_things else min(2.0, len(sheet.title_things - question.things)),
            facets_missing=min(2.0, hard),
            soft_facets_missing=min(2.0, soft),
            facets_met=min(1.0, len(question.facets) - hard - soft),
            counter_wins=float(counter > fit.total),
            counter_lead=max(0.0, counter - fit.total),
        )


def _speaks_against(counter: Reading, question: Reading) -> bool:
    """Whether a counter-phrase is about what is asked: "is there a fee" says nothing of "how long is it valid"."""
    return not counter.facets or not counter.facets.isdisjoint(question.facets)


def _fit(asked: _Asked, line: Line) -> _Fit:
    weights = asked.weights
    reading = line.reading
    shared = sum(map(weights.__getitem__, asked.question.tokens & reading.tokens))
    cosine = shared / (asked.norm * line.norm)
    likeness = fuzz.ratio(asked.question.plain, reading.plain) / 100
    sound = fuzz.ratio(asked.question.sound, reading.sound) / 100
    contained = shared / line.norm**2
    return _Fit(cosine + likeness + sound + contained, cosine, likeness, sound, contained)


def _coverage(asked: _Asked, sheet: Sheet) -> float:
    """The share of the question, by rarity, that the article speaks of; acts count elsewhere."""
    roots = asked.roots
    known = sum(map(roots.__getitem__, roots.keys() & sheet.tokens))
    told = sum(map(roots.__getitem__, roots.keys() & sheet.body_only))
    return (known + told * _BODY_WEIGHT) / asked.whole


def _sheet(article: Article, lines: Sequence[Reading]) -> Sheet:
    body = _line(article.answer)
    tokens = frozenset[str]().union(*(line.tokens for line in lines))
    return Sheet(
        tokens=tokens,
        body_only=body.tokens - tokens,
        things=frozenset().union(body.things, *(line.things for line in lines)),
        title_things=lines[0].things,
        facets=frozenset(article.answers).union(*(line.facets for line in lines)),
    )


def _squared_rarity(sheets: Sequence[Sheet]) -> dict[str, float]:
    count = Counter(token for sheet in sheets for token in sheet.tokens | sheet.body_only)
    return {token: (math.log((len(sheets) + 1) / (known + 0.5)) + 0.5) ** 2 for token, known in count.items()}
