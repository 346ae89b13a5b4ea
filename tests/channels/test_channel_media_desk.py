"""Photos of Telegram and of MMS: from the bytes of a push to a file that staff see, over real sockets."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from msgspec import structs

from bot.engine.media import LARGEST, MediaFetcher
from bot.store.base import Row, mappings
from bot.store.media import media
from bot.store.messages import messages
from bot.store.staff import staff
from bot.web import staff as console
from bot.web.context import Context
from bot.web.simulator.sms_twilio import Twilio
from bot.web.simulator.wechat_media import PDF, PHOTO, SPOKEN
from channels.errors import Later, Misconfigured, Rejected, SendError
from tests.channels import sms_desk, telegram_desk
from tests.channels.sms_desk import SmsDesk
from tests.channels.sms_kit import TOKEN as AUTH_TOKEN
from tests.channels.telegram_kit import PERSON, TOKEN, platform_and_channel
from tests.support.clock import StoppedClock
from tests.web.console_kit import Browser, enter

WANG = "+8613912345678"
PASSWORD = "correct horse battery"
GONE = "Bad Request: wrong file_id or the file is temporarily unavailable"


@asynccontextmanager
async def agent(context: Context, folder: Path) -> AsyncIterator[Browser]:
    """The console of a desk, and somebody of the desk who is signed in."""
    everyone = await context.database.read(lambda conn: mappings(conn, sa.select(staff).where(staff.c.name == "李敏")))
    hashed = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    await context.database.write(lambda conn: conn.execute(sa.update(staff).values(password_hash=hashed)))
    app = console.application(replace(context, settings=structs.replace(context.settings, data_dir=folder)))
    console.add_routes(app)
    async with TestServer(app) as server:
        browser = Browser(TestClient(server))
        assert (await enter(browser, everyone[0]["login"], PASSWORD)).status == 303
        yield browser
        await browser.client.close()


def fetcher(context: Context, folder: Path) -> MediaFetcher:
    return MediaFetcher(context.database, context.channels, context.clock, folder)


async def seen(context: Context, folder: Path, row: Row) -> tuple[str, str, bytes]:
    """The thread as an agent sees it, and the file that it leads to, with its type."""
    statement = sa.select(messages.c.conversation_id).where(messages.c.id == row["message_id"])
    conversation = await context.database.read(lambda conn: conn.execute(statement).scalar_one())
    async with agent(context, folder) as browser:
        page = await browser.text(f"/inbox/{conversation}")
        response = await browser.get(f"/media/{row['id']}")
        return page, response.headers["Content-Type"], await response.read()


async def test_what_is_sent_on_telegram_is_fetched_kept_and_shown(
    database_url: str, clock: StoppedClock, tmp_path: Path
) -> None:
    async with telegram_desk.opened(database_url, clock) as desk:
        await desk.until(lambda: desk.platform.bot.webhook == desk.url)
        await desk.platform.photo(PERSON)
        await desk.platform.voice(PERSON)
        await desk.platform.document(PERSON, "合同.pdf", len(PDF))
        assert [row["state"] for row in await desk.rows(media)] == ["waiting"] * 3, "in the commit of its message"
        assert await fetcher(desk.context, tmp_path).round() == 3
        rows = await desk.rows(media)
        assert [(row["state"], row["content_type"], row["size"], row["error"]) for row in rows] == [
            ("fetched", "image/png", len(PHOTO), ""), ("fetched", "audio/ogg", len(SPOKEN), ""),
            ("fetched", "application/pdf", len(PDF), ""),
        ]  # fmt: skip
        kept = [tmp_path / "media" / row["path"] for row in rows]
        assert [path.read_bytes() for path in kept] == [PHOTO, SPOKEN, PDF]
        assert [path.suffix for path in kept] == [".png", ".ogg", ".pdf"]
        page, shown_as, shown = await seen(desk.context, tmp_path, rows[0])
        assert all(f"/console/media/{row['id']}" in page for row in rows)
        assert (shown_as, shown) == ("image/png", PHOTO)
        assert TOKEN not in repr(rows) + page


async def test_pictures_of_an_mms_are_fetched_kept_and_shown(
    database_url: str, clock: StoppedClock, tmp_path: Path
) -> None:
    async with sms_desk.opened(database_url, clock) as desk:
        fields = twilio(desk).mms((PHOTO, "image/png"), (PDF, "application/pdf"))
        await desk.gateway.push_text(WANG, "3栋2单元1502厨房漏水", **fields)
        assert await fetcher(desk.context, tmp_path).round() == 2
        rows = await desk.rows(media)
        assert [(row["state"], row["content_type"]) for row in rows] == [
            ("fetched", "image/png"), ("fetched", "application/pdf"),
        ]  # fmt: skip
        page, shown_as, shown = await seen(desk.context, tmp_path, rows[0])
        assert all(f"/console/media/{row['id']}" in page for row in rows)
        assert (shown_as, shown) == ("image/png", PHOTO)
        assert AUTH_TOKEN not in repr(rows) + page
        assert desk.gateway.calls["Media"] == desk.gateway.calls["kept"] == 2


def twilio(desk: SmsDesk) -> Twilio:
    assert isinstance(desk.gateway.dialect, Twilio)
    return desk.gateway.dialect


async def test_an_mms_that_names_another_host_is_looked_for_at_our_own_api_alone(
    sqlite_url: str, clock: StoppedClock, tmp_path: Path
) -> None:
    """A push is signed, but an address in it must never learn our credentials."""
    async with sms_desk.opened(sqlite_url, clock) as desk:
        fields = twilio(desk).mms((PHOTO, "image/png"))
        elsewhere = {
            **fields,
            "MediaUrl0": fields["MediaUrl0"].replace("https://api.twilio.com", "http://127.0.0.1:9"),
        }
        strange = {**fields, "MediaUrl0": "http://169.254.169.254/latest/meta-data"}
        await desk.gateway.push_text(WANG, "看", **elsewhere)
        await desk.gateway.push_text(WANG, "看", **strange)
        assert await fetcher(desk.context, tmp_path).round() == 1
        assert [row["state"] for row in await desk.rows(media)] == ["fetched"]
        assert desk.gateway.calls["Media"] == 1


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (("getFile", {"status": 400, "description": "Bad Request: file is too big"}), Rejected),
        (("getFile", {"status": 400, "description": GONE}),
         Later),
        (("getFile", {"status": 401, "description": "Unauthorized"}), Misconfigured),
        (("getFile", {"status": 429, "parameters": {"retry_after": 3}}), Later),
        (("getFile", {"status": 502, "page": True}), Later),
        (("getFile", {"cut": "before"}), Later),
        (("file", {"status": 404}), Rejected),
        (("file", {"status": 500}), Later),
        (("file", {"status": 429}), Later),
        (("file", {"cut": "before"}), Later),
    ],
)  # fmt: skip
async def test_what_each_failure_of_telegram_means_for_a_file(
    script: tuple[str, Mapping[str, object]], error: type[SendError]
) -> None:
    async with platform_and_channel() as (platform, channel):
        platform.script(script[0], **script[1])  # type: ignore[arg-type]
        with pytest.raises(error) as caught:
            await channel.download("PHOTO1", LARGEST)
        assert TOKEN not in repr(caught.value) + repr(caught.value.__context__) + repr(caught.value.__cause__)
        assert platform.unused_scripts() == []
        assert await channel.download("PHOTO1", LARGEST) == PHOTO


async def test_a_file_of_telegram_that_is_too_large_or_nowhere_is_not_read() -> None:
    async with platform_and_channel() as (platform, channel):
        with pytest.raises(Rejected, match="larger than 10 bytes"):
            await channel.download("PHOTO1", 10)
        assert platform.calls["file"] == 0
        platform.bot.files["big"] = bytes(LARGEST + 1)
        with pytest.raises(Rejected, match="too big"):
            await channel.download("big", LARGEST)
        with pytest.raises(Later):
            await channel.download("nobody's", LARGEST)


async def test_a_path_of_the_servers_own_disk_is_never_opened_on_ours(tmp_path: Path) -> None:
    """A Bot API server started with --local names such paths, and the library opens them."""
    secret = tmp_path / "secret"
    secret.write_text("key")
    async with platform_and_channel() as (platform, channel):
        answer = f'{{"ok":true,"result":{{"file_id":"x","file_unique_id":"x","file_path":"{secret}"}}}}'
        platform.script("getFile", body=answer)
        with pytest.raises(Rejected, match="--local"):
            await channel.download("x", LARGEST)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (("Media", {"status": 404}), Rejected), (("Media", {"status": 500}), Later),
        (("Media", {"status": 429}), Later), (("Media", {"cut": "before", "times": 2}), Later),
        (("kept", {"status": 403}), Rejected), (("kept", {"status": 503}), Later),
    ],
)  # fmt: skip
async def test_what_each_failure_of_twilio_means_for_a_file(
    sqlite_url: str, clock: StoppedClock, script: tuple[str, Mapping[str, object]], error: type[SendError]
) -> None:
    async with sms_desk.opened(sqlite_url, clock) as desk:
        await desk.gateway.push_text(WANG, "看", **twilio(desk).mms((PHOTO, "image/png")))
        (row,) = await desk.rows(media)
        channel = desk.context.channels["sms", "main"]
        desk.gateway.script(script[0], **script[1])  # type: ignore[arg-type]
        with pytest.raises(error) as caught:
            await channel.download(row["media_id"], LARGEST)  # type: ignore[attr-defined]
        assert AUTH_TOKEN not in repr(caught.value)
        with pytest.raises(Rejected, match="larger"):
            await channel.download(row["media_id"], 10)  # type: ignore[attr-defined]


async def test_a_gateway_without_files_says_so(sqlite_url: str, clock: StoppedClock) -> None:
    async with sms_desk.opened(sqlite_url, clock, "aliyun") as desk:
        channel = desk.context.channels["sms", "main"]
        assert not channel.capabilities.media
        with pytest.raises(Rejected, match="no files"):
            await channel.download("x", LARGEST)  # type: ignore[attr-defined]
