"""Compatible and safe mode of the WeChat stand-in: wechatpy's cipher, so that ours is not measured against itself."""

import xmltodict
from wechatpy.crypto import WeChatCrypto

from bot.web.simulator.account import Account


def sealed(account: Account, query: dict[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    """Parameters and body as the mode of the account sends them (消息加解密说明)."""
    if account.mode == "plain":
        return query, body
    answer = _crypto(account).encrypt_message(body, query["nonce"], query["timestamp"])
    parts = xmltodict.parse(answer)["xml"]
    query = {**query, "encrypt_type": "aes", "msg_signature": parts["MsgSignature"]}
    element = f"<Encrypt><![CDATA[{parts['Encrypt']}]]></Encrypt>".encode()
    if account.mode == "compatible":
        return query, body.replace(b"</xml>", element + b"</xml>")
    receiver = f"<ToUserName><![CDATA[{account.original_id}]]></ToUserName>".encode()
    return query, b"<xml>" + receiver + element + b"</xml>"


def opened(account: Account, body: bytes) -> bytes | None:
    """The plain answer; None for one that the mode does not allow or that cannot be opened."""
    if account.mode == "plain" or body in {b"", b"success"}:
        return body
    if b"<Encrypt>" not in body:
        return body if account.mode == "compatible" else None
    try:
        parts = xmltodict.parse(body)["xml"]
        plain: str = _crypto(account).decrypt_message(parts, parts["MsgSignature"], parts["TimeStamp"], parts["Nonce"])
    except Exception:  # wechatpy raises what its parts raise: whatever it is, the platform cannot use the answer
        return None
    return plain.encode()


def _crypto(account: Account) -> WeChatCrypto:
    return WeChatCrypto(account.token, account.encoding_aes_key, account.app_id)
