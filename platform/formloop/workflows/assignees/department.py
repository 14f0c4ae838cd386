"""Everybody in a department."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from formloop.access import people
from formloop.core.definitions import Library, with_suggestion
from formloop.core.errors import Problem
from formloop.core.text import M, Message
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import AssigneeRule, Directory
from formloop.workflows.state import Rule


class InDepartment(AssigneeRule):
    """The people of one department."""

    name = "department"
    title = M("Department")
    icon = "sitemap"
    required = ("department",)
    schema: ClassVar[Mapping[str, Any]] = {
        "department": {
            "type": "string",
            "x-pick": "department",
            "title": "Department",
            "x-title": {"zh-CN": "部门"},
        }
    }

    def check(self, rule: Rule, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """A department that does not exist yet is only a warning: definitions travel before people do."""
        known = [each.key for each in people.list_departments()]
        if rule["department"] in known:
            return []
        text = with_suggestion(
            M("There is no department “{key}” yet.", key=rule["department"]), rule["department"], known
        )
        return [Problem("no_department", f"{at}.department", text, severity="warning")]

    def find(self, rule: Rule, directory: Directory) -> Sequence[int]:
        """By name."""
        return directory.in_department(rule["department"])

    def explain(self, rule: Rule, form: FormSpec, names: Mapping[str, Message]) -> Message:
        """Through the department."""
        return M("You belong to the department that decides here.")
