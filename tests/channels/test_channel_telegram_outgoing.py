"""Texts and buttons against the stand-in: every outcome, faults of the line, pace, dead keyboards, groups, secrets."""

import asyncio
import json
import logging

import pytest
from aiohttp import web

from channels.errors import Blocked, Later, Misconfigured, OutcomeUnknown, Rejected, SendError
from channels.messages import Choice, OutboundMessage
from channels.telegram import Telegram
from channels.telegram.pace import Rates
from tests.channels.cases import Outgoing, check_no_secret, check_outgoing
from tests.channels.telegram_kit import PERSON, TOKEN, TelegramKit, platform_and_channel, settings

KIT = TelegramKit()
SEND = "sendMessage"
ADDRESS = str(PERSON)
BLOCKED = "Forbidden: bot was blocked by the user"
OPTIONS = (Choice("1", "3栋1101"), Choice("2", "9栋502"))


def refused(status: int, words: str, error: type[SendError], **more: object) -> Outgoing:
    """A case whose send is answered with an error of the API."""
    fault = {"status": status, "description": words, "parameters": more.pop("parameters", None)}
    values = {"error": error, "arrives": False, "requests": (SEND,), "address": ADDRESS, **more}
    return Outgoing(name=f"{status} {words}", script=((SEND, fault),), **values)  # type: ignore[arg-type]


def line(name: str, error: type[SendError] | None, fault: dict[str, object], **more: object) -> Outgoing:
    """A case in which the line or the far side fails."""
    values = {"error": error, "requests": (SEND,), "address": ADDRESS, **more}
    return Outgoing(name=name, script=((SEND, fault),), **values)  # type: ignore[arg-type]


def fine(name: str, text: str) -> Outgoing:
    return Outgoing(name=name, text=text, address=ADDRESS, requests=(SEND,), arrives=True)


