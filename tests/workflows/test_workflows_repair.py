"""The work order in the hands of staff: moves, promises, and what the resident hears of them (desk.md section 13)."""

from datetime import timedelta

import pytest

from bot.errors import Conflict
from tests.workflows.harness import Story, story
from workflows.repair import actions, states

HOME = ["3-2-1502"]
PHONE = "13800138000"
DONE = {"work_done": "换了一根软管", "cause": "wear", "responsible_party": "company", "outcome": "repaired"}


def dispatched(played: Story, hour: int = 14) -> str:
    """The order goes to 李强; what the resident is told."""
    lee = played.member("李强")
    slot = played.local(hour), played.local(hour + 1)
    rows = played.act(lambda desk: actions.dispatch(desk, desk.orders[-1], lee, *slot), by="李敏")
    return "\n".join(str(row["text"]) for row in rows)


def test_the_resident_hears_who_comes_when_and_that_it_is_done_and_nothing_else() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        assert dispatched(played) == "李师傅今天14点到15点来处理厨房水管漏水，到前会打电话。不方便就回我一个时间。"
        assert played.act(lambda desk: actions.accept(desk, desk.orders[-1]), by="李强") == []
        played.at(14, 30)
        assert played.act(lambda desk: actions.on_site(desk, desk.orders[-1]), by="李强") == []
        told = played.act(lambda desk: actions.done(desk, desk.orders[-1], **DONE), by="李强")
        assert [row["text"].count("？") for row in told] == [1]
        assert told[0]["without_question"] == "厨房水管漏水：换了一根软管，没有收费。"
        assert [choice["value"] for choice in told[0]["choices"]] == ["1", "2", "3"]
        events = [event["what"] for event in played.rows("case_events")]
        assert events == ["recorded", "dispatched", "accepted", "on_site", "done"]
        assert [row["act"] for row in played.rows("audit")] == [f"work_order.{what}" for what in events[1:]]


def test_promises_are_kept_as_they_are_met() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        dispatched(played)
        kept = {row["what"]: row["kept_at"] for row in played.rows("promises")}
        assert kept["contact"] is not None
        assert kept["visit"] is None
        played.at(14, 30)
        played.act(lambda desk: actions.on_site(desk, desk.orders[-1]), by="李强")
        assert all(row["kept_at"] for row in played.rows("promises"))


def test_on_site_is_told_where_the_slot_was_missed() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        dispatched(played)
        played.at(15, 30)
        told = played.act(lambda desk: actions.on_site(desk, desk.orders[-1]), by="李强")
        assert "李师傅到了" in told[0]["text"]


def test_a_delay_is_told_with_its_reason() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        dispatched(played)
        slot = played.local(16, 30), played.local(17, 30)
        told = played.act(lambda desk: actions.reschedule(desk, desk.orders[-1], *slot, "上一家没完"), by="李敏")
        assert told[0]["text"] == "不好意思，上一家没完，李师傅要晚到，大约今天16:30到17:30。您不方便就回我改时间。"
        tomorrow = played.local(9, days=1), played.local(10, days=1)
        told = played.act(lambda desk: actions.reschedule(desk, desk.orders[-1], *tomorrow, "阀芯要订货"), by="李敏")
        assert "改了" in told[0]["text"]


def test_moves_that_the_state_forbids_are_refused_in_words() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        with pytest.raises(Conflict, match="已登记"):
            played.act(lambda desk: actions.accept(desk, desk.orders[-1]))
        with pytest.raises(Conflict, match="已登记"):
            played.act(lambda desk: actions.done(desk, desk.orders[-1], **DONE))
        past = played.now - timedelta(hours=3), played.now - timedelta(hours=2)
        with pytest.raises(Conflict, match="过去"):
            played.act(lambda desk: actions.dispatch(desk, desk.orders[-1], played.member("李强"), *past))
        dispatched(played)
        with pytest.raises(Conflict, match="原因不在清单里"):
            played.act(lambda desk: actions.done(desk, desk.orders[-1], **{**DONE, "cause": "magic"}))
        played.act(lambda desk: actions.cancel(desk, desk.orders[-1], "外墙施工，改期另约"))
        with pytest.raises(Conflict, match="已取消"):
            dispatched(played)


def test_every_move_starts_and_ends_in_a_known_state() -> None:
    for move in states.MOVES.values():
        assert move.sources <= set(states.STATES)
        assert move.target in states.STATES


def test_candidates_are_able_on_duty_and_least_loaded() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        dispatched(played)
        played.say("对")
        played.say("客厅的灯一直闪")
        found: list[str] = []
        played.act(lambda desk: found.extend(member.name for member in actions.candidates(desk, desk.orders[-1])))
        assert found == ["王军", "李强"]
        played.act(lambda desk: found.append(actions.candidates(desk, desk.orders[0])[0].name))
        assert found[-1] == "李强"


def test_an_unknown_reporter_is_checked_by_a_call() -> None:
    with story("listed") as played:
        played.say("3-2-1502厨房水管漏水")
        assert played.orders()[0].verified is False
        played.act(lambda desk: actions.verify(desk, desk.orders[-1]), by="李敏")
        assert played.orders()[0].verified is True
        with pytest.raises(Conflict):
            played.act(lambda desk: actions.verify(desk, desk.orders[-1]), by="李敏")


