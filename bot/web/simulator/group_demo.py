"""The work group of the demonstration: a robot inside the process, and the setting that leads to it."""

from contextlib import AsyncExitStack

import msgspec

from bot.settings import RobotSettings, Settings
from bot.web.simulator.robots import WorkGroup
from bot.web.simulator.wire import Wire

NAME = "demo"


async def start(settings: Settings, wire: Wire, stack: AsyncExitStack) -> tuple[Settings, WorkGroup]:
    """A robot `demo` beside those that are set. `wire` shows what travels."""
    group = WorkGroup(wire=wire)
    await group.start()
    stack.push_async_callback(group.stop)
    robot = RobotSettings(kind="wecom", url=group.url("wecom"))
    return msgspec.structs.replace(settings, robots={**settings.robots, NAME: robot}), group
