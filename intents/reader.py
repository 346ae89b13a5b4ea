"""Reads a message: intent, category, urgency, slots, flags. Pure; the clock and the communities come as arguments."""

import functools
import itertools
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter

import msgspec

from intents.classifier import HEADS, Classifier, Scores, load_classifier
from intents.corrections import Corrections, Match
from intents.examples import load_examples
from intents.model import CATEGORIES, Alternative, Reading, Request, Slots
from intents.nearest import Near, Nearest
from intents.normalise import clean, language, normalise
from intents.rules import NOTHING, Verdict, judge, spoken_words
from intents.slots import Found, named_community, read_slots, with_community
from intents.split import stretches
from intents.times import TimePhrase, wished_phrase

# Texts remembered: about 2 kB each for messages of 30 signs, so 8 MB when full.
_REMEMBERED = 4096
# Texts scored at once: more gains little and keeps an event loop waiting.
_AT_ONCE = 64
_NO_COMMUNITIES: Mapping[str, str] = {}

# Learned danger from which a message is an emergency: where a rule speaks, where none does, where a look-alike rule
# holds a rule back, and where that is one of a danger only thought of. Chosen by cross-validation over the examples
# (python -m intents.evaluate --folds): the last tenth of recall is bought with precision, and below a quarter every
# short report of a smell or a leak becomes an alarm.
_RAISED, _PLAIN, _GUARDED, _IMAGINED = 0.25, 0.25, 0.30, 0.50
# Where words are enough, whatever was learned.
_NEVER_WEIGHED = frozenset({"self_harm"})
_THOUGHT_OF = frozenset({"suppose", "drill"})
# The same for the loss of a basic service.
_LOST_BY_RULE, _LOST = 0.10, 0.30
# From here on a person is told and the resident asked once, although it may be nothing.
_DOUBTFUL = 0.15
# Below both, the best intent is as good as a guess.
_LEAST, _LEAST_GAP = 0.34, 0.10
# A stretch of a message is a request of its own from here on.
_OWN_REQUEST = 0.45
_ONLY_WHERE = re.compile(
    r"(?:号楼|栋|幢|座|单元|室|房|号|楼|层|之|[东南西北中]区|期|[a-h\dt一二三四五六七八九十零幺〇两第#\-–—/_,，.。 +()]"
    r"|我们?|咱们?|俺们?|家|住|在|是|的|业主|flat|tower|block|room|unit|building)+"
)
_NO_VISIT = frozenset({"faq", "praise", "smalltalk", "suggestion", "other", "payment"})
_DOUBT = frozenset({"doubtful_danger"})
# The best intent and its alternatives.
_RANKED = 4
_NO_REQUEST = frozenset({"smalltalk", "other"})
# How sure a reading is that staff have corrected: for the same words, and for nearly the same.
_TOLD, _NEARLY_TOLD = 0.99, 0.90


class _Look(msgspec.Struct, frozen=True):
    """A text normalised, judged by the rules and ready for the classifier."""

    text: str
    normal: str
    verdict: Verdict
    places: set[int]


class _Gist(msgspec.Struct, frozen=True):
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


class _Whole(msgspec.Struct, frozen=True):
    """A message with the requests in it, still without clock and communities.

    `timeless` is its reading where no community is named, if it names no time either.
    """

    gist: _Gist
    parts: tuple[_Gist, ...]
    lang: str
    timeless: Reading | None


class Explanation(msgspec.Struct, frozen=True):
    """Why a message was read as it was.

    `rules`: name of each rule that spoke and the words it was found by. `words`, `danger_words`: what speaks most for
    the intent, and for danger, with what it adds; a name in angle brackets is a concept of the lexicon. `danger`: the
    learned probability of danger. `nearest`: the likest examples. `reading`: as it is read now; `alone`: the intent
    that the model gives by itself, and how sure it is; `corrected`: what staff said of these words.
    """

    reading: Reading
    alone: tuple[str, float]
    corrected: Match | None
    rules: tuple[tuple[str, str], ...]
    words: tuple[tuple[str, float], ...]
    danger: float
    danger_words: tuple[tuple[str, float], ...]
    nearest: tuple[Near, ...]


@functools.cache
def _shipped() -> Nearest:
    return Nearest(load_examples())


