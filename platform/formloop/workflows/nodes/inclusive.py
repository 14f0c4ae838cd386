"""Every branch whose condition holds is walked, all at once; if none does, the one without a condition."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.expression import EvaluationError
from formloop.core.text import M
from formloop.forms.spec import FormSpec
from formloop.workflows.nodes.condition import holds, unfitting
from formloop.workflows.nodes.parallel import BRANCHES
from formloop.workflows.spec import Child, Entry, Node, Visit, World


class Inclusive(Node):
    """A step that walks all branches that fit."""

    name = "inclusive"
    title = M("Inclusive branches")
    icon = "git-merge"
    color = "secondary"
    required = ("branches",)
    block = True
    schema: ClassVar[Mapping[str, Any]] = {"branches": BRANCHES}

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """At most one branch without a condition."""
        others = [index for index, branch in enumerate(doc["branches"]) if "when" not in branch]
        text = M("Only one branch can be the one for everything else.")
        return [Problem("when", f"{at}.branches.{index}", text) for index in others[1:]]

    def enter(self, visit: Visit, world: World) -> Entry:
        """Begin the branches that fit; a condition that cannot be calculated stops the case."""
        fitting = []
        for branch in visit.step.branches:
            if branch.broken:
                return Entry(stuck=unfitting(visit))
            try:
                if branch.when is not None and holds(branch, visit, world):
                    fitting.append(branch)
            except EvaluationError as error:
                return Entry(stuck=error.message)
        chosen = fitting or [each for each in visit.step.branches if each.when is None]
        if not chosen:
            return Entry(next=visit.step.next)
        return Entry(inside=tuple(Child(branch.first) for branch in chosen))

    def back(self, visit: Visit, world: World) -> Entry:
        """Go on when the last of them is back."""
        return Entry(stays=True) if visit.token.inside else Entry(next=visit.step.next)
