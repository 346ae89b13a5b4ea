"""The explicit list of workflows."""

from collections.abc import Mapping

from workflows import (
    emergency,
    faq,
    human,
    late,
    progress,
    satisfaction,
    smalltalk,
    takeover,
    unfinished,
    unknown,
    voice,
)
from workflows.affair import dialogue as affair
from workflows.base import Workflow
from workflows.binding import dialogue as binding
from workflows.complaint import dialogue as complaint
from workflows.repair import dialogue as repair

WORKFLOWS: tuple[Workflow, ...] = (
    emergency,
    takeover,
    human,
    satisfaction,
    repair,
    complaint,
    affair,
    faq,
    progress,
    smalltalk,
    unknown,
    unfinished,
    late,
    voice,
    binding,
)

BY_NAME: Mapping[str, Workflow] = {workflow.name: workflow for workflow in WORKFLOWS}
TIMERS: Mapping[str, Workflow] = {kind: workflow for workflow in WORKFLOWS for kind in workflow.timers}

STARTS: Mapping[str, Workflow] = {
    "faq": faq,
    "repair": repair,
    "complaint": complaint,
    "suggestion": affair,
    "praise": affair,
    "payment": affair,
    "application": affair,
    "progress": progress,
    "human": human,
    "smalltalk": smalltalk,
    "other": unknown,
}
"""From intent to workflow: an intent more is one line more."""
