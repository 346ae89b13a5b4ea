"""One bot as a `Channel`."""

import asyncio
import hmac
import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from channels.base import Capabilities, Route
from channels.errors import Rejected, SendError, Unauthorised
from channels.messages import (
    SHARE_NUMBER,
    ChannelEvent,
    InboundMessage,
    OutboundMessage,
    Parsed,
    SendResult,
    WebhookAnswer,
    WebhookRequest,
)
from channels.telegram import keyboard, updates
from channels.telegram.incoming import CHANNEL, GROUP, PRESS, Source, convert
from channels.telegram.pace import Pace, Rates
from channels.telegram.settings import TelegramSettings
from channels.telegram.updates import CallbackQuery
from channels.text import clean, size

if TYPE_CHECKING:
    from channels.telegram.api import Api

TEXT_LIMIT: Final = 4096
"""UTF-16 units after entities parsing (sendMessage)."""
HEADER: Final = "x-telegram-bot-api-secret-token"

IN_A_GROUP: Final = (
    "您好，我只在私聊里为住户服务，群里的消息我不看也不保存。请点我的头像私信我。\n"
    "I serve residents in private chats only, and keep nothing of this group. Please write to me directly."
)
OVER: Final = {"zh": "这个选项已经过了，要改请直接打字。", "en": "This choice is over. To change it, please type."}

_log = logging.getLogger(__name__)

_CHAT: Final = re.compile(r"[0-9]{1,19}")
_TOKEN_IN_TEXT: Final = re.compile(r"\b[0-9]{5,20}:[A-Za-z0-9_-]{30,100}")
_FINE: Final = WebhookAnswer()
_HIDDEN: Final = "***"
_CHATS: Final = 10_000


class _Asked(msgspec.Struct, frozen=True):
    """The newest message with buttons in a chat, and whether they still stand."""

    message_id: int
    is_open: bool


