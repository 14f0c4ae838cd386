"""Whoever was picked for this step by the initiator, or by whoever decided before."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from formloop.core.text import M, Message
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import AssigneeRule, Directory
from formloop.workflows.state import Rule


class Chosen(AssigneeRule):
    """People picked on the way: by the initiator when submitting, or by the `previous` people when agreeing."""

    name = "chosen"
    title = M("Chosen on the way")
    icon = "user-plus"
    required = ("by",)
    schema: ClassVar[Mapping[str, Any]] = {
        "by": {
            "enum": ["initiator", "previous"],
            "x-titles": {
                "initiator": {"title": "Whoever submits", "x-title": {"zh-CN": "发起人"}},
                "previous": {"title": "Who decides before", "x-title": {"zh-CN": "上一处理人"}},
            },
            "title": "Chosen by",
            "x-title": {"zh-CN": "由谁选择"},
        }
    }

    def find(self, rule: Rule, directory: Directory) -> Sequence[int]:
        """Those picked for the step that asks."""
        return directory.visit.state.chosen.get(directory.visit.step.id, ())

    def explain(self, rule: Rule, form: FormSpec, names: Mapping[str, Message]) -> Message:
        """By having been picked."""
        if rule["by"] == "initiator":
            return M("Whoever submitted this chose you.")
        return M("Whoever decided before you chose you.")
