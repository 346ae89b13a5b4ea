"""Calls of the Bot API through python-telegram-bot, and what its errors mean for the row that was sent.

Importing python-telegram-bot takes a quarter of a second, so only a channel that calls somebody imports this file.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final, TypeVar

import httpx
import msgspec
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    LinkPreviewOptions,
    Message,
    ReplyKeyboardMarkup,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
)
from telegram.request import HTTPXRequest, RequestData

from channels.errors import Blocked, Later, Misconfigured, OutcomeUnknown, Rejected, SendError
from channels.messages import SHARE_NUMBER, Choice
from channels.telegram.keyboard import USED, data_of
from channels.telegram.settings import TelegramSettings

T = TypeVar("T")

ALLOWED: Final = ("message", "edited_message", "callback_query", "my_chat_member")
"""Named, because the list of an earlier bot would stay in force (setWebhook)."""
POLL_S: Final = 30

_log = logging.getLogger(__name__)

_POOL: Final = 32
_RETRY_S: Final = 5.0
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
# What `de_json` of the library raises on shapes that it does not know, such as those of a newer server.
_UNREAD: Final = (AttributeError, KeyError, TypeError, ValueError, OverflowError)
_UNSPOKEN: Final = re.compile(r"[^\x20-\x7e]+")
_NUMBERS: Final = re.compile(r"[0-9]{5,}")
_ROW: Final = 28
"""Characters of labels that share a line of buttons."""


def quieten() -> None:
    """Keep those quiet that log every address, with the token in it, and what residents write."""
    for loud in ("httpx", "httpcore", "telegram"):
        logging.getLogger(loud).setLevel(logging.WARNING)


quieten()


class NoAnswerOfTelegram(NetworkError):
    """An answer that is no JSON object: a proxy's page, or half an answer. `status` is its HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}, not an answer of the Bot API")
        self.status = status


class ServerFault(NetworkError):
    """The API answered that it could not do it (5xx)."""


class Slower(NetworkError):
    """429, with its seconds as they came: the library's own error warns that these will change their type."""

    def __init__(self, seconds: int) -> None:
        super().__init__("429 Too Many Requests")
        self.seconds = float(seconds)


class NoFile(NetworkError):
    """A file was not handed out. `status` is that of HTTP."""

    def __init__(self, status: int) -> None:
        super().__init__(f"file: HTTP {status}")
        self.status = status


class _Parameters(msgspec.Struct):
    retry_after: int = 0


class _Answer(msgspec.Struct):
    ok: bool = False
    parameters: _Parameters = msgspec.field(default_factory=_Parameters)


