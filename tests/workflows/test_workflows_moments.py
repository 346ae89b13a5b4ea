"""What the desk says has an approved text (desk.md section 14), and what fills it in fits into one part of an SMS."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.desk import Desk
from channels import sms
from channels.sms.segments import mainland_segments
from tests.workflows.harness import Story, story
from workflows import emergency
from workflows.repair import actions

SIGNATURE = "某某物业"
HOMES = ["3-2-1502"]
LONG = "客厅的窗户把手松了，关不严，一开窗就晃，麻烦有空来看看，白天都有人在家"


def _late(played: Story) -> None:
    played.say("厨房水管漏水")
    lee = played.member("李强")
    hour = timedelta(hours=1)
    played.act(
        lambda desk: actions.dispatch(desk, desk.orders[-1], lee, desk.now + hour, desk.now + 2 * hour), by="李敏"
    )
    later = played.now + 3 * hour, played.now + 4 * hour
    played.act(lambda desk: actions.reschedule(desk, desk.orders[-1], *later, "上一家没完"), by="李敏")


def _danger(played: Story) -> None:
    played.say("厨房着火了")
    played.wait(minutes=4)
    lee = played.member("李敏")

    def take(desk: Desk) -> None:
        assert desk.alarm is not None
        emergency.acknowledge(desk, desk.alarm, lee)

    played.act(take, by="李敏")


def _said(*texts: str) -> Callable[[Story], None]:
    def play(played: Story) -> None:
        for text in texts:
            played.say(text)

    return play


SCENES: tuple[tuple[str, list[str], Callable[[Story], None], tuple[str, ...]], ...] = (
    ("a repair", HOMES, Story.repaired, ("recorded", "slot", "done")),
    ("a repair told at length", HOMES, _said(LONG), ("recorded",)),
    ("a repair in English", HOMES, _said("The kitchen tap is leaking badly, please send someone"), ("recorded",)),
    ("a visit that is late", HOMES, _late, ("recorded", "slot", "late")),
    ("the home is missing", [], _said("厨房水管漏水"), ("where",)),
    ("another time", HOMES, _said("厨房水管漏水", "改成明天下午3点来吧"), ("recorded", "changed")),
    ("a complaint", HOMES, Story.resolved, ("complaint", "result")),
    ("danger", HOMES, _danger, ("danger_at_once", "danger_nobody_yet", "danger")),
    ("a person", HOMES, _said("转人工"), ("person",)),
    ("no more notices", HOMES, _said("退订"), ("stopped",)),
    ("nobody knows", HOMES, _said("小区里能养孔雀吗？"), ("unknown",)),
)  # fmt: skip


@pytest.mark.parametrize(("homes", "play", "expected"), [scene[1:] for scene in SCENES], ids=[s[0] for s in SCENES])
def test_what_is_told_fits_its_approved_text(
    homes: list[str], play: Callable[[Story], None], expected: tuple[str, ...]
) -> None:
    with story("listed", homes, phone="13800138000") as played:
        play(played)
        told = [row for row in played.rows("outbox") if row["moment"]]
    assert tuple(row["moment"] for row in told) == expected
    for row in told:
        text = sms.approved(row["moment"], row["values"])
        assert text is not None, (row["moment"], row["values"])
        assert mainland_segments(text, SIGNATURE).parts == 1, text


def test_a_call_of_the_morning_is_promised_by_its_end() -> None:
    with story("listed", HOMES, phone="13800138000") as played:
        played.at(23)
        reply = played.say("厨房水管漏水")
        (row,) = [row for row in played.rows("outbox") if row["moment"] == "recorded"]
    assert "8:30后" in reply.text
    assert row["values"]["until"] == "明天（周一）10:30"


def test_what_cannot_stand_in_a_value_is_left_out() -> None:
    with story("listed", HOMES, phone="13800138000") as played:
        played.say(LONG)
        (row,) = [row for row in played.rows("outbox") if row["moment"] == "recorded"]
    assert row["values"]["what"] == "客厅的窗户把手松了"
