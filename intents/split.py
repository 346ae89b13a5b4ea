"""Cuts a message into the stretches that may each ask for something of its own."""

import re

from intents.gates import Gate, alternatives, marks
from intents.normalise import fold

_MARK = (
    r"另外|还有(?:就是|一[件个]事|个事)?(?=[,，:：]?\s*.{4})|顺便|顺带|再问|再说|再就是|"
    r"对了|然后(?:再|还)|以及|此外|同时|也想问|还想|还要|第[二三]|其次|"
    r"\balso\b|\bplus\b|by the way|\bbtw\b|\band another|one more thing|\bsecondly\b|仲有|顺手|再(?:帮|请|麻烦)"
)
_TWO = rf"{_MARK}|[。;；!！?？\n].|[2２二][、.．)）]|[?？]"
_MAY_HOLD_TWO = re.compile(_TWO, re.IGNORECASE)
# Over folded text, which holds every sign of the pattern that the text holds in another width or case.
_GATE = Gate(("", branch) for branch in alternatives(_TWO))
_CUT = re.compile(
    rf"(?<=[。;；!！?？\n])|(?=(?:{_MARK}))|(?<=[,，。;；\s])(?=[1-9１-９][、.．)）])|[,，]\s*(?=and\b)", re.IGNORECASE
)
_WORD = re.compile(r"[\u3400-\u9fff]|[a-z]{2,}", re.IGNORECASE)
_MOST = 6


def stretches(text: str) -> list[str]:
    """The message in order, cut at sentence ends and at words such as 另外 or "also"; at most six, none empty."""
    if not _GATE.may_match(marks(fold(text))) or not _MAY_HOLD_TWO.search(text):
        return [text]
    pieces = [piece.strip(" ,，、") for piece in _CUT.split(text)]
    joined: list[str] = []
    for piece in pieces:
        if joined and (_is_short(joined[-1]) or _is_short(piece)):
            joined[-1] = f"{joined[-1]} {piece}".strip()
        elif piece:
            joined.append(piece)
    return joined if 1 < len(joined) <= _MOST else [text]


def _is_short(piece: str) -> bool:
    """Too little to ask for anything: a greeting, a room number, half a sentence."""
    return len(_WORD.findall(piece)) < 4
