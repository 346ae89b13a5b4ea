"""Rights of a household, privacy at first contact, notices stopped at any time, colleagues who write for residents."""

import hashlib
from datetime import date, timedelta

import pytest

from bot.engine.scheduler import RECURRING
from tests.workflows.binding_kit import HER_NUMBER, SMS, Bound, town
from tests.workflows.town import WECHAT
from workflows import smalltalk, takeover
from workflows.binding import rights, words
from workflows.binding.rights import Act, Answer, right, sees_order
from workflows.texts import LANGUAGES, texts

# -- the table of desk.md section 2, line by line

ROLES = ("owner", "family", "tenant", "visitor", "former")
TABLE: list[tuple[Act, tuple[Answer, Answer, Answer, Answer, Answer]]] = [
    ("report", ("yes", "yes", "yes", "yes", "no")),
    ("own_orders", ("yes", "yes", "yes", "here", "until_end")),
    ("household_orders", ("yes", "yes", "own_tenancy", "no", "no")),
    ("words_of_others", ("no", "no", "no", "no", "no")),
    ("bills", ("on_request", "no", "no", "no", "no")),
    ("agree_to_price", ("yes", "up_to_limit", "own_account", "no", "no")),
    ("change_data", ("yes", "no", "with_owner", "no", "no")),
    ("release_slip", ("yes", "yes", "with_owner", "no", "no")),
    ("notices", ("by_choice", "no", "yes", "no", "no")),
]


@pytest.mark.parametrize(("act", "answers"), TABLE)
def test_the_table_of_rights(act: Act, answers: tuple[Answer, ...]) -> None:
    assert tuple(right(role, act) for role in ROLES) == answers


def test_the_table_is_whole() -> None:
    assert {act for act, _ in TABLE} == set(rights.RIGHTS)


@pytest.mark.parametrize(
    ("role", "expected"), [("owner", "yes"), ("tenant", "yes"), ("family", "no"), ("former", "no"), ("guest", "no")]
)
def test_bills_are_for_the_registered_payer(role: str, expected: str) -> None:
    assert right(role, "bills", payer=True) == expected


@pytest.mark.parametrize(
    ("role", "since", "sees"),
    [
        ("owner", None, True), ("owner", date(2026, 11, 1), True), ("owner", date(2026, 11, 23), False),
        ("tenant", date(2026, 11, 22), True), ("tenant", date(2026, 12, 1), False), ("visitor", None, False),
        ("former", None, False), ("anything", None, False),
    ],
)  # fmt: skip
def test_who_sees_an_order_of_the_household(role: str, since: date | None, sees: bool) -> None:
    assert sees_order(role, since, date(2026, 11, 22)) is sees


# -- orders of the household


def reported_by_husband(desk: Bound) -> str:
    desk.by(WECHAT, "husband")
    desk.story.say("绑定 3-2-1502 李强国 2222")
    desk.story.say("卫生间马桶堵了，私人的话不想让太太知道")
    desk.by(WECHAT, "wife")
    desk.story.say("绑定 3-2-1502 王芳 8000")
    return desk.story.orders()[0].number


@pytest.mark.parametrize("question", ["家里的报修单到哪了", "我先生报的单子怎么样了，家里的", "进度怎么样了"])
def test_number_state_and_slot_and_no_word_of_the_other(question: str) -> None:
    with town() as desk:
        number = reported_by_husband(desk)
        reply = desk.story.say(question)
        assert number in reply.text
        assert "已登记" in reply.text
        assert "马桶" not in reply.text
        assert "太太" not in reply.text


def test_a_tenant_does_not_see_what_was_before_the_tenancy() -> None:
    with town() as desk:
        desk.enter("赵旧", "13600001111", "3-1-101")
        desk.by(WECHAT, "owner")
        desk.story.say("绑定 3-1-101 赵旧 1111")
        desk.story.say("厨房水管漏水")
        number = desk.story.orders()[0].number
        desk.enter("钱新", "13600002222", "3-1-101", "tenant", since=desk.story.now.date() + timedelta(days=1))
        desk.story.wait(days=2)
        desk.by(WECHAT, "tenant")
        desk.story.say("绑定 3-1-101 钱新 2222")
        assert number not in desk.story.say("家里的报修单到哪了").text


def test_nobody_unknown_hears_of_a_home() -> None:
    with town() as desk:
        number = reported_by_husband(desk)
        desk.by(WECHAT, "stranger")
        reply = desk.story.say("3-2-1502家里的报修单到哪了")
        assert number not in reply.text
        assert "回“绑定”" in reply.text


