"""The way goes on in the first branch whose condition holds, else in the one without a condition, else behind it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.expression import EvaluationError
from formloop.core.text import M, Message
from formloop.workflows.spec import Branch, Entry, Node, Visit, World


class Condition(Node):
    """A step that chooses a way."""

    name = "condition"
    title = M("Condition")
    icon = "git-branch"
    color = "secondary"
    required = ("branches",)
    schema: ClassVar[Mapping[str, Any]] = {
        "branches": {
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "items": {"$ref": "#/$defs/branch"},
            "title": "Branches",
            "x-title": {"zh-CN": "分支"},
        }
    }

    def enter(self, visit: Visit, world: World) -> Entry:
        """Take a branch; a condition that cannot be calculated stops the case, since guessing would be worse."""
        for branch in visit.step.branches:
            try:
                if holds(branch, visit, world):
                    return Entry(next=branch.first)
            except EvaluationError as error:
                return Entry(stuck=error.message)
            if branch.broken:
                return Entry(stuck=unfitting(visit))
        return Entry(next=visit.step.next)


def unfitting(visit: Visit) -> Message:
    """Why a case stops at a step with a condition that reads what is no longer there."""
    return M("A condition of “{step}” no longer fits the forms.", step=visit.step.called)


def holds(branch: Branch, visit: Visit, world: World) -> bool:
    """Whether a branch is to be taken; one without a condition always is, one that no longer fits never."""
    if branch.when is None:
        return not branch.broken
    return world.value_of(branch.when, visit.names) is True
