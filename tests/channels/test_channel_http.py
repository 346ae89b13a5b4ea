"""The client that all channels share: what it sends, what it makes of failures, and that no address leaks."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from channels.errors import Later, OutcomeUnknown, SendError
from channels.http import JsonClient

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, timeout_s: float = 5.0) -> AsyncIterator[JsonClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = JsonClient(f"http://127.0.0.1:{runner.addresses[0][1]}/", timeout_s=timeout_s)
    try:
        yield client
    finally:
        await client.close()
        await runner.cleanup()


async def test_raw_utf_8_goes_out_and_the_object_comes_back() -> None:
    seen: list[tuple[str, bytes, str]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.path_qs, await request.read(), request.headers["Content-Type"]))
        return web.json_response({"好": 1})

    async with serving(handler) as client:
        assert await client.post("/a/b", {"text": "漏水 😭\n"}, {"access_token": "t"}) == {"好": 1}
    raw = '{"text":"漏水 😭\\n"}'.encode()
    assert seen == [("/a/b?access_token=t", raw, "application/json; charset=utf-8")]


async def test_a_redirect_is_not_followed() -> None:
    paths: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        paths.append(request.path)
        raise web.HTTPTemporaryRedirect("/elsewhere")

    async with serving(handler) as client:
        with pytest.raises(Later):
            await client.post("/a", {}, {"access_token": "t"})
    assert paths == ["/a"]


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(64):
            await response.write(b" " * 1024 * 1024)
            sent += 1
        return response

    async with serving(handler) as client:
        with pytest.raises(Later, match="not a JSON object"):
            await client.post("/a", {})
    assert sent < 64


async def failure(client: JsonClient) -> SendError:
    with pytest.raises(SendError) as caught:
        await client.post("/a", {}, {"access_token": "SECRET"})
    await client.close()
    error = caught.value
    assert (error.__cause__, error.__context__) == (None, None), "the library's exception, with the address, hangs on"
    assert "SECRET" not in repr(error)
    assert "http" not in str(error).lower().replace("http 5", "")
    return error


async def test_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = await failure(JsonClient(f"http://127.0.0.1:{taken.getsockname()[1]}"))
    assert isinstance(error, Later)


async def test_no_such_host() -> None:
    assert isinstance(await failure(JsonClient("http://no-such-host.invalid")), Later)


async def test_accepted_and_never_answered() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        client = JsonClient(f"http://127.0.0.1:{listening.getsockname()[1]}", timeout_s=0.1)
        assert isinstance(await failure(client), OutcomeUnknown)


async def test_cut_in_the_middle_of_the_answer() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"errcode":0')
        assert request.transport is not None
        request.transport.abort()
        return response

    async with serving(handler) as client:
        assert isinstance(await failure(client), OutcomeUnknown)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_is_tried_again(status: int) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response({"errcode": 0}, status=status)

    async with serving(handler) as client:
        error = await failure(client)
        assert isinstance(error, Later)
        assert not error.throttled
