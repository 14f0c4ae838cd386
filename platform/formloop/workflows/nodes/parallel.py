"""All branches are walked at once; behind them the case goes on when each has come to its end."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import Child, Entry, Node, Visit, World

BRANCHES: Mapping[str, Any] = {
    "type": "array",
    "minItems": 1,
    "maxItems": 50,
    "items": {"$ref": "#/$defs/branch"},
    "title": "Branches",
    "x-title": {"zh-CN": "分支"},
}


class Parallel(Node):
    """A step whose branches are walked at once."""

    name = "parallel"
    title = M("Parallel branches")
    icon = "arrows-split"
    color = "secondary"
    required = ("branches",)
    block = True
    schema: ClassVar[Mapping[str, Any]] = {"branches": BRANCHES}

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """None of its branches has a condition; with conditions it is an inclusive choice."""
        text = M("All branches are walked here; a choice by conditions is another kind of step.")
        return [
            Problem("when", f"{at}.branches.{index}.when", text)
            for index, branch in enumerate(doc["branches"])
            if "when" in branch
        ]

    def enter(self, visit: Visit, world: World) -> Entry:
        """Begin every branch."""
        return Entry(inside=tuple(Child(branch.first) for branch in visit.step.branches))

    def back(self, visit: Visit, world: World) -> Entry:
        """Go on when the last branch is back."""
        return Entry(stays=True) if visit.token.inside else Entry(next=visit.step.next)
