"""What has happened before the first minute: talk, cases, promises, alarms, calls, as the desk writes them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.demo.book import Book
from bot.demo.crew import Crew
from bot.demo.folk import Neighbour
from bot.demo.sheets import AlarmSheet, CallSheet, CaseSheet, Step, Stories, Story, read
from bot.demo.times import Times
from bot.demo.town import Town
from bot.store import alarms, numbers
from bot.store.affairs import affairs
from bot.store.base import NOBODY, Row, id_at
from bot.store.complaints import complaints
from bot.store.conversations import conversations
from bot.store.events import case_events, promises
from bot.store.messages import messages
from bot.store.outbox import DIALOGUE, EMERGENCY, PROGRESS, outbox
from bot.store.records import Affair, Alarm, Complaint, Identity, WorkOrder
from bot.store.staff import audit
from bot.store.work_orders import work_orders

_KINDS: dict[str, tuple[Any, sa.Table]] = {
    "work_order": (WorkOrder, work_orders),
    "complaint": (Complaint, complaints),
    "affair": (Affair, affairs),
}
_TOLD = ("contact", "urgent", "answer", "rework", "affair")
"""Promises that a text may name."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the stories play with."""

    book: Book
    times: Times
    town: Town
    crew: Crew
    folk: dict[str, Neighbour]


def tell(conn: sa.Connection, scene: Scene) -> None:
    """Enter all stories, and the conversations of everybody."""
    tellings = [Telling(scene, story) for story in read("stories", Stories).stories]
    _draw(conn, tellings)
    for telling in tellings:
        telling.enter()
    scene.book.enter(conversations, *(neighbour.conversation.row() for neighbour in scene.folk.values()))


def _draw(conn: sa.Connection, tellings: Iterable["Telling"]) -> None:
    """Numbers in the order in which the cases were recorded, each of its own day."""
    for telling in sorted(tellings, key=lambda known: known.recorded):
        if telling.case is not None:
            day = telling.times.local(telling.recorded).date()
            telling.number = numbers.draw(conn, telling.case.number, day, 1)[0]


