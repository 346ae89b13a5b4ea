"""The inbox: what is listed, who speaks in the thread, and who has the word."""

import asyncio
from typing import Any

import sqlalchemy as sa

from bot.store import inbox, outbox
from bot.store.conversations import conversations
from tests.support.clock import StoppedClock
from tests.web.console_kit import Kit
from tests.web.console_seed import LONG, alarm, message, said

HTMX = {"HX-Request": "true"}


def change(kit: Kit, key: str, **values: Any) -> Any:
    return kit.run(
        lambda conn: conn.execute(
            sa.update(conversations).where(conversations.c.id == kit.seed.conversations[key]).values(**values)
        )
    )


async def conversation(kit: Kit, key: str = "wang") -> Any:
    return await kit.one(sa.select(conversations).where(conversations.c.id == kit.seed.conversations[key]))


async def test_filters(kit: Kit) -> None:
    await change(kit, "wang", mode="waiting", waiting_since=kit.seed.now)
    await change(kit, "nobody", mode="human", owner_id=kit.seed.people["agent"], unread=0)
    browser = await kit.sign_in("agent")
    ids = {name: str(kit.seed.conversations[name]) for name in ("wang", "nobody")}
    expected = {
        "waiting": {"wang"},
        "mine": {"nobody"},
        "unread": {"wang"},
        "emergencies": set(),
        "all": {"wang", "nobody"},
    }
    for name, found in expected.items():
        page = await browser.text(f"/inbox?filter={name}")
        assert (name, {key for key, row in ids.items() if f"c-{row}" in page}) == (name, found)
    await kit.run(alarm, kit.seed, "gas", "nobody", "emergency", "agent")
    page = await browser.text("/inbox?filter=emergencies")
    assert ids["nobody"] in page
    assert "等人工 <b>1</b>" in page


async def test_emergencies_come_first_then_the_latest(kit: Kit) -> None:
    await kit.run(message, kit.seed, "nobody", "在吗", minutes_ago=1)
    browser = await kit.sign_in("agent")

    async def order_of() -> list[bool]:
        page = await browser.text("/inbox")
        places = [page.index(f"c-{kit.seed.conversations[key]}") for key in ("wang", "nobody")]
        return [places[0] < places[1]]

    assert await order_of() == [False]
    await kit.run(alarm, kit.seed, "gas", "wang")
    assert await order_of() == [True]


async def test_the_thread_tells_which_way_a_text_went_and_why_another_failed(kit: Kit) -> None:
    closed = "WindowClosed: errcode 45015"
    first = await kit.run(said, kit.seed, "wang", "原来的话", status="cancelled", error=closed, kind="visit")
    more = {"kind": "visit", "origin_id": first, "minutes_ago": 3}
    await kit.run(said, kit.seed, "wang", "短信的话", channel="sms", **more)
    carrier = await kit.run(said, kit.seed, "wang", "甲\n乙", **{**more, "minutes_ago": 1, "kind": "joined"})
    await kit.run(said, kit.seed, "wang", "单独的甲", minutes_ago=2, route="joined", joined_id=carrier)
    page = await (await kit.sign_in("agent")).text(f"/inbox/{kit.seed.conversations['wang']}")
    parts = {
        text: next(part for part in page.split("<article") if text in part)
        for text in ("原来的话", "短信的话", "甲\n乙")
    }
    assert all(word in parts["原来的话"] for word in ("微信", "已取消", "回复时限已过", closed, "已改走其他渠道"))
    assert "bad" not in parts["原来的话"]
    assert all(word in parts["短信的话"] for word in ("短信", "已发出"))
    assert "几条合并" in parts["甲\n乙"]
    assert "单独的甲" not in page, "it stands in the message that carried it"


async def test_the_thread_tells_who_speaks_and_what_became_of_it(kit: Kit) -> None:
    agent = kit.seed.people["agent"]
    rows: list[tuple[str, dict[str, Any]]] = [
        ("机器人说", {"fence": 0, "status": "failed", "error": "RejectedForGood"}),
        ("系统说", {"fence": None, "kind": "visit", "status": "unknown"}),
        ("客服说", {"author_id": agent, "status": "delivered"}),
        ("还没发", {"fence": 0, "status": "waiting", "sent_at": None}),
    ]
    for text, changes in rows:
        await kit.run(said, kit.seed, "wang", text, **changes)
    photo = [
        {"kind": "image", "media_id": "MEDIA1234567890", "url": "", "label": "", "latitude": None, "longitude": None}
    ]
    await kit.run(message, kit.seed, "wang", "", kind="image", attachments=photo)
    page = await (await kit.sign_in("agent")).text(f"/inbox/{kit.seed.conversations['wang']}")
    for who, text, status in (
        ("bot bad", "机器人说", "发送失败"),
        ("system bad", "系统说", "结果不明"),
        ("agent", "客服说", "已送达"),
        ("bot", "还没发", "等时机发送"),
    ):
        entry = next(part for part in page.split("<article") if text in part)
        assert f'class="entry {who}"' in entry
        assert status in entry
    assert "员工agent" in next(part for part in page.split("<article") if "客服说" in part)
    await change(kit, "wang", last_text="[image]")
    assert "[图片]" in await (await kit.sign_in("agent")).text("/inbox")
    picture = next(part for part in page.split("<article") if "MEDIA123" in part)
    assert "图片" in picture
    assert "未取回" in picture


