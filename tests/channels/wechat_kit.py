"""The WeChat account under test, and the ways to forge and break what it gets."""

import base64
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from multidict import MultiDict, MultiDictProxy
from wechatpy.crypto import PrpCrypto
from wechatpy.utils import WeChatSigner

from channels.messages import WebhookRequest
from channels.wechat import WeChat, WeChatSettings
from channels.wechat.xml import BODY_LIMIT

SECRET: Final = "s3cr3t0fthisaccount0123456789abc"
TOKEN: Final = "proptoken2026"
ORIGINAL_ID: Final = "gh_demo00000001"
APP_ID: Final = "wx1234567890abcdef"
AES_KEY: Final = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OPENID: Final = "oDemoUser0000000000000000001"
SENT_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)

_BOMB: Final = b'<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
_EXTERNAL: Final = b'<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


def settings(api_base: str = "http://127.0.0.1:9") -> WeChatSettings:
    """The account's settings."""
    return WeChatSettings(app_id=APP_ID, app_secret=SECRET, token=TOKEN, original_id=ORIGINAL_ID, api_base=api_base)


def query(timestamp: str, nonce: str = "nonce88", token: str = TOKEN, **more: str) -> MultiDict[str]:
    """Signed parameters, the signature made by wechatpy."""
    return MultiDict(signature=signed(token, timestamp, nonce), timestamp=timestamp, nonce=nonce, **more)


def signed(*parts: str | bytes) -> str:
    """The platform's signature, made by wechatpy."""
    signer = WeChatSigner()
    signer.add_data(*parts)
    return str(signer.signature)


def sealed(body: bytes, app_id: str = APP_ID, key: str = AES_KEY) -> str:
    """`body` as the platform seals it, made by wechatpy."""
    return str(PrpCrypto(base64.b64decode(f"{key}=")).encrypt(body, app_id).decode())


class WeChatKit:
    """See `tests.channels.cases.Kit`."""

    secrets: tuple[str, ...] = (SECRET, TOKEN)
    sent_at = SENT_AT

    def channel(self) -> WeChat:
        """An account whose API does not exist."""
        return WeChat("main", settings())

    def request(
        self, body: bytes, parameters: MultiDict[str] | None = None, *, late: float = 0.0, method: str = "POST"
    ) -> WebhookRequest:
        """A push signed at `SENT_AT` and received `late` seconds after."""
        parameters = parameters if parameters is not None else self.parameters()
        return WebhookRequest(
            method=method,
            suffix="",
            query=MultiDictProxy(parameters),
            headers={},
            body=body,
            received_at=SENT_AT + timedelta(seconds=late),
        )

    def parameters(self, **more: str) -> MultiDict[str]:
        """What a genuine push carries in its address."""
        return query(str(int(SENT_AT.timestamp())), openid=OPENID, **more)

    def forgeries(self, body: bytes) -> Iterable[tuple[str, WebhookRequest]]:
        """Wrong, missing and doubled parameters, and the right ones at the wrong time."""
        stamp = str(int(SENT_AT.timestamp()))
        for name in ("signature", "timestamp", "nonce"):
            for kind, broken in self._spoiled(name):
                yield f"{name} {kind}", self.request(body, broken)
        yield "another token", self.request(body, query(stamp, token="anothertoken"))
        yield "not a number", self.request(body, query("now"))
        yield "other digits", self.request(body, query("１７６７２２５６００"))
        yield "an endless number", self.request(body, query("1" * 4000))
        yield "GET without echostr", self.request(b"", method="GET")
        for late in (601.0, -601.0):
            yield f"{late} s late", self.request(body, late=late)

    def _spoiled(self, name: str) -> Iterable[tuple[str, MultiDict[str]]]:
        good = self.parameters()[name]
        changes = {
            "empty": "",
            "long": good + "0",
            "upper": good.upper() + "X",
            "odd": "\ud800漏\x00",
            "cut": good[:-1],
        }
        for kind, value in changes.items():
            parameters = self.parameters()
            parameters[name] = value
            yield kind, parameters
        missing = self.parameters()
        del missing[name]
        yield "missing", missing
        for kind, value in (("doubled", good), ("doubled, other", "0")):
            twice = self.parameters()
            twice.add(name, value)
            yield kind, twice

    def mutilations(self, body: bytes) -> Iterable[tuple[str, bytes]]:
        """Bombs, cuts, excess, other accounts, other encodings."""
        plain = body[body.index(b"<xml>") :]
        yield "entity bomb", _BOMB + plain.replace(b"</xml>", b"<z>&c;</z></xml>")
        yield "external entity", _EXTERNAL + plain.replace(b"</xml>", b"<z>&a;</z></xml>")
        yield "document type alone", b"<!DOCTYPE xml>" + plain
        yield "undeclared entity", plain.replace(b"</xml>", b"<z>&nbsp;</z></xml>")
        for part in (0.1, 0.5, 0.9):
            yield f"cut at {part}", plain[: int(len(plain) * part)]
        yield "cut by one", plain.rstrip()[:-1]
        yield "twice", plain + plain
        yield "oversized", plain.replace(b"</xml>", b" " * BODY_LIMIT + b"</xml>")
        yield "another account", plain.replace(ORIGINAL_ID.encode(), b"gh_another00001")
        yield "no receiver", plain.replace(b"ToUserName", b"ToNobody")
        yield "no sender", plain.replace(b"FromUserName", b"FromNobody")
        yield "bad UTF-8", plain.replace(b"</xml>", b"<z>\xff\xfe</z></xml>")
        yield "UTF-16", plain.decode().encode("utf-16")
        yield "nothing", b""
        yield "JSON", b'{"ToUserName": "gh_demo00000001"}'
