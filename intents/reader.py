"""Reads a message: intent, category, urgency, slots, flags. Pure; the clock and the communities come as arguments."""

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from intents.classifier import Classifier, Scores, load_classifier
from intents.model import CATEGORIES, Alternative, Reading, Request, Slots
from intents.normalise import clean, language, normalise
from intents.rules import NOTHING, Verdict, judge
from intents.slots import Found, read_slots, with_community
from intents.split import stretches
from intents.times import TimePhrase, wished_phrase

_REMEMBERED = 4096
_NO_COMMUNITIES: Mapping[str, str] = {}

# Learned danger from which a message is an emergency: where a rule speaks, where none does, where a rule is held back
# by a look-alike rule. Chosen by cross-validation over the examples (python -m intents.evaluate --folds).
_RAISED, _PLAIN, _GUARDED = 0.15, 0.25, 0.30
# The same for the loss of a basic service.
_LOST_BY_RULE, _LOST = 0.10, 0.30
# From here on a person is told and the resident asked once, although it may be nothing.
_DOUBTFUL = 0.08
# Below both, the best intent is as good as a guess.
_LEAST, _LEAST_GAP = 0.34, 0.10
# A stretch of a message is a request of its own from here on.
_OWN_REQUEST = 0.45
_ONLY_WHERE = re.compile(
    r"(?:号楼|栋|幢|座|单元|室|房|号|楼|层|之|[东南西北中]区|期|[a-h\dt一二三四五六七八九十零幺〇两第#\-–—/_,，.。 +()]"
    r"|flat|tower|block|room|unit|building)+"
)
_NO_VISIT = frozenset({"faq", "praise", "smalltalk", "suggestion", "other", "payment"})
_NO_REQUEST = frozenset({"smalltalk", "other"})


@dataclass(frozen=True)
class _Gist:
    """What one text says whatever the clock: all but the time resolved and the community."""

    text: str
    intent: str
    confidence: float
    category: str | None
    urgency: str
    danger: str | None
    ranked: tuple[tuple[str, float], ...]
    found: Found
    phrase: TimePhrase | None
    flags: frozenset[str]
    explanation: tuple[str, ...]


@dataclass(frozen=True)
class _Whole:
    """A message with the requests in it, still without clock and communities."""

    gist: _Gist
    parts: tuple[_Gist, ...]
    lang: str


class Reader:
    """Holds the trained model and remembers texts seen, since residents repeat themselves and each other."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._seen: OrderedDict[str, _Whole] = OrderedDict()

    @classmethod
    def load(cls) -> "Reader":
        """The reader over the shipped data; trains in seconds where no model is cached. Raises ExampleError."""
        return cls(load_classifier())

    def read(self, text: str, now: datetime, communities: Mapping[str, str] = _NO_COMMUNITIES) -> Reading:
        """What `text` says. `now` is the community's local time; `communities` maps alias to canonical name."""
        whole = self._whole(clean(text))
        slots = _timed(whole.gist, now, communities)
        requests = tuple(_request(part, now, communities) for part in whole.parts)
        if len(requests) == 1:
            requests = (msgspec.structs.replace(requests[0], slots=slots),)
        return _reading(whole, slots, requests)

    def read_all(
        self, texts: Iterable[str], now: datetime, communities: Mapping[str, str] = _NO_COMMUNITIES
    ) -> list[Reading]:
        """`read` for many texts, in order."""
        return [self.read(text, now, communities) for text in texts]

    def _whole(self, text: str) -> _Whole:
        known = self._seen.get(text)
        if known is not None:
            self._seen.move_to_end(text)
            return known
        gist = self._gist(text)
        whole = _Whole(gist, self._parts(text, gist), language(text))
        self._seen[text] = whole
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return whole

    def _gist(self, text: str) -> _Gist:
        normal = normalise(text)
        verdict = judge(normal)
        scores = self._classifier.scores(normal, verdict)
        found = read_slots(text)
        ranked = _ranked(scores, verdict, text, found)
        intent, confidence = ranked[0]
        urgency, why = _urgency(scores, verdict)
        return _Gist(
            text=text,
            intent=intent,
            confidence=confidence,
            category=_category(scores, intent),
            urgency=urgency,
            danger=(verdict.danger or "other") if urgency == "emergency" else None,
            ranked=ranked,
            found=found,
            phrase=_visit(found, intent, urgency),
            flags=verdict.flags | _doubt(scores, urgency),
            explanation=why,
        )

    def _parts(self, text: str, gist: _Gist) -> tuple[_Gist, ...]:
        """The requests in a message, the one that gives the message its intent first."""
        pieces = stretches(text)
        if len(pieces) == 1 or gist.intent in _NO_REQUEST:
            return (gist,)
        parts: list[_Gist] = []
        for piece in pieces:
            if not self._may_ask(piece):
                continue
            part = self._gist(piece)
            if part.intent in _NO_REQUEST or part.confidence < _OWN_REQUEST:
                continue
            if not any(part.intent == other.intent and part.category == other.category for other in parts):
                parts.append(part)
        return _main_first(gist, parts)

    def _may_ask(self, piece: str) -> bool:
        """A cheaper look, without rules and slots, at whether a stretch asks for anything of its own."""
        heads = self._classifier.scores(normalise(piece), NOTHING).heads["intent"]
        intent = max(heads, key=heads.__getitem__)
        return intent not in _NO_REQUEST and heads[intent] >= _OWN_REQUEST - 0.1


