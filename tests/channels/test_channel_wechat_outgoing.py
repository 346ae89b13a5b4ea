"""Customer-service messages against the stand-in: every outcome of the errcode table, tokens, faults of the line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from wechatpy.constants import WeChatErrorCode

from bot.web.simulator.wechat import WeChatPlatform
from bot.web.simulator.wechat_push import Limits
from channels.errors import (
    Blocked,
    Later,
    Misconfigured,
    OutcomeUnknown,
    QuotaUsedUp,
    Rejected,
    SendError,
    WindowClosed,
)
from channels.messages import OutboundMessage
from channels.wechat import WeChat
from channels.wechat.errcodes import RULES, send_error
from tests.channels.cases import Outgoing, check_outgoing
from tests.channels.wechat_kit import OPENID, ORIGINAL_ID, SECRET, TOKEN, WeChatKit, settings

KIT = WeChatKit()
TOKEN_CALL, SEND = "stable_token", "custom/send"
QUICK = Limits(answer_s=5.0, pause_s=0.0, repeats=0)


class Stopped:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def seconds(self) -> float:
        return self.moment.timestamp()

    def move(self, **by: float) -> None:
        self.moment += timedelta(**by)


@asynccontextmanager
async def platform_and_channel(
    clock: Stopped | None = None, timeout_s: float = 5.0
) -> AsyncIterator[tuple[WeChatPlatform, WeChat]]:
    clock = clock or Stopped()
    platform = WeChatPlatform("wx1234567890abcdef", SECRET, TOKEN, ORIGINAL_ID, now=clock.now, limits=QUICK)
    await platform.start()
    platform.phone(OPENID).window.wrote(clock.now())
    channel = WeChat("main", settings(platform.base_url), clock.seconds, timeout_s=timeout_s)
    try:
        yield platform, channel
    finally:
        await channel.close()
        await platform.stop()


def refused(errcode: int, error: type[SendError], **more: object) -> Outgoing:
    """A case whose send is answered with `errcode`."""
    values = {"error": error, "detail": f"errcode {errcode}", "arrives": False, "requests": (TOKEN_CALL, SEND), **more}
    return Outgoing(name=f"errcode {errcode}", script=((SEND, {"errcode": errcode}),), **values)  # type: ignore[arg-type]


def line(name: str, error: type[SendError], fault: dict[str, object], **more: object) -> Outgoing:
    """A case in which the line or the far side fails."""
    values = {"error": error, "requests": (TOKEN_CALL, SEND), **more}
    return Outgoing(name=name, script=((SEND, fault),), **values)  # type: ignore[arg-type]


LONGEST = "漏" * 666 + "ab"
BOTH = (TOKEN_CALL, SEND)
RETRIED = (TOKEN_CALL, SEND, TOKEN_CALL, SEND)

CASES = [
    Outgoing(name="text", requests=BOTH, arrives=True),
    Outgoing(
        name="lines, emoji, markup", text="一\n二 😭 <a href='x'>&</a> \\u6f0f \"q\"", requests=BOTH, arrives=True
    ),
    Outgoing(name="exactly 2000 bytes", text=LONGEST, requests=BOTH, arrives=True),
    Outgoing(
        name="over 2000 bytes", text=LONGEST + "c", requests=(), error=Rejected, detail="2000 bytes", arrives=False
    ),
    Outgoing(name="empty", text="", requests=BOTH, error=Rejected, detail="44004", arrives=False),
    Outgoing(name="only what is cleaned away", text="\ue14a\x00", requests=BOTH, error=Rejected, detail="44004"),
    Outgoing(name="unknown openid", address="oNobody", requests=BOTH, error=Rejected, detail="40003 INVALID_OPENID"),
    refused(-1, OutcomeUnknown),
    refused(40002, Rejected),
    refused(40013, Misconfigured),
    refused(40125, Misconfigured),
    refused(40164, Misconfigured),
    refused(40243, Misconfigured),
    refused(40241, OutcomeUnknown),
    refused(43004, Blocked),
    refused(43019, Rejected),
    refused(43101, Rejected),
    refused(43117, Later, after=300.0, throttled=True),
    refused(45002, Rejected),
    refused(45009, Misconfigured),
    refused(45011, Later, after=60.0, throttled=True),
    refused(45015, WindowClosed),
    refused(45047, QuotaUsedUp),
    refused(46004, Blocked),
    refused(47001, Rejected),
    refused(48001, Misconfigured),
    refused(48002, Blocked),
    refused(48004, Misconfigured),
    refused(50002, Blocked),
    refused(50005, Blocked),
    refused(99999, Rejected),
    Outgoing(name="token over once", script=((SEND, {"errcode": 42001}),), requests=RETRIED, arrives=True),
    Outgoing(name="token invalid once", script=((SEND, {"errcode": 40014}),), requests=RETRIED, arrives=True),
    Outgoing(
        name="token invalid for ever",
        script=((SEND, {"errcode": 40001, "times": 2}),),
        requests=RETRIED,
        error=Misconfigured,
        detail="40001 INVALID_CREDENTIAL",
        arrives=False,
    ),
    Outgoing(
        name="wrong secret", script=((TOKEN_CALL, {"errcode": 40001}),), requests=(TOKEN_CALL,), error=Misconfigured
    ),
    Outgoing(
        name="token: not in the white list",
        script=((TOKEN_CALL, {"errcode": 40164, "errmsg": "invalid ip 1.2.3.4 ipv6 ::1, not in whitelist"}),),
        requests=(TOKEN_CALL,),
        error=Misconfigured,
        detail="1.2.3.4",
    ),
    Outgoing(
        name="token: busy",
        script=((TOKEN_CALL, {"errcode": -1}),),
        requests=(TOKEN_CALL,),
        error=Later,
        after=2.0,
    ),
    Outgoing(
        name="token: too many calls",
        script=((TOKEN_CALL, {"errcode": 45011}),),
        requests=(TOKEN_CALL,),
        error=Later,
        after=60.0,
        throttled=True,
    ),
    Outgoing(
        name="token: no answer, so nothing went out",
        script=((TOKEN_CALL, {"cut": "before"}),),
        requests=(TOKEN_CALL,),
        error=Later,
        after=2.0,
        arrives=False,
    ),
    Outgoing(
        name="token: a page",
        script=((TOKEN_CALL, {"html": True}),),
        requests=(TOKEN_CALL,),
        error=Later,
        after=5.0,
    ),
    Outgoing(
        name="token: an object without one",
        script=((TOKEN_CALL, {"body": "{}"}),),
        requests=(TOKEN_CALL,),
        error=Misconfigured,
        detail="api_base",
    ),
    line("a proxy's page with 200", Later, {"html": True}, after=5.0, arrives=False),
    line("truncated JSON", Later, {"body": '{"errcode":0,"errm'}, after=5.0),
    line("a list", Later, {"body": "[]"}, after=5.0),
    line("deep JSON", Later, {"body": '{"a":' + "[" * 100_000}, after=5.0),
    line("HTTP 500", Later, {"status": 500}, after=5.0, arrives=False),
    line("HTTP 502", Later, {"status": 502}, after=5.0, arrives=False),
    line("HTTP 302", Later, {"status": 302}, after=5.0, arrives=False),
    line("an errcode that is no number", OutcomeUnknown, {"body": '{"errcode":"ok"}'}),
    line("cut before delivery", OutcomeUnknown, {"cut": "before"}, arrives=False),
    line("cut after delivery", OutcomeUnknown, {"cut": "after"}, arrives=True),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_outgoing(case: Outgoing, caplog: pytest.LogCaptureFixture) -> None:
    async with platform_and_channel() as (platform, channel):
        for call, fault in case.script:
            platform.script(call, **fault)
        await check_outgoing(KIT, channel, case, caplog)
        assert tuple(name for name, _ in platform.requests) == case.requests
        assert platform.unused_scripts() == []
        if case.arrives is not None:
            assert platform.phone(OPENID).received() == ([case.text] if case.arrives else [])


async def test_what_is_sent() -> None:
    async with platform_and_channel() as (platform, channel):
        await channel.send(OutboundMessage(row_id="1", address=OPENID, text="漏水"))
        token, send = platform.requests
        assert token == (TOKEN_CALL, {"grant_type": "client_credential", "force_refresh": False})
        assert send == (SEND, {"touser": OPENID, "msgtype": "text", "text": {"content": "漏水"}})


@pytest.mark.parametrize("hang", ["before", "after"])
async def test_no_answer_in_time_is_unknown(hang: str, caplog: pytest.LogCaptureFixture) -> None:
    async with platform_and_channel(timeout_s=0.2) as (platform, channel):
        case = Outgoing(name=hang, error=OutcomeUnknown, detail="TimeoutError", requests=BOTH)
        platform.script(SEND, hang="before" if hang == "before" else "after")
        await check_outgoing(KIT, channel, case, caplog)
        assert len(platform.phone(OPENID).received()) == (hang == "after")


async def test_nobody_listens_and_nothing_went_out(caplog: pytest.LogCaptureFixture) -> None:
    async with platform_and_channel() as (platform, channel):
        await channel.send(OutboundMessage(row_id="1", address=OPENID, text="一"))
        await platform.stop()
        await channel.close()
        case = Outgoing(name="refused", error=Later, after=5.0, detail="not connected", requests=())
        await check_outgoing(KIT, channel, case, caplog)
        await platform.start()
        await channel.send(OutboundMessage(row_id="1", address=OPENID, text="二"))
        assert platform.phone(OPENID).received() == ["一", "二"]


# The token


async def test_a_token_is_kept_until_300_seconds_before_its_end() -> None:
    clock = Stopped()
    async with platform_and_channel(clock) as (platform, channel):
        for minutes, fetched in ((0, 1), (60, 1), (54, 1), (1.1, 2), (60, 2)):
            clock.move(minutes=minutes)
            platform.phone(OPENID).window.wrote(clock.now())
            await channel.send(OutboundMessage(row_id="1", address=OPENID, text="在"))
            assert platform.calls[TOKEN_CALL] == fetched


async def test_many_callers_share_one_fetch() -> None:
    async with platform_and_channel() as (platform, channel):
        messages = [OutboundMessage(row_id=str(n), address=OPENID, text=str(n)) for n in range(5)]
        await asyncio.gather(*map(channel.send, messages))
        assert platform.calls == {TOKEN_CALL: 1, SEND: 5}


async def test_many_callers_replace_a_revoked_token_once() -> None:
    async with platform_and_channel() as (platform, channel):
        await channel.send(OutboundMessage(row_id="0", address=OPENID, text="0"))
        platform.revoke_token()
        platform.phone(OPENID).window.wrote(platform.account.now())
        messages = [OutboundMessage(row_id=str(n), address=OPENID, text=str(n)) for n in range(1, 6)]
        await asyncio.gather(*map(channel.send, messages))
        assert platform.calls[TOKEN_CALL] == 2
        assert sorted(platform.phone(OPENID).received()) == ["0", "1", "2", "3", "4", "5"]


async def test_a_failed_fetch_reaches_every_caller_and_is_made_anew_by_the_next() -> None:
    async with platform_and_channel() as (platform, channel):
        platform.script(TOKEN_CALL, errcode=-1)
        message = OutboundMessage(row_id="1", address=OPENID, text="在")
        outcomes = await asyncio.gather(channel.send(message), channel.send(message), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Later, Later]
        await channel.send(message)
        assert platform.calls[TOKEN_CALL] == 2


async def test_a_caller_that_gives_up_does_not_take_the_token_from_others() -> None:
    async with platform_and_channel() as (platform, channel):
        message = OutboundMessage(row_id="1", address=OPENID, text="在")
        impatient, patient = asyncio.create_task(channel.send(message)), asyncio.create_task(channel.send(message))
        await asyncio.sleep(0)
        impatient.cancel()
        await patient
        with pytest.raises(asyncio.CancelledError):
            await impatient
        assert platform.calls == {TOKEN_CALL: 1, SEND: 1}


async def test_access_tokens_are_redacted() -> None:
    async with platform_and_channel() as (platform, channel):
        await channel.send(OutboundMessage(row_id="1", address=OPENID, text="在"))
        token, _ = platform.api.tokens.stable(platform.account.now(), force=False)
        assert channel.redact(f"left over: {token}") == "left over: ***"


async def test_credentials_are_tried_without_sending_anything() -> None:
    async with platform_and_channel() as (platform, channel):
        await channel.try_credentials()
        assert platform.calls == {TOKEN_CALL: 1}
        platform.script(TOKEN_CALL, errcode=40164)
        other = WeChat("main", settings(platform.base_url))
        with pytest.raises(Misconfigured, match="40164 IP_NOT_IN_WHITELIST"):
            await other.try_credentials()
        await other.close()


@pytest.mark.parametrize("over", ["expire_token", "revoke_token"])
async def test_two_processes_share_one_token_and_force_none(over: str) -> None:
    async with platform_and_channel() as (platform, web):
        worker = WeChat("main", settings(platform.base_url))
        platform.phone("oOther").window.wrote(platform.account.now())

        async def both() -> set[str]:
            one = web.send(OutboundMessage(row_id="1", address=OPENID, text="一"))
            other = worker.send(OutboundMessage(row_id="2", address="oOther", text="二"))
            await asyncio.gather(one, other)
            return {channel._api.tokens.secrets[-1] for channel in (web, worker)}

        first = await both()
        getattr(platform, over)()
        second = await both()
        assert len(first) == len(second) == 1
        assert first != second
        assert platform.calls[TOKEN_CALL] == 4
        asked = [payload["force_refresh"] for name, payload in platform.requests if name == TOKEN_CALL]
        assert asked == [False] * 4
        assert platform.calls["token"] == 0, "another system's token stays valid"
        await worker.close()


# The table


LISTED: dict[type[SendError], str] = {
    OutcomeUnknown: "-1 40241",
    Misconfigured: "40001 40014 42001 40013 40125 40243 40036 40037 43116 43106 40164 61004 45009 48001 48003 48004",
    Later: "45011 43117 45066",
    Blocked: "43004 46004 50005 48002 50002",
    WindowClosed: "45015",
    QuotaUsedUp: "45047",
    Rejected: (
        "40002 40008 40033 40035 44002 44004 47001 47003 40003 40004 40005 40006 40007 40009 40010 40011 40012 41005 "
        "45001 40163 40029 41028 41029 41030 43019 43101 45002 45003 45004 45028 45064 45065 45067 45072 45080 45081 "
        "48005 48006 48008 50001 61451 61452 61453 61500"
    ),
}
"""What the list of 全局返回码 and WxJava's WxMpErrorMsgEnum come to, written down apart from the code."""


