"""The gateway of docs/adding-a-channel.md: its two tables."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import pytest
from msgspec import structs

from bot.web.simulator.sms import SmsGateway
from bot.web.simulator.sms_signed_json import SignedJson
from channels.errors import Blocked, Later, Misconfigured, OutcomeUnknown, Rejected, SendError
from channels.messages import OutboundMessage, WebhookRequest
from channels.sms import Sms, SmsSettings
from tests.channels.cases import Outgoing, check_incoming, check_outgoing, incoming, load
from tests.channels.sms_kit import PHONE, SENT_AT, TOKEN, KeyedKit, request


def account(api_base: str = "http://127.0.0.1:9") -> SmsSettings:
    return SmsSettings(gateway="signed-json", api_base=f"{api_base}/v1", auth_token=TOKEN, sender="Desk")


class Kit:
    """See `tests.channels.cases.Kit`."""

    secrets: tuple[str, ...] = (TOKEN,)
    sent_at = SENT_AT

    def channel(self) -> Sms:
        return Sms("main", account())

    def request(self, body: bytes, secret: str = TOKEN, stamp: str = "1767225600") -> WebhookRequest:
        digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return request(body, "/inbound", {"X-Timestamp": stamp, "X-Signature": f"sha256={digest}"})

    def forgeries(self, body: bytes) -> Iterable[tuple[str, WebhookRequest]]:
        good = self.request(body)
        yield "another secret", self.request(body, "f" * 32)
        yield "another body", structs.replace(good, body=body + b" ")
        yield "unsigned", request(body, "/inbound")
        for stamp in ("", "now", "１７６７２２５６００", "9" * 4000):
            yield f"stamp {stamp[:20]}", self.request(body, stamp=stamp)
        for late in (301, -301):
            yield f"{late} s late", structs.replace(good, received_at=SENT_AT + timedelta(seconds=late))

    def mutilations(self, body: bytes) -> Iterable[tuple[str, bytes]]:
        return KeyedKit("aliyun").mutilations(body)


KIT: Final = Kit()
NAMES: Final = ["id", "from", "text", "at", "status", "error", "ref"]
"""Of the fields of a push, for broken ones (`test_channel_sms_fuzz.py`)."""


@pytest.mark.parametrize("name", incoming("sms_signed_json"))
def test_incoming(name: str, caplog: pytest.LogCaptureFixture) -> None:
    check_incoming(KIT, load(KIT, "sms_signed_json", name), caplog)


@asynccontextmanager
async def standing() -> AsyncIterator[tuple[SmsGateway, Sms]]:
    far = SmsGateway(SignedJson(TOKEN), now=lambda: SENT_AT, receipts=False)
    await far.start()
    channel = Sms("main", account(far.base_url), SENT_AT.timestamp)
    try:
        yield far, channel
    finally:
        await channel.close()
        await far.stop()


def case(name: str, **more: Any) -> Outgoing:
    fault = more.pop("fault", None)
    script = (("messages", fault),) if fault else ()
    return Outgoing(name=name, **{"address": PHONE, "requests": ("messages",), "script": script, **more})


def refused(code: str, error: type[SendError]) -> Outgoing:
    return case(code, fault={"code": code}, error=error, detail=code, arrives=False)


CASES: Final = [
    case("text", arrives=True),
    case("too long", text="漏" * 1001, requests=(), error=Rejected, detail="1000"),
    case("no number", address="oWeChat", error=Rejected, detail="invalid_number", arrives=False),
    refused("unauthorized", Misconfigured),
    refused("no_credit", Misconfigured),
    refused("opted_out", Blocked),
    refused("internal", OutcomeUnknown),
    refused("something_new", Rejected),
    case("too many", fault={"code": "too_many_requests"}, error=Later, after=10.0, throttled=True, arrives=False),
    case("cut after delivery", fault={"cut": "after"}, error=OutcomeUnknown, arrives=True),
    case("no id", fault={"body": "{}"}, error=OutcomeUnknown, detail="no id"),
]


@pytest.mark.parametrize("wanted", CASES, ids=lambda one: one.name)
async def test_outgoing(wanted: Outgoing, caplog: pytest.LogCaptureFixture) -> None:
    async with standing() as (far, channel):
        for call, fault in wanted.script:
            far.script(call, **fault)
        await check_outgoing(KIT, channel, wanted, caplog)
        assert tuple(name for name, _ in far.requests) == wanted.requests
        if wanted.arrives is not None:
            assert far.phone(wanted.address).received() == ([wanted.text] if wanted.arrives else [])


async def test_a_receipt_names_the_row_and_what_was_sent() -> None:
    async with standing() as (far, channel):
        await channel.try_credentials()
        result = await channel.send(OutboundMessage(row_id="row-1", address=PHONE, text="好"))
        push = far.dialect.receipt("http://service", far.handed[0], "", SENT_AT)
        (receipt,) = channel.parse(KIT.request(push.body)).receipts
        assert (receipt.provider_id, receipt.row_id, receipt.outcome) == (result.provider_id, "row-1", "delivered")
