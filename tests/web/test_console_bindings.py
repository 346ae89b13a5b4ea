"""Who an address is, said by a person: codes, bindings that wait, and the chat accounts of colleagues."""

import re
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from bot.store import bindings, residents
from bot.store.alarms import call_tasks
from bot.store.base import insert, new_id
from bot.store.conversations import conversations
from bot.store.outbox import outbox
from bot.store.staff import audit
from tests.support.clock import StoppedClock
from tests.web.console_kit import Browser, Kit, token_in

CODE = re.compile(r'class="code">(\d{6})<')


async def waiting(kit: Kit, **changes: Any) -> UUID:
    """Somebody unknown says that they are 王小明 of A's 3-2-1502."""
    row = {
        "id": new_id(), "community_id": kit.seed.communities["A"], "identity_id": kit.seed.identities["nobody"],
        "home_id": kit.seed.homes["A1502"], "where": {"label": "3栋2单元1502"}, "name": "王小明", "method": "register",
        "state": "pending", "created_at": kit.seed.now, "dedupe_key": "k", **changes,
    }  # fmt: skip
    day = f"{kit.context.world.local(kit.seed.now):%Y%m%d}"
    task = {
        "id": new_id(), "kind": "binding", "due_at": kit.seed.now, "created_at": kit.seed.now,
        "dedupe_key": f"binding:k:{day}",
    }  # fmt: skip
    await kit.run(insert, bindings.bindings, [row])
    await kit.run(insert, call_tasks, [task])
    return UUID(str(row["id"]))


async def nobody(kit: Kit) -> Any:
    mine = residents.identities.c.id == kit.seed.identities["nobody"]
    joined = residents.residents.join(
        residents.identities, residents.identities.c.resident_id == residents.residents.c.id
    )
    return await kit.one(sa.select(residents.residents).select_from(joined).where(mine))


async def state(kit: Kit, binding_id: UUID) -> str:
    row = await kit.one(sa.select(bindings.bindings).where(bindings.bindings.c.id == binding_id))
    return str(row["state"])


async def told(kit: Kit) -> list[str]:
    mine = sa.select(outbox.c.text).where(outbox.c.identity_id == kit.seed.identities["nobody"])
    return [row["text"] for row in await kit.every(mine)]


async def test_what_waits_is_listed_with_who_belongs_to_the_home(kit: Kit) -> None:
    await waiting(kit)
    page = await (await kit.sign_in("agent")).text("/bindings")
    assert "3栋2单元1502" in page
    assert "王**（业主，138****8000）" in page
    assert "同名" in page
    assert "13812348000" not in page


async def test_another_community_does_not_see_it(kit: Kit) -> None:
    binding_id = await waiting(kit)
    browser = await kit.sign_in("other")
    assert "3栋2单元1502" not in await browser.text("/bindings")
    assert (await browser.post(f"/bindings/{binding_id}/refuse")).status == 404
    assert (await (await kit.sign_in("tech")).get("/bindings")).status == 403


async def test_a_new_tenant_is_entered_with_one_click(both_kit: Kit) -> None:
    kit = both_kit
    binding_id = await waiting(kit, name="赵新")
    browser = await kit.sign_in("steward")
    fields = {"who": "tenant", "until": "2027-06-30"}
    assert (await browser.post(f"/bindings/{binding_id}/confirm", fields)).status == 303
    who = await nobody(kit)
    assert (who["name"], who["provisional"]) == ("赵新", False)
    line = await kit.one(sa.select(residents.households).where(residents.households.c.resident_id == who["id"]))
    assert (line["home_id"], line["role"], str(line["until"])) == (kit.seed.homes["A1502"], "tenant", "2027-06-30")
    assert await state(kit, binding_id) == "active"
    assert await told(kit) == ["管家核对好了，3栋2单元1502已绑定。"]
    (task,) = [row for row in await kit.every(sa.select(call_tasks)) if row["kind"] == "binding"]
    assert task["state"] == "done"
    assert "binding.confirm" in await kit.acts()
    again = await browser.post(f"/bindings/{binding_id}/confirm", fields)
    assert again.status == 409


async def test_somebody_of_the_register_becomes_one_with_them(both_kit: Kit) -> None:
    kit = both_kit
    binding_id = await waiting(kit)
    browser = await kit.sign_in("agent")
    old = kit.seed.conversations["nobody"]
    await browser.post(f"/bindings/{binding_id}/confirm", {"who": str(kit.seed.residents["wang"])})
    assert (await nobody(kit))["id"] == kit.seed.residents["wang"]
    shell = await kit.one(sa.select(conversations).where(conversations.c.id == old))
    assert shell["merged_into"] == kit.seed.conversations["wang"]
    response = await browser.get(f"/inbox/{old}?filter=all")
    assert response.status == 303
    assert response.headers["Location"] == f"/console/inbox/{kit.seed.conversations['wang']}?filter=all"
    assert (await browser.post(f"/inbox/{old}/take")).status == 303
    assert str(old) not in await browser.text("/inbox")


async def test_a_refusal_is_told_and_binds_nobody(both_kit: Kit) -> None:
    kit = both_kit
    binding_id = await waiting(kit)
    await (await kit.sign_in("agent")).post(f"/bindings/{binding_id}/refuse")
    assert await state(kit, binding_id) == "refused"
    assert (await nobody(kit))["provisional"]
    assert "没法绑定3栋2单元1502" in (await told(kit))[0]
    assert "binding.refuse" in await kit.acts()