def test_a_complaint_of_another_member_is_never_told() -> None:
    with town() as desk:
        desk.by(WECHAT, "husband")
        desk.story.say("绑定 3-2-1502 李强国 2222")
        desk.story.say("我要投诉楼上半夜装修太吵")
        desk.by(WECHAT, "wife")
        desk.story.say("绑定 3-2-1502 王芳 8000")
        reply = desk.story.say("家里的单子到哪了")
        assert desk.story.complaints()[0].number not in reply.text


def test_a_payment_question_offers_to_bind_and_records_first() -> None:
    with town() as desk:
        desk.story.say("3-2-1502 物业费交了没到账")
        reply = desk.story.say("13900001111")
        told = " ".join(desk.story.told()) + reply.text
        assert "JF" in told
        assert "想查家里的账单和报修，回“绑定”" in told


# -- before a tenancy ends


def test_the_steward_is_asked_before_a_tenancy_ends() -> None:
    (job,) = [one for one in RECURRING if one.kind == "tenancies"]
    with town() as desk:
        settings = desk.story.world.settings
        for day, asked in ((date(2026, 12, 23), 0), (date(2026, 12, 24), 1), (date(2026, 12, 25), 1)):
            now = desk.story.now.replace(month=day.month, day=day.day)
            with desk.story.engine.begin() as conn:
                job.run(conn, settings, now)
            assert desk.tasks() == ["tenancy"] * asked
        (task,) = desk.story.rows("call_tasks")
        assert "3-2-803" in task["text"]
        assert "2026-12-31" in task["text"]
        assert task["phone"] == "+8613700003333"


# -- privacy


@pytest.mark.parametrize("first", ["你好", "厨房水管漏水", "隐私"])
def test_what_they_were_told_about_their_data_is_on_record(first: str) -> None:
    with town() as desk:
        at = desk.story.now
        desk.story.say(first)
        desk.story.wait(minutes=1)
        who = desk.who()
        assert (who["privacy_version"], who["privacy_told_at"]) == (smalltalk.PRIVACY_VERSION, at)


def test_it_stays_on_record_when_they_are_known() -> None:
    with town() as desk:
        at = desk.story.now
        desk.story.say("你好")
        desk.story.say("绑定 3-2-1502 王芳 8000")
        assert desk.who()["privacy_told_at"] == at


@pytest.mark.parametrize(("word", "language"), [("隐私", "zh-Hans"), ("隱私", "zh-Hant"), ("privacy", "en")])
def test_the_keyword_answers_in_three_languages(word: str, language: str) -> None:
    with town() as desk:
        assert texts(language)["greeting.privacy"] in desk.story.say(word).text


def test_another_text_gets_another_version() -> None:
    said = "\n".join(texts(language)["greeting.privacy"] for language in LANGUAGES)
    known = {"2026-11": "38e9"}
    assert hashlib.sha256(said.encode()).hexdigest()[:4] == known[smalltalk.PRIVACY_VERSION]


# -- stopping notices, whoever has the word


@pytest.mark.parametrize("waiting", [True, False])
def test_notices_stop_while_a_person_has_the_conversation(waiting: bool) -> None:
    with town() as desk:
        desk.story.say("转人工")
        if not waiting:
            lee = desk.story.member("李敏")
            desk.story.act(lambda one: takeover.take(one, lee), by="李敏")
        mode = desk.story.conversation()["mode"]
        reply = desk.story.say("退订")
        assert "公告和调查已停发" in reply.text
        assert len(reply.rows) == 1
        assert desk.who()["stopped_at"] is not None
        assert "已恢复" in desk.story.say("恢复").text
        assert desk.who()["stopped_at"] is None
        assert desk.story.conversation()["mode"] == mode


# -- colleagues


def colleague(desk: Bound, name: str = "李敏") -> None:
    code = desk.code("staff", staff_id=desk.story.member(name).id)
    assert f"{name}，这个账号已绑定为员工" in desk.story.say(kind="scanned", choice=f"scene:s:{code}").text


def test_a_colleague_reports_for_a_resident() -> None:
    with town() as desk:
        colleague(desk)
        draft = desk.story.say("代3-2-1502王阿姨报，厨房漏水")
        assert draft.state == "confirming"
        assert "3栋2单元1502，王阿姨，厨房漏水" in draft.text
        assert desk.story.orders() == []
        assert "单号WX20261122-0001" in desk.story.say("1").text
        (order,) = desk.story.orders()
        assert (order.source, order.verified, order.category) == ("staff", True, "plumbing")
        assert (order.contact_name, order.contact_phone) == ("王芳", "13800138000")
        event = desk.story.rows("case_events")[0]
        assert (event["actor"], event["staff_id"]) == ("staff", desk.story.member("李敏").id)
        assert "case.on_behalf" in {row["act"] for row in desk.story.rows("audit")}


