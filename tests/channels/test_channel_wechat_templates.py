"""Template messages and subscription notifications against the stand-in: what goes into a field, and every outcome."""

import asyncio
import re
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot import config
from bot.errors import SettingsError
from bot.web.simulator.wechat import WeChatPlatform
from channels.errors import (
    Blocked,
    Later,
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    SendError,
    TemplateRefused,
)
from channels.messages import OutboundMessage
from channels.sms.vocabulary import templates as sms_texts
from channels.text import shorten_by_words
from channels.wechat import WeChat
from channels.wechat.settings import WeChatSettings
from channels.wechat.template_messages import REST_S
from channels.wechat.templates import FIELD_KINDS, Template, check, filled, suggested
from tests.channels.cases import check_no_secret
from tests.channels.wechat_kit import APP_ID, OPENID, ORIGINAL_ID, SECRET, TOKEN
from tests.support.clock import StoppedClock

SEND, BIZSEND = "template/send", "subscribe/bizsend"
DONE = Template(
    id="TPL_DONE",
    fields={
        "thing1": "{what}",
        "character_string2": "{number}",
        "phrase3": "待您确认",
        "time4": "{told_at}",
    },
)
SLOT = Template(id="TPL_SLOT", kind="subscription", fields={"thing1": "{visit}", "character_string2": "{number}"})
NAMES = {"thing1": "报修内容", "character_string2": "工单编号", "phrase3": "状态", "time4": "完成时间"}
SAID_AT = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
DOCS = Path(__file__).parents[2] / "docs/channels/wechat.md"


def told(moment: str = "done", row_id: str = "row-1", **values: str) -> OutboundMessage:
    given = {"what": "厨房水管漏水", "number": "0001", **values}
    return OutboundMessage(
        row_id=row_id, address=OPENID, text="修好了。", moment=moment, values=given, said_at=SAID_AT, by_template=True
    )


@asynccontextmanager
async def account(
    clock: StoppedClock | None = None, timeout_s: float = 5.0
) -> AsyncIterator[tuple[WeChatPlatform, WeChat]]:
    clock = clock or StoppedClock()
    platform = WeChatPlatform(APP_ID, SECRET, TOKEN, ORIGINAL_ID, now=clock.now)
    await platform.start()
    platform.phone(OPENID)  # a follower, whose window is closed
    platform.list_template("TPL_DONE", "维修完成通知", NAMES)
    platform.list_template("TPL_SLOT", "维修上门通知", dict(list(NAMES.items())[:2]), "subscription")
    settings = WeChatSettings(
        app_id=APP_ID, app_secret=SECRET, token=TOKEN, original_id=ORIGINAL_ID, api_base=platform.base_url,
        templates={"done": DONE, "slot": SLOT},
    )  # fmt: skip
    channel = WeChat("main", settings, lambda: clock.now().timestamp(), timeout_s=timeout_s)
    try:
        yield platform, channel
    finally:
        await channel.close()
        await platform.stop()


async def outcome(channel: WeChat, message: OutboundMessage) -> SendError | str | None:
    """The error of a send, or the provider's name for it."""
    try:
        return (await channel.send(message)).provider_id
    except SendError as error:
        check_no_secret((SECRET, TOKEN, OPENID), error.detail, "the exception")
        return error


# What is sent


async def test_a_template_needs_no_window_and_says_what_the_moment_tells() -> None:
    async with account() as (platform, channel):
        assert await outcome(channel, told()) == "200228332"
        assert platform.requests[-1] == (
            SEND,
            {
                "touser": OPENID, "template_id": "TPL_DONE", "client_msg_id": "row-1",
                "data": {
                    "thing1": {"value": "厨房水管漏水"}, "character_string2": {"value": "0001"},
                    "phrase3": {"value": "待您确认"}, "time4": {"value": "2026-11-25 09:00"},
                },
            },
        )  # fmt: skip
        assert platform.phone(OPENID).received() == [
            "维修完成通知\n报修内容：厨房水管漏水\n工单编号：0001\n状态：待您确认\n完成时间：2026-11-25 09:00"
        ]


