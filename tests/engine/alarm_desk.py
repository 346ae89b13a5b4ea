"""A desk with a work group and staff phones around it: real sockets to the stand-ins, a stopped clock."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from msgspec import structs

from bot.engine.alarms import AlarmSender
from bot.settings import AlarmSettings, RobotSettings
from bot.store import alarm_sends, alarms
from bot.store.base import Row, mappings
from bot.web.simulator.robots import Kind, WorkGroup
from bot.web.simulator.sms import SmsGateway
from bot.world import World
from channels.sms import Sms
from tests.channels import sms_kit
from tests.engine import kit as engine
from tests.engine.kit import Kit
from tests.support.clock import StoppedClock

PHONES = {"李敏": "13811110001", "陈静": "13811110002", "老刘": "0571-88001234"}
"""A fixed line gets no text; 李强 has no phone at all."""
SECRET = "SEC-desk-0123456789"
LINK = re.compile(r"https://desk\.test(/alarm/[\w=-]+)")
ALL: tuple[Kind, ...] = ("wecom", "dingtalk", "feishu")


@dataclass(kw_only=True)
class AlarmDesk:
    """`kit` is the desk itself."""

    kit: Kit
    group: WorkGroup
    gateway: SmsGateway

    async def sends(self, *conditions: sa.ColumnElement[bool]) -> list[Row]:
        return await self.kit.rows(alarm_sends.alarm_sends, *conditions)

    async def until_sent(self, count: int, *statuses: str) -> list[Row]:
        """Wait until so many rows have one of these statuses."""
        mine = sa.select(alarm_sends.alarm_sends).where(alarm_sends.alarm_sends.c.status.in_(statuses))

        def holds(conn: sa.Connection) -> list[Row] | None:
            found = mappings(conn, mine.order_by(alarm_sends.alarm_sends.c.id))
            return found if len(found) >= count else None

        try:
            return await self.kit.until(holds) or []
        except TimeoutError:
            rows = await self.sends()
            raise AssertionError([(row["way"], row["target"], row["status"], row["error"]) for row in rows]) from None

    async def emergency(self, who: str | None = None, text: str = engine.FIRE) -> Row:
        """Somebody reports a fire; the alarm."""
        who = who or engine.openid()
        status, _ = await self.kit.write_as(who, text)
        assert status == 200
        return (await self.kit.rows(alarms.alarms, alarms.alarms.c.kind == "emergency"))[-1]

    def said(self, kind: Kind = "wecom") -> list[str]:
        """What the group heard from this robot."""
        return [said.text for said in self.group.said if said.kind == kind]

    def texted(self, name: str) -> list[str]:
        return self.gateway.phone(f"+86{PHONES[name]}").received()

    def link(self, text: str) -> str:
        found = LINK.search(text)
        assert found is not None, text
        return found[1]

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.kit.session.get(self._at(path), headers=headers) as response:
            return response.status, await response.text()

    async def tap(self, path: str, name: str = "", **fields: str) -> tuple[int, str]:
        """The button is pressed; the page that follows."""
        data = {"staff": str(self.kit.member(name).id)} if name else fields
        async with self.kit.session.post(self._at(path), data=data) as response:
            return response.status, await response.text()

    def _at(self, path: str) -> str:
        parts = urlsplit(self.kit.url)
        return f"{parts.scheme}://{parts.netloc}{path}"


@asynccontextmanager
async def opened(
    url: str,
    clock: StoppedClock,
    *,
    kinds: Sequence[Kind] = ("wecom",),
    robot: dict[str, Any] | None = None,
    sms: str = "twilio",
    fresh: bool = True,
    **alarm_settings: Any,
) -> AsyncIterator[AlarmDesk]:
    """A desk with these robots and, unless `sms` is empty, an SMS account for staff."""
    async with AsyncExitStack() as stack:
        group = WorkGroup(now=clock.now, secret=SECRET)
        await group.start()
        stack.push_async_callback(group.stop)
        gateway = SmsGateway(sms_kit.dialect(sms or "twilio"), now=clock.now, receipts=False)
        await gateway.start()
        stack.push_async_callback(gateway.stop)
        accounts = {"main": sms_kit.settings(sms, gateway.base_url)} if sms else {}
        robots = {
            kind: RobotSettings(
                kind=kind, url=group.url(kind), secret="" if kind == "wecom" else SECRET, **(robot or {})
            )
            for kind in kinds
        }

        def change(world: World) -> World:
            settings = structs.replace(
                world.settings, robots=robots, sms=accounts, public_url="https://desk.test",
                alarms=AlarmSettings(**alarm_settings),
            )  # fmt: skip
            members = {m.id: replace(m, phone=PHONES.get(m.name, "")) for m in world.members.values()}
            return replace(world, settings=settings, members=members)

        kit = await stack.enter_async_context(engine.opened(url, clock, change=change, fresh=fresh))
        channels = {("sms", name): Sms(name, values) for name, values in accounts.items()}
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        sender = AlarmSender(
            kit.database, kit.worlds, channels, kit.context.links, clock, coalesce=timedelta(), timeout_s=1.0
        )  # fmt: skip
        sender.start()
        stack.push_async_callback(sender.close)
        yield AlarmDesk(kit=kit, group=group, gateway=gateway)
