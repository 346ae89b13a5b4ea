"""Updates: every kind, every forgery, and python-telegram-bot as the second opinion."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import telegram
from telegram.constants import MessageType

from channels.errors import Unauthorised
from channels.messages import ChannelEvent, InboundMessage, Parsed
from channels.telegram import Telegram, TelegramSettings, updates
from channels.telegram.incoming import SERVICE, UNREAD
from tests.channels.cases import FIXTURES, check_incoming, incoming, load
from tests.channels.telegram_kit import HEADER, SECRET, TOKEN, TelegramKit, settings

KIT = TelegramKit()
NAMES = incoming("telegram")
READ = [name for name in NAMES if load(KIT, "telegram", name).parsed is not None]


def body_of(name: str) -> bytes:
    return Path(FIXTURES / "telegram" / f"{name}.json").read_bytes()


def parsed(name: str) -> Parsed:
    return KIT.channel().parse(KIT.request(body_of(name)))


@pytest.mark.parametrize("name", NAMES)
def test_incoming(name: str, caplog: pytest.LogCaptureFixture) -> None:
    check_incoming(KIT, load(KIT, "telegram", name), caplog)


def test_there_are_enough_cases() -> None:
    assert len(NAMES) >= 70
    assert len(NAMES) - len(READ) >= 10


# The secret


def test_header_names_have_no_case() -> None:
    for name in (HEADER, HEADER.lower(), HEADER.upper()):
        KIT.channel().verify(KIT.request(b"", {name: SECRET}))


def test_without_a_secret_of_our_own_nobody_is_let_in() -> None:
    channel = Telegram("main", TelegramSettings(bot_token=TOKEN, mode="polling"))
    assert channel.routes == ()
    for given in ("", SECRET):
        with pytest.raises(Unauthorised):
            channel.verify(KIT.request(b"", {HEADER: given}))


# python-telegram-bot as the oracle

PTB_NAMES = {"sender": "from_user"}


def same(ours: Any, theirs: Any, path: str) -> int:
    """Compare field by field what our types hold with what the library read; how many values were equal."""
    if hasattr(ours, "__struct_fields__"):
        return sum(
            same(getattr(ours, name), getattr(theirs, PTB_NAMES.get(name, name), None), f"{path}.{name}")
            for name in ours.__struct_fields__
        )
    if isinstance(ours, tuple) and theirs:
        assert len(ours) == len(theirs), path
        return sum(same(mine, other, path) for mine, other in zip(ours, theirs, strict=True))
    if path.endswith(".date"):
        theirs = int(theirs.timestamp()) if hasattr(theirs, "timestamp") else theirs
    if ours is None:
        assert theirs in (None, ()), path
        return 0
    if isinstance(theirs, telegram.constants.ChatType | telegram.constants.ChatMemberStatus):
        theirs = theirs.value
    assert ours == (theirs.total_seconds() if hasattr(theirs, "total_seconds") else theirs), path
    return 1


@pytest.mark.parametrize("name", READ)
def test_agrees_with_the_library(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # else the library warns that its durations will change their type
    theirs = telegram.Update.de_json(json.loads(body_of(name)), None)
    ours = updates.read(body_of(name).decode())
    assert same(ours, theirs, name) >= 1


def test_every_kind_of_message_of_the_library_has_its_place() -> None:
    """A kind that is new there fails here, and is put where it belongs."""
    contents = {
        "animation", "audio", "contact", "document", "location", "photo", "text", "venue", "video", "video_note",
        "voice",
    }  # fmt: skip
    # Marks on a message, not messages of their own.
    marks = {
        "business_connection_id", "effect_id", "reply_to_story", "sender_boost_count", "sender_business_bot",
        "suggested_post_info",
    }  # fmt: skip
    assert {kind.value for kind in MessageType} == contents | marks | SERVICE | set(UNREAD)
    assert not contents & SERVICE
    assert not set(UNREAD) & SERVICE


def test_what_is_sent_as_the_secret_is_what_the_library_looks_for() -> None:
    """The name of the header, from the library's own webhook."""
    source = Path(telegram.__file__).parent / "ext" / "_utils" / "webhookhandler.py"
    assert HEADER in source.read_text("utf-8")


# Keys


def items(one: Parsed) -> list[InboundMessage | ChannelEvent]:
    return [*one.messages, *one.events]


def test_repeats_have_one_key_and_everything_else_another() -> None:
    keys = [item.external_id for name in READ for item in items(parsed(name))]
    assert keys == [item.external_id for name in READ for item in items(parsed(name))]
    assert len(set(keys)) == len(keys) > 40


def test_an_update_id_that_comes_again_after_a_quiet_week_hides_no_message() -> None:
    body = body_of("text__plain")
    later = re.sub(rb'"message_id": [0-9]+', b'"message_id": 9001', body)
    first, second = (KIT.channel().parse(KIT.request(one)).messages[0].external_id for one in (body, later))
    assert first != second


# Settings


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"bot_token": "token"}, "bot_token must be as BotFather gave it"),
        ({"bot_token": f"bot{TOKEN}"}, "bot_token must be as BotFather gave it"),
        ({"webhook_secret": ""}, "webhook_secret must be set; without a public address choose mode polling"),
        ({"webhook_secret": "with blank"}, "webhook_secret must be 1 to 256"),
        ({"webhook_secret": "x" * 257}, "webhook_secret must be 1 to 256"),
        ({"api_base": "api.telegram.org"}, "api_base must be"),
        ({"proxy": "socks5://127.0.0.1"}, "proxy must be"),
    ],
)
def test_wrong_settings_are_told(change: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        settings(**change)
    assert TOKEN not in str(caught.value)


def test_settings_and_channel_do_not_show_secrets() -> None:
    for shown in (repr(settings()), str(settings()), repr(settings().__rich_repr__()), repr(KIT.channel())):
        assert all(secret not in shown for secret in KIT.secrets)
    assert "mode='webhook'" in repr(settings())


def test_redact() -> None:
    text = f"POST https://api.telegram.org/bot{TOKEN}/sendMessage {SECRET} {TOKEN.partition(':')[2]}"
    assert KIT.channel().redact(text) == "POST https://api.telegram.org/bot***/sendMessage *** ***"
