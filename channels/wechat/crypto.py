"""Safe and compatible mode: what is sealed and signed around a push and its answer (消息加解密说明)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from channels.errors import Unauthorised

_RANDOM: Final = 16
_HEAD: Final = _RANDOM + 4
_PADDING: Final = padding.PKCS7(32 * 8)
"""Blocks of 32 bytes, not of the cipher's 16."""


class Seal:
    """Opens and closes what travels for one account. `key` is the EncodingAESKey, 43 letters and digits."""

    def __init__(self, token: str, app_id: str, key: str) -> None:
        raw = base64.b64decode(f"{key}=")
        self._token = token
        self._app_id = app_id.encode()
        self._cipher = Cipher(AES(raw), CBC(raw[:16]))

    def check(self, query: Mapping[str, str], sealed: str) -> None:
        """Raise `Unauthorised` unless `msg_signature` covers timestamp, nonce and exactly this text."""
        expected = signature(self._token, query.get("timestamp", ""), query.get("nonce", ""), sealed)
        given = query.get("msg_signature", "")
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            raise Unauthorised("msg_signature")

    def open(self, sealed: str) -> bytes:
        """The message inside. Raises `Unauthorised` for a cipher, length or app id that is not ours, without a word
        on which: whoever can forge a signature must not learn more."""
        try:
            unpadder = _PADDING.unpadder()
            decryptor = self._cipher.decryptor()
            padded = decryptor.update(base64.b64decode(sealed)) + decryptor.finalize()
            plain = unpadder.update(padded) + unpadder.finalize()
        except ValueError:
            plain = b""
        end = _HEAD + int.from_bytes(plain[_RANDOM:_HEAD])
        if len(plain) < _HEAD or not hmac.compare_digest(plain[end:], self._app_id):
            raise Unauthorised("sealed body")
        return plain[_HEAD:end]

    def close(self, message: bytes, timestamp: int) -> bytes:
        """The answer with `message` sealed in it; `timestamp` in Unix seconds."""
        padder, encryptor = _PADDING.padder(), self._cipher.encryptor()
        plain = secrets.token_bytes(_RANDOM) + len(message).to_bytes(4) + message + self._app_id
        padded = padder.update(plain) + padder.finalize()
        sealed = base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()
        nonce = secrets.token_hex(8)
        signed = signature(self._token, str(timestamp), nonce, sealed)
        return (
            f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature><![CDATA[{signed}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        ).encode()


def signature(*parts: str) -> str:
    """SHA-1 over the parts, sorted and joined (消息与事件推送介绍): token, timestamp, nonce, and the sealed text."""
    joined = "".join(sorted(parts))
    return hashlib.sha1(joined.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
