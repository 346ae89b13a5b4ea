"""Which examples a message is nearest to: rarity first, the exact comparison on the few that are left."""

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec
from rapidfuzz import fuzz

from intents.examples import Example
from intents.normalise import normalise

# Examples that reach the exact comparison.
_SHORT_LIST = 30
# A pair of signs in more than this share of the examples finds nothing by itself.
_TOO_COMMON = 0.02
_LEAST_LIMIT = 20


class Near(msgspec.Struct, frozen=True):
    """An example and how like the message it is, from 0 to 1."""

    example: Example
    likeness: float


class Nearest:
    """An index over examples by pairs of neighbouring signs. Immutable; 10,000 examples take half a second to build."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = tuple(examples)
        self._texts = [normalise(example.text) for example in self._examples]
        pairs = [_pairs(text) for text in self._texts]
        counts = Counter(pair for found in pairs for pair in found)
        self._rarity = {pair: math.log(1 + len(pairs) / count) for pair, count in counts.items()}
        self._limit = max(_LEAST_LIMIT, int(len(pairs) * _TOO_COMMON))
        self._postings: dict[str, list[int]] = defaultdict(list)
        for number, found in enumerate(pairs):
            for pair in found:
                self._postings[pair].append(number)

    def find(self, text: str, count: int = 3) -> list[Near]:
        """The `count` likest examples, best first; none where not a pair of signs is shared."""
        normal = normalise(text)
        likeness = [(fuzz.ratio(normal, self._texts[number]) / 100, -number) for number in self._candidates(normal)]
        return [Near(self._examples[-number], round(like, 4)) for like, number in heapq.nlargest(count, likeness)]

    def _candidates(self, normal: str) -> list[int]:
        posted = {pair: self._postings[pair] for pair in _pairs(normal) if pair in self._rarity}
        rare = {pair: numbers for pair, numbers in posted.items() if len(numbers) <= self._limit} or posted
        weights: dict[int, float] = defaultdict(float)
        # In one order, so that the sums are the same to the last bit whatever the order of a set.
        for pair in sorted(rare):
            for number in rare[pair]:
                weights[number] += self._rarity[pair]
        return heapq.nsmallest(_SHORT_LIST, weights, key=lambda number: (-weights[number], number))


def _pairs(normal: str) -> set[str]:
    marked = f"^{normal}$"
    return {marked[place : place + 2] for place in range(len(marked) - 1)}
