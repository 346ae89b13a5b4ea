"""A desk that reaches its residents by WeChat, Telegram and SMS, each played on a socket of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.store import alarms, conversations, outbox, places, residents
from bot.store.base import Row, insert, mappings, new_id, value
from bot.web.simulator.sms import SmsGateway
from bot.web.simulator.telegram import TelegramPlatform
from channels.base import Capabilities, Channel
from channels.sms import Sms
from channels.telegram import Telegram, TelegramSettings
from channels.wechat import WeChat
from tests.channels import sms_kit
from tests.channels.telegram_kit import AT_ONCE, QUICK, SECRET, TOKEN
from tests.engine import kit
from tests.engine.kit import WAIT_S, Kit
from tests.support.clock import StoppedClock

SMS, TELEGRAM = ("sms", "main"), ("telegram", "main")


@dataclass(kw_only=True)
class Ways:
    """The desk, the providers beside the platform, and residents whom it knows."""

    desk: Kit
    gateway: SmsGateway
    telegram: TelegramPlatform
    numbers: int = 0

    def number(self) -> str:
        """A handset that nobody has."""
        self.numbers += 1
        return f"139{self.numbers:08d}"

    async def resident(self, phone: str = "", **changes: Any) -> Row:
        """Somebody known by name, who wrote by WeChat an hour ago; `phone` is the registered one."""
        person = await self.desk.known()
        await self.desk.database.write(_known, person, {"phone": phone, "provisional": False, **changes})
        return person

    async def telegram_of(self, person: Row, chat: int) -> Row:
        """The same resident on Telegram, who began there."""
        self.telegram.phone(chat)
        row = {
            "id": new_id(), "community_id": person["community_id"], "resident_id": person["resident_id"],
            "channel": TELEGRAM[0], "account": TELEGRAM[1], "address": str(chat), "reachable": True,
            "created_at": self.desk.clock.now(),
        }  # fmt: skip
        await self.desk.database.write(lambda conn: insert(conn, residents.identities, [row]))
        return {**row, "conversation_id": person["conversation_id"]}

    async def rows(self, person: Row) -> list[Row]:
        return await self.desk.rows(outbox.outbox, outbox.outbox.c.conversation_id == person["conversation_id"])

    async def tasks(self, person: Row) -> list[Row]:
        return await self.desk.rows(alarms.call_tasks, alarms.call_tasks.c.conversation_id == person["conversation_id"])

    async def until(self, person: Row, *went: str) -> list[Row]:
        """Wait until what was said to somebody went exactly so: channel and status of each row, such as `sms
        accepted`."""
        mine = sa.select(outbox.outbox).where(outbox.outbox.c.conversation_id == person["conversation_id"])

        def holds(conn: sa.Connection) -> list[Row] | None:
            found = mappings(conn, mine.order_by(outbox.outbox.c.id))
            return found if tuple(f"{row['channel']} {row['status']}" for row in found) == went else None

        try:
            return await self.desk.until(holds) or []
        except TimeoutError:
            found = [(row["channel"], row["status"], row["error"], row["text"]) for row in await self.rows(person)]
            raise AssertionError(f"expected {went}, found {found}") from None

    def texts(self, phone: str) -> Sequence[str]:
        """What a handset received, without the signature."""
        return [text.removeprefix(f"【{sms_kit.SIGN_NAME}】") for text in self.gateway.phone(f"+86{phone}").received()]


def _known(conn: sa.Connection, person: Row, changes: Row) -> None:
    community = value(conn, sa.select(places.communities.c.id))
    mine = residents.residents.c.id == person["resident_id"]
    conn.execute(sa.update(residents.residents).where(mine).values(community_id=community, **changes))
    theirs = conversations.conversations.c.id == person["conversation_id"]
    table = conversations.conversations
    conn.execute(sa.update(table).where(theirs).values(last_identity_id=person["id"], community_id=community))


@asynccontextmanager
async def opened(
    url: str, clock: StoppedClock, *, gateway: str = "tencent", capabilities: Capabilities = WeChat.capabilities,
    idle: bool = False, **settings: Any,
) -> AsyncIterator[Ways]:  # fmt: skip
    """A desk with three channels. The gateway sends no receipts by itself."""
    async with AsyncExitStack() as stack:
        far = SmsGateway(
            sms_kit.dialect(gateway), now=clock.now, pause_s=0.01, answer_s=WAIT_S, receipts=False
        )  # fmt: skip
        platform = TelegramPlatform(TOKEN, now=clock.now, limits=QUICK)
        for one in (far, platform):
            await one.start()
            stack.push_async_callback(one.stop)
        account = sms_kit.settings(gateway, far.base_url)
        bot = TelegramSettings(bot_token=TOKEN, webhook_secret=SECRET, api_base=platform.base_url)
        beside: dict[tuple[str, str], Channel] = {
            SMS: Sms("main", account, lambda: clock.now().timestamp()),
            TELEGRAM: Telegram("main", bot, rates=AT_ONCE),
        }
        for channel in beside.values():
            stack.push_async_callback(channel.close)
        more = {"sms": {"main": account}, "telegram": {"main": bot}, **settings}
        desk = await stack.enter_async_context(
            kit.opened(url, clock, capabilities=capabilities, beside=beside, more=more, idle=idle)
        )
        far.service = desk.url.replace("/wechat/", "/sms/")
        yield Ways(desk=desk, gateway=far, telegram=platform)
