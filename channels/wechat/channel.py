"""One official account as a `Channel`."""

import hmac
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import structs

from channels.base import Capabilities, Route
from channels.errors import Rejected, Unauthorised, Unreadable
from channels.messages import (
    ChannelEvent,
    InboundMessage,
    OutboundMessage,
    Parsed,
    SendResult,
    WebhookAnswer,
    WebhookRequest,
)
from channels.text import clean, shorten, size
from channels.wechat import codes
from channels.wechat import menu as menus
from channels.wechat.api import WeChatApi
from channels.wechat.crypto import Seal, signature
from channels.wechat.forwarding import Forwarder
from channels.wechat.incoming import CHANNEL, convert
from channels.wechat.settings import WeChatSettings
from channels.wechat.template_messages import TemplateMessages
from channels.wechat.xml import decode, read, text_reply

TEXT_LIMIT: Final = 2000
"""Bytes of UTF-8. The official pages give no number; 2047 were measured (dodgepudding/wechat-php-sdk issue 363)."""

_log = logging.getLogger(__name__)

_SECONDS: Final = re.compile(r"[0-9]{1,11}")
_TOKEN_IN_TEXT: Final = re.compile(r"""(access_token["']?\s*[=:]\s*["']?)[^\s"'&,}]+""")
_SUCCESS: Final = WebhookAnswer(body=b"success")
_HIDDEN: Final = "***"
_LANGUAGES: Final = {"zh_CN": "zh-Hans", "zh_TW": "zh-Hant", "zh_HK": "zh-Hant", "zh_MO": "zh-Hant"}

# 5 s and the passive reply: 被动回复用户消息. Five messages in 48 h, three in a minute: 客服消息介绍.
_CAPABILITIES: Final = Capabilities(
    acknowledge_within=5.0,
    answer_within=4.0,
    text_limit=TEXT_LIMIT,
    text_unit="bytes",
    push_window=timedelta(hours=48),
    push_quota=5,
    touch_window=timedelta(minutes=1),
    touch_quota=3,
    media=True,
)