def _main_first(gist: _Gist, parts: list[_Gist]) -> tuple[_Gist, ...]:
    same = [part for part in parts if part.intent == gist.intent]
    others = [part for part in parts if part.intent != gist.intent]
    if not others and len(same) < 2:
        return (gist,)
    main = same[:1] or [gist]
    return (*main, *same[1:], *others)


def _ranked(scores: Scores, verdict: Verdict, text: str, found: Found) -> tuple[tuple[str, float], ...]:
    heads = dict(scores.heads["intent"])
    # The length alone is always known.
    meaningless = scores.known <= 1 or _says_only_where(text, found)
    certain = verdict.whole or ("other" if meaningless else None)
    if certain:
        heads = {name: value * 0.02 for name, value in heads.items()} | {certain: 0.98}
        total = sum(heads.values())
        heads = {name: value / total for name, value in heads.items()}
    return tuple(sorted(heads.items(), key=lambda item: -item[1]))


def _says_only_where(text: str, found: Found) -> bool:
    """A bare home or phone asks for nothing."""
    slots = found.slots
    if not (slots.room or slots.building or slots.phone) or len(text) > 24:
        return False
    return _ONLY_WHERE.fullmatch(normalise(text)) is not None


def _category(scores: Scores, intent: str) -> str | None:
    return scores.best(intent) if intent in CATEGORIES else None


def _urgency(scores: Scores, verdict: Verdict) -> tuple[str, tuple[str, ...]]:
    learned = scores.heads["urgency"]
    danger = learned["emergency"]
    least = _RAISED if verdict.raised else _GUARDED if verdict.danger else _PLAIN
    why = (
        f"danger {danger:.2f} against {least:.2f}",
        f"rule {verdict.danger or '-'} guards {'+'.join(verdict.guards) or '-'}",
    )
    if danger >= least:
        return "emergency", why
    if learned["urgent"] >= (_LOST_BY_RULE if verdict.urgent else _LOST):
        return "urgent", why
    return "normal", why


def _doubt(scores: Scores, urgency: str) -> frozenset[str]:
    doubtful = urgency != "emergency" and scores.heads["urgency"]["emergency"] >= _DOUBTFUL
    return frozenset({"doubtful_danger"} if doubtful else ())


def _visit(found: Found, intent: str, urgency: str) -> TimePhrase | None:
    phrase = wished_phrase(list(found.phrases))
    if phrase is None or urgency == "emergency":
        return None
    if intent in _NO_VISIT:
        return phrase if phrase.alone else None
    return phrase if phrase.sure or intent != "complaint" else None


def _timed(gist: _Gist, now: datetime, communities: Mapping[str, str]) -> Slots:
    slots = with_community(gist.found.slots, gist.text, communities)
    return msgspec.structs.replace(slots, time=gist.phrase.resolve(now)) if gist.phrase else slots


def _request(part: _Gist, now: datetime, communities: Mapping[str, str]) -> Request:
    return Request(part.intent, part.text, part.category, part.urgency, _timed(part, now, communities))


def _reading(whole: _Whole, slots: Slots, requests: tuple[Request, ...]) -> Reading:
    gist = whole.gist
    others = tuple(Alternative(name, value) for name, value in gist.ranked[1:4] if value >= 0.005)
    gap = gist.ranked[0][1] - gist.ranked[1][1]
    return Reading(
        intent=gist.intent,
        confidence=gist.confidence,
        category=gist.category,
        urgency=gist.urgency,
        lang=whole.lang,
        slots=slots,
        alternatives=others,
        requests=requests,
        gap=gap,
        flags=gist.flags,
        emergency=gist.danger,
        explanation=gist.explanation,
    )


def is_unsure(reading: Reading) -> bool:
    """Whether the best intent is too weak or too close to the next to act on it without asking."""
    return reading.confidence < _LEAST or (reading.confidence < 0.8 and reading.gap < _LEAST_GAP)
