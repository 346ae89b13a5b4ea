"""The push side of the WeChat stand-in: signed POSTs, 5 s each, up to three repeats, and what the answer shows."""

import asyncio
import secrets
import time
from functools import partial
from typing import Final, Literal

import aiohttp
import msgspec
from wechatpy.replies import EmptyReply, TextReply, deserialize_reply
from wechatpy.utils import WeChatSigner

from bot.web.simulator.account import Account
from bot.web.simulator.faults import Faults
from bot.web.simulator.phones import FAULT_TEXT
from bot.web.simulator.wechat_seal import opened, sealed
from bot.web.simulator.wire import Transfer

_REPLY_LIMIT: Final = 2047
_HEADERS: Final = {"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0"}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds for one answer, pause before a repeat, and how many repeats: four requests in all (被动回复用户消息)."""

    answer_s: float = 5.0
    pause_s: float = 0.5
    repeats: int = 3
    receipt_s: float = 1.0
    """After so long the fate of a template message is pushed."""


class Attempt(msgspec.Struct, frozen=True):
    """One request. `status` is None when no complete answer came in time; `error` says why."""

    status: int | None
    body: bytes = b""
    error: str = ""


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a push. `shown` is what reached the screen: a reply, the fault text, or nothing."""

    openid: str
    body: bytes
    attempts: tuple[Attempt, ...]
    result: Literal["silent", "reply", "invalid", "unanswered"]
    shown: str = ""

    @property
    def acknowledged(self) -> bool:
        """The platform pushes it no more because it was answered."""
        return self.result != "unanswered"


class Pusher:
    """Sends to the service's address."""

    def __init__(self, account: Account, limits: Limits, faults: Faults) -> None:
        self._account = account
        self._limits = limits
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None
        # Unique over restarts: a service that keeps its data must never take a new message for a repeat.
        self._message_id = time.time_ns()
        self.service_url = ""

    def next_message_id(self) -> str:
        """A MsgId that no push had before."""
        self._message_id += 1
        return str(self._message_id)

    async def deliver(self, openid: str, name: str, body: bytes, *, shows_fault: bool) -> Pushed:
        """Push until it is answered, four times at most, and show what the last answer says."""
        return await self._faults.in_order(partial(self._deliver, openid, name, body, shows_fault=shows_fault))

    async def _deliver(self, openid: str, name: str, body: bytes, *, shows_fault: bool) -> Pushed:
        attempts: list[Attempt] = []
        for number in range(1, self._limits.repeats + 2):
            if number > 1:
                await asyncio.sleep(self._limits.pause_s)
            attempts.append(await self._faults.copies(partial(self._attempt, openid, name, body, number)))
            if attempts[-1].status == 200:
                break
        return self._conclude(openid, body, tuple(attempts), shows_fault=shows_fault)

    def query(self, openid: str = "") -> dict[str, str]:
        """Fresh signature, timestamp and nonce, as every single request carries."""
        timestamp, nonce = str(int(self._account.now().timestamp())), str(secrets.randbelow(10**10))
        signer = WeChatSigner()
        signer.add_data(self._account.token, timestamp, nonce)
        query = {"signature": signer.signature, "timestamp": timestamp, "nonce": nonce}
        return {**query, "openid": openid} if openid else query

    async def handshake(self) -> bool:
        """Save the address in the console: whether the service echoed what it was sent."""
        echo = str(secrets.randbelow(10**19))
        async with self._open().get(self.service_url, params={**self.query(), "echostr": echo}) as response:
            return response.status == 200 and await response.text() == echo

    async def _attempt(self, openid: str, name: str, body: bytes, number: int) -> Attempt:
        started = asyncio.get_running_loop().time()
        query, data = sealed(self._account, self.query(openid), body)
        try:
            async with self._open().post(
                self.service_url, params=query, data=data, headers=_HEADERS, allow_redirects=False
            ) as response:
                self._faults.lose(response, number)
                attempt = Attempt(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            attempt = Attempt(None, error=type(error).__name__)
        took = asyncio.get_running_loop().time() - started
        payload = body.decode("utf-8", "replace")[:2000]
        self._account.wire.add(
            Transfer(
                number=self._account.wire.next_number(),
                direction="push",
                name=name,
                openid=openid,
                at=self._account.now(),
                attempt=number,
                outcome=self._outcome(attempt, openid),
                milliseconds=round(took * 1000),
                payload=payload,
            )
        )
        return attempt

    def _outcome(self, attempt: Attempt, openid: str) -> str:
        if attempt.status is None:
            return attempt.error
        if attempt.status != 200:
            return f"HTTP {attempt.status}"
        text = self._reply(attempt.body, openid)
        return "unusable answer" if text is None else "reply" if text else "success"

    def _reply(self, body: bytes, openid: str) -> str | None:
        plain = opened(self._account, body)
        return None if plain is None else read_reply(plain, openid, self._account.original_id)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._limits.answer_s)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(force_close=True))
        return self._session

    def _conclude(self, openid: str, body: bytes, attempts: tuple[Attempt, ...], *, shows_fault: bool) -> Pushed:
        phone = self._account.phone(openid)
        last = attempts[-1]
        if last.status == 200:
            text = self._reply(last.body, openid)
            if text:
                self._account.show(phone, "received", text, via="passive")
                return Pushed(openid=openid, body=body, attempts=attempts, result="reply", shown=text)
            if text is not None:
                return Pushed(openid=openid, body=body, attempts=attempts, result="silent")
        if shows_fault:
            self._account.show(phone, "system", FAULT_TEXT)
        result: Literal["invalid", "unanswered"] = "invalid" if last.status == 200 else "unanswered"
        return Pushed(
            openid=openid, body=body, attempts=attempts, result=result, shown=FAULT_TEXT if shows_fault else ""
        )

    async def close(self) -> None:
        """Give back connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def read_reply(body: bytes, openid: str, original_id: str) -> str | None:
    """The text of a passive reply, "" for `success` or an empty body, None for an answer the platform cannot use."""
    if body in {b"", b"success"}:
        return ""
    try:
        reply = deserialize_reply(body)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    if isinstance(reply, EmptyReply) or not isinstance(reply, TextReply):
        return None
    text = reply.content if isinstance(reply.content, str) else ""
    addressed = reply.target == openid and reply.source == original_id
    return text if addressed and text and len(text.encode()) <= _REPLY_LIMIT else None


def cdata(text: str) -> str:
    """`text` as the platform writes it."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def render(account: Account, openid: str, kind: str, inner: str) -> bytes:
    """A push in plain mode; `inner` is the XML of the kind's own fields."""
    created = int(account.now().timestamp())
    return (
        f"<xml><ToUserName>{cdata(account.original_id)}</ToUserName><FromUserName>{cdata(openid)}</FromUserName>"
        f"<CreateTime>{created}</CreateTime><MsgType>{cdata(kind)}</MsgType>{inner}</xml>"
    ).encode()
