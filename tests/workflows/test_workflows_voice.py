"""A voice message is unread and urgent until a person has listened (desk.md section 4)."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from bot.desk import Desk
from tests.workflows.harness import Story, story
from tests.workflows.town import SUNDAY
from workflows import voice


def last(played: Story) -> UUID:
    """The message that was heard last."""
    return UUID(str(played.rows("messages")[-1]["id"]))


def standing(played: Story) -> list[tuple[str, str]]:
    rows = [row for row in played.rows("alarms") if row["closed_at"] is None]
    return [(row["kind"], row["summary"]) for row in rows]


def alerted(played: Story, number: int) -> set[str]:
    """Who was addressed by the alarm of this number."""
    alarm = sorted(played.rows("alarms"), key=lambda row: row["raised_at"])[number]
    return {
        played.world.members[row["staff_id"]].name for row in played.rows("alerts") if row["alarm_id"] == alarm["id"]
    }


@pytest.mark.parametrize(
    ("at", "minutes", "first", "words"),
    [
        (SUNDAY, 10, {"李敏"}, "语音收到，同事会听"),
        (SUNDAY.replace(hour=23), 5, {"保安老刘", "张强"}, "语音收到，值班同事会听"),
    ],
)
def test_nobody_listens_and_those_above_hear_of_it(at: datetime, minutes: int, first: set[str], words: str) -> None:
    with story(at=at) as played:
        told = played.say(kind="voice", pause=0)
        assert words in told.text
        assert "急" in told.text
        assert (told.state, standing(played)) == ("idle", [("voice", "")])
        assert alerted(played, 0) == first
        (task,) = played.rows("call_tasks")
        assert (task["kind"], task["state"], task["due_at"] - at) == ("voice", "open", timedelta(minutes=minutes))
        played.wait(minutes=minutes - 1)
        assert len(standing(played)) == 1
        assert played.wait(minutes=1) == []
        assert standing(played) == [("voice", ""), ("voice", f"{minutes} min")]
        assert "张强" in alerted(played, 1)
        played.wait(hours=5)
        assert len(standing(played)) == 2


@pytest.mark.parametrize("after", [3, 30])
def test_who_listens_ends_it(after: int) -> None:
    with story() as played:
        played.say(kind="voice")
        heard = last(played)
        played.wait(minutes=after)
        for _ in range(2):  # once more changes nothing
            played.act(lambda desk: voice.listened(desk, heard), by="李敏")
        played.wait(hours=1)
        assert standing(played) == []
        lee = played.member("李敏").id
        assert {row["closed_by"] for row in played.rows("alarms")} == {lee}
        assert [(row["state"], row["done_by"]) for row in played.rows("call_tasks")] == [("done", lee)]
        assert [row["act"] for row in played.rows("audit")] == ["voice.listened"]


def test_each_voice_has_its_own_clock() -> None:
    with story() as played:
        played.say(kind="voice")
        heard = last(played)
        played.wait(minutes=4)
        played.say(kind="voice")
        played.act(lambda desk: voice.listened(desk, heard), by="李敏")
        played.wait(minutes=15)
        assert standing(played) == [("voice", ""), ("voice", "10 min")]


def test_what_was_recognised_needs_nobody_to_listen() -> None:
    with story() as played:
        assert played.say("3-2-1502厨房水管漏水，电话13987650000", kind="voice").state == "recorded"
        assert standing(played) == []


def test_in_danger_and_while_waiting_it_is_heard_too() -> None:
    with story(homes=("3-2-1502",)) as played:
        played.say("家里一股煤气味")
        assert played.say(kind="voice").state == "emergency"
        assert ("voice", "") in standing(played)
    with story() as played:
        played.say("人工")
        played.say(kind="voice")
        assert ("voice", "") in standing(played)


def test_whoever_has_the_conversation_has_the_voice() -> None:
    def take(desk: Desk) -> None:
        member = played.member("李敏")
        desk.take_over(member, desk.now + timedelta(hours=1))

    with story() as played:
        played.say("人工")
        played.act(take, by="李敏")
        played.say(kind="voice")
        assert ("voice", "") not in standing(played)