CASES = [
    fine("text", "登记好了：3栋2单元1502，厨房水管漏水。"),
    fine("markup stays what it is", "<b>*一*</b> _二_ [三](http://x) `四` &amp; \\_ 😭\n\"五\" # + - = | {六} !"),
    fine("exactly 4096 UTF-16 units", "漏" * 4094 + "😭"),
    Outgoing(
        name="over 4096 UTF-16 units", text="漏" * 4095 + "😭", address=ADDRESS, requests=(), error=Rejected,
        detail="4096", arrives=False,
    ),
    Outgoing(name="empty", text="", address=ADDRESS, requests=(SEND,), error=Rejected, detail="text is empty"),
    Outgoing(
        name="only what is cleaned away", text="\ue14a\x00", address=ADDRESS, requests=(SEND,), error=Rejected,
        detail="text is empty",
    ),
    Outgoing(
        name="nobody of that id", address="4999999999", requests=(SEND,), error=Rejected, detail="Chat not found"
    ),
    Outgoing(name="the address of a group", address="-1001234567890", requests=(), error=Rejected, detail="no id"),
    Outgoing(name="the address of another channel", address="oDemoUser", requests=(), error=Rejected, detail="no id"),
    refused(400, "Bad Request: message is too long", Rejected, detail="too long"),
    refused(400, "Bad Request: chat not found", Rejected, detail="Chat not found"),
    refused(
        400, "Bad Request: group chat was upgraded", Rejected, parameters={"migrate_to_chat_id": -1009876543210}
    ),
    refused(401, "Unauthorized", Misconfigured, detail="bot_token"),
    refused(404, "Not Found", Misconfigured, detail="api_base"),
    refused(403, BLOCKED, Blocked, detail="blocked by the user"),
    refused(403, "Forbidden: user is deactivated", Blocked),
    refused(403, "Forbidden: bot can't initiate conversation with a user", Blocked),
    refused(403, "Forbidden: bots can't send messages to bots", Rejected),
    refused(409, "Conflict: terminated by other getUpdates request", Misconfigured, detail="another program"),
    refused(413, "Request Entity Too Large", Rejected),
    refused(
        429, "Too Many Requests: retry after 17", Later, parameters={"retry_after": 17}, after=17.0, throttled=True
    ),
    refused(429, "Too Many Requests", Later, after=5.0, throttled=True),
    refused(500, "Internal Server Error", OutcomeUnknown),
    refused(502, "Bad Gateway", OutcomeUnknown),
    line("a gateway's page", OutcomeUnknown, {"status": 504, "page": True}, arrives=False),
    line("a proxy's page with 200", OutcomeUnknown, {"page": True}, arrives=False),
    line("a firewall's page", Later, {"status": 403, "page": True}, after=5.0, arrives=False),
    line("a redirect", Later, {"status": 302, "page": True}, after=5.0, arrives=False),
    line("a wrong api_base", Misconfigured, {"status": 404, "page": True}, detail="api_base", arrives=False),
    line("taken, told in a shape of its own", None, {"body": '{"ok":true,"result":{"message_id":7}}'}),
    line("taken, with a bare word", None, {"body": '{"ok":true,"result":true}'}),
    line("an object that says nothing", OutcomeUnknown, {"body": "{}"}),
    line("half an answer", OutcomeUnknown, {"body": '{"ok":true,"result":{"message_'}),
    line("a list", OutcomeUnknown, {"body": "[]"}),
    line("deep JSON", OutcomeUnknown, {"body": '{"a":' + "[" * 100_000}),
    line("cut before delivery", OutcomeUnknown, {"cut": "before"}, arrives=False),
    line("cut after delivery", OutcomeUnknown, {"cut": "after"}, arrives=True),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_outgoing(case: Outgoing, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with platform_and_channel() as (platform, channel):
        for call, fault in case.script:
            platform.script(call, **fault)
        await check_outgoing(KIT, channel, case, caplog)
        assert tuple(name for name, _ in platform.requests) == case.requests
        assert platform.unused_scripts() == []
        if case.arrives is not None:
            assert platform.phone(PERSON).received() == ([case.text] if case.arrives else [])
    check_no_secret(KIT.secrets, caplog.text, "the log")


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 30


def outbound(text: str = "您说的是哪套房？", choices: tuple[Choice, ...] = ()) -> OutboundMessage:
    return OutboundMessage(row_id="1", address=ADDRESS, text=text, choices=choices)


async def test_what_is_sent() -> None:
    async with platform_and_channel() as (platform, channel):
        result = await channel.send(outbound("漏水"))
        assert result.provider_id == f"{PERSON}:1"
        (call,) = platform.requests
        assert call == (SEND, {"chat_id": PERSON, "text": "漏水", "link_preview_options": {"is_disabled": True}})


@pytest.mark.parametrize("hang", ["before", "after"])
async def test_no_answer_in_time_is_unknown(hang: str, caplog: pytest.LogCaptureFixture) -> None:
    async with platform_and_channel(timeout_s=0.2) as (platform, channel):
        case = Outgoing(name=hang, error=OutcomeUnknown, detail="ReadTimeout", address=ADDRESS, requests=(SEND,))
        platform.script(SEND, hang="before" if hang == "before" else "after")
        await check_outgoing(KIT, channel, case, caplog)
        assert len(platform.phone(PERSON).received()) == (hang == "after")


async def test_nobody_listens_and_nothing_went_out(caplog: pytest.LogCaptureFixture) -> None:
    async with platform_and_channel() as (platform, channel):
        await channel.send(outbound("一"))
        await platform.stop()
        await channel.close()
        case = Outgoing(
            name="refused", error=Later, after=5.0, detail="not connected", address=ADDRESS, requests=()
        )  # fmt: skip
        await check_outgoing(KIT, channel, case, caplog)
        await platform.start()
        await channel.send(outbound("二"))
        assert platform.phone(PERSON).received() == ["一", "二"]


async def test_an_outcome_holds_nothing_of_the_library(caplog: pytest.LogCaptureFixture) -> None:
    """The library's exceptions carry the request, whose address holds the token."""
    async with platform_and_channel() as (platform, channel):
        for fault in ({"cut": "before"}, {"status": 403, "description": BLOCKED}, {"page": True}):
            platform.script(SEND, **fault)
            with pytest.raises(SendError) as caught:
                await channel.send(outbound())
            assert (caught.value.__cause__, caught.value.__context__) == (None, None)


async def test_a_page_that_quotes_the_address_is_neither_logged_nor_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def quoting(request: web.Request) -> web.Response:
        return web.Response(text=f"<p>cannot reach {request.path} for {await request.text()}</p>", status=502)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", quoting)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    channel = Telegram("main", settings(f"http://127.0.0.1:{runner.addresses[0][1]}"))
    try:
        with pytest.raises(OutcomeUnknown) as caught:
            await channel.send(outbound("我家在3栋1502"))
    finally:
        await channel.close()
        await runner.cleanup()
    for text in (caplog.text, str(caught.value)):
        check_no_secret((*KIT.secrets, ADDRESS, "1502"), text, "log or error")


# Buttons


def keys(platform: object, message_id: int) -> list[list[str]]:
    bubble = platform.phone(PERSON).bubble(message_id)  # type: ignore[attr-defined]
    return [[key.text for key in row] for row in bubble.keys]


async def test_choices_are_buttons_side_by_side_while_they_are_short() -> None:
    async with platform_and_channel() as (platform, channel):
        await channel.send(outbound(choices=OPTIONS))
        long = tuple(Choice(str(n), f"翠湖苑三期东区{n}栋2单元1502（业主）") for n in (1, 2, 3))
        await channel.send(outbound(choices=long))
        first, second = (payload["reply_markup"] for name, payload in platform.requests if name == SEND)
        assert [[key["text"] for key in row] for row in first["inline_keyboard"]] == [["3栋1101", "9栋502"]]
        assert [len(row) for row in second["inline_keyboard"]] == [1, 1, 1]


@pytest.mark.parametrize("value", ["", "x" * 58, "漏", "a b", "\x00"])
async def test_a_value_that_no_button_can_carry_is_refused(value: str) -> None:
    async with platform_and_channel() as (platform, channel):
        with pytest.raises(Rejected, match="the value of a choice"):
            await channel.send(outbound(choices=(Choice(value, "x"),)))
        assert platform.requests == []


async def pressed(platform: object, channel: Telegram, data: str, message_id: int) -> list[tuple[str, str | None]]:
    """Press, store, acknowledge: what the desk gets."""
    bot = platform.bot  # type: ignore[attr-defined]
    await platform.press(PERSON, message_id, data)  # type: ignore[attr-defined]
    return await taken(channel, json.dumps(bot.waiting[-1]).encode())


async def taken(channel: Telegram, body: bytes) -> list[tuple[str, str | None]]:
    parsed = channel.parse(KIT.request(body))
    assert channel.acknowledge(parsed, None, KIT.sent_at).status == 200
    await channel.settled()
    return [(message.text, message.choice) for message in parsed.messages]


async def test_a_press_is_answered_and_its_buttons_go_dead() -> None:
    async with platform_and_channel() as (platform, channel):
        await channel.send(outbound(choices=OPTIONS))
        assert await pressed(platform, channel, "choice:2", 1) == [("9栋502", "2")]
        assert keys(platform, 1) == [["✓ 9栋502"]]
        phone = platform.phone(PERSON)
        assert (len(phone.answered), phone.notes) == (1, [])
        # The dead button, and the living one in a message that a slow phone still showed.
        assert await pressed(platform, channel, "used", 1) == []
        assert (len(phone.answered), phone.notes) == (2, [])
        assert await pressed(platform, channel, "choice:1", 1) == []
        assert (len(phone.answered), phone.notes) == (3, ["这个选项已经过了，要改请直接打字。"])


async def test_a_repeated_press_that_was_not_stored_is_read_again() -> None:
    async with platform_and_channel() as (platform, channel):
        await channel.send(outbound(choices=OPTIONS))
        await platform.press(PERSON, 1, "choice:1")
        body = json.dumps(platform.bot.waiting[-1]).encode()
        for _ in range(2):
            assert channel.parse(KIT.request(body)).messages[0].choice == "1"
        assert keys(platform, 1) == [["3栋1101", "9栋502"]]


async def test_buttons_go_dead_when_words_answer_or_a_newer_question_comes() -> None:
    async with platform_and_channel() as (platform, channel):
        await channel.send(outbound(choices=OPTIONS))
        await platform.write(PERSON, "第一个")
        assert await taken(channel, json.dumps(platform.bot.waiting[-1]).encode()) == [("第一个", None)]
        assert keys(platform, 1) == []
        await channel.send(outbound(choices=OPTIONS))
        await channel.send(outbound(choices=OPTIONS[:1]))
        await channel.settled()
        assert (keys(platform, 3), keys(platform, 4)) == ([], [["3栋1101"]])
        assert await pressed(platform, channel, "choice:1", 3) == [], "an older question"
        assert await pressed(platform, channel, "choice:1", 4) == [("3栋1101", "1")]


async def test_a_press_on_what_another_process_asked_reaches_the_desk() -> None:
    async with platform_and_channel() as (platform, channel):
        await channel.send(outbound(choices=OPTIONS))
        other = Telegram("main", settings(platform.base_url))
        assert await pressed(platform, other, "choice:1", 1) == [("3栋1101", "1")]
        assert keys(platform, 1) == [["✓ 3栋1101"]]
        await other.close()


async def test_a_side_call_that_fails_hurts_nobody() -> None:
    async with platform_and_channel() as (platform, channel):
        await channel.send(outbound(choices=OPTIONS))
        platform.script("answerCallbackQuery", status=400, description="Bad Request: query is too old")
        assert await pressed(platform, channel, "choice:1", 1) == [("3栋1101", "1")]


async def test_a_group_is_told_once_and_left() -> None:
    async with platform_and_channel() as (platform, channel):
        for text in ("物业的人呢", "在吗"):
            await platform.group(PERSON, text)
        for update in list(platform.bot.waiting):
            parsed = channel.parse(KIT.request(json.dumps(update).encode()))
            assert (parsed.messages, [event.raw for event in parsed.events]) == ((), [""])
            channel.acknowledge(parsed, None, KIT.sent_at)
        await channel.settled()
        assert [name for name, _ in platform.requests] == [SEND, "leaveChat"]
        assert "私聊" in platform.bot.group_words[0][1]
        assert platform.bot.groups_left == [platform.bot.group_words[0][0]]


# Pace


async def test_a_chat_gets_a_short_burst_and_then_waits() -> None:
    rates = Rates(chat=(2, 60.0), overall=(100, 1.0), patience_s=0.02)
    async with platform_and_channel(rates=rates) as (platform, channel):
        platform.phone(PERSON + 1)
        for _ in range(2):
            await channel.send(outbound())
        with pytest.raises(Later, match="our own pace") as caught:
            await channel.send(outbound())
        assert caught.value.throttled
        await channel.send(OutboundMessage(row_id="2", address=str(PERSON + 1), text="别人不等"))
        assert platform.calls[SEND] == 3


async def test_the_bot_as_a_whole_has_a_pace() -> None:
    rates = Rates(chat=(100, 1.0), overall=(3, 60.0), patience_s=0.02)
    async with platform_and_channel(rates=rates) as (platform, channel):
        for number in range(3):
            platform.phone(PERSON + number)
            await channel.send(OutboundMessage(row_id="1", address=str(PERSON + number), text="好"))
        with pytest.raises(Later, match="our own pace"):
            await channel.send(outbound())
        assert platform.calls[SEND] == 3


async def test_a_send_waits_for_its_place_where_that_comes_soon() -> None:
    rates = Rates(chat=(1, 0.05), overall=(100, 1.0), patience_s=5.0)
    async with platform_and_channel(rates=rates) as (platform, channel):
        started = asyncio.get_running_loop().time()
        for number in range(4):
            await channel.send(outbound(str(number)))
        assert asyncio.get_running_loop().time() - started >= 0.14
        assert platform.phone(PERSON).received() == ["0", "1", "2", "3"]


async def test_what_the_api_says_about_the_pace_holds_its_chat_and_then_the_bot() -> None:
    async with platform_and_channel() as (platform, channel):
        people = [str(PERSON + number) for number in range(3)]
        for person in people:
            platform.phone(int(person))
        slow = {"status": 429, "description": "Too Many Requests", "parameters": {"retry_after": 30}}
        for number, person in enumerate(people[:2]):
            platform.script(SEND, **slow)  # type: ignore[arg-type]
            for _ in range(2):
                with pytest.raises(Later) as caught:
                    await channel.send(OutboundMessage(row_id="1", address=person, text="好"))
                assert caught.value.throttled
                assert 29 < caught.value.after <= 30
            assert platform.calls[SEND] == number + 1, "the second was not even tried"
        with pytest.raises(Later, match="told to wait"):
            await channel.send(OutboundMessage(row_id="1", address=people[2], text="好"))


# Credentials


async def test_credentials_are_tried_without_sending_anything(caplog: pytest.LogCaptureFixture) -> None:
    async with platform_and_channel() as (platform, channel):
        await channel.try_credentials()
        assert platform.calls == {"getMe": 1}
        wrong = Telegram("main", settings(platform.base_url, bot_token=TOKEN[:-1] + "9"))
        with pytest.raises(Misconfigured, match="Unauthorized: is bot_token right") as caught:
            await wrong.try_credentials()
        await wrong.close()
        check_no_secret([TOKEN[:-1]], str(caught.value) + caplog.text, "error or log")
