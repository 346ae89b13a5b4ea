"""Articles from draft to release and back, questions without an answer, and who may do which."""

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.engine import grouping
from bot.settings import Settings
from bot.store import articles, jobs, questions
from bot.store.base import NOBODY, insert, new_id
from tests.web.console_kit import Browser, Kit
from tests.web.console_seed import affair

TODAY = date.today()  # noqa: DTZ011 - a date of the form, not a moment
WRITTEN = {
    "title": "泳池几点开门", "ask": "游泳池开放时间\n泳池开到几点\nwhen is the pool open",
    "answer": "夏天9:00到21:00，进场看门禁卡。", "answer_en": "In summer 9:00 to 21:00; bring your access card.",
    "not_about": "泳池收费吗", "valid_from": "2026-01-01", "valid_until": "", "source": "会所",
    "title_en": "Pool hours", "title_hant": "", "answer_hant": "",
}  # fmt: skip


async def drafted(kit: Kit, browser: Browser, community: str = "A", **changes: str) -> str:
    """A draft by this person: the path of its page."""
    where = {"community": str(kit.seed.communities[community]) if community else str(NOBODY)}
    made = await browser.post("/knowledge", {**WRITTEN, **where, **changes})
    assert made.status == 303, await made.text()
    return made.headers["Location"].removeprefix("/console")


def answer(kit: Kit, question: str, community: str = "A") -> Any:
    place = kit.context.world.communities[kit.seed.communities[community]].name
    return kit.context.world.knowledge.ask(question, community=place, on=TODAY)


async def test_an_agent_proposes_and_a_supervisor_releases(both_kit: Kit) -> None:
    kit = both_kit
    agent, chief = await kit.sign_in("agent"), await kit.sign_in("supervisor")
    where = await drafted(kit, agent)
    assert (await agent.post(f"{where}/release")).status == 403
    assert (await agent.post(f"{where}/save", {**WRITTEN, "answer": "夏天9:00到22:00。"})).status == 303
    assert answer(kit, "泳池几点开门").decision != "answer"
    assert (await agent.post(f"{where}/propose")).status == 303
    assert "待发布" in await chief.text(where)
    assert (await chief.post(f"{where}/release")).status == 303
    told = answer(kit, "游泳池什么时候开门")
    assert (told.decision, told.text) == ("answer", "夏天9:00到22:00。")
    assert answer(kit, "泳池几点开门", "B").decision != "answer", "of community A only"
    listed = await agent.text("/knowledge?search=泳池")
    assert "已发布" in listed
    assert (await agent.post(f"{where}/withdraw")).status == 403
    assert (await chief.post(f"{where}/withdraw")).status == 303
    assert answer(kit, "泳池几点开门").decision != "answer"
    acts = [act for act in await kit.acts() if act.startswith("article.")]
    assert acts == ["article.drafted", "article.save", "article.propose", "article.release", "article.withdraw"]


async def test_a_released_article_stands_until_the_next_version_is_released(kit: Kit) -> None:
    agent, chief = await kit.sign_in("agent"), await kit.sign_in("supervisor")
    first = await drafted(kit, agent)
    await chief.post(f"{first}/release")
    row = await kit.one(sa.select(articles.articles))
    assert (await agent.post(f"{first}/save", WRITTEN)).status == 409
    second = await drafted(kit, agent, slug=row["slug"], answer="全年10:00到20:00。")
    refused = await agent.post("/knowledge", {**WRITTEN, "community": str(row["community_id"]), "slug": row["slug"]})
    assert refused.status == 409
    assert "已经有一份草稿" in await refused.text()
    assert answer(kit, "泳池几点开门").text == WRITTEN["answer"]
    await chief.post(f"{second}/release")
    assert answer(kit, "泳池几点开门").text == "全年10:00到20:00。"
    page = await agent.text(second)
    assert "第1版" in page
    assert "已换新版" in page


