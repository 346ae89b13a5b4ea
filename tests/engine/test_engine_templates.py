"""What comes of a template message afterwards: its receipt, a refusal of the template, and what residents agree to."""

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


async def _sent(desk: Kit, number: int = NUMBER) -> Row:
    """A row that the platform has taken as a template."""
    person = await desk.known()
    row_id = await desk.queue(person, "修好了。")
    await desk.until_said(person["address"], "accepted")
    named = sa.update(outbox.outbox).where(outbox.outbox.c.id == row_id).values(provider_id=str(number))
    await desk.database.write(lambda conn: conn.execute(named))
    return {**person, "row_id": row_id}


FATES = (
    # what the platform says, what becomes of the row, whether the address is still reachable
    ("success", "delivered", True),
    ("failed:user block", "failed", False),
    ("failed: system failed", "failed", True),
)


async def test_a_receipt_tells_what_became_of_it(desk: Kit) -> None:
    for number, (status, becomes, reachable) in enumerate(FATES, NUMBER):
        person = await _sent(desk, number)
        before = await desk.count(alarms.call_tasks)
        for _ in range(2):  # a repeat changes nothing
            assert (await desk.platform.template_finished(person["address"], number, status)).result == "silent"
        row = await desk.row(outbox.outbox, outbox.outbox.c.id == person["row_id"])
        assert row["status"] == becomes
        assert ("user block" in row["error"]) == (status == "failed:user block")
        assert await desk.count(alarms.call_tasks) == before + (becomes == "failed")
        assert (await _identity(desk, person))["reachable"] is reachable
        await desk.push(person["address"], "在吗")
        assert (await _identity(desk, person))["reachable"] is True


async def _identity(desk: Kit, person: Row) -> Row:
    return await desk.row(residents.identities, residents.identities.c.id == person["id"])


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
