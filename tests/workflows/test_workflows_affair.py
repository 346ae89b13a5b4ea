"""Daily affairs: what each kind needs, its number, its owner, its times, and what the resident hears (desk.md 7)."""

from datetime import datetime

import pytest
import sqlalchemy as sa

from bot.errors import Conflict
from bot.store.base import Row
from bot.store.schema import metadata
from tests.workflows.harness import Story, story
from tests.workflows.town import SUNDAY, ZONE
from workflows.affair import actions

HOME = ["3-2-1502"]


def local(moment: datetime) -> str:
    return f"{moment.astimezone(ZONE):%m-%d %H:%M}"


def only(played: Story) -> Row:
    rows = played.rows("affairs")
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize(
    ("text", "kind", "number", "owner", "due", "told"),
    [
        ("建议在楼下装个快递柜", "suggestion", "JY", "陈静", "11-23 18:00", "明天（周一）18:00前"),
        ("上个月物业费扣了两次，能帮我查一下吗", "payment", "JF", "吴芳", "11-23 18:00", "出纳吴芳去核对"),
        ("我要办装修出入证", "application", "SQ", "李敏", "11-23 18:00", "要带什么"),
        ("帮我订桶水，明天下午送", "service", "RC", "李敏", "11-23 18:00", "您同意了再安排"),
        ("楼下有辆车挡住我了，帮我叫他挪一下车", "help", "RC", "李敏", "11-22 12:00", "今天12:00前"),
        ("表扬一下李师傅，修得又快又好", "praise", "RC", "陈静", "11-23 18:00", "一定带到"),
    ],
)
def test_each_kind_has_its_number_owner_and_time(
    text: str, kind: str, number: str, owner: str, due: str, told: str
) -> None:
    with story("listed", HOME) as played:
        reply = played.say(text)
        row = only(played)
        assert (row["kind"], row["number"]) == (kind, f"{number}20261122-0001")
        assert row["owner_id"] == played.member(owner).id
        assert local(row["due_at"]) == due
        assert told in reply.text
        assert row["number"] in reply.text
        assert reply.questions == 0
        promise = played.rows("promises")[0]
        assert (promise["what"], local(promise["due_at"])) == ("answer", due)


@pytest.mark.parametrize(
    ("texts", "questions", "recorded"),
    [
        (["停车费交了没到账", "3-2-1502 11月10号交的300"], [1, 0], "停车费交了没到账，11月10号交的300"),
        (["我要办装修出入证", "3-2-1502"], [1, 0], "办装修出入证"),
        (["帮我约一下家政打扫", "3-2-1502", "周六上午"], [1, 1, 0], "周六上午"),
        (["想约理疗", "3-2-1502", "随便哪天"], [1, 1, 0], "理疗"),
        (["建议电梯里装个扶手"], [0], "JY20261122-0001"),
    ],
)
def test_what_is_asked_of_somebody_not_known(texts: list[str], questions: list[int], recorded: str) -> None:
    with story("listed") as played:
        replies = [played.say(text) for text in texts]
        assert [reply.questions for reply in replies] == questions
        assert recorded in replies[-1].text
        only(played)


def test_a_wished_time_is_kept_with_the_booking() -> None:
    with story("listed", HOME) as played:
        assert "您想哪天、几点？" in played.say("想约个保洁").text
        assert "保洁（周六上午）" in played.say("周六上午").text
        assert only(played)["wish"]["text"] == "周六上午"


def test_a_booking_is_moved_and_taken_back() -> None:
    with story("listed", HOME) as played:
        played.say("想约个保洁")
        played.say("周六上午")
        assert "周日下午" in played.say("改成周日下午").text
        assert only(played)["wish"]["text"] == "周日下午"
        played.say("不用了，取消吧")
        assert only(played)["state"] == "cancelled"
        assert [row["released_at"] is not None for row in played.rows("promises")] == [True]


@pytest.mark.parametrize(
    ("text", "done"),
    [("上个月物业费扣了两次，帮我查一下", "11-25 18:00"), ("建议在楼下装个快递柜", "11-29 18:00")],
)
def test_it_is_taken_up_with_a_plan_and_the_date_of_its_kind(text: str, done: str) -> None:
    with story("listed", HOME) as played:
        played.say(text)
        played.wait(hours=2)
        told = played.act(lambda desk: actions.take_up(desk, desk.affairs[-1], "正在跟银行核对。"), by="吴芳")
        row = only(played)
        assert (row["state"], local(row["due_at"])) == ("in_hand", done)
        assert "正在跟银行核对。" in told[0]["text"]
        assert "给您结果" in told[0]["text"]
        first, second = played.rows("promises")
        assert (first["kept_at"] is not None, second["what"], second["kept_at"]) == (True, "result", None)
        with pytest.raises(Conflict):
            played.act(lambda desk: actions.take_up(desk, desk.affairs[-1], "再说一遍"), by="吴芳")
        played.act(lambda desk: actions.answer(desk, desk.affairs[-1], "查到了，多扣的已退。"), by="吴芳")
        assert all(row["kept_at"] for row in played.rows("promises"))


@pytest.mark.parametrize(("words", "days"), [("  ", 1), ("好", -1)])
def test_it_is_not_taken_up_without_words_or_into_the_past(words: str, days: int) -> None:
    with story("listed", HOME) as played:
        played.say("建议在楼下装个快递柜")
        by = SUNDAY.replace(day=SUNDAY.day + days)
        with pytest.raises(Conflict):
            played.act(lambda desk: actions.take_up(desk, desk.affairs[-1], words, by), by="陈静")


def test_what_is_taken_up_late_warns_and_climbs() -> None:
    with story("listed", HOME) as played:
        played.say("上个月物业费扣了两次，帮我查一下")
        played.wait(hours=2)
        played.act(lambda desk: actions.take_up(desk, desk.affairs[-1], "正在核对"), by="吴芳")
        played.wait(days=4)
        late = [row["summary"] for row in played.rows("alarms") if row["kind"] == "late"]
        assert [text.split(" ", 1)[1] for text in late][:2] == ["result 80%", "result 100%"]


@pytest.mark.parametrize(
    ("role", "text", "told"),
    [
        ("owner", "我想申请装修，下周一开工", False),
        ("tenant", "我想申请装修，下周一开工", True),
        ("tenant", "办个放行条", True),
        ("tenant", "想办个门禁卡", False),
    ],
)
def test_a_tenant_hears_that_the_owner_has_to_agree(role: str, text: str, told: bool) -> None:
    with story("listed", HOME) as played:
        households = metadata.tables["households"]
        with played.engine.begin() as conn:
            conn.execute(sa.update(households).values(role=role))
        assert ("这件事要业主同意" in played.say(text).text) is told
        assert only(played)["kind"] == "application"
