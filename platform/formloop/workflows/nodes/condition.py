"""The way goes on in the first branch whose condition holds, else in the one without a condition, else behind it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from formloop.core.expression import EvaluationError
from formloop.core.text import M
from formloop.workflows.spec import Branch, Entry, Node, Note, State, Step, World


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

    def enter(self, step: Step, state: State, world: World) -> Entry:
        """Take a branch; a condition that cannot be calculated stops the case, since guessing would be worse."""
        for branch in step.branches:
            try:
                if self._fits(branch, world):
                    return Entry(state, next=branch.first)
            except EvaluationError as error:
                return _stuck(step, state, str(error.message))
            if branch.broken:
                return _stuck(step, state, str(branch.document.get("when", "")))
        return Entry(state, next=step.next)

    def _fits(self, branch: Branch, world: World) -> bool:
        if branch.when is None:
            return not branch.broken
        return world.holds(branch.when)


def _stuck(step: Step, state: State, reason: str) -> Entry:
    note = Note("stuck", step.id, state.round, detail={"reason": reason})
    return Entry(replace(state, status="stuck", seats=()), (note,), stays=True)
