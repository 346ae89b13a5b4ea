"""Finding the words of a word list in a text, faster than one long alternation would."""

import re
from collections.abc import Iterable, Mapping

_LATIN = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")


class Lexicon:
    """Words, each with a name. Chinese words are found anywhere; Latin ones as whole words, a plural s allowed."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._chinese: dict[str, list[tuple[str, str]]] = {}
        self._latin: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for word in sorted(words, key=lambda word: (-len(word), word)):
            self._add(word, words[word])

    def _add(self, word: str, name: str) -> None:
        if word.isascii():
            parts = tuple(singular(part) for part in latin_words(word))
            self._latin.setdefault(parts[0], []).append((parts, name))
        else:
            self._chinese.setdefault(word[0], []).append((word, name))

    def find(self, text: str, latin: list[str]) -> set[str]:
        """The names whose words stand in the text; the longest word at a place wins. `latin`: its Latin words."""
        found = self._in_latin(latin)
        start = 0
        while start < len(text):
            word, name = self._at(text, start)
            if name:
                found.add(name)
            start += max(len(word), 1)
        return found

    def remove(self, text: str) -> str:
        """The text without the Chinese words of the list."""
        kept = []
        start = 0
        while start < len(text):
            word, _ = self._at(text, start)
            if not word:
                kept.append(text[start])
            start += max(len(word), 1)
        return "".join(kept)

    def find_overlapping(self, text: str) -> set[str]:
        """The names of all Chinese words in the text, those inside or across others too."""
        found: set[str] = set()
        for start, sign in enumerate(text):
            found.update(name for word, name in self._chinese.get(sign, ()) if text.startswith(word, start))
        return found

    def _at(self, text: str, start: int) -> tuple[str, str]:
        for word, name in self._chinese.get(text[start], ()):
            if text.startswith(word, start):
                return word, name
        return "", ""

    def _in_latin(self, latin: list[str]) -> set[str]:
        found = set()
        start = 0
        while start < len(latin):
            length = 1
            for parts, name in self._latin.get(latin[start], ()):
                if tuple(latin[start : start + len(parts)]) == parts:
                    found.add(name)
                    length = len(parts)
                    break
            start += length
        return found


def latin_words(text: str) -> list[str]:
    """The Latin words and figures of a normalised text."""
    return _LATIN.findall(text)


def singular(word: str) -> str:
    """A Latin word without its plural s, so that both forms meet."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")) else word


def flat(groups: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """`{"pool": ["swimming", "pool"]}` as `{"swimming": "pool", "pool": "pool"}`."""
    return {word: name for name, words in groups.items() for word in words}
