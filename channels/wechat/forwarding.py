"""What comes in, sent on to another system on the same account: fire and forget."""

import asyncio
import logging
from typing import Final

import aiohttp
from yarl import URL

from channels.messages import WebhookRequest

log = logging.getLogger(__name__)

WITHIN_S: Final = 5.0
"""The platform waits no longer for it, either."""
MOST: Final = 100
"""Under way at once; what comes on top is dropped: a system that hangs must not fill our memory."""


class Forwarder:
    """Sends verified pushes of one account to `address`, byte for byte, with their own query."""

    def __init__(self, account: str, address: str) -> None:
        self._account = account
        self._address = address
        self._session: aiohttp.ClientSession | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    def forward(self, request: WebhookRequest) -> None:
        """Send it in the background."""
        if len(self._under_way) >= MOST:
            log.warning("account %s: a push was not forwarded: %d are under way", self._account, MOST)
            return
        task = asyncio.create_task(self._send(request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _send(self, request: WebhookRequest) -> None:
        headers = {"Content-Type": request.headers.get("Content-Type", "text/xml")}
        try:
            async with self._open().post(
                self._url(request), data=request.body, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    log.warning("account %s: a forwarded push was answered HTTP %d", self._account, answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("account %s: a push could not be forwarded: %s", self._account, type(error).__name__)

    def _url(self, request: WebhookRequest) -> URL:
        """The address with the query as it was sent: the signature covers what stands in it."""
        _, _, query = request.target.partition("?")
        return URL(f"{self._address}{'&' if '?' in self._address else '?'}{query}", encoded=True)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WITHIN_S))
        return self._session

    async def close(self) -> None:
        """Wait for those under way, then give back connections."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=WITHIN_S)
        if self._session is not None:
            await self._session.close()
            self._session = None
