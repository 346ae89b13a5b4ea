"""A desk with a register: two families with their phones, and an SMS and a Telegram account beside WeChat."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from bot import register
from bot.store import places
from bot.store.base import Row, insert, new_id
from bot.store.bindings import bindings
from bot.store.residents import households, identities, residents
from channels.base import Capabilities
from channels.sms import SmsSettings
from tests.workflows.harness import Story, story
from tests.workflows.town import SUNDAY, WECHAT

SMS, TELEGRAM = ("sms", "main"), ("telegram", "main")
_SMS = Capabilities(acknowledge_within=10, text_limit=1600)
_TELEGRAM = Capabilities(acknowledge_within=10, text_limit=4096, text_unit="utf16", buttons=True)
_GATEWAY = SmsSettings(gateway="twilio", account_sid="AC1", auth_token="0123456789", sender="+8613000000000")
WANG, HER_NUMBER = "13800138000", "+8613800138000"


@dataclass
class Bound:
    """A story whose town has a register."""

    story: Story
    people: dict[str, UUID]

    def enter(self, name: str, phone: str, home: str, role: str = "owner", **line: Any) -> UUID:
        """A line of the register."""
        person = {
            "id": new_id(), "community_id": self._home(home)["community_id"], "name": name, "title": "", "phone": phone,
            "provisional": False, "created_at": self.story.now,
        }  # fmt: skip
        self.people[name] = UUID(str(person["id"]))
        row = {
            "id": new_id(), "community_id": person["community_id"], "resident_id": person["id"],
            "home_id": self._home(home)["id"], "role": role, "payer": False, **line,
        }  # fmt: skip
        with self.story.engine.begin() as conn:
            insert(conn, residents, [person])
            insert(conn, households, [row])
        return self.people[name]

    def _home(self, home: str) -> Row:
        building, unit, room = home.split("-")
        joined = places.homes.join(places.buildings, places.buildings.c.id == places.homes.c.building_id)
        mine = (places.buildings.c.name == building, places.homes.c.unit == unit, places.homes.c.room == room)
        with self.story.engine.connect() as conn:
            found = conn.execute(sa.select(places.homes).select_from(joined).where(*mine)).mappings().one()
        return dict(found)

    def by(self, channel: tuple[str, str], address: str) -> None:
        """Who speaks from now on, over which channel."""
        self.story.account, self.story.address = channel, address

    def who(self) -> Row:
        """The resident that the present address is."""
        mine = (identities.c.channel == self.story.account[0], identities.c.address == self.story.address)
        joined = residents.join(identities, identities.c.resident_id == residents.c.id)
        with self.story.engine.connect() as conn:
            found = conn.execute(sa.select(residents).select_from(joined).where(*mine)).mappings().one()
        return dict(found)

    def states(self) -> list[str]:
        """The bindings, in order."""
        with self.story.engine.connect() as conn:
            return list(conn.execute(sa.select(bindings.c.state).order_by(bindings.c.id)).scalars())

    def tasks(self) -> list[str]:
        return [row["kind"] for row in self.story.rows("call_tasks")]

    def texted(self) -> list[str]:
        """What went to phones by SMS."""
        return [row["text"] for row in self.story.rows("outbox") if row["channel"] == "sms"]

    def code(self, kind: str, **columns: Any) -> str:
        """A one-time code, as the console makes one."""
        with self.story.engine.begin() as conn:
            return register.make_code(conn, kind, self.story.now, timedelta(minutes=10), **columns)


@contextmanager
def town(communities: str = "listed", *, sms: bool = True, at: datetime = SUNDAY) -> Iterator[Bound]:
    """王芳 owns 3-2-1502, her husband 李强国 lives there; 陈伟 rents 3-2-803 until the end of the year."""
    with story(communities, at=at) as played:
        capabilities = {WECHAT: played.world.capabilities[WECHAT], TELEGRAM: _TELEGRAM}
        settings = played.world.settings
        if sms:
            capabilities[SMS] = _SMS
            settings = msgspec.structs.replace(settings, sms={"main": _GATEWAY})
        played.world = replace(played.world, capabilities=capabilities, settings=settings)
        bound = Bound(played, {})
        bound.enter("王芳", WANG, "3-2-1502", payer=True)
        bound.enter("李强国", "13911112222", "3-2-1502", "family")
        bound.enter("陈伟", "+8613700003333", "3-2-803", "tenant", until=date(2026, 12, 31))
        yield bound
