"""Calls to the account's API: token, one retry with a fresh one, errcode before HTTP status."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from channels.errors import OutcomeUnknown, Rejected
from channels.http import JsonClient
from channels.wechat.errcodes import TOKEN_INVALID, media_error, send_error, template_error
from channels.wechat.settings import WeChatSettings
from channels.wechat.tokens import TokenHolder

_ANSWERS: Final = frozenset({"application/json", "text/plain"})
"""Not the status tells an answer from a file, but the content type (获取临时素材)."""

_ANSWER_MOST: Final = 1024 * 1024


class WeChatApi:
    """The API of one account."""

    def __init__(self, settings: WeChatSettings, clock: Callable[[], float], timeout_s: float) -> None:
        self._client = JsonClient(settings.api_base, timeout_s=timeout_s)
        self._image_base = settings.image_base.rstrip("/")
        self.tokens = TokenHolder(self._client, settings, clock)

    async def call(self, path: str, payload: object) -> dict[str, object]:
        """POST `payload` and return the answer of a success (errcode absent or 0). Raises a `SendError`."""
        answer, errcode = await self._post(path, payload)
        if errcode:
            raise send_error(errcode, str(answer.get("errmsg", "")))
        return answer

    async def call_template(
        self, path: str, payload: object, *, fine: frozenset[int] = frozenset()
    ) -> dict[str, object]:
        """As `call`, where a refusal may be one of the template alone; errcodes in `fine` count as success."""
        answer, errcode = await self._post(path, payload)
        if errcode and errcode not in fine:
            raise template_error(errcode, str(answer.get("errmsg", "")))
        return answer

    async def _post(self, path: str, payload: object) -> tuple[dict[str, object], int]:
        token = await self.tokens.get()
        answer, errcode = await self._once(path, payload, token)
        if errcode in TOKEN_INVALID:
            self.tokens.drop(token)
            answer, errcode = await self._once(path, payload, await self.tokens.get())
        return answer, errcode

    async def ask(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, object]:
        """GET and return the answer of a success. Raises a `SendError`."""
        token = await self.tokens.get()
        answer = await self._asked(path, params or {}, token)
        if answer.get("errcode", 0) in TOKEN_INVALID:
            self.tokens.drop(token)
            answer = await self._asked(path, params or {}, await self.tokens.get())
        errcode = answer.get("errcode", 0)
        if errcode:
            raise send_error(errcode if isinstance(errcode, int) else 0, str(answer.get("errmsg", "")))
        return answer

    async def _asked(self, path: str, params: Mapping[str, str], token: str) -> dict[str, object]:
        return _answer((await self._client.download(path, {**params, "access_token": token}, _ANSWER_MOST))[1])

    async def download(self, media_id: str, most: int) -> bytes:
        """The file behind a media id (获取临时素材); a video is fetched from the address that is answered for it."""
        token = await self.tokens.get()
        kind, body = await self._file(media_id, token, most)
        if _errcode(kind, body) in TOKEN_INVALID:
            self.tokens.drop(token)
            kind, body = await self._file(media_id, await self.tokens.get(), most)
        if kind not in _ANSWERS:
            return body
        answer = _answer(body)
        address = answer.get("video_url")
        if not isinstance(address, str) or not address.startswith(("http://", "https://")):
            raise media_error(_errcode(kind, body), str(answer.get("errmsg", "")))
        return (await self._client.download(address, {}, most))[1]

    async def image(self, path: str, params: Mapping[str, str]) -> bytes:
        """An image that lies beside the API and needs no token. Raises a `SendError`."""
        kind, body = await self._client.download(f"{self._image_base}{path}", params, _ANSWER_MOST)
        if not kind.startswith("image/"):
            raise Rejected(f"{path} answered {kind} and no image")
        return body

    async def _file(self, media_id: str, token: str, most: int) -> tuple[str, bytes]:
        params = {"access_token": token, "media_id": media_id}
        return await self._client.download("/cgi-bin/media/get", params, most)

    async def _once(self, path: str, payload: object, token: str) -> tuple[dict[str, object], int]:
        answer = await self._client.post(path, payload, {"access_token": token})
        errcode = answer.get("errcode", 0)
        if not isinstance(errcode, int):
            raise OutcomeUnknown("the answer holds an errcode that is no number")
        return answer, errcode

    async def close(self) -> None:
        """Give back connections."""
        await self.tokens.close()
        await self._client.close()


def _errcode(kind: str, body: bytes) -> int:
    """The errcode of a download's answer, 0 for a file."""
    errcode = _answer(body).get("errcode", 0) if kind in _ANSWERS else 0
    return errcode if isinstance(errcode, int) else -1


def _answer(body: bytes) -> dict[str, object]:
    """The JSON of an answer; what is none is an answer without words, and tried again."""
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"errcode": -1, "errmsg": "not a JSON object"}
