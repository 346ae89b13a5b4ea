"""The real command in a process of its own, started, killed and restarted as operations would."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from tests.support import hearing

START_WITHIN_S = 60.0


class Service:
    """`frontdesk run` with its settings in the environment."""

    def __init__(self, folder: Path, settings: Mapping[str, str], *arguments: str) -> None:
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "service.log"
        self._arguments = arguments
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FRONTDESK_")}
        self._secrets = [*hearing.SECRETS, *_secrets(settings)]
        own = {"FRONTDESK_PORT": str(self.port), "FRONTDESK_DATA_DIR": str(folder / "data")}
        self._environment = {**kept, **own, **settings}
        self._process: asyncio.subprocess.Process | None = None
        self._said_before = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start and wait until it says that it is ready."""
        self._process = await self.start_unready()
        async with asyncio.timeout(START_WITHIN_S):
            while "is ready" not in self._said():
                assert self._process.returncode is None, self.log.read_text()[-2000:]
                await asyncio.sleep(0.05)

    async def start_unready(self) -> asyncio.subprocess.Process:
        """Start and do not wait."""
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            command = [sys.executable, "-W", "ignore", "-m", "bot", "run", *self._arguments]
            return await asyncio.create_subprocess_exec(*command, env=self._environment, stdout=log, stderr=log)

    def _said(self) -> str:
        """What it has said since its last start."""
        return self.log.read_bytes()[self._said_before :].decode()

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
        code = await self._process.wait()
        # Law 14: whatever it went through, nothing that it printed gives anybody away.
        said = hearing.found(self.log.read_text("utf-8", "replace"), self._secrets)
        assert not said, said
        return code


def _secrets(settings: Mapping[str, str]) -> list[str]:
    """The values of settings that must not be seen."""
    return [value for name, value in settings.items() if name.endswith(("SECRET", "TOKEN", "KEY")) and len(value) >= 8]


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
