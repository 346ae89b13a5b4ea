"""Orders, complaints, affairs, call tasks and alarms: every form, what it changes, and who may send it."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store import alarms
from bot.store.affairs import affairs
from bot.store.base import NOBODY, insert, new_id
from bot.store.complaints import complaints
from bot.store.events import case_events
from bot.store.outbox import outbox
from bot.store.staff import audit
from bot.store.work_orders import work_orders
from tests.support.clock import StoppedClock
from tests.web.console_kit import Kit
from tests.web.console_seed import alarm, complaint, message, order, said, task


async def row(kit: Kit, table: sa.Table, row_id: Any) -> Any:
    return await kit.one(sa.select(table).where(table.c.id == row_id))


def slot(kit: Kit, hours: float = 24) -> dict[str, str]:
    """A slot as the form sends it, in the community's time."""
    start = kit.context.world.local(kit.seed.now + timedelta(hours=hours)).replace(hour=9)
    return {"day": f"{start:%Y-%m-%d}", "from": "09:00", "to": "10:00"}


async def test_an_order_from_dispatch_to_done(kit: Kit, clock: StoppedClock) -> None:
    order_id = kit.seed.cases["order"]
    where = f"/orders/{order_id}"
    agent = await kit.sign_in("agent")
    page = await agent.text(where)
    assert "员工tech ·" in page
    assert (await agent.post(f"{where}/dispatch", {"member": str(kit.seed.people["tech"]), **slot(kit)})).status == 303
    found = await row(kit, work_orders, order_id)
    local: datetime = kit.context.world.local(found["slot_start"])
    assert (found["state"], found["assignee_id"], f"{local:%H:%M}") == ("dispatched", kit.seed.people["tech"], "09:00")
    told = await kit.every(sa.select(outbox).where(outbox.c.case_id == order_id))
    assert len(told) == 1
    technician = await kit.sign_in("tech")
    for move in ("accept", "on_site"):
        assert (await technician.post(f"{where}/{move}")).status == 303
    done = {"work_done": "换了软管", "cause": "wear", "responsible_party": "company", "outcome": "repaired", "fee": ""}
    assert (await technician.post(f"{where}/done", {**done, "cause": "magic"})).status == 400
    assert (await technician.post(f"{where}/done", {**done, "work_done": ""})).status == 400
    assert (await technician.post(f"{where}/done", done)).status == 303
    found = await row(kit, work_orders, order_id)
    assert (found["state"], found["work_done"], found["outcome"]) == ("done", "换了软管", "repaired")
    events = await kit.every(
        sa.select(case_events.c.what, case_events.c.staff_id).where(case_events.c.case_id == order_id)
    )
    assert [event["what"] for event in events] == ["recorded", "dispatched", "accepted", "on_site", "done"]
    assert events[-1]["staff_id"] == kit.seed.people["tech"]
    page = await agent.text(where)
    for text in ("换了软管", "自然损耗", "修好", "没有回复", "接单"):
        assert text in page


async def test_every_act_is_on_record_once(kit: Kit) -> None:
    agent = await kit.sign_in("agent")
    given = f"/orders/{kit.seed.cases['given']}"
    await agent.post(f"{given}/reschedule", {**slot(kit), "reason": "上一家没完"})
    await agent.post(f"{given}/note", {"text": "门禁坏了，走北门"})
    await agent.post(f"{given}/cancel", {"reason": "住户自己修好了"})
    rows = await kit.every(sa.select(audit).where(audit.c.staff_id == kit.seed.people["agent"]).order_by(audit.c.id))
    assert [act["act"] for act in rows] == ["sign_in", "work_order.rescheduled", "note", "work_order.cancelled"]
    assert (await row(kit, work_orders, kit.seed.cases["given"]))["state"] == "cancelled"


async def test_what_an_order_cannot_do_now_is_a_sentence(kit: Kit) -> None:
    agent = await kit.sign_in("agent")
    refused = await agent.post(f"/orders/{kit.seed.cases['order']}/accept", None, **{"HX-Request": "true"})
    assert refused.status == 409
    assert "不能接单" in await refused.text()
    assert (await agent.post(f"/orders/{kit.seed.cases['order']}/explode")).status == 404