@pytest.mark.parametrize(("kind", "codes"), LISTED.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_every_listed_errcode_has_its_type(kind: type[SendError], codes: str) -> None:
    for code in map(int, codes.split()):
        assert code in RULES, f"{code} is not in the table"
        error = send_error(code, "words rid: 1")
        assert type(error) is kind, code
        assert error.detail == f"errcode {code} {RULES[code][1]} words rid: 1"


def test_nothing_is_in_the_table_that_is_not_listed() -> None:
    listed = {int(code) for codes in LISTED.values() for code in codes.split()}
    assert {code for code in RULES if code not in listed} <= set(range(65301, 65318))


@pytest.mark.parametrize("code", [0, 43010, 65301, 65317, 65400, 65416, 88000, 99999, 10**9])
def test_what_nobody_listed_is_refused_for_good_and_told(code: int) -> None:
    error = send_error(code, "请求 failed")
    assert type(error) is Rejected
    assert error.detail.startswith(f"errcode {code}")
    assert error.loggable


def test_names_are_those_of_wechatpy() -> None:
    theirs = {int(code): code.name for code in WeChatErrorCode}
    assert {code: name for code, (_, name) in RULES.items() if code in theirs} == {
        code: theirs[code] for code in RULES if code in theirs
    }
    assert sum(code in theirs for code in RULES) >= 30


def test_what_pauses_alarms_and_what_waits_does_not() -> None:
    for code, (rule, _) in RULES.items():
        error = rule("x")
        assert error.loggable or isinstance(error, Later | WindowClosed | QuotaUsedUp), code
        assert not isinstance(error, Later) or error.throttled, code
