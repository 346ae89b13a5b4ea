"""One form for many ways of writing: what every later step reads."""

import functools
import re
import tomllib
import unicodedata
from importlib import resources

import opencc

from intents.gates import marks

# Lone surrogates and private use cannot be stored or shown, NUL fails a whole batch on PostgreSQL.
_FORBIDDEN = re.compile("[\x00\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_CJK = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_LATIN_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?", re.IGNORECASE)
_CANTONESE = re.compile("[唔咗嘅喺冇啲哋嗰佢嚟㗎咁]")
_CODE = re.compile(r"\[[^\[\]]{1,6}\]|https?://\S+")

_TO_SIMPLIFIED = opencc.OpenCC("t2s")
_TO_TRADITIONAL = opencc.OpenCC("s2t")


def clean(text: str) -> str:
    """The text without what no store or screen can hold: NUL, lone surrogates, private use. Nothing else changes."""
    return _FORBIDDEN.sub("", text) if _FORBIDDEN.search(text) else text


# About 0.3 kB a text of 30 signs, so 2 MB when full.
@functools.lru_cache(maxsize=8192)
def normalise(text: str) -> str:
    """The text in the one form that meaning is read from.

    NFKC, lower case, Simplified, standard words for Cantonese and Taiwan ones, blanks folded, nothing invisible.
    Emoticon codes such as `[流泪]` stay. Positions do not match those of `text`; see `fold` for that.
    """
    # NFKC does the same to these signs; without them it mostly finds at a glance that there is nothing to do.
    halved = clean(text).replace("，", ",").replace("！", "!").replace("？", "?")
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", halved)).lower()
    if not plain.isascii() and not _moving().isdisjoint(marks(plain)):
        plain = _simplify(plain)
    return " ".join(plain.split())


def _simplify(text: str) -> str:
    text = _replace(_before(), text)
    return _replace(_after(), _TO_SIMPLIFIED.convert(text))


def _replace(rules: tuple[re.Pattern[str], dict[str, str]], text: str) -> str:
    pattern, words = rules
    return pattern.sub(lambda found: words[found.group()], text)


# Where OpenCC changes a word of signs that it leaves alone one by one: the sign that gives it away.
_PLAIN_SIGNS_THAT_MOVE = ("覆", "瞭", "藉", "沈", "哩", "甦", "衹")


@functools.cache
def _moving() -> frozenset[str]:
    """Marks one of which is in every text that simplifying changes: most are written as they should be."""
    signs = [chr(code) for code in (*range(0x2E80, 0xD800), *range(0xF900, 0xFFFF), *range(0x20000, 0x2FFFF))]
    simple = _TO_SIMPLIFIED.convert("\n".join(signs)).split("\n")
    changed = [sign for sign, other in zip(signs, simple, strict=True) if sign != other]
    # The second and third sign of a long word: 业公 tells 物业公司 from every other 物业.
    words = [word[1:3] if len(word) > 2 else word for table in _words().values() for word in table]
    return frozenset([*changed, *words, *_PLAIN_SIGNS_THAT_MOVE])


@functools.cache
def _before() -> tuple[re.Pattern[str], dict[str, str]]:
    return _compiled(_words()["before"])


@functools.cache
def _after() -> tuple[re.Pattern[str], dict[str, str]]:
    return _compiled(_words()["words"])


def _compiled(words: dict[str, str]) -> tuple[re.Pattern[str], dict[str, str]]:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, longest_first))), words


@functools.cache
def _words() -> dict[str, dict[str, str]]:
    text = resources.files("intents").joinpath("data/words.toml").read_text("utf-8")
    return tomllib.loads(text)


# Signs remembered by the tables below before they start anew: 2 MB each.
_SIGNS = 16384


class _Folding(dict[int, str]):
    """Filled as characters are met, so that a fold is one C-level translate."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _SIGNS:
            self.clear()
        sign = chr(code)
        wide = unicodedata.normalize("NFKC", sign).lower()
        simple = _TO_SIMPLIFIED.convert(wide)
        self[code] = simple if len(simple) == 1 else sign
        return self[code]


_FOLDING = _Folding()


def fold(text: str) -> str:
    """The text sign by sign in half width, lower case and Simplified: the same length, so that positions match."""
    return text.translate(_FOLDING)


def language(text: str) -> str:
    """The dominant language: `zh-Hans`, `zh-Hant` or `en`. Pinyin and messages without words count as `zh-Hans`."""
    bare = _CODE.sub("", text) if "[" in text or "http" in text else text
    words = _LATIN_WORD.findall(bare)
    if not words:
        return _chinese(bare) if _CJK.search(bare) else "zh-Hans"
    if signs := len(_CJK.findall(bare)):
        # An English word says about as much as two Chinese signs.
        return "en" if len(words) * 2 > signs * 3 else _chinese(bare)
    return "zh-Hans" if is_pinyin(bare) else "en"


def _chinese(text: str) -> str:
    lead = sum(map(_FORMS.__getitem__, text))
    if lead == 0:
        return "zh-Hant" if _CANTONESE.search(text) else "zh-Hans"
    return "zh-Hant" if lead > 0 else "zh-Hans"


# Written the same in both, so they say nothing about the form although the conversion would change them.
_SHARED = frozenset("里后台面干只系几斗谷云丑余范板表卜才冲出党占周松克回了向家准吊致同复须征注游胡郁岳布托扎仆")


class _Forms(dict[str, int]):
    """1 for a sign that is only Traditional, -1 for one that is only Simplified, else 0; filled as signs are met."""

    def __missing__(self, sign: str) -> int:
        if len(self) >= _SIGNS:
            self.clear()
        self[sign] = _form(sign)
        return self[sign]


_FORMS = _Forms()


def _form(sign: str) -> int:
    if sign.isascii() or sign in _SHARED:
        return 0
    if _TO_SIMPLIFIED.convert(sign) != sign:
        return 1
    return -1 if _TO_TRADITIONAL.convert(sign) != sign else 0


_FINALS = "a|o|e|ai|ei|ao|ou|an|en|ang|eng|ong|i|ia|ie|iao|iu|ian|in|iang|ing|iong|u|ua|uo|uai|ui|uan|un|uang|ue|v|ve"
_OTHERS = (
    "a|o|e|ai|ei|ao|ou|an|en|ang|er|ya|ye|yao|you|yan|yin|yang|ying|yong|yo|yi"
    "|wu|wa|wo|wai|wei|wan|wen|wang|weng|yu|yue|yuan|yun|ng"
)
_SYLLABLE = re.compile(rf"(?:(?:[bpmfdtnlgkhjqxrzcs]|[zcs]h)(?:{_FINALS})|{_OTHERS})")


def is_pinyin(text: str) -> bool:
    """Whether a message without Chinese signs is Chinese in Latin letters, syllables set apart or not."""
    words = [word.lower() for word in _LATIN_WORD.findall(text)]
    if len(words) < 3:
        return False
    return sum(_SYLLABLE.fullmatch(word) is not None for word in words) >= 0.8 * len(words)
