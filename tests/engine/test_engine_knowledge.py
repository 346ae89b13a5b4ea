"""A question that nobody knows, from its bytes to its article, to the answer that comes later, on both databases."""

from datetime import date
from uuid import UUID

import sqlalchemy as sa

from bot import knowledge
from bot.engine import grouping
from bot.store import articles, questions
from bot.store.base import NOBODY, Row, new_id
from tests.engine.kit import Kit, content, openid
from tests.support.clock import StoppedClock
from workflows.unanswered import OFFER

ASKED = "会所能办生日派对吗"
ANSWER = "周末可以，提前3天到前台订，不收费。"


def _draft(clock: StoppedClock, group_id: UUID) -> Row:
    texts = dict.fromkeys(("title_hant", "title_en", "answer_hant", "answer_en", "source"), "")
    return {
        **texts, "id": new_id(), "community_id": NOBODY, "slug": "party", "state": "draft", "title": ASKED,
        "ask": ["可以在会所办生日派对吗", "会所办生日会"], "not_about": [], "answer": ANSWER,
        "valid_from": date(2026, 1, 1), "valid_until": None, "group_id": group_id, "author_id": None,
        "created_at": clock.now(), "updated_at": clock.now(),
    }  # fmt: skip


async def _released(desk: Kit) -> None:
    """The question is grouped, an article is written of it and released, as the console does."""
    now, chief = desk.clock.now(), desk.member("陈静").id

    def write(conn: sa.Connection) -> None:
        grouping.group(conn, desk.context.settings, now)
        (group,) = questions.listed(conn, None, ["open"])
        row = _draft(desk.clock, group["id"])
        articles.add(conn, row)
        articles.release(conn, row["id"], chief, now)
        told = {"zh-Hans": ANSWER}
        assert questions.offer(conn, group["id"], OFFER, told, now.replace(day=1), now) == 1

    await desk.database.write(write)
    desk.database.announce()


async def test_whoever_asked_is_told_and_the_next_one_at_once(desk: Kit) -> None:
    who = openid()
    unsure = content(await desk.write_as(who, ASKED)).decode()
    assert "没把握" in unsure
    (kept,) = await desk.rows(questions.questions)
    assert kept["text"] == ASKED
    desk.pass_time(minutes=20)
    await _released(desk)
    await desk.until_said(who, "accepted", "accepted")
    assert desk.sends(who) == [f"您今天问的“{ASKED}”，现在有答案了：{ANSWER}"]
    assert (await desk.row(questions.questions))["offered_at"] == desk.clock.now()
    assert await knowledge.renew(desk.database, desk.worlds)
    assert not await knowledge.renew(desk.database, desk.worlds), "nothing was released since"
    answered = content(await desk.write_as(openid(), "可以在会所办生日派对吗")).decode()
    assert ANSWER in answered
    assert "有帮助回1，没解决回2" in answered


async def test_a_digit_below_the_answer_is_kept_as_what_it_says(desk: Kit) -> None:
    who = openid()
    assert "有帮助回1" in content(await desk.write_as(who, "临时出入证管几天")).decode()
    assert "谢谢" in content(await desk.write_as(who, "1")).decode()
    assert [(row["article"], row["helpful"]) for row in await desk.rows(articles.ratings)] == [("temporary-pass", True)]
