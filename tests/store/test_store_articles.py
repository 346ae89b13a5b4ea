"""Versions of articles, what is told of them, and groups of questions, on both databases."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from bot.engine import grouping
from bot.errors import Conflict
from bot.settings import Settings
from bot.store import articles, jobs, places, questions
from bot.store.affairs import affairs
from bot.store.base import NOBODY, Row, insert, mappings, new_id
from bot.store.database import Database
from tests.support import seed
from tests.support.clock import MONDAY as NOW
from workflows.unanswered import OFFER

LATER = NOW + timedelta(hours=1)


def draft(**changes: Any) -> Row:
    return {
        "id": new_id(), "community_id": NOBODY, "slug": "pool", "state": "draft", "title": "游泳池几点开门",
        "title_hant": "", "title_en": "", "ask": ["泳池开放时间"], "not_about": [], "answer": "9:00到21:00。",
        "answer_hant": "", "answer_en": "", "valid_from": date(2026, 1, 1), "valid_until": None, "source": "会所",
        "group_id": None, "author_id": None, "created_at": NOW, "updated_at": NOW, **changes,
    }  # fmt: skip


def states(conn: sa.Connection) -> list[tuple[int, str]]:
    return [(row["version"], row["state"]) for row in articles.versions(conn, "pool", NOBODY)]


async def test_from_draft_to_release_to_the_next_version(database: Database) -> None:
    def act(conn: sa.Connection) -> None:
        author = seed.member(conn, "author", NOW, "agent")
        chief = seed.member(conn, "chief", NOW, "supervisor")
        first, second = draft(author_id=author), draft(answer="9:00到22:00。")
        assert articles.stamp(conn) == ""
        articles.add(conn, first)
        with pytest.raises(Conflict, match="article_open"):
            articles.add(conn, second)
        articles.edit(conn, first["id"], {"answer": "10:00到21:00。"})
        articles.propose(conn, first["id"], NOW)
        assert articles.released(conn) == []
        articles.release(conn, first["id"], chief, NOW)
        stamp = articles.stamp(conn)
        assert stamp
        with pytest.raises(Conflict, match="article_moved"):
            articles.edit(conn, first["id"], {"answer": "随时。"})
        articles.add(conn, second)
        assert articles.stamp(conn) == stamp, "a draft is told to nobody"
        articles.release(conn, second["id"], chief, LATER)
        assert articles.stamp(conn) != stamp
        assert states(conn) == [(2, "released"), (1, "replaced")]
        (told,) = articles.released(conn)
        assert (told["answer"], told["community"]) == ("9:00到22:00。", None)
        articles.withdraw(conn, second["id"], chief, LATER)
        assert (articles.stamp(conn), articles.released(conn)) == ("", [])
        row = articles.get(conn, second["id"])
        assert row is not None
        assert (row["state"], row["releaser_name"], row["ended_by"]) == ("withdrawn", "chief", chief)

    await database.write(act)


async def test_an_edited_proposal_is_a_draft_again(database: Database) -> None:
    def act(conn: sa.Connection) -> None:
        row = draft()
        articles.add(conn, row)
        articles.propose(conn, row["id"], NOW)
        articles.edit(conn, row["id"], {"title": "泳池几点开"})
        assert states(conn) == [(1, "draft")]

    await database.write(act)


async def test_the_list_is_searched_in_any_case_and_with_any_sign(database: Database) -> None:
    def act(conn: sa.Connection) -> None:
        articles.add(conn, draft(title_en="Opening hours of the POOL", answer="100%开放。"))
        articles.add(conn, draft(slug="gym", title="健身房", ask=["健身房年卡"], answer="办卡。"))
        for words, slugs in (("泳池", ["pool"]), ("pool", ["pool"]), ("年卡", ["gym"]), ("0%开", ["pool"]), ("_", [])):
            assert [row["slug"] for row in articles.listed(conn, None, search=words)] == slugs, words

    await database.write(act)


async def test_an_article_of_another_community_is_not_listed(database: Database) -> None:
    def act(conn: sa.Connection) -> None:
        one, other = (community(conn, name) for name in ("翠湖苑", "云杉府"))
        articles.add(conn, draft(community_id=one))
        articles.add(conn, draft(community_id=other))
        articles.add(conn, draft())
        assert {row["community_id"] for row in articles.listed(conn, [one])} == {one, NOBODY}

    await database.write(act)


def community(conn: sa.Connection, name: str) -> UUID:
    row = {"id": new_id(), "name": name, "aliases": [], "night_model": "staffed", "phone": "", "demonstration": False}
    insert(conn, places.communities, [row])
    return UUID(str(row["id"]))


async def test_ratings_are_counted_by_article(database: Database) -> None:
    def act(conn: sa.Connection) -> None:
        who = seed.person(conn, "ann", NOW)
        for article, helpful in (("pool", True), ("pool", True), ("pool", False), ("gym", False)):
            row = {"id": new_id(), "conversation_id": who["conversation_id"], "article": article, "helpful": helpful}
            insert(conn, articles.ratings, [{**row, "community_id": NOBODY, "at": NOW}])
        assert articles.helpful_counts(conn, None) == {"pool": (2, 1), "gym": (0, 1)}
        assert articles.helpful_counts(conn, [new_id()]) == {"pool": (2, 1), "gym": (0, 1)}

    await database.write(act)


# -- questions


def asked(conn: sa.Connection, who: Row, text: str, **changes: Any) -> UUID:
    row = questions.new_question(
        NOBODY, text, "zh-Hans", "unknown", NOW, id=new_id(), conversation_id=who["conversation_id"]
    )
    insert(conn, questions.questions, [{**row, **changes}])
    return UUID(str(row["id"]))


async def test_questions_that_ask_the_same_are_one_group(database: Database) -> None:
    def act(conn: sa.Connection) -> list[Row]:
        ann, bob = (seed.person(conn, name, NOW) for name in ("ann", "bob"))
        for who, text in ((ann, "游泳池几点开门"), (bob, "泳池开放时间是几点"), (ann, "会所能打麻将吗")):
            asked(conn, who, text)
        assert grouping.group(conn, Settings(), NOW) == 3
        asked(conn, ann, "请问泳池几点开门", asked_at=LATER)
        grouping.group(conn, Settings(), LATER)
        assert grouping.group(conn, Settings(), LATER) == 0
        return questions.listed(conn, None, ["open"])

    first, second = await database.write(act)
    assert (first["title"], first["asked"], first["people"]) == ("游泳池几点开门", 3, 2)
    assert (first["first_at"], first["last_at"]) == (NOW, LATER)
    assert (second["title"], second["asked"]) == ("会所能打麻将吗", 1)


async def test_communities_do_not_share_groups(database: Database) -> None:
    def act(conn: sa.Connection) -> list[Row]:
        ann, here = seed.person(conn, "ann", NOW), community(conn, "翠湖苑")
        asked(conn, ann, "游泳池几点开门", community_id=here)
        asked(conn, ann, "游泳池几点开门")
        grouping.group(conn, Settings(), NOW)
        assert len(questions.listed(conn, [here], ["open"])) == 1
        return questions.listed(conn, None, ["open"])

    assert len(await database.write(act)) == 2


async def test_two_groups_become_one(database: Database) -> None:
    def act(conn: sa.Connection) -> None:
        ann = seed.person(conn, "ann", NOW)
        asked(conn, ann, "游泳池几点开门")
        asked(conn, ann, "会所能打麻将吗")
        grouping.group(conn, Settings(), NOW)
        one, other = (row["id"] for row in questions.listed(conn, None, ["open"]))
        questions.merge(conn, other, one, LATER)
        (left,) = questions.listed(conn, None, questions.GROUP_STATES)
        assert (left["id"], left["asked"]) == (one, 2)

    await database.write(act)


async def test_each_who_asked_within_the_days_is_told_once(database: Database) -> None:
    def act(conn: sa.Connection) -> list[Row]:
        ann, bob, cid = (seed.person(conn, name, NOW) for name in ("ann", "bob", "cid"))
        old = NOW - timedelta(days=8)
        for who, text, at in ((ann, "泳池几点开", NOW), (ann, "泳池几点开门", LATER), (bob, "泳池几点开", old)):
            asked(conn, who, text, asked_at=at, affair_id=affair(conn, who))
        asked(conn, cid, "泳池几点开")  # a person was asked for, who has the word since
        grouping.group(conn, Settings(), LATER)
        (found,) = questions.listed(conn, None, ["open"])
        since = LATER - timedelta(days=7)
        assert questions.offer(conn, found["id"], OFFER, {"zh-Hans": "9:00。"}, since, LATER) == 1
        questions.offer(conn, found["id"], OFFER, {"zh-Hans": "9:00。"}, since, LATER)
        timers = mappings(conn, sa.select(jobs.jobs))
        questions.stop_offers(conn, found["id"], OFFER, LATER)
        assert jobs.due(conn, LATER, 10) == []
        return timers

    (timer,) = await database.write(act)
    assert timer["kind"] == OFFER
    assert timer["payload"]["question"] == "泳池几点开门"


def affair(conn: sa.Connection, who: Row) -> UUID:
    row = {
        "id": new_id(), "number": new_id().hex, "conversation_id": who["conversation_id"],
        "resident_id": who["resident_id"], "kind": "question", "source": "wechat", "state": "recorded",
        "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    insert(conn, affairs, [row])
    return UUID(str(row["id"]))
