"""What must stand in no log (law 14): the secrets of the fixtures, phone numbers, tokens. For the whole suite."""

import logging
import re
from collections.abc import Iterable

from bot import logs

SECRETS = (
    "s3cr3t0fthisaccount", "proptoken2026", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "engine-app-secret-0123456789", "enginetoken2026",
    "AAfakeFAKEfakeFAKEfakeFAKEfakeFAKE0", "webhook-secret_OF-this-account", "simulated-secret",
    "0123456789abcdef0123456789abcdef", "SKEXAMPLEsecretofthisaccount01", "pK7-unguessable_0123456789",
    "correct horse battery",
)  # fmt: skip
"""Of every kit; `tests/test_logs.py` holds the list complete."""
OURS = ("bot", "channels", "workflows", "intents", "knowledge_base")

_PATTERNS = {
    "a mobile number": re.compile(r"(?<![0-9A-Za-z])(?:\+?86)?1[3-9][0-9]{9}(?![0-9A-Za-z])"),
    "a bot's token": re.compile(r"(?<![0-9])[0-9]{5,20}:[A-Za-z0-9_-]{30,}"),
    "an access token": re.compile(r"access_token[\"']?\s*[=:]\s*[\"']?(?!\*|%s)[^\s\"'&,}]{8,}"),
    "credentials": re.compile(r"\b(?:Bearer|Basic) [A-Za-z0-9+/=_.-]{16,}"),
}


def found(text: str, secrets: Iterable[str] = SECRETS) -> list[str]:
    """What `text` holds that it must not, without quoting it whole."""
    known = [f"the secret {secret[:4]}…" for secret in secrets if secret in text]
    return known + [f"{what}: {match[0][:5]}…" for what, one in _PATTERNS.items() if (match := one.search(text))]


class Ear(logging.Handler):
    """Hears every record from INFO on, as it would be written; what our own code says also before it is scrubbed."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logs._Lines())
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        ours = record.name.partition(".")[0] in OURS
        text = self.format(record) + (record.getMessage() if ours else "")
        self.heard += [f"{record.name} logged {what}" for what in found(text)]

    def listen(self) -> None:
        """Be at the root, which a test may have cleared, with the levels of a service that runs."""
        root = logging.getLogger()
        # What a verb set up in an earlier test writes to a stream that is closed by now.
        root.handlers[:] = [one for one in root.handlers if not getattr(getattr(one, "stream", None), "closed", False)]
        if self not in root.handlers:
            root.addHandler(self)
        if root.level > logging.INFO:
            root.setLevel(logging.INFO)
        logs.quieten()
        self.heard.clear()