class Reader:
    """Holds the trained model and remembers texts seen, since residents repeat themselves and each other."""

    def __init__(self, classifier: Classifier, corrections: Corrections | None = None) -> None:
        self._classifier = classifier
        self._corrections = corrections or Corrections()
        self._seen: OrderedDict[str, _Whole] = OrderedDict()
        self._reads = 0
        self._hits = 0

    @classmethod
    def load(cls) -> "Reader":
        """The reader over the shipped data; trains in seconds where no model is cached. Raises ExampleError."""
        return cls(load_classifier())

    def with_corrections(self, corrections: Corrections) -> "Reader":
        """The same model with other corrections of staff."""
        return Reader(self._classifier, corrections)

    def read(self, text: str, now: datetime, communities: Mapping[str, str] = _NO_COMMUNITIES) -> Reading:
        """What `text` says. `now` is the community's local time; `communities` maps alias to canonical name."""
        return _resolved(self._remembered(text) or self._learn(clean(text)), now, communities)

    def read_all(
        self, texts: Iterable[str], now: datetime, communities: Mapping[str, str] = _NO_COMMUNITIES
    ) -> list[Reading]:
        """`read` for many texts, in order, cheaper than one by one."""
        waiting = iter(texts)
        readings: list[Reading] = []
        while some := list(itertools.islice(waiting, _AT_ONCE)):
            wholes = self._wholes(some)
            readings += [_resolved(whole, now, communities) for whole in wholes]
        return readings

    def explain(self, text: str, now: datetime, communities: Mapping[str, str] = _NO_COMMUNITIES) -> Explanation:
        """What decided, for staff: costs far more than reading, and the first call builds the index of examples.

        It remembers nothing, so that a thread of its own may ask while others read.
        """
        look = self._look(clean(text))
        scores = self._classifier.scores_of(look.places, look.verdict)
        gist = _gist(look, scores)
        reading = _resolved(self._read_anew(look, gist), now, communities)
        return Explanation(
            reading=reading,
            alone=gist.ranked[0],
            corrected=self._corrections.find(look.text) if look.verdict.whole is None else None,
            rules=tuple(spoken_words(look.normal)),
            words=tuple(self._classifier.telling(look.normal, look.verdict, "intent", gist.intent)),
            danger=scores.urgencies()[2],
            danger_words=tuple(self._classifier.telling(look.normal, look.verdict, "urgency", "emergency")),
            nearest=tuple(_shipped().find(text)),
        )

    def cache_share(self) -> float:
        """Which share of the texts read since the start was remembered from an earlier one."""
        return self._hits / self._reads if self._reads else 0.0

    def _remembered(self, text: str) -> _Whole | None:
        self._reads += 1
        known = self._seen.get(text)
        if known is not None:
            self._hits += 1
            self._seen.move_to_end(text)
        return known

    def _wholes(self, texts: list[str]) -> list[_Whole]:
        known = [self._remembered(text) for text in texts]
        new = dict.fromkeys(clean(text) for text, whole in zip(texts, known, strict=True) if whole is None)
        looks = [self._look(text) for text in new]
        scores = [self._classifier.scores_of(look.places, look.verdict) for look in looks]
        learned = {look.text: self._keep(look, _gist(look, own)) for look, own in zip(looks, scores, strict=True)}
        return [whole or learned[clean(text)] for text, whole in zip(texts, known, strict=True)]

    def _learn(self, text: str) -> _Whole:
        look = self._look(text)
        return self._keep(look, _gist(look, self._classifier.scores_of(look.places, look.verdict)))

    def _keep(self, look: _Look, gist: _Gist) -> _Whole:
        whole = self._seen[look.text] = self._read_anew(look, gist)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return whole

    def _read_anew(self, look: _Look, gist: _Gist) -> _Whole:
        """The gist with what staff said of these words, and the requests in it."""
        found = self._corrections.find(look.text) if look.verdict.whole is None else None
        if found is None:
            return _whole(gist, self._parts(look.text, gist), language(look.text))
        told = _told(gist, look.verdict, found)
        parts = [part for part in self._parts(look.text, told) if part.intent not in {told.intent, gist.intent}]
        return _whole(told, (told, *parts), language(look.text))

    def _look(self, text: str) -> _Look:
        normal = normalise(text)
        return _Look(text, normal, judge(normal), self._classifier.text_places(normal))

    def _gist(self, text: str, normal: str, places: set[int]) -> _Gist:
        look = _Look(text, normal, judge(normal), places)
        return _gist(look, self._classifier.scores_of(look.places, look.verdict))

    def _parts(self, text: str, gist: _Gist) -> tuple[_Gist, ...]:
        """The requests in a message, the one that gives the message its intent first."""
        if gist.intent in _NO_REQUEST:
            return (gist,)
        pieces = stretches(text)
        if len(pieces) == 1:
            return (gist,)
        parts: list[_Gist] = []
        for piece in pieces:
            normal = normalise(piece)
            places = self._classifier.text_places(normal)
            if not self._may_ask(places):
                continue
            part = self._gist(piece, normal, places)
            if part.intent in _NO_REQUEST or part.confidence < _OWN_REQUEST:
                continue
            if not any(part.intent == other.intent and part.category == other.category for other in parts):
                parts.append(part)
        return _main_first(gist, parts)

    def _may_ask(self, places: set[int]) -> bool:
        """A cheaper look, without rules and slots, at whether a stretch asks for anything of its own."""
        shares = self._classifier.scores_of(places, NOTHING).shares("intent")
        likeliest = max(shares)
        return likeliest >= _OWN_REQUEST - 0.1 and HEADS["intent"][shares.index(likeliest)] not in _NO_REQUEST


