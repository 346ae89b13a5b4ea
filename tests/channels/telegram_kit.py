"""The bot under test, and the ways to forge and break what it gets."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from multidict import CIMultiDict

from bot.web.simulator.telegram import TelegramPlatform
from bot.web.simulator.telegram_push import Limits
from channels.messages import WebhookRequest
from channels.telegram import Telegram, TelegramSettings
from channels.telegram.pace import Rates
from channels.telegram.updates import BODY_LIMIT

TOKEN: Final = "7000000011:AAfakeFAKEfakeFAKEfakeFAKEfakeFAKE0"
SECRET: Final = "webhook-secret_OF-this-account"
HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
PERSON: Final = 5012345678
SENT_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
QUICK: Final = Limits(answer_s=10.0, pause_s=0.0, repeats=0)
AT_ONCE: Final = Rates(chat=(10_000, 1.0), overall=(10_000, 1.0))

_UPDATE_ID: Final = re.compile(rb'"update_id":\s*[0-9]+')


def settings(api_base: str = "http://127.0.0.1:9", **changes: str) -> TelegramSettings:
    """The bot's settings."""
    values = {"bot_token": TOKEN, "webhook_secret": SECRET, "api_base": api_base, **changes}
    return TelegramSettings(**values)  # type: ignore[arg-type]


@asynccontextmanager
async def platform_and_channel(
    timeout_s: float = 5.0, rates: Rates = AT_ONCE, **changes: str
) -> AsyncIterator[tuple[TelegramPlatform, Telegram]]:
    """The stand-in with one phone, and the channel that calls it."""
    platform = TelegramPlatform(TOKEN, now=lambda: SENT_AT, limits=QUICK)
    await platform.start()
    platform.phone(PERSON)
    channel = Telegram("main", settings(platform.base_url, **changes), timeout_s=timeout_s, rates=rates)
    try:
        yield platform, channel
    finally:
        await channel.close()
        await platform.stop()


class TelegramKit:
    """See `tests.channels.cases.Kit`."""

    secrets: tuple[str, ...] = (TOKEN, TOKEN.partition(":")[2], SECRET)
    sent_at = SENT_AT

    def channel(self) -> Telegram:
        """A bot whose API does not exist."""
        return Telegram("main", settings())

    def request(self, body: bytes, headers: Mapping[str, str] | None = None) -> WebhookRequest:
        """A push as Telegram makes it."""
        given = {HEADER: SECRET} if headers is None else headers
        return WebhookRequest(
            method="POST", suffix="", query={}, headers=CIMultiDict(given), body=body, received_at=SENT_AT
        )  # fmt: skip

    def forgeries(self, body: bytes) -> Iterable[tuple[str, WebhookRequest]]:
        """Without the secret, with another one, or with the right one in the wrong place."""
        yield "no header", self.request(body, {})
        changes = {
            "empty": "", "cut": SECRET[:-1], "long": SECRET + "0", "case": SECRET.swapcase(), "blank": f" {SECRET}",
            "odd": "\ud800漏\x00", "the token": TOKEN,
        }  # fmt: skip
        for name, value in changes.items():
            yield name, self.request(body, {HEADER: value})
        yield "another header", self.request(body, {"X-Secret-Token": SECRET})
        yield "bearer", self.request(body, {"Authorization": f"Bearer {SECRET}"})

    def mutilations(self, body: bytes) -> Iterable[tuple[str, bytes]]:
        """Cuts, excess, other encodings, and an update id that is none."""
        plain = body.strip()
        for part in (0.1, 0.5, 0.9):
            yield f"cut at {part}", plain[: int(len(plain) * part)]
        yield "cut by one", plain[:-1]
        yield "twice", plain + plain
        yield "oversized", plain + b" " * BODY_LIMIT
        yield "bad UTF-8", plain[:-1] + b',"z":"\xff\xfe"}'
        yield "surrogate in UTF-8", plain[:-1] + b',"z":"\xed\xa0\x80"}'
        yield "UTF-16", plain.decode().encode("utf-16")
        yield "byte order mark", b"\xef\xbb\xbf" + plain
        yield "deep", plain[:-1] + b',"z":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        yield "not a number", plain[:-1] + b',"z":NaN}'
        yield "a list", b"[" + plain + b"]"
        yield from {"nothing": b"", "null": b"null", "XML": b"<xml/>", "text": b'"hello"'}.items()
        for value in (b'"1"', b"1.5", b"-1", b"true", b"null", b"[1]", b"1e400", b"9" * 40):
            yield f"update_id {value[:8]!r}", _UPDATE_ID.sub(b'"update_id":' + value, plain)
        yield "no update_id", _UPDATE_ID.sub(b'"other":1', plain)