def test_a_note_is_for_the_house() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        assert played.act(lambda desk: actions.note(desk, desk.orders[-1], "楼上在装修"), by="李敏") == []
        assert played.rows("case_events")[-1]["note"] == "楼上在装修"


def test_a_changed_wish_reaches_whoever_comes() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        dispatched(played)
        reply = played.say("改成明天下午三点吧")
        assert reply.state == "changed"
        assert "李师傅" in reply.text
        task = played.rows("call_tasks")[-1]
        assert (task["kind"], task["owner_id"]) == ("change", played.member("李强").id)


def test_a_photo_before_and_after_belongs_to_the_order() -> None:
    with story("open") as played:
        assert played.say("[图片]").state == "idle"
        played.say("柜子后面墙角这一片全发黑了，摸着潮乎乎的")
        played.say("[图片]\n[图片]")
        played.say("25-1-404")
        played.say("[图片]")
        order = played.orders()[0]
        assert [row["case_id"] for row in played.rows("attachments")] == [order.id] * 4


def test_a_late_order_climbs_the_ladder_once_a_rung() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        played.wait(hours=8)
        late = [row for row in played.rows("alarms") if row["kind"] == "late" and "contact" in row["summary"]]
        assert [row["summary"].split()[-1] for row in late] == ["80%", "100%", "150%", "200%"]


def test_a_dispatched_order_is_not_late() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        dispatched(played)
        played.wait(hours=5)
        assert [row for row in played.rows("alarms") if row["kind"] == "late"] == []


@pytest.mark.parametrize("move", ["reschedule", "dispatch"])
def test_a_moved_visit_replaces_its_promise_and_does_not_keep_it(move: str) -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        dispatched(played)
        if move == "dispatch":
            dispatched(played, 16)
        else:
            slot = played.local(16), played.local(17)
            played.act(lambda desk: actions.reschedule(desk, desk.orders[-1], *slot, "上一家没完"), by="李敏")
        first, second = (row for row in played.rows("promises") if row["what"] == "visit")
        assert (first["kept_at"], first["broken_at"]) == (None, None)
        assert first["released_at"] is not None
        assert (second["due_at"], second["kept_at"], second["released_at"]) == (played.local(17), None, None)
        played.at(16, 30)
        played.act(lambda desk: actions.on_site(desk, desk.orders[-1]), by="李强")
        kept = [row["kept_at"] is not None for row in played.rows("promises") if row["what"] == "visit"]
        assert kept == [False, True]


def test_a_visit_that_is_moved_after_its_time_was_broken() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        dispatched(played)
        played.at(15, 30)
        slot = played.local(16), played.local(17)
        played.act(lambda desk: actions.reschedule(desk, desk.orders[-1], *slot, "上一家没完"), by="李敏")
        first = next(row for row in played.rows("promises") if row["what"] == "visit")
        assert (first["kept_at"], first["broken_at"], first["released_at"]) == (None, played.now, played.now)


def test_what_was_promised_of_a_cancelled_order_counts_neither_way() -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        dispatched(played)
        played.act(lambda desk: actions.cancel(desk, desk.orders[-1], "住户自己修好了"), by="李敏")
        visit = next(row for row in played.rows("promises") if row["what"] == "visit")
        assert (visit["kept_at"], visit["released_at"]) == (None, played.now)


@pytest.mark.parametrize(
    ("work", "fee", "report"),
    [
        ("换了软管", "", "厨房水管漏水：换了软管，没有收费。"),
        ("换了软管，没有收费", "", "厨房水管漏水：换了软管，没有收费。"),
        ("换了软管", "没有收费", "厨房水管漏水：换了软管，没有收费。"),
        ("换了软管", "0元", "厨房水管漏水：换了软管，没有收费。"),
        ("换了龙头。", "45元", "厨房水管漏水：换了龙头，收费45元。"),
    ],
)
def test_the_cost_is_said_once(work: str, fee: str, report: str) -> None:
    with story("listed", HOME, phone=PHONE) as played:
        played.say("厨房水管漏水")
        dispatched(played)
        finished = {**DONE, "work_done": work, "fee": fee}
        told = played.act(lambda desk: actions.done(desk, desk.orders[-1], **finished), by="李强")
        assert told[0]["without_question"] == report


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("我家卫生间漏水", "卫生间漏水"),
        ("我们家的空调不制冷", "空调不制冷"),
        ("我屋企冷氣壞咗", "冷氣壞咗"),
        ("hi, my kitchen tap is leaking", "kitchen tap is leaking"),
        ("water is dripping on my bed", "water is dripping on the bed"),
    ],
)
def test_a_report_is_said_back_without_whose_it_is(text: str, fault: str) -> None:
    with story("listed", HOME, phone=PHONE) as played:
        assert f"{fault}." in played.say(text).text.replace("。", ".")
        assert played.orders()[0].fault == fault
