"""A code was scanned: the place is named, and is where the next report is; it binds nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from bot.desk import Place, new_id
from bot.store.base import insert
from bot.store.schema import metadata
from channels.messages import SCENE
from channels.scenes import LONGEST, Scene, read, write
from tests.workflows.harness import Reply, Story, story
from tests.workflows.town import SUNDAY

LIFT, LOBBY = "3栋2号电梯", "3栋大堂"


@contextmanager
def lake(communities: str = "listed", homes: tuple[str, ...] = (), *, at: datetime = SUNDAY) -> Iterator[Story]:
    """A town with a lift and a lobby on the list of its first community."""
    with story(communities, homes, at=at) as played:
        community = next(one for one in played.world.communities.values() if one.name == "翠湖苑")
        places = [Place(new_id(), community.id, LIFT, "lift"), Place(new_id(), community.id, LOBBY, "lobby")]
        rows = [
            {"id": one.id, "community_id": one.community_id, "building_id": None, "name": one.name, "kind": one.kind}
            for one in places
        ]
        with played.engine.begin() as conn:
            insert(conn, metadata.tables["public_places"], rows)
        played.world = replace(played.world, public_places={community.id: places})
        yield played


def scan(played: Story, scene: str, *, kind: str = "scanned") -> Reply:
    return played.say(kind=kind, choice=f"{SCENE}{scene}")


def where_of(played: Story) -> dict[str, Any]:
    (order,) = played.orders()
    return dict(order.where or {})


# The format


@pytest.mark.parametrize(
    ("text", "scene"),
    [
        ("c:翠湖苑", Scene(kind="community", community="翠湖苑")),
        ("h:翠湖苑/3-2-1502", Scene(kind="home", community="翠湖苑", building="3", unit="2", room="1502")),
        ("h:翠湖苑/9--502", Scene(kind="home", community="翠湖苑", building="9", room="502")),
        ("p:翠湖苑/3栋2号电梯", Scene(kind="place", community="翠湖苑", place=LIFT)),
        ("p:翠湖苑/A/B连廊", Scene(kind="place", community="翠湖苑", place="A/B连廊")),
        ("p:Lake/B-2 car park", Scene(kind="place", community="Lake", place="B-2 car park")),
    ],
)
def test_a_scene_is_written_as_it_is_read(text: str, scene: Scene) -> None:
    assert read(text) == scene
    assert write(scene) == text


@pytest.mark.parametrize(
    "text",
    ["", "c:", "c", "repair", "b:123456", "s:abc", "x:翠湖苑", "c:翠湖苑/3", "p:翠湖苑", "p:/电梯", "h:翠湖苑/3-1502",
     "h:翠湖苑/3-2-1502-1", "h:翠湖苑/-2-1502", "h:翠湖苑/3-2-", "b3-u1-1202"],
)  # fmt: skip
def test_what_names_no_place_is_none(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    "scene",
    [
        Scene(kind="community", community="翠" * LONGEST),
        Scene(kind="community", community="一期/二期"),
        Scene(kind="home", community="翠湖苑", building="3-1", room="502"),
        Scene(kind="home", community="翠湖苑", building="3"),
    ],
)
def test_what_no_code_can_hold_is_refused(scene: Scene) -> None:
    with pytest.raises(ValueError, match="code"):
        write(scene)


# The greeting


@pytest.mark.parametrize(
    ("scene", "told"),
    [
        (f"p:翠湖苑/{LIFT}", "您在翠湖苑3栋2号电梯扫的码，直接说什么事就行。"),
        ("h:翠湖苑/3-2-1502", "您在翠湖苑3栋2单元1502扫的码，直接说什么事就行。"),
        ("h:翠湖苑/9--502", "您在翠湖苑9栋502扫的码"),
        ("c:翠湖苑", "您在翠湖苑扫的码"),
    ],
)
def test_the_greeting_names_the_place(scene: str, told: str) -> None:
    with lake("two") as played:
        first = scan(played, scene, kind="followed")
        assert first.text.startswith("您好，这里是翠湖苑物业的智能客服")
        assert told in first.text
        assert (first.intent, first.state, first.questions) == ("smalltalk", "idle", 0)
        assert scan(played, scene).text.startswith(told)


GONE = (
    f"p:翠湖苑/{LIFT}旧", "p:远方/东门", "h:翠湖苑/33-2-1502", "h:翠湖苑/3-2-9999", "c:远方", "b3-u1-1202", "4711",
    "repair", "翠湖苑/3-2-1502", "p:", "h:翠湖苑/3-2", "1",
)  # fmt: skip


def test_a_code_that_says_nothing_any_more_greets_as_usual() -> None:
    with lake("two") as played:
        told = scan(played, GONE[0], kind="followed").text
        assert told.startswith("您好，这里是物业的智能客服")
        assert "扫的码" not in told
        for scene in GONE:
            assert scan(played, scene).text == "在的，您说。", scene
            assert not played.conversation()["form"]


@pytest.mark.parametrize(
    ("language", "words", "told"),
    [
        ("en", "hello good morning", "You scanned the code at 3栋2号电梯, 翠湖苑. Just tell me what it is about."),
        ("zh-Hant", "請問物業費點樣交？", "您掃描的是翠湖苑3栋2号电梯的二維碼，直接說什麼事就可以。"),
    ],
)
def test_it_is_said_in_the_residents_language(language: str, words: str, told: str) -> None:
    with lake() as played:
        played.say(words)
        assert [row["language"] for row in played.rows("residents")] == [language]
        assert scan(played, f"p:翠湖苑/{LIFT}").text == told


# What a report takes from it


@dataclass(frozen=True)
class Case:
    """A scan, what is said then, and where the order is: its parts."""

    scene: str
    words: str
    where: dict[str, str]
    homes: tuple[str, ...] = ()


PLACE = {"place": LIFT}
HOME = {"building": "3", "unit": "2", "room": "1502"}
CASES = [
    Case(f"p:翠湖苑/{LIFT}", "电梯一直抖", PLACE),
    Case(f"p:翠湖苑/{LIFT}", "这部电梯一直抖，有点吓人", PLACE),
    Case(f"p:翠湖苑/{LIFT}", "2号电梯按钮坏了", PLACE),
    Case(f"p:翠湖苑/{LIFT}", "灯坏了", PLACE),
    Case(f"p:翠湖苑/{LIFT}", "灯坏了", PLACE, ("3-1-302",)),
    Case("h:翠湖苑/3-2-1502", "厨房水管漏水，电话13912345678", HOME),
    Case("h:翠湖苑/9--502", "厨房水管漏水，电话13912345678", {"building": "9", "room": "502"}),
    Case("h:翠湖苑/3-2-1502", "厨房水管漏水", HOME, ("3-1-302", "9--502")),
    # What is said wins.
    Case(f"p:翠湖苑/{LIFT}", "3栋大堂的灯坏了", {"building": "3", "place": "大堂"}),
    Case(f"p:翠湖苑/{LIFT}", "9栋502厨房水管漏水，电话13912345678", {"building": "9", "room": "502"}),
    Case("h:翠湖苑/3-2-1502", "9栋502厨房水管漏水，电话13912345678", {"building": "9", "room": "502"}),
    Case("c:翠湖苑", "3栋2单元1502厨房水管漏水，电话13912345678", HOME),
    # A kitchen is in no lift.
    Case(f"p:翠湖苑/{LIFT}", "厨房水管漏水", HOME, ("3-2-1502",)),
    Case("c:翠湖苑", "厨房水管漏水", HOME, ("3-2-1502",)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.scene} {case.words} {','.join(case.homes)}")
def test_the_next_report_is_where_the_code_hangs(case: Case) -> None:
    with lake("two", case.homes) as played:
        scan(played, case.scene)
        told = played.say(case.words)
        assert told.state == "recorded", told.text
        found = where_of(played)
        assert {name: found[name] for name in ("building", "unit", "room", "place") if found.get(name)} == case.where
        assert found["community"] == "翠湖苑"
        assert "哪" not in told.text


def test_a_place_code_asks_for_no_room_and_a_home_code_binds_nobody() -> None:
    with lake("two") as played:
        scan(played, f"p:翠湖苑/{LIFT}", kind="followed")
        assert played.say("灯坏了").questions == 0
    with lake("two") as played:
        scan(played, "h:翠湖苑/3-2-1502", kind="followed")
        played.say("厨房水管漏水")
        assert [row["provisional"] for row in played.rows("residents")] == [True]
        assert played.rows("households") == []
        assert [order.home_id is not None for order in played.orders()] == [True]


def test_another_lift_than_the_scanned_one_is_another() -> None:
    with lake() as played:
        scan(played, f"p:翠湖苑/{LIFT}")
        played.say("9栋的电梯一直抖")
        assert where_of(played)["building"] == "9"


def test_a_community_code_spares_the_question_for_the_community() -> None:
    with lake("two") as played:
        assert "哪个小区" in played.say("厨房水管漏水").text
    with lake("two") as played:
        scan(played, "c:翠湖苑", kind="followed")
        asked = played.say("厨房水管漏水")
        assert asked.state == "collecting"
        assert "小区" not in asked.text
        assert played.say("3栋2单元1502，13912345678").state == "recorded"
        assert where_of(played)["community"] == "翠湖苑"


def test_a_scan_answers_the_question_where() -> None:
    for scene, expected in ((f"p:翠湖苑/{LIFT}", PLACE), ("h:翠湖苑/3-2-1502", HOME)):
        with lake("two") as played:
            assert played.say("灯坏了").state == "collecting"
            assert scan(played, scene).state == "recorded"
            found = where_of(played)
            assert {name: found[name] for name in expected} == expected


def test_a_scan_tells_those_who_come_where() -> None:
    with lake("two") as played:
        assert played.say("电梯里有人被困住了").state == "emergency"
        told = scan(played, f"p:翠湖苑/{LIFT}")
        assert told.state == "emergency"
        assert LIFT in where_of(played)["label"]
    with lake("two") as played:
        scan(played, f"p:翠湖苑/{LIFT}")
        assert LIFT in played.say("电梯里有人被困住了").text
        assert LIFT in played.rows("alarms")[0]["summary"]


def test_it_counts_for_one_report_and_for_half_an_hour() -> None:
    with lake() as played:
        scan(played, f"p:翠湖苑/{LIFT}")
        played.say("灯坏了")
        played.wait(minutes=5)
        assert played.say("马桶堵了").state == "collecting"
    with lake() as played:
        scan(played, f"p:翠湖苑/{LIFT}")
        played.wait(minutes=29)
        assert played.say("灯坏了").state == "recorded"
    with lake() as played:
        scan(played, f"p:翠湖苑/{LIFT}")
        played.wait(minutes=31)
        assert played.say("灯坏了").state == "collecting"


def test_a_complaint_and_an_affair_take_it_too() -> None:
    with lake("two") as played:
        scan(played, f"p:翠湖苑/{LOBBY}")
        played.say("我要投诉，地上全是垃圾，几天没人扫了")
        (complaint,) = played.complaints()
        assert complaint.where is not None
        assert complaint.where["place"] == LOBBY


def test_while_a_person_has_the_word_nothing_is_said() -> None:
    with lake() as played:
        played.say("人工")
        before = len(played.rows("outbox"))
        played.act(lambda desk: desk.take_over(played.member("李敏"), played.local(23)), by="李敏")
        scan(played, f"p:翠湖苑/{LIFT}")
        assert len(played.rows("outbox")) == before
