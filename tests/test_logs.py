"""What never stands in a log, whatever is logged."""

import logging

import pytest

from bot import logs


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (
            "POST https://api.telegram.org/bot7000000011:AAfakeFAKEfakeFAKEfakeFAKEfakeFAKE0/sendMessage",
            "POST https://api.telegram.org/***/sendMessage",
        ),
        ("token 7000000011:AAfakeFAKEfakeFAKEfakeFAKEfakeFAKE0 refused", "token *** refused"),
        ("at 10:30 and 12:45 on 2026-11-22", "at 10:30 and 12:45 on 2026-11-22"),
        ("https://x/y?access_token=77_abc&z=1", "https://x/y?access_token=***&z=1"),
    ],
)
def test_scrub(said: str, written: str) -> None:
    assert logs.scrub(said) == written


def test_libraries_that_write_addresses_are_kept_quiet() -> None:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        logs.set_up("DEBUG")
        for name in ("httpx", "httpcore.http11", "telegram.Bot", "telegram.request.HTTPXRequest", "aiohttp.access"):
            assert not logging.getLogger(name).isEnabledFor(logging.INFO), name
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
