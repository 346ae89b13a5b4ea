"""The stand-in behaves as the platform does: repeats, answers, quotas, tokens, errcodes."""

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec
import pytest

from bot.web.simulator.phones import FAULT_TEXT, Window
from bot.web.simulator.wechat import WeChatPlatform
from bot.web.simulator.wechat_push import Limits, read_reply
from bot.web.simulator.wechat_tokens import Tokens
from channels.messages import Parsed
from channels.wechat.settings import Mode
from channels.wechat.xml import text_reply
from tests.simulator.service import APP_ID, LI, ORIGINAL_ID, SECRET, WANG, Service, desk, echo

OPENID = WANG.openid
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHORT = Limits(answer_s=0.1, pause_s=0.01)


def shown(platform: WeChatPlatform) -> list[tuple[str, str, str]]:
    return [(entry.direction, entry.text, entry.via) for entry in platform.phone(OPENID).screen]


# Pushes


async def test_handshake() -> None:
    async with desk() as (platform, _, _base):
        assert await platform.handshake()
        platform.account.token = "BBBBB"
        assert not await platform.handshake()


async def test_a_message_travels_and_its_passive_reply_is_shown() -> None:
    async with desk() as (platform, service, _):
        pushed = await platform.push_text(OPENID, "漏水]]>&<b>\n急")
        assert pushed.result == "reply"
        assert shown(platform) == [
            ("sent", "漏水]]>&<b>\n急", ""),
            ("received", "收到：漏水]]>&<b>\n急", "passive"),
        ]
        (parsed,) = service.seen
        assert parsed.messages[0].sender == OPENID
        assert service.queries[0]["openid"] == OPENID


async def test_every_kind_is_understood() -> None:
    async with desk() as (platform, service, _):
        await platform.push_image(OPENID)
        await platform.push_voice(OPENID)
        await platform.push_video(OPENID)
        await platform.push_location(OPENID, 31.2, 121.4, "北门")
        await platform.push_text(OPENID, "满意", menu_id="101")
        await platform.follow(OPENID, "b3-u1")
        await platform.click(OPENID, "MENU_REPAIR", "我要报修")
        await platform.scan(OPENID, "b3-u2")
        await platform.push_event(OPENID, "LOCATION", inner="<Latitude>31</Latitude><Longitude>121</Longitude>")
        await platform.unfollow(OPENID)
        assert [message.kind for parsed in service.seen for message in parsed.messages] == [
            "image", "voice", "video", "location", "text"
        ]  # fmt: skip
        assert [(event.kind, event.key) for parsed in service.seen for event in parsed.events] == [
            ("followed", "b3-u1"),
            ("menu_click", "MENU_REPAIR"),
            ("scanned", "b3-u2"),
            ("position", ""),
            ("unfollowed", ""),
        ]
        assert service.seen[4].messages[0].choice == "101"
        ids = [message.external_id for parsed in service.seen for message in parsed.messages]
        assert len(set(ids)) == len(ids)


async def test_silence_is_pushed_four_times_with_fresh_signatures_and_then_shown_as_a_fault() -> None:
    release = asyncio.Event()

    async def hang(service: Service, parsed: Parsed) -> str | None:
        await release.wait()
        return None

    async with desk(hang, SHORT) as (platform, service, _):
        pushed = await platform.push_text(OPENID, "有人吗")
        release.set()
        assert (pushed.result, len(pushed.attempts)) == ("unanswered", 4)
        assert not pushed.acknowledged
        assert len({parsed.messages[0].external_id for parsed in service.seen}) == 1
        assert len({query["nonce"] for query in service.queries}) == 4
        assert len({query["signature"] for query in service.queries}) == 4
        assert shown(platform)[-1] == ("system", FAULT_TEXT, "")


async def test_only_the_answer_to_the_latest_live_connection_is_shown() -> None:
    first = asyncio.Event()

    async def late_once(service: Service, parsed: Parsed) -> str | None:
        number = len(service.seen)
        if number == 1:
            await first.wait()
        return f"答复{number}"

    async with desk(late_once, SHORT) as (platform, _, _base):
        pushed = await platform.push_text(OPENID, "在吗")
        first.set()
        assert [attempt.status for attempt in pushed.attempts] == [None, 200]
        assert platform.phone(OPENID).received() == ["答复2"]


