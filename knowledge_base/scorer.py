"""From features to probabilities: one linear score an article, and "none of them" as a rival of all."""

import math
import operator
from collections.abc import Sequence
from typing import Final

import msgspec

from knowledge_base.index import Features

FEATURES: Final = Features.__struct_fields__

# Fitted by `python -m knowledge_base.fit` to the articles' own ways to ask, each asked of an index without it, to their
# counter-phrases likewise, and to the questions of the tests except the held-out ones.
WEIGHTS: Final = Features(
    cosine=1.07,
    likeness=0.76,
    sound=1.41,
    contained=0.64,
    coverage=4.17,
    acts_coverage=1.04,
    on_topic=0.16,
    no_things=-0.93,
    length=-0.33,
    novel=-0.27,
    things_missing=-2.38,
    passing_missing=-1.15,
    things_shared=1.37,
    title_things_extra=-0.86,
    facets_missing=-8.0,
    soft_facets_missing=-0.75,
    facets_met=0.61,
    counter_wins=-4.0,
    counter_lead=-0.58,
)
NONE: Final = 2.07


def values(features: Features) -> tuple[float, ...]:
    """The features as figures, in the order of `WEIGHTS`."""
    return msgspec.structs.astuple(features)


_WEIGHTS: Final = values(WEIGHTS)


def probabilities(candidates: Sequence[Features]) -> list[float]:
    """The probability that each is meant. They add up to less than 1: the rest says that none is."""
    weights = [math.exp(sum(map(operator.mul, _WEIGHTS, values(c))) - NONE) for c in candidates]
    whole = 1.0 + sum(weights)
    return [weight / whole for weight in weights]