async def test_the_companys_own_stands_in_for_one_that_ships(kit: Kit) -> None:
    chief = await kit.sign_in("supervisor")
    page = await chief.text("/knowledge/new?from=temporary-pass")
    assert "临时出入证怎么办，管几天" in page
    shipped = answer(kit, "临时出入证管几天").text
    own = {
        "title": "临时出入证怎么办，管几天",
        "ask": "临时出入证管几天\n临时通行证要带什么",
        "answer": "当天有效，门岗现办。",
    }
    where = await drafted(kit, chief, slug="temporary-pass", **own)
    await chief.post(f"{where}/release")
    assert answer(kit, "临时出入证管几天").text == "当天有效，门岗现办。"
    assert answer(kit, "临时出入证管几天", "B").text == shipped
    await chief.post(f"{where}/withdraw")
    assert answer(kit, "临时出入证管几天").text == shipped


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"answer": ""}, "还没有答案"),
        ({"answer": "可以。" * 101}, "答案有303字，最多300字"),
        ({"ask": "游泳池开放时间"}, "其他问法有1种，至少要2种"),
        ({"ask": "游泳池开放时间\n泳池几点开门"}, "“泳池几点开门”写了两遍，或者和标题一样"),
        ({"not_about": "游泳池开放时间"}, "既在问法里又在不回答里"),
        ({"answer": "尊敬的业主，9:00开。"}, "请不要用“尊敬的”"),
        ({"valid_until": "2025-01-01"}, "结束日期早于开始日期"),
        ({"ask": f"游泳池开放时间\n{'泳' * 81}"}, "一行最多80字"),
        ({"answer_en": "Open. " * 151}, "英文答案有905个字符"),
    ],
)
async def test_what_residents_could_not_be_told_is_named_and_not_released(
    kit: Kit, changes: dict[str, str], sentence: str
) -> None:
    chief = await kit.sign_in("supervisor")
    where = await drafted(kit, chief, **changes)
    assert sentence in await chief.text(where)
    for move in ("propose", "release"):
        refused = await chief.post(f"{where}/{move}", None, **{"HX-Request": "true"})
        assert refused.status == 400
        assert sentence in await refused.text()
    assert (await kit.one(sa.select(articles.articles.c.state)))["state"] == "draft"


async def test_one_question_has_one_article(kit: Kit) -> None:
    chief = await kit.sign_in("supervisor")
    await chief.post(f"{await drafted(kit, chief)}/release")
    again = await drafted(kit, chief, title="会所泳池", ask="泳池开到几点\n会所的泳池在哪")
    assert "“泳池开到几点”已经由《泳池几点开门》回答" in await chief.text(again)


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"title": ""}, 400), ({"valid_from": "tomorrow"}, 400), ({"valid_from": ""}, 400), ({"slug": "A B"}, 400),
     ({"community": "x"}, 400), ({"title": "泳" * 121}, 400), ({"ask": "\n".join(map(str, range(61)))}, 400)],
)  # fmt: skip
async def test_a_form_that_cannot_be_kept(kit: Kit, changes: dict[str, str], status: int) -> None:
    agent = await kit.sign_in("agent")
    fields = {**WRITTEN, "community": str(kit.seed.communities["A"]), **changes}
    assert (await agent.post("/knowledge", fields)).status == status
    assert await kit.every(sa.select(articles.articles)) == []


async def test_who_writes_where(kit: Kit) -> None:
    where = await drafted(kit, await kit.sign_in("agent"))
    reach = {
        "agent2": (200, 303, 403), "other": (404, 404, 404), "cashier": (404, 404, 404), "admin": (404, 404, 404),
        "quality": (200, 303, 303),
    }  # fmt: skip
    for login, (reads, saves, releases) in reach.items():
        browser = await kit.sign_in(login)
        assert (login, (await browser.get(where)).status) == (login, reads)
        assert (login, (await browser.post(f"{where}/save", WRITTEN)).status) == (login, saves)
        assert (login, (await browser.post(f"{where}/release")).status) == (login, releases)


