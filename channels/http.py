"""The one HTTP client of the channels, and an honest word on what a failure means.

`Later`: nothing went out for certain. `OutcomeUnknown`: the request was written and no answer came. Access tokens
travel in query strings, so no address ever gets into an exception: not into its text, and not into the chain behind it.
"""

from collections.abc import Mapping
from typing import Final

import aiohttp
import msgspec
from yarl import URL

from channels.errors import Later, OutcomeUnknown, Rejected, SendError

_ANSWER_LIMIT: Final = 1024 * 1024
_RETRY_AFTER_S: Final = 5.0
_NOT_CONNECTED: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8"}


class JsonClient:
    """One provider's API below one base address. Connections are made on first use and given back by `close`."""

    def __init__(self, base: str, *, timeout_s: float = 10.0, connect_s: float = 3.0) -> None:
        self._base = base.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=min(connect_s, timeout_s))
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, payload: object, params: Mapping[str, str] | None = None) -> dict[str, object]:
        """POST `payload` as raw UTF-8 JSON and return the JSON object answered. Raises `Later` or `OutcomeUnknown`."""
        url = URL(self._base + path).update_query(params or {})
        return _decoded(*await self._exchange("POST", url, msgspec.json.encode(payload), _HEADERS))

    async def call(self, method: str, path: str, data: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body, whatever they are. `path` with its query is sent as it is: it may be signed.

        Raises `Later` or `OutcomeUnknown` where there is no answer.
        """
        return await self._exchange(method, URL(self._base + path, encoded=True), data, headers)

    async def download(self, address: str, params: Mapping[str, str], most: int) -> tuple[str, bytes]:
        """Content type and body of what lies at `address`, a path of the API or a whole address.

        Raises `Rejected` for more than `most` bytes or a status that will not change, else `Later`: nothing was sent.
        """
        kind, body, _ = await self._file(self._whole(address).update_query(params), {}, most)
        return kind, body

    async def download_behind(self, path: str, headers: Mapping[str, str], most: int) -> bytes:
        """What lies at a `path` of the API, or where the API says that it lies: there without `headers`, which hold
        our credentials, not less safely than here, and no further. Raises as `download` does."""
        url = self._whole(path)
        _, body, place = await self._file(url, headers, most)
        if place is None:
            return body
        if place.scheme not in {"https", url.scheme} or not place.host:
            raise Rejected("redirected to no https address")
        _, body, _ = await self._file(place, {}, most)
        return body

    def _whole(self, address: str) -> URL:
        return URL(self._base + address if address.startswith("/") else address)

    async def _file(self, url: URL, headers: Mapping[str, str], most: int) -> tuple[str, bytes, URL | None]:
        """Content type and body; where credentials were sent, perhaps the address that a redirect names instead."""
        failure: SendError
        try:
            async with self._open().get(url, headers=headers, allow_redirects=False) as response:
                if response.status in _MOVED and "Location" in response.headers and headers:
                    return "", b"", url.join(URL(response.headers["Location"], encoded=True))
                if response.status != 200:
                    failure = _no_file(response.status)
                else:
                    body = await _body(response, most + 1)
                    if len(body) <= most:
                        return response.content_type, body, None
                    failure = Rejected(f"larger than {most} bytes")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            failure = Later(f"not downloaded ({type(error).__name__})", _RETRY_AFTER_S)
        raise failure

    async def _exchange(self, method: str, url: URL, data: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        failure: SendError
        try:
            # A redirect would carry the token to an address nobody chose.
            async with self._open().request(method, url, data=data, headers=headers, allow_redirects=False) as response:
                return response.status, await _body(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = _failure(error)
        # Raised outside the handler: the library's exception holds the address and must not become our context.
        raise failure

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Short keep-alive: a POST on a connection that the far side has just dropped ends as "unknown" for nothing.
            connector = aiohttp.TCPConnector(keepalive_timeout=4.0)
            self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self._session

    async def close(self) -> None:
        """Close the connections; the client may be used again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


async def _body(response: aiohttp.ClientResponse, most: int = _ANSWER_LIMIT) -> bytes:
    chunks: list[bytes] = []
    left = most
    async for chunk in response.content.iter_any():
        chunks.append(chunk[:left])
        left -= len(chunks[-1])
        if left == 0:
            break
    return b"".join(chunks)


def _failure(error: BaseException) -> SendError:
    name = type(error).__name__
    if isinstance(error, _NOT_CONNECTED):
        return Later(f"not connected ({name})", _RETRY_AFTER_S)
    return OutcomeUnknown(f"no answer ({name})")


def _no_file(status: int) -> SendError:
    if status >= 500 or status == 429:
        return Later(f"HTTP {status}", _RETRY_AFTER_S)
    return Rejected(f"HTTP {status}")


def _decoded(status: int, raw: bytes) -> dict[str, object]:
    """The JSON object. 5xx, a proxy's page and all else that is no JSON object are tried again: never a success."""
    if status >= 500:
        raise Later(f"HTTP {status}", _RETRY_AFTER_S)
    try:
        return msgspec.json.decode(raw, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        reason = f"HTTP {status}, not a JSON object"
    raise Later(reason, _RETRY_AFTER_S)
