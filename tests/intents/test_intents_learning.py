"""A model with examples of staff against the one in use, on the locked set. Trains the real thing."""

from intents.classifier import Classifier, model_key
from intents.corrections import key
from intents.examples import load_examples
from intents.learning import Learned, examples_with, train_and_compare


def test_a_model_taught_that_danger_is_small_talk_is_refused() -> None:
    """As somebody would who wants no alarms: every fifth danger is called a greeting."""
    dangers = [example for example in load_examples() if example.urgency == "emergency"][::5]
    poison = [Learned(example.text, "smalltalk", None, "normal", weight=3) for example in dangers]
    trained = train_and_compare(poison, live=None)
    report = trained.report
    assert not report.may_replace
    assert "missed" in [reason.what for reason in report.against]
    assert report.missed
    assert report.new.recall < report.old.recall
    assert (report.taught, report.known_before) == (len(poison), 0)
    assert report.known_now > len(poison) / 2
    assert any(flip.worse for flip in report.flips)
    assert Classifier.from_bytes(trained.model, model_key()) is not None


def test_staff_have_the_last_word_on_a_shipped_example() -> None:
    first = load_examples()[0]
    taught = examples_with([Learned(f"{first.text}!!", "praise", None, "normal", weight=3)])
    same = [example for example in taught if key(example.text) == key(first.text)]
    assert [example.intent for example in same] == ["praise"] * 3
    assert taught[-1].text == f"{first.text}!!"


def test_without_examples_of_staff_nothing_changes() -> None:
    assert examples_with([]) == load_examples()
