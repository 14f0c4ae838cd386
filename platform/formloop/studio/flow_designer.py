"""The designer of workflows: a vertical tree of cards with a plus on each line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from formloop.access import signing
from formloop.access.actor import SYSTEM
from formloop.core.definitions import Path
from formloop.core.text import M, localized
from formloop.definitions.editor import empty_value
from formloop.studio.designer import FIXED, Act, Designer, Gesture, Made, designers
from formloop.studio.flow_words import say_step
from formloop.studio.formula import Scope, scope_at
from formloop.studio.operations import Operation, apply, find, write_path
from formloop.studio.pickers import Around
from formloop.studio.places import resolve
from formloop.studio.shapes import listing, mapping
from formloop.studio.vocabulary import Vocabulary
from formloop.workflows.nodes import nodes

UNSAID = M("Choose when this branch is taken.")
DEFAULT_WHO = {"rule": "head", "level": 1}  # whom most firms ask first


@dataclass(frozen=True, slots=True)
class Card:
    """A step on the canvas, with its branches or its body."""

    at: str
    title: str
    icon: str
    color: str
    says: str
    kind: str  # what it is, in words
    ways: "list[Way]"
    branches: str = ""  # where branches are added, if it has some


@dataclass(frozen=True, slots=True)
class Way:
    """A sequence of cards; a branch has a place and a condition of its own."""

    at: str
    title: str
    when: str  # its condition in words
    ordered: bool  # whether only the first that fits is taken
    steps: str  # where its steps stand
    cards: list[Card]


class FlowDesigner(Designer):
    """Draws workflows."""

    canvas = "studio/_flow_canvas.html"
    whole = False
    without = FIXED | {"steps", "branches", "id", "node"}

    def shown(self, around: Around) -> Mapping[str, Any]:
        """The tree, and the kinds of steps a plus offers."""
        offers = [(each.name, each.title, each.icon, each.color) for each in nodes]
        cards = _cards(("steps",), around.doc.get("steps"), around)
        return {"cards": cards, "offers": offers, "form": localized(around.form, "title", around.locale)}

    def selected(self, around: Around, at: Path) -> Path:
        """The step or branch that a place lies in."""
        found: Path = ()
        for length in range(2, len(at) + 1, 2):
            thing = find(around.doc, at[:length], around.kind.identities)
            if at[length - 2] not in ("steps", "branches") or not isinstance(thing, dict):
                break
            found = (*found, at[length - 2], str(thing.get("id", at[length - 1])))
        return found

    def scope(self, around: Around, at: Path) -> Scope:
        """Expressions see the record of the case, also in a step that is about another form."""
        return super().scope(replace(around, beside={}), at)

    def gestures(self) -> Mapping[str, Act]:
        """Gestures on steps; on other parts those of every designer."""
        return {**super().gestures(), **GESTURES}


def _cards(at: Path, steps: Any, around: Around, depth: int = 0) -> list[Card]:
    if depth > 12:
        return []
    found = []
    for number, step in enumerate(listing(steps)):
        said = mapping(step)
        place = (*at, str(said.get("id", number)))
        node = nodes.find(str(said.get("node")))
        blocks = "branches" in said or (node is not None and "branches" in node.schema)
        found.append(
            Card(
                at=write_path(place),
                title=localized(said, "title", around.locale)
                or (node.title.render(around.locale) if node else "?"),
                icon=node.icon if node else "help-circle",
                color=node.color if node else "secondary",
                says=say_step(said, around),
                kind=node.title.render(around.locale) if node else "",
                ways=_ways(place, said, around, depth),
                branches=write_path((*place, "branches")) if blocks else "",
            )
        )
    return found


def _ways(at: Path, said: Mapping[str, Any], around: Around, depth: int) -> list[Way]:
    if "steps" in said:
        inside = (*at, "steps")
        return [Way("", "", "", False, write_path(inside), _cards(inside, said["steps"], around, depth + 1))]
    ways = []
    for number, each in enumerate(listing(said.get("branches"))):
        branch = mapping(each)
        place = (*at, "branches", str(branch.get("id", number)))
        inside = (*place, "steps")
        ways.append(
            Way(
                write_path(place),
                localized(branch, "title", around.locale),
                _when(branch, around),
                said.get("node") == "condition",
                write_path(inside),
                _cards(inside, branch.get("steps"), around, depth + 1),
            )
        )
    return ways


def _when(branch: Mapping[str, Any], around: Around) -> str:
    """When a branch is taken."""
    if "when" not in branch:
        return ""
    scope = scope_at(around, ("when",))
    words = Vocabulary(scope, around.locale, signing.find_current() or SYSTEM)
    return words.say(str(branch["when"])) or UNSAID.render(around.locale)


def _add(gesture: Gesture) -> Made:
    """A new step of a kind, complete enough to be published where that is possible."""
    node, around = nodes.get(gesture.text("node")), gesture.around
    schema = next(
        resolve(each, around.kind.schema)
        for each in around.kind.schema["$defs"]["step"]["anyOf"]
        if each["properties"]["node"]["const"] == node.name
    )
    step = {**mapping(empty_value(schema, around.kind.schema)), "id": node.name, "node": node.name}
    if "who" in node.required:
        step["who"] = [dict(DEFAULT_WHO)]
    if "fields" in node.schema:
        step["fields"] = {"*": "view"}  # whoever is asked sees what about, with or without a role on the form
    if "branches" in node.schema:
        step["branches"] = _first_branches(node.name)
    if "state" in node.required:
        step["state"] = "confirmed"
    operation = Operation("add", gesture.at, step, before=gesture.text("before"))
    return apply(around.doc, [operation], around.kind.identities)


def _first_branches(node: str) -> list[dict[str, Any]]:
    """Two ways: with conditions the second is for everything else."""
    first: dict[str, Any] = {"id": f"{node}_a", "steps": []}
    if node != "parallel":
        first["when"] = ""
    return [first, {"id": f"{node}_b", "steps": []}]


def _branch(gesture: Gesture) -> Made:
    """One more branch in front of the one without a condition."""
    around = gesture.around
    there = listing(find(around.doc, gesture.at, around.kind.identities))
    conditions = any("when" in mapping(each) for each in there)
    last = mapping(there[-1]) if there else {}
    branch: dict[str, Any] = {"id": "branch", "steps": []}
    if conditions:
        branch["when"] = ""
    before = str(last.get("id", "")) if conditions and "when" not in last else ""
    return apply(around.doc, [Operation("add", gesture.at, branch, before=before)], around.kind.identities)


def _shift(gesture: Gesture) -> Made:
    """The step or branch one place earlier or later among its siblings."""
    around, at = gesture.around, gesture.at
    siblings = listing(find(around.doc, at[:-1], around.kind.identities)) if at else []
    ids = [str(mapping(each).get("id", number)) for number, each in enumerate(siblings)]
    if at and at[-1] in ids:
        wanted = ids.index(at[-1]) + (-1 if gesture.text("by") == "-1" else 1)
        others: Sequence[str] = [each for each in ids if each != at[-1]]
        places = len(ids) - _ends_with_otherwise(siblings)
        if 0 <= wanted < places and ids.index(at[-1]) < places:
            before = others[wanted] if wanted < len(others) else ""
            return apply(around.doc, [Operation("move", at, before=before)], around.kind.identities)
    return around.doc, at


def _ends_with_otherwise(branches: Sequence[Any]) -> bool:
    """Whether the last branch is the one for all other cases: it stays the last one."""
    said = [mapping(each) for each in branches]
    return bool(said) and "when" not in said[-1] and any("when" in each for each in said)


def _plain(do: str) -> Act:
    def act(gesture: Gesture) -> Made:
        around = gesture.around
        doc, at = apply(around.doc, [Operation(do, gesture.at)], around.kind.identities)
        return doc, () if do == "remove" else at

    return act


GESTURES: Mapping[str, Act] = {
    "step-add": _add,
    "branch-add": _branch,
    "step-shift": _shift,
    "step-duplicate": _plain("duplicate"),
    "step-remove": _plain("remove"),
}
designers.add("workflow", FlowDesigner())
