"""Who sees and does what: the table of desk.md section 8, row by row, against the pages."""

from bot.store.staff import ROLES
from bot.web.rights import RIGHTS, Act, allowed
from tests.web.console_kit import Kit
from tests.web.console_seed import alarm, complaint, order

SEES = {
    "/inbox": "agent steward control head supervisor duty site quality auditor",
    "/orders": "agent steward tech control head supervisor duty site quality auditor",
    "/complaints": "agent steward head supervisor duty site quality auditor",
    "/affairs": "agent steward head supervisor duty site cashier quality auditor",
    "/calls": "agent steward supervisor duty site",
    "/bindings": "agent steward supervisor duty site",
    "/me": "agent steward tech control head supervisor duty site cashier quality auditor admin",
    "/alarms": "agent steward tech control head supervisor duty site admin",
    "/attention": "agent supervisor duty site admin",
    "/learning": "supervisor site quality admin",
    "/knowledge": "agent steward head supervisor site quality",
    "/questions": "agent steward head supervisor site quality",
}
EVERYBODY = [
    "agent",
    "steward",
    "tech",
    "control",
    "head",
    "supervisor",
    "duty",
    "site",
    "cashier",
    "quality",
    "auditor",
    "admin",
]


def test_the_table_names_roles_that_exist() -> None:
    assert {role for rights in RIGHTS.values() for role in rights} <= set(ROLES)
    assert set(RIGHTS) == set(Act)


def test_nobody_without_a_role_may_do_anything() -> None:
    assert not any(allowed([], act) for act in Act)
    assert not any(allowed([("guard", None)], act) for act in Act)


async def test_each_role_gets_its_pages_and_no_other(kit: Kit) -> None:
    for login in EVERYBODY:
        browser = await kit.sign_in(login)
        for page, roles in SEES.items():
            response = await browser.get(page)
            if page == "/inbox" and login not in roles.split():
                assert kit.seed.conversations["wang"].hex not in (await response.text()).replace("-", "")
            else:
                assert (login, page, response.status) == (login, page, 200 if login in roles.split() else 403)


# `head` has a case in both; in that of wang the complainant is not to be named.
READS = {
    "wang": "agent steward supervisor duty site quality auditor",
    "li": "other quality auditor",
    "nobody": "agent steward head supervisor duty site other quality auditor",
}


async def test_conversations_are_read_where_the_role_is(kit: Kit) -> None:
    for login in (*EVERYBODY, "other"):
        browser = await kit.sign_in(login)
        for key, readers in READS.items():
            response = await browser.get(f"/inbox/{kit.seed.conversations[key]}")
            assert (login, key, response.status) == (login, key, 200 if login in readers.split() else 404)


async def test_the_control_room_reads_a_conversation_while_an_emergency_stands(kit: Kit) -> None:
    browser = await kit.sign_in("control")
    where = f"/inbox/{kit.seed.conversations['wang']}"
    assert (await browser.get(where)).status == 404
    await kit.run(alarm, kit.seed, "gas", "wang", "emergency", "control")
    assert (await browser.get(where)).status == 200
    assert str(kit.seed.conversations["wang"]) in await browser.text("/inbox")
    assert (await browser.post(f"{where}/take")).status == 403


ORDERS = {
    "order": "agent steward head supervisor duty site quality auditor",
    "given": "agent steward tech head supervisor duty site quality auditor",
    "elsewhere": "other quality auditor",
    "danger": "agent steward control head supervisor duty site quality auditor",
}


async def test_orders_are_seen_where_the_role_is(kit: Kit) -> None:
    await kit.run(order, kit.seed, "danger", urgency="emergency")
    for login in (*EVERYBODY, "tech2", "other"):
        browser = await kit.sign_in(login)
        for name, readers in ORDERS.items():
            response = await browser.get(f"/orders/{kit.seed.cases[name]}")
            assert (login, name, response.status) == (login, name, 200 if login in readers.split() else 404)


async def test_a_technician_lists_the_orders_given_to_them(kit: Kit) -> None:
    page = await (await kit.sign_in("tech")).text("/orders")
    assert str(kit.seed.cases["given"]) in page
    assert str(kit.seed.cases["order"]) not in page
    assert str(kit.seed.cases["given"]) not in await (await kit.sign_in("tech2")).text("/orders")


