"""Words that stop and resume notices, wherever a carrier makes the bare word binding.

A provider's channel marks such a message with `choice`; the desk acts on the mark (`bot.engine.routing`). Channels on
which nobody sends bare words leave it to the reading of the text.
"""

import unicodedata
from typing import Final

OPT_OUT: Final = "opt_out"
OPT_IN: Final = "opt_in"

# Twilio's default opt-out words (Advanced Opt-Out) and those that mainland texts tell: 拒收请回复R, 退订回T.
_STOPS: Final = frozenset(
    "T TD R 退订 退訂 拒收 STOP UNSUBSCRIBE END QUIT CANCEL STOPALL OPTOUT REVOKE".split()  # noqa: SIM905 - a list to read
)
_STARTS: Final = frozenset("START UNSTOP 恢复 恢復 订阅 訂閱".split())  # noqa: SIM905


def mark(text: str) -> str | None:
    """`OPT_OUT` or `OPT_IN` where the whole message is such a word, full-width or not, in any case; else None."""
    word = unicodedata.normalize("NFKC", text).strip().upper()
    if word in _STOPS:
        return OPT_OUT
    return OPT_IN if word in _STARTS else None
