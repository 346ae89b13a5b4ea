"""One robot: its address, its pace, and its platform's way to be told."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from yarl import URL

from bot.clients.robots import dingtalk, feishu, wecom
from bot.clients.robots.message import GroupMessage, Platform
from bot.clients.robots.pace import Pace
from bot.settings import RobotSettings
from channels.errors import Later
from channels.http import JsonClient

_PLATFORMS: Final[Mapping[str, Platform]] = {"wecom": wecom, "dingtalk": dingtalk, "feishu": feishu}
_HIDDEN: Final = "***"


class Robot:
    """The robot of one group. `clock` gives seconds since the epoch; `timeout_s` bounds one call."""

    def __init__(
        self, name: str, settings: RobotSettings, clock: Callable[[], float] = time.time, *, timeout_s: float = 10.0
    ) -> None:
        self.name = name
        self._settings = settings
        self._clock = clock
        self._platform = _PLATFORMS[settings.kind]
        self._pace = Pace()
        address = URL(settings.url)
        self._params = dict(address.query)
        self._client = JsonClient(str(address.with_query(None)), timeout_s=timeout_s)

    async def send(self, message: GroupMessage) -> None:
        """Say it to the group. Raises a `SendError` (`channels.errors`) that holds no secret."""
        await self._pace.enter(urgent=message.everybody)
        call = self._platform.call(message, self._settings, self._clock())
        answer = await self._client.post("", call.payload, {**self._params, **call.params})
        error = self._platform.refusal({key: self._clean(value) for key, value in answer.items()})
        if isinstance(error, Later) and error.throttled:
            self._pace.hold(error.after)
        if error is not None:
            raise error

    def _clean(self, value: object) -> object:
        return self.redact(value) if isinstance(value, str) else value

    def redact(self, text: str) -> str:
        """`text` without what only the group's robot may know."""
        for secret in (*self._params.values(), self._settings.url.rpartition("/")[2], self._settings.secret):
            text = text.replace(secret, _HIDDEN) if secret else text
        return text

    async def close(self) -> None:
        """Give back connections."""
        await self._client.close()
