"""An API's answer as a JSON object, or what its absence means. No gateway takes an idempotency key: when in doubt, the
outcome is unknown."""

from typing import Final

import msgspec

from channels.errors import Later, OutcomeUnknown

THROTTLED_S: Final = 10.0
_AWAY_S: Final = 5.0


def json_answer(status: int, raw: bytes) -> dict[str, object]:
    """The JSON object of an answer under 500, 429 excepted. Raises a `SendError` for everything else.

    429 and 503 are said before anything is sent. Another 5xx, or a page with 200, may stand for a message that went
    out.
    """
    if status == 429:
        raise Later("HTTP 429", THROTTLED_S, throttled=True)
    if status == 503:
        raise Later("HTTP 503", _AWAY_S)
    if status >= 500:
        raise OutcomeUnknown(f"HTTP {status}")
    try:
        return msgspec.json.decode(raw, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        reason = f"HTTP {status}, not a JSON object"
    if 200 <= status < 300:
        raise OutcomeUnknown(reason)
    raise Later(reason, _AWAY_S)