class _Requests(HTTPXRequest):
    """The library's client. A page in place of an answer is an error of its own, and is neither logged nor quoted."""

    async def do_request(self, url: str, method: str, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        status, payload = await super().do_request(url, method, *args, **kwargs)
        if method == "GET":  # a file; methods of the API are all POSTed
            if status == HTTPStatus.OK:
                return status, payload
            raise NoFile(status)
        try:
            answer = msgspec.json.decode(payload, type=_Answer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            failure: TelegramError = NoAnswerOfTelegram(status)
        else:
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                raise Slower(answer.parameters.retry_after or round(_RETRY_S))
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise ServerFault(f"HTTP {status}")
            if answer.ok or status >= HTTPStatus.BAD_REQUEST:
                return status, payload
            failure = NoAnswerOfTelegram(status)
        raise failure


class _Fetched(msgspec.Struct):
    ok: bool = False
    result: tuple[msgspec.Raw, ...] = ()


class _Updates(_Requests):
    """The client of getUpdates: it keeps the updates as they came, for our own decoder.

    The library would decode all of them at once, and one that it cannot read would lose its neighbours.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kept: tuple[bytes, ...] = ()

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *args: Any, **kwargs: Any
    ) -> tuple[int, bytes]:
        status, payload = await super().do_request(url, method, request_data, *args, **kwargs)
        if status != HTTPStatus.OK:
            return status, payload
        try:
            self.kept = tuple(map(bytes, msgspec.json.decode(payload, type=_Fetched).result))
        except msgspec.ValidationError:
            failure = NoAnswerOfTelegram(status)
        else:
            return status, b'{"ok":true,"result":[]}'
        raise failure


class Api:
    """The API of one bot. Every call raises a `SendError`, and nothing that holds the token."""

    def __init__(self, settings: TelegramSettings, timeout_s: float) -> None:
        # `trust_env`: addresses and proxies come from the settings alone.
        common: dict[str, Any] = {
            "read_timeout": timeout_s, "write_timeout": timeout_s, "connect_timeout": min(3.0, timeout_s),
            "proxy": settings.proxy or None, "httpx_kwargs": {"trust_env": False},
        }  # fmt: skip
        base = settings.api_base.rstrip("/")
        self._files = f"{base}/file/bot{settings.bot_token}/"
        self._requests = _Requests(connection_pool_size=_POOL, pool_timeout=timeout_s, **common)
        self._updates = _Updates(connection_pool_size=1, **common)
        self._bot = Bot(
            settings.bot_token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=self._requests,
            get_updates_request=self._updates,
        )

    async def send(self, chat: int, text: str, choices: Sequence[Choice]) -> int | None:
        """Send a text; its message id, where the answer tells it.

        No parse mode: what a resident wrote can never become markup.
        """
        sent = await _typed(
            self._bot.send_message(
                chat,
                text,
                reply_markup=_markup(choices) if choices else None,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        )
        return sent.message_id if isinstance(sent, Message) else None

    async def close_keyboard(self, chat: int, message_id: int, chosen: str = "") -> None:
        """Take the buttons off a message; one that does nothing stays to show what was `chosen`."""
        markup = InlineKeyboardMarkup([[InlineKeyboardButton(f"✓ {chosen}", callback_data=USED)]]) if chosen else None
        await _typed(self._bot.edit_message_reply_markup(chat_id=chat, message_id=message_id, reply_markup=markup))

    async def answer_press(self, query_id: str, text: str = "") -> None:
        """End the waiting mark on a pressed button; `text` shows for a moment."""
        await _typed(self._bot.answer_callback_query(query_id, text=text or None))

    async def leave_group(self, chat: int, word: str) -> None:
        """Say why, and go."""
        await _typed(self._bot.send_message(chat, word))
        await _typed(self._bot.leave_chat(chat))

    async def download(self, file_id: str, most: int) -> bytes:
        """A file that was sent to the bot (getFile hands out 20 MB). Raises a `SendError`."""
        try:
            file = await self._bot.get_file(file_id)
            if (file.file_size or 0) > most:
                failure: SendError = Rejected(f"larger than {most} bytes")
            elif not (file.file_path or "").startswith(self._files):
                # A server of the company's own may name a path of its own disk, and the library would open it on ours.
                failure = Rejected("file: no address at the API; a local Bot API server must not run with --local")
            else:
                content = bytes(await file.download_as_bytearray())
                if len(content) <= most:
                    return content
                failure = Rejected(f"larger than {most} bytes")
        except TelegramError as error:
            failure = media_error(error)
        except _UNREAD as error:
            failure = Later(f"file: an answer of an unknown shape ({type(error).__name__})", _RETRY_S)
        # Raised outside the handler: the library's exception holds the address and must not become our context.
        raise failure

    async def me(self) -> None:
        """Ask who we are: the token works."""
        await _typed(self._bot.get_me())

    async def set_webhook(self, url: str, secret: str) -> None:
        """Have updates pushed to `url`; those that wait are kept."""
        await _typed(self._bot.set_webhook(url, secret_token=secret, allowed_updates=ALLOWED))

    async def delete_webhook(self) -> None:
        """Have updates kept for `updates`."""
        await _typed(self._bot.delete_webhook(drop_pending_updates=False))

    async def updates(self, offset: int, wait_s: int = POLL_S) -> tuple[bytes, ...]:
        """The updates from `offset` on, as they came, waiting for the first; those below `offset` are forgotten."""
        self._updates.kept = ()
        await _typed(self._bot.get_updates(offset=offset, timeout=timedelta(seconds=wait_s), allowed_updates=ALLOWED))
        return self._updates.kept

    async def close(self) -> None:
        """Give back connections."""
        await asyncio.gather(self._requests.shutdown(), self._updates.shutdown())


def _markup(choices: Sequence[Choice]) -> InlineKeyboardMarkup | ReplyKeyboardMarkup:
    """Short labels side by side, long ones below each other. A number can be asked for in a private chat only, by a
    button in place of the keyboard (KeyboardButton.request_contact); it goes when it was pressed."""
    if choices[0].value == SHARE_NUMBER:
        button = KeyboardButton(choices[0].label, request_contact=True)
        return ReplyKeyboardMarkup([[button]], resize_keyboard=True, one_time_keyboard=True)
    try:
        buttons = [InlineKeyboardButton(choice.label, callback_data=data_of(choice.value)) for choice in choices]
    except ValueError as error:
        raise Rejected(str(error)) from None
    together = sum(len(choice.label) + 2 for choice in choices) <= _ROW
    return InlineKeyboardMarkup([buttons] if together else [[button] for button in buttons])


async def _typed(call: Awaitable[T]) -> T | None:
    """The result; None where the API took the call (`ok`), but the library cannot read what it tells of it."""
    try:
        return await call
    except TelegramError as error:
        failure = send_error(error)
    except _UNREAD as error:
        _log.warning("an answer of the Bot API is of an unknown shape (%s)", type(error).__name__)
        return None
    # Raised outside the handler: the library's exception holds the address and must not become our context.
    raise failure


def send_error(error: TelegramError) -> SendError:
    """The error of our closed list. Descriptions are not documented, the classes are (protocol: HTTP status)."""
    if isinstance(error, Slower):
        return Later(error.message, error.seconds, throttled=True)
    if isinstance(error, NoAnswerOfTelegram):
        return _no_answer(error)
    rule = _ANSWERED.get(type(error))
    return rule(_detail(error)) if rule is not None else _line(error)


def media_error(error: TelegramError) -> SendError:
    """The error for a download: nothing was sent, so what may pass is tried again."""
    if isinstance(error, NoFile):
        passing = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status == HTTPStatus.TOO_MANY_REQUESTS
        return Later(error.message, _RETRY_S) if passing else Rejected(error.message)
    failure = send_error(error)
    if isinstance(failure, OutcomeUnknown) or "temporarily unavailable" in failure.detail:
        return Later(failure.detail, _RETRY_S)
    return failure


def _forbidden(detail: str) -> SendError:
    """A bot cannot be reached at all; everything else that is forbidden is the resident's doing."""
    return Rejected(detail) if "bots" in detail else Blocked(detail)


def _not_we(detail: str) -> SendError:
    return Misconfigured(f"{detail}: is bot_token right, and api_base the Bot API?")


def _not_alone(detail: str) -> SendError:
    return Misconfigured(f"{detail}: another program fetches the updates of this bot, or a webhook is set")


_ANSWERED: Final[dict[type[TelegramError], Callable[[str], SendError]]] = {
    Forbidden: _forbidden,
    InvalidToken: _not_we,
    Conflict: _not_alone,
    BadRequest: Rejected,
    ChatMigrated: Rejected,
}


def _no_answer(error: NoAnswerOfTelegram) -> SendError:
    if error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}:
        return Misconfigured(f"{error.message}: is api_base the Bot API?")
    if HTTPStatus.MULTIPLE_CHOICES <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Later(error.message, _RETRY_S)  # a proxy or firewall refused; nothing got through
    return OutcomeUnknown(error.message)


def _line(error: TelegramError) -> SendError:
    """Something on the way. Only where no connection was made it is certain that nothing went out."""
    if isinstance(error, ServerFault):
        return OutcomeUnknown(error.message)
    cause = error.__cause__
    if isinstance(cause, _NOT_SENT):
        return Later(f"not connected ({type(cause).__name__})", _RETRY_S)
    if cause is None and isinstance(error, NetworkError):
        return Rejected(_detail(error))  # an answer with another 4xx, such as 413
    return OutcomeUnknown(f"no answer ({type(cause or error).__name__})")


def _detail(error: TelegramError) -> str:
    """Telegram's words, without ids and without anything that is not its own plain English."""
    return _NUMBERS.sub("…", _UNSPOKEN.sub(" ", error.message))[:200].strip() or type(error).__name__
