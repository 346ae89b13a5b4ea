"""The SMS accounts under test: what they get genuine, forged and broken, and the stand-ins they send to."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from multidict import CIMultiDict, CIMultiDictProxy, MultiDict
from twilio.request_validator import RequestValidator
from yarl import URL

from bot.web.simulator.sms import Dialect, SmsGateway
from bot.web.simulator.sms_aliyun import Aliyun
from bot.web.simulator.sms_tencent import Tencent
from bot.web.simulator.sms_twilio import Twilio
from channels.messages import WebhookRequest
from channels.sms import Sms, SmsSettings, aliyun, tencent
from channels.sms.gateway import BODY_LIMIT
from channels.sms.vocabulary import templates

SENT_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
PUBLIC: Final = "https://desk.example.com"
TOKEN: Final = "0123456789abcdef0123456789abcdef"
SID: Final = "ACffffffffffffffffffffffffffffffff"
OURS: Final = "+85230000001"
KEY_SECRET: Final = "SKEXAMPLEsecretofthisaccount01"
PUSH_KEY: Final = "pK7-unguessable_0123456789"
SIGN_NAME: Final = "某某物业"
PHONE: Final = "+8613800138000"

IDS: Final = {name: f"SMS_{number}" for number, name in enumerate(templates(), 1)}

ACCOUNTS: Final[dict[str, dict[str, Any]]] = {
    "twilio": {"account_sid": SID, "auth_token": TOKEN, "sender": OURS},
    "aliyun": {
        "access_key_id": "AKEXAMPLE", "access_key_secret": KEY_SECRET, "sign_name": SIGN_NAME, "push_key": PUSH_KEY,
        "templates": IDS,
    },
    "tencent": {
        "secret_id": "AKIDEXAMPLE", "secret_key": KEY_SECRET, "sdk_app_id": "1400006666", "sign_name": SIGN_NAME,
        "push_key": PUSH_KEY, "templates": IDS,
    },
}  # fmt: skip


def settings(gateway: str, api_base: str = "http://127.0.0.1:9", **more: Any) -> SmsSettings:
    """An account's settings."""
    given = {"gateway": gateway, "api_base": api_base, "public_url": PUBLIC, **ACCOUNTS[gateway], **more}
    return SmsSettings(**given)


def dialect(gateway: str) -> Dialect:
    """The same account, seen from the gateway."""
    if gateway == "twilio":
        return Twilio(SID, TOKEN, OURS)
    filed = aliyun.filed if gateway == "aliyun" else tencent.filed
    texts = {IDS[name]: template.filed(filed) for name, template in templates().items()}
    if gateway == "aliyun":
        return Aliyun("AKEXAMPLE", KEY_SECRET, SIGN_NAME, PUSH_KEY, texts)
    return Tencent("AKIDEXAMPLE", KEY_SECRET, "1400006666", SIGN_NAME, PUSH_KEY, texts)


@asynccontextmanager
async def standing(gateway: str, timeout_s: float = 5.0) -> AsyncIterator[tuple[SmsGateway, Sms]]:
    """A stand-in that sends no receipts by itself, and the account that sends to it."""
    far = SmsGateway(dialect(gateway), now=lambda: SENT_AT, receipts=False)
    await far.start()
    channel = Sms("main", settings(gateway, far.base_url), SENT_AT.timestamp, timeout_s=timeout_s)
    try:
        yield far, channel
    finally:
        await channel.close()
        await far.stop()


def request(body: bytes, suffix: str, headers: dict[str, str] | None = None, key: str = "") -> WebhookRequest:
    """A push to the account `main`; `suffix` is the end of the address, query included."""
    target = f"/channels/sms/main{suffix}"
    return WebhookRequest(
        method="POST", suffix=suffix, target=target, key=key, query=URL(target).query,
        headers=CIMultiDictProxy(CIMultiDict(headers or {})), body=body, received_at=SENT_AT,
    )  # fmt: skip


def oracle(body: bytes, suffix: str, token: str = TOKEN, public: str = PUBLIC) -> str:
    """The signature as Twilio's own library makes it."""
    fields = MultiDict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    signature: str = RequestValidator(token).compute_signature(f"{public}/channels/sms/main{suffix}", fields)
    return signature