async def test_an_error_status_is_repeated_and_an_outage_too() -> None:
    async def recovers(service: Service, parsed: Parsed) -> str | None:
        service.status = 500 if len(service.seen) < 3 else 200
        return "好了"

    async with desk(recovers) as (platform, _, _base):
        pushed = await platform.push_text(OPENID, "在吗")
        assert [attempt.status for attempt in pushed.attempts] == [500, 500, 200]
        platform.service_url = "http://127.0.0.1:9/"
        nobody = await platform.push_text(OPENID, "在吗")
        assert [attempt.error for attempt in nobody.attempts] == ["ClientConnectorError"] * 4
        assert platform.phone(OPENID).received() == ["好了"]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>502</html>",
        b'{"errcode":0}',
        b"<xml><MsgType>text</MsgType>",
        b"ok",
        text_reply(OPENID, "gh_other", 1, "x"),
        text_reply(LI.openid, ORIGINAL_ID, 1, "x"),
        text_reply(OPENID, ORIGINAL_ID, 1, ""),
        text_reply(OPENID, ORIGINAL_ID, 1, "x" * 2048),
    ],
)
async def test_an_unusable_answer_is_shown_as_a_fault_and_not_repeated(body: bytes) -> None:
    async with desk() as (platform, service, _):
        service.body = body
        pushed = await platform.push_text(OPENID, "在吗")
        assert (pushed.result, len(pushed.attempts)) == ("invalid", 1)
        assert shown(platform)[-1] == ("system", FAULT_TEXT, "")


@pytest.mark.parametrize("body", [b"", b"success"])
def test_nothing_is_shown_for(body: bytes) -> None:
    assert read_reply(body, OPENID, ORIGINAL_ID) == ""


async def test_no_fault_is_shown_for_what_the_resident_did_not_say() -> None:
    async with desk() as (platform, service, _):
        service.body = b"broken"
        await platform.push_event(OPENID, "VIEW", "https://example.com")
        assert shown(platform) == []


async def test_a_body_can_be_pushed_again() -> None:
    async with desk() as (platform, service, _):
        pushed = await platform.push_text(OPENID, "在吗")
        await platform.push_body(OPENID, pushed.body)
        first, second = service.seen
        assert first.messages[0].external_id == second.messages[0].external_id


# The quota


def test_a_message_allows_five_for_48_hours_counted_anew() -> None:
    window = Window()
    window.wrote(NOW)
    assert [window.use(NOW) for _ in range(6)] == [True] * 5 + [False]
    window.wrote(NOW)
    assert window.left(NOW) == 5
    assert window.is_open(NOW + timedelta(hours=47, minutes=59))
    assert not window.is_open(NOW + timedelta(hours=48))
    assert not window.use(NOW + timedelta(hours=48))


def test_a_click_allows_three_for_a_minute_used_before_those_of_a_message() -> None:
    window = Window()
    window.touched(NOW)
    assert window.left(NOW + timedelta(seconds=59)) == 3
    assert window.left(NOW + timedelta(seconds=60)) == 0
    window.wrote(NOW)
    assert [window.use(NOW) for _ in range(4)] == [True] * 4
    assert window.left(NOW + timedelta(minutes=2)) == 4
    window.close()
    assert not window.is_open(NOW)


def send(text: str = "好") -> dict[str, object]:
    return {"touser": OPENID, "msgtype": "text", "text": {"content": text}}


async def call(platform: WeChatPlatform, path: str, payload: object, token: str | None = None) -> dict[str, object]:
    if token is None:
        token, _ = platform.api.tokens.stable(platform.account.now(), force=False)
    async with aiohttp.ClientSession() as session:
        data = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
        async with session.post(
            f"{platform.base_url}/cgi-bin/{path}", params={"access_token": token}, data=data
        ) as got:
            answer: dict[str, object] = await got.json()
            return answer


