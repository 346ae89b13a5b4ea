"""The SMS phone beside the others: a text leaves as the gateway's push, and what the service sends shows up."""

from collections.abc import Mapping
from typing import Final

import msgspec
from aiohttp import web

from bot.web.simulator import fault_pages
from bot.web.simulator.events import stream
from bot.web.simulator.phones import Entry
from bot.web.simulator.sms import SmsGateway
from bot.web.simulator.wire import Change, Transfer

_TEXT_LIMIT: Final = 500


class Written(msgspec.Struct, frozen=True):
    """What somebody wrote; `openid` names them as on the other phones."""

    openid: str
    text: str


class Handset(msgspec.Struct, frozen=True):
    """One person's SMS."""

    openid: str
    number: str
    screen: tuple[Entry, ...] = ()


class SmsState(msgspec.Struct, frozen=True):
    """All that a freshly opened page shows."""

    phones: tuple[Handset, ...]
    transfers: tuple[Transfer, ...]


class SmsLive(msgspec.Struct, frozen=True, omit_defaults=True):
    """One server-sent event."""

    openid: str = ""
    entry: Entry | None = None
    transfer: Transfer | None = None


def add_routes(app: web.Application, gateway: SmsGateway, numbers: Mapping[str, str]) -> None:
    """Add what the SMS phone calls. `numbers`: by person, the number of their handset (E.164)."""
    pages = SmsPages(gateway, numbers)
    app.router.add_get("/simulator/sms/state", pages.state)
    app.router.add_get("/simulator/sms/events", pages.events)
    app.router.add_post("/simulator/sms/send", pages.send)
    fault_pages.add_routes(app, "sms", gateway.faults)
    app.on_shutdown.append(pages.end_streams)


class SmsPages:
    """The handlers."""

    def __init__(self, gateway: SmsGateway, numbers: Mapping[str, str]) -> None:
        self._gateway = gateway
        self._numbers = dict(numbers)
        self._people = {number: openid for openid, number in numbers.items()}

    async def state(self, _: web.Request) -> web.Response:
        """GET /simulator/sms/state."""
        phones = tuple(
            Handset(openid, number, tuple(self._gateway.phone(number).screen))
            for openid, number in self._numbers.items()
        )
        transfers = tuple(self._renamed(one) for one in list(self._gateway.wire.transfers)[-120:])
        return web.Response(
            body=msgspec.json.encode(SmsState(phones, transfers)), content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )  # fmt: skip

    async def send(self, request: web.Request) -> web.Response:
        """POST /simulator/sms/send: a text was written on the handset; 202, the rest comes by the stream."""
        # JSON alone: a form on a foreign page cannot send it without being asked first.
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType
        try:
            written = msgspec.json.decode(await request.read(), type=Written)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise web.HTTPBadRequest from None
        if written.openid not in self._numbers or not 0 < len(written.text) <= _TEXT_LIMIT:
            raise web.HTTPBadRequest
        self._gateway.spawn(self._gateway.push_text(self._numbers[written.openid], written.text))
        return web.json_response({"accepted": True}, status=202)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """GET /simulator/sms/events: the server-sent stream."""
        return await stream(request, self._gateway.wire, self._live)

    def _live(self, change: Change) -> bytes:
        transfer = self._renamed(change.transfer) if change.transfer is not None else None
        openid = self._people.get(change.openid, "")
        return msgspec.json.encode(SmsLive(openid, change.entry if openid else None, transfer))

    def _renamed(self, transfer: Transfer) -> Transfer:
        return msgspec.structs.replace(transfer, openid=self._people.get(transfer.openid, transfer.openid))

    async def end_streams(self, _: web.Application) -> None:
        """Let open pages go, so that the server can stop."""
        self._gateway.wire.close()
