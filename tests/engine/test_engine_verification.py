"""The yearly verification of a WeChat account is warned of 60, 30 and 7 days ahead, each once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.engine import verification
from bot.settings import Settings
from bot.store import alarms
from bot.store.base import mappings
from bot.store.database import Database
from channels.wechat import WeChatSettings

ENDS = date(2026, 12, 31)


def settings(ends: date | None = ENDS) -> Settings:
    account = WeChatSettings(app_id="wx1", app_secret="x", token="AAAAA", verified_until=ends)
    return Settings(wechat={"main": account, "other": WeChatSettings(app_id="wx2", app_secret="x", token="AAAAA")})


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (61, ""),
        (60, "还有60天"),
        (31, "还有31天"),
        (30, "还有30天"),
        (7, "还有7天"),
        (0, "今天到期"),
        (-3, "已过期3天"),
    ],
)
async def test_how_many_days_are_left(database: Database, days: int, says: str) -> None:
    # 17:00 UTC is the next day in Shanghai.
    now = datetime(2026, 12, 30, 17, tzinfo=UTC) - timedelta(days=days)
    assert await database.write(verification.check, settings(), now) == int(bool(says))
    rows = await database.read(lambda conn: mappings(conn, alarms.alarms.select()))
    assert [says in row["summary"] and "wechat/main" in row["summary"] for row in rows] == [True] * bool(says)


async def test_each_warning_is_given_once_and_a_new_date_begins_anew(database: Database) -> None:
    last = datetime(2027, 1, 2, tzinfo=UTC)
    for days in range(70, -1, -1):
        await database.write(verification.check, settings(), last - timedelta(days=days))
    assert len(await database.read(lambda conn: mappings(conn, alarms.alarms.select()))) == 4
    await database.write(verification.check, settings(date(2027, 1, 20)), last)
    assert len(await database.read(lambda conn: mappings(conn, alarms.alarms.select()))) == 5


async def test_without_a_date_nobody_is_warned(database: Database) -> None:
    assert await database.write(verification.check, settings(None), datetime(2030, 1, 1, tzinfo=UTC)) == 0
