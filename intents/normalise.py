"""One form for many ways of writing: what every later step reads."""

import functools
import re
import tomllib
import unicodedata
from importlib import resources

import opencc

# Lone surrogates and private use cannot be stored or shown, NUL fails a whole batch on PostgreSQL.
_FORBIDDEN = re.compile("[\x00\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_BLANKS = re.compile(r"\s+")
_CJK = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_LATIN_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?", re.IGNORECASE)
_CANTONESE = re.compile("[唔咗嘅喺冇啲哋嗰佢嚟㗎咁]")
_CODE = re.compile(r"\[[^\[\]]{1,6}\]|https?://\S+")

_TO_SIMPLIFIED = opencc.OpenCC("t2s")
_TO_TRADITIONAL = opencc.OpenCC("s2t")


def clean(text: str) -> str:
    """The text without what no store or screen can hold: NUL, lone surrogates, private use. Nothing else changes."""
    return _FORBIDDEN.sub("", text) if _FORBIDDEN.search(text) else text


@functools.lru_cache(maxsize=8192)
def normalise(text: str) -> str:
    """The text in the one form that meaning is read from.

    NFKC, lower case, Simplified, standard words for Cantonese and Taiwan ones, blanks folded, nothing invisible.
    Emoticon codes such as `[流泪]` stay. Positions do not match those of `text`; see `fold` for that.
    """
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", clean(text))).lower()
    if not plain.isascii():
        plain = _simplify(plain)
    return _BLANKS.sub(" ", plain).strip()


def _simplify(text: str) -> str:
    text = _replace(_before(), text)
    return _replace(_after(), _TO_SIMPLIFIED.convert(text))


def _replace(rules: tuple[re.Pattern[str], dict[str, str]], text: str) -> str:
    pattern, words = rules
    return pattern.sub(lambda found: words[found.group()], text)


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


class _Folding(dict[int, str]):
    """Filled as characters are met, so that a fold is one C-level translate."""

    def __missing__(self, code: int) -> str:
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
    bare = _CODE.sub("", text)
    signs = len(_CJK.findall(bare))
    words = _LATIN_WORD.findall(bare)
    if signs:
        # An English word says about as much as two Chinese signs.
        return "en" if len(words) * 2 > signs * 3 else _chinese(bare)
    return "en" if words and not is_pinyin(bare) else "zh-Hans"


def _chinese(text: str) -> str:
    traditional = sum(1 for sign in text if _is_only(sign, "traditional"))
    simplified = sum(1 for sign in text if _is_only(sign, "simplified"))
    if traditional == simplified:
        return "zh-Hant" if _CANTONESE.search(text) else "zh-Hans"
    return "zh-Hant" if traditional > simplified else "zh-Hans"


# Written the same in both, so they say nothing about the form although the conversion would change them.
_SHARED = frozenset("里后台面干只系几斗谷云丑余范板表卜才冲出党占周松克回了向家准吊致同复须征注游胡郁岳布托扎仆")


@functools.lru_cache(maxsize=16384)
def _is_only(sign: str, form: str) -> bool:
    if sign.isascii() or sign in _SHARED:
        return False
    simple = _TO_SIMPLIFIED.convert(sign)
    if form == "traditional":
        return bool(simple != sign)
    return bool(simple == sign and _TO_TRADITIONAL.convert(sign) != sign)


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
