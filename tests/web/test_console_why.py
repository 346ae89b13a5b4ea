"""Why a message was read as it was, and its correction: who sees and does what, what is refused, what is kept."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from bot.store import learning as store
from bot.store.base import Row, insert, new_id
from bot.store.jobs import jobs
from bot.store.staff import audit
from tests.engine.kit import knowledge, reader
from tests.support.clock import StoppedClock
from tests.support.databases import opened as database_opened
from tests.web.console_kit import Browser, Kit, opened
from tests.web.console_seed import ROLES, message

EVERYBODY = [*(login for login in ROLES if login[-1] != "2"), "quality", "auditor", "admin", "other"]
READS = "agent steward supervisor duty site quality auditor"
CORRECTS = "agent steward supervisor duty site quality"
TEACHES = "supervisor site quality"
MODELS = "supervisor site quality admin"
TOLD = {"reading": "suggestion/", "urgency": "normal"}
GAS = "厨房好大的煤气味，头晕"
PERSONAL = "我是王小明，3栋2单元8813，电话13812348000，车牌沪A12345，滑梯扶手松了"


@pytest.fixture
async def kit(sqlite_url: str, clock: StoppedClock, tmp_path: Path) -> AsyncIterator[Kit]:
    """A console that reads messages."""
    async with (
        database_opened(sqlite_url) as database,
        opened(database, clock, tmp_path, (reader(), knowledge())) as kit,
    ):
        yield kit


async def wrote(kit: Kit, text: str, key: str = "wang", **changes: Any) -> str:
    """The path of the explanation of something that a resident wrote."""
    row_id: UUID = await kit.run(message, kit.seed, key, text, **changes)
    return f"/inbox/{kit.seed.conversations[key]}/why/{row_id}"


async def correction(kit: Kit) -> Row:
    row: Row = await kit.one(sa.select(store.corrections))
    return row


async def status(browser: Browser, path: str, fields: dict[str, str] | None = None) -> int:
    response = await (browser.get(path) if fields is None else browser.post(path, fields))
    return response.status


# -- rights -----------------------------------------------------------------------------------------------------------


async def test_who_reads_a_conversation_may_ask_why_and_the_desk_corrects(kit: Kit) -> None:
    path = await wrote(kit, "滑梯的扶手松了")
    for login in EVERYBODY:
        browser = await kit.sign_in(login)
        sees, corrects = login in READS.split(), login in CORRECTS.split()
        assert (login, await status(browser, path)) == (login, 200 if sees else 404)
        if sees:
            assert (login, "读错了，改正" in await browser.text(path)) == (login, corrects)
        allowed = 303 if corrects else 403 if sees else 404
        assert (login, await status(browser, path, TOLD)) == (login, allowed)
        if corrects:  # else the next one would correct nothing
            row = await kit.one(sa.select(store.corrections).where(sa.text("state = 'open'")))
            supervisor = await kit.sign_in("quality")
            assert await status(supervisor, f"/learning/corrections/{row['id']}/dismiss", {}) == 303


async def test_who_may_teach_and_who_may_train(kit: Kit) -> None:
    path = await wrote(kit, "滑梯的扶手松了")
    await (await kit.sign_in("agent")).post(path, TOLD)
    row = await correction(kit)
    for login in EVERYBODY:
        browser = await kit.sign_in(login)
        if login not in TEACHES.split():
            assert (login, await status(browser, f"/learning/corrections/{row['id']}/use", {})) == (login, 403)
            assert (login, await status(browser, f"/learning/corrections/{row['id']}/dismiss", {})) == (login, 403)
        if login not in MODELS.split():
            assert (login, await status(browser, "/learning/train", {})) == (login, 403)
        if login in TEACHES.split() or login in MODELS.split():
            page = await browser.text("/learning")
            assert (login, "滑梯的扶手松了" in page) == (login, login in TEACHES.split())


async def test_to_put_a_model_to_use_needs_the_right_in_every_community(kit: Kit) -> None:
    """A supervisor of one of two communities trains, and asks somebody who answers for both."""
    for login, allowed in (("supervisor", 403), ("site", 403), ("quality", 303), ("admin", 303)):
        browser = await kit.sign_in(login)
        assert (login, await status(browser, "/learning/shipped", {})) == (login, allowed)


async def test_corrections_of_other_communities_are_not_there(kit: Kit) -> None:
    path = await wrote(kit, "滑梯的扶手松了", "li")
    assert await status(await kit.sign_in("agent"), path) == 404
    await (await kit.sign_in("other")).post(path, TOLD)
    row = await correction(kit)
    supervisor = await kit.sign_in("supervisor")
    assert "滑梯的扶手松了" not in await supervisor.text("/learning")
    assert await status(supervisor, f"/learning/corrections/{row['id']}/use", {}) == 404
    assert "滑梯的扶手松了" in await (await kit.sign_in("quality")).text("/learning")


async def test_a_message_of_another_conversation_is_not_found(kit: Kit) -> None:
    path = await wrote(kit, "滑梯的扶手松了", "li")
    crossed = path.replace(str(kit.seed.conversations["li"]), str(kit.seed.conversations["wang"]))
    assert await status(await kit.sign_in("quality"), crossed) == 404


# -- what is shown ----------------------------------------------------------------------------------------------------


async def test_the_explanation_tells_rule_words_danger_and_examples(kit: Kit) -> None:
    agent = await kit.sign_in("agent")
    page = await agent.text(await wrote(kit, GAS))
    for words in ("报修 · 燃气 · 险情", "险情 · 燃气", "煤气味", "最像的例句", "把握"):
        assert words in page
    page = await agent.text(await wrote(kit, "3栋2单元1502厨房水管漏水，明天上午来", minutes_ago=4))
    for words in ("报修 · 给水", "没有规则起作用", "楼栋", "1502", "希望时间", "明天上午"):
        assert words in page


async def test_what_it_was_read_as_at_the_time_is_told_where_it_has_changed(kit: Kit) -> None:
    then = {"intent": "complaint", "category": "noise", "confidence": 0.5, "urgency": "normal", "slots": None}
    page = await (await kit.sign_in("agent")).text(await wrote(kit, "厨房水管漏水", reading=then))
    assert "当时读成：投诉 · 噪音邻里" in page


async def test_an_auditor_sees_it_masked(kit: Kit) -> None:
    page = await (await kit.sign_in("auditor")).text(await wrote(kit, PERSONAL))
    assert "滑梯扶手松了" in page
    for secret in ("王小明", "13812348000", "A12345", "8813"):
        assert secret not in page


async def test_every_message_with_words_has_its_link(kit: Kit) -> None:
    path = await wrote(kit, "滑梯的扶手松了")
    await wrote(kit, "", kind="image", minutes_ago=3)
    page = await (await kit.sign_in("agent")).text(f"/inbox/{kit.seed.conversations['wang']}")
    assert page.count("why-link") == 2
    assert f'href="/console{path}"' in page


# -- what is kept and refused -----------------------------------------------------------------------------------------


async def test_personal_data_stays_behind(kit: Kit) -> None:
    agent = await kit.sign_in("agent")
    words = {"paraphrase": "我叫李四，滑梯坏了，打13912345678", "note": "王小明打过13812348000"}
    await agent.post(await wrote(kit, PERSONAL), {**TOLD, **words})
    row = await correction(kit)
    kept = "".join(str(row[name]) for name in ("text", "paraphrase", "note"))
    assert row["text"] == "我是某某，3栋2单元0000，电话00000000000，车牌沪A00000，滑梯扶手松了"
    for secret in ("王小明", "李四", "13812348000", "13912345678", "8813"):
        assert secret not in kept
    acts = await kit.every(sa.select(audit.c.data).where(audit.c.act == "reading.correct"))
    assert acts[0]["data"]["intent"] == "suggestion"
    assert "滑梯" not in str(acts[0]["data"])


@pytest.mark.parametrize(
    ("text", "fields", "sentence"),
    [
        ("滑梯的扶手松了", {"reading": ""}, "有必填项没填"),
        ("滑梯的扶手松了", {"reading": "repair/noise"}, "请从列表里选"),
        ("滑梯的扶手松了", {"reading": "nonsense/"}, "请从列表里选"),
        ("滑梯的扶手松了", {"urgency": "very"}, "请从列表里选"),
        ("滑梯的扶手松了", {"article": "no-such-article"}, "没有这篇文章"),
        ("滑梯的扶手松了", {"note": "长" * 301}, "内容太长"),
        ("厨房水管漏水", {"reading": "repair/plumbing"}, "没有改正"),
        ("1502", {}, "不能用来学习"),
        ("转人工", {}, "不能用来学习"),
    ],
)
async def test_what_makes_no_sense_is_refused(kit: Kit, text: str, fields: dict[str, str], sentence: str) -> None:
    agent = await kit.sign_in("agent")
    response = await agent.post(await wrote(kit, text), {**TOLD, **fields})
    assert (response.status, sentence in await response.text()) == (400, True)
    assert await kit.every(sa.select(store.corrections)) == []


async def test_an_article_alone_is_a_correction(kit: Kit) -> None:
    article = knowledge().articles[0]
    text = "快递柜满了怎么办"
    now = reader().read(text, kit.context.clock.now())
    same = {"reading": f"{now.intent}/{now.category or ''}", "urgency": now.urgency}
    await (await kit.sign_in("agent")).post(await wrote(kit, text), {**same, "article": article.title})
    assert (await correction(kit))["article"] == article.id


async def test_danger_that_a_rule_sees_stays_whatever_is_corrected(kit: Kit) -> None:
    path = await wrote(kit, GAS)
    await (await kit.sign_in("agent")).post(path, {"reading": "smalltalk/", "urgency": "normal"})
    quality = await kit.sign_in("quality")
    row = await correction(kit)
    await quality.post(f"/learning/corrections/{row['id']}/use", {})
    reading = kit.context.world.reader.read(GAS, kit.context.clock.now())
    assert (reading.intent, reading.urgency) == ("smalltalk", "emergency")


async def test_the_second_correction_of_a_message_replaces_the_first(kit: Kit) -> None:
    path, agent = await wrote(kit, "滑梯的扶手松了"), await kit.sign_in("agent")
    await agent.post(path, TOLD)
    await agent.post(path, {"reading": "praise/", "urgency": "normal"})
    rows = await kit.every(sa.select(store.corrections.c.state).order_by(store.corrections.c.id))
    assert [row["state"] for row in rows] == ["dismissed", "open"]
    assert kit.context.world.reader.read("滑梯的扶手松了", kit.context.clock.now()).intent == "praise"
    assert "表扬" in await agent.text(path)


async def test_what_is_dismissed_or_withdrawn_holds_no_longer(kit: Kit) -> None:
    path, quality = await wrote(kit, "滑梯的扶手松了"), await kit.sign_in("quality")
    now = kit.context.clock.now()
    alone = kit.context.world.reader.read("滑梯的扶手松了", now).intent
    await quality.post(path, TOLD)
    first = (await correction(kit))["id"]
    assert await status(quality, f"/learning/corrections/{first}/dismiss", {}) == 303
    assert await status(quality, f"/learning/corrections/{first}/use", {}) == 409
    assert kit.context.world.reader.read("滑梯的扶手松了", now).intent == alone
    await quality.post(path, TOLD)
    (second,) = await kit.every(sa.select(store.corrections).where(store.corrections.c.state == "open"))
    await quality.post(f"/learning/corrections/{second['id']}/use", {"paraphrase": "滑梯扶手不牢，建议换掉"})
    examples = await kit.every(sa.select(store.learned_examples))
    assert len(examples) == 2
    assert await status(quality, f"/learning/examples/{examples[0]['id']}/withdraw", {}) == 303
    assert await kit.context.database.read(store.examples) == []
    assert kit.context.world.reader.read("滑梯的扶手松了", now).intent == alone
    assert [act for act in await kit.acts() if "." in act] == [
        "reading.correct", "correction.dismiss", "reading.correct", "correction.use", "example.withdraw",
    ]  # fmt: skip


async def test_a_page_of_its_own_without_scripts_and_a_piece_with_them(kit: Kit) -> None:
    path, agent = await wrote(kit, "滑梯的扶手松了"), await kit.sign_in("agent")
    assert "<html" in await agent.text(path)
    piece = await agent.get(path, headers={"HX-Request": "true"})
    assert "<html" not in await piece.text()
    corrected = await agent.post(path, TOLD, **{"HX-Request": "true"})
    assert "desk:done" in corrected.headers["HX-Trigger"]
    assert "改为：建议" in await corrected.text()


# -- a language model


async def test_what_a_language_model_was_asked_stands_there(kit: Kit) -> None:
    path = await wrote(kit, PERSONAL, reading={"intent": "repair", "category": "hvac", "by_model": True})
    message_id = UUID(path.rpartition("/")[2])
    row = {"id": new_id(), "kind": "model.read", "ref": message_id, "state": "done", "due_at": kit.seed.now}
    row |= {"created_at": kit.seed.now, "payload": {"text": "我是[姓名]，[房号]，滑梯扶手松了"}}
    await kit.run(lambda conn: insert(conn, jobs, [{**row, "step": 1}]))
    page = await (await kit.sign_in("agent")).text(path)
    assert "请语言模型看过" in page
    assert "<q>我是[姓名]，[房号]，滑梯扶手松了</q>" in page


async def test_of_what_was_asked_of_nobody_it_says_nothing(kit: Kit) -> None:
    page = await (await kit.sign_in("agent")).text(await wrote(kit, "滑梯的扶手松了"))
    assert "语言模型" not in page
