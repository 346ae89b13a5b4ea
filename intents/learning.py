"""Trains a model from the shipped examples and those that staff have added, and holds it against the one in use.

Plain functions over plain values, so that another process can run them: `train_and_compare` keeps a core busy for
seconds.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from intents.classifier import Classifier, load_classifier, model_key, train
from intents.corrections import key
from intents.evaluate import Comparison, compare
from intents.examples import Example, load_examples
from intents.locked import locked_dangers, locked_messages
from intents.model import Reading
from intents.reader import Reader

FALSE_ALARMS = 2
"""So many more look-alikes of danger may be taken for one than before."""
_SHOWN = 20
_NOW = datetime(2026, 11, 22, 10)  # noqa: DTZ001 - local time of the community, by contract


class Learned(msgspec.Struct, frozen=True):
    """An example that came from staff. `weight`: as many times it counts."""

    text: str
    intent: str
    category: str | None
    urgency: str
    weight: int = 2

    def example(self) -> Example:
        return Example(self.text, self.intent, self.category, self.urgency)


class Figures(msgspec.Struct, frozen=True):
    """How well a model reads the locked set. Shares from 0 to 1; dangers and look-alikes counted."""

    intent: float
    macro_f1: float
    category: float
    recall: float
    precision: float
    dangers: int
    false_alarms: int


class Reason(msgspec.Struct, frozen=True):
    """Why a model may not go live: what is worse (`missed`, `false_alarms`, or a figure), before and after."""

    what: str
    was: float
    becomes: float


class Flip(msgspec.Struct, frozen=True):
    """A locked message that the new model reads differently. `better`: as labelled only now; `worse`: only before."""

    text: str
    was: str
    becomes: str
    better: bool = False
    worse: bool = False


class Report(msgspec.Struct, frozen=True):
    """A new model beside the old one.

    `missed`: dangers that only the old one finds. `taught`: examples of staff; `known_before`, `known_now`: how many of
    them each model reads as they are labelled, without looking corrections up.
    """

    old: Figures
    new: Figures
    against: tuple[Reason, ...]
    missed: tuple[str, ...]
    flips: tuple[Flip, ...]
    taught: int
    known_before: int
    known_now: int
    seconds: float

    @property
    def may_replace(self) -> bool:
        """Whether the new model may go live."""
        return not self.against


class Trained(msgspec.Struct, frozen=True):
    """A model as bytes (`Classifier.from_bytes` with `key`), and how it compares."""

    model: bytes
    key: str
    report: Report


def train_and_compare(learned: Sequence[Learned], live: bytes | None) -> Trained:
    """A model of all examples. `live`: the one in use; None, or one of an older version: that of the shipped examples.

    The same examples in the same order give the same bytes. Raises ExampleError.
    """
    begun = time.monotonic()
    stamp = model_key()
    data = train(examples_with(learned)).to_bytes(stamp)
    new = Classifier.from_bytes(data, stamp)
    old = Classifier.from_bytes(live, stamp) if live else None
    assert new is not None
    report = _report(learned, Reader(old or load_classifier()), Reader(new))
    return Trained(data, stamp, msgspec.structs.replace(report, seconds=round(time.monotonic() - begun, 1)))


def examples_with(learned: Sequence[Learned]) -> list[Example]:
    """The shipped examples and these; where both have the same words, staff have the last word."""
    taught = {key(one.text) for one in learned}
    shipped = [example for example in load_examples() if not taught or key(example.text) not in taught]
    return shipped + [one.example() for one in learned for _ in range(one.weight)]


def _report(learned: Sequence[Learned], old: Reader, new: Reader) -> Report:
    rows = locked_messages()
    compared = compare(rows, old, new, _NOW)
    before, after = _figures(compared.old, old), _figures(compared.new, new)
    missed = compared.missed + _missed(old, new)
    return Report(
        old=before,
        new=after,
        against=tuple(_against(compared, missed, before, after)),
        missed=missed[:_SHOWN],
        flips=_flips(rows, old, new),
        taught=len(learned),
        known_before=sum(_knows(old, one) for one in learned),
        known_now=sum(_knows(new, one) for one in learned),
        seconds=0,
    )


def _against(compared: Comparison, missed: Sequence[str], before: Figures, after: Figures) -> list[Reason]:
    reasons = [Reason("missed", 0, len(missed))] if missed else []
    reasons += [Reason(*fallen) for fallen in compared.fallen]
    if after.false_alarms > before.false_alarms + FALSE_ALARMS:
        reasons.append(Reason("false_alarms", before.false_alarms, after.false_alarms))
    return reasons


def _figures(found: dict[str, Any], reader: Reader) -> Figures:
    dangers = locked_dangers()
    return Figures(
        intent=found["intent"] or 0,
        macro_f1=found["macro_f1"],
        category=found["category"]["intent_right"] or 0,
        recall=found["emergency"]["recall"],
        precision=found["emergency"]["precision"],
        dangers=sum(_raised(reader, text) for text in dangers.must),
        false_alarms=sum(_raised(reader, text) for text in dangers.must_not),
    )


def _missed(old: Reader, new: Reader) -> tuple[str, ...]:
    return tuple(text for text in locked_dangers().must if _raised(old, text) and not _raised(new, text))


def _raised(reader: Reader, text: str) -> bool:
    return reader.read(text, _NOW).urgency == "emergency"


def _knows(reader: Reader, one: Learned) -> bool:
    return _labels(reader.read(one.text, _NOW)) == _joined(one.intent, one.category, one.urgency)


def _flips(rows: Sequence[dict[str, Any]], old: Reader, new: Reader) -> tuple[Flip, ...]:
    found = []
    for row in rows:
        before, after = old.read(row["text"], _NOW), new.read(row["text"], _NOW)
        was, becomes = _labels(before), _labels(after)
        if was != becomes:
            right = _joined(row["intent"], row.get("category"), row.get("urgency", "normal"))
            found.append(Flip(row["text"], was, becomes, becomes == right, was == right))
    return tuple(sorted(found, key=lambda flip: (not flip.worse, flip.better))[:_SHOWN])


def _labels(reading: Reading) -> str:
    return _joined(reading.intent, reading.category, reading.urgency)


def _joined(intent: str, category: str | None, urgency: str) -> str:
    return "/".join((intent, category or "", urgency))
