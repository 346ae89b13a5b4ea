"""Safe and compatible mode: every payload once more, sealed; every forgery of the seal; wechatpy reads the answers."""

import base64
import struct
from collections.abc import Iterable
from typing import Final

import msgspec
import pytest
import xmltodict
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from multidict import MultiDict
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import deserialize_reply

from channels.errors import Unauthorised
from channels.messages import WebhookRequest
from channels.wechat import WeChat
from channels.wechat.crypto import Seal
from channels.wechat.settings import Mode
from tests.channels.cases import FIXTURES, check_incoming, incoming, load
from tests.channels.wechat_kit import (
    AES_KEY,
    APP_ID,
    ORIGINAL_ID,
    SECRET,
    SENT_AT,
    TOKEN,
    WeChatKit,
    sealed,
    settings,
    signed,
)

STAMP: Final = str(int(SENT_AT.timestamp()))
NONCE: Final = "nonce88"
MESSAGE: Final = (FIXTURES / "wechat" / "text__plain.xml").read_bytes()
CRYPTO: Final = WeChatCrypto(TOKEN, AES_KEY, APP_ID)


class SealedKit(WeChatKit):
    """The same account in safe or compatible mode."""

    secrets: tuple[str, ...] = (SECRET, TOKEN, AES_KEY)

    def __init__(self, mode: Mode) -> None:
        self._mode: Mode = mode

    def channel(self) -> WeChat:
        return WeChat("main", msgspec.structs.replace(settings(), mode=self._mode, encoding_aes_key=AES_KEY))

    def request(
        self, body: bytes, parameters: MultiDict[str] | None = None, *, late: float = 0.0, method: str = "POST"
    ) -> WebhookRequest:
        """A push sealed by wechatpy; whatever is signed otherwise covers the same seal."""
        return self.carrying(sealed(body), parameters, late=late, method=method)

    def carrying(
        self, cipher: str, parameters: MultiDict[str] | None = None, *, late: float = 0.0, method: str = "POST"
    ) -> WebhookRequest:
        """A push with this cipher text, correctly signed."""
        parameters = parameters.copy() if parameters is not None else self.parameters()
        covered = (parameters.get("timestamp", ""), parameters.get("nonce", ""), cipher)
        parameters.setdefault("encrypt_type", "aes")
        parameters.setdefault("msg_signature", signed(TOKEN, *(part.encode("utf-8", "replace") for part in covered)))
        return super().request(self._envelope(cipher), parameters, late=late, method=method)

    def _envelope(self, cipher: str) -> bytes:
        """In compatible mode beside plain fields, always the same ones: nothing of them may be read."""
        element = f"<Encrypt><![CDATA[{cipher}]]></Encrypt></xml>".encode()
        if self._mode == "compatible":
            return MESSAGE.replace(b"</xml>", element)
        return f"<xml><ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName>".encode() + element

    def forgeries(self, body: bytes) -> Iterable[tuple[str, WebhookRequest]]:
        """Those of plain mode, and those of the seal."""
        yield from super().forgeries(body)
        genuine = self.request(body)
        yield "plain body", WeChatKit().request(MESSAGE)
        yield "plain body, signed for a seal", replaced(genuine, body=MESSAGE)
        yield "no body", replaced(genuine, body=b"")
        yield "not XML", replaced(genuine, body=genuine.body[:-1])
        yield "another body under a genuine signature", replaced(genuine, body=self.request(b"<xml/>").body)
        yield from self._wrong_signatures(genuine)
        for name, cipher in ciphers(body):
            yield name, self.carrying(cipher)

    def _wrong_signatures(self, genuine: WebhookRequest) -> Iterable[tuple[str, WebhookRequest]]:
        given = genuine.query["msg_signature"]
        for name, value in (
            ("empty", ""),
            ("cut", given[:-1]),
            ("odd", "\ud800漏"),
            ("URL's", genuine.query["signature"]),
        ):
            yield f"msg_signature {name}", replaced(genuine, msg_signature=value)
        missing = MultiDict(genuine.query)
        del missing["msg_signature"]
        yield "msg_signature missing", replaced(genuine, query=missing)
        doubled = MultiDict(genuine.query)
        doubled.add("msg_signature", given)
        yield "msg_signature doubled", replaced(genuine, query=doubled)
        stolen = MultiDict(self.parameters(), msg_signature=given)
        stolen["nonce"], stolen["signature"] = "nonce89", signed(TOKEN, STAMP, "nonce89")
        yield "msg_signature of another nonce", replaced(genuine, query=stolen)


