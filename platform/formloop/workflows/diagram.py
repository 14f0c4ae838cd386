"""The tree of a case's workflow, each step with how far the case came there: what the page draws."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.engine import Row

from formloop.access import people
from formloop.core.text import Message, localized
from formloop.workflows import cases
from formloop.workflows.kind import get_version
from formloop.workflows.spec import Step, Workflow
from formloop.workflows.state import State

BEGINS = ("submit", "restart", "reactivate")


@dataclass(frozen=True, slots=True)
class Place:
    """A step as it is drawn. `way`: done, now, stuck, against or ahead; `branches` are those of a block, in order."""

    id: str
    title: str
    kind: Message
    icon: str
    color: str
    way: str
    who: str = ""
    branches: tuple["Way", ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """A branch: its title, whether the case went there, and its places."""

    title: str
    taken: bool
    places: tuple[Place, ...]


def draw(found: Row[Any], locale: str) -> tuple[Place, ...]:
    """The tree of a case by the version it runs by."""
    workflow, state = get_version(found.workflow, found.version), State.from_json(found.state)
    names = people.names_of(
        {s.person for s in state.seats} | {p for hands in state.hands.values() for p in hands}
    )
    seen = _seen(cases.list_notes(found.id))
    pen = _Pen(workflow, state, seen, names, locale)
    return pen.places(workflow.document.get("steps", ()))


def _seen(notes: Iterable[Row[Any]]) -> Mapping[str, str]:
    """The steps the case came to since it was last submitted, with what happened last there."""
    found: dict[str, str] = {}
    for note in notes:
        if note.action in BEGINS:
            found.clear()
        elif note.step:
            found[note.step] = note.action
    return found


@dataclass(frozen=True, slots=True)
class _Pen:
    workflow: Workflow
    state: State
    seen: Mapping[str, str]
    names: Mapping[int, str]
    locale: str

    def places(self, documents: Sequence[Mapping[str, Any]]) -> tuple[Place, ...]:
        """A sequence: what needs nobody was passed where something behind it was reached."""
        found = [self._place(each) for each in documents]
        reached = False
        for index in range(len(found) - 1, -1, -1):
            step = self.workflow.steps.get(found[index].id)
            if reached and found[index].way == "ahead" and step is not None and not step.node.actions:
                found[index] = replace(found[index], way="done")
            reached = reached or found[index].way != "ahead"
        return tuple(found)

    def _place(self, document: Mapping[str, Any]) -> Place:
        step = self.workflow.steps[document["id"]]
        branches = tuple(self._way(each) for each in self._branches(step))
        way = self._how_far(step)
        if way == "ahead" and any(each.taken for each in branches):
            way = "done"
        node = step.node
        return Place(
            step.id,
            step.title(self.locale),
            node.title,
            node.icon,
            node.color,
            way,
            self._who(step),
            branches,
        )

    def _branches(self, step: Step) -> Sequence[Mapping[str, Any]]:
        if "steps" in step.document:
            return [{"steps": step.document["steps"]}]
        return list(step.document.get("branches", ()))

    def _way(self, document: Mapping[str, Any]) -> Way:
        places = self.places(document.get("steps", ()))
        title = localized(document, "title", self.locale)  # a condition may name fields that are hidden here
        return Way(title, any(each.way != "ahead" for each in places), places)

    def _how_far(self, step: Step) -> str:
        here = [each for each in self.state.tokens if each.at == step.id]
        if here:
            return "stuck" if any(each.stuck for each in here) else "now"
        said = self.seen.get(step.id)
        if said == "reject" and self.state.status == "rejected":
            return "against"
        if step.id in self.state.passed or (said and (not step.node.actions or said in PASSED)):
            return "done"
        return "ahead"

    def _who(self, step: Step) -> str:
        sits = [s.person for t in self.state.tokens if t.at == step.id for s in t.seats if s.state == "open"]
        who = sits or list(self.state.hands.get(step.id, ()))
        return ", ".join(self.names.get(each, "") for each in who[:4]) + (" …" if len(who) > 4 else "")


PASSED = ("approve", "passed", "repeated", "skip", "due_approve")