async def test_a_subscription_reaches_whoever_agreed_once() -> None:
    async with account() as (platform, channel):
        message = told("slot", visit="李师傅今天15点到16点")
        refused = await outcome(channel, message)
        assert type(refused) is Rejected
        assert "43101" in refused.detail
        platform.api.templates.consents[OPENID, "TPL_SLOT"] = 1
        assert await outcome(channel, message) is None
        name, payload = platform.requests[-1]
        assert (name, sorted(payload)) == (BIZSEND, ["data", "template_id", "touser"])
        assert platform.phone(OPENID).received() == ["维修上门通知\n报修内容：李师傅今天15点到16点\n工单编号：0001"]
        assert type(await outcome(channel, message)) is Rejected


async def test_without_a_template_nothing_is_asked_of_the_platform() -> None:
    async with account() as (platform, channel):
        error = await outcome(channel, told("outage", begin="今天14", until="17"))
        assert (type(error), str(error)) == (Rejected, "no template: templates.outage is not set")
        error = await outcome(channel, told(number=""))
        assert (type(error), str(error)) == (Rejected, "no template: done has no value number")
        error = await outcome(channel, told(number="二号"))
        assert (type(error), str(error)[:40]) == (Rejected, "no template: done.character_string2 take")
        assert platform.requests == []
        assert channel.capabilities.templates == {"done", "slot"}
        assert WeChat.capabilities.templates == frozenset()


# How a field is filled


@pytest.mark.parametrize(
    ("field", "text", "becomes"),
    [
        ("thing1", "厨房水管漏水", "厨房水管漏水"),
        ("thing1", "两行\n变一行 ", "两行 变一行"),
        ("thing1", "漏水😭了❤️", "漏水了"),
        ("thing1", "3栋2单元1502厨房水管漏水，水往楼下流了一夜", "3栋2单元1502厨房水管漏水…"),
        ("thing1", "厨房水管漏水而且一直往楼下流谁来都关不上", "厨房水管漏水而且一直往楼下流谁来都关不上"),
        ("thing1", "厨房水管漏水而且一直往楼下流到底谁来都关不上", "厨房水管漏水而且一直往楼下流到底谁来都…"),
        ("thing1", "请您在今天下午务必联系维修部电话01088886666谢谢", "请您在今天下午务必联系维修部电话…"),
        ("thing1", "😭", None),
        ("time1", "16:30", "16:30"),
        ("time1", "2026-11-25 09:00", "2026-11-25 09:00"),
        ("time1", "2026年11月25日 09:00~10:00", "2026年11月25日 09:00~10:00"),
        ("time1", "今天17:30", None),
        ("date1", "2026-11-25", "2026-11-25"),
        ("phrase1", "待您确认", "待您确认"),
        ("phrase1", "正在等师傅来", None),
        ("phrase1", "ok", None),
        ("character_string1", "WX20261122-0001", "WX20261122-0001"),
        ("character_string1", "x" * 33, None),
        ("number1", "12.5", "12.5"),
        ("name1", "陈主管", "陈主管"),
        ("name1", "陈" * 11, None),
        ("car_number1", "京A12345", "京A12345"),
        ("amount1", "¥30元", "¥30元"),
        ("phone_number1", "010-8888 6666", "010-8888 6666"),
        ("letter1", "abc", "abc"),
        ("symbol1", "#", "#"),
    ],
)
def test_a_value_is_made_to_fit_or_refused(field: str, text: str, becomes: str | None) -> None:
    template = Template(id="T", fields={field: "{what}"})
    if becomes is None:
        with pytest.raises(Rejected, match=re.escape(f"no template: done.{field} takes ")):
            filled("done", template, {"what": text})
        return
    assert filled("done", template, {"what": text}) == {field: {"value": becomes}}


@pytest.mark.parametrize("limit", [5, 10, 20])
@pytest.mark.parametrize("text", ["漏水" * 30, "a b c d e f g h i j k l m n o p q", "x" * 40, "，" * 40, "👨‍👩‍👧" * 20])
def test_what_is_shortened_fits(text: str, limit: int) -> None:
    short = shorten_by_words(text, limit)
    assert len(short) <= limit
    assert short.endswith("…")
    assert text.startswith(short[:-1])


