"""The sender of alarms: work groups and staff phones, over every way side by side, never behind the residents' outbox.

What was raised is in rows already (law 9). A row is tried until a provider takes it, and given up when it cannot help
any more; a way that does not work is an alarm of its own on the console.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from bot import alarm_ways
from bot.clients.robots import Robot
from bot.clock import Clock
from bot.engine import alarm_words, metrics, results
from bot.errors import trace
from bot.links import PATH, Links
from bot.store import alarm_sends, alarms
from bot.store.base import NOBODY, Row
from bot.store.database import Database, is_passing, notify
from bot.store.records import Alarm
from bot.world import World, Worlds
from channels.base import Channel
from channels.errors import Later, Misconfigured, OutcomeUnknown, SendError
from channels.messages import OutboundMessage
from channels.sms import vocabulary

log = logging.getLogger(__name__)

POLL: Final = timedelta(seconds=5)
COALESCE: Final = timedelta(milliseconds=200)
"""However often the desk commits, it is looked no more often than this."""
LEASE: Final = timedelta(seconds=30)
CALL_S: Final = 20.0
"""A call is given up before the lease of its row ends."""
PARALLEL: Final = 20
ATTEMPTS: Final = 8
FIRST_RETRY_S: Final = 2.0
LONGEST_RETRY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Told:
    """A row that was sent, and what came of it."""

    row: Row
    provider_id: str = ""
    error: SendError | None = None


class AlarmSender:
    """The sender of a process. Several processes may run one each: a lease keeps them off the same row."""

    def __init__(
        self,
        database: Database,
        worlds: Worlds,
        channels: Mapping[tuple[str, str], Channel],
        links: Links,
        clock: Clock,
        *,
        coalesce: timedelta = COALESCE,
        timeout_s: float = 10.0,
    ) -> None:
        self._database = database
        self._worlds = worlds
        self._channels = channels
        self._robots = {
            name: Robot(name, values, lambda: clock.now().timestamp(), timeout_s=timeout_s)
            for name, values in worlds.current.settings.robots.items()
        }
        self._links = links
        self._clock = clock
        self._coalesce = coalesce
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._calls: set[asyncio.Task[Told]] = set()
        self._done: list[Told] = []

    def start(self) -> None:
        self._database.on_change(self._wake.set)
        self._task = asyncio.create_task(self._run(), name="alarms")

    async def close(self, within: float = 10.0) -> None:
        """Begin no more calls; wait for those under way, for at most `within` seconds; write what came of them."""
        self._stopping.set()
        self._wake.set()
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._task, within)
        if self._calls:
            await asyncio.wait(self._calls, timeout=within)
        try:
            await self._write_results()
        except Exception as error:
            log.error("the last results of alarms could not be written: %s", trace(error))  # noqa: TRY400 - without its words
        for robot in self._robots.values():
            await robot.close()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                next_look = await self._round()
            except Exception as error:
                log.error("a round of the alarm sender failed: %s", trace(error))  # noqa: TRY400 - without its words
                next_look = self._clock.now() + POLL
            await self._clock.wait(self._wake, next_look)
            if self._coalesce:
                await self._clock.wait(self._stopping, self._clock.now() + self._coalesce)

    async def _round(self) -> datetime:
        """Write what came back, and send what is due; when to look again. One read where there is nothing to do."""
        await self._write_results()
        now = self._clock.now()
        free = PARALLEL - len(self._calls)
        next_due = await self._database.read(alarm_sends.next_due)
        if next_due is not None and next_due <= now and free > 0:
            for row in await self._database.write_urgent(self._begin, now, free):
                self._call(row)
            next_due = await self._database.read(alarm_sends.next_due)
        return min(now + POLL, next_due) if next_due is not None and next_due > now else now + POLL

    # -- one commit: rows are made where none are, claimed, and worded

    def _begin(self, conn: sa.Connection, now: datetime, free: int) -> list[Row]:
        world = self._worlds.current
        self._announce(conn, world, now)
        alarm_sends.release_lapsed(conn, now)
        begun = []
        for row in alarm_sends.claim(conn, now, free, LEASE):
            alarm = Alarm.of({name: row.get(f"alarm_{name}") for name in _ALARM})
            if row["what"] != "taken" and (alarm.acknowledged_at or alarm.closed_at):
                alarm_sends.settle(conn, row["id"], "cancelled", now)
                continue
            alarm_sends.set_text(conn, row["id"], self._said(world, row, alarm))
            begun.append({**row, "alarm": alarm})
        return begun

    def _announce(self, conn: sa.Connection, world: World, now: datetime) -> None:
        """What was raised where nobody knows of ways goes to the groups; it is addressed to nobody by name."""
        raised = [Alarm.of(row) for row in alarm_sends.unannounced(conn)]
        if raised:
            standing = [alarm for alarm in raised if alarm.closed_at is None]
            alarm_sends.add(conn, [row for alarm in standing for row in alarm_ways.calls(world, alarm, (), now)])
            alarm_sends.announced(conn, [alarm.id for alarm in raised], now)

    def _said(self, world: World, row: Row, alarm: Alarm) -> str:
        """As it stands on record: the link is a key, and is written down nowhere."""
        if row["way"] == "robot":
            message = alarm_words.for_group(world, alarm, row["what"], "")
            return "\n".join(part for part in (message.title, message.text) if part)
        return self._sms(world, row, alarm, "").text

    # -- calls

    def _call(self, row: Row) -> None:
        task = asyncio.create_task(self._send(row))
        self._calls.add(task)
        task.add_done_callback(self._returned)

    def _returned(self, task: "asyncio.Task[Told]") -> None:
        self._calls.discard(task)
        self._done.append(task.result())
        self._wake.set()

    async def _send(self, row: Row) -> Told:
        error: SendError | None = None
        provider_id = ""
        try:
            async with asyncio.timeout(CALL_S):
                provider_id = await (self._to_group(row) if row["way"] == "robot" else self._to_phone(row))
        except SendError as known:
            error = known
        except TimeoutError:
            error = OutcomeUnknown("no answer within the lease")
        except Exception as unforeseen:
            log.error("a way of alarms raised what is not in its list of errors: %s", trace(unforeseen))  # noqa: TRY400 - without its words
            error = OutcomeUnknown(type(unforeseen).__name__)
        metrics.SENT.labels(f"alarm_{row['way']}", type(error).__name__ if error else "accepted").inc()
        return Told(row, provider_id, error)

    async def _to_group(self, row: Row) -> str:
        robot = self._robots.get(row["target"])
        if robot is None:
            raise Misconfigured(f"no robot {row['target']!r} is configured")
        world = self._worlds.current
        await robot.send(alarm_words.for_group(world, row["alarm"], row["what"], self._link(world, row["id"])))
        return ""

    async def _to_phone(self, row: Row) -> str:
        world = self._worlds.current
        channel = self._channels.get(("sms", world.settings.staff_sms or ""))
        if channel is None:
            raise Misconfigured("no SMS account is configured for staff")
        result = await channel.send(self._sms(world, row, row["alarm"], self._link(world, row["id"])))
        return result.provider_id or ""

    def _sms(self, world: World, row: Row, alarm: Alarm, link: str) -> OutboundMessage:
        """The approved text where nothing else may be sent, which holds no link; else one to tap."""
        channel = self._channels.get(("sms", world.settings.staff_sms or ""))
        address = alarm_ways.phone(world, world.members.get(UUID(row["target"]))) or ""
        if channel is not None and channel.capabilities.templates_only:
            values = alarm_words.approved(world, alarm)
            text = vocabulary.render("alarm", **values)
            return OutboundMessage(row_id=str(row["id"]), address=address, text=text, moment="alarm", values=values)
        text = alarm_words.for_phone(world, alarm, row["what"], link)
        return OutboundMessage(row_id=str(row["id"]), address=address, text=text)

    def _link(self, world: World, row_id: UUID) -> str:
        return f"{world.settings.address}{PATH}/{self._links.token(row_id, self._clock.now())}"

    # -- results

    async def _write_results(self) -> None:
        if not self._done:
            return
        done, self._done = self._done, []
        try:
            await self._database.write_urgent(write, self._worlds.current, done, self._clock.now())
        except Exception as error:
            if is_passing(error):
                self._done = done + self._done
            raise
        self._database.announce()


_ALARM: Final = tuple(Alarm.__dataclass_fields__)


def write(conn: sa.Connection, world: World, done: Sequence[Told], now: datetime) -> None:
    """Write what came of each call."""
    for told in sorted(done, key=lambda told: str(told.row["id"])):
        row, error = told.row, told.error
        if error is None:
            alarm_sends.settle(conn, row["id"], "accepted", now, provider_id=told.provider_id)
            alarms.close_standing(conn, _down(_way(world, row)), results.RECOVERED, now)
        elif isinstance(error, Later) and error.throttled:
            alarm_sends.again(conn, row["id"], now + timedelta(seconds=error.after), error.detail, counts=False)
        elif isinstance(error, Later | OutcomeUnknown) and row["attempts"] < ATTEMPTS:
            alarm_sends.again(conn, row["id"], now + _back_off(row["attempts"]), error.detail, counts=True)
        else:
            alarm_sends.settle(conn, row["id"], "failed", now, error=f"{type(error).__name__}: {error.detail}")
            _way_down(conn, world, row, error, now)
    notify(conn)


def _back_off(attempts: int) -> timedelta:
    return timedelta(seconds=min(FIRST_RETRY_S * 2 ** max(0, attempts - 1), LONGEST_RETRY_S))


def _way_down(conn: sa.Connection, world: World, row: Row, error: SendError, now: datetime) -> None:
    """A way that does not work, until it does again (law 12). A text refused for one person alone is no news."""
    way = _way(world, row)
    if (row["way"] == "sms" and not isinstance(error, Misconfigured)) or alarms.is_standing(conn, _down(way)):
        return
    key = f"{_down(way)}{now.isoformat()}"
    results.alarm(conn, NOBODY, "channel", f"{way}: {error.detail}", now, key=key)


def _way(world: World, row: Row) -> str:
    return f"{row['way']}/{row['target'] if row['way'] == 'robot' else world.settings.staff_sms}"


def _down(way: str) -> str:
    """What the keys of its alarms begin with."""
    return f"alarm-way:{way}:"
