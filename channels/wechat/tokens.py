"""The one holder of an account's access token (获取稳定版接口调用凭据)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from channels.errors import Later, Misconfigured, OutcomeUnknown
from channels.http import JsonClient
from channels.wechat.errcodes import token_error
from channels.wechat.settings import WeChatSettings

_EARLY_S: Final = 300.0
_UNKNOWN_RETRY_S: Final = 2.0


class TokenHolder:
    """Fetches a token when it is first needed and 300 s before it ends; any number of callers share one fetch."""

    def __init__(self, client: JsonClient, settings: WeChatSettings, clock: Callable[[], float]) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._token = ""
        self._good_until = 0.0
        self._fetch: asyncio.Task[str] | None = None
        self.secrets: list[str] = []
        """Tokens seen lately, for `redact`."""

    async def get(self) -> str:
        """A valid token. Raises `Later` or `Misconfigured`."""
        if self._token and self._clock() < self._good_until:
            return self._token
        if self._fetch is None:
            self._fetch = asyncio.create_task(self._refresh())
            self._fetch.add_done_callback(self._fetched)
        # Shielded: one caller that gives up must not take the token from the others.
        return await asyncio.shield(self._fetch)

    def drop(self, token: str) -> None:
        """The platform refused `token`: forget it, unless another caller already has a newer one."""
        if token == self._token:
            self._token = ""

    async def close(self) -> None:
        """Stop a fetch that is under way."""
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.wait({self._fetch})

    def _fetched(self, task: asyncio.Task[str]) -> None:
        self._fetch = None
        if not task.cancelled():
            task.exception()  # every caller gets it; with none left nobody has to hear of it

    async def _refresh(self) -> str:
        answer = await _outcome_known(self._client.post("/cgi-bin/stable_token", self._request()))
        errcode = answer.get("errcode", 0)
        if errcode:
            raise token_error(errcode if isinstance(errcode, int) else 0, str(answer.get("errmsg", "")))
        token, lifetime = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(lifetime, int):
            raise Misconfigured("the token answer holds no token: is api_base the API of WeChat?")
        self._keep(token, lifetime)
        return token

    def _request(self) -> dict[str, object]:
        return {
            "grant_type": "client_credential",
            "appid": self._settings.app_id,
            "secret": self._settings.app_secret,
            "force_refresh": False,
        }

    def _keep(self, token: str, lifetime: int) -> None:
        # A token in its last five minutes is used for half of what is left, not fetched anew for every call.
        self._good_until = self._clock() + max(lifetime - _EARLY_S, min(lifetime / 2, _EARLY_S))
        self._token = token
        if token not in self.secrets:
            self.secrets = [*self.secrets[-3:], token]


async def _outcome_known(call: Awaitable[dict[str, object]]) -> dict[str, object]:
    """A token call without an answer has sent no message: it is simply tried again."""
    try:
        return await call
    except OutcomeUnknown as error:
        reason = error.detail
    raise Later(f"token: {reason}", _UNKNOWN_RETRY_S)
