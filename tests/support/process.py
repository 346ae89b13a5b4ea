"""The real command in a process of its own, started, killed and restarted as operations would."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

START_WITHIN_S = 60.0


class Service:
    """`frontdesk run` with its settings in the environment."""

    def __init__(self, folder: Path, settings: Mapping[str, str], *arguments: str) -> None:
        self.port = free_port()
        self.log = folder / "service.log"
        self._arguments = arguments
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FRONTDESK_")}
        own = {"FRONTDESK_PORT": str(self.port), "FRONTDESK_DATA_DIR": str(folder / "data")}
        self._environment = {**kept, **own, **settings}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start and wait until it listens."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-W", "ignore", "-m", "bot", "run", *self._arguments]
            self._process = await asyncio.create_subprocess_exec(
                *command, env=self._environment, stdout=log, stderr=log
            )
        async with asyncio.timeout(START_WITHIN_S):
            while not await self._listens():
                assert self._process.returncode is None, self.log.read_text()[-2000:]

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            await asyncio.sleep(0.05)
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    async def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is written."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, how: signal.Signals) -> int:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(how)
        return await self._process.wait()


@contextlib.asynccontextmanager
async def running(service: Service) -> AsyncIterator[Service]:
    """The service while the block runs; stopped afterwards, whatever happened."""
    await service.start()
    try:
        yield service
    finally:
        await service.kill()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
