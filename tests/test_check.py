"""`frontdesk check`, the part about alarm ways: what is set is named, and a community that is not there, too."""

import pytest

from bot import check
from bot.settings import RobotSettings, Settings
from tests.channels import sms_kit
from tests.engine import kit
from tests.support.clock import StoppedClock
from tests.support.databases import opened
from tests.support.language_model import standing_in

URL = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=secret-key"


@pytest.mark.parametrize(
    ("community", "good", "says"),
    [
        ("翠湖苑", True, "robots.duty: wecom, for 翠湖苑"),
        ("", True, "robots.duty: wecom, for all communities"),
        ("翠湖园", False, "robots.duty.community is '翠湖园', which is no community: there are 翠湖苑"),
    ],
)
async def test_robots_are_named(sqlite_url: str, clock: StoppedClock, community: str, good: bool, says: str) -> None:
    async with opened(sqlite_url) as database:
        await database.write(kit.town, clock)
    robot = RobotSettings(kind="wecom", url=URL, community=community)
    found = await check.findings(Settings(database_url=sqlite_url, robots={"duty": robot}))
    assert check.Finding(good, says) in found
    assert "secret-key" not in str(found)


async def test_without_any_way_it_says_so(sqlite_url: str) -> None:
    found = await check.findings(Settings(database_url=sqlite_url))
    assert any("alarms are shown in the console only" in finding.text for finding in found)


@pytest.mark.parametrize(
    ("gateway", "templates", "good"),
    [("aliyun", {"alarm": "SMS_1"}, True), ("aliyun", {}, False), ("twilio", {}, True)],
)
async def test_a_text_to_staff_that_was_not_approved_is_named(
    sqlite_url: str, gateway: str, templates: dict[str, str], good: bool
) -> None:
    accounts = {"main": sms_kit.settings(gateway, templates=templates)}
    found = await check.findings(Settings(database_url=sqlite_url, sms=accounts))
    assert [finding.good for finding in found if "staff" in finding.text] == [good]


@pytest.mark.parametrize(
    ("answer", "good", "says"),
    [
        ({"intent": "repair"}, True, "language model stand-in: answered in"),
        ({"intent": "refund"}, False, "language model stand-in: it answers, but in none of our labels"),
        (401, False, "language model stand-in: HTTP 401: check language_model.api_key"),
    ],
)
async def test_a_language_model_is_tried_with_one_question(
    sqlite_url: str, answer: object, good: bool, says: str
) -> None:
    async with standing_in(answer) as model:
        found = await check.findings(Settings(database_url=sqlite_url, language_model=model.settings()))
    (about,) = [finding for finding in found if "language model" in finding.text]
    assert (about.good, about.text.startswith(says)) == (good, True)
    assert model.questions == [{"message": check.TRIED}]


async def test_without_a_language_model_nothing_is_said_of_it(sqlite_url: str) -> None:
    assert [line for line in await check.findings(Settings(database_url=sqlite_url)) if "model" in line.text] == []