COMPLAINTS = {
    "noise": "agent steward supervisor duty site quality auditor",
    "staff": "supervisor duty site quality",
    "given_case": "agent steward head supervisor duty site quality auditor",
    "slip": "supervisor duty site quality",
}


async def test_complaints_about_staff_and_from_outside_are_for_few(kit: Kit) -> None:
    await kit.run(complaint, kit.seed, "slip", source="12345")
    for login in (*EVERYBODY, "other"):
        browser = await kit.sign_in(login)
        listed = await (await browser.get("/complaints")).text()
        for name, readers in COMPLAINTS.items():
            response = await browser.get(f"/complaints/{kit.seed.cases[name]}")
            assert (login, name, response.status) == (login, name, 200 if login in readers.split() else 404)
            assert (name, str(kit.seed.cases[name]) in listed) == (name, login in readers.split())


async def test_whoever_handles_an_unnamed_complaint_learns_neither_name_nor_words(kit: Kit) -> None:
    case = f"/complaints/{kit.seed.cases['given_case']}"
    page = await (await kit.sign_in("head")).text(case)
    assert "晚上别施工" in page
    assert "砸墙" not in page
    assert "王" not in page
    assert "楼上半夜砸墙" in await (await kit.sign_in("supervisor")).text(case)


PHONES = {
    "agent": 200,
    "steward": 200,
    "supervisor": 200,
    "duty": 200,
    "site": 200,
    "quality": 403,
    "auditor": 403,
    "admin": 404,
    "tech": 404,
}


async def test_a_full_number_is_shown_on_a_click_that_is_written_down(kit: Kit) -> None:
    where = f"/inbox/{kit.seed.conversations['wang']}"
    for login, status in PHONES.items():
        browser = await kit.sign_in(login)
        page = await (await browser.get(where)).text()
        response = await browser.post(f"{where}/phone")
        assert (login, response.status) == (login, status)
        assert ("13812348000" in await response.text()) == (status == 200)
        assert ((await kit.acts())[-1] == "phone_shown") == (status == 200)
        assert ("138****8000" in page) == (status != 404)


async def test_a_technician_gets_the_number_of_their_own_order_while_on_duty(kit: Kit) -> None:
    given = f"/orders/{kit.seed.cases['given']}"
    browser = await kit.sign_in("tech")
    assert "13812348000" not in await browser.text(given)
    assert "13812348000" in await (await browser.post(f"{given}/phone")).text()
    await kit.run(order, kit.seed, "off_duty", assignee_id=kit.seed.people["tech2"], state="dispatched")
    idle = await kit.sign_in("tech2")
    assert (await idle.post(f"/orders/{kit.seed.cases['off_duty']}/phone")).status == 403
    assert (await idle.post(f"{given}/phone")).status == 404


async def test_an_auditor_reads_masked(kit: Kit) -> None:
    browser = await kit.sign_in("auditor")
    pages = [
        f"/inbox/{kit.seed.conversations['wang']}",
        "/inbox",
        "/orders",
        f"/orders/{kit.seed.cases['order']}",
        "/complaints",
    ]
    for path in pages:
        page = await browser.text(path)
        assert "13812348000" not in page
        assert "王小明" not in page
    assert "王**" in await browser.text(pages[0])


async def test_lists_show_masked_names_to_everybody(kit: Kit) -> None:
    browser = await kit.sign_in("agent")
    for path in ("/inbox", "/orders", "/complaints", "/affairs", "/calls"):
        page = await browser.text(path)
        assert "王**" in page
        assert "王小明<" not in page


async def test_an_administrator_sees_that_something_was_unreadable_but_not_what(kit: Kit) -> None:
    browser = await kit.sign_in("admin")
    assert "not XML" in await browser.text("/attention")
    row = kit.seed.rows["unreadable"]
    assert (await browser.post(f"/attention/{row}/raw")).status == 403
    agent = await kit.sign_in("agent")
    assert "&lt;xml&gt;?" in await (await agent.post(f"/attention/{row}/raw")).text()
    assert (await browser.post(f"/attention/{row}/seen")).status == 303
    assert "not XML" not in await browser.text("/attention")
    assert await kit.acts() == ["sign_in", "sign_in", "raw_shown", "unreadable.seen"]