def _gist(look: _Look, scores: Scores) -> _Gist:
    text, verdict = look.text, look.verdict
    found = read_slots(text)
    ranked = _ranked(scores, look, found)
    intent, confidence = ranked[0]
    urgencies = scores.urgencies()
    urgency, why = _urgency(urgencies, verdict)
    return _Gist(
        text=text,
        intent=intent,
        confidence=confidence,
        category=_category(scores, intent),
        urgency=urgency,
        danger=(verdict.danger or "other") if urgency == "emergency" else None,
        ranked=ranked,
        found=found,
        phrase=_visit(found, intent, urgency) if found.phrases else None,
        flags=verdict.flags | _doubt(urgencies, urgency),
        explanation=why,
    )


def _told(gist: _Gist, verdict: Verdict, found: Match) -> _Gist:
    """The gist with the labels that staff gave to these words."""
    correction = found.correction
    sure = _TOLD if found.exact else _NEARLY_TOLD
    others = [(name, share) for name, share in gist.ranked if name != correction.intent]
    total = sum(share for _, share in others) or 1.0
    urgency, flags = _told_urgency(gist, verdict, found)
    return msgspec.structs.replace(
        gist,
        intent=correction.intent,
        confidence=sure,
        category=correction.category,
        urgency=urgency,
        danger=(gist.danger or verdict.danger or "other") if urgency == "emergency" else None,
        ranked=((correction.intent, sure), *((name, share / total * (1 - sure)) for name, share in others)),
        phrase=_visit(gist.found, correction.intent, urgency) if gist.found.phrases else None,
        flags=flags,
        explanation=(*gist.explanation, "told by staff" if found.exact else "told by staff of nearly the same words"),
    )


def _told_urgency(gist: _Gist, verdict: Verdict, found: Match) -> tuple[str, frozenset[str]]:
    """Danger that a rule sees stays; what the model sees is taken back only for the same words, and once approved."""
    wanted = found.correction.urgency
    may_lower = found.exact and found.correction.approved and not verdict.raised
    if gist.urgency == "emergency" and wanted != "emergency" and not may_lower:
        return gist.urgency, gist.flags
    return wanted, gist.flags - _DOUBT if may_lower or wanted == "emergency" else gist.flags


def _main_first(gist: _Gist, parts: list[_Gist]) -> tuple[_Gist, ...]:
    same = [part for part in parts if part.intent == gist.intent]
    others = [part for part in parts if part.intent != gist.intent]
    if not others and len(same) < 2:
        return (gist,)
    main = same[:1] or [gist]
    return (*main, *same[1:], *others)


