"""What a workflow is."""

from typing import Protocol

from bot.desk import Desk, Job
from workflows.forms import Form
from workflows.talk import Talk


class Workflow(Protocol):
    """One thing the desk knows how to do: a module of plain functions that await nothing and leave rows in the Desk."""

    name: str
    """Names its forms."""
    timers: frozenset[str]
    """The kinds of timers that it owns."""

    def start(self, talk: Talk) -> None:
        """A message that asks for this."""

    def resume(self, talk: Talk, form: Form) -> bool:
        """A message while a form of this workflow is open. False: it spoke of something else; the form stays."""

    def question(self, talk: Talk, form: Form) -> None:
        """Return to the open question of a form after something else was answered."""

    def due(self, desk: Desk, job: Job) -> None:
        """A timer of this workflow is due. It checks first that its reason still stands."""
