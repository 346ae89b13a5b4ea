"""Calls to the account's API: token, one retry with a fresh one, errcode before HTTP status."""

from collections.abc import Callable

from channels.errors import OutcomeUnknown
from channels.http import JsonClient
from channels.wechat.errcodes import TOKEN_INVALID, send_error
from channels.wechat.settings import WeChatSettings
from channels.wechat.tokens import TokenHolder


class WeChatApi:
    """The API of one account."""

    def __init__(self, settings: WeChatSettings, clock: Callable[[], float], timeout_s: float) -> None:
        self._client = JsonClient(settings.api_base, timeout_s=timeout_s)
        self.tokens = TokenHolder(self._client, settings, clock)

    async def call(self, path: str, payload: object) -> dict[str, object]:
        """POST `payload` and return the answer of a success (errcode absent or 0). Raises a `SendError`."""
        token = await self.tokens.get()
        answer, errcode = await self._once(path, payload, token)
        if errcode in TOKEN_INVALID:
            self.tokens.drop(token)
            answer, errcode = await self._once(path, payload, await self.tokens.get())
        if errcode:
            raise send_error(errcode, str(answer.get("errmsg", "")))
        return answer

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