def _ranked(scores: Scores, look: _Look, found: Found) -> tuple[tuple[str, float], ...]:
    shares = scores.shares("intent")
    # The length alone is always known.
    meaningless = scores.known <= 1 or _says_only_where(look, found)
    if certain := look.verdict.whole or ("other" if meaningless else None):
        raised = HEADS["intent"].index(certain)
        shares = [0.98 if place == raised else share * 0.02 for place, share in enumerate(shares)]
        total = sum(shares)
        shares = [share / total for share in shares]
    return tuple(sorted(zip(HEADS["intent"], shares, strict=True), key=itemgetter(1), reverse=True)[:_RANKED])


def _says_only_where(look: _Look, found: Found) -> bool:
    """A bare home or phone asks for nothing."""
    slots = found.slots
    if not (slots.room or slots.building or slots.phone) or len(look.text) > 24:
        return False
    return _ONLY_WHERE.fullmatch(look.normal) is not None


def _category(scores: Scores, intent: str) -> str | None:
    return scores.best(intent) if intent in CATEGORIES else None


def _urgency(urgencies: list[float], verdict: Verdict) -> tuple[str, tuple[str, ...]]:
    _, lost, danger = urgencies
    least = _least_danger(verdict)
    why = (
        f"danger {danger:.2f} against {least:.2f}",
        f"rule {verdict.danger or '-'} guards {'+'.join(verdict.guards) or '-'}",
    )
    if danger >= least:
        return "emergency", why
    if lost >= (_LOST_BY_RULE if verdict.urgent else _LOST):
        return "urgent", why
    return "normal", why


def _least_danger(verdict: Verdict) -> float:
    if verdict.danger is None:
        return _PLAIN
    if verdict.raised:
        return 0 if verdict.danger in _NEVER_WEIGHED else _RAISED
    return _GUARDED if _THOUGHT_OF.isdisjoint(verdict.guards) else _IMAGINED


def _doubt(urgencies: list[float], urgency: str) -> frozenset[str]:
    doubtful = urgency != "emergency" and urgencies[2] >= _DOUBTFUL
    return _DOUBT if doubtful else frozenset()


def _visit(found: Found, intent: str, urgency: str) -> TimePhrase | None:
    phrase = wished_phrase(list(found.phrases))
    if phrase is None or urgency == "emergency":
        return None
    if intent in _NO_VISIT:
        return phrase if phrase.alone else None
    return phrase if phrase.sure or intent != "complaint" else None


def _whole(gist: _Gist, parts: tuple[_Gist, ...], lang: str) -> _Whole:
    plain = _Whole(gist, parts, lang, None)
    if any(part.phrase for part in (gist, *parts)):
        return plain
    return _Whole(gist, parts, lang, _reading(plain, None, _NO_COMMUNITIES))


def _resolved(whole: _Whole, now: datetime, communities: Mapping[str, str]) -> Reading:
    if whole.timeless is not None and named_community(whole.gist.found.folded, communities) is None:
        return whole.timeless
    return _reading(whole, now, communities)


def _reading(whole: _Whole, now: datetime | None, communities: Mapping[str, str]) -> Reading:
    gist = whole.gist
    slots = _timed(gist, now, communities)
    if len(whole.parts) == 1:
        requests: tuple[Request, ...] = (_request(whole.parts[0], slots),)
    else:
        requests = tuple(_request(part, _timed(part, now, communities)) for part in whole.parts)
    return Reading(
        intent=gist.intent,
        confidence=gist.confidence,
        category=gist.category,
        urgency=gist.urgency,
        lang=whole.lang,
        slots=slots,
        alternatives=tuple([Alternative(name, share) for name, share in gist.ranked[1:] if share >= 0.005]),
        requests=requests,
        gap=gist.ranked[0][1] - gist.ranked[1][1],
        flags=gist.flags,
        emergency=gist.danger,
        explanation=gist.explanation,
    )


def _timed(gist: _Gist, now: datetime | None, communities: Mapping[str, str]) -> Slots:
    slots = with_community(gist.found.slots, gist.found.folded, communities)
    if gist.phrase is None or now is None:
        return slots
    return msgspec.structs.replace(slots, time=gist.phrase.resolve(now))


def _request(part: _Gist, slots: Slots) -> Request:
    return Request(part.intent, part.text, part.category, part.urgency, slots)


def is_unsure(reading: Reading) -> bool:
    """Whether the best intent is too weak or too close to the next to act on it without asking."""
    return reading.confidence < _LEAST or (reading.confidence < 0.8 and reading.gap < _LEAST_GAP)