@pytest.mark.parametrize(
    ("fields", "status"), [({}, 400), ({"who": "king"}, 400), ({"who": "tenant", "until": "soon"}, 400)]
)
async def test_a_wrong_field_is_said(kit: Kit, fields: dict[str, str], status: int) -> None:
    binding_id = await waiting(kit)
    browser = await kit.sign_in("agent")
    assert (await browser.post(f"/bindings/{binding_id}/confirm", fields)).status == status
    assert await state(kit, binding_id) == "pending"


async def test_a_home_that_is_not_listed_cannot_be_confirmed(kit: Kit) -> None:
    binding_id = await waiting(kit, home_id=None)
    browser = await kit.sign_in("agent")
    assert "先把房屋导入" in await browser.text("/bindings")
    assert (await browser.post(f"/bindings/{binding_id}/confirm", {"who": "owner"})).status == 409


async def test_a_code_is_shown_once_and_kept_as_a_hash(kit: Kit) -> None:
    browser = await kit.sign_in("agent")
    where = f"/inbox/{kit.seed.conversations['wang']}"
    assert "生成绑定码" in await browser.text(where)
    page = await (await browser.post(f"{where}/code")).text()
    (code,) = CODE.findall(page)
    row = await kit.one(sa.select(bindings.codes))
    assert (row["kind"], row["resident_id"]) == ("resident", kit.seed.residents["wang"])
    assert code not in str(dict(row))
    (act,) = await kit.every(sa.select(audit).where(audit.c.act == "binding.code"))
    assert (act["staff_id"], act["data"]) == (kit.seed.people["agent"], None)
    assert code not in await browser.text(where)


async def test_no_code_for_nobody_and_none_from_who_may_not(kit: Kit) -> None:
    agent = await kit.sign_in("agent")
    assert (await agent.post(f"/inbox/{kit.seed.conversations['nobody']}/code")).status == 409
    quality = await kit.sign_in("quality")
    assert (await quality.post(f"/inbox/{kit.seed.conversations['wang']}/code")).status == 403
    assert await kit.every(sa.select(bindings.codes)) == []


async def test_a_colleague_binds_and_unbinds_a_chat_account(kit: Kit) -> None:
    browser = await kit.sign_in("tech")
    (code,) = CODE.findall(await (await browser.post("/me/code")).text())
    row = await kit.one(sa.select(bindings.codes))
    assert (row["kind"], row["staff_id"], code in str(dict(row))) == ("staff", kit.seed.people["tech"], False)
    identity = kit.seed.identities["nobody"]
    await kit.run(residents.set_staff, identity, kit.seed.people["tech"])
    assert f"/console/me/{identity}/unbind" in await browser.text("/me")
    assert (await (await kit.sign_in("tech2")).post(f"/me/{identity}/unbind")).status == 404
    assert (await browser.post(f"/me/{identity}/unbind")).status == 303
    assert f"/console/me/{identity}/unbind" not in await browser.text("/me")
    assert (await kit.acts())[-1] == "staff.unbound"


# -- signing in with the phone


async def shown(kit: Kit) -> tuple[Browser, str]:
    """A browser that waits, and the code on it."""
    browser = kit.stranger()
    page = await browser.text("/sign-in")
    browser.csrf = token_in(page, 'name="csrf" value="([^"]+)"')
    assert (await browser.post("/sign-in/phone")).status == 303
    (code,) = re.findall(r"登录 (\d{6})", await browser.text("/sign-in/phone"))
    return browser, code


async def sent(kit: Kit, code: str, staff: str = "agent") -> None:
    """What the workflow does when the colleague's chat account has sent it."""
    row = await kit.one(sa.select(bindings.codes).where(bindings.codes.c.used_at.is_(None)))

    def write(conn: sa.Connection) -> None:
        assert bindings.use_code(conn, row["id"], kit.seed.identities["nobody"], kit.context.clock.now())
        mine = bindings.codes.c.id == row["id"]
        conn.execute(sa.update(bindings.codes).where(mine).values(staff_id=kit.seed.people[staff]))

    await kit.run(write)
    assert code not in str(dict(row))


async def test_the_phone_lets_the_waiting_browser_in_once(kit: Kit) -> None:
    browser, code = await shown(kit)
    assert (await browser.get("/inbox")).status == 303
    await sent(kit, code)
    thief = kit.stranger()
    assert (await thief.get("/sign-in/phone")).status == 303
    response = await browser.get("/sign-in/phone")
    assert (response.status, response.headers["Location"]) == (303, "/console")
    assert "员工agent" in await browser.text("/inbox")
    assert (await browser.get("/sign-in/phone")).headers["Location"] == "/console/sign-in"
    assert "sign_in" in await kit.acts()


async def test_a_code_of_a_minute_ago_is_not_kept_for_ever(kit: Kit, clock: StoppedClock) -> None:
    await shown(kit)
    clock.advance(minutes=3)
    row = await kit.one(sa.select(bindings.codes))
    assert not await kit.run(bindings.use_code, row["id"], None, clock.now())


async def test_another_site_cannot_begin_it(kit: Kit) -> None:
    browser = kit.stranger()
    browser.csrf = "guessed"
    response = await browser.post("/sign-in/phone")
    assert response.headers["Location"] == "/console/sign-in"
    assert await kit.every(sa.select(bindings.codes)) == []
