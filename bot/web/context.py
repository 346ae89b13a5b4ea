"""What the handlers are handed: one object under one key of the application."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from aiohttp import web

from bot.clock import Clock
from bot.desk import Desk
from bot.engine import turn
from bot.engine.intake import Intake
from bot.links import Links
from bot.settings import Settings
from bot.store.database import Database
from bot.world import World, Worlds
from channels.base import Channel

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Context:
    settings: Settings
    clock: Clock
    database: Database
    worlds: Worlds
    channels: Mapping[tuple[str, str], Channel]
    intake: Intake
    links: Links = field(default_factory=Links.fresh)
    demo: bool = False
    """The invented communities are here: their sign-ins may be shown."""
    simulator: bool = False
    """The phones of `/simulator` are served."""

    @property
    def world(self) -> World:
        return self.worlds.current

    async def act(self, conversation_id: UUID, f: Callable[[Desk], T], staff_id: UUID | None = None) -> T:
        """One act of a person or a program on one conversation: a Desk, a function of a workflow, one commit.

        A number that `f` returns as text is returned as it was drawn.
        """
        result: T = await self.database.write_urgent(self._run, conversation_id, f, staff_id)
        self.database.announce()
        return result

    def _run(self, conn: Any, conversation_id: UUID, f: Callable[[Desk], T], staff_id: UUID | None) -> Any:
        return turn.run_alone(conn, self.world, conversation_id, self.clock.now(), f, staff_id)


CONTEXT = web.AppKey("context", Context)