async def test_a_slot_has_to_make_sense_and_the_person_to_be_a_candidate(kit: Kit) -> None:
    agent = await kit.sign_in("agent")
    where, member = f"/orders/{kit.seed.cases['order']}/dispatch", str(kit.seed.people["tech"])
    wrong = [
        {"member": member, **slot(kit), "day": ""},
        {"member": member, **slot(kit), "from": "11:00"},
        {"member": member, **slot(kit, -48)},
        {"member": "", **slot(kit)},
        {"member": str(kit.seed.people["cashier"]), **slot(kit)},
    ]
    for fields in wrong:
        assert (await agent.post(where, fields)).status == 400
    assert (await row(kit, work_orders, kit.seed.cases["order"]))["state"] == "recorded"


async def test_who_may_not_move_an_order(kit: Kit) -> None:
    order_path, given = f"/orders/{kit.seed.cases['order']}", f"/orders/{kit.seed.cases['given']}"
    expected = {
        "tech": {
            f"{given}/cancel": 403,
            f"{given}/reschedule": 403,
            f"{order_path}/accept": 404,
            f"{given}/dispatch": 403,
        },
        "auditor": {f"{given}/note": 403, f"{given}/accept": 403, f"{order_path}/dispatch": 403},
        "quality": {f"{order_path}/dispatch": 403, f"{given}/done": 403},
        "admin": {f"{order_path}/note": 404},
        "other": {f"{order_path}/note": 404},
        "head": {f"{given}/reschedule": 403},
    }
    for login, paths in expected.items():
        browser = await kit.sign_in(login)
        for path, status in paths.items():
            assert (login, path, (await browser.post(path, {"text": "x", "reason": "x"})).status) == (
                login,
                path,
                status,
            )
    assert await kit.every(sa.select(case_events).where(case_events.c.what != "recorded")) == []


async def test_orders_are_narrowed_and_overdue_ones_marked(kit: Kit) -> None:
    await kit.run(order, kit.seed, "late", contact_by=kit.seed.now - timedelta(minutes=1), urgency="urgent")
    await kit.run(order, kit.seed, "over", state="closed", closed_at=kit.seed.now)
    agent = await kit.sign_in("agent")
    listed = await agent.text("/orders")
    assert listed.index(str(kit.seed.cases["late"])) < listed.index(str(kit.seed.cases["order"]))
    assert "已超时" in listed
    assert str(kit.seed.cases["over"]) not in listed
    assert str(kit.seed.cases["over"]) in await agent.text("/orders?closed")
    for query, name, other in (("urgency=urgent", "late", "order"), ("state=dispatched", "given", "late")):
        page = await agent.text(f"/orders?{query}")
        assert str(kit.seed.cases[name]) in page
        assert str(kit.seed.cases[other]) not in page
    both = await (await kit.sign_in("quality")).text(f"/orders?community={kit.seed.communities['B']}")
    assert str(kit.seed.cases["elsewhere"]) in both
    assert str(kit.seed.cases["order"]) not in both


async def test_a_complaint_to_its_end_and_again(kit: Kit) -> None:
    case_id = kit.seed.cases["noise"]
    where = f"/complaints/{case_id}"
    chief, agent = await kit.sign_in("supervisor"), await kit.sign_in("agent")
    assert (await agent.post(f"{where}/assign", {"member": str(kit.seed.people["agent"])})).status == 403
    assert (await chief.post(f"{where}/assign", {"member": str(kit.seed.people["tech"])})).status == 400
    assert (await chief.post(f"{where}/assign", {"member": str(kit.seed.people["agent"])})).status == 303
    plan = {"plan": "今晚上门劝阻", **{k: v for k, v in slot(kit, 48).items() if k == "day"}, "at": "18:00"}
    assert (await agent.post(f"{where}/first_answer", {**plan, "plan": ""})).status == 400
    assert (await agent.post(f"{where}/first_answer", plan)).status == 303
    assert (await agent.post(f"{where}/hold", {"words": "已联系楼上"})).status == 303
    end = {
        "result": "楼上答应晚8点后不施工",
        "ending": "justified",
        "cause": "other_home",
        "responsible_party": "another_home",
    }
    assert (await agent.post(f"{where}/finish", end)).status == 403
    assert (await chief.post(f"{where}/finish", {**end, "ending": "x"})).status == 400
    assert (await chief.post(f"{where}/finish", end)).status == 303
    found = await row(kit, complaints, case_id)
    assert (found["state"], found["ending"], found["plan"]) == ("result", "justified", "今晚上门劝阻")
    assert (await chief.post(f"{where}/reopen", {"reason": "又开始了"})).status == 303
    assert (await row(kit, complaints, case_id))["reopened"] == 1
    page = await chief.text(where)
    for text in ("今晚上门劝阻", "重新办理", "已联系楼上"):
        assert text in page
    acts = await kit.acts()
    assert [act for act in acts if act.startswith("complaint.")] == [
        "complaint.assigned", "complaint.answered", "complaint.hold", "complaint.result", "complaint.reopened",
    ]  # fmt: skip