async def test_an_article_for_all_communities_needs_the_right_in_all(kit: Kit) -> None:
    agent, quality = await kit.sign_in("agent"), await kit.sign_in("quality")
    everywhere = {**WRITTEN, "community": str(NOBODY)}
    assert (await agent.post("/knowledge", everywhere)).status == 403
    where = await drafted(kit, quality, "")
    assert (await agent.get(where)).status == 200
    assert (await agent.post(f"{where}/save", WRITTEN)).status == 403
    assert (await (await kit.sign_in("supervisor")).post(f"{where}/release")).status == 403
    assert (await quality.post(f"{where}/release")).status == 303
    assert answer(kit, "泳池几点开门", "B").decision == "answer"


async def test_whoever_wrote_a_draft_throws_it_away(kit: Kit) -> None:
    agent, colleague = await kit.sign_in("agent"), await kit.sign_in("agent2")
    where = await drafted(kit, agent)
    assert (await colleague.post(f"{where}/withdraw")).status == 403
    assert (await agent.post(f"{where}/withdraw")).status == 303
    assert (await kit.one(sa.select(articles.articles.c.state)))["state"] == "withdrawn"


async def test_a_question_is_tried_with_the_draft(kit: Kit) -> None:
    agent = await kit.sign_in("agent")
    where = await drafted(kit, agent)
    tried = (await agent.text(f"{where}?try=泳池什么时候开")).split('id="tried"')[1]
    assert "直接回答" in tried
    assert WRITTEN["answer"] in tried
    outside = (await agent.text("/knowledge?try=会所能打麻将吗")).split('id="tried"')[1]
    assert "转给同事" in outside
    offered = (await agent.text("/knowledge?try=办证要啥")).split('id="tried"')[1]
    assert "给出选项" in offered
    assert "%" in offered


async def test_what_residents_said_stands_in_the_list_and_on_the_article(kit: Kit) -> None:
    chief = await kit.sign_in("supervisor")
    where = await drafted(kit, chief)
    await chief.post(f"{where}/release")
    row = await kit.one(sa.select(articles.articles))
    key = articles.key(row["slug"], row["community_id"])
    said = {"conversation_id": kit.seed.conversations["wang"], "community_id": row["community_id"], "at": kit.seed.now}
    rated = [{**said, "id": new_id(), "article": key, "helpful": number < 3} for number in range(5)]
    rated += [{**said, "id": new_id(), "article": "tap-price", "helpful": True}]
    await kit.run(insert, articles.ratings, rated)
    assert "3 / 2" in await chief.text("/knowledge")
    assert "3 / 2" in await chief.text(where)
    assert "1 / 0" in await chief.text("/knowledge?tab=shipped&search=龙头")
    assert "1 / 0" in await chief.text("/knowledge/shipped/tap-price")


# -- questions without an answer


async def asked(kit: Kit, *texts: str, key: str = "wang", days_ago: float = 0) -> None:
    """Somebody of community A asked these, and a person owes the answers."""

    def write(conn: sa.Connection) -> None:
        at = kit.seed.now - timedelta(days=days_ago)
        for text in texts:
            case_id = affair(conn, kit.seed, f"asked {len(kit.seed.cases)}", key, kind="question")
            row = questions.new_question(
                kit.seed.communities["A"], text, "zh-Hans", "unknown", at, id=new_id(),
                conversation_id=kit.seed.conversations[key], affair_id=case_id,
            )  # fmt: skip
            insert(conn, questions.questions, [row])
        grouping.group(conn, Settings(), kit.seed.now)

    await kit.run(write)


