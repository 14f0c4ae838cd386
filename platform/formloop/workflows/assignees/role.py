"""Everybody who has a role."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from formloop.core.definitions import Library, with_suggestion
from formloop.core.errors import Problem
from formloop.core.text import M, Message
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import AssigneeRule, Directory
from formloop.workflows.state import Rule


class WithRole(AssigneeRule):
    """The members of a role."""

    name = "role"
    title = M("Role")
    icon = "users"
    required = ("role",)
    schema: ClassVar[Mapping[str, Any]] = {
        "role": {"type": "string", "x-pick": "role", "title": "Role", "x-title": {"zh-CN": "角色"}}
    }

    def check(self, rule: Rule, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """The role must exist."""
        if library.find_document("role", rule["role"]) is not None:
            return []
        wanted, known = rule["role"], library.list_keys("role")
        return [
            Problem(
                "no_role",
                f"{at}.role",
                with_suggestion(M("There is no role “{key}”.", key=wanted), wanted, known),
            )
        ]

    def references(self, rule: Rule) -> set[tuple[str, str]]:
        """The role."""
        return {("role", str(rule["role"]))}

    def find(self, rule: Rule, directory: Directory) -> Sequence[int]:
        """By name."""
        return directory.with_role(rule["role"])

    def explain(self, rule: Rule, form: FormSpec, names: Mapping[str, Message]) -> Message:
        """Through the role."""
        return M("You have the role “{role}”.", role=names.get(rule["role"], rule["role"]))
