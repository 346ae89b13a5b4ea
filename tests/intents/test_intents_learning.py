"""What a model is trained with when staff have taught something; training itself is in test_console_learning.py."""

from intents.corrections import key
from intents.examples import load_examples
from intents.learning import Learned, examples_with


def test_staff_have_the_last_word_on_a_shipped_example() -> None:
    first = load_examples()[0]
    taught = examples_with([Learned(f"{first.text}!!", "praise", None, "normal", weight=3)])
    same = [example for example in taught if key(example.text) == key(first.text)]
    assert [example.intent for example in same] == ["praise"] * 3
    assert taught[-1].text == f"{first.text}!!"


def test_without_examples_of_staff_nothing_changes() -> None:
    assert examples_with([]) == load_examples()
