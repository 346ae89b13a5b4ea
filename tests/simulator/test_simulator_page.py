"""The page and what it calls, without a browser."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import bot.web.simulator
from bot.web.simulator.pages import VISITOR
from channels.messages import OutboundMessage
from tests.simulator.service import LI, SECRET, TOKEN, WANG, desk

FOLDER = Path(bot.web.simulator.__file__).parent


async def get(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        return await response.text()


async def post(url: str, payload: object, **more: Any) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, json=payload, **more) as response:
        return response.status


async def test_the_page_shows_the_people_and_loads_only_its_own_files() -> None:
    async with desk() as (_, _service, base):
        page = await get(f"{base}/simulator")
        for text in (WANG.name, WANG.note, LI.name, VISITOR.name, "服务号", "翠湖苑物业服务中心", "厨房水管漏水"):
            assert text in page
        addresses = re.findall(r'(?:src|href)="([^"#]+)"', page)
        assert all(address.startswith(("/simulator/static/", "/console", "data:")) for address in addresses)
        for address in addresses:
            if address.startswith("/simulator/static/"):
                assert len(await get(base + address)) > 1000
        assert "<script>" not in page
        assert "<style" not in page
        assert not re.search(r'\son\w+="|style="', page)


def test_static_files_use_no_other_host() -> None:
    for path in [*(FOLDER / "static").iterdir(), *(FOLDER / "templates").iterdir()]:
        found = set(re.findall(r"https?://[^\s\"')]+", path.read_text("utf-8")))
        assert found <= {"http://www.w3.org/2000/svg"}, path.name


async def test_what_is_done_on_the_phone_travels_and_shows_up_in_the_state() -> None:
    async with desk() as (platform, service, base):
        send = f"{base}/simulator/wechat/send"
        assert await post(send, {"openid": WANG.openid, "kind": "text", "text": "漏水"}) == 202
        await platform.wire.until(lambda: platform.phone(WANG.openid).received() == ["收到：漏水"])
        for kind, text in (("image", ""), ("voice", ""), ("location", ""), ("click", "MENU_REPAIR"), ("unfollow", "")):
            assert await post(send, {"openid": WANG.openid, "kind": kind, "text": text}) == 202
        await platform.wire.until(lambda: len(platform.wire.transfers) == 6)
        assert len(service.seen) == 6
        state = json.loads(await get(f"{base}/simulator/state"))
        phones = {phone["openid"]: phone for phone in state["phones"]}
        assert set(phones) == {WANG.openid, LI.openid, VISITOR.openid}
        assert not phones[WANG.openid]["followed"]
        assert phones[WANG.openid]["screen"][0]["text"] == "漏水"
        assert {transfer["direction"] for transfer in state["transfers"]} == {"push"}
        assert SECRET not in json.dumps(state)
        assert TOKEN not in json.dumps(state)


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ({"openid": "oStranger", "kind": "text", "text": "x"}, 400),
        ({"openid": WANG.openid, "kind": "text", "text": ""}, 400),
        ({"openid": WANG.openid, "kind": "text", "text": "x" * 4001}, 400),
        ({"openid": WANG.openid, "kind": "shout"}, 400),
        ({"kind": "text"}, 400),
        ([], 400),
    ],
)
async def test_nonsense_is_refused(payload: object, status: int) -> None:
    async with desk() as (platform, _, base):
        assert await post(f"{base}/simulator/wechat/send", payload) == status
        assert not platform.wire.transfers


async def test_a_form_of_a_foreign_page_is_refused() -> None:
    async with desk() as (_, _service, base), aiohttp.ClientSession() as session:
        body = json.dumps({"openid": WANG.openid, "kind": "text", "text": "x"})
        headers = {"Content-Type": "text/plain"}
        async with session.post(f"{base}/simulator/wechat/send", data=body, headers=headers) as response:
            assert response.status == 415


async def next_event(stream: aiohttp.StreamReader) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            line = await stream.readline()
            if line.startswith(b"data: "):
                event: dict[str, Any] = json.loads(line[6:])
                return event


async def test_the_stream_tells_what_happens_and_ends_with_the_server() -> None:
    async with aiohttp.ClientSession() as session:
        async with desk() as (platform, service, base):
            response = await session.get(f"{base}/simulator/events")
            assert response.content_type == "text/event-stream"
            assert await response.content.readline() == b"retry: 1000\n"
            await platform.push_text(WANG.openid, "漏水")
            events = [await next_event(response.content) for _ in range(3)]
            assert [event["entry"]["text"] for event in events if "entry" in event] == ["漏水", "收到：漏水"]
            assert [event["transfer"]["outcome"] for event in events if "transfer" in event] == ["reply"]
            assert events[0]["phone"]["left"] == 5
            await service.channel.send(OutboundMessage(row_id="1", address=WANG.openid, text="师傅来了"))
            later = [await next_event(response.content) for _ in range(3)]
            assert [event["entry"]["via"] for event in later if "entry" in event] == ["push"]
        async with asyncio.timeout(5):
            assert b"data" not in await response.content.read()
        response.close()
