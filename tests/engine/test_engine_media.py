"""Photos, voices and videos: fetched in time, told by their content, kept through crashes, given up aloud."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.engine import media as engine
from bot.engine.media import FORGOTTEN_AFTER, LEASE, MediaFetcher
from bot.store.base import Row
from bot.store.media import claim, media
from bot.store.messages import messages
from bot.web.simulator.wechat_media import PHOTO, VIDEO, VOICE
from tests.engine import kit
from tests.engine.kit import Kit, openid, under_way
from tests.support.clock import StoppedClock

GET = "media/get"


@pytest.fixture
async def desk(database_url: str, clock: StoppedClock) -> AsyncIterator[Kit]:
    async with kit.opened(database_url, clock) as desk:
        yield desk


@pytest.fixture
def fetcher(desk: Kit, tmp_path: Path) -> MediaFetcher:
    return another(desk, tmp_path)


def another(desk: Kit, folder: Path) -> MediaFetcher:
    """The fetcher of one process."""
    return MediaFetcher(desk.database, {("wechat", "main"): desk.channel}, desk.clock, folder)


async def only(desk: Kit) -> Row:
    return await desk.row(media)


@pytest.mark.parametrize(
    ("kind", "content", "named", "ending"),
    [
        ("image", PHOTO, "image/png", ".png"),
        ("voice", VOICE, "audio/amr", ".amr"),
        ("video", VIDEO, "video/mp4", ".mp4"),
    ],
)
async def test_a_file_is_fetched_and_kept(
    desk: Kit, fetcher: MediaFetcher, tmp_path: Path, kind: str, content: bytes, named: str, ending: str
) -> None:
    await getattr(desk.platform, f"push_{kind}")(openid())
    expected = await only(desk)
    assert (expected["state"], expected["attempts"]) == ("waiting", 0), "in the commit of its message"
    assert await fetcher.round() == 1
    row = await only(desk)
    assert (row["state"], row["content_type"], row["size"], row["error"]) == ("fetched", named, len(content), "")
    kept = tmp_path / "media" / row["path"]
    assert (kept.read_bytes(), kept.suffix) == (content, ending)
    assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == [kept]
    assert await fetcher.round() == 0


async def test_what_is_no_file_is_not_asked_for(desk: Kit, fetcher: MediaFetcher) -> None:
    who = openid()
    await desk.platform.push_location(who, 31.2, 121.4, "北门")
    await desk.push(who, "厨房漏水")
    assert (await desk.count(media), await fetcher.round()) == (0, 0)


async def test_a_repeat_asks_once(desk: Kit) -> None:
    pushed = await desk.platform.push_image(openid())
    await desk.post(pushed.body)
    assert (await desk.count(messages), await desk.count(media)) == (1, 1)


async def test_a_page_in_place_of_a_photo_is_not_kept(desk: Kit, fetcher: MediaFetcher) -> None:
    desk.platform.script(GET, html=True)
    await desk.platform.push_image(openid())
    await fetcher.round()
    assert (await only(desk))["error"] == "no image: unknown content"


EXECUTABLE, HTML, SVG = b"MZ\x90\x00" + bytes(60), b"<html><script>alert(1)</script>", b"<svg onload='alert(1)'/>"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (EXECUTABLE, "no image: unknown content"),
        (HTML, "no image: unknown content"),
        (SVG, "no image: unknown content"),
        (VOICE, "no image: audio/amr"),
        (b"", "no image: unknown content"),
    ],
)
async def test_a_file_that_is_not_what_it_says_is_not_kept(
    desk: Kit, fetcher: MediaFetcher, tmp_path: Path, content: bytes, says: str
) -> None:
    await desk.platform.push_image(openid(), desk.platform.upload(content, "image"))
    await fetcher.round()
    row = await only(desk)
    assert (row["state"], row["error"]) == ("failed", says)
    assert not (tmp_path / "media").exists()


async def test_a_file_that_is_too_large_is_not_kept(
    desk: Kit, fetcher: MediaFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LARGEST", len(PHOTO) - 1)
    await desk.platform.push_image(openid())
    await fetcher.round()
    row = await only(desk)
    assert (row["state"], row["error"]) == ("failed", f"larger than {len(PHOTO) - 1} bytes")


@pytest.mark.parametrize(
    "fault",
    [{"errcode": -1}, {"errcode": 45009}, {"errcode": 45011}, {"status": 502}, {"status": 429}],
    ids=str,
)
async def test_what_may_pass_is_tried_again(desk: Kit, fetcher: MediaFetcher, fault: dict[str, Any]) -> None:
    desk.platform.script(GET, **fault)
    await desk.platform.push_image(openid())
    await fetcher.round()
    row = await only(desk)
    assert (row["state"], row["attempts"]) == ("waiting", 1)
    assert row["error"]
    assert await fetcher.round() == 0, "not before its time"
    desk.pass_time(seconds=10)
    assert await fetcher.round() == 1
    assert (await only(desk))["state"] == "fetched"


async def test_a_token_that_is_over_is_fetched_anew(desk: Kit, fetcher: MediaFetcher) -> None:
    await desk.push(openid(), "厨房漏水")
    await desk.channel.try_credentials()
    desk.platform.expire_token()
    await desk.platform.push_image(openid())
    await fetcher.round()
    assert [row["state"] for row in await desk.rows(media)] == ["fetched"]


@pytest.mark.parametrize("fault", [{"errcode": 40007}, {"errcode": 41005}, {"status": 404}], ids=str)
async def test_what_no_try_can_help_fails_at_once(desk: Kit, fetcher: MediaFetcher, fault: dict[str, Any]) -> None:
    desk.platform.script(GET, **fault)
    await desk.platform.push_image(openid())
    await fetcher.round()
    assert (await only(desk))["state"] == "failed"


async def test_it_is_given_up_when_the_platform_has_forgotten_it(desk: Kit, fetcher: MediaFetcher) -> None:
    desk.platform.script(GET, errcode=-1, times=100)
    await desk.platform.push_image(openid())
    began, tries = desk.clock.now(), 0
    while (row := await only(desk))["state"] == "waiting":
        desk.clock.advance(seconds=max(0.0, (row["due_at"] - desk.clock.now()).total_seconds()))
        tries += await fetcher.round()
    assert row["state"] == "failed"
    assert "SYSTEM_BUSY" in row["error"]
    assert 10 < tries < 30
    assert timedelta(days=2) < desk.clock.now() - began < FORGOTTEN_AFTER


async def test_a_file_of_a_process_that_died_is_fetched_by_another(
    desk: Kit, fetcher: MediaFetcher, tmp_path: Path
) -> None:
    await desk.platform.push_image(openid())
    taken = await desk.database.write(claim, desk.clock.now(), 10, LEASE)
    assert len(taken) == 1
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "half.part").write_bytes(PHOTO[:100])
    assert await fetcher.round() == 0, "somebody has it"
    desk.pass_time(seconds=LEASE.total_seconds() + 1)
    assert await fetcher.round() == 1
    row = await only(desk)
    assert (row["state"], row["attempts"]) == ("fetched", 2)


async def test_two_processes_never_fetch_the_same_file(desk: Kit, tmp_path: Path) -> None:
    for _ in range(6):
        await desk.platform.push_image(openid())
    pair = (another(desk, tmp_path), another(desk, tmp_path))
    async with asyncio.timeout(kit.WAIT_S):
        while any(await asyncio.gather(*(one.round() for one in pair))):
            pass
    assert desk.platform.calls[GET] == 6
    assert {row["state"] for row in await desk.rows(media)} == {"fetched"}


async def test_no_transaction_is_open_while_it_is_fetched(desk: Kit, fetcher: MediaFetcher) -> None:
    """A push is stored and answered while a download hangs."""
    desk.platform.script(GET, hang="before")
    await desk.platform.push_image(openid())
    round_ = asyncio.create_task(fetcher.round())
    await under_way(round_)
    assert (await desk.push(openid(), kit.HELLO)).result == "reply"
    desk.platform.faults.release()
    assert await round_ == 1


async def test_an_account_that_is_gone_is_no_end(desk: Kit, tmp_path: Path) -> None:
    await desk.platform.push_image(openid())
    await MediaFetcher(desk.database, {}, desk.clock, tmp_path).round()
    row = await only(desk)
    assert (row["state"], row["error"]) == ("waiting", "no account 'main' of channel 'wechat' is configured")


async def test_a_full_disk_is_tried_again(desk: Kit, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    await desk.platform.push_image(openid())
    await another(desk, blocked).round()
    assert (await only(desk))["state"] == "waiting"


async def test_it_runs_by_itself_and_stops(desk: Kit, fetcher: MediaFetcher) -> None:
    await desk.platform.push_image(openid())
    fetcher.start()
    try:
        await desk.until(
            lambda conn: conn.execute(sa.select(media.c.id).where(media.c.state == "fetched")).scalar_one_or_none()
        )
    finally:
        await fetcher.close()
