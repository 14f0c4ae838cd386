"""The same people as at another step."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from formloop.core.text import M, Message
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import AssigneeRule, Directory
from formloop.workflows.state import Rule


class SameAs(AssigneeRule):
    """Whoever agreed at an earlier step."""

    name = "same"
    title = M("Same as another step")
    icon = "users"
    required = ("step",)
    schema: ClassVar[Mapping[str, Any]] = {
        "step": {"type": "string", "title": "Step", "x-title": {"zh-CN": "步骤"}}
    }

    def find(self, rule: Rule, directory: Directory) -> Sequence[int]:
        """Those who agreed there; nobody when the case did not pass it."""
        return directory.visit.state.hands.get(rule["step"], ())

    def explain(self, rule: Rule, form: FormSpec, names: Mapping[str, Message]) -> Message:
        """By having decided before."""
        return M("You decided at an earlier step, and the workflow asks the same people here.")