def replaced(request: WebhookRequest, *, msg_signature: str | None = None, **changes: object) -> WebhookRequest:
    """`request` with something changed."""
    if msg_signature is not None:
        changes["query"] = MultiDict([*request.query.items()])
        changes["query"]["msg_signature"] = msg_signature  # type: ignore[index]
    return msgspec.structs.replace(request, **changes)


def ciphers(body: bytes) -> Iterable[tuple[str, str]]:
    """What somebody who knows the token, but not the key or not the layout, could send."""
    genuine = sealed(body)
    raw = bytearray(base64.b64decode(genuine))
    yield "another app id", sealed(body, app_id="wx0000000000000000")
    yield "a longer app id", sealed(body, app_id=f"{APP_ID}x")
    yield "no app id", sealed(body, app_id="")
    yield "another key", sealed(body, key=AES_KEY[::-1])
    yield "cut by a block", base64.b64encode(raw[:-16]).decode()
    yield "cut by a byte", base64.b64encode(raw[:-1]).decode()
    raw[-17] ^= 1  # turns the same bit of the last byte of the padding
    yield "a bit of the padding turned", base64.b64encode(raw).decode()
    yield "not base64", "漏水"
    yield "empty", ""
    inside = b"0123456789abcdef" + struct.pack(">I", len(body)) + body + APP_ID.encode()
    yield "padded to the cipher's block", encrypted(inside, 16)
    yield "padding of 0", encrypted_raw(inside + bytes(32 - len(inside) % 32))
    yield "padding over 32", encrypted_raw(inside + bytes([64 - len(inside) % 32]) * (64 - len(inside) % 32))
    if len(inside) % 32 != 31:  # a padding of one byte cannot be uneven
        yield "uneven padding", encrypted_raw(inside + bytes(31 - len(inside) % 32) + bytes([32 - len(inside) % 32]))
    yield "nothing but padding", encrypted(b"", 32)
    for name, length in (("too long", len(body) + 1), ("endless", 2**32 - 1), ("too short", max(0, len(body) - 1))):
        wrong = b"0123456789abcdef" + struct.pack(">I", length) + body + APP_ID.encode()
        yield f"a length that is {name}", encrypted(wrong, 32)


def encrypted(plain: bytes, block: int) -> str:
    """`plain` padded to `block`, which must leave it at no multiple of 32 when it is 16."""
    count = block - len(plain) % block
    if block == 16 and (len(plain) + count) % 32 == 0:
        count += 16
    return encrypted_raw(plain + bytes([count % 256]) * count)


