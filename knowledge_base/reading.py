"""A question as the index sees it: what it sounds like, the things it names, the facets it asks for."""

import re
import tomllib
from importlib import resources
from typing import Final

import msgspec

from intents.normalise import normalise
from knowledge_base.facets import FACET_WORDS, facets_asked
from knowledge_base.lexicon import Lexicon, flat, latin_words, singular


class Reading(msgspec.Struct, frozen=True):
    """What of a question is compared.

    `plain` is the text without filler, `sound` the same with one sign for each syllable, `tokens` what is indexed.
    """

    plain: str
    sound: str
    tokens: frozenset[str]
    things: frozenset[str]
    acts: frozenset[str]
    facets: frozenset[str]
    polar: bool = False
    """Whether it asks for a yes or no: whether something may be, can be, is there."""


_POLAR: Final = re.compile(
    r"[吗不没么]\W*$|([\u4e00-\u9fff])[不没]\1|可不可以|^(?:can|could|is|are|do|does|may|am|will)\b"
)


def _data(name: str) -> str:
    return resources.files("knowledge_base").joinpath("data", name).read_text("utf-8")


def _syllables() -> dict[str, str]:
    return dict(line.split() for line in _data("pinyin.txt").splitlines())


# Every character is written as the first one of its syllable: slips and pinyin then need no path of their own.
_SIGN_OF_SYLLABLE: Final = {syllable: signs[0] for syllable, signs in _syllables().items()}
_SOUND: Final = {ord(sign): signs[0] for signs in _syllables().values() for sign in signs}

_PINYIN: Final = re.compile(f"(?:{'|'.join(sorted(_SIGN_OF_SYLLABLE, key=len, reverse=True))}){{1,8}}")
_CHINESE = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_CONCEPTS: Final = tomllib.loads(_data("concepts.toml"))
PASSING: Final = frozenset(_CONCEPTS["passing"])
_THING_WORDS: Final = {normalise(word): name for word, name in flat(_CONCEPTS["things"]).items()}
_ACT_WORDS: Final = {normalise(word): "~" + name for word, name in flat(_CONCEPTS["acts"]).items()}
_THINGS: Final = Lexicon(_THING_WORDS)
_ACTS: Final = Lexicon(_ACT_WORDS)


def _by_sound(words: dict[str, str]) -> Lexicon:
    return Lexicon({word.translate(_SOUND): name for word, name in words.items() if _CHINESE.search(word)})


_THINGS_BY_SOUND: Final = _by_sound(_THING_WORDS)
_ACTS_BY_SOUND: Final = _by_sound(_ACT_WORDS)
_FACETS_BY_SOUND: Final = _by_sound(FACET_WORDS)

_FILLER_DATA: Final = tomllib.loads(_data("filler.toml"))
_FILLER_WORDS: Final = dict.fromkeys(_FILLER_DATA["chinese"], "filler")
_FILLER: Final = Lexicon(_FILLER_WORDS)
_FILLER_BY_SOUND: Final = _by_sound({word: name for word, name in _FILLER_WORDS.items() if len(word) > 1})
_ENGLISH_FILLER: Final = frozenset(_FILLER_DATA["english"])

_NUMBER = "[0-9零一二三四五六七八九十]"
_HOME = re.compile(
    rf"(?:[东南西北]区)?[a-z]?{_NUMBER}{{1,3}}(?:栋|幢|座|号楼|#)(?:{_NUMBER}{{1,2}}单元)?-?(?:{_NUMBER}{{3,5}}(?:室|号|房)?)?"
    r"|(?<!\d)\d{1,3}[-—]\d{1,2}[-—]\d{3,4}(?!\d)|(?<![\d-])t?\d{1,2}-\d{3,4}(?![\d-])"
    rf"|{_NUMBER}{{1,2}}单元|(?<!\d)\d{{3,4}}(?:室|房)"
    r"|\b(?:block|tower|building) ?(?:\d{1,3}|[a-z])\b,?|\b(?:flat|unit|room|apt) ?\d{3,4}[a-z]?\b"
    r"|(?<!\d)\d{7,12}(?!\d)|\[[^\[\]]{1,6}\]"
)
_PUNCTUATION = re.compile(r"[^\w]+|_")


def read(question: str) -> Reading:
    """The reading of a question in any script; an empty one when nothing but filler or an address is said."""
    text = _HOME.sub(" ", normalise(question))
    words = latin_words(text)
    facets = facets_asked(text)
    if words and not _CHINESE.search(text):
        return _latin_reading(words, facets)
    stems = [singular(word) for word in words]
    things = _THINGS.find(text, stems)
    acts = _ACTS.find(text, stems)
    plain = _PUNCTUATION.sub("", _FILLER.remove(text))
    sound = plain.translate(_SOUND)
    tokens = _tokens(sound, stems, things, acts)
    return Reading(plain, sound, tokens, frozenset(things), frozenset(acts), facets, _is_polar(text))


def _is_polar(text: str) -> bool:
    return _POLAR.search(text) is not None


def _latin_reading(words: list[str], facets: frozenset[str]) -> Reading:
    stems = [singular(word) for word in words]
    things = _THINGS.find("", stems)
    acts = _ACTS.find("", stems)
    syllables = _pinyin(words)
    if syllables:
        sound = "".join(_SIGN_OF_SYLLABLE[syllable] for syllable in syllables)
        things |= _THINGS_BY_SOUND.find(sound, [])
        acts |= _ACTS_BY_SOUND.find(sound, [])
        facets |= _FACETS_BY_SOUND.find_overlapping(sound)
        sound = _FILLER_BY_SOUND.remove(sound)
        return Reading(sound, sound, _tokens(sound, [], things, acts), frozenset(things), frozenset(acts), facets)
    plain = " ".join(word for word in stems if word not in _ENGLISH_FILLER)
    tokens, polar = _tokens("", stems, things, acts), _is_polar(" ".join(words))
    return Reading(plain, plain, tokens, frozenset(things), frozenset(acts), facets, polar)


def _pinyin(words: list[str]) -> list[str]:
    """The syllables when this is Chinese in Latin letters, in one piece or several; else none."""
    split = [_split(word) for word in words]
    syllables = [syllable for parts in split for syllable in parts]
    said = sum(1 for parts in split if parts)
    return syllables if len(syllables) > 1 and said >= 0.8 * len(words) else []


def _split(word: str) -> list[str]:
    if not _PINYIN.fullmatch(word):
        return []
    found: list[str] = []
    while word:
        # The longest syllable after which the rest still is pinyin: "shangban" is shang ban, not shan gban.
        ends = (end for end in range(min(6, len(word)), 0, -1) if word[:end] in _SIGN_OF_SYLLABLE)
        end = next(end for end in ends if end == len(word) or _PINYIN.fullmatch(word, end))
        found.append(word[:end])
        word = word[end:]
    return found


def _tokens(sound: str, stems: list[str], things: set[str], acts: set[str]) -> frozenset[str]:
    pairs = {sound[i : i + 2] for i in range(len(sound) - 1)}
    chinese = {pair for pair in pairs if not pair.isascii()}
    words = {stem for stem in stems if stem not in _ENGLISH_FILLER}
    return frozenset(chinese | words | {"#" + thing for thing in things} | acts)
