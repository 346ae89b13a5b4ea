"""A stand-in's server on the loopback interface: one port over stops and starts, and able to refuse connections."""

import asyncio

from aiohttp import web


class Listener:
    """Where the service finds the far side. `port` 0: any free one, kept from the first start on."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    @property
    def base_url(self) -> str:
        """The address to give to the service as API base."""
        return f"http://{self._host}:{self._port}" if self._port else ""

    async def start(self, app: web.Application) -> None:
        """Listen. Raises `OSError` when the port is taken."""
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await self._runner.setup()
        await self.accept()
        # A second start (a test of an outage) keeps the port that the service knows.
        self._port = self._runner.addresses[0][1]

    async def accept(self) -> None:
        """Take connections; nothing where they are taken already, or where it was never started."""
        if self._runner is not None and self._site is None:
            self._site = web.TCPSite(self._runner, self._host, self._port)
            await self._site.start()

    async def refuse(self) -> None:
        """Refuse connections until `accept`, and drop those that are open: they would hide that nobody listens."""
        if self._runner is None or self._site is None:
            return
        site, self._site = self._site, None
        await site.stop()
        server = self._runner.server
        for open_one in server.connections if server else ():
            if open_one.transport is not None:
                open_one.transport.close()
        while server and server.connections:
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # those at the other ends see it, too

    async def stop(self) -> None:
        """End everything; it may be started again."""
        self._site = None
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()
