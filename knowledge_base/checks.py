"""What speaks against telling residents an article that staff wrote."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from intents.normalise import normalise
from knowledge_base.loader import LONGEST_ANSWER, LONGEST_ENGLISH
from knowledge_base.model import Article

LEAST_OWN_ASKS: Final = 2
"""Ways to ask beside the title. Those that ship have four and more; each one more is found more often."""
LONGEST_LINE: Final = 80
_TONE: Final = ("亲，", "亲们", "尊敬的", "温馨提示", "敬请", "感谢您的理解", "相关部门", "！", "!", "～")


class Problem(msgspec.Struct, frozen=True):
    """`key` names the sentence that staff read, `values` are what it mentions."""

    key: str
    values: dict[str, str | int] = {}


def problems(article: Article, own: Iterable[Article]) -> list[Problem]:
    """All that is wrong, the first first; none where it can be released. `own`: the other articles of the company."""
    return [*_texts(article), *_lines(article), *_dates(article), *_taken(article, own)]


def _texts(article: Article) -> Iterator[Problem]:
    if not article.title:
        yield Problem("title_missing")
    if not article.answer:
        yield Problem("answer_missing")
    if len(article.answer) > LONGEST_ANSWER:
        yield Problem("answer_long", {"n": len(article.answer), "most": LONGEST_ANSWER})
    if len(article.answer_en) > LONGEST_ENGLISH:
        yield Problem("english_long", {"n": len(article.answer_en), "most": LONGEST_ENGLISH})
    said = article.title + article.answer + article.answer_hant
    for word in _TONE:
        if word in said:
            yield Problem("tone", {"word": word})


def _lines(article: Article) -> Iterator[Problem]:
    if len(article.ask) < LEAST_OWN_ASKS:
        yield Problem("ask_few", {"n": len(article.ask), "least": LEAST_OWN_ASKS})
    seen = {normalise(article.title)}
    for line in article.ask:
        if normalise(line) in seen:
            yield Problem("ask_twice", {"line": line})
        seen.add(normalise(line))
    for line in (article.title, *article.ask, *article.not_about):
        if len(line) > LONGEST_LINE:
            yield Problem("line_long", {"line": line[:20], "most": LONGEST_LINE})
        if line in article.not_about and normalise(line) in seen:
            yield Problem("both", {"line": line})


def _dates(article: Article) -> Iterator[Problem]:
    if article.valid_until < article.valid_from:
        yield Problem("dates")


def _taken(article: Article, own: Iterable[Article]) -> Iterator[Problem]:
    """A question belongs to one article of a community; which of two would answer could not be told."""
    lines = {normalise(line): line for line in (article.title, *article.ask)}
    for other in own:
        if other.id == article.id or other.communities != article.communities:
            continue
        for line in (other.title, *other.ask):
            if normalise(line) in lines:
                yield Problem("taken", {"line": lines[normalise(line)], "title": other.title})
