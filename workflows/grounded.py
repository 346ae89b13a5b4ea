"""Whether a text that a machine wrote holds only what its articles hold. Pure.

Code cannot tell what is true. It can tell that a figure, a number to ring, or a link stands in no article, and that
most of the words come from somewhere else; then nobody is told the text.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from intents.numerals import number

OWN_WORDS = 0.5
"""At least this share of a text stands in the articles, in runs of three signs or more."""
RUN = 3
PROMISES = (
    "免费", "免交", "免收", "全免", "不用交", "不收", "退款", "退还", "全额", "赔偿", "补偿", "承诺", "保证", "罚款",
    "免費", "免繳", "不用繳", "退還", "全額", "賠償", "補償", "承諾", "保證", "罰款", "一定",
    "free of charge", "for free", "refund", "waive", "compensat", "guarantee", "promise", "penalt",
)  # fmt: skip
"""What nobody may be told unless an article says it in this word."""

_ARABIC = re.compile(r"\d+(?:[.:]\d+)*")
_HAN_NUMBER = re.compile(r"[〇零一二两三四五六七八九十百千万]+")
_COUNTED = re.compile(
    _HAN_NUMBER.pattern
    + r"(?=[个個天日周月年点點时時分秒元块塊毛角%成折人次层層楼樓号號栋户位份张張米平]|星期|小[时時])"
)
_ENGLISH = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SPELLED = {word: str(value) for value, word in enumerate(_ENGLISH, 2)} | {
    "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "hundred": "100", "thousand": "1000",
}  # fmt: skip
_PHONE = re.compile(r"\d(?:[ -]?\d){6,}")
_LINK = re.compile(r"[\w.+-]*(?:@|://|www\.|\.(?:com|cn|net|org|hk|gov)\b)[\w./?=&%-]*", re.ASCII | re.IGNORECASE)
_MASKED = re.compile(r"\[(?:房号|号码|姓名|车牌|邮箱)\]|某某")
_HAN = re.compile(r"[\u4e00-\u9fff\d]+")
_WORD = re.compile(r"[a-z]{3,}")


def unfounded(text: str, articles: Sequence[str]) -> list[str]:
    """What speaks against telling this text, in words for the log that hold none of it; empty: nothing does."""
    told, known = _plain(text), _plain("\n".join(articles))
    found = {
        "figure": not _figures(told, _COUNTED) <= _figures(known, _HAN_NUMBER),
        "phone": not all(any(phone in other for other in _phones(known)) for phone in _phones(told)),
        "link": not all(link in known for link in _LINK.findall(told)),
        "mark": _MASKED.search(told) is not None,
        "promise": any(word in told and word not in known for word in PROMISES),
        "words": _share(told, known) < OWN_WORDS,
    }
    return [name for name, speaks_against in found.items() if speaks_against]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _figures(text: str, han: re.Pattern[str]) -> set[str]:
    """All numbers in one notation: 08:30 is 8:30, 三 and three are 3."""
    arabic = {_without_zeros(found) for found in _ARABIC.findall(_PHONE.sub(" ", text))}
    counted = {str(number(found) or found) for found in han.findall(text)}
    return arabic | counted | {value for word, value in _SPELLED.items() if re.search(rf"\b{word}\b", text)}


def _without_zeros(figure: str) -> str:
    return re.sub(r"(?<![\d.])0+(?=\d)", "", figure)


def _phones(text: str) -> list[str]:
    return [re.sub(r"\D", "", found) for found in _PHONE.findall(text)]


def _share(text: str, known: str) -> float:
    """How much of a text stands in what is known: Chinese signs in longer runs, and English words."""
    stands = {*_pieces(known)}
    covered = [found for run in _HAN.findall(text) for found in _covered(run, stands)]
    covered += [word in stands for word in _WORD.findall(text)]
    return sum(covered) / len(covered) if covered else 1.0


def _pieces(text: str) -> Iterator[str]:
    yield from _WORD.findall(text)
    for run in _HAN.findall(text):
        yield from (run[place : place + RUN] for place in range(len(run) - RUN + 1))


def _covered(run: str, stands: set[str]) -> list[bool]:
    """Of each sign, whether it is part of a piece that stands there."""
    covered = [False] * len(run)
    for place in range(len(run) - RUN + 1):
        if run[place : place + RUN] in stands:
            covered[place : place + RUN] = [True] * RUN
    return covered