def test_a_complaint_for_a_resident_is_one() -> None:
    with town() as desk:
        colleague(desk)
        desk.story.say("代3-2-803陈先生报，楼上装修半夜还在砸墙，要投诉")
        desk.story.say("1")
        (case,) = desk.story.complaints()
        assert (case.source, case.contact_phone) == ("staff", "+8613700003333")


def test_a_draft_that_is_not_confirmed_is_nothing() -> None:
    with town() as desk:
        colleague(desk)
        desk.story.say("代3-2-1502王阿姨报，厨房漏水")
        desk.story.say("不对")
        assert desk.story.orders() == []


def test_danger_for_a_resident_waits_for_no_digit() -> None:
    with town() as desk:
        colleague(desk)
        assert desk.story.say("代3-2-1502王阿姨报，家里燃气泄漏味很大").state == "emergency"
        assert "emergency" in {row["kind"] for row in desk.story.rows("alarms")}


def test_a_resident_cannot_report_as_a_colleague() -> None:
    with town() as desk:
        desk.story.say("代3-2-1502王阿姨报，厨房漏水")
        assert all(order.source == "wechat" for order in desk.story.orders())


def test_a_code_for_colleagues_is_a_secret_of_minutes() -> None:
    with town() as desk:
        code = desk.code("staff", staff_id=desk.story.member("李敏").id)
        desk.story.wait(minutes=11)
        desk.story.say(f"绑定 {code}")
        assert {row["staff_id"] for row in desk.story.rows("identities")} == {None}


def test_a_colleague_who_is_also_a_resident_keeps_their_home() -> None:
    with town() as desk:
        desk.by(SMS, HER_NUMBER)
        desk.story.say("你好", own_phone=HER_NUMBER)
        colleague(desk)
        assert desk.who()["name"] == "王芳"
        assert "登记好了：3栋2单元1502" in desk.story.say("厨房水管漏水").text


@pytest.mark.parametrize(("says", "let_in"), [("登录", True), ("sign in", True), ("绑定", False)])
def test_a_colleagues_chat_lets_a_waiting_browser_in(says: str, let_in: bool) -> None:
    with town() as desk:
        colleague(desk)
        code = desk.code("sign_in", session_hash="h")
        desk.story.say(f"{says} {code}")
        row = desk.story.rows("binding_codes")[-1]
        assert (row["used_at"] is not None, row["staff_id"] is not None) == (let_in, let_in)


def test_a_resident_lets_nobody_in() -> None:
    with town() as desk:
        code = desk.code("sign_in", session_hash="h")
        assert "用不了" in desk.story.say(f"登录 {code}").text
        assert desk.story.rows("binding_codes")[-1]["staff_id"] is None


# -- words


@pytest.mark.parametrize(
    ("text", "name", "four"),
    [
        ("绑定 3-2-1502 王芳 8000", "王芳", "8000"), ("绑定3栋2单元1502，王芳，13800138000", "王芳", "8000"),
        ("我是翠湖苑3栋2单元1502的王芳，尾号8000", "王芳", "8000"), ("綁定 5座12B 陳大文 6688", "陳大文", "6688"),
        ("bind 3-2-1502 Wang Fang 8000", "Wang Fang", "8000"),
        ("Please bind my flat 1203, name is John Smith", "John Smith", ""),
        ("王芳", "王芳", ""), ("姓名：欧阳修文", "欧阳修文", ""), ("1502", "", "1502"), ("3-2-1502", "", ""),
        ("尾号是 8000", "", "8000"), ("绑定", "", ""), ("我要绑定房屋", "", ""),
    ],
)  # fmt: skip
def test_name_and_digits(text: str, name: str, four: str) -> None:
    assert (words.name_in(text, "翠湖苑"), words.last_four(text)) == (name, four)


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        ("不是", True), ("不是。", True), ("不是我", True), ("不是本人操作的", True), ("唔係我", True),
        ("not me", True),
        ("NO", True), ("不是3栋是9栋", False), ("不是说今天来吗", False), ("是", False), ("不知道", False),
    ],
)  # fmt: skip
def test_words_that_object(text: str, objects: bool) -> None:
    assert words.objects(text) is objects


@pytest.mark.parametrize(
    ("text", "bind", "unbind"),
    [
        ("绑定", True, False), ("怎么绑定房号", True, False), ("解绑", False, True), ("我要取消绑定", False, True),
        ("不解绑了", False, False), ("bind my flat", True, False), ("unbind", False, True), ("水管爆了", False, False),
        ("窗帘绑带断了，修一下", False, False),
    ],
)  # fmt: skip
def test_words_that_bind(text: str, bind: bool, unbind: bool) -> None:
    assert (words.wants_to_bind(text), words.wants_to_unbind(text)) == (bind, unbind)