# Outcomes


@pytest.mark.parametrize(
    ("errcode", "expected"),
    [
        (40036, TemplateRefused), (40037, TemplateRefused), (43116, TemplateRefused), (45009, TemplateRefused),
        (48001, TemplateRefused), (48004, TemplateRefused), (43004, Blocked), (43101, Rejected), (47003, Rejected),
        (40003, Rejected), (43106, TemplateRefused), (45011, Later), (43117, Later), (40013, Misconfigured),
        (40164, Misconfigured),
    ],
)  # fmt: skip
async def test_every_errcode_has_its_type(errcode: int, expected: type[SendError]) -> None:
    async with account() as (platform, channel):
        platform.script(SEND, errcode=errcode)
        error = await outcome(channel, told())
        assert type(error) is expected
        assert f"errcode {errcode}" in str(error)
        assert platform.calls[SEND] == 1
        assert platform.phone(OPENID).received() == []


@pytest.mark.parametrize("fault", [{"errcode": -1}, {"cut": "before"}, {"cut": "after"}, {"hang": "after"}])
async def test_what_nobody_knows_is_asked_again_under_the_same_name(fault: Mapping[str, Any]) -> None:
    async with account(timeout_s=0.3) as (platform, channel):
        platform.script(SEND, **fault)
        assert await outcome(channel, told()) == "200228332"
        assert platform.calls[SEND] == 2
        assert len(platform.phone(OPENID).received()) == 1


async def test_a_duplicate_after_an_unknown_outcome_has_gone_out() -> None:
    async with account() as (platform, channel):
        platform.script(SEND, cut="after")
        platform.script(SEND, errcode=40241)
        assert await outcome(channel, told()) is None
        assert platform.calls[SEND] == 2
        assert len(platform.phone(OPENID).received()) == 1


async def test_unknown_twice_is_unknown() -> None:
    async with account() as (platform, channel):
        platform.script(SEND, errcode=-1, times=2)
        assert type(await outcome(channel, told())) is OutcomeUnknown


async def test_a_refused_template_rests_and_no_other_does() -> None:
    clock = StoppedClock()
    async with account(clock) as (platform, channel):
        platform.script(SEND, errcode=40037)
        for _ in range(2):
            error = await outcome(channel, told())
            assert isinstance(error, TemplateRefused)
            assert error.moment == "done"
        assert platform.calls[SEND] == 1
        platform.api.templates.consents[OPENID, "TPL_SLOT"] = 1
        assert await outcome(channel, told("slot", visit="李师傅")) is None
        clock.advance(seconds=REST_S + 1)
        assert await outcome(channel, told()) == "200228332"


async def test_a_token_that_ended_is_fetched_anew() -> None:
    async with account() as (platform, channel):
        platform.script(SEND, errcode=42001)
        assert await outcome(channel, told()) == "200228332"
        assert (platform.calls["stable_token"], platform.calls[SEND]) == (2, 2)


async def test_many_at_once_have_numbers_of_their_own() -> None:
    async with account() as (_, channel):
        found = await asyncio.gather(*(outcome(channel, told(row_id=str(n))) for n in range(8)))
        assert len(set(found)) == 8


# The stand-in says no where the platform does


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "47003"),
        ({"thing1": "漏", "character_string2": "二", "phrase3": "好", "time4": "09:00"}, "character_string2"),
        ({"thing1": "漏", "character_string2": "2", "phrase3": "等一等看一看", "time4": "09:00"}, "phrase3"),
        ({"thing1": "漏", "character_string2": "2", "phrase3": "好", "time4": "今天"}, "time4"),
        ({"thing1": "漏", "character_string2": "2", "phrase3": "好", "time4": "09:00", "first": "您好"}, "first"),
    ],
)
async def test_the_platform_refuses_what_does_not_fit(data: dict[str, str], says: str) -> None:
    async with account() as (platform, _):
        payload = {"template_id": "TPL_DONE", "data": {name: {"value": value} for name, value in data.items()}}
        errcode, words = platform.api.templates.error("template", payload)
        assert errcode == 47003
        assert says in f"{errcode} {words}"


