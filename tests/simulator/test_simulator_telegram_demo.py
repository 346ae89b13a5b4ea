"""`--demo` brings a Telegram bot of its own, beside those that are set."""

from pathlib import Path

import pytest

from bot import app, check
from bot.settings import Settings
from bot.store.residents import identities
from bot.store.work_orders import work_orders
from bot.web.simulator.telegram import TelegramPlatform
from bot.web.simulator.telegram_demo import FIRST_PERSON, fill_in
from channels.telegram import TelegramSettings
from tests.channels.telegram_kit import TOKEN, settings
from tests.support.process import free_port

REPORT = "翠湖苑3栋2单元1502厨房水管漏水"


async def test_the_account_is_main_where_none_is_set_and_demo_beside_one() -> None:
    platform = TelegramPlatform("7000000012:AAfake")
    await platform.start()
    await platform.stop()
    assert set(fill_in(Settings(), platform).telegram) == {"main"}
    own = settings()
    filled = fill_in(Settings(telegram={"main": own}), platform).telegram
    assert set(filled) == {"main", "demo"}
    assert filled["main"] is own
    assert filled["demo"].bot_token == "7000000012:AAfake"


async def test_a_report_from_a_phone_of_the_demonstration(tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path, port=free_port())
    async with app.running(chosen, with_demo=True) as service:
        platform = service.telegram
        assert platform is not None
        phone = platform.phone(FIRST_PERSON)
        await platform.bot.until(lambda: bool(platform.bot.webhook))
        assert (await platform.write(FIRST_PERSON, REPORT)).statuses == (200,)
        await platform.bot.until(lambda: bool(phone.received()))
        orders = await service.context.database.read(lambda conn: conn.execute(work_orders.select()).mappings().all())
        assert any(order["number"] in phone.received()[0] for order in orders)
        said = [bubble.text for bubble in phone.screen]
    async with app.running(chosen, with_demo=True) as service:
        assert service.telegram is not None
        assert [bubble.text for bubble in service.telegram.phone(FIRST_PERSON).screen] == said
        mine = identities.select().where(identities.c.channel == "telegram")
        people = await service.context.database.read(lambda conn: conn.execute(mine).mappings().all())
        assert [(row["account"], row["address"]) for row in people] == [("main", str(FIRST_PERSON))]


@pytest.mark.parametrize(("token", "says"), [(TOKEN, "credentials accepted"), (f"{TOKEN}x", "is bot_token right")])
async def test_check_tries_the_credentials(tmp_path: Path, token: str, says: str) -> None:
    platform = TelegramPlatform(TOKEN)
    await platform.start()
    try:
        account = TelegramSettings(bot_token=token, mode="polling", api_base=platform.base_url)
        found = await check.findings(Settings(data_dir=tmp_path, telegram={"main": account}))
    finally:
        await platform.stop()
    (line,) = (finding for finding in found if finding.text.startswith("telegram/main"))
    assert says in line.text
    assert line.good == (token == TOKEN)
    assert token not in line.text
