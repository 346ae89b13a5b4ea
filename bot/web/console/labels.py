"""The names of closed lists, from where they are defined: (Chinese, English)."""

from collections.abc import Mapping

from workflows.affair import kinds as affair
from workflows.complaint import states as complaint
from workflows.repair import states as repair

Words = Mapping[str, tuple[str, str]]

LISTS: Mapping[str, Words] = {
    "repair.state": repair.STATES,
    "repair.category": repair.CATEGORIES,
    "repair.answer": repair.ANSWERS,
    "cause": repair.CAUSES,
    "responsible": repair.RESPONSIBLE,
    "outcome": repair.OUTCOMES,
    "complaint.state": complaint.STATES,
    "complaint.nature": complaint.NATURES,
    "complaint.answer": complaint.ANSWERS,
    "case_answer": {**complaint.ANSWERS, **repair.ANSWERS},
    "ending": complaint.ENDINGS,
    "affair.kind": {name: (kind.zh, kind.en) for name, kind in affair.KINDS.items()},
}