async def test_an_agent_cannot_move_a_complaint_about_staff(kit: Kit) -> None:
    agent = await kit.sign_in("agent")
    assert (await agent.post(f"/complaints/{kit.seed.cases['staff']}/hold", {"words": "x"})).status == 404


async def test_affairs_are_answered_or_closed(kit: Kit) -> None:
    agent, cashier = await kit.sign_in("agent"), await kit.sign_in("cashier")
    assert (await agent.post(f"/affairs/{kit.seed.cases['affair']}/answer", {"text": "下月加装"})).status == 303
    found = await row(kit, affairs, kit.seed.cases["affair"])
    assert (found["answer"], found["closed_at"] is None) == ("下月加装", False)
    assert str(kit.seed.cases["affair"]) not in await cashier.text("/affairs")
    assert (await cashier.post(f"/affairs/{kit.seed.cases['affair']}/note", {"text": "x"})).status == 404
    assert (await cashier.post(f"/affairs/{kit.seed.cases['payment']}/note", {"text": "已核对"})).status == 303
    assert (await cashier.post(f"/affairs/{kit.seed.cases['payment']}/close")).status == 303
    assert (await row(kit, affairs, kit.seed.cases["payment"]))["state"] == "closed"
    assert str(kit.seed.cases["affair"]) in await agent.text("/affairs?closed")


async def test_a_call_is_made_once_with_its_result(kit: Kit) -> None:
    agent = await kit.sign_in("agent")
    where = f"/calls/{kit.seed.tasks['tell']}"
    page = await agent.text("/calls")
    assert "138****8000" in page
    assert "13812348000" in await (await agent.post(f"{where}/phone")).text()
    assert (await agent.post(f"{where}/done", {"result": ""})).status == 400
    assert (await agent.post(f"{where}/done", {"result": "已告知"})).status == 303
    assert (await agent.post(f"{where}/done", {"result": "再来"})).status == 409
    found = await row(kit, alarms.call_tasks, kit.seed.tasks["tell"])
    assert (found["state"], found["result"], found["done_by"]) == ("done", "已告知", kit.seed.people["agent"])
    assert await kit.acts() == ["sign_in", "phone_shown", "call_task.done"]


async def test_a_satisfaction_call_keeps_what_was_said_and_not_reached_is_no_answer(kit: Kit) -> None:
    agent = await kit.sign_in("agent")
    for name, answer, kept in (("one", "satisfied", "satisfied"), ("two", "none", None)):
        order_id = await kit.run(
            order, kit.seed, name, state="done", done_at=kit.seed.now, assignee_id=kit.seed.people["tech"]
        )
        about = {"kind": "follow_up", "case_kind": "work_order", "case_id": order_id}
        task_id = await kit.run(task, kit.seed, f"call_{name}", **about)
        follow_up = {
            "id": new_id(), "community_id": NOBODY, "case_kind": "work_order", "case_id": order_id,
            "resident_id": kit.seed.residents["wang"], "call_task_id": task_id, "not_by_id": None,
            "due_at": kit.seed.now, "state": "open", "answer": None, "words": "", "created_at": kit.seed.now,
            "done_at": None,
        }  # fmt: skip
        await kit.run(insert, alarms.follow_ups, [follow_up])
        assert (await agent.post(f"/calls/{task_id}/done", {"result": "x"})).status == 400
        assert (await agent.post(f"/calls/{task_id}/done", {"answer": answer, "result": ""})).status == 303
        assert (await row(kit, work_orders, order_id))["answer"] == kept
        found = await row(kit, alarms.follow_ups, follow_up["id"])
        assert (found["state"], found["answer"]) == ("done", kept)


