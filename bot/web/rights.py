"""Who may do what: the table of rights, and what it comes to for one person. Everything not listed is refused.

Letters: x in every community; c in the communities the role was given for; own only what was given to this person;
alarms only where an emergency stands. The desk also sees community 0, where those are kept who are not yet known:
somebody has to answer them.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from bot.store.base import NOBODY

Scope = Literal["x", "c", "own", "alarms"]
Roles = Iterable[tuple[str, UUID | None]]

MASKED_ROLE = "auditor"
"""Reads, but never names, numbers or addresses in full."""


class Act(enum.Enum):
    """What somebody wants to do."""

    READ = "read conversations"
    SPEAK = "take over, reply, hand back"
    PHONE = "see a full phone number"
    SEE_ORDERS = "see work orders"
    DISPATCH = "dispatch and cancel work orders"
    MOVE_DEADLINE = "move an agreed time"
    WORK = "accept, on site, done"
    SEE_COMPLAINTS = "see complaints"
    SENSITIVE = "complaints about staff, from outside bodies"
    ASSIGN_COMPLAINT = "assign or reopen a complaint"
    ANSWER_COMPLAINT = "give the first answer, hold"
    CLOSE_COMPLAINT = "finish a complaint"
    SEE_AFFAIRS = "see daily affairs"
    ANSWER_AFFAIR = "answer and close daily affairs"
    NOTE = "write a note on a case"
    CALL = "see and finish call tasks"
    BIND = "say who an address is: codes, and bindings that wait"
    SEE_ALARMS = "see and acknowledge alarms"
    CLOSE_ALARM = "close an alarm"
    DRILL = "try the ways of alarms"
    ATTENTION = "see what could not be read, sent or turned"
    UNREADABLE = "see requests that nobody could read"
    CORRECT = "correct how a message was read"
    TEACH = "make examples of corrections"
    MODELS = "train a model, put one to use"
    WRITE_KNOWLEDGE = "write and propose articles, sort questions without an answer"
    RELEASE_KNOWLEDGE = "release and withdraw articles"


_DESK: Mapping[str, Scope] = {"agent": "c", "steward": "c", "supervisor": "c", "duty_manager": "c", "site_manager": "c"}
_HEADS: Mapping[str, Scope] = {"supervisor": "c", "duty_manager": "c", "site_manager": "c"}
_READERS: Mapping[str, Scope] = {"quality": "x", MASKED_ROLE: "c"}

RIGHTS: Mapping[Act, Mapping[str, Scope]] = {
    Act.READ: {**_DESK, **_READERS, "control_room": "alarms", "department_head": "own"},
    Act.SPEAK: _DESK,
    Act.PHONE: {**_DESK, "technician": "own", "control_room": "alarms", "department_head": "c", "cashier": "c"},
    Act.SEE_ORDERS: {**_DESK, **_READERS, "technician": "own", "control_room": "alarms", "department_head": "c"},
    Act.DISPATCH: {**_DESK, "control_room": "alarms", "department_head": "c"},
    Act.MOVE_DEADLINE: _DESK,
    Act.WORK: {**_DESK, "technician": "own", "control_room": "alarms", "department_head": "c"},
    Act.SEE_COMPLAINTS: {**_DESK, **_READERS, "department_head": "own"},
    Act.SENSITIVE: {**_HEADS, "quality": "x"},
    Act.ASSIGN_COMPLAINT: {**_HEADS, "quality": "x"},
    Act.ANSWER_COMPLAINT: {"agent": "c", **_HEADS, "department_head": "own", "quality": "x"},
    Act.CLOSE_COMPLAINT: {"supervisor": "c", "site_manager": "c", "quality": "x"},
    Act.SEE_AFFAIRS: {**_DESK, **_READERS, "department_head": "own", "cashier": "own"},
    Act.ANSWER_AFFAIR: {**_DESK, "department_head": "own", "cashier": "own"},
    Act.NOTE: {
        **_DESK,
        "technician": "own",
        "control_room": "alarms",
        "department_head": "c",
        "quality": "x",
        "cashier": "own",
    },
    Act.CALL: _DESK,
    Act.BIND: _DESK,
    Act.SEE_ALARMS: {**_DESK, "control_room": "c", "technician": "own", "department_head": "own", "admin": "own"},
    Act.CLOSE_ALARM: {**_DESK, "control_room": "c"},
    Act.DRILL: {**_HEADS, "admin": "x"},
    Act.ATTENTION: {"agent": "c", **_HEADS},
    Act.UNREADABLE: {"agent": "c", **_HEADS, "admin": "x"},
    Act.CORRECT: {**_DESK, "quality": "x"},
    Act.TEACH: {"supervisor": "c", "site_manager": "c", "quality": "x"},
    Act.MODELS: {"supervisor": "c", "site_manager": "c", "quality": "x", "admin": "x"},
    Act.WRITE_KNOWLEDGE: {
        "agent": "c",
        "steward": "c",
        "department_head": "c",
        "supervisor": "c",
        "site_manager": "c",
        "quality": "x",
    },
    Act.RELEASE_KNOWLEDGE: {"supervisor": "c", "site_manager": "c", "quality": "x"},
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """Where a person may do one thing. False when nowhere."""

    everywhere: bool = False
    communities: frozenset[UUID] = frozenset()
    own: bool = False
    alarms: frozenset[UUID] = frozenset()
    alarms_everywhere: bool = False

    def __bool__(self) -> bool:
        return self.broad or self.own or self.on_alarm

    @property
    def broad(self) -> bool:
        """Not only single records."""
        return self.everywhere or bool(self.communities)

    @property
    def on_alarm(self) -> bool:
        return self.alarms_everywhere or bool(self.alarms)

    @property
    def listed(self) -> list[UUID] | None:
        """The communities for a list; None: all."""
        return None if self.everywhere else sorted(self.communities)

    @property
    def alarms_listed(self) -> list[UUID] | None:
        """The communities where only emergencies are seen; None: all."""
        return None if self.alarms_everywhere else sorted(self.alarms)

    def covers(self, community_id: UUID, *, mine: bool = False, emergency: bool = False) -> bool:
        """Whether a record of this community is within reach. `mine`: it was given to this person."""
        if self.everywhere or community_id in self.communities or (self.own and mine):
            return True
        return emergency and (self.alarms_everywhere or community_id in self.alarms)


def allowed(roles: Roles, act: Act) -> Allowed:
    """What the table gives to these roles for an act."""
    everywhere = own = alarms_everywhere = False
    communities: set[UUID] = set()
    alarms: set[UUID] = set()
    for role, community_id in roles:
        scope = RIGHTS[act].get(role)
        if scope == "own":
            own = True
        elif scope == "x" or (scope == "c" and community_id is None):
            everywhere = True
        elif scope == "c" and community_id is not None:
            communities |= {community_id, NOBODY}
        elif scope == "alarms" and community_id is None:
            alarms_everywhere = True
        elif scope == "alarms" and community_id is not None:
            alarms |= {community_id, NOBODY}
    return Allowed(everywhere, frozenset(communities), own, frozenset(alarms), alarms_everywhere)


def unmasked(roles: Roles) -> list[tuple[str, UUID | None]]:
    """The roles that see names and words as they are."""
    return [pair for pair in roles if pair[0] != MASKED_ROLE]
