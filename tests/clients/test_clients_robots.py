"""Robots of work groups over real sockets: what is posted, how it is signed, and what each refusal means."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
from aiohttp import web

from bot.clients.robots import GroupMessage, Robot
from bot.clients.robots.pace import AT_ONCE, KEPT_FOR_DANGER
from bot.settings import RobotSettings
from bot.web.simulator.robots import KINDS, Kind, WorkGroup
from channels.errors import Later, Misconfigured, OutcomeUnknown, Rejected, SendError
from tests.support.clock import StoppedClock

SECRET = "SEC-0123456789abcdef"
DANGER = GroupMessage(
    title="【险情】翠湖苑", text="3栋2单元1502 燃气：家里好大煤气味\n10:00 报", link="https://desk.example.com/alarm/t0ken",
    link_label="点这里接单", everybody=True,
)  # fmt: skip
NEWS = GroupMessage(title="【渠道告警】wechat/main")


@pytest.fixture
async def group(clock: StoppedClock) -> AsyncIterator[WorkGroup]:
    group = WorkGroup(now=clock.now, secret=SECRET)
    await group.start()
    yield group
    await group.stop()


@pytest.fixture
async def robots(group: WorkGroup, clock: StoppedClock) -> AsyncIterator[dict[Kind, Robot]]:
    robots: dict[Kind, Robot] = {
        kind: Robot(kind, settings(kind, group.url(kind)), lambda: clock.now().timestamp(), timeout_s=0.5)
        for kind in KINDS
    }
    yield robots
    for robot in robots.values():
        await robot.close()


def settings(kind: Kind, url: str, secret: str = SECRET) -> RobotSettings:
    return RobotSettings(kind=kind, url=url, secret="" if kind == "wecom" else secret)


EXPECTED: dict[Kind, dict[str, Any]] = {
    "wecom": {
        "msgtype": "text",
        "text": {
            "content": "【险情】翠湖苑\n3栋2单元1502 燃气：家里好大煤气味\n10:00 报\n点这里接单 https://desk.example.com/alarm/t0ken",
            "mentioned_list": ["@all"],
        },
    },
    "dingtalk": {
        "msgtype": "text",
        "text": {
            "content": "【险情】翠湖苑\n3栋2单元1502 燃气：家里好大煤气味\n10:00 报\n点这里接单 https://desk.example.com/alarm/t0ken"
        },
        "at": {"isAtAll": True},
    },
    "feishu": {
        "msg_type": "post",
        "timestamp": "1795399200",
        "content": {
            "post": {
                "zh_cn": {
                    "title": "【险情】翠湖苑",
                    "content": [
                        [{"tag": "text", "text": "3栋2单元1502 燃气：家里好大煤气味\n10:00 报"}],
                        [{"tag": "a", "text": "点这里接单", "href": "https://desk.example.com/alarm/t0ken"}],
                        [{"tag": "at", "user_id": "all"}],
                    ],
                }
            }
        },
    },
}


@pytest.mark.parametrize("kind", KINDS)
async def test_each_platform_is_told_in_its_own_way(kind: Kind, group: WorkGroup, robots: dict[Kind, Robot]) -> None:
    await robots[kind].send(DANGER)
    assert group.calls == [(kind, EXPECTED[kind])]
    (said,) = group.said
    assert (said.everybody, "3栋2单元1502" in said.text) == (True, True)
    await robots[kind].send(NEWS)
    assert (group.said[-1].text.strip(), group.said[-1].everybody) == ("【渠道告警】wechat/main", False)


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
async def test_the_signature_is_the_one_of_the_guides(kind: Kind, clock: StoppedClock) -> None:
    """Computed here from the platforms' guides, independent of robot and stand-in; special characters travel whole."""
    heard: list[tuple[dict[str, str], dict[str, Any]]] = []

    async def handle(request: web.Request) -> web.Response:
        query = dict(parse_qsl(request.rel_url.raw_query_string))
        heard.append((query, msgspec.json.decode(await request.read())))
        return web.json_response({"errcode": 0, "code": 0})

    app = web.Application()
    app.router.add_post("/{tail:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    path = {"dingtalk": "/robot/send?access_token=abc", "feishu": "/open-apis/bot/v2/hook/abc"}[kind]
    url = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
    robot = Robot(kind, settings(kind, url), lambda: clock.now().timestamp())
    try:
        for _ in range(8):  # base64 with + and / among them
            await robot.send(DANGER)
            clock.advance(seconds=1)
    finally:
        await robot.close()
        await runner.cleanup()
    for query, body in heard:
        where: dict[str, Any] = query if kind == "dingtalk" else body
        text = f"{where['timestamp']}\n{SECRET}".encode()
        key, words = (SECRET.encode(), text) if kind == "dingtalk" else (text, b"")
        assert where["sign"] == base64.b64encode(hmac.new(key, words, hashlib.sha256).digest()).decode()
    assert {len(str((query if kind == "dingtalk" else body)["timestamp"])) for query, body in heard} == {
        13 if kind == "dingtalk" else 10
    }
    assert any("+" in str((query if kind == "dingtalk" else body)["sign"]) for query, body in heard)


REFUSALS: list[tuple[Kind, int, str, type[SendError]]] = [
    ("wecom", 93000, "invalid webhook url, hint: [1], from ip: 1.2.3.4", Misconfigured),
    ("wecom", 93000, "Invalid input : content exceed max length", Rejected),
    ("wecom", 45009, "api freq out of limit", Later),
    ("wecom", -1, "system busy", Later),
    ("wecom", 40008, "invalid message type", Rejected),
    ("dingtalk", 310000, "sign not match", Misconfigured),
    ("dingtalk", 310000, "keywords not in content", Misconfigured),
    ("dingtalk", 300001, "token is not exist", Misconfigured),
    ("dingtalk", 130101, "send too fast, exceed 20 times per minute", Later),
    ("dingtalk", 410100, "send too fast", Later),
    ("dingtalk", 400101, "access_token not exist", Misconfigured),
    ("dingtalk", 430102, "inappropriate text", Rejected),
    ("dingtalk", -1, "系统繁忙", Later),
    ("feishu", 19021, "sign match fail or timestamp is not within one hour from current time", Misconfigured),
    ("feishu", 19022, "Ip Not Allowed", Misconfigured),
    ("feishu", 19024, "Key Words Not Found", Misconfigured),
    ("feishu", 19007, "Bot Not Enabled", Misconfigured),
    ("feishu", 11232, "frequency limited", Later),
    ("feishu", 9499, "too many request", Later),
    ("feishu", 9499, "Bad Request", Rejected),
]


@pytest.mark.parametrize(("kind", "code", "words", "error"), REFUSALS)
async def test_the_code_inside_http_200_decides(
    kind: Kind, code: int, words: str, error: type[SendError], group: WorkGroup, robots: dict[Kind, Robot]
) -> None:
    group.script(kind, code=code, words=words)
    with pytest.raises(error) as caught:
        await robots[kind].send(NEWS)
    assert type(caught.value) is error
    assert (str(code) in caught.value.detail, words in caught.value.detail) == (True, True)
    assert not group.said


@pytest.mark.parametrize("kind", KINDS)
async def test_a_key_that_names_no_robot_is_a_wrong_setting_and_stays_out_of_the_words(
    kind: Kind, group: WorkGroup
) -> None:
    wrong = group.url(kind).replace(group.key, "not-the-key-0123456789")
    robot = Robot(kind, settings(kind, wrong))
    with pytest.raises(Misconfigured) as caught:
        await robot.send(NEWS)
    await robot.close()
    assert "not-the-key-0123456789" not in caught.value.detail + str(caught.value)
    shown = repr(settings(kind, wrong))
    assert "not-the-key-0123456789" not in shown
    assert SECRET not in shown


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
async def test_a_wrong_secret_or_clock_is_refused(kind: Kind, group: WorkGroup, clock: StoppedClock) -> None:
    for secret, ahead in (("another", 0), (SECRET, 3700)):
        now = clock.now().timestamp() + ahead
        robot = Robot(kind, settings(kind, group.url(kind), secret), lambda now=now: now)  # type: ignore[misc]
        with pytest.raises(Misconfigured, match="sign"):
            await robot.send(NEWS)
        await robot.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_platform_that_is_down_is_tried_later(kind: Kind, group: WorkGroup, robots: dict[Kind, Robot]) -> None:
    group.script(kind, status=502)
    with pytest.raises(Later, match="502"):
        await robots[kind].send(NEWS)
    group.script(kind, hang=True)
    with pytest.raises(OutcomeUnknown):
        await robots[kind].send(NEWS)
    await group.stop()
    with pytest.raises(Later, match="not connected"):
        await robots[kind].send(NEWS)


async def test_a_robot_keeps_its_pace_and_room_for_danger(group: WorkGroup, robots: dict[Kind, Robot]) -> None:
    robot = robots["wecom"]
    for _ in range(AT_ONCE - KEPT_FOR_DANGER):
        await robot.send(NEWS)
    with pytest.raises(Later) as caught:
        await robot.send(NEWS)
    assert caught.value.throttled
    for _ in range(KEPT_FOR_DANGER):
        await robot.send(DANGER)
    with pytest.raises(Later):
        await robot.send(DANGER)
    assert len(group.said) == AT_ONCE, "what our own pace holds back never reaches the platform"


async def test_a_robot_that_was_shut_up_is_left_alone(group: WorkGroup, robots: dict[Kind, Robot]) -> None:
    group.script("dingtalk", code=130101, words="send too fast, exceed 20 times per minute")
    for _ in range(2):
        with pytest.raises(Later) as caught:
            await robots["dingtalk"].send(DANGER)
        assert caught.value.throttled
        assert 599 < caught.value.after <= 600
    assert len(group.calls) == 1


@pytest.mark.parametrize(("kind", "most"), [("wecom", 2048), ("dingtalk", 18_000)])
async def test_what_is_too_long_is_cut_and_the_link_never(
    kind: Kind, most: int, group: WorkGroup, robots: dict[Kind, Robot]
) -> None:
    await robots[kind].send(msgspec.structs.replace(DANGER, text="好大煤气味" * 4000))
    text = group.said[0].text
    assert len(text.encode()) <= most
    assert text.endswith("… \n点这里接单 https://desk.example.com/alarm/t0ken".replace(" \n", "\n"))


@pytest.mark.parametrize(
    ("kind", "url", "secret"),
    [
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send", ""),
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abc", "SEC1"),
        ("dingtalk", "https://oapi.dingtalk.com/robot/send?key=abc", ""),
        ("feishu", "open.feishu.cn/open-apis/bot/v2/hook/abc", ""),
    ],
)
def test_a_wrong_setting_says_what_it_must_be(kind: Kind, url: str, secret: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        RobotSettings(kind=kind, url=url, secret=secret)