class Telegram:
    """A bot in private chats. `timeout_s` bounds one API call, `rates` say how fast it writes."""

    name = CHANNEL
    # A webhook is given a minute or so (not documented); ten seconds keep the queue behind it short.
    capabilities = Capabilities(
        acknowledge_within=10.0,
        text_limit=TEXT_LIMIT,
        text_unit="utf16",
        largest_body=updates.BODY_LIMIT,
        buttons=True,
        shares_number=True,
        media=True,
    )

    def __init__(
        self, account: str, settings: TelegramSettings, *, timeout_s: float = 10.0, rates: Rates | None = None
    ) -> None:
        self.account = account
        self.polls = settings.mode == "polling"
        self.routes: tuple[Route, ...] = () if self.polls else (Route("POST"),)
        self._settings = settings
        self._timeout_s = timeout_s
        self._pace = Pace(rates or Rates())
        self._opened: Api | None = None
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
        self._leaving: set[str] = set()
        self._aside: set[asyncio.Task[None]] = set()

    # In

    def verify(self, request: WebhookRequest) -> None:
        """Compare the secret that setWebhook left with Telegram (`secret_token`)."""
        given = request.headers.get(HEADER, "")
        expected = self._settings.webhook_secret
        if not expected or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
            raise Unauthorised("secret token")

    def handshake(self, request: WebhookRequest) -> WebhookAnswer | None:
        """Telegram does not check an address before it uses it."""
        del request
        return None

    def parse(self, request: WebhookRequest) -> Parsed:
        """Read one update. Raises `Unreadable`."""
        raw = updates.text_of(request.body)
        return convert(Source(self.account, updates.read(raw), raw), is_over=self._is_over)

    def acknowledge(self, parsed: Parsed, reply: str | None, now: datetime) -> WebhookAnswer:
        """200, and what a stored update asks for besides an answer: buttons go dead, a press is answered, a group is
        left. Those calls are made on the side; one that fails is not repeated."""
        del reply, now  # a method in the answer would have an unknown outcome: replies go by `send`
        for message in parsed.messages:
            self._heard(message)
        for event in parsed.events:
            self._happened(event)
        return _FINE

    def _is_over(self, query: CallbackQuery) -> bool:
        asked = self._asked.get(str(query.sender.id))
        if asked is None or query.message is None:
            return False  # asked before this process began: the desk decides
        return query.message.message_id < asked.message_id or (
            query.message.message_id == asked.message_id and not asked.is_open
        )

    def _heard(self, message: InboundMessage) -> None:
        query = updates.read(message.raw).callback_query if message.choice is not None else None
        asked = self._asked.get(message.sender)
        if query is not None:
            self._beside(partial(self._answered, message.sender, query))
        elif asked is not None and asked.is_open:
            self._beside(partial(self._api().close_keyboard, int(message.sender), asked.message_id))
        if asked is not None:
            self._asked[message.sender] = _Asked(asked.message_id, is_open=False)

    async def _answered(self, chat: str, query: CallbackQuery) -> None:
        await self._api().answer_press(query.id)
        if query.message is not None:
            chosen = keyboard.label_of(query)
            await self._api().close_keyboard(int(chat), query.message.message_id, chosen)

    def _happened(self, event: ChannelEvent) -> None:
        if event.key == GROUP and event.kind == "ignored":
            if event.sender not in self._leaving:
                self._leaving.add(event.sender)
                self._beside(partial(self._leave, event.sender))
        elif event.key == PRESS and event.kind == "ignored":
            query = updates.read(event.raw).callback_query
            if query is not None:
                self._beside(partial(self._api().answer_press, query.id, _over(query)))

    async def _leave(self, group: str) -> None:
        try:
            await self._api().leave_group(int(group), IN_A_GROUP)
        finally:
            self._leaving.discard(group)

    def _beside(self, call: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.create_task(self._quietly(call))
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def _quietly(self, call: Callable[[], Awaitable[None]]) -> None:
        try:
            await call()
        except SendError as error:
            _log.info("a call on the side failed: %s", self.redact(error.detail))

    async def settled(self) -> None:
        """Return when the calls on the side are done."""
        while self._aside:
            await asyncio.wait(self._aside)

    # Out

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send a text, its choices as buttons below it. Raises a `SendError`."""
        text = clean(message.text)
        if size(text, "utf16") > TEXT_LIMIT:
            raise Rejected(f"text over {TEXT_LIMIT} UTF-16 units: one part at a time")
        if not _CHAT.fullmatch(message.address):
            raise Rejected("the address is no id of a private chat")
        chat = int(message.address)
        await self._pace.wait(chat)
        try:
            number = await self._api().send(chat, text, message.choices)
        except SendError as error:
            if getattr(error, "throttled", False):
                self._pace.hold(chat, getattr(error, "after", 0.0))
            raise
        if number is None:
            return SendResult()
        if any(choice.value != SHARE_NUMBER for choice in message.choices):
            self._offered(message.address, number)
        return SendResult(provider_id=f"{chat}:{number}")

    def _offered(self, address: str, number: int) -> None:
        """A newer question: the buttons of the one before go dead."""
        before = self._asked.get(address)
        if before is not None and before.is_open:
            self._beside(partial(self._api().close_keyboard, int(address), before.message_id))
        self._asked[address] = _Asked(number, is_open=True)
        self._asked.move_to_end(address)
        if len(self._asked) > _CHATS:
            self._asked.popitem(last=False)

    async def download(self, media_id: str, most: int) -> bytes:
        """What a resident sent. Raises a `SendError`."""
        return await self._api().download(media_id, most)

    # The door

    async def open_door(self, address: str) -> None:
        """Have updates pushed to `address`, or kept to be fetched. Raises a `SendError`."""
        if self.polls:
            await self._api().delete_webhook()
        else:
            await self._api().set_webhook(address, self._settings.webhook_secret)

    async def fetch(self, offset: int) -> tuple[bytes, ...]:
        """Updates from `offset` on, waiting for the first; those below it are confirmed. Raises a `SendError`."""
        return await self._api().updates(offset)

    async def try_credentials(self) -> None:
        """getMe. Raises a `SendError`."""
        await self._api().me()

    def redact(self, text: str) -> str:
        """`text` without token and webhook secret."""
        text = _TOKEN_IN_TEXT.sub(_HIDDEN, text)
        token = self._settings.bot_token
        for secret in filter(None, (token, token.partition(":")[2], self._settings.webhook_secret)):
            text = text.replace(secret, _HIDDEN)
        return text

    async def close(self) -> None:
        """Stop what is under way on the side, and give back connections."""
        for task in list(self._aside):
            task.cancel()
        await asyncio.gather(*self._aside, return_exceptions=True)
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    def _api(self) -> "Api":
        if self._opened is None:
            # Here, because it costs a quarter of a second that a desk without Telegram need not pay.
            from channels.telegram.api import Api  # noqa: PLC0415

            self._opened = Api(self._settings, self._timeout_s)
        return self._opened


def _over(query: CallbackQuery) -> str:
    return "" if query.data == keyboard.USED else OVER["zh" if _speaks_chinese(query) else "en"]


def _speaks_chinese(query: CallbackQuery) -> bool:
    return (query.sender.language_code or "zh").startswith("zh")
