"""What never stands in a log, whatever is logged."""

import logging

import pytest

from bot import logs
from tests.channels import sms_kit, telegram_kit, wechat_kit
from tests.channels.wechat_kit import AES_KEY
from tests.engine import kit as engine
from tests.simulator import service, telegram_service
from tests.support.hearing import SECRETS, Ear, found
from tests.web import console_seed


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


def test_the_ear_of_the_suite_knows_every_secret_of_the_kits() -> None:
    secrets = [
        wechat_kit.SECRET, wechat_kit.TOKEN, AES_KEY, telegram_kit.TOKEN, telegram_kit.SECRET, sms_kit.TOKEN,
        sms_kit.KEY_SECRET, sms_kit.PUSH_KEY, engine.SECRET, engine.TOKEN, service.SECRET, service.AES_KEY,
        telegram_service.BOT_TOKEN, telegram_service.WEBHOOK_SECRET, console_seed.PASSWORD,
    ]  # fmt: skip
    assert [secret for secret in secrets if not found(f"x {secret} y", SECRETS)] == []


@pytest.mark.parametrize(
    ("text", "hears"),
    [
        ("resident 13912345678 wrote", "a mobile number"),
        ("to +8613912345678.", "a mobile number"),
        ("POST /bot7000000011:AAother_other-other_other-other_other/sendMessage", "a bot's token"),
        ("GET /cgi-bin/x?access_token=77_abcdefgh", "an access token"),
        ("{'access_token': '77_abcdefgh'}", "an access token"),
        ("Authorization: Basic QUNmZmZmZmZmZmZmZmY6MDEyMw==", "credentials"),
        ("proptoken2026", "the secret"),
    ],
)
def test_what_the_ear_hears(text: str, hears: str) -> None:
    assert [one for one in found(text) if one.startswith(hears)]


@pytest.mark.parametrize(
    "text",
    [
        "at 0x7f13912345678a", "MsgId 24900000000000001", "1767225600 1767225600000", "WX20261122-0001",
        "row 0192f0c1-0000-7000-8000-013912345678", "access_token=***", "token *** refused", "40001 invalid credential",
    ],
)  # fmt: skip
def test_what_is_no_secret(text: str) -> None:
    assert found(text) == []


def test_the_ear_hears_what_a_test_logs_even_where_it_would_be_scrubbed() -> None:
    ear = Ear()
    told = logging.LogRecord("bot.x", logging.INFO, "", 0, "rang %s", ("13912345678",), None)
    ear.handle(told)
    assert len(ear.heard) == 1
    ear.heard.clear()
    library = logging.LogRecord("aiohttp.server", logging.INFO, "", 0, "rang %s", ("13912345678",), None)
    ear.handle(library)
    assert ear.heard == [], "what a library says is scrubbed before it is written"
