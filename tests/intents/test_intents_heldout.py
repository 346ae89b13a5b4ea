"""Messages that no example was made from: how well reading carries over. The thresholds are below what was measured."""

from datetime import datetime

import pytest

from intents.evaluate import evaluate
from intents.examples import load_examples
from intents.locked import locked_dangers, locked_messages
from intents.normalise import normalise
from intents.reader import Reader

NOW = datetime.fromisoformat("2026-11-22T10:00")


def test_messages_never_trained_on(reader: Reader) -> None:
    found = evaluate(locked_messages(), reader, NOW)
    assert found["messages"] >= 600
    assert found["intent"] >= 0.93
    assert found["macro_f1"] >= 0.92
    assert found["category"]["intent_right"] >= 0.92
    assert found["emergency"]["recall"] >= 0.96
    assert found["emergency"]["precision"] >= 0.75
    assert found["calibration_error"] <= 0.045


# The first set was looked at while examples were written; the third never was.
@pytest.mark.parametrize(("number", "missed", "false"), [(1, 1, 4), (2, 5, 7), (3, 4, 5)])
def test_danger_never_trained_on(reader: Reader, number: int, missed: int, false: int) -> None:
    dangers = locked_dangers(number)
    unheard = [text for text in dangers.must if reader.read(text, NOW).urgency != "emergency"]
    raised = [text for text in dangers.must_not if reader.read(text, NOW).urgency == "emergency"]
    assert len(unheard) <= missed, unheard
    assert len(raised) <= false, raised


def test_what_is_held_out_is_no_example() -> None:
    dangers = locked_dangers()
    held = [*(str(row["text"]) for row in locked_messages()), *dangers.must, *dangers.must_not]
    # What is said in a word or two ("have a nice weekend") is said by everybody.
    long = {normalise(text) for text in held if len(text) > 8}
    shared = long & {normalise(example.text) for example in load_examples()}
    assert shared <= {"have a nice weekend"}