class WeChat:
    """A service account (服务号).

    In safe and in compatible mode only the sealed part of a push is read: the plain one beside it is covered by no
    signature, and a body without a sealed part is refused. `clock` gives monotonic seconds and rules the life of the
    access token; `timeout_s` bounds one API call.
    """

    name = CHANNEL
    capabilities: Capabilities = _CAPABILITIES
    """Of an account without templates; those of an account name its own."""
    routes: tuple[Route, ...] = (Route("GET"), Route("POST"))

    def __init__(
        self,
        account: str,
        settings: WeChatSettings,
        clock: Callable[[], float] = time.monotonic,
        *,
        timeout_s: float = 10.0,
    ) -> None:
        self.account = account
        self._settings = settings
        self._api = WeChatApi(settings, clock, timeout_s)
        self._templates = TemplateMessages(self._api, settings.templates, clock)
        self.capabilities = structs.replace(_CAPABILITIES, templates=frozenset(settings.templates))
        self._forwarder = Forwarder(account, settings.forward_to) if settings.forward_to else None
        self._seal: Seal | None = None
        if settings.mode != "plain":
            self._seal = Seal(settings.token, settings.app_id, settings.encoding_aes_key)

    def verify(self, request: WebhookRequest) -> None:
        """Check the signature over token, timestamp and nonce, on GET and POST alike (消息与事件推送介绍), and its age;
        then, in safe and compatible mode, what is sealed: signature, cipher, app id.

        Parameters given twice are refused where the mapping can tell (aiohttp's `request.query` can, a `dict` cannot).
        """
        query = request.query
        if len(set(query)) != len(query):
            raise Unauthorised("a parameter is given twice")
        given, timestamp, nonce = _one(query, "signature"), _one(query, "timestamp"), _one(query, "nonce")
        expected = signature(self._settings.token, timestamp, nonce)
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            raise Unauthorised("signature")
        if request.method == "GET":
            _one(query, "echostr")  # a GET without it is not the platform's
        if not _SECONDS.fullmatch(timestamp):
            raise Unauthorised("timestamp")
        if abs(request.received_at.timestamp() - int(timestamp)) > self._settings.replay_window_s:
            raise Unauthorised("timestamp outside the replay window")
        if self._seal is not None and request.method == "POST":
            self._check_sealed(self._seal, request)

    def _check_sealed(self, seal: Seal, request: WebhookRequest) -> None:
        try:
            sealed = _sealed(request)
        except Unreadable:  # also a plain body: nothing proves who wrote it
            raise Unauthorised("not sealed") from None
        seal.check(request.query, sealed)
        seal.open(sealed)

    def handshake(self, request: WebhookRequest) -> WebhookAnswer | None:
        """Echo what the platform sends when the address is saved there."""
        if request.method != "GET":
            return None
        return WebhookAnswer(body=request.query["echostr"].encode("utf-8", "replace"))

    def parse(self, request: WebhookRequest) -> Parsed:
        """Read one push. Raises `Unreadable`."""
        # Opened a second time: thirty microseconds cost less than a state between two calls.
        raw = decode(request.body if self._seal is None else self._seal.open(_sealed(request)))
        return convert(self.account, self._settings.original_id, read(raw), raw)

    def acknowledge(self, parsed: Parsed, reply: str | None, now: datetime) -> WebhookAnswer:
        """`success`, or the passive text reply. A `reply` longer than one part is cut at the limit; the log says so."""
        source = _source(parsed)
        if not reply or source is None:
            return _SUCCESS
        if size(reply, "bytes") > TEXT_LIMIT:
            _log.error("passive reply over %d bytes was cut: the planner must split it", TEXT_LIMIT)
            reply = shorten(reply, TEXT_LIMIT, "bytes")
        second = int(now.timestamp())
        body = text_reply(source.sender, self._own_address(source.raw), second, reply)
        if self._seal is not None:
            body = self._seal.close(body, second)
        return WebhookAnswer(body=body, content_type="application/xml")

    def _own_address(self, raw: str) -> str:
        return self._settings.original_id or read(raw).text("ToUserName")

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send the approved template of the moment, or a customer-service text (客服消息), which has no id, receipt or
        idempotency key. Raises a `SendError`."""
        if message.by_template:
            return await self._templates.send(message)
        text = clean(message.text)
        if size(text, "bytes") > TEXT_LIMIT:
            raise Rejected(f"text over {TEXT_LIMIT} bytes: one part at a time")
        payload = {"touser": message.address, "msgtype": "text", "text": {"content": text}}
        await self._api.call("/cgi-bin/message/custom/send", payload)
        return SendResult()

    async def download(self, media_id: str, most: int) -> bytes:
        """What a resident sent; the platform keeps it for three days. Raises a `SendError`."""
        return await self._api.download(media_id, most)

    async def typing(self, address: str) -> None:
        """Show the typing state (客服输入状态), possible for 30 s after the resident did something."""
        await self._api.call("/cgi-bin/message/custom/typing", {"touser": address, "command": "Typing"})

    async def language(self, address: str) -> str:
        """The language of a follower's phone (获取用户基本信息); name and picture are told no more since 2021."""
        answer = await self._api.ask("/cgi-bin/user/info", {"openid": address, "lang": "zh_CN"})
        told = str(answer.get("language", ""))
        return _LANGUAGES.get(told, "en" if told.startswith("en") else "")

    async def menu(self) -> dict[str, object]:
        """The menu that residents see now, as the platform tells it. Raises a `SendError`."""
        return await menus.current(self._api)

    async def set_menu(self, buttons: Sequence[menus.Button]) -> None:
        """Set the whole menu. Raises a `SendError`."""
        await menus.put(self._api, buttons)

    async def code(self, scene: str, life: timedelta | None) -> tuple[codes.Code, bytes]:
        """A code that carries `scene`, with its image; `life` None: for ever. Raises a `SendError`."""
        made = await codes.create(self._api, scene, life)
        return made, await self._api.image(codes.IMAGE, {"ticket": made.ticket})

    async def try_credentials(self) -> None:
        """Fetch an access token. Raises a `SendError`."""
        await self._api.tokens.get()

    def redact(self, text: str) -> str:
        """`text` without app secret, token and access tokens."""
        settings = self._settings
        secrets = (settings.app_secret, settings.encoding_aes_key, *self._api.tokens.secrets, settings.token)
        text = _TOKEN_IN_TEXT.sub(rf"\1{_HIDDEN}", text)
        for secret in filter(None, secrets):
            text = text.replace(secret, _HIDDEN)
        return text

    def forward(self, request: WebhookRequest) -> None:
        """Send a push on, signed and sealed as it came; our answer is the one that counts."""
        if self._forwarder is not None and request.method == "POST":
            self._forwarder.forward(request)

    async def close(self) -> None:
        """Give back connections."""
        if self._forwarder is not None:
            await self._forwarder.close()
        await self._api.close()


def _source(parsed: Parsed) -> InboundMessage | ChannelEvent | None:
    """Whom a passive reply would reach."""
    if parsed.messages:
        return parsed.messages[0]
    return parsed.events[0] if parsed.events else None


def _sealed(request: WebhookRequest) -> str:
    """The sealed part of a body. Raises `Unreadable` where there is none."""
    return read(decode(request.body)).text("Encrypt")


def _one(query: Mapping[str, str], name: str) -> str:
    """The value of a parameter that must be there."""
    value = query.get(name)
    if not value:
        raise Unauthorised(f"parameter {name}")
    return value
