"""Who holds a passive reply, and which mark comes of it."""

from uuid import UUID

import pytest

from bot.engine.replies import Replies
from tests.support.clock import StoppedClock

ROW = UUID(int=1)
SCENES = [
    # what happens in order, marks (written, unwritten), whether one more request would get the text
    ("hand written", (1, 0), True),
    ("hand unwritten", (0, 1), False),
    ("hand hand unwritten written", (1, 0), True),
    ("hand hand written unwritten", (1, 0), True),
    ("hand hand unwritten unwritten", (0, 1), False),
    ("hand written hand unwritten", (1, 0), True),
    ("hand written hand written", (1, 0), True),
    ("hand hand unwritten", (0, 0), True),
]


@pytest.mark.parametrize(("scene", "marks", "handed"), SCENES)
async def test_a_reply_is_marked_once(clock: StoppedClock, scene: str, marks: tuple[int, int], handed: bool) -> None:
    replies = Replies(clock)
    for step in scene.split():
        getattr(replies, step)(ROW)
    assert (replies.due is not None) == any(marks)
    taken = replies.take()
    assert (len(taken.written), len(taken.unwritten)) == marks
    assert replies.hand(ROW) == handed


async def test_marks_that_failed_ride_in_no_batch_and_come_again_later(clock: StoppedClock) -> None:
    replies = Replies(clock)
    replies.hand(ROW)
    replies.written(ROW)
    replies.failed(replies.take())
    assert not replies.take()
    assert replies.due is not None
    assert (replies.due - clock.now()).total_seconds() == 2
    assert replies.take_all().written == [ROW]
    assert replies.due is None
