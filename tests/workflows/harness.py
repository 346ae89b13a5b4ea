"""One conversation played through the real turn on a real SQLite file, with a stopped clock.

One message a step, the real Reader and KnowledgeBase; what is looked at afterwards are rows.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.desk import Complaint, Desk, Member, WorkOrder
from bot.engine import turn
from bot.engine.turn import Item, Marks
from bot.store import jobs
from bot.store.base import Row, insert, mappings, new_id
from bot.store.records import Job
from bot.store.schema import metadata
from bot.world import World
from channels.messages import Attachment, InboundMessage
from tests.workflows.town import SUNDAY, WECHAT, ZONE, reader, town
from workflows.complaint import actions as complaint_actions
from workflows.repair import actions


@dataclass(frozen=True)
class Reply:
    """What a message led to."""

    text: str
    intent: str | None
    state: str
    slots: Mapping[str, Any]
    rows: Sequence[Row]
    status: str

    @property
    def questions(self) -> int:
        return self.text.count("？") + self.text.count("?")


@dataclass
class Story:
    """One conversation of one resident with the desk, and what staff and time do to it."""

    engine: sa.Engine
    now: datetime
    world: World
    address: str = "openid-1"
    account: tuple[str, str] = WECHAT
    transcript: list[str] = field(default_factory=list)
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # -- the resident

    def say(
        self, text: str = "", *, kind: str = "text", pictures: int = 0, choice: str | None = None, pause: float = 20,
        own_phone: str = "",
    ) -> Reply:  # fmt: skip
        """One message, and `pause` seconds until the next; a text of nothing but picture marks is sent as pictures."""
        pictures = pictures or text.count("[图片]")
        if pictures and not text.replace("[图片]", "").strip():
            text, kind = "", "image"
        attachments = tuple(Attachment(kind="image", media_id=f"m{n}") for n in range(pictures))
        message = InboundMessage(
            channel=self.account[0],
            account=self.account[1],
            external_id=str(next(self._count)),
            sender=self.address,
            kind=kind,  # type: ignore[arg-type]
            text=text,
            attachments=attachments,
            choice=choice,
            own_phone=own_phone,
        )
        local = self.now.astimezone(ZONE)
        item = Item(
            message=message,
            reading=reader().read(text, local, self.world.names),
            received_at=self.now,
            passive_until=self.now + timedelta(seconds=4),
        )
        before = {row["id"] for row in self.rows("outbox")}
        with self.engine.begin() as conn:
            verdict = turn.run_batch(conn, self.world, [item], Marks(), self.now)[0]
        self.transcript.append(f"{local:%a %H:%M}  住户: {text or f'[{kind}]'}")
        reply = self._reply(message.external_id, before, verdict.status)
        self.now += timedelta(seconds=pause)
        return reply

    def told(self) -> list[str]:
        """What really went out or will, in the order of its times: not what was taken back."""
        rows = [row for row in self.rows("outbox") if row["status"] != "cancelled"]
        return [row["text"] for row in sorted(rows, key=lambda row: row["due_at"])]

    def _reply(self, external_id: str, before: set[UUID], status: str) -> Reply:
        rows = self._told(before)
        stored = next(row for row in self.rows("messages") if row["external_id"] == external_id)
        text = "\n".join(row["text"] for row in rows)
        return Reply(
            text, stored["intent"] or None, stored["state"], (stored["reading"] or {}).get("slots") or {}, rows, status
        )

    def _told(self, before: set[UUID]) -> list[Row]:
        rows = [row for row in self.rows("outbox") if row["id"] not in before]
        for row in rows:
            late = "" if row["due_at"] <= self.now else f" (于{row['due_at'].astimezone(ZONE):%a %H:%M})"
            who = "人" if row["author_id"] else "客服"
            self.transcript.append(f"{self.now.astimezone(ZONE):%a %H:%M}  {who}: {row['text']}{late}")
        return rows

    # -- staff and time

    def act(self, f: Callable[[Desk], Any], by: str | None = None) -> list[Row]:
        """One act on the conversation, by a person or (None) a program; what the resident is told of it."""
        before = {row["id"] for row in self.rows("outbox")}
        staff_id = self.member(by).id if by else None
        conversation_id = self.conversation()["id"]
        with self.engine.begin() as conn:
            turn.run_alone(conn, self.world, conversation_id, self.now, f, staff_id)
        return self._told(before)

    def wait(self, **span: float) -> list[Row]:
        """Let time pass: every timer that falls due runs at its time. What the resident is told meanwhile."""
        until = self.now + timedelta(**span)
        before = {row["id"] for row in self.rows("outbox")}
        told: list[Row] = []
        while True:
            with self.engine.begin() as conn:
                due = [Job.of(row) for row in jobs.due(conn, until, 100)]
                if not due:
                    break
                self.now = max(self.now, due[0].due_at)
                done = turn.run_timers(conn, self.world, due[:1], self.now)
                jobs.end(conn, done, "done", self.now)
            told += self._told(before)
            before |= {row["id"] for row in told}
        self.now = until
        return told

    def at(self, hour: int, minute: int = 0, days: int = 0) -> None:
        """Wait until this time of day."""
        local = self.now.astimezone(ZONE)
        goal = local.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=days)
        self.wait(seconds=(goal - local).total_seconds())

    def member(self, name: str) -> Member:
        return next(member for member in self.world.members.values() if member.name == name)

    def local(self, hour: int, minute: int = 0, days: int = 0) -> datetime:
        """A local time of day, `days` from now."""
        local = self.now.astimezone(ZONE)
        return local.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=days)

    def repaired(self, report: str = "厨房水管漏水", home: str = "3-2-1502") -> None:
        """An order was reported, dispatched and done, and the one question was asked."""
        self.say(f"{home} {report}")
        self.say("好")
        self.finish_again()

    def finish_again(self) -> list[Row]:
        """The last order is dispatched and done, and the one question is asked; what the resident is told."""
        lee = self.member("李强")
        slot = self.now + timedelta(hours=3), self.now + timedelta(hours=4)
        self.act(lambda desk: actions.dispatch(desk, desk.orders[-1], lee, *slot), by="李敏")
        self.wait(hours=4)
        told = self.act(
            lambda desk: actions.done(
                desk,
                desk.orders[-1],
                work_done="换了一根软管",
                cause="wear",
                responsible_party="company",
                outcome="repaired",
            ),
            by="李强",
        )
        self.wait(minutes=5)
        return told

    def resolved(self, words: str = "楼道堆物没人清") -> None:
        """A complaint was made, answered and finished, and the one question was asked."""
        self.say(words)
        self.act(
            lambda desk: complaint_actions.first_answer(desk, desk.complaints[-1], "今天清走", self.local(18, days=1)),
            by="陈静",
        )
        self.act(
            lambda desk: complaint_actions.finish(
                desk,
                desk.complaints[-1],
                result="今天上午清走了",
                ending="justified",
                cause="third_party",
                responsible_party="another_home",
            ),
            by="陈静",
        )
        self.wait(minutes=5)

    def affair(self, kind: str, words: str) -> None:
        """An affair of this kind stands in the conversation, entered by a colleague."""
        row = _affair(self.conversation(), kind, words, self.now)
        with self.engine.begin() as conn:
            insert(conn, metadata.tables["affairs"], [row])

    # -- looking

    def rows(self, table: str) -> list[Row]:
        with self.engine.connect() as conn:
            found = metadata.tables[table]
            return mappings(conn, sa.select(found).order_by(*found.primary_key.columns))

    def conversation(self) -> Row:
        own = next(row for row in self.rows("identities") if row["address"] == self.address)
        return next(row for row in self.rows("conversations") if row["resident_id"] == own["resident_id"])

    def orders(self) -> list[WorkOrder]:
        return [WorkOrder.of(row) for row in self.rows("work_orders")]

    def complaints(self) -> list[Complaint]:
        return [Complaint.of(row) for row in self.rows("complaints")]


def _affair(conversation: Row, kind: str, words: str, now: datetime) -> Row:
    return {
        "id": new_id(),
        "community_id": conversation["community_id"],
        "number": f"RC20261120-{kind[:4]}",
        "conversation_id": conversation["id"],
        "resident_id": conversation["resident_id"],
        "identity_id": None,
        "kind": kind,
        "source": "counter",
        "home_id": None,
        "where": None,
        "words": words,
        "wish": None,
        "contact_phone": "",
        "owner_id": None,
        "due_at": now + timedelta(days=1),
        "state": "recorded",
        "answer": "",
        "created_at": now,
        "updated_at": now,
        "closed_at": None,
    }


@contextmanager
def story(
    communities: str = "open", homes: Sequence[str] = (), *, at: datetime = SUNDAY, phone: str = ""
) -> Iterator[Story]:
    """A story in a town of its own (`town.town`)."""
    with town(communities, homes, at=at, phone=phone) as (engine, world):
        yield Story(engine, at, world)