async def test_what_a_resident_writes_is_text_and_nothing_else(kit: Kit) -> None:
    await kit.run(message, kit.seed, "wang", "<script>alert(1)</script><b>x</b>{{ 7*7 }}")
    browser = await kit.sign_in("agent")
    for path in ("/inbox", f"/inbox/{kit.seed.conversations['wang']}"):
        page = await browser.text(path)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
        assert "49" not in page.split("&lt;/b&gt;")[1][:20]


async def test_older_messages_come_page_by_page_and_none_is_missing(kit: Kit) -> None:
    def fill(conn: sa.Connection) -> None:
        for number in range(100):
            message(conn, kit.seed, "wang", f"第{number:03d}条", minutes_ago=200 - number)

    await kit.run(fill)
    browser = await kit.sign_in("agent")
    where = f"/inbox/{kit.seed.conversations['wang']}"
    page = await browser.text(where)
    seen = page
    while 'hx-get="/console/inbox/' in page and "/older?before=" in page:
        before = page.split("/older?before=")[1].split('"')[0]
        page = await browser.text(f"{where}/older?before={before}")
        seen = page + seen
    assert [
        f"第{number:03d}条" in seen.split("conversations")[0] or f"第{number:03d}条" in seen for number in range(100)
    ] == [True] * 100
    assert seen.count('<span class="text">第050条</span>') == 1


async def test_a_refresh_sends_only_what_has_changed(kit: Kit) -> None:
    browser = await kit.sign_in("agent")
    where = f"/inbox/{kit.seed.conversations['wang']}"
    first = await browser.text(f"{where}?refresh=1")
    have = ",".join(
        f"{part.split(chr(34))[0]}:{part.split('data-digest=' + chr(34))[1].split(chr(34))[0]}"
        for part in first.split('id="part-')[1:]
    )
    assert await browser.text(f"{where}?refresh=1&have={have}") == ""
    await kit.run(said, kit.seed, "wang", "新的一句", minutes_ago=0, fence=0)
    again = await browser.text(f"{where}?refresh=1&have={have}")
    assert "新的一句" in again
    assert 'id="part-thread"' in again
    assert 'id="part-composer"' not in again


async def test_whoever_can_answer_marks_as_read(kit: Kit) -> None:
    where = f"/inbox/{kit.seed.conversations['wang']}"
    assert (await (await kit.sign_in("auditor")).post(f"{where}/read")).status == 204
    assert (await conversation(kit))["unread"] == 1
    before = (await conversation(kit))["updated_at"]
    assert (await (await kit.sign_in("agent")).post(f"{where}/read")).status == 204
    after = await conversation(kit)
    assert (after["unread"], after["updated_at"]) == (0, before)
    await change(kit, "wang", unread=2, mode="human", owner_id=kit.seed.people["agent2"])
    await (await kit.sign_in("agent")).post(f"{where}/read")
    assert (await conversation(kit))["unread"] == 2


async def test_take_reply_and_hand_back(kit: Kit) -> None:
    await kit.run(said, kit.seed, "wang", "您什么时候方便？", fence=0, status="queued", sent_at=None)
    browser = await kit.sign_in("agent")
    where = f"/inbox/{kit.seed.conversations['wang']}"
    assert "接管后才能回复" in await browser.text(where)
    assert (await browser.post(f"{where}/reply", {"text": "我来看看"})).status == 409
    assert (await browser.post(f"{where}/take")).status == 303
    row = await conversation(kit)
    assert (row["mode"], row["owner_id"], row["fence"]) == ("human", kit.seed.people["agent"], 1)
    page = await browser.text(where)
    assert "最后发出" in page
    assert "已取消" in page
    assert "员工agent 接管了会话" in page
    done = await browser.post(f"{where}/reply", {"text": "  我来看看  "}, **HTMX)
    assert done.status == 204
    assert "desk:done" in done.headers["HX-Trigger"]
    sent = await kit.every(sa.select(outbox.outbox).where(outbox.outbox.c.author_id == kit.seed.people["agent"]))
    assert "（员工agent）我来看看" in [row["text"] for row in sent]
    assert (await browser.post(f"{where}/hand-back")).status == 303
    assert (await conversation(kit))["mode"] == "bot"
    assert await kit.acts() == ["sign_in", "conversation.take", "conversation.reply", "conversation.hand_back"]


async def test_what_a_colleague_holds_is_not_taken(kit: Kit) -> None:
    where = f"/inbox/{kit.seed.conversations['wang']}"
    first, second = await kit.sign_in("agent"), await kit.sign_in("agent2")
    await first.post(f"{where}/take")
    refused = await second.post(f"{where}/take", None, **HTMX)
    assert refused.status == 409
    assert refused.headers["HX-Retarget"] == "#notice"
    assert "员工agent" in await refused.text()
    assert "员工agent 已接管" in await second.text(where)
    assert (await second.post(f"{where}/reply", {"text": "x"})).status == 409


