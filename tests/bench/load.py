"""The load: signed WeChat texts rendered before the run, sent over raw sockets by a process of its own.

`python -m tests.bench.load PORT COUNT CONNECTIONS SEED` prints one JSON object.
"""

import asyncio
import hashlib
import json
import random
import resource
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import uvloop

ACCOUNT = {"app_id": "wxbench", "app_secret": "bench-secret", "token": "benchtoken", "original_id": "gh_bench"}
CONVERSATIONS = 20_000
DISTINCT_AT_LEAST = 2_000
_DATA = Path(__file__).parents[2] / "intents" / "data"


def texts() -> list[str]:
    """What residents write: the example messages, which a person wrote one by one."""
    found: list[str] = []
    for path in sorted(_DATA.glob("*.toml")):
        for table in tomllib.loads(path.read_text(encoding="utf-8")).values():
            if isinstance(table, dict):
                found += [text for key in ("urgent", "normal") for text in table.get(key, ()) if isinstance(text, str)]
    assert len(set(found)) >= DISTINCT_AT_LEAST, len(set(found))
    return found


def bodies(count: int, seed: int) -> Iterator[bytes]:
    """`count` messages of 20,000 residents; a third repeat a text that came before."""
    choose = random.Random(seed)
    fresh = texts()
    choose.shuffle(fresh)
    said: list[str] = []
    now = int(time.time())
    for number in range(count):
        again = said and choose.random() < 1 / 3
        text = choose.choice(said) if again else fresh[number % len(fresh)]
        said.append(text)
        yield _xml(text.replace("]]>", ""), choose.randrange(CONVERSATIONS), seed * 10_000_000 + number, now)


def _xml(text: str, resident: int, number: int, now: int) -> bytes:
    return (
        f"<xml><ToUserName><![CDATA[gh_bench]]></ToUserName><FromUserName><![CDATA[oBench{resident:022d}]]></FromUserName>"
        f"<CreateTime>{now}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content>"
        f"<MsgId>{24_900_000_000_000_000 + number}</MsgId></xml>"
    ).encode()


def requests(count: int, seed: int) -> list[bytes]:
    now = str(int(time.time()))
    nonce = str(seed)
    signature = hashlib.sha1(
        "".join(sorted((ACCOUNT["token"], now, nonce))).encode(), usedforsecurity=False
    ).hexdigest()
    path = f"/channels/wechat/main?signature={signature}&timestamp={now}&nonce={nonce}&openid=o"
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\n"
    return [
        f"{head}Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        for body in bodies(count, seed)
    ]


class _Connection(asyncio.Protocol):
    """One keep-alive connection: the next request when the answer to the last is whole."""

    def __init__(
        self, work: Iterator[bytes], latencies: list[float], refused: list[int], done: "asyncio.Future[None]"
    ) -> None:
        self._work = work
        self._latencies = latencies
        self._refused = refused
        self._done = done
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class has its methods, not its base
        self._next()

    def _next(self) -> None:
        assert self._transport is not None
        request = next(self._work, None)
        if request is None:
            self._transport.close()
            if not self._done.done():
                self._done.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self._buffer = b""
        self._latencies.append(time.perf_counter() - self._sent_at)
        status = int(head[9:12])
        if status != 200:
            self._refused.append(status)
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("closed by the server"))


async def run(port: int, work: Sequence[bytes], connections: int) -> dict[str, float]:
    latencies: list[float] = []
    refused: list[int] = []
    loop = asyncio.get_running_loop()
    queue = iter(work)
    ended = [loop.create_future() for _ in range(connections)]
    before, started = _cpu(), time.perf_counter()
    for done in ended:
        await loop.create_connection(partial(_Connection, queue, latencies, refused, done), "127.0.0.1", port)
    await asyncio.gather(*ended)
    wall = time.perf_counter() - started
    latencies.sort()
    return {
        "requests": len(latencies),
        "refused": len(refused),
        "per_second": len(latencies) / wall,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
        "max_ms": latencies[-1] * 1000,
        "generator_share": (_cpu() - before) / wall,
    }


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    port, count, connections, seed = (int(argument) for argument in sys.argv[1:5])
    work = requests(count, seed)
    print(json.dumps(uvloop.run(run(port, work, connections))))


if __name__ == "__main__":
    main()
