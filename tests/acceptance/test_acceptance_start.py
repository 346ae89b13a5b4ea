"""The real process: what the first start shows, that a second keeps the data, and that it stops when asked."""

import asyncio
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.process import Service, running

STOP_WITHIN_S = 20.0


async def get(url: str) -> tuple[int, str, str]:
    """Status, where it leads, and the text."""
    async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", ""), await response.text()


async def state(service: Service) -> Mapping[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{service.url}/simulator/state") as response:
        found: Mapping[str, Any] = await response.json()
        return found


async def screen(service: Service, openid: str) -> list[str]:
    phones = (await state(service))["phones"]
    return [entry["text"] for entry in next(phone for phone in phones if phone["openid"] == openid)["screen"]]


async def write(service: Service, openid: str, text: str) -> None:
    """Write on a phone of the simulator and wait for the answer."""
    before = len(await screen(service, openid))
    act = {"openid": openid, "kind": "text", "text": text}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.url}/simulator/wechat/send", json=act) as sent,
    ):
        assert sent.status == 202
    async with asyncio.timeout(20):
        while len(await screen(service, openid)) < before + 2:
            await asyncio.sleep(0.05)


async def test_start_stop_and_start_again(tmp_path: Path) -> None:
    service = Service(tmp_path, {}, "--demo")
    async with running(service):
        said = service.log.read_text()
        assert said.index("Frontdesk: ") < said.index("is ready"), "the first start is not silent"
        assert f"{service.url}/simulator" in said
        assert f"{service.url}/console" in said
        assert re.search(r"limin +\S+\n", said)
        assert "password of all: frontdesk" in said
        assert (await get(f"{service.url}/"))[:2] == (302, "/simulator")
        phone = (await state(service))["phones"][0]["openid"]
        known = len(await screen(service, phone))
        assert known > 0
        await write(service, phone, "3栋2单元1502厨房水管漏水")
        assert "单号WX" in (await screen(service, phone))[-1]
        await write(service, phone, "家里一股煤气味")
        told = await screen(service, phone)
        assert "0571-8800 0101" in told[-1], "advice in danger reads whole"
        async with asyncio.timeout(STOP_WITHIN_S):
            assert await service.stop() == 0
        assert service.log.read_text().endswith("stopped cleanly\n")
        await service.start()
        assert await screen(service, phone) == told, "what was said before is on the phone again, once"
        async with asyncio.timeout(STOP_WITHIN_S):
            assert await service.stop() == 0


async def test_without_demonstration_there_is_the_console_only(tmp_path: Path) -> None:
    async with running(Service(tmp_path, {})) as service:
        assert "frontdesk\n" not in service.log.read_text()
        assert (await get(f"{service.url}/"))[:2] == (302, "/console")
        assert (await get(f"{service.url}/simulator"))[0] == 404
        status, _, page = await get(f"{service.url}/console/sign-in")
        assert status == 200
        assert "limin" not in page


async def test_a_taken_port_is_named_once_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = Service(tmp_path, {"FRONTDESK_PORT": str(port)}, "--demo")
        process = await service.start_unready()
        assert await asyncio.wait_for(process.wait(), STOP_WITHIN_S) == 1
    said = service.log.read_text()
    assert said == (
        f"frontdesk: port {port} on 127.0.0.1 is taken; stop what runs there, or choose another with FRONTDESK_PORT=…\n"
    )
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("settings", "arguments", "parts"),
    [
        ({}, ["--only", "web"], ("--only web needs PostgreSQL", "FRONTDESK_DATABASE_URL")),
        ({}, ["--only", "worker"], ("--only worker needs PostgreSQL",)),
        (
            {"FRONTDESK_DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:9/none"},
            ["--only", "web", "--demo"],
            ("--demo is one process",),
        ),
        ({"FRONTDESK_HOST": "203.0.113.1"}, [], ("'203.0.113.1' is no address of this machine", "FRONTDESK_HOST")),
        ({"FRONTDESK_KNOWLEDGE_DIR": "/nowhere"}, [], ("knowledge_dir is '/nowhere'", "no folder")),
    ],
)
async def test_what_cannot_be_started_is_said_in_one_sentence(
    settings: dict[str, str], arguments: list[str], parts: tuple[str, ...], tmp_path: Path
) -> None:
    service = Service(tmp_path, settings, *arguments)
    process = await service.start_unready()
    assert await asyncio.wait_for(process.wait(), STOP_WITHIN_S) == 1
    said = service.log.read_text()
    assert [part for part in parts if part not in said] == [], said
    assert said.count("\n") == 1


async def test_an_empty_or_broken_knowledge_dir_is_said_in_one_sentence(tmp_path: Path) -> None:
    for text, part in ((None, "holds no article"), ("no front matter", "front matter")):
        folder = tmp_path / str(part)
        folder.mkdir()
        if text is not None:
            (folder / "parking.md").write_text(text)
        service = Service(tmp_path / "run", {"FRONTDESK_KNOWLEDGE_DIR": str(folder)})
        process = await service.start_unready()
        assert await asyncio.wait_for(process.wait(), STOP_WITHIN_S) == 1
        last = service.log.read_text().splitlines()[-1]
        assert last.startswith("frontdesk: ")
        assert part in last