def encrypted_raw(padded: bytes) -> str:
    key = base64.b64decode(f"{AES_KEY}=")
    encryptor = Cipher(AES(key), CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


SAFE: Final = SealedKit("safe")
KITS: Final = {"safe": SAFE, "compatible": SealedKit("compatible")}


@pytest.mark.parametrize("mode", KITS)
@pytest.mark.parametrize("name", incoming("wechat"))
def test_incoming_sealed(name: str, mode: str, caplog: pytest.LogCaptureFixture) -> None:
    check_incoming(KITS[mode], load(KITS[mode], "wechat", name), caplog)


VECTOR: Final = (
    "Q3stYC6hdFzMh9T8HCvyDOijj+4zIgvMT9VuUUUXZ83/ZjADiDm6BjQrcgkxYnYXCM9af/f7HSgou8U61DcVfGrmojHM0gDthRd0wKmwBsd2LZTxeC"
    "uLj3d/6j2A+ftCxe3QHnyVKSflRul9Pj/MoH82gNdOBGdWUZ41bfW+DK5WfR3KdSCOZJP3jXLi1Ht+DwRHUK49EhZL3iIgFcS/wM3ubOs4DENaLmeL"
    "nlXIhZmUoBiDe9LYjSMqiyrAvOT8KeQ+WZ/vxhDrPEqDEboAMrvKLtuIdz2fjBuTehFUIs9O5DAiy8dqhsierNrWeDZsaJsbvzVknDmy8EsBobSVG1"
    "686eE4LMVkIh2aM56CVYnA6blq/gv+MWA+U8qRvx6zXB8Gru+0yh8xcV/zNINwbJ20njWdIIsAvKJ7QkbFzp4="
)


def test_a_vector_made_elsewhere() -> None:
    """Its signatures stand here as they were noted down, so that no code of this repository made them."""
    query = MultiDict(
        timestamp=STAMP,
        nonce=NONCE,
        signature="bee79d70af60dac9a74632e881bd10042e4cda2e",
        msg_signature="844b18b2befeda12cb187b74cfc3ba9ffbde0578",
        encrypt_type="aes",
    )
    request = SAFE.carrying(VECTOR, parameters=query)
    channel = SAFE.channel()
    channel.verify(request)
    (message,) = channel.parse(request).messages
    assert (message.text, message.external_id) == ("厨房漏水", "24900000000000001")
    assert message.raw.startswith("<xml><ToUserName>")


@pytest.mark.parametrize("text", ["", "x", "漏水 😭", "a" * 31, "a" * 32, "a" * 33, "漏" * 30_000])
def test_wechatpy_opens_what_we_close_and_we_what_it_closes(text: str) -> None:
    seal = Seal(TOKEN, APP_ID, AES_KEY)
    assert seal.open(sealed(text.encode())) == text.encode()
    parts = xmltodict.parse(seal.close(text.encode(), 1767225601))["xml"]
    assert parts["TimeStamp"] == "1767225601"
    assert CRYPTO.decrypt_message(parts, parts["MsgSignature"], parts["TimeStamp"], parts["Nonce"]) == text


@pytest.mark.parametrize("kit", KITS.values(), ids=KITS)
def test_the_reply_is_sealed_and_success_is_not(kit: SealedKit) -> None:
    channel = kit.channel()
    parsed = channel.parse(kit.request(MESSAGE))
    assert channel.acknowledge(parsed, None, SENT_AT).body == b"success"
    answer = channel.acknowledge(parsed, "登记好了]]>", SENT_AT)
    parts = xmltodict.parse(answer.body)["xml"]
    plain = CRYPTO.decrypt_message(parts, parts["MsgSignature"], parts["TimeStamp"], parts["Nonce"])
    assert deserialize_reply(plain).content == "登记好了]]>"
    assert "登记" not in answer.body.decode()
    again = channel.acknowledge(parsed, "登记好了]]>", SENT_AT)
    assert again.body != answer.body, "random bytes and nonce are new each time"


def test_in_compatible_mode_the_plain_fields_are_not_believed() -> None:
    kit = KITS["compatible"]
    request = kit.request(MESSAGE)
    lie = replaced(request, body=request.body.replace("漏水".encode(), "着火".encode()))
    assert lie.body != request.body
    channel = kit.channel()
    channel.verify(lie)
    assert channel.parse(lie) == channel.parse(request)


def test_plain_mode_reads_the_plain_part_of_compatible_pushes() -> None:
    """So that an account can be moved without losing a message: platform first, then we, then the platform again."""
    request = KITS["compatible"].request(MESSAGE)
    plain = WeChatKit().channel()
    plain.verify(request)
    assert plain.parse(request).messages[0].text == KITS["safe"].channel().parse(SAFE.request(MESSAGE)).messages[0].text


def test_every_failure_of_the_seal_says_the_same() -> None:
    said = set()
    for _, cipher in ciphers(MESSAGE):
        with pytest.raises(Unauthorised) as caught:
            SAFE.channel().verify(SAFE.carrying(cipher))
        said.add((str(caught.value), caught.value.status))
    assert said == {("sealed body", 403)}


def test_the_handshake_is_not_sealed() -> None:
    parameters = SAFE.parameters(echostr="4375120948345356249")
    request = WeChatKit().request(b"", parameters, method="GET")
    channel = SAFE.channel()
    channel.verify(request)
    answer = channel.handshake(request)
    assert answer is not None
    assert answer.body == b"4375120948345356249"


def test_the_key_is_shown_nowhere() -> None:
    channel = SAFE.channel()
    shown = msgspec.structs.replace(settings(), mode="safe", encoding_aes_key=AES_KEY)
    assert AES_KEY not in repr(shown) + str(shown) + repr(channel)
    assert channel.redact(f"key {AES_KEY}") == "key ***"