async def test_an_emergency_is_on_every_page_until_a_person_closes_it(kit: Kit) -> None:
    agent = await kit.sign_in("agent")
    alarm_id = await kit.run(alarm, kit.seed, "gas", "wang", "emergency", "agent", "tech")
    for page in ("/inbox", "/orders", "/complaints", "/affairs", "/calls", "/alarms", "/attention"):
        text = await agent.text(page)
        assert "厨房有燃气味" in text
        assert f"/console/alarms/{alarm_id}/acknowledge" in text
    technician = await kit.sign_in("tech")
    assert "厨房有燃气味" in await technician.text("/orders")
    assert "厨房有燃气味" not in await (await kit.sign_in("tech2")).text("/orders")
    assert (await technician.post(f"/alarms/{alarm_id}/acknowledge")).status == 303
    assert "员工tech" in await agent.text("/orders")
    refused = await agent.post(f"/alarms/{alarm_id}/acknowledge", None, **{"HX-Request": "true"})
    assert (refused.status, "员工tech" in await refused.text()) == (409, True)
    assert (await technician.post(f"/alarms/{alarm_id}/close", {"note": "没事"})).status == 403
    assert (await agent.post(f"/alarms/{alarm_id}/close", {"note": ""})).status == 400
    assert (await agent.post(f"/alarms/{alarm_id}/close", {"note": "燃气公司到场，阀门已关"})).status == 303
    assert "厨房有燃气味" not in await agent.text("/orders")
    assert "阀门已关" in await agent.text("/alarms?closed")
    found = await row(kit, alarms.alarms, alarm_id)
    assert (found["acknowledged_by"], found["closed_by"]) == (kit.seed.people["tech"], kit.seed.people["agent"])


async def test_an_alarm_counts_as_shown_only_to_whom_it_was_addressed(kit: Kit) -> None:
    alarm_id = await kit.run(alarm, kit.seed, "gas", "wang", "emergency", "agent")
    addressed, other = await kit.sign_in("agent"), await kit.sign_in("agent2")
    assert f'data-unshown="{alarm_id}"' in await addressed.text("/inbox")
    assert 'data-unshown=""' in await other.text("/inbox")
    assert (await other.post("/alarms/shown", {"ids": str(alarm_id)})).status == 204
    assert not await kit.context.database.read(alarms.shown_to, alarm_id)
    assert (await addressed.post("/alarms/shown", {"ids": f"{alarm_id},nonsense,{'z' * 36}"})).status in {204, 400}
    assert (await addressed.post("/alarms/shown", {"ids": str(alarm_id)})).status == 204
    assert await kit.context.database.read(alarms.shown_to, alarm_id)


async def test_an_alarm_of_no_conversation_is_taken_and_closed_too(kit: Kit) -> None:
    alarm_id = await kit.run(alarm, kit.seed, "quiet", None, "channel", "agent")
    first, second = await kit.sign_in("agent"), await kit.sign_in("agent2")
    assert (await first.post(f"/alarms/{alarm_id}/acknowledge")).status == 303
    assert (await second.post(f"/alarms/{alarm_id}/acknowledge")).status == 409
    assert (await second.post(f"/alarms/{alarm_id}/close", {"note": "恢复了"})).status == 303
    assert (await first.post(f"/alarms/{alarm_id}/close", {"note": "恢复了"})).status == 409
    assert [act for act in await kit.acts() if act != "sign_in"] == ["alarm.acknowledged", "alarm.closed"]


async def test_what_ended_badly_stands_where_staff_see_it(kit: Kit) -> None:
    await kit.run(said, kit.seed, "wang", "这条没发出去，电话13812348000", status="failed", error="RejectedForGood")
    await kit.run(said, kit.seed, "wang", "这条不知道", status="unknown")
    await kit.run(message, kit.seed, "wang", "这条没处理", status="failed")
    await kit.run(complaint, kit.seed, "one_more")
    page = await (await kit.sign_in("agent")).text("/attention")
    for text in ("这条没发出去", "这条不知道", "这条没处理", "not XML", "发送失败", "结果不明"):
        assert text in page
    assert "13812348000" not in page
    assert "这条没发出去" not in await (await kit.sign_in("admin")).text("/attention")
