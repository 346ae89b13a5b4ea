"""What residents sent, in the thread and on the pages of cases: who sees it, and as what it is handed out."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from bot.desk import Desk
from bot.store.alarms import alarms, call_tasks
from bot.store.base import insert, new_id
from bot.store.media import media
from bot.store.messages import attachments
from bot.web.simulator.wechat_media import PHOTO, VOICE
from tests.web.console_kit import Kit
from tests.web.console_seed import Seed, message
from tests.web.test_web_rights import EVERYBODY
from workflows import voice

READERS = "agent steward supervisor duty site quality"
PHOTO_ROW: dict[str, Any] = {
    "state": "fetched",
    "path": "2026-11/photo.png",
    "content_type": "image/png",
    "size": len(PHOTO),
}


def sent(
    conn: sa.Connection, seed: Seed, key: str, *, case: tuple[str, str] | None = None, kind: str = "image", **row: Any
) -> str:
    """A message with a file; `case`: kind and name of the case that it belongs to. The id of the file."""
    media_id = new_id().hex
    item = {"kind": kind, "media_id": media_id, "url": "", "label": "", "latitude": None, "longitude": None}
    message_id, file_id = message(conn, seed, key, "", kind=kind, attachments=[item]), new_id()
    of_message = {"message_id": message_id, "channel": "wechat", "account": "main", "media_id": media_id, "kind": kind}
    times = {"due_at": seed.now, "created_at": seed.now - timedelta(minutes=5)}
    insert(conn, media, [{"id": file_id, "position": 0, "state": "waiting", **of_message, **times, **row}])
    if case is not None:
        about = {"conversation_id": seed.conversations[key], "message_id": message_id, "at": seed.now, **item}
        insert(conn, attachments, [{"id": new_id(), "case_kind": case[0], "case_id": seed.cases[case[1]], **about}])
    return str(file_id)


def keep(kit: Kit, path: str, content: bytes) -> None:
    target = kit.context.settings.data_dir / "media" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


async def test_a_photo_is_shown_in_the_thread_and_handed_out_as_what_it_is(kit: Kit) -> None:
    keep(kit, PHOTO_ROW["path"], PHOTO)
    file_id = await kit.run(sent, kit.seed, "wang", **PHOTO_ROW)
    browser = await kit.sign_in("agent")
    page = await browser.text(f"/inbox/{kit.seed.conversations['wang']}")
    assert f'<img class="photo" src="/console/media/{file_id}"' in page
    response = await browser.get(f"/media/{file_id}")
    assert (response.status, await response.read()) == (200, PHOTO)
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["Content-Disposition"].startswith("inline;")
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]


async def test_what_a_browser_cannot_show_is_handed_out_to_be_opened(kit: Kit) -> None:
    keep(kit, "2026-11/voice.amr", VOICE)
    row = {"state": "fetched", "path": "2026-11/voice.amr", "content_type": "audio/amr", "size": len(VOICE)}
    file_id = await kit.run(sent, kit.seed, "wang", kind="voice", **row)
    browser = await kit.sign_in("agent")
    page = await browser.text(f"/inbox/{kit.seed.conversations['wang']}")
    assert f'<a href="/console/media/{file_id}" download>' in page
    response = await browser.get(f"/media/{file_id}")
    assert response.headers["Content-Disposition"] == 'attachment; filename="voice.amr"'
    assert response.headers["Content-Type"] == "audio/amr"


async def test_who_plays_a_voice_has_listened(kit: Kit) -> None:
    keep(kit, "2026-11/voice.amr", VOICE)
    row = {"state": "fetched", "path": "2026-11/voice.amr", "content_type": "audio/amr", "size": len(VOICE)}
    file_id = await kit.run(sent, kit.seed, "wang", kind="voice", **row)
    (message_id,) = await kit.run(_messages_of, file_id)

    def unheard(desk: Desk) -> None:
        for key in voice.keys(message_id):
            desk.raise_alarm("voice", "", [], key=key)
        desk.call_task("voice", "", desk.now, key=voice.keys(message_id)[0])

    await kit.context.act(kit.seed.conversations["wang"], unheard)
    auditor = await kit.sign_in("auditor")
    assert (await auditor.get(f"/media/{file_id}")).status == 404
    assert await kit.run(_standing, message_id) == 3
    browser = await kit.sign_in("agent")
    for _ in range(2):
        assert (await browser.get(f"/media/{file_id}")).status == 200
        assert await kit.run(_standing, message_id) == 0


def _messages_of(conn: sa.Connection, file_id: str) -> list[UUID]:
    return list(conn.execute(sa.select(media.c.message_id).where(media.c.id == UUID(file_id))).scalars())


def _standing(conn: sa.Connection, message_id: UUID) -> int:
    """How many alarms and tasks of a voice are open."""
    keys = voice.keys(message_id)
    alarm = sa.select(alarms.c.id).where(alarms.c.dedupe_key.in_(keys), alarms.c.closed_at.is_(None))
    task = sa.select(call_tasks.c.id).where(call_tasks.c.dedupe_key.in_(keys), call_tasks.c.state == "open")
    return len(conn.execute(alarm).all()) + len(conn.execute(task).all())


@pytest.mark.parametrize(("state", "words"), [("waiting", "正在取回"), ("failed", "没有取回，请住户再发一次")])
async def test_the_thread_tells_what_became_of_a_file(kit: Kit, state: str, words: str) -> None:
    file_id = await kit.run(sent, kit.seed, "wang", state=state)
    browser = await kit.sign_in("agent")
    assert words in await browser.text(f"/inbox/{kit.seed.conversations['wang']}")
    assert (await browser.get(f"/media/{file_id}")).status == 404


async def test_a_file_that_is_gone_from_the_disk_is_not_found(kit: Kit) -> None:
    file_id = await kit.run(sent, kit.seed, "wang", **PHOTO_ROW)
    browser = await kit.sign_in("agent")
    assert (await browser.get(f"/media/{file_id}")).status == 404
    assert (await browser.get(f"/media/{new_id()}")).status == 404
    assert (await browser.get("/media/..%2Ffrontdesk.db")).status == 404


async def test_only_readers_of_the_conversation_see_its_files(kit: Kit) -> None:
    keep(kit, PHOTO_ROW["path"], PHOTO)
    file_id = await kit.run(sent, kit.seed, "wang", **PHOTO_ROW)
    for login in (*EVERYBODY, "other"):
        response = await (await kit.sign_in(login)).get(f"/media/{file_id}")
        assert (login, response.status) == (login, 200 if login in READERS.split() else 404)
    assert (await kit.stranger().get(f"/media/{file_id}")).status == 303


async def test_a_technician_sees_the_photo_of_the_order_given_to_them(kit: Kit) -> None:
    keep(kit, PHOTO_ROW["path"], PHOTO)
    mine = await kit.run(sent, kit.seed, "wang", case=("work_order", "given"), **PHOTO_ROW)
    other = await kit.run(sent, kit.seed, "wang", case=("work_order", "order"), **PHOTO_ROW)
    tech = await kit.sign_in("tech")
    assert f"/console/media/{mine}" in await tech.text(f"/orders/{kit.seed.cases['given']}")
    assert [(await tech.get(f"/media/{one}")).status for one in (mine, other)] == [200, 404]
    assert (await (await kit.sign_in("tech2")).get(f"/media/{mine}")).status == 404


async def test_an_auditor_sees_no_picture(kit: Kit) -> None:
    keep(kit, PHOTO_ROW["path"], PHOTO)
    file_id = await kit.run(sent, kit.seed, "wang", case=("work_order", "order"), **PHOTO_ROW)
    auditor = await kit.sign_in("auditor")
    for page in (f"/inbox/{kit.seed.conversations['wang']}", f"/orders/{kit.seed.cases['order']}"):
        text = await auditor.text(page)
        assert file_id not in text
        assert "此角色不显示" in text
    assert (await auditor.get(f"/media/{file_id}")).status == 404
