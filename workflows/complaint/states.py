"""The states of a complaint case as data: sets, moves, who may make them, what the resident hears, closed lists."""

from collections.abc import Mapping

from workflows.repair.states import CAUSES, RESPONSIBLE, Move

RECORDED, ASSIGNED, ANSWERED, RESULT, CLOSED = "recorded", "assigned", "answered", "result", "closed"
REOPENED, WITHDRAWN = "reopened", "withdrawn"

STATES: Mapping[str, tuple[str, str]] = {
    RECORDED: ("已登记", "recorded"),
    ASSIGNED: ("已指派", "assigned"),
    ANSWERED: ("已答复", "answered"),
    RESULT: ("待评价", "result told, to be judged"),
    REOPENED: ("重新办理", "reopened"),
    CLOSED: ("已归档", "closed"),
    WITHDRAWN: ("已撤回", "withdrawn"),
}

TO_ANSWER = frozenset({RECORDED, ASSIGNED, REOPENED})
OPEN = TO_ANSWER | {ANSWERED}
ENDED = frozenset({CLOSED, WITHDRAWN})

_HEADS = frozenset({"supervisor", "duty_manager", "site_manager"})
_HANDLERS = _HEADS | {"department_head", "agent"}

MOVES: Mapping[str, Move] = {
    move.name: move
    for move in (
        Move("assign", "指派", "assign", OPEN, ASSIGNED, _HEADS),
        Move("first_answer", "首次答复", "first answer", TO_ANSWER, ANSWERED, _HANDLERS, "who, the plan, by when"),
        Move("hold", "说明进展", "holding line", OPEN, ANSWERED, _HANDLERS, "every 72 hours without news"),
        Move(
            "finish",
            "办结",
            "result",
            OPEN,
            RESULT,
            frozenset({"supervisor", "site_manager", "quality"}),
            "the result, and the one question",
        ),
        Move(
            "reopen",
            "重新办理",
            "reopen",
            frozenset({RESULT, CLOSED}),
            REOPENED,
            _HEADS | {"quality"},
            "who has it now",
        ),
    )
}

NATURES: Mapping[str, tuple[str, str]] = {
    "facility": ("设施设备", "facilities"),
    "hygiene": ("环境卫生", "environment and hygiene"),
    "security": ("安全秩序", "safety and order"),
    "noise": ("噪音邻里", "noise and neighbours"),
    "parking": ("停车", "parking"),
    "staff": ("人员服务", "staff"),
    "fees": ("收费", "fees"),
    "other": ("其他", "other"),
}

ENDINGS: Mapping[str, tuple[str, str]] = {
    "justified": ("属实", "justified"),
    "partly": ("部分属实", "partly justified"),
    "not_ours": ("不属物业职责", "not ours"),
    "not_justified": ("不属实", "not justified"),
    "settled": ("双方和解", "settled between the parties"),
    "withdrawn": ("撤回", "withdrawn"),
}

ANSWERS: Mapping[str, tuple[str, str]] = {
    "satisfied": ("满意", "satisfied"),
    "fair": ("一般", "so-so"),
    "unhappy": ("不满意", "not satisfied"),
    "scored": ("打了分", "scored"),
}

RUNGS = ("assignee", "supervisor", "site_manager", "quality")
"""The ladder of a complaint: each reopening climbs one."""

__all__ = ["ANSWERS", "CAUSES", "ENDINGS", "MOVES", "NATURES", "OPEN", "RESPONSIBLE", "RUNGS", "STATES", "TO_ANSWER"]
