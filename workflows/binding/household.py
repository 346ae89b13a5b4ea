"""What others of the household have reported: number, state and slot, never their words (desk.md section 2)."""

import re
from collections.abc import Sequence

from bot import register
from bot.desk import Case, Home, WorkOrder
from workflows import standing
from workflows.binding import rights
from workflows.repair import states
from workflows.talk import Talk

MOST = 3
_ASKED = re.compile(
    r"家里(?:人)?(?:的|所有|全部|还有|都有|有)|屋企(?:人|嘅|所有)|家人|我老[公婆婆]|爱人报|太太报|"
    r"(?:my (?:wife|husband|family|household)|our home|at home).{0,30}(?:report|order|repair)",
    re.IGNORECASE,
)


def asked(text: str) -> bool:
    """Whether the message asks for more than one's own."""
    return _ASKED.search(text) is not None


def tell(talk: Talk, own: Sequence[Case]) -> bool:
    """Say what is open at home; False where the table of rights gives nothing, or nothing is open."""
    shown = seen(talk)
    if not shown:
        return False
    for case in own:
        standing.tell(talk, case)
    joint = ", " if talk.language == "en" else "、"
    talk.reply("binding.household", orders=joint.join(_line(talk, order) for order in shown[:MOST]))
    talk.end("progress", "answered")
    return True


def seen(talk: Talk) -> list[WorkOrder]:
    """Open orders of others at the homes of this resident, as far as their role sees them."""
    if talk.desk.resident.provisional:
        return []
    found = register.orders_of_homes(talk.desk, talk.desk.homes)
    return [order for order, home in found if _may_see(talk, home, order)]


def _may_see(talk: Talk, home: Home, order: WorkOrder) -> bool:
    reported_on = talk.desk.world.local(order.created_at).date()
    return rights.sees_order(home.role, home.since, reported_on)


def _line(talk: Talk, order: WorkOrder) -> str:
    state = states.STATES[order.state][1 if talk.language == "en" else 0]
    slot = standing.slot(talk, order)
    key = "binding.household_slot" if slot else "binding.household_plain"
    return talk.text(key, number=order.number, state=state, slot=slot)
