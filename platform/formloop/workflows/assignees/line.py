"""The heads of the line, one after the other, up to a level."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from formloop.core.definitions import Library
from formloop.core.errors import Problem
from formloop.core.text import M, Message
from formloop.forms.spec import FormSpec
from formloop.workflows.assignees.head import Head, line_of
from formloop.workflows.spec import AssigneeRule, Directory
from formloop.workflows.state import Rule


class Line(AssigneeRule):
    """The heads step by step up the line: level 1 to `to` (without it to the top). They decide in turn."""

    name = "line"
    title = M("Up the line")
    icon = "hierarchy-2"
    schema: ClassVar[Mapping[str, Any]] = {
        "to": {
            "type": "integer",
            "minimum": 1,
            "maximum": 20,
            "title": "Up to level",
            "x-title": {"zh-CN": "逐级到第几级"},
        },
        "of": Head.schema["of"],
    }

    def check(self, rule: Rule, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """`of` names a member or department field."""
        return Head().check(rule, at, form, library)

    def find(self, rule: Rule, directory: Directory) -> Sequence[int]:
        """Nearest first."""
        return line_of(rule, directory)[: rule.get("to")]

    def explain(self, rule: Rule, form: FormSpec, names: Mapping[str, Message]) -> Message:
        """Through the line."""
        return M("You stand in the line above the department this came from.")