@pytest.mark.parametrize(
    ("payload", "errcode"),
    [
        (send(), 0),
        (send("漏" * 682), 0),
        (send("漏" * 683), 45002),
        (send(""), 44004),
        ({**send(), "touser": "oNobody"}, 40003),
        ({**send(), "msgtype": "image"}, 40008),
        ({**send(), "text": "好"}, 44004),
        (b"{", 47001),
        (b"\xff", 47001),
        (b'{"touser":"' + OPENID.encode() + b'","msgtype":"text","text":{"content":"\\u6f0f"}}', 40033),
        (b'{"touser":"' + OPENID.encode() + b'","msgtype":"text","text":{"content":"\\\\u6f0f"}}', 0),
    ],
)
async def test_custom_send(payload: object, errcode: int) -> None:
    async with desk() as (platform, _, _base):
        platform.phone(OPENID).window.wrote(platform.account.now())
        assert (await call(platform, "message/custom/send", payload))["errcode"] == errcode
        assert len(platform.phone(OPENID).received()) == (errcode == 0)


async def test_custom_send_by_the_state_of_the_resident() -> None:
    async with desk() as (platform, _, _base):
        phone = platform.phone(OPENID)

        async def errcode(token: str | None = None) -> object:
            return (await call(platform, "message/custom/send", send(), token))["errcode"]

        assert await errcode("") == 41001
        assert await errcode("rubbish") == 40001
        assert await errcode() == 45015
        phone.window.touched(platform.account.now())
        assert [await errcode() for _ in range(4)] == [0, 0, 0, 45047]
        phone.refuses = True
        assert await errcode() == 48002
        await platform.unfollow(OPENID)
        assert await errcode() == 43004
        token, _ = platform.api.tokens.stable(platform.account.now(), force=False)
        platform.expire_token()
        assert await errcode(token) == 42001
        assert platform.calls["custom/send"] == 10


async def test_typing() -> None:
    async with desk() as (platform, _, _base):

        async def errcode(command: str) -> object:
            return (await call(platform, "message/custom/typing", {"touser": OPENID, "command": command}))["errcode"]

        assert await errcode("Typing") == 45080
        await platform.push_text(OPENID, "在吗")
        assert await errcode("Dance") == 45072
        assert [await errcode("Typing"), await errcode("Typing")] == [0, 45081]
        assert platform.phone(OPENID).typing
        assert await errcode("CancelTyping") == 0


# Tokens


def test_the_stable_token_stays_until_its_last_five_minutes() -> None:
    tokens = Tokens()
    first, life = tokens.stable(NOW, force=False)
    assert (life, len(first) > 100) == (7200, True)
    assert tokens.stable(NOW + timedelta(minutes=114), force=False) == (first, 360)
    second, _ = tokens.stable(NOW + timedelta(minutes=116), force=False)
    assert second != first
    assert tokens.error(first, NOW + timedelta(minutes=116)) == 0
    assert tokens.error(first, NOW + timedelta(minutes=120)) == 42001
    forced, _ = tokens.stable(NOW, force=True)
    assert forced != second
    assert tokens.error(second, NOW) == 40001


def test_the_plain_token_ends_the_one_before_it_after_five_minutes() -> None:
    tokens = Tokens()
    stable, _ = tokens.stable(NOW, force=False)
    first, _ = tokens.plain(NOW)
    tokens.plain(NOW)
    assert tokens.error(first, NOW + timedelta(minutes=4)) == 0
    assert tokens.error(first, NOW + timedelta(minutes=5)) == 42001
    assert tokens.error(stable, NOW + timedelta(minutes=5)) == 0


@pytest.mark.parametrize(
    ("change", "errcode"),
    [({}, None), ({"appid": "wx"}, 40013), ({"secret": "x"}, 40125), ({"grant_type": "x"}, 40002)],
)
async def test_token_calls(change: dict[str, str], errcode: int | None) -> None:
    values = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET, **change}
    async with desk() as (platform, _, _base), aiohttp.ClientSession() as session:
        async with session.get(f"{platform.base_url}/cgi-bin/token", params=values) as response:
            assert (await response.json()).get("errcode") == errcode
        assert (await call(platform, "stable_token", values)).get("errcode") == errcode
        assert SECRET not in repr(platform.requests)


# Waiting and scripts


async def test_until_waits_for_what_happens_and_gives_up() -> None:
    async with desk() as (platform, _, _base):
        task = platform.spawn(platform.push_text(OPENID, "在吗"))
        await platform.wire.until(lambda: platform.phone(OPENID).received() == ["收到：在吗"])
        assert (await task).result == "reply"
        with pytest.raises(TimeoutError):
            await platform.wire.until(lambda: False, timeout_s=0.01)


