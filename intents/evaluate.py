"""How well messages are read: figures over any labelled jsonl file, and cross-validation over the own examples.

`python -m intents.evaluate FILE` prints the figures as JSON; without a FILE those of a cross-validation.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from intents.classifier import train
from intents.examples import Example, load_examples
from intents.model import CATEGORIES, INTENTS, Reading
from intents.normalise import language
from intents.reader import Reader

Row = Mapping[str, Any]
Pair = tuple[Row, Reading]
SLOTS = ("building", "unit", "room", "phone", "time")
_STRETCHES = 10
_FOLDS = 4
_NOW = datetime(2026, 11, 22, 10)  # noqa: DTZ001 - local time of the community, by contract


# By how much a figure may fall when a model is replaced; recall of dangers not at all.
_MAY_DROP = {"emergency.recall": 0.0, "emergency.precision": 0.03, "intent": 0.005, "macro_f1": 0.01}


def evaluate(rows: Iterable[Row], reader: Reader, now: datetime = _NOW) -> dict[str, Any]:
    """Figures for rows with `text`, `intent` and, where known, `also_ok`, `category`, `urgency`, `slots`, `lang`."""
    pairs = [(row, reader.read(row["text"], now)) for row in rows]
    return _figures(pairs) | {"slots": _slots(pairs), "lang": _language(pairs)}


def _figures(pairs: Sequence[Pair]) -> dict[str, Any]:
    return {
        "messages": len(pairs),
        "intent": _share(_is_right(pair) for pair in pairs),
        "intent_strict": _share(row["intent"] == reading.intent for row, reading in pairs),
        "macro_f1": _macro_f1(pairs),
        "category": _category(pairs),
        "emergency": _hits_of(pairs, lambda row, r: (row.get("urgency") == "emergency", r.urgency == "emergency")),
        "urgent": _hits_of(pairs, lambda row, r: (row.get("urgency") == "urgent", r.urgency == "urgent")),
        "out_of_scope": _hits_of(pairs, lambda row, r: (row["intent"] == "other", r.intent == "other")),
        "calibration_error": _calibration_error(pairs),
        "by_language": _by_language(pairs),
        "confusions": _confusions(pairs),
        "category_confusions": _category_confusions(pairs),
    }


def _hits_of(pairs: Sequence[Pair], judged: Callable[[Row, Reading], tuple[bool, bool]]) -> dict[str, float]:
    """`judged` says of a row and its reading whether the thing was wanted, and whether it was given."""
    both = [judged(row, reading) for row, reading in pairs]
    return _hits([wanted for wanted, _ in both], [given for _, given in both])


def _calibration_error(pairs: Sequence[Pair]) -> float:
    """How far confidence and the share of right intents lie apart, over ten equal stretches of confidence."""
    stretches: dict[int, list[Pair]] = {}
    for pair in pairs:
        stretches.setdefault(min(int(pair[1].confidence * _STRETCHES), _STRETCHES - 1), []).append(pair)
    apart = (abs(sum(reading.confidence - _is_right((row, reading)) for row, reading in s)) for s in stretches.values())
    return round(sum(apart) / max(1, len(pairs)), 4)


def _share(values: Iterable[bool]) -> float | None:
    found = list(values)
    return round(sum(found) / len(found), 4) if found else None


def _is_right(pair: Pair) -> bool:
    row, reading = pair
    loose = row.get("urgency") == "emergency" and reading.urgency == "emergency"
    return reading.intent == row["intent"] or reading.intent in row.get("also_ok", ()) or loose


def _macro_f1(pairs: Sequence[Pair]) -> float:
    scores = []
    for intent in INTENTS:
        figures = _hits([_wanted(pair) == intent for pair in pairs], [pair[1].intent == intent for pair in pairs])
        scores.append(figures["f1"])
    return round(sum(scores) / len(scores), 4)


def _wanted(pair: Pair) -> str:
    """An accepted second intent counts as the wanted one."""
    return pair[1].intent if _is_right(pair) else str(pair[0]["intent"])


def _category(pairs: Sequence[Pair]) -> dict[str, float | None]:
    """Over repairs and complaints without danger: over all of them, and over those whose intent was right."""
    asked = [(row, r) for row, r in pairs if row.get("category") and row.get("urgency") != "emergency"]
    return {
        "all": _share(reading.category == row["category"] for row, reading in asked),
        "intent_right": _share(r.category == row["category"] for row, r in asked if r.intent == row["intent"]),
    }


def _hits(wanted: Sequence[bool], given: Sequence[bool]) -> dict[str, float]:
    both = sum(a and b for a, b in zip(wanted, given, strict=True))
    recall = both / sum(wanted) if any(wanted) else 1.0
    precision = both / sum(given) if any(given) else 1.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def _slots(pairs: Sequence[Pair]) -> dict[str, dict[str, float]]:
    by_slot = {name: [_counts(pair, name) for pair in pairs] for name in SLOTS}
    totals = {name: [sum(column) for column in zip(*counts, strict=True)] for name, counts in by_slot.items()}
    totals["all"] = [sum(column) for column in zip(*totals.values(), strict=True)]
    return {name: _from_counts(*total) for name, total in totals.items() if total}


def _counts(pair: Pair, name: str) -> tuple[int, int, int]:
    """Right, given, wanted."""
    row, reading = pair
    wanted, given = row.get("slots", {}).get(name), slot_text(reading, name)
    return int(wanted is not None and wanted == given), int(given is not None), int(wanted is not None)


def slot_text(reading: Reading, name: str) -> str | None:
    """A slot as the label files write it: a time by its text."""
    if name == "time":
        return reading.slots.time.text if reading.slots.time else None
    value = getattr(reading.slots, name)
    return None if value is None else str(value)


def _from_counts(right: int, given: int, wanted: int) -> dict[str, float]:
    precision, recall = right / given if given else 1.0, right / wanted if wanted else 1.0
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4), "wanted": wanted}


def _by_language(pairs: Sequence[Pair]) -> dict[str, Any]:
    languages = sorted({str(row.get("lang", "")) for row, _ in pairs})
    chosen = {lang: [pair for pair in pairs if str(pair[0].get("lang", "")) == lang] for lang in languages}
    return {lang: {"messages": len(part), "intent": _share(map(_is_right, part))} for lang, part in chosen.items()}


def _language(pairs: Sequence[Pair]) -> float | None:
    return _share(r.lang == row["lang"] for row, r in pairs if row.get("lang") in ("zh-Hans", "zh-Hant", "en"))


def _confusions(pairs: Sequence[Pair]) -> list[tuple[str, str, int]]:
    counts = Counter((str(row["intent"]), r.intent) for row, r in pairs if not _is_right((row, r)))
    return [(wanted, given, count) for (wanted, given), count in counts.most_common(20)]


def _category_confusions(pairs: Sequence[Pair]) -> list[tuple[str, str, int]]:
    wrong = [
        (f"{row['intent']}/{row['category']}", f"{r.intent}/{r.category}")
        for row, r in pairs
        if row.get("category") and r.intent == row["intent"] and r.category != row["category"]
    ]
    return [(wanted, given, count) for (wanted, given), count in Counter(wrong).most_common(20)]


def cross_validate(folds: int = _FOLDS, now: datetime = _NOW) -> dict[str, Any]:
    """Figures over the shipped examples, each read by a model that has not seen it."""
    examples = load_examples()
    pairs: list[Pair] = []
    for fold in range(folds):
        reader = Reader(train([e for index, e in enumerate(examples) if index % folds != fold]))
        held = [e for index, e in enumerate(examples) if index % folds == fold]
        pairs += [(_row(example), reader.read(example.text, now)) for example in held]
    return _figures(pairs)


def _row(example: Example) -> Row:
    text, urgency = example.text, example.urgency
    return {
        "text": text,
        "intent": example.intent,
        "category": example.category,
        "urgency": urgency,
        "lang": language(text),
    }


class Comparison(msgspec.Struct, frozen=True):
    """A new model beside the old one. `missed`: dangers that only the old one found. `against`: why to keep the old.

    `fallen`: figures that fell further than they may: name, before, after.
    """

    old: dict[str, Any]
    new: dict[str, Any]
    missed: tuple[str, ...]
    fallen: tuple[tuple[str, float, float], ...]
    against: tuple[str, ...]

    @property
    def may_replace(self) -> bool:
        """Whether the new model may go live."""
        return not self.against


def compare(rows: Sequence[Row], old: Reader, new: Reader, now: datetime = _NOW) -> Comparison:
    """Both models on the same labelled messages; the new one must not lose a danger, nor clearly anything else.

    `rows` as for `evaluate`, none of which either model was trained on.
    """
    before, after = evaluate(rows, old, now), evaluate(rows, new, now)
    missed = tuple(str(row["text"]) for row in rows if _is_lost(row, old, new, now))
    against = [f"{len(missed)} dangers would be missed that are found now"] if missed else []
    figures = [(name, _figure(before, name), _figure(after, name)) for name in _MAY_DROP]
    fallen = tuple((name, was, becomes) for name, was, becomes in figures if becomes < was - _MAY_DROP[name])
    against += [f"{name} would fall from {was:.3f} to {becomes:.3f}" for name, was, becomes in fallen]
    return Comparison(before, after, missed, fallen, tuple(against))


def _is_lost(row: Row, old: Reader, new: Reader, now: datetime) -> bool:
    if row.get("urgency") != "emergency":
        return False
    return (old.read(row["text"], now).urgency, new.read(row["text"], now).urgency != "emergency") == (
        "emergency",
        True,
    )


def _figure(figures: Mapping[str, Any], name: str) -> float:
    head, _, part = name.partition(".")
    return float((figures[head][part] if part else figures[head]) or 0.0)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """One labelled message a line. Raises ValueError where a line is no object with text and intent."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not {"text", "intent"} <= set(row) or row["intent"] not in INTENTS:
            raise ValueError(f"{path}:{number}: an object with text and a known intent is expected")
        if row.get("category") is not None and row["category"] not in CATEGORIES.get(row["intent"], ()):
            raise ValueError(f"{path}:{number}: {row['category']} is no category of {row['intent']}")
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; prints JSON and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m intents.evaluate", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="labelled messages, one JSON object a line")
    parser.add_argument(
        "--folds", type=int, default=_FOLDS, help="without a FILE: the shipped examples, cross-validated"
    )
    options = parser.parse_args(arguments)
    figures = (
        cross_validate(options.folds) if options.file is None else evaluate(read_rows(options.file), Reader.load())
    )
    sys.stdout.write(json.dumps(figures, ensure_ascii=False, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
