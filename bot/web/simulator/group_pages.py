"""The work group beside the phones: what its robots said, and what was texted to the phones of the staff."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec
from aiohttp import web

from bot.web.simulator.robots import WorkGroup
from bot.web.simulator.sms import SmsGateway

_LINES: Final = 200


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the staff read. `to`: whose phone it was texted to; empty: it was said to the group."""

    number: str
    at: datetime
    text: str
    to: str = ""
    link: str = ""
    link_label: str = ""
    everybody: bool = False


class GroupState(msgspec.Struct, frozen=True):
    """All that the pane shows, the oldest first."""

    lines: tuple[Line, ...]


Phones = Callable[[], Mapping[str, str]]
"""Numbers (E.164) of the staff, and whose they are, as they are now."""


def add_routes(app: web.Application, group: WorkGroup, gateway: SmsGateway | None, phones: Phones) -> None:
    """Add what the pane calls. It looks again whenever the wire of another phone tells of something."""
    pages = GroupPages(group, gateway, phones)
    app.router.add_get("/simulator/group/state", pages.state)


class GroupPages:
    """The handlers."""

    def __init__(self, group: WorkGroup, gateway: SmsGateway | None, phones: Phones) -> None:
        self._group = group
        self._gateway = gateway
        self._phones = phones

    async def state(self, _: web.Request) -> web.Response:
        """GET /simulator/group/state."""
        lines = sorted([*self._said(), *self._texted()], key=lambda line: line.at)[-_LINES:]
        return web.Response(
            body=msgspec.json.encode(GroupState(tuple(lines))), content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )  # fmt: skip

    def _said(self) -> list[Line]:
        return [
            Line(
                number=f"g{said.number}", at=said.at, text=said.text, link=said.link, link_label=said.link_label,
                everybody=said.everybody,
            )
            for said in self._group.said
        ]  # fmt: skip

    def _texted(self) -> list[Line]:
        if self._gateway is None:
            return []
        return [
            Line(number=f"s{entry.number}", at=entry.at, text=entry.text, to=name)
            for number, name in self._phones().items()
            if number in self._gateway.phones
            for entry in self._gateway.phones[number].screen
            if entry.direction == "received"
        ]