class TwilioKit:
    """See `tests.channels.cases.Kit`."""

    secrets: tuple[str, ...] = (TOKEN,)
    sent_at = SENT_AT

    def channel(self) -> Sms:
        return Sms("main", settings("twilio"))

    def suffix(self, body: bytes) -> str:
        return "/receipts?row=0192f0c1-0000-7000-8000-000000000001" if b"MessageStatus" in body else "/inbound"

    def request(self, body: bytes) -> WebhookRequest:
        suffix = self.suffix(body)
        return request(body, suffix, {"X-Twilio-Signature": oracle(body, suffix)})

    def forgeries(self, body: bytes) -> Iterable[tuple[str, WebhookRequest]]:
        suffix = self.suffix(body)
        good = oracle(body, suffix)
        signatures = {
            "empty": "", "cut": good[:-1], "long": good + "A", "swapped": good.swapcase(), "odd": "签\ud800",
            "of another token": oracle(body, suffix, "f" * 32), "of another path": oracle(body, "/elsewhere"),
            "of another host": oracle(body, suffix, public="https://other.example.com"),
            "of nothing": oracle(b"", suffix),
        }  # fmt: skip
        for name, signature in signatures.items():
            yield name, request(body, suffix, {"X-Twilio-Signature": signature})
        yield "missing", request(body, suffix)
        signed = {"X-Twilio-Signature": good}
        yield "one field more", request(body + b"&Extra=1", suffix, signed)
        yield "another value", request(body + b"0", suffix, signed)
        yield "too many fields", request(body + b"&a=1" * 400, suffix, signed)
        yield "another query", request(body, suffix + "?x=1", signed)

    def mutilations(self, body: bytes) -> Iterable[tuple[str, bytes]]:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        for name in ("MessageSid", "SmsSid", "SmsMessageSid"):
            fields.pop(name, None)
        yield "no id", urlencode(fields).encode()
        yield "another account", body + b"&AccountSid=" if b"AccountSid" not in body else body.replace(b"ACff", b"ACee")
        yield "oversized", body + b"&x=" + b"x" * BODY_LIMIT
        yield "bad UTF-8", body + b"&x=\xff"
        yield "JSON", b'{"MessageSid": "SM1", "From": "+8613800138000", "Body": "x"}'
        yield "nothing", b""


class KeyedKit:
    """A gateway that signs nothing."""

    secrets: tuple[str, ...] = (KEY_SECRET, PUSH_KEY)
    sent_at = SENT_AT

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway

    def channel(self) -> Sms:
        return Sms("main", settings(self.gateway))

    def request(self, body: bytes) -> WebhookRequest:
        return request(body, f"/inbound/{PUSH_KEY}", key=PUSH_KEY)

    def forgeries(self, body: bytes) -> Iterable[tuple[str, WebhookRequest]]:
        keys = {
            "empty": "",
            "cut": PUSH_KEY[:-1],
            "long": PUSH_KEY + "0",
            "case": PUSH_KEY.lower(),
            "odd": "钥\ud800\x00",
        }
        for name, key in keys.items():
            yield name, request(body, "/inbound/x", key=key)

    def mutilations(self, body: bytes) -> Iterable[tuple[str, bytes]]:
        for part in (0.1, 0.5, 0.9):
            yield f"cut at {part}", body[: int(len(body) * part)].rstrip()
        yield "twice", body + body
        yield "oversized", body.rstrip() + b" " * BODY_LIMIT
        yield "bad UTF-8", body.replace(b'"', b'"\xff', 1)
        yield "UTF-16", body.decode().encode("utf-16")
        yield "deep", b"[" * 60_000
        yield "an endless number", b"[" + b"9" * 5000 + b"]"
        yield "no number", b"NaN"
        yield "a word", b'"text"'
        yield "a form", b"phone_number=1&content=2"
        yield "nothing", b""


def body_of(value: object) -> bytes:
    """A JSON push."""
    return json.dumps(value, ensure_ascii=False).encode()