class Telling:
    """One story with its moments worked out. `number` is drawn when the moments of all stories are known."""

    def __init__(self, scene: Scene, story: Story) -> None:
        self.story, self.case, self.times = story, story.case, scene.times
        self.number = ""
        self._scene, self._book = scene, scene.book
        self._neighbour = scene.folk[story.who]
        self._moments: list[datetime] = []
        for step in story.steps:
            self._moments.append(scene.times.at(step.at, self._moments[-1] if self._moments else None))
        self._case_id = id_at(self.recorded)
        self._owner_id: UUID | None = None
        self._row: Row = {}
        self._promised: list[Row] = []

    @property
    def recorded(self) -> datetime:
        """When the case was recorded; a talk without one began then."""
        return next((at for step, at in self._steps() if step.event == "recorded"), self._moments[0])

    def enter(self) -> None:
        if self.case is not None:
            self._enter_case(self.case)
        self._talk()
        if self.case is not None:
            self._course(self.case)
        if self.story.alarm is not None:
            self._alarm(self.story.alarm)
        for call in self.story.calls:
            self._call(call)
        self._leave()

    def _steps(self) -> Iterator[tuple[Step, datetime]]:
        return zip(self.story.steps, self._moments, strict=True)

    def _who(self, login: str, at: datetime) -> UUID | None:
        if login == "duty":
            return self._scene.crew.on_duty(self._neighbour.resident.community_id, "technician", self.times.local(at))
        return self._scene.crew.ids[login] if login else None

    def _place(self) -> Row:
        return {
            "community_id": self._neighbour.resident.community_id,
            "conversation_id": self._neighbour.conversation.id,
        }

    def _concerned(self) -> Row:
        """The columns that point at the case, if there is one."""
        return {"case_kind": self.case.kind if self.case else None, "case_id": self._case_id if self.case else None}

    # -- the case

    def _enter_case(self, sheet: CaseSheet) -> None:
        resident, identity = self._neighbour.resident, self._neighbour.identity
        record, table = _KINDS[sheet.kind]
        given = self._reported(sheet) | self._known(sheet) | sheet.fields
        case = record(
            id=self._case_id, number=self.number, resident_id=resident.id,
            identity_id=identity.id if identity else None, created_at=self.recorded, updated_at=self._moments[-1],
            **self._place(), **given,
        )  # fmt: skip
        self._row = case.row()
        self._owner_id = self._row.get("assignee_id") or self._row.get("owner_id")
        self._book.enter(table, self._row)

    def _reported(self, sheet: CaseSheet) -> Row:
        """What follows from who reported it, from where and in which words."""
        resident, town = self._neighbour.resident, self._scene.town
        heard = next((step.heard for step in self.story.steps if step.heard), "")
        row: Row = {"source": "wechat", "words": heard, "contact_phone": resident.phone}
        if sheet.home:
            row.update(home_id=town.homes[sheet.home].id, where=town.homes[sheet.home].where)
        if sheet.place:
            row.update(place_id=town.places[sheet.place].id, where=town.places[sheet.place].where)
        if sheet.kind == "work_order":
            row["contact_name"] = resident.name
        if sheet.kind != "affair":
            row["verified"] = bool(sheet.home) and not resident.provisional
        return row

    def _known(self, sheet: CaseSheet) -> Row:
        """Its moments and people. A promise counts from the step that makes it, else from the recording."""
        made = {step.due: at for step, at in self._steps()}
        moments = {name: self.times.at(text, made.get(text, self.recorded)) for name, text in sheet.times.items()}
        return moments | {name: self._who(login, self.recorded) for name, login in sheet.people.items()}

    def _course(self, sheet: CaseSheet) -> None:
        """The events of the case, and what was promised and kept on the way."""
        for step, at in self._steps():
            for promise in self._promised:
                if promise["what"] in step.keeps and promise["kept_at"] is None:
                    promise["kept_at"] = at
            if step.event:
                self._event(sheet, step, at)
            if step.promise:
                self._promised.append(self._promise(step, at))
        self._book.enter(promises, *self._promised)

    def _event(self, sheet: CaseSheet, step: Step, at: datetime) -> None:
        staff_id = self._who(step.by, at)
        self._book.enter(
            case_events,
            {
                "id": id_at(at), "community_id": self._row["community_id"], "case_kind": sheet.kind,
                "case_id": self._case_id, "what": step.event, "actor": "staff" if staff_id else "resident",
                "staff_id": staff_id, "note": step.note or (self._row["words"] if step.event == "recorded" else ""),
                "data": None, "at": at, "entered_at": at,
            },
        )  # fmt: skip
        if staff_id is not None:
            act = {"act": f"{sheet.kind}.{step.event}", "ref_kind": sheet.kind, "ref_id": self._case_id, "data": None}
            row = {"id": id_at(at), "community_id": self._row["community_id"], "staff_id": staff_id, "at": at}
            self._book.enter(audit, row | act)

    def _promise(self, step: Step, at: datetime) -> Row:
        return {
            "id": id_at(at), **self._place(), **self._concerned(), "what": step.promise, "staff_id": self._owner_id,
            "due_at": self.times.at(step.due, at), "kept_at": None, "broken_at": None, "created_at": at,
        }  # fmt: skip

    # -- the talk

    def _address(self) -> Identity:
        identity = self._neighbour.identity
        if identity is None:
            raise ValueError(f"{self.story.who} writes or is written to, so residents.toml must name an openid")
        return identity

    def _talk(self) -> None:
        asked: UUID | None = None
        for step, at in self._steps():
            if step.heard:
                asked = self._heard(step, at)
            elif step.said:
                self._said(step, at, None if step.by or step.progress else asked)
                asked = None

    def _heard(self, step: Step, at: datetime) -> UUID:
        row_id, identity = id_at(at), self._address()
        urgency = self.case.fields.get("urgency", "normal") if self.case and step.intent == "repair" else "normal"
        self._book.enter(
            messages,
            {
                "id": row_id, **self._place(), "identity_id": identity.id, "channel": identity.channel,
                "account": identity.account, "external_id": f"demo-{row_id}", "kind": "text", "text": step.heard,
                "choice": None, "attachments": None, "status": "turned", "intent": step.intent, "state": "idle",
                "reading": {"intent": step.intent, "confidence": 0.97, "urgency": urgency, "slots": {}}, "error": "",
                "sent_at": at, "received_at": at, "raw": None,
            },
        )  # fmt: skip
        return row_id

    def _said(self, step: Step, at: datetime, reply_to: UUID | None) -> None:
        identity = self._address()
        lane = PROGRESS if step.progress else EMERGENCY if step.kind == "emergency_advice" else DIALOGUE
        author_id = None if step.event else self._who(step.by, at)
        about = self._concerned() if at >= self.recorded else {"case_kind": None, "case_id": None}
        self._book.enter(
            outbox,
            {
                "id": id_at(at), **self._place(), **about, "identity_id": identity.id, "origin_id": None,
                "reply_to": reply_to, "channel": identity.channel, "account": identity.account,
                "address": identity.address, "lane": lane, "kind": step.kind,
                "route": "passive" if reply_to else "push", "text": self._text(step.said, at),
                "choices": self._choices(step),
                "without_question": None, "fence": 0 if lane == DIALOGUE and not author_id else None,
                "author_id": author_id, "status": "accepted", "attempts": 1, "due_at": at, "lease_until": None,
                "expires_at": None, "created_at": at, "sent_at": at, "settled_at": at + timedelta(milliseconds=300),
                "provider_id": None, "error": "", "dedupe_key": None,
            },
        )  # fmt: skip

    @staticmethod
    def _choices(step: Step) -> list[Row] | None:
        return [{"value": value, "label": label} for value, label in step.choices] or None

    def _text(self, text: str, at: datetime) -> str:
        language = self._neighbour.resident.language or "zh-Hans"
        values = {what: self.times.promised(what, at, language) for what in _TOLD if f"{{{what}}}" in text}
        values |= {"number": self.number, "who": self._technician(language), "slot": self._slot()}
        for key, value in values.items():
            text = text.replace(f"{{{key}}}", value)
        return text

    def _technician(self, language: str) -> str:
        """李师傅: a technician is told by surname."""
        member = self._scene.crew.members.get(self._owner_id or NOBODY)
        name = member.name if member else ""
        return name if language == "en" else f"{name[:1]}{'師傅' if language == 'zh-Hant' else '师傅'}"

    def _slot(self) -> str:
        """The slot with its date, as it is told whenever the call is made."""
        if not self._row.get("slot_start"):
            return ""
        start, end = self.times.local(self._row["slot_start"]), self.times.local(self._row["slot_end"])
        return f"{start.month}月{start.day}日{start.hour}点到{end.hour}点"

    def _leave(self) -> None:
        """What the talk leaves on the conversation. A resident has one story."""
        conversation = self._neighbour.conversation
        heard = [(step, at) for step, at in self._steps() if step.heard]
        conversation.updated_at, conversation.unread = self._moments[-1], self.story.unread
        if heard:
            conversation.last_text, conversation.last_inbound_at = heard[-1][0].heard, heard[-1][1]
            conversation.last_state = "idle"
        if self.story.waits_for_person:
            conversation.mode = "waiting"
            conversation.waiting_since = next(at for step, at in heard if step.intent == "human")

    # -- what else people have of it

    def _alarm(self, sheet: AlarmSheet) -> None:
        by, raised, shown = (
            self._scene.crew.ids[sheet.by],
            self.times.at(sheet.raised),
            self.times.at(sheet.acknowledged),
        )
        alarm = Alarm(
            id=id_at(raised), kind="emergency", **self._place(), **self._concerned(), summary=sheet.summary,
            raised_at=raised, acknowledge_by=raised + timedelta(minutes=3), acknowledged_by=by, acknowledged_at=shown,
            closed_by=by, closed_at=self.times.at(sheet.closed), closing_note=sheet.note, announced_at=raised,
        )  # fmt: skip
        self._book.enter(alarms.alarms, alarm.row())
        alert = {"id": id_at(raised), "alarm_id": alarm.id, "staff_id": by, "rung": 0, "at": raised, "shown_at": shown}
        self._book.enter(alarms.alerts, alert)

    def _call(self, sheet: CallSheet) -> None:
        made, due, resident = self.times.at(sheet.made), self.times.at(sheet.due), self._neighbour.resident
        follow_up = sheet.kind == "follow_up"
        task: Row = {
            "id": id_at(made), **self._place(), **self._concerned(), "resident_id": resident.id, "kind": sheet.kind,
            "phone": resident.phone, "text": self._text(sheet.text, made), "due_at": due,
            "owner_id": self._who(sheet.owner, made), "state": "open", "result": "", "done_by": None, "done_at": None,
            "created_at": made, "dedupe_key": f"follow-up:{self._case_id}" if follow_up else None,
        }  # fmt: skip
        self._book.enter(alarms.call_tasks, task)
        if follow_up:
            row = {
                name: task[name]
                for name in ("community_id", "case_kind", "case_id", "resident_id", "due_at", "created_at")
            }
            row |= {"id": id_at(made), "call_task_id": task["id"], "not_by_id": self._owner_id, "state": "open"}
            self._book.enter(alarms.follow_ups, row | {"answer": None, "words": "", "done_at": None})
