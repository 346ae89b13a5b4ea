"""What stands on the pages instead of what stands in the database: phrases for keys, what is so now, who is first."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot import demo
from bot.store.base import insert, new_id
from bot.store.conversations import conversations
from bot.store.events import case_events
from bot.web.access import Person
from bot.web.console import view
from tests.web.console_kit import Browser, Kit
from tests.web.console_seed import alarm, message, order, said

RAW = re.compile(r"not_fixed|red_flag|doubtful|assignee|site_manager|\{'|1 1")


async def in_english(browser: Browser) -> None:
    await browser.post("/language", {"language": "en", "back": "/console"})


async def happened(kit: Kit, what: str, data: dict[str, Any]) -> str:
    """Something that happened to the order; the page of the order."""
    row = {
        "id": new_id(), "community_id": kit.seed.communities["A"], "case_kind": "work_order",
        "case_id": kit.seed.cases["order"], "what": what, "actor": "system", "staff_id": None, "note": "",
        "data": data, "at": kit.seed.now, "entered_at": kit.seed.now,
    }  # fmt: skip
    await kit.run(insert, case_events, [row])
    return f"/orders/{kit.seed.cases['order']}"


@pytest.mark.parametrize(
    ("what", "data", "chinese", "english"),
    [
        ("rework", {"answer": "not_fixed"}, "住户评价 没修好", "answer not repaired"),
        ("rated", {"answer": "scored", "score": 4}, "打分 4", "score 4"),
        ("callback", {"answer": "fair"}, "住户评价 一般", "answer so-so"),
        ("changed", {"where": "3栋2单元1503"}, "位置 3栋2单元1503", "place 3栋2单元1503"),
        (
            "completed",
            {"phone": "13812348000", "wish": {"text": "明天下午", "start": None, "end": None}},
            "电话 138****8000 · 期望时间 明天下午",
            "phone 138****8000 · wished time 明天下午",
        ),
        ("late", {"what": "contact", "rung": "supervisor", "share": "80%"}, "联系住户 · 级别 主管", "first contact"),
        ("late", {"what": "result", "rung": "site_manager"}, "给结果 · 级别 管理处主任", "site manager"),
    ],
)
async def test_facts_of_a_story_are_phrases(
    kit: Kit, what: str, data: dict[str, Any], chinese: str, english: str
) -> None:
    where = await happened(kit, what, data)
    browser = await kit.sign_in("supervisor")
    for expected in (chinese, english):
        story = (await browser.text(where)).split('class="story"')[1]
        assert expected in story
        assert RAW.findall(story.replace("site manager", "")) == []
        await in_english(browser)


@pytest.mark.parametrize(
    ("kind", "summary", "chinese", "english"),
    [
        ("doubtful", "好像有味道", "可能有险情", "Possible danger"),
        ("red_flag", "律师: 我要找律师", "敏感字眼", "Red-flag words"),
        ("late", "WX20261123-0001 contact 80%", "WX20261123-0001 联系住户已到80%", "WX20261123-0001: first contact"),
        ("late", "TS20261123-0001 result 150%", "给结果已到150%的时限", "result, 150% of the time has gone"),
        ("waiting", "在吗", "等人工", "Waiting"),
        ("lapsed", "在吗", "接管到期", "Hold ran out"),
        ("failed_turn", "", "自动处理失败", "Not handled"),
        ("channel", "wechat/main", "渠道告警", "Channel"),
        ("template", "wechat/main templates.done: errcode 40037", "模板不能用", "Template refused"),
    ],
)  # fmt: skip
async def test_every_kind_of_alarm_has_its_words(kit: Kit, kind: str, summary: str, chinese: str, english: str) -> None:
    def raised(conn: sa.Connection) -> None:
        alarm(conn, kit.seed, "one", "wang", kind, "supervisor")
        conn.execute(sa.text("UPDATE alarms SET summary = :words"), {"words": summary})

    await kit.run(raised)
    browser = await kit.sign_in("supervisor")
    for expected in (chinese, english):
        page = await browser.text("/alarms")
        assert expected in page
        assert f">{kind}" not in page
        await in_english(browser)


async def test_a_reworked_order_has_no_technician_and_no_slot_yet(kit: Kit) -> None:
    start = kit.seed.now - timedelta(days=1)
    visit = {"slot_start": start, "slot_end": start + timedelta(hours=1), "assignee_id": kit.seed.people["tech"]}
    await kit.run(order, kit.seed, "again", state="rework", reworks=1, contact_by=kit.seed.now, **visit)
    browser = await kit.sign_in("agent")
    page = await browser.text(f"/orders/{kit.seed.cases['again']}")
    assert "待派单" in page
    assert re.search(r"待约<div class=\"quiet\">上次：员工tech \d\d-\d\d", page)
    assert 'name="from" required value=""' in page, "the old slot is not offered again"
    listed = (await browser.text("/orders")).split(str(kit.seed.cases["again"]))[1].split("</tr>")[0]
    assert "员工tech" not in listed
    card = await browser.text(f"/inbox/{kit.seed.conversations['wang']}")
    slots = {
        name: "–" in card.split(f"/orders/{kit.seed.cases[name]}")[1].split("</a>")[0] for name in ("again", "given")
    }
    assert slots == {"again": False, "given": True}


@pytest.mark.parametrize(
    ("at", "chinese", "english"),
    [
        ("2026-11-22T00:01+08:00", "今天", "Today"),
        ("2026-11-21T23:59+08:00", "昨天", "Yesterday"),
        ("2026-11-20T08:00+08:00", "11-20 周五", "Fri 11-20"),
        ("2025-11-20T08:00+08:00", "2025-11-20 周四", "Thu 2025-11-20"),
    ],
)
async def test_days_have_names(kit: Kit, at: str, chinese: str, english: str) -> None:
    now = datetime.fromisoformat("2026-11-22T12:00+08:00")
    for language, expected in (("zh-Hans", chinese), ("en", english)):
        person = Person(
            id=kit.seed.people["agent"], login="agent", name="", title="", language=language, roles=(), csrf="",
            token_hash="",
        )  # fmt: skip
        assert view.View(kit.context, person, now).day(datetime.fromisoformat(at)) == expected


async def test_a_choice_is_shown_once(kit: Kit) -> None:
    choices = [{"value": "1", "label": "1"}, {"value": "2", "label": "9栋1单元502"}]
    await kit.run(said, kit.seed, "wang", "是哪一套？", fence=0, choices=choices)
    page = await (await kit.sign_in("agent")).text(f"/inbox/{kit.seed.conversations['wang']}")
    assert re.findall(r'<span class="badge bg-secondary-lt">([^<]*)</span>', page.split("是哪一套？")[1])[:2] == [
        "1",
        "2 9栋1单元502",
    ]


@pytest.mark.parametrize(
    ("building", "unit", "shown"),
    [("3", "2", "3栋2单元1502"), ("A", "", "A座1502"), ("B", "1", "B座1单元1502"), ("东区8", "", "东区8栋1502"),
     ("望江楼", "", "望江楼1502"), ("12A", "", "12A栋1502")],
)  # fmt: skip
async def test_a_building_named_by_a_letter_is_a_tower(kit: Kit, building: str, unit: str, shown: str) -> None:
    browser = await kit.sign_in("agent")
    await kit.run(
        lambda conn: [
            conn.execute(sa.text("UPDATE buildings SET name = :name"), {"name": building}),
            conn.execute(sa.text("UPDATE homes SET unit = :unit"), {"unit": unit}),
        ]
    )
    assert shown in await browser.text("/inbox")
    assert f"翠湖苑 {shown}" in await browser.text(f"/inbox/{kit.seed.conversations['wang']}")


async def test_danger_then_who_waits_longest_then_the_latest(kit: Kit) -> None:
    def fill(conn: sa.Connection) -> None:
        for key, minutes in (("wang", 50), ("nobody", 20), ("li", 1)):
            message(conn, kit.seed, key, "在吗", minutes_ago=minutes)

    def waits(key: str, minutes: int) -> Any:
        since = kit.seed.now - timedelta(minutes=minutes)
        mine = conversations.c.id == kit.seed.conversations[key]
        return lambda conn: conn.execute(
            sa.update(conversations).where(mine).values(mode="waiting", waiting_since=since)
        )

    async def listed() -> list[str]:
        page = await browser.text("/inbox")
        return sorted(("wang", "nobody", "li"), key=lambda key: page.index(f"c-{kit.seed.conversations[key]}"))

    await kit.run(fill)
    browser = await kit.sign_in("quality")
    assert await listed() == ["li", "nobody", "wang"]
    await kit.run(waits("nobody", 5))
    assert await listed() == ["nobody", "li", "wang"]
    await kit.run(waits("wang", 9))
    assert await listed() == ["wang", "nobody", "li"]
    await kit.run(alarm, kit.seed, "gas", "li")
    assert await listed() == ["li", "wang", "nobody"]


async def test_the_front_door_leads_on(kit: Kit) -> None:
    client = kit.stranger().client
    for simulator, to in ((False, "/console"), (True, "/simulator")):
        kit.context.simulator = simulator
        answer = await client.get("/", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (302, to)


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
async def test_the_sign_ins_of_the_demonstration_are_shown_in_it_and_nowhere_else(kit: Kit, language: str) -> None:
    browser = kit.stranger()
    page = await browser.text(f"/sign-in?lang={language}")
    assert demo.PASSWORD not in page
    assert "limin" not in page
    kit.context.demo = True
    page = await browser.text(f"/sign-in?lang={language}")
    for one in demo.sign_ins():
        assert one.login in page
        assert one.name in page
    assert f"<code>{demo.PASSWORD}</code>" in page
    assert ("客服专员" in page, "Technician" in page) == (language == "zh-Hans", language == "en")
    chosen = await browser.text("/sign-in?login=limin")
    assert 'name="login" value="limin"' in chosen
