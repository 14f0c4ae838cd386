"""Whoever submitted the record."""

from collections.abc import Mapping, Sequence

from formloop.core.text import M, Message
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import AssigneeRule, Directory
from formloop.workflows.state import Rule


class Initiator(AssigneeRule):
    """The person who submitted."""

    name = "initiator"
    title = M("Initiator")
    icon = "rocket"

    def find(self, rule: Rule, directory: Directory) -> Sequence[int]:
        """One."""
        return (directory.initiator,)

    def explain(self, rule: Rule, form: FormSpec, names: Mapping[str, Message]) -> Message:
        """By having submitted it."""
        return M("You submitted this.")
