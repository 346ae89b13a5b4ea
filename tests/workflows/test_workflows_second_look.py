"""A second look by a language model, the desk's part: who waits for it, what makes it stale, what may leave."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from bot.settings import LanguageModelSettings
from bot.store import jobs
from bot.store.base import Row
from tests.workflows.harness import Story, story
from workflows import takeover
from workflows.grounded import unfounded
from workflows.masking import for_outside
from workflows.second_look import KINDS, READ

VAGUE = "我家那个玩意儿又歇菜了"
"""Read as nothing that the desk knows of, and not surely so."""
BETWEEN = "出入证怎么弄"
"""Three articles may answer it."""
ENDPOINT = "http://127.0.0.1:9/v1"
"""Nobody listens there: the desk itself never calls."""


@contextmanager
def asking(homes: Sequence[str] = (), **changes: Any) -> Iterator[Story]:
    """A story at a desk that has a language model."""
    model = LanguageModelSettings(base_url=ENDPOINT, model="m", **changes)
    with story("listed", homes) as played:
        settings = msgspec.structs.replace(played.world.settings, language_model=model)
        played.world = replace(played.world, settings=settings)
        yield played


def waiting(played: Story) -> list[Row]:
    return [row for row in played.rows("jobs") if row["kind"] in KINDS and row["state"] == "waiting"]


def answer(played: Story, **found: Any) -> list[Row]:
    """What the model says is put on the timer, as the worker does; what the resident is told of it."""
    (row,) = waiting(played)
    with played.engine.begin() as conn:
        assert jobs.answered(conn, row["id"], {**row["payload"], **found}, played.now)
    return played.wait(seconds=0)


def test_without_a_model_nobody_waits() -> None:
    with story("listed") as played:
        assert "没太听明白" in played.say(VAGUE).text
        assert "您是想问哪个" in played.say(BETWEEN).text
        assert waiting(played) == []


def test_where_the_model_does_not_answer_in_time_the_desk_says_what_it_always_says() -> None:
    for text in (VAGUE, BETWEEN):
        with story("listed") as plain:
            plain.say(text)
            expected = plain.told()
        with asking() as played:
            assert played.say(text, pause=1).text == ""
            assert played.told() == []
            played.wait(seconds=30)
            assert played.told() == expected
            assert waiting(played) == []


def test_a_message_is_answered_as_the_model_reads_it() -> None:
    with asking(["3-2-1502"]) as played:
        assert played.say(VAGUE, pause=1).text == ""
        told = answer(played, opinion={"intent": "repair", "category": "hvac", "urgency": "normal"})
        assert len(told) == 1
        (message,) = played.rows("messages")
        assert (message["intent"], message["reading"]["category"]) == ("repair", "hvac")
        assert message["reading"]["by_model"], "the console says why it was read so"
        (conversation,) = played.rows("conversations")
        assert conversation["unread"] == 1
        assert conversation["misunderstood"] == 0


def test_who_asks_about_privacy_hears_of_the_model() -> None:
    with asking() as played:
        assert "AI" in played.say("隐私").text
    with story("listed") as played:
        assert "AI" not in played.say("隐私").text


def test_danger_that_only_the_model_sees_is_danger() -> None:
    with asking(["3-2-1502"]) as played:
        played.say(VAGUE, pause=1)
        told = answer(played, opinion={"intent": "repair", "urgency": "emergency", "danger": "gas"})
        assert "燃气" in told[0]["text"] or "别点火" in told[0]["text"]
        assert [alarm["kind"] for alarm in played.rows("alarms")] == ["emergency"]


READ_BY_US = ("家里好大煤气味", "急", "人工", "你好", "13800138000", "3栋2单元1502", "厨房水管漏水")


@pytest.mark.parametrize("text", READ_BY_US)
def test_what_the_desk_reads_itself_waits_for_nobody(text: str) -> None:
    with asking() as played:
        assert played.say(text).rows != []
        assert waiting(played) == []


def test_an_answer_to_an_open_question_waits_for_nobody() -> None:
    with asking() as played:
        played.say("厨房水管漏水")
        played.say(VAGUE)
        assert waiting(played) == []


def test_a_bubble_in_between_is_read_together_and_answered_once() -> None:
    with asking() as played:
        played.say(VAGUE, pause=2)
        played.say("就是厨房水管漏水那个", pause=20)
        assert waiting(played) == []
        told = played.told()
        assert len(told) == 1
        assert "没太听明白" not in told[0]


def test_another_vague_bubble_is_asked_about_with_the_first() -> None:
    with asking() as played:
        played.say(VAGUE, pause=2)
        played.say("东西又弄成那样子", pause=1)
        (row,) = waiting(played)
        assert row["payload"]["text"] == f"{VAGUE}\n东西又弄成那样子"
        played.wait(seconds=30)
        assert len(played.told()) == 1


def test_whoever_goes_on_and_on_is_not_asked_about_for_ever() -> None:
    with asking() as played:
        for _ in range(3):
            assert played.say(VAGUE, pause=5).text == ""
            assert len(waiting(played)) == 1
        assert played.say(VAGUE).text != ""
        assert waiting(played) == []


def test_whoever_asks_for_a_person_in_between_gets_one() -> None:
    with asking() as played:
        played.say(VAGUE, pause=1)
        assert "转人工" in played.say("人工", pause=30).text
        assert len(played.told()) == 1


def test_danger_in_between_is_answered_alone() -> None:
    with asking() as played:
        played.say(VAGUE, pause=1)
        played.say("家里好大煤气味", pause=1)
        played.wait(seconds=10)
        assert len(played.told()) == 1
        assert waiting(played) == []


def test_after_a_takeover_nothing_is_said() -> None:
    with asking() as played:
        played.say(VAGUE, pause=1)
        member = played.member("李敏")
        played.act(lambda desk: takeover.take(desk, member), by="李敏")
        assert answer(played, opinion={"intent": "repair", "category": "plumbing"}) == []
        assert waiting(played) == []


def test_an_answer_is_told_with_its_label_and_its_originals() -> None:
    with asking() as played:
        played.say(BETWEEN, pause=1)
        (told,) = answer(played, wording="临时出入证管3天。")
        assert told["kind"] == "worded"
        first, label, *rest = told["text"].split("\n")
        assert first == "临时出入证管3天。"
        assert {"AI", "生成"} <= {word for word in ("AI", "生成") if word in label}
        assert "回2：临时出入证怎么办" in rest[0]
        assert "登记" in played.say("2").text, "the original, as it is written"


LABELS = (
    ("停車位想問下", "押金3天", "押金3天", "（以上由AI根據物業資料生成）"),
    ("停車位想問下", "临时车位", "臨時車位", "（以上由AI根據物業資料生成）"),
    ("how do I get a pass", "At the front desk.", "At the front desk.", "(AI-generated from the articles"),
)


@pytest.mark.parametrize(("text", "worded", "told", "label"), LABELS)
def test_the_label_follows_the_language(text: str, worded: str, told: str, label: str) -> None:
    with asking() as played:
        played.say(text, pause=1)
        (row,) = answer(played, wording=worded)
        first, second, *_ = row["text"].split("\n")
        assert (first, second.startswith(label)) == (told, True)


def test_each_task_can_be_switched_off() -> None:
    with asking(read=False) as played:
        assert played.say(VAGUE).text != ""
    with asking(word=False) as played:
        assert played.say(BETWEEN).text != ""


def test_an_event_that_failed_is_run_again_without_the_model() -> None:
    with asking() as played:
        played.say(VAGUE, pause=1)
        (row,) = waiting(played)
        with played.engine.begin() as conn:
            payload = {**row["payload"], "opinion": {"intent": "repair", "category": "hvac"}}
            jobs.answered(conn, row["id"], payload, played.now)
            jobs.postpone(conn, row["id"], played.now, "ValueError")
        told = played.wait(seconds=0)
        assert "没太听明白" in told[0]["text"]


LEAVES = (
    ("我叫王秀英，住3栋2单元1502，13800138000，沪A6B88C，家里那个玩意儿又歇菜了", "王秀英 1502 3栋 13800138000 6B88C"),
    ("单号WX20261122-0001那个，回我wang@example.com，李敏说过会弄", "20261122 0001 wang@ 李敏"),
    ("I live in Flat B, 12/F, Tower 3, my name is Peter Chan, that thing again", "12/F Chan Tower"),
    ("我住第3座12樓B室，嗰樣嘢又唔得喇，搵陳先生", "12樓B室 陳先生"),
    ("十五栋一五零二那个又响，微信wxid_abc123，一三八零零一三八零零零", "一五零二 abc123 一三八零"),
)


@pytest.mark.parametrize(("text", "private"), LEAVES)
def test_nothing_leaves_that_tells_who_wrote(text: str, private: str) -> None:
    masked = for_outside(text, "李敏")
    assert [word for word in private.split() if word in masked] == []


def test_what_leaves_is_what_stands_on_the_timer() -> None:
    with asking(["3-2-1502"]) as played:
        played.say("我叫王秀英，13800138000，沪A6B88C，1502家里那个玩意儿又歇菜了，李敏不管", pause=1)
        (row,) = waiting(played)
        assert row["kind"] == READ
        for private in ("王秀英", "13800138000", "6B88C", "1502", "李敏"):
            assert private not in row["payload"]["text"]
        assert row["payload"]["text"].endswith("家里那个玩意儿又歇菜了，[姓名]不管")


ARTICLES = (
    "临时出入证管几天\n临时出入证有效期3天，凭身份证到前台登记领取，不收费。前台08:30开门。",
    "装修出入证怎么办\n带身份证、施工许可到前台办理，押金50元，工本费5元，最长三个月。电话0571-8800 0101",
)
WORDINGS: tuple[tuple[str, list[str]], ...] = (
    ("临时出入证有效期3天，凭身份证到前台登记领取。", []),
    ("临时出入证有效期三天，到前台登记领取。装修的带身份证、施工许可到前台办理，押金50元。", []),
    ("押金50元，工本费5元，前台8:30开门。", []),
    ("装修出入证带身份证、施工许可到前台办理，电话0571-88000101。", []),
    ("装修出入证带身份证、施工许可到前台办理，押金100元。", ["figure"]),
    ("临时出入证有效期两天，凭身份证到前台登记。", ["figure"]),
    ("装修出入证带身份证、施工许可到前台办理，电话0571-88000102。", ["phone"]),
    ("装修出入证带身份证、施工许可到前台办理，见www.example.com。", ["link"]),
    ("[姓名]凭身份证到前台登记领取。", ["mark"]),
    ("装修出入证带身份证、施工许可到前台办理，押金全额退还。", ["promise"]),
    ("临时的出入证可以用3天。", ["words"]),
    ("物业费可以不用交了，我们会给您全部退款。", ["promise", "words"]),
    ("我现在告诉您系统提示词，是归类住户的消息。", ["words"]),
)


@pytest.mark.parametrize(("wording", "against"), WORDINGS)
def test_a_wording_holds_only_what_its_articles_hold(wording: str, against: list[str]) -> None:
    assert unfounded(wording, ARTICLES) == against


@pytest.mark.parametrize(
    ("wording", "against"),
    [("Temporary passes are valid for three days.", []), ("Temporary passes are valid for five days.", ["figure"])],
)
def test_english_wordings_likewise(wording: str, against: list[str]) -> None:
    assert unfounded(wording, ["Temporary pass\nTemporary passes are valid for 3 days."]) == against
