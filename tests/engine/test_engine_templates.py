"""What comes of a template message afterwards: its receipt, a refusal of the template, and what residents agree to."""

import pytest
import sqlalchemy as sa

from bot.engine import results
from bot.engine.results import Sent
from bot.store import alarms, messages, outbox, residents
from bot.store.base import Row
from channels.errors import TemplateRefused
from tests.engine.kit import Kit

NUMBER = 200228332
REFUSED = (
    "<SubscribeMsgChangeEvent><List><TemplateId>TPL_SLOT</TemplateId>"
    "<SubscribeStatusString>reject</SubscribeStatusString></List></SubscribeMsgChangeEvent>"
)


async def _sent(desk: Kit) -> Row:
    """A row that the platform has taken as a template."""
    person = await desk.known()
    row_id = await desk.queue(person, "修好了。")
    await desk.until_said(person["address"], "accepted")
    named = sa.update(outbox.outbox).where(outbox.outbox.c.id == row_id).values(provider_id=str(NUMBER))
    await desk.database.write(lambda conn: conn.execute(named))
    return {**person, "row_id": row_id}


@pytest.mark.parametrize(
    ("status", "becomes", "reachable", "tasks"),
    [
        ("success", "delivered", True, 0),
        ("failed:user block", "failed", False, 1),
        ("failed: system failed", "failed", True, 1),
    ],
)
async def test_a_receipt_tells_what_became_of_it(
    desk: Kit, status: str, becomes: str, reachable: bool, tasks: int
) -> None:
    person = await _sent(desk)
    for _ in range(2):  # a repeat changes nothing
        pushed = await desk.platform.template_finished(person["address"], NUMBER, status)
        assert pushed.result == "silent"
    row = await desk.row(outbox.outbox, outbox.outbox.c.id == person["row_id"])
    assert row["status"] == becomes
    assert ("user block" in row["error"]) == (status == "failed:user block")
    identity = await desk.row(residents.identities, residents.identities.c.id == person["id"])
    assert identity["reachable"] is reachable
    assert await desk.count(alarms.call_tasks) == tasks
    await desk.push(person["address"], "在吗")
    identity = await desk.row(residents.identities, residents.identities.c.id == person["id"])
    assert identity["reachable"] is True


async def test_a_refused_template_alarms_once_a_day(desk: Kit) -> None:
    for day in range(2):
        for _ in range(2):
            person = await _sent(desk)
            row = await desk.row(outbox.outbox, outbox.outbox.c.id == person["row_id"])
            refused = Sent(
                {**row, "status": "sending"}, None, TemplateRefused("errcode 40037 INVALID_TEMPLATE", "done")
            )
            world, settings = desk.worlds.current, desk.context.settings.delivery
            await desk.database.write(results.write, world, [refused], desk.clock.now(), settings)
        found = await desk.rows(alarms.alarms, alarms.alarms.c.kind == "template")
        assert [one["summary"] for one in found] == ["wechat/main templates.done: errcode 40037 INVALID_TEMPLATE"] * (
            day + 1
        )
        desk.pass_time(days=1)
    identities = await desk.rows(residents.identities)
    assert all(one["reachable"] for one in identities)


async def test_agreeing_and_refusing_say_nothing_and_ask_nothing(desk: Kit) -> None:
    person = await desk.known()
    before = await desk.count(messages.messages)
    pushed = await desk.platform.agree(person["address"], "TPL_SLOT")
    assert (pushed.result, pushed.acknowledged) == ("silent", True)
    for event, inner in (
        ("subscribe_msg_change_event", REFUSED),
        ("kf_create_session", "<KfAccount>kf2001@demo</KfAccount>"),
        ("kf_close_session", "<KfAccount>kf2001@demo</KfAccount>"),
        ("kf_switch_session", "<FromKfAccount>a@demo</FromKfAccount><ToKfAccount>b@demo</ToKfAccount>"),
    ):  # fmt: skip
        assert (await desk.platform.push_event(person["address"], event, inner=inner)).result == "silent"
    assert await desk.count(messages.messages) == before
    assert await desk.said(person["address"]) == []
