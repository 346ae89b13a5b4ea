"""A softmax over sparse features on numpy: trained in seconds from the examples, read by a gather and a sum."""

import io
import itertools
import math
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from intents.examples import Example, data_folder, fingerprint, load_examples
from intents.features import Vocabulary, features
from intents.model import CATEGORIES, INTENTS, URGENCIES
from intents.normalise import normalise
from intents.rules import Verdict, judge

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.integer[Any]]

# Part of the cache key: raise it when the code below changes what is learned.
VERSION = "7"
_RARE = 3
_EPOCHS = 8
_BATCH = 48
_RATE = 0.5
_DECAY = 3e-6
_CAP = 3.0
_SEED = 20261122
# The intents as learned are less sure than they are right: probabilities are sharpened by this. Between what fits the
# examples among themselves, which are hard on purpose (0.9), and everyday messages (0.4); see docs/understanding.md.
_TEMPERATURE = 0.6

HEADS: dict[str, tuple[str, ...]] = {
    "intent": INTENTS,
    "repair": CATEGORIES["repair"],
    "complaint": CATEGORIES["complaint"],
    "urgency": URGENCIES,
    # Intent and urgency learned as one: a second opinion on urgency, which errs elsewhere than the first.
    "case": tuple(f"{intent} {urgency}" for intent in INTENTS for urgency in URGENCIES),
}
_ENDS = list(itertools.accumulate(map(len, HEADS.values())))
_SLICES = {head: slice(end - len(HEADS[head]), end) for head, end in zip(HEADS, _ENDS, strict=True)}


class Scores:
    """Probabilities by head: `intent`, `repair` and `complaint` (categories), `urgency`, `case` (intent and urgency).

    `known`: how many features of the text the model has met before.
    """

    __slots__ = ("_logits", "known")

    def __init__(self, logits: list[float], known: int) -> None:
        """`logits`: those of all heads, side by side."""
        self._logits = logits
        self.known = known

    @property
    def heads(self) -> dict[str, dict[str, float]]:
        """Every label with its probability."""
        return {head: dict(zip(HEADS[head], self.shares(head), strict=True)) for head in HEADS}

    def shares(self, head: str) -> list[float]:
        """The probabilities of a head, in the order of its labels."""
        own = self._logits[_SLICES[head]]
        most = max(own)
        powers = [math.exp(logit - most) for logit in own]
        total = sum(powers)
        return [power / total for power in powers]

    def urgencies(self) -> list[float]:
        """The probabilities of the urgencies: what the heads `urgency` and `case` say, halfway between."""
        cases = self.shares("case")
        return [(own + sum(cases[place :: len(URGENCIES)])) / 2 for place, own in enumerate(self.shares("urgency"))]

    def best(self, head: str) -> str:
        """The likeliest label of a head."""
        own = self._logits[_SLICES[head]]
        return HEADS[head][own.index(max(own))]


