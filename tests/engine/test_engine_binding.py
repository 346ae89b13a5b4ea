"""From the bytes of a webhook to the resident: numbers that prove themselves, and two processes at work at once."""

from typing import Any

import pytest
import sqlalchemy as sa

from bot.store import bindings, conversations, jobs, messages, outbox, places, residents
from bot.store.base import insert, new_id
from bot.store.work_orders import work_orders
from tests.channels import sms_desk, telegram_desk
from tests.channels.telegram_kit import PERSON
from tests.engine import kit
from tests.support.clock import StoppedClock

PHONE, NUMBER = "13800138000", "+8613800138000"
ALL = "绑定 3-2-1502 王芳 8000"


def registered(conn: sa.Connection, clock: StoppedClock) -> Any:
    """王芳 of 3-2-1502, who has never written."""
    home = conn.execute(sa.select(places.homes).where(places.homes.c.room == "1502")).mappings().one()
    person = {
        "id": new_id(), "community_id": home["community_id"], "name": "王芳", "phone": PHONE, "provisional": False,
        "created_at": clock.now(),
    }  # fmt: skip
    line = {"id": new_id(), "community_id": home["community_id"], "role": "owner", "payer": True}
    insert(conn, residents.residents, [person])
    insert(conn, residents.households, [{**line, "resident_id": person["id"], "home_id": home["id"]}])
    return person["id"]


async def test_a_shared_contact_becomes_the_resident(database_url: str, clock: StoppedClock) -> None:
    async with telegram_desk.opened(database_url, clock) as desk:
        person = await desk.database.write(registered, clock)
        await desk.until(lambda: desk.platform.bot.webhook == desk.url)
        await desk.platform.contact(PERSON, "13911112222", of=PERSON + 1)
        assert "别人的名片" in (await desk.answered(PERSON))[0]
        assert (await desk.identity(PERSON))["resident_id"] != person
        await desk.platform.contact(PERSON, NUMBER)
        assert "绑定好了：3栋2单元1502" in (await desk.answered(PERSON, 2))[1]
        assert (await desk.identity(PERSON))["resident_id"] == person
        (binding,) = await desk.rows(bindings.bindings)
        assert (binding["method"], binding["state"]) == ("phone", "active")
        await desk.platform.write(PERSON, "厨房水管漏水")
        await desk.answered(PERSON, 3)
        (order,) = await desk.rows(work_orders)
        assert (order["resident_id"], order["verified"]) == (person, True)


async def test_a_tap_hands_over_the_number(database_url: str, clock: StoppedClock) -> None:
    async with telegram_desk.opened(database_url, clock) as desk:
        person = await desk.database.write(registered, clock)
        await desk.until(lambda: desk.platform.bot.webhook == desk.url)
        await desk.platform.write(PERSON, "绑定")
        assert "几栋几单元几室" in (await desk.answered(PERSON))[0]
        (asked,) = (payload for name, payload in desk.platform.requests if name == "sendMessage")
        (((button,),),) = (asked["reply_markup"]["keyboard"],)
        assert button == {"text": "用我的手机号绑定", "request_contact": True}
        await desk.platform.contact(PERSON, NUMBER)
        assert "绑定好了：3栋2单元1502" in (await desk.answered(PERSON, 2))[1]
        assert (await desk.identity(PERSON))["resident_id"] == person


async def test_a_text_message_from_the_registered_phone_is_theirs(database_url: str, clock: StoppedClock) -> None:
    async with sms_desk.opened(database_url, clock) as desk:
        person = await desk.database.write(registered, clock)
        await desk.gateway.push_text(NUMBER, "厨房水管漏水")
        (said,) = await desk.until_said(NUMBER, "delivered")
        assert "登记好了：3栋2单元1502" in said["text"]
        (identity,) = await desk.rows(residents.identities)
        assert identity["resident_id"] == person
        (order,) = await desk.rows(work_orders)
        assert (order["resident_id"], order["conversation_id"]) == (person, said["conversation_id"])


async def test_one_line_in_wechat_binds_and_is_answered_in_the_request(database_url: str, clock: StoppedClock) -> None:
    async with kit.opened(database_url, clock) as desk:
        person, who = await desk.database.write(registered, clock), kit.openid()
        await desk.write_as(who, kit.HELLO)
        answer = kit.content(await desk.write_as(who, ALL))
        assert "绑定好了".encode() in answer
        found = await desk.row(residents.identities, residents.identities.c.address == who)
        assert found["resident_id"] == person
        desk.pass_time(seconds=1)
        await desk.until_said(who, "accepted", "accepted")
        assert (
            len(await desk.rows(conversations.conversations, conversations.conversations.c.merged_into.is_(None))) == 1
        )


@pytest.fixture
def postgres_url(database_servers: Any) -> str:
    return str(database_servers.url("postgresql"))


async def test_while_another_process_has_the_residents_conversation(postgres_url: str, clock: StoppedClock) -> None:
    """She writes over Telegram at the moment at which she binds WeChat: said once, joined as soon as it is free."""
    async with kit.opened(postgres_url, clock) as desk:
        person, first, second = await desk.database.write(registered, clock), kit.openid(), kit.openid()
        await desk.write_as(first, ALL)
        own = await desk.conversation(first)
        async with kit.holding(postgres_url, [own]):
            answer = kit.content(await desk.write_as(second, ALL))
            assert "绑定好了".encode() in answer
            assert await desk.conversation(second) != own
        desk.pass_time(seconds=6)
        mine = residents.identities.c.resident_id == person
        found = sa.select(residents.identities.c.id).where(mine)
        await desk.until(lambda conn: len(conn.execute(found).all()) == 2)
        assert await desk.conversation(second) == own
        assert {row["conversation_id"] for row in await desk.rows(messages.messages)} == {own}
        told = await desk.rows(outbox.outbox, outbox.outbox.c.address == second)
        assert [row["conversation_id"] for row in told] == [own]
        assert {row["state"] for row in await desk.rows(jobs.jobs, jobs.jobs.c.kind == "binding.again")} == {"done"}


async def test_a_message_that_meets_its_own_binding_is_turned_afterwards(
    postgres_url: str, clock: StoppedClock
) -> None:
    """The line that binds comes while the conversation is in use: stored, turned afterwards, and she is known."""
    async with kit.opened(postgres_url, clock) as desk:
        person, who = await desk.database.write(registered, clock), kit.openid()
        await desk.write_as(who, kit.HELLO)
        async with kit.holding(postgres_url, [await desk.conversation(who)]):
            assert await desk.write_as(who, ALL) == kit.SUCCESS
        desk.pass_time(seconds=6)
        await desk.until_said(who, "accepted", "accepted")
        await desk.write_as(who, "厨房水管漏水")
        order = await desk.row(work_orders)
        assert (order["resident_id"], order["verified"]) == (person, True)
        assert {row["status"] for row in await desk.heard(who)} == {"turned"}
