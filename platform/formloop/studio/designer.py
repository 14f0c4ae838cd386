"""The contract of a designer: what it draws of a draft, and what its gestures make of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from werkzeug.datastructures import MultiDict

from formloop.core.definitions import Doc, Path, parse
from formloop.core.errors import Invalid, Problem
from formloop.core.keys import suggest_key
from formloop.core.registry import Registry
from formloop.studio.formula import Scope, scope_at
from formloop.studio.operations import Operation, apply, read_path
from formloop.studio.panel import Panel, open_panel
from formloop.studio.pickers import Around, Option, pickers
from formloop.studio.places import resolve, schema_at
from formloop.studio.shapes import mapping

Given = MultiDict[str, str]
Made = tuple[Doc, Path]  # the document, and the place to show
FIXED = frozenset({"x-kind", "x-id", "x-key", "x-format", "$schema", "type"})


@dataclass(frozen=True, slots=True)
class Gesture:
    """One thing a builder did: what was sent with it, on which document."""

    around: Around
    given: Given
    published: Doc | None

    def text(self, name: str) -> str:
        """A word that was sent."""
        return self.given.get(name, "")[:500]

    @property
    def at(self) -> Path:
        """The place it is about."""
        return read_path(self.text("at"))


Act = Callable[[Gesture], Made]


class Designer:
    """How a kind of definition is shaped; this one, by panels alone, is for kinds that have no other."""

    canvas: ClassVar[str] = "studio/_plain.html"
    whole: ClassVar[bool] = True  # whether the canvas is the panel of the whole definition
    without: ClassVar[frozenset[str]] = FIXED

    def opened(self, doc: Doc) -> Doc:
        """A document as its panels show it: what may be written shortly is written out."""
        return doc

    def closed(self, doc: Doc) -> Doc:
        """A document as it is kept, after a gesture on it opened."""
        return doc

    def canvas_at(self, at: Path) -> str:
        """The template of the canvas while a place is selected."""
        return self.canvas

    def shown(self, around: Around) -> Mapping[str, Any]:
        """What the canvas draws while `around.at` is selected."""
        panel = self.panel(around, ())
        return {"parts": panel.parts() if panel else []}

    def panel(self, around: Around, at: Path) -> Panel | None:
        """The panel of a place; what says which definition it is stands on top alone."""
        return open_panel(around, at, self.without - FIXED if at else self.without)

    def warnings(self, around: Around) -> list[Problem]:
        """What is sound, and yet hardly meant."""
        return []

    def types(self, around: Around, at: Path) -> list[tuple[str, str, bool]]:
        """What the selected thing may become: names, words, and which one it is."""
        return []

    def scope(self, around: Around, at: Path) -> Scope:
        """What an expression at a place can name and should give."""
        return scope_at(around, at)

    def selected(self, around: Around, at: Path) -> Path:
        """The thing on the canvas that a place belongs to."""
        return ()

    def write(self, gesture: Gesture, operations: list[Operation]) -> Made:
        """Keep what a panel changed."""
        doc, _ = apply(gesture.around.doc, operations, gesture.around.kind.identities)
        return doc, gesture.at

    def gestures(self) -> Mapping[str, Act]:
        """What can be done to a document, by name."""
        return ACTS


def _change(do: str) -> Act:
    def act(gesture: Gesture) -> Made:
        said = gesture.given.get("value", "null")
        value = parse(said)
        if value.problems:
            raise Invalid(value.problems)
        operation = Operation(
            do,
            gesture.at,
            value.doc,
            gesture.text("name"),
            gesture.text("before"),
            read_path(gesture.text("to")) if "to" in gesture.given else None,
        )
        return apply(gesture.around.doc, [operation], gesture.around.kind.identities)

    return act


def _add_named(gesture: Gesture) -> Made:
    """Something new in an object, its key made from what it is called."""
    said, title = parse(gesture.given.get("value", "null")), gesture.text("title").strip()
    if said.problems or not title or not isinstance(said.doc, dict):
        raise Invalid(said.problems)
    around = gesture.around
    holder = schema_at(around.kind.schema, around.doc, gesture.at) or {}
    inner = resolve(mapping(holder.get("additionalProperties")), around.kind.schema, said.doc)
    called = {"title": title} if "title" in mapping(inner.get("properties")) else {}
    operation = Operation("add", gesture.at, {**called, **said.doc}, suggest_key(title, ()))
    return apply(gesture.around.doc, [operation], gesture.around.kind.identities)


ACTS: Mapping[str, Act] = {do: _change(do) for do in ("set", "add", "remove", "move", "duplicate")} | {
    "add-named": _add_named
}
designers: Registry[Designer] = Registry("designer")
PLAIN = Designer()


def _named(around: Around) -> list[Option]:
    """What an expression can name beside the place that is asked for."""
    kind = around.kind.name
    return designer_of(kind).scope(replace(around, beside={}), (*around.at, "", "")).fields


def designer_of(kind: str) -> Designer:
    """The designer of a kind of definition."""
    return designers.find(kind) or PLAIN


pickers.add("named", _named)