async def test_unused_scripts_are_named() -> None:
    async with desk() as (platform, _, _base):
        platform.script("custom/send", errcode=45015, times=2)
        platform.phone(OPENID).window.wrote(platform.account.now())
        assert (await call(platform, "message/custom/send", send()))["errcode"] == 45015
        assert platform.unused_scripts() == ["custom/send"]


async def test_stopping_ends_pushes_under_way() -> None:
    release = asyncio.Event()

    async def hang(service: Service, parsed: Parsed) -> str | None:
        await release.wait()
        return await echo(service, parsed)

    async with desk(hang) as (platform, _, _base):
        task = platform.spawn(platform.push_text(OPENID, "在吗"))
        await platform.wire.until(lambda: bool(platform.phone(OPENID).screen))
        await platform.stop()
        assert task.cancelled()
        release.set()


# What was said before the start


async def test_what_was_said_before_is_on_the_screen_once_and_travels_nowhere() -> None:
    async with desk() as (platform, service, _):
        said = [("sent", "漏水", NOW), ("received", "登记好了。", NOW + timedelta(minutes=1))]
        for direction, text, at in said:
            platform.remember(OPENID, "sent" if direction == "sent" else "received", text, at)
        assert [(entry.direction, entry.text, entry.at) for entry in platform.phone(OPENID).screen] == said
        assert (service.seen, platform.requests) == ([], [])
        await platform.push_text(OPENID, "在吗")
        numbers = [entry.number for entry in platform.phone(OPENID).screen]
        assert numbers == sorted(set(numbers)), "the page knows each bubble by its number"


@pytest.mark.parametrize(
    ("direction", "hours_ago", "left"), [("sent", 1, 5), ("sent", 47, 5), ("sent", 49, 0), ("received", 1, 0)]
)
async def test_the_window_is_as_open_as_it_was_left(direction: str, hours_ago: int, left: int) -> None:
    platform = WeChatPlatform(APP_ID, SECRET, "AAAAA", ORIGINAL_ID, now=lambda: NOW)
    at = NOW - timedelta(hours=hours_ago)
    platform.remember(OPENID, "sent" if direction == "sent" else "received", "漏水", at)
    assert platform.phone(OPENID).window.left(NOW) == left


# Compatible and safe mode


@pytest.mark.parametrize("mode", ["compatible", "safe"])
async def test_sealed_pushes_are_read_and_answered_sealed(mode: Mode) -> None:
    async with desk(mode=mode) as (platform, service, _):
        assert await platform.handshake()
        pushed = await platform.push_text(OPENID, "厨房漏水")
        assert (pushed.result, pushed.shown) == ("reply", "收到：厨房漏水")
        assert service.queries[0]["encrypt_type"] == "aes"
        assert b"Encrypt" in pushed.attempts[0].body
        assert "厨房漏水" in platform.wire.transfers[-1].payload, "the page shows what was meant, not the cipher"
        followed = await platform.follow(OPENID)
        assert followed.result == "silent", "`success` is not sealed"


async def test_a_platform_that_lost_its_seal_is_refused() -> None:
    async with desk(mode="safe", sealed="plain") as (platform, service, _):
        pushed = await platform.push_text(OPENID, "厨房漏水")
        assert ([attempt.status for attempt in pushed.attempts], service.seen) == ([403] * 4, [])


async def test_an_open_answer_is_no_answer_in_safe_mode() -> None:
    async with desk(mode="safe") as (platform, service, _):
        service.body = b"<xml><Content>open</Content></xml>"
        assert (await platform.push_text(OPENID, "厨房漏水")).result == "invalid"
        service.body = b"<xml><Encrypt>AAAA</Encrypt></xml>"
        assert (await platform.push_text(OPENID, "厨房漏水")).result == "invalid"


async def test_a_service_in_plain_mode_reads_a_compatible_platform() -> None:
    async with desk(mode="plain", sealed="compatible") as (platform, _, _):
        assert (await platform.push_text(OPENID, "厨房漏水")).shown == "收到：厨房漏水"
