"""The one question: acceptance and rating in one, stored as said; silence is never a rating (law 10)."""

import pytest

from bot.errors import Conflict
from tests.workflows.harness import Story, story
from tests.workflows.town import ZONE
from workflows import satisfaction

HOME = ["3-2-1502"]


@pytest.mark.parametrize(
    ("text", "answer", "score", "state"),
    [
        ("1", "satisfied", None, "closed"),
        ("满意满意，小伙子挺利索👍", "satisfied", None, "closed"),
        ("好了，谢谢", "satisfied", None, "closed"),
        ("2", "remarks", None, "closed"),
        ("3分", "scored", 3, "closed"),
        ("五星好评", "scored", 5, "closed"),
        ("1分，太慢了", "scored", 1, "closed"),
        ("一般吧", "fair", None, "closed"),
        ("3", None, None, "rework"),
        ("没修好", None, None, "rework"),
        ("不满意，又漏了", None, None, "rework"),
        ("还在漏", None, None, "rework"),
    ],
)
def test_an_answer_is_stored_as_it_was_said(text: str, answer: str | None, score: int | None, state: str) -> None:
    with story("listed", HOME, phone="13800138000") as played:
        played.repaired()
        reply = played.say(text)
        order = played.orders()[0]
        assert (order.answer, order.score, order.state) == (answer, score, state)
        assert reply.state == ("rework" if state == "rework" else "rated")
        assert reply.intent == ("repair" if state == "rework" else None)


def tasks(played: Story) -> list[str]:
    return [task["kind"] for task in played.rows("call_tasks")]


def test_a_low_score_reopens_nothing_and_goes_to_the_supervisor() -> None:
    with story("listed", HOME, phone="13800138000") as played:
        played.repaired()
        played.say("3分")
        assert played.orders()[0].reworks == 0
        assert tasks(played) == ["review"]
        played.say("修倒是修好了 就是等太久")
        assert played.orders()[0].answer_words.endswith("就是等太久")
        assert played.rows("call_tasks")[-1]["owner_id"] == played.member("陈静").id


def test_a_high_score_is_nobodys_task() -> None:
    with story("listed", HOME, phone="13800138000") as played:
        played.repaired()
        played.say("5星")
        assert tasks(played) == []


def test_not_repaired_goes_back_by_name_and_time_and_a_second_done_asks_again() -> None:
    with story("listed", HOME, phone="13800138000") as played:
        played.repaired()
        reply = played.say("3")
        assert "赵工" in reply.text
        assert "今天18:00前" in reply.text
        assert reply.questions == 1
        more = played.say("今晚八点前都在家")
        assert (more.state, more.slots["time"]["text"]) == ("rework", "今晚八点前")
        order = played.orders()[0]
        assert (order.reworks, order.wish and order.wish["text"]) == (1, "今晚八点前")
        assert "rework" in tasks(played)
        assert [event["what"] for event in played.rows("case_events")].count("rework") == 1
        told = played.finish_again()
        assert "回1" in told[-1]["text"]
        played.say("1")
        assert played.orders()[0].answer == "satisfied"


def test_silence_is_no_rating_and_a_person_may_phone_once() -> None:
    with story("listed", HOME, phone="13800138000") as played:
        played.repaired()
        assert played.wait(hours=72) == []
        order = played.orders()[0]
        assert (order.answer, order.state, order.score) == (None, "done", None)
        assert tasks(played) == ["follow_up"]
        row = played.rows("follow_ups")[0]
        assert row["not_by_id"] == played.member("李强").id
        hour = row["due_at"].astimezone(ZONE).hour
        assert 9 <= hour < 12 or 15 <= hour < 20
        assert played.wait(days=5) == []
        assert tasks(played) == ["follow_up"]


def test_who_answered_is_not_phoned() -> None:
    with story("listed", HOME, phone="13800138000") as played:
        played.repaired()
        played.say("1")
        played.wait(hours=72)
        assert tasks(played) == []


def test_a_callback_is_never_made_by_the_one_who_did_the_work() -> None:
    with story("listed", HOME, phone="13800138000") as played:
        played.repaired()
        with pytest.raises(Conflict):
            played.act(lambda desk: satisfaction.callback_result(desk, desk.orders[-1], "satisfied", ""), by="李强")
        with pytest.raises(Conflict):
            played.act(lambda desk: satisfaction.callback_result(desk, desk.orders[-1], "great", ""), by="李敏")
        played.act(lambda desk: satisfaction.callback_result(desk, desk.orders[-1], "not_fixed", "还滴"), by="李敏")
        assert (played.orders()[0].state, played.orders()[0].reworks) == ("rework", 1)


def test_nobody_reached_is_no_rating() -> None:
    with story("listed", HOME, phone="13800138000") as played:
        played.repaired()
        played.act(lambda desk: satisfaction.callback_result(desk, desk.orders[-1], "none", "没人接"), by="李敏")
        assert played.orders()[0].answer is None


def test_a_question_is_no_answer() -> None:
    with story("listed", HOME, phone="13800138000") as played:
        played.repaired()
        assert played.say("临时出入证管几天").state == "answered"
        assert played.orders()[0].answer is None
        assert played.say("1").state == "rated"


@pytest.mark.parametrize(
    ("text", "answer", "state"),
    [
        ("1", "satisfied", "closed"),
        ("2", "fair", "closed"),
        ("满意", "satisfied", "closed"),
        ("一般", "fair", "closed"),
    ],
)
def test_a_complaints_result_is_judged(text: str, answer: str, state: str) -> None:
    with story("listed", HOME, phone="13800138000") as played:
        played.resolved()
        assert played.say(text).state == "rated"
        case = played.complaints()[0]
        assert (case.answer, case.state) == (answer, state)


@pytest.mark.parametrize("text", ["3", "不满意，根本没清"])
def test_an_unsatisfied_complainant_is_called_by_somebody_higher(text: str) -> None:
    with story("listed", HOME, phone="13800138000") as played:
        played.resolved()
        reply = played.say(text)
        case = played.complaints()[0]
        assert (case.state, case.rung, case.reopened) == ("reopened", 1, 1)
        assert "给您打电话" in reply.text
        assert "reopened" in tasks(played)


@pytest.mark.parametrize("text", ["厨房灯还是不亮，来修一下", "那个修好了，现在卧室空调不制冷"])
def test_another_report_is_no_answer(text: str) -> None:
    with story("listed", HOME, phone="13800138000") as played:
        played.repaired()
        assert played.say(text).state == "recorded"
        assert [order.state for order in played.orders()] == ["done", "recorded"]


@pytest.mark.parametrize(
    ("text", "kind", "task"),
    [
        ("3", "rework", "厨房水管漏水；住户回“3”：没修好"),
        ("还在滴，比昨天大", "rework", "厨房水管漏水；住户说：还在滴，比昨天大"),
        ("2", "review", "厨房水管漏水；住户回“2”：修好了，有话说"),
    ],
)
def test_a_task_says_in_words_what_it_is_about(text: str, kind: str, task: str) -> None:
    with story("listed", ["3-2-1502"]) as played:
        played.repaired()
        played.say(text)
        assert next(row["text"] for row in played.rows("call_tasks") if row["kind"] == kind).endswith(task)


def test_a_complaint_that_comes_back_says_so_in_its_task() -> None:
    with story("listed", ["3-2-1502"]) as played:
        played.resolved()
        played.say("3")
        task = next(row for row in played.rows("call_tasks") if row["kind"] == "reopened")
        assert task["text"].endswith("楼道堆物没人清；住户回“3”：不满意")