async def test_taking_over_waits_for_what_is_just_going_out(kit: Kit, clock: StoppedClock) -> None:
    row = await kit.run(said, kit.seed, "wang", "正在发", fence=0, status="sending")
    browser = await kit.sign_in("agent")
    where = f"/inbox/{kit.seed.conversations['wang']}"
    taking = asyncio.create_task(browser.post(f"{where}/take"))
    while (await conversation(kit))["mode"] != "human":
        await asyncio.sleep(0)
    assert not taking.done()
    await kit.run(outbox.accepted, [(row, None)], clock.now())
    kit.context.database.announce()
    assert (await taking).status == 303
    assert "还有" not in await browser.text(where)


async def test_taking_over_waits_three_seconds_at_most_and_says_what_is_left(kit: Kit, clock: StoppedClock) -> None:
    await kit.run(said, kit.seed, "wang", "卡住了", fence=0, status="sending")
    browser = await kit.sign_in("agent")
    where = f"/inbox/{kit.seed.conversations['wang']}"
    taking = asyncio.create_task(browser.post(f"{where}/take"))
    while not taking.done():
        clock.advance(seconds=0.1)
        await asyncio.sleep(0)
    assert (clock.now() - kit.seed.now).total_seconds() >= 3
    assert "还有1条正在发出" in await browser.text(where)


async def test_only_the_desk_speaks(kit: Kit) -> None:
    for login in ("quality", "auditor", "head", "control", "other", "tech", "admin"):
        browser = await kit.sign_in(login)
        where = f"/inbox/{kit.seed.conversations['wang']}"
        for act in ("take", "hand-back", "reply"):
            assert (await browser.post(f"{where}/{act}", {"text": "x"})).status in {403, 404}
        assert (await conversation(kit))["mode"] == "bot"


async def test_replies_that_are_empty_or_endless_are_refused(kit: Kit) -> None:
    browser = await kit.sign_in("agent")
    where = f"/inbox/{kit.seed.conversations['wang']}"
    await browser.post(f"{where}/take")
    assert (await browser.post(f"{where}/reply", {"text": "  "})).status == 400
    assert (await browser.post(f"{where}/reply", {"text": "字" * 2001})).status == 400
    assert (await browser.post(f"{where}/reply", {"text": LONG})).status == 303


async def test_the_card_shows_homes_and_cases_that_are_for_this_person(kit: Kit) -> None:
    page = await (await kit.sign_in("agent")).text(f"/inbox/{kit.seed.conversations['wang']}")
    assert "翠湖苑 3栋2单元1502" in page
    assert f"/console/orders/{kit.seed.cases['order']}" in page
    assert f"/console/complaints/{kit.seed.cases['staff']}" not in page
    assert f"/console/complaints/{kit.seed.cases['noise']}" in page


async def test_counts_and_lists_agree_on_both_databases(both_kit: Kit) -> None:
    kit = both_kit
    await kit.run(alarm, kit.seed, "gas", "wang")
    await change(kit, "nobody", mode="waiting", waiting_since=kit.seed.now)
    agent = kit.seed.people["agent"]
    community = kit.seed.communities["A"]
    seens = [
        inbox.Seen(None),
        inbox.Seen([community]),
        inbox.Seen([], kit.seed.people["head"]),
        inbox.Seen([], None, [community]),
    ]
    for seen in seens:
        counts = await kit.context.database.read(inbox.counts, seen, agent)
        for name in inbox.FILTERS[:-1]:
            rows = await kit.context.database.read(inbox.listed, seen, name, agent, limit=10)
            assert len(rows) == counts[name]
    page = await (await kit.sign_in("agent")).text(f"/inbox/{kit.seed.conversations['wang']}")
    assert "厨房水管漏水" in page
    browser = await kit.sign_in("supervisor")
    for path in (
        f"/orders/{kit.seed.cases['order']}",
        "/orders",
        "/complaints",
        "/affairs",
        "/calls",
        "/alarms",
        "/attention",
    ):
        assert "翠湖苑" in await browser.text(path) or path == "/attention"
    assert (await browser.post(f"/inbox/{kit.seed.conversations['wang']}/take")).status == 303


async def test_what_a_machine_worded_is_marked(kit: Kit) -> None:
    choices = [{"value": "1", "label": "临时出入证怎么办"}]
    await kit.run(said, kit.seed, "wang", "3天有效。", fence=0, kind="worded", choices=choices)
    await kit.run(said, kit.seed, "nobody", "3天有效。", fence=0)
    browser = await kit.sign_in("agent")
    marked, plain = [await browser.text(f"/inbox/{kit.seed.conversations[key]}") for key in ("wang", "nobody")]
    assert "AI生成" in marked
    assert "1 临时出入证怎么办" in marked, "with its articles"
    assert "AI生成" not in plain