@dataclass(frozen=True)
class _Matrix:
    """Rows of features: those of row i are `columns[starts[i]:starts[i + 1]]`, worth the `values` beside them."""

    columns: Ints
    values: Floats
    starts: Ints

    def rows(self, chosen: Ints) -> tuple[Ints, Floats, Ints]:
        lengths = self.starts[chosen + 1] - self.starts[chosen]
        offsets = np.repeat(self.starts[chosen] - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
        places = np.arange(lengths.sum()) + offsets
        return self.columns[places], self.values[places], lengths


class Classifier:
    """Weights of all heads side by side, and the place of each feature in them."""

    def __init__(self, places: dict[str, int], worth: Floats, weights: Floats, bias: Floats) -> None:
        """`worth` is how telling a feature is; `weights` are already multiplied by it."""
        self._places = places
        self._vocabulary = Vocabulary(places)
        self._worth = worth
        self._weights = weights
        self._bias = bias
        self._square = worth**2

    def scores(self, normal: str, verdict: Verdict) -> Scores:
        """The probabilities for one normalised text and what the rules say of it."""
        return self.scores_of(self.text_places(normal), verdict)

    def text_places(self, normal: str) -> set[int]:
        """What the model knows of a normalised text."""
        return self._vocabulary.text_places(normal)

    def scores_of(self, text_places: set[int], verdict: Verdict) -> Scores:
        """`scores` where the places of the text are known already."""
        known = self._known(text_places, verdict)
        return Scores(self._logits(known).tolist(), known.size)

    def telling(self, normal: str, verdict: Verdict, head: str, label: str, count: int = 6) -> list[tuple[str, float]]:
        """For staff: the features of a text that speak most for a label, with what each adds to its score."""
        known = self._known(self.text_places(normal), verdict)
        if not known.size:
            return []
        column = _SLICES[head].start + HEADS[head].index(label)
        added = self._weights[known, column] / math.sqrt(float(self._square[known].sum()))
        names = list(self._places)
        best = sorted(zip(added.tolist(), known.tolist(), strict=True), reverse=True)[:count]
        return [(names[place], round(gain, 3)) for gain, place in best if gain > 0]

    def _known(self, text_places: set[int], verdict: Verdict) -> Ints:
        signals = self._vocabulary.signal_places(verdict)
        every = text_places.union(signals) if signals else text_places
        known = np.fromiter(every, np.intp, len(every))
        # Sorted, so that the sum is the same to the last bit whatever the order of a set.
        known.sort()
        return known

    def _logits(self, known: Ints) -> Floats:
        if not known.size:
            return self._bias
        length = math.sqrt(np.add.reduce(self._square.take(known)))
        total: Floats = np.add.reduce(self._weights.take(known, axis=0), axis=0)
        return total / length + self._bias

    def to_bytes(self, key: str) -> bytes:
        """The model for `from_bytes`. `key`: what data and code it is valid for (`model_key`)."""
        buffer = io.BytesIO()
        names = np.array("\n".join(self._places))
        weights = self._weights.astype(np.float16)
        np.savez(buffer, key=np.array(key), names=names, worth=self._worth, weights=weights, bias=self._bias)
        return buffer.getvalue()

    def save(self, file: Path, key: str) -> None:
        """Keeps the model beside its data; a folder that cannot be written costs only the next start its seconds."""
        try:
            partial = file.with_suffix(".part")
            partial.write_bytes(self.to_bytes(key))
            partial.replace(file)
        except OSError:
            return

    @classmethod
    def cached(cls, file: Path, key: str) -> "Classifier | None":
        """The saved model, where there is one for exactly this data and code."""
        try:
            return cls.from_bytes(file.read_bytes(), key)
        except OSError:
            return None

    @classmethod
    def from_bytes(cls, data: bytes, key: str) -> "Classifier | None":
        """The model that `to_bytes` gave for this key; None where it is of other data or code, or damaged."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as saved:
                if str(saved["key"]) != key:
                    return None
                names = str(saved["names"]).split("\n")
                places = {name: index for index, name in enumerate(names)}
                return cls(places, saved["worth"], saved["weights"].astype(np.float32), saved["bias"])
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
            return None


def model_key() -> str:
    """What the cached model is valid for: this data, read by this code."""
    names = [f"{intent}.toml" for intent in INTENTS]
    return fingerprint(*names, "lexicon.toml", "words.toml", "rules.toml", extra=VERSION)


def load_classifier() -> Classifier:
    """The model for the shipped examples: from the cache, else trained now. Raises ExampleError."""
    key = model_key()
    file = Path(str(data_folder())) / "model.npz"
    model = Classifier.cached(file, key)
    if model is None:
        model = train(load_examples())
        model.save(file, key)
        # Read back what was written: weights are kept in half precision, and both ways must agree to the last bit.
        model = Classifier.cached(file, key) or model
    return model


def train(examples: list[Example]) -> Classifier:
    """Learns all heads; the same examples give the same weights."""
    rows = [features(text, judge(text)) for text in (normalise(example.text) for example in examples)]
    places, worth = _vocabulary(rows)
    matrix = _matrix(rows, places, worth)
    parts = [_head(matrix, len(places), labels, chosen, head) for head, labels, chosen in _tasks(examples)]
    weights = np.concatenate([weights for weights, _ in parts], axis=1)
    bias = np.concatenate([bias for _, bias in parts])
    return Classifier(places, worth, (weights * worth[:, None]).astype(np.float16).astype(np.float32), bias)


def _vocabulary(rows: list[set[str]]) -> tuple[dict[str, int], Floats]:
    """The place of each feature that is not too rare, and its worth: common ones tell less."""
    counts = Counter(name for row in rows for name in row)
    kept = sorted(name for name, count in counts.items() if count >= _RARE and "\n" not in name)
    worth = [math.log(1 + len(rows) / counts[name]) ** 0.5 for name in kept]
    return {name: index for index, name in enumerate(kept)}, np.array(worth, np.float32)


def _matrix(rows: list[set[str]], places: dict[str, int], worth: Floats) -> _Matrix:
    by_row = [sorted(places[name] for name in row & places.keys()) or [0] for row in rows]
    starts = np.concatenate(([0], np.cumsum([len(row) for row in by_row]))).astype(np.int64)
    columns = np.array([place for row in by_row for place in row], np.int32)
    values = worth[columns]
    lengths = np.sqrt(np.add.reduceat(values**2, starts[:-1]))
    return _Matrix(columns, (values / np.repeat(lengths, np.diff(starts))).astype(np.float32), starts)


def _tasks(examples: list[Example]) -> Iterable[tuple[str, Ints, Ints]]:
    """For each head its name, the label numbers of its examples and their rows."""
    for head, names in HEADS.items():
        number = {name: index for index, name in enumerate(names)}
        values = [_label(example, head) for example in examples]
        rows = [row for row, value in enumerate(values) if value is not None]
        yield head, np.array([number[values[row] or ""] for row in rows], np.int64), np.array(rows, np.int64)


def _label(example: Example, head: str) -> str | None:
    if head in CATEGORIES:
        return example.category if example.intent == head else None
    if head == "case":
        return f"{example.intent} {example.urgency}"
    return example.intent if head == "intent" else example.urgency


def _head(matrix: _Matrix, width: int, labels: Ints, rows: Ints, head: str) -> tuple[Floats, Floats]:
    """The weights of one head, from a fixed random order of its rows."""
    learner = _Learner(width, labels, len(HEADS[head]))
    random = np.random.default_rng(_SEED)
    for _ in range(_EPOCHS if len(rows) else 0):
        order = random.permutation(len(rows))
        for begin in range(0, len(order), _BATCH):
            chosen = order[begin : begin + _BATCH]
            learner.step(matrix, rows[chosen], labels[chosen])
    scale = np.float32(1 / _TEMPERATURE if head == "intent" else 1)
    return learner.weights * scale, learner.bias * scale


class _Learner:
    """AdaGrad on the cross-entropy; rare classes weigh more, up to a cap."""

    def __init__(self, width: int, labels: Ints, classes: int) -> None:
        self.weights, self.bias = np.zeros((width, classes), np.float32), np.zeros(classes, np.float32)
        self._seen, self._seen_bias = np.full_like(self.weights, 1e-4), np.full_like(self.bias, 1e-4)
        counts = np.bincount(labels, minlength=classes).astype(np.float32)
        even = counts.sum() / max(1, np.count_nonzero(counts))
        self._importance = np.clip(np.sqrt(even / np.maximum(counts, 1)), 1 / _CAP, _CAP).astype(np.float32)

    def step(self, matrix: _Matrix, rows: Ints, labels: Ints) -> None:
        """One move down the slope of these rows."""
        columns, values, lengths = matrix.rows(rows)
        error = self._error(columns, values, lengths, labels)
        order = np.argsort(columns, kind="stable")
        ordered = columns.take(order)
        firsts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        unique = ordered.take(firsts)
        owners = np.repeat(np.arange(len(rows)), lengths).take(order)
        spread = error.take(owners, axis=0)
        spread *= values.take(order)[:, None]
        weights = self.weights.take(unique, axis=0)
        slope = np.add.reduceat(spread, firsts, axis=0) + _DECAY * weights
        seen = self._seen.take(unique, axis=0) + slope**2
        self._seen[unique] = seen
        self.weights[unique] = weights - _RATE * slope / np.sqrt(seen)
        self._move_bias(error.sum(axis=0))

    def _error(self, columns: Ints, values: Floats, lengths: Ints, labels: Ints) -> Floats:
        begins = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        worth = self.weights.take(columns, axis=0)
        worth *= values[:, None]
        error = _softmax(np.add.reduceat(worth, begins, axis=0) + self.bias)
        error[np.arange(len(labels)), labels] -= 1
        error *= self._importance[labels][:, None] / len(labels)
        return error

    def _move_bias(self, slope: Floats) -> None:
        self._seen_bias += slope**2
        self.bias -= _RATE * slope / np.sqrt(self._seen_bias)


def _softmax(logits: Floats) -> Floats:
    powers: Floats = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return shares