async def test_from_questions_to_an_article_to_those_who_asked(kit: Kit) -> None:
    await asked(kit, "泳池几点开门", "游泳池开放时间是几点", "请问泳池几点开门")
    await asked(kit, "会所能打麻将吗")
    await asked(kit, "泳池几点开门", key="nobody", days_ago=8)
    agent, chief = await kit.sign_in("agent"), await kit.sign_in("supervisor")
    page = await agent.text("/questions")
    assert page.index("泳池几点开门") < page.index("会所能打麻将吗")
    group = await kit.one(sa.select(questions.groups).where(questions.groups.c.title == "泳池几点开门"))
    made = await agent.post(f"/questions/{group['id']}/draft")
    assert made.status == 303
    where = made.headers["Location"].removeprefix("/console")
    row = await kit.one(sa.select(articles.articles))
    assert (row["title"], row["group_id"], row["community_id"]) == (
        "泳池几点开门", group["id"], kit.seed.communities["A"],
    )  # fmt: skip
    assert "游泳池开放时间是几点" in row["ask"]
    assert "已有草稿" in await agent.text("/questions")
    assert (
        await agent.post(f"{where}/save", {**WRITTEN, "ask": "\n".join([*row["ask"], "泳池开到几点"])})
    ).status == 303
    assert (await chief.post(f"{where}/release")).status == 303
    timers = await kit.every(sa.select(jobs.jobs).where(jobs.jobs.c.kind == "faq.offer"))
    assert [timer["conversation_id"] for timer in timers] == [kit.seed.conversations["wang"]], "once, within 7 days"
    assert timers[0]["payload"]["answers"]["en"] == WRITTEN["answer_en"]
    assert "泳池" in await agent.text("/questions?tab=answered")
    await chief.post(f"{where}/withdraw")
    (timer,) = await kit.every(sa.select(jobs.jobs.c.state).where(jobs.jobs.c.kind == "faq.offer"))
    assert timer["state"] == "cancelled"


async def test_groups_are_dismissed_merged_and_split(kit: Kit) -> None:
    await asked(kit, "泳池几点开门", "请问泳池几点开门")
    await asked(kit, "会所能打麻将吗")
    agent = await kit.sign_in("agent")
    pool, cards = await kit.every(sa.select(questions.groups).order_by(questions.groups.c.id))
    assert (await agent.post(f"/questions/{cards['id']}/dismiss")).status == 303
    assert "会所能打麻将吗" not in await agent.text("/questions")
    assert "会所能打麻将吗" in await agent.text("/questions?tab=dismissed")
    await agent.post(f"/questions/{cards['id']}/reopen")
    assert (await agent.post(f"/questions/{cards['id']}/merge", {"into": str(cards["id"])})).status == 400
    assert (await agent.post(f"/questions/{cards['id']}/merge", {"into": str(pool["id"])})).status == 303
    assert await counts(kit) == {"泳池几点开门": 3}
    one = await kit.one(sa.select(questions.questions).where(questions.questions.c.text == "会所能打麻将吗"))
    assert (await agent.post(f"/questions/{pool['id']}/split", {"question": str(one["id"])})).status == 303
    assert await counts(kit) == {"泳池几点开门": 2, "会所能打麻将吗": 1}
    assert (await agent.post(f"/questions/{pool['id']}/split", {"question": str(one["id"])})).status == 409
    assert [act for act in await kit.acts() if act.startswith("questions.")] == [
        "questions.dismiss", "questions.reopen", "questions.merge", "questions.split",
    ]  # fmt: skip


async def counts(kit: Kit) -> dict[str, int]:
    found = await kit.context.database.read(questions.listed, None, ["open", "drafted"])
    return {row["title"]: row["asked"] for row in found}


async def test_questions_of_another_community_are_not_there(kit: Kit) -> None:
    await asked(kit, "泳池几点开门")
    group = await kit.one(sa.select(questions.groups))
    stranger = await kit.sign_in("other")
    assert "泳池" not in await stranger.text("/questions")
    assert (await stranger.post(f"/questions/{group['id']}/draft")).status == 404