# Settings


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"moment": "doen"}, "templates.doen: there is no such moment; did you mean done?"),
        ({"moment": "survey"}, "templates.survey: there is no such moment; there are recorded, slot, "),
        ({"id": ""}, 'templates.done needs id, and fields such as { thing1 = "{what}"'),
        ({"fields": ""}, "templates.done needs id, and fields"),
        ({"fields": 'thing = "好"'}, "templates.done.fields.thing: a field is a kind with its number"),
        ({"fields": 'phrse1 = "好"'}, "did you mean phrase?"),
        ({"fields": 'thing1 = "{waht}"'}, "there is no value {waht}; did you mean what?"),
        ({"fields": 'thing1 = "what"'}, "what is a value: write {what}"),
        ({"fields": 'phrase1 = "您看看好不好"'}, "does not fit: 1 to 5 Chinese characters"),
        ({"fields": f'thing1 = "{"一" * 21}"'}, "does not fit: 1 to 20 characters"),
        ({"fields": "thing1 = [1]"}, "setting wechat.main.templates.done.fields.thing1"),
        ({"kind": "mass"}, "wechat.main.templates.done.kind is 'mass'; it must be one of template, subscription"),
        ({"feilds": "x"}, "did you mean wechat.main.templates.done.fields?"),
    ],
)
def test_wrong_templates_are_told_at_the_start(tmp_path: Path, wrong: dict[str, str], says: str) -> None:
    given = {"moment": "done", "id": "TPL", "kind": "template", "fields": 'thing1 = "好"', **wrong}
    moment, fields = given.pop("moment"), given.pop("fields")
    lines = "".join(f'{name} = "{value}"\n' for name, value in given.items())
    with pytest.raises(SettingsError) as caught:
        config.read(
            {}, directory=written(tmp_path, f"[wechat.main.templates.{moment}]\n{lines}fields = {{ {fields} }}\n")
        )
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)


def written(folder: Path, templates: str) -> Path:
    account = f'[wechat.main]\napp_id = "{APP_ID}"\napp_secret = "{SECRET}"\ntoken = "{TOKEN}"\n'
    (folder / "frontdesk.toml").write_text(account + templates, "utf-8")
    return folder


def test_the_example_of_the_page_is_a_right_one(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(\[wechat\.main\.templates.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    settings = config.read({"FRONTDESK_WECHAT__MAIN__TEMPLATES__DONE__ID": "X"}, directory=written(tmp_path, example))
    assert settings.wechat["main"].templates["done"].id == "X"
    assert len(settings.wechat["main"].templates) >= 2


# The list to apply for


@pytest.mark.parametrize("moment", suggested())
def test_what_is_applied_for_is_well_formed(moment: str) -> None:
    known = suggested()[moment]
    assert moment in sms_texts(), "a moment has one name on every channel"
    assert set(known.example) == set(sms_texts()[moment].variables), "and the same values"
    fields = {f"{field.kind}{place}": field.text for place, field in enumerate(known.fields, 1)}
    assert 1 <= len(fields) <= 5
    template = Template(id="T", fields=fields)
    check(moment, template)
    shown = filled(moment, template, {**known.example, "told_at": "2026-11-25 09:00"})
    assert all("…" not in entry["value"] for entry in shown.values())
    assert {field.kind for field in known.fields} <= set(FIELD_KINDS)


def test_the_list_fits_into_an_account() -> None:
    assert len(suggested()) <= 25
    assert tomllib.loads(Path(DOCS.parents[2] / "channels/wechat/templates.toml").read_text("utf-8")).keys() == (
        msgspec.to_builtins(dict(suggested())).keys()
    )


@pytest.mark.parametrize("moment", suggested())
def test_the_page_shows_the_list(moment: str) -> None:
    known = suggested()[moment]
    fields = " · ".join(f"{field.name} `{field.kind}` {field.text}" for field in known.fields)
    example = known.example | {"told_at": "2026-11-25 09:00"}
    shown = " · ".join(re.sub(r"\{(\w+)\}", lambda found: example[found[1]], field.text) for field in known.fields)
    assert f"| `{moment}` | {known.title} | {fields} | {shown} |" in DOCS.read_text("utf-8")
