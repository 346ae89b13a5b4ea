"""The states of a repair work order as data: sets, moves, who may make them, what the resident hears, closed lists."""

from collections.abc import Mapping
from dataclasses import dataclass

RECORDED, DISPATCHED, ACCEPTED, ON_SITE = "recorded", "dispatched", "accepted", "on_site"
DONE, REWORK, CLOSED, CANCELLED = "done", "rework", "closed", "cancelled"

STATES: Mapping[str, tuple[str, str]] = {
    RECORDED: ("已登记", "recorded"),
    DISPATCHED: ("已派单", "dispatched"),
    ACCEPTED: ("已接单", "accepted"),
    ON_SITE: ("已到场", "on site"),
    DONE: ("待验收", "done, to be accepted"),
    REWORK: ("返修", "rework"),
    CLOSED: ("已归档", "closed"),
    CANCELLED: ("已取消", "cancelled"),
}
"""Every state with its name in Chinese and English."""

TO_DISPATCH = frozenset({RECORDED, REWORK})
UNDER_WAY = frozenset({DISPATCHED, ACCEPTED, ON_SITE})
OPEN = TO_DISPATCH | UNDER_WAY
ENDED = frozenset({CLOSED, CANCELLED})


@dataclass(frozen=True, slots=True)
class Move:
    """A step of a case: from which states, to which, who may make it, what the resident hears (desk.md section 13)."""

    name: str
    zh: str
    en: str
    sources: frozenset[str]
    target: str
    roles: frozenset[str]
    tells: str = ""


_DESK = frozenset({"agent", "steward", "supervisor", "duty_manager", "site_manager", "control_room", "department_head"})
_WORK = frozenset({"technician", "agent", "supervisor", "duty_manager", "site_manager", "department_head"})

MOVES: Mapping[str, Move] = {
    move.name: move
    for move in (
        Move("dispatch", "派单", "dispatch", TO_DISPATCH | {DISPATCHED, ACCEPTED}, DISPATCHED, _DESK, "who comes when"),
        Move(
            "reschedule", "改约", "reschedule", UNDER_WAY, DISPATCHED, _DESK | _WORK, "the change, before the old time"
        ),
        Move("accept", "接单", "accept", frozenset({DISPATCHED}), ACCEPTED, _WORK),
        Move(
            "on_site",
            "到场",
            "on site",
            frozenset({DISPATCHED, ACCEPTED}),
            ON_SITE,
            _WORK,
            "only if the slot was missed",
        ),
        Move("done", "完工", "done", UNDER_WAY, DONE, _WORK, "done, and the one question"),
        Move("cancel", "取消", "cancel", OPEN, CANCELLED, _DESK, "that it is cancelled, and why"),
    )
}

CAUSES: Mapping[str, tuple[str, str]] = {
    "wear": ("自然损耗", "wear"),
    "misuse": ("使用不当", "misuse"),
    "defect": ("开发遗留", "developer's defect"),
    "supply": ("外部供应", "outside supply"),
    "other_home": ("邻户引起", "another home"),
    "weather": ("天气", "weather"),
    "third_party": ("第三方", "third party"),
    "unknown": ("不明", "unknown"),
}

RESPONSIBLE: Mapping[str, tuple[str, str]] = {
    "company": ("物业", "the company"),
    "contractor": ("外协单位", "contractor"),
    "developer": ("开发商", "developer"),
    "utility": ("水电气单位", "utility"),
    "another_home": ("其他住户", "another home"),
    "own_home": ("住户自己", "the home itself"),
    "authority": ("政府部门", "authority"),
    "nobody": ("无", "nobody"),
}

OUTCOMES: Mapping[str, tuple[str, str]] = {
    "repaired": ("修好", "repaired"),
    "remedied": ("其他办法解决", "remedied otherwise"),
    "passed_on": ("移交他方", "passed on"),
    "left": ("协商保留", "left by agreement"),
    "not_found": ("未发现故障", "not found"),
    "cancelled": ("取消", "cancelled"),
}

ANSWERS: Mapping[str, tuple[str, str]] = {
    "satisfied": ("满意", "satisfied"),
    "remarks": ("修好了，有话说", "repaired, with remarks"),
    "unhappy": ("不满意", "not satisfied"),
    "not_fixed": ("没修好", "not repaired"),
    "scored": ("打了分", "scored"),
}
"""What the resident answered to the one question."""

CATEGORIES: Mapping[str, tuple[str, str]] = {
    "plumbing": ("给水", "plumbing"),
    "drainage": ("排水", "drainage"),
    "electrical": ("电", "electrical"),
    "elevator": ("电梯", "lift"),
    "door_window_lock": ("门窗锁", "doors, windows, locks"),
    "hvac": ("空调采暖", "heating, air conditioning"),
    "gas": ("燃气", "gas"),
    "wall_leak": ("墙面渗漏", "walls, seepage"),
    "low_voltage": ("弱电", "low voltage"),
    "public_facility": ("公共设施", "public facilities"),
    "other": ("其他", "other"),
}

NOT_FIXED_DIGIT = 3
"""What a resident presses where the work did not hold."""
