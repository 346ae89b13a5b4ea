"""What staff said of messages that were misread: holds at once for the same words, before any model has learned it."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec
from rapidfuzz import fuzz, process

from intents.masking import mask
from intents.normalise import normalise
from intents.rules import judge

_DIGITS = re.compile(r"\d+")
_NO_SIGN = re.compile(r"[\W_]+")
# A word more or less that turns the sense round, in normal form.
_TURNING = re.compile(
    r"不|没|无|未|别|非|已经|万一|如果|假如|要是|是不是|会不会|吗|\b(?:no|not|never|without|if)\b|n't"
)
# From this likeness on (one sign of thirteen differs) a text counts as the corrected one; a short one must be the same.
_NEAR = 92.0
_SHORTEST = 8
# A text is found by this many of its rarest pairs of signs; a sign that differs takes two of them away at most.
_ANCHORS = 6
_LEAST_SIGNS = 2


class Correction(msgspec.Struct, frozen=True):
    """The labels that a text should have had. `text`: masked.

    `was`: the intent it was read as. `approved`: somebody with the right to teach has made an example of it; only then
    may it take back a danger that the model sees (never one that a rule sees).
    """

    text: str
    intent: str
    category: str | None
    urgency: str
    was: str = ""
    approved: bool = False


class Match(msgspec.Struct, frozen=True):
    """A correction that fits a text. `exact`: the same words but for numbers, names and punctuation."""

    correction: Correction
    exact: bool


def key(text: str) -> str:
    """What two texts have in common that count as the same."""
    return _NO_SIGN.sub("", _DIGITS.sub("0", normalise(mask(text))))


def may_teach(text: str) -> bool:
    """Whether a text says enough for others to be read by it; what a rule decides for certain is not taught."""
    own = key(text).replace("0", "")
    return len(own) >= _LEAST_SIGNS and judge(normalise(text)).whole is None


class Corrections:
    """An index over corrections; of several for one text the last counts. Immutable."""

    def __init__(self, corrections: Sequence[Correction] = ()) -> None:
        """`corrections` in order of time."""
        self._by_key = {key(one.text): one for one in corrections}
        self._anchored: dict[str, list[str]] = defaultdict(list)
        pairs = {own: _pairs(own) for own in self._by_key if len(own) >= _SHORTEST}
        counts = Counter(pair for found in pairs.values() for pair in found)
        for own, found in pairs.items():
            for pair in sorted(found, key=lambda pair: (counts[pair], pair))[:_ANCHORS]:
                self._anchored[pair].append(own)

    def __len__(self) -> int:
        return len(self._by_key)

    def find(self, text: str) -> Match | None:
        """The correction for the same or nearly the same words."""
        if not self._by_key:
            return None
        own = key(text)
        if (same := self._by_key.get(own)) is not None:
            return Match(same, exact=True)
        near = self._near(own) if len(own) >= _SHORTEST else None
        found = self._by_key[near] if near else None
        return Match(found, exact=False) if found and _same_sense(text, found.text) else None

    def _near(self, own: str) -> str | None:
        """The likest key, where it is like enough: compared with the few that share rare pairs of signs with it."""
        shared = Counter(other for pair in _pairs(own) if pair in self._anchored for other in self._anchored[pair])
        few = sorted(other for other, count in shared.items() if count > 1)
        best = process.extractOne(own, few, scorer=fuzz.ratio, score_cutoff=_NEAR) if few else None
        return best[0] if best else None


def _pairs(own: str) -> set[str]:
    return {own[place : place + 2] for place in range(len(own) - 1)}


def _same_sense(text: str, other: str) -> bool:
    return sorted(_TURNING.findall(normalise(text))) == sorted(_TURNING.findall(normalise(other)))
