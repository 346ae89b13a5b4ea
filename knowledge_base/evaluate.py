"""`python -m knowledge_base.evaluate`: how well the questions of the tests are answered, file by file."""

import datetime
import statistics
import sys
import time
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from knowledge_base.answer import KnowledgeBase
from knowledge_base.model import Answer

# The questions are tests, which an installed wheel does not have: the tool is for a checkout.
QUESTIONS: Final = Path(__file__).parent.parent / "tests" / "knowledge_base" / "questions"
HELD_OUT: Final = (
    "heldout.toml",
    "heldout_after.toml",
    "heldout_fresh.toml",
    "heldout_last.toml",
    "heldout_other_author.toml",
    "heldout_sixty.toml",
    "near.toml",
)


class Question(msgspec.Struct, frozen=True):
    """A question and the articles that answer it; none: the sources do not say. `choice`: must come as a choice."""

    text: str
    expected: tuple[str, ...]
    choice: bool = False


class Figures(msgspec.Struct, frozen=True):
    """Shares in percent: `right` to `wrong` of the questions that have an answer, the last two of those that have none.

    `invented`: a question without an answer was answered all the same. What is missing to 100 was offered as a choice.
    """

    answerable: int
    right: float
    among: float
    wrong: float
    unanswerable: int
    kept_unknown: float
    invented: float

    @property
    def served(self) -> float:
        """Right or among the choices."""
        return self.right + self.among


def questions_in(path: Path) -> list[Question]:
    """The questions of one file: `unknown`, `[answers]` by article, `[[choose]]`."""
    table = tomllib.loads(path.read_text("utf-8"))
    found = [Question(text, ()) for text in table.get("unknown", [])]
    found += [Question(text, (ident,)) for ident, texts in table.get("answers", {}).items() for text in texts]
    return found + [Question(row["ask"], tuple(row["among"]), choice=True) for row in table.get("choose", [])]


def outcome(question: Question, answer: Answer) -> str:
    """`right`, `among` (the choices), `wrong` (with a straight face), `kept` unknown, or `lost`: anything else."""
    if answer.decision == "unknown":
        return "lost" if question.expected else "kept"
    if answer.decision == "answer":
        return "right" if answer.article in question.expected else "wrong"
    offered = {candidate.article for candidate in answer.candidates}
    return "among" if offered.intersection(question.expected) else "lost"


def figures(base: KnowledgeBase, questions: Iterable[Question], on: datetime.date) -> Figures:
    """What becomes of the questions on this day, in no particular community."""
    known: list[str] = []
    unknown: list[str] = []
    for question in questions:
        (known if question.expected else unknown).append(outcome(question, base.ask(question.text, on=on)))
    return Figures(
        answerable=len(known),
        right=_share(known, "right"),
        among=_share(known, "among"),
        wrong=_share(known, "wrong"),
        unanswerable=len(unknown),
        kept_unknown=_share(unknown, "kept"),
        invented=_share(unknown, "wrong"),
    )


def _share(outcomes: list[str], which: str) -> float:
    return round(100 * outcomes.count(which) / len(outcomes), 1) if outcomes else 0.0


def microseconds(base: KnowledgeBase, questions: list[Question], on: datetime.date) -> float:
    """Median processor time of a question; the reading's own cache of normalised texts is warm."""
    times = []
    for question in questions:
        begun = time.process_time_ns()
        base.ask(question.text, on=on)
        times.append((time.process_time_ns() - begun) / 1000)
    return statistics.median(times)


def main(arguments: list[str]) -> None:
    """Prints one line a file; with `--misses` also each question that did not come out right."""
    on = datetime.date(2026, 11, 22)
    base = KnowledgeBase.load(demonstration=True)
    everything = []
    sys.stdout.write(
        "file                        answerable  right  among  wrong   unanswerable  kept unknown  invented\n"
    )
    for path in sorted(QUESTIONS.glob("*.toml")):
        questions = questions_in(path)
        everything += questions
        f = figures(base, questions, on)
        sys.stdout.write(
            f"{path.name:28}{f.answerable:10}{f.right:7}{f.among:7}{f.wrong:7}{f.unanswerable:15}{f.kept_unknown:14}{f.invented:10}\n"
        )
        if "--misses" in arguments and path.name not in HELD_OUT:
            _print_misses(base, questions, on)
    sys.stdout.write(f"median {microseconds(base, everything, on):.0f} us a question, {len(base.articles)} articles\n")


def _print_misses(base: KnowledgeBase, questions: list[Question], on: datetime.date) -> None:
    for question in questions:
        answer = base.ask(question.text, on=on)
        result = outcome(question, answer)
        if result in {"wrong", "lost"} or (not question.expected and result != "kept"):
            offered = ", ".join(f"{c.article} {c.score:.2f}" for c in answer.candidates)
            sys.stdout.write(f"    {result}: {question.text} -> {answer.decision} [{offered}]; {question.expected}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
