"""The designer of forms: bricks on a canvas, types in a palette."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from formloop.core.definitions import Path
from formloop.core.errors import NotFound
from formloop.core.text import M, Message, localized
from formloop.forms.fields import find_type, type_of, types
from formloop.forms.layout import marks
from formloop.studio import form_design, form_rows, list_canvas, numbering
from formloop.studio.designer import FIXED, Act, Designer, Gesture, Made, designers
from formloop.studio.operations import Operation, find, write_path
from formloop.studio.panel import Panel, open_panel
from formloop.studio.pickers import Around
from formloop.studio.places import Schema
from formloop.studio.shapes import mapping, texts

GROUPS = {"basic": M("Basic fields"), "advanced": M("Advanced fields")}


@dataclass(frozen=True, slots=True)
class Brick:
    """A field on the canvas."""

    at: str
    key: str
    title: str
    icon: str
    kind: str
    width: int
    required: bool
    hint: str
    tall: bool
    conditional: bool
    columns: "list[Brick] | None" = None
    mark: str = ""  # which kind of mark of the layout it is, if it is none of the fields


class FormDesigner(Designer):
    """Draws forms."""

    canvas = "studio/_form_canvas.html"
    whole = False
    without = FIXED | {"properties", "required", "x-layout", "x-examples"}

    def canvas_at(self, at: Path) -> str:
        """The list while it is designed, else the form."""
        return "studio/_list_canvas.html" if _is_list(at) else self.canvas

    def shown(self, around: Around) -> Mapping[str, Any]:
        """The list, or the rows of bricks; and the palette."""
        if _is_list(around.at):
            return {**list_canvas.draw(around), "palette": _palette()}
        doc, locale = around.doc, around.locale
        fields, required = mapping(doc.get("properties")), texts(doc.get("required"))
        known = form_rows.marks_of(doc)
        rows = [
            [
                _mark(known[key], locale)
                if key in known
                else _brick(
                    ("properties", key),
                    fields[key],
                    locale,
                    form_rows.width_of(doc, key, row),
                    key in required,
                )
                for key in row
            ]
            for row in form_rows.rows_of(doc)
        ]
        return {"rows": rows, "palette": _palette(), "title": localized(doc, "title", locale)}

    def panel(self, around: Around, at: Path) -> Panel | None:
        """A field's panel shows what its type can use."""
        panel = super().panel(around, at)
        if panel is not None and not at:
            return replace(panel, schema=_short_first(panel.schema))
        if panel is not None and form_rows.is_mark(at):
            return replace(panel, without=panel.without | {"id"})
        if panel is None or not form_design.is_field(at):
            return panel
        value = mapping(panel.value)
        must = at[-1] in texts(find(around.doc, (*at[:-2], "required"), {}))
        schema = form_design.field_schema(panel.schema, value)
        value = {**value, form_design.MUST: must}
        if len(at) == 2:
            row = next((row for row in form_rows.rows_of(around.doc) if at[1] in row), [at[1]])
            value["x-width"] = form_rows.width_of(around.doc, at[1], row)
        else:
            schema = {
                **schema,
                "properties": {k: v for k, v in schema["properties"].items() if k != "x-width"},
            }
        return replace(panel, schema=schema, value=value)

    def types(self, around: Around, at: Path) -> list[tuple[str, str, bool]]:
        """The types that the selected field may have."""
        at = self.selected(around, at)
        if form_rows.is_mark(at):
            return []
        field = mapping(find(around.doc, at, {})) if at else {}
        now = type_of(field)
        return [
            (name, types.get(name).title.render(around.locale), name == now)
            for name in (form_design.other_types(field) if field else ())
        ]

    def selected(self, around: Around, at: Path) -> Path:
        """The field, or the mark of the layout, that a place lies in."""
        if at[:1] == ("x-layout",) and form_rows.name_at(at[:2]) in form_rows.marks_of(around.doc):
            return at[:2]
        for length in (5, 2):
            if form_design.is_field(at[:length]) and find(around.doc, at[:length], {}) is not None:
                return at[:length]
        return ()

    def write(self, gesture: Gesture, operations: list[Operation]) -> Made:
        """A field's panel also says whether it is required, and its label may change its key."""
        doc, at = gesture.around.doc, gesture.at
        if not form_design.is_field(at):
            made, at = super().write(gesture, operations)
            return form_design.without_empty_part(made, at), at
        form_design.require_field(doc, at)
        fixed = find(gesture.published, at, {}) is not None
        return form_design.write_field(doc, at, operations, fixed)

    def gestures(self) -> Mapping[str, Act]:
        """Gestures on fields; on other parts those of every designer."""
        return {**super().gestures(), **GESTURES}


def _is_list(at: Path) -> bool:
    return at[:1] == ("x-list",)


def _palette() -> list[tuple[Message, list[tuple[str, str, Message]]]]:
    found = [
        (title, [(each.name, each.icon, each.title) for each in types if each.group == group])
        for group, title in GROUPS.items()
    ]
    return [
        *found,
        (M("Layout"), [(f"{form_rows.MARK}{each.name}", each.icon, each.title) for each in marks]),
    ]


def _short_first(schema: Schema) -> Schema:
    """What belongs to the form as a whole: the lists of states and checks may be long, so they come last."""
    said = mapping(schema.get("properties"))
    last = {key: said[key] for key in ("x-states", "x-checks") if key in said}
    return {**schema, "properties": {**{k: v for k, v in said.items() if k not in last}, **last}}


def _brick(at: Path, said: Any, locale: str, width: int, required: bool) -> Brick:
    field = mapping(said)
    kind = find_type(field)
    columns = None
    if kind is not None and kind.name == "subform":
        items = mapping(field.get("items"))
        must = texts(items.get("required"))
        columns = [
            _brick((*at, "items", "properties", key), each, locale, 12, key in must)
            for key, each in mapping(items.get("properties")).items()
        ]
    return Brick(
        at=write_path(at),
        key=at[-1],
        title=localized(field, "title", locale) or at[-1],
        icon=kind.icon if kind else "help-circle",
        kind=kind.title.render(locale) if kind else type_of(field),
        width=width,
        required=required,
        hint=localized(field, "description", locale),
        tall=kind is not None and kind.name in form_design.WIDE,
        conditional="x-visible" in field,
        columns=columns,
    )


def _mark(said: Mapping[str, Any], locale: str) -> Brick:
    kind = marks.find(str(said.get("is")))
    word = kind.title.render(locale) if kind else str(said.get("is"))
    return Brick(
        at=write_path(("x-layout", said["id"])),
        key=f"{form_rows.MARK}{said['id']}",
        title=localized(said, "title", locale) or word,
        icon=kind.icon if kind else "help-circle",
        kind=word,
        width=form_rows.ROW,
        required=False,
        hint="",
        tall=False,
        conditional=False,
        mark=str(said.get("is")),
    )


def _add(gesture: Gesture) -> Made:
    name = gesture.text("type")
    if name.startswith(form_rows.MARK):
        near = gesture.text("after"), gesture.text("before")
        return form_rows.add_mark(gesture.around.doc, name[1:], gesture.around.locale, *near)
    return form_design.add_field(
        gesture.around.doc,
        name,
        gesture.around.locale,
        after=gesture.text("after"),
        into=gesture.text("into"),
        before=gesture.text("before"),
    )


def _place(gesture: Gesture) -> Made:
    doc, at = gesture.around.doc, gesture.at
    form_design.require_part(doc, at)
    if len(at) != 2:
        return doc, at
    below = bool(gesture.text("below"))
    return form_rows.place(
        doc, form_rows.name_at(at), gesture.text("after"), gesture.text("before"), below=below
    ), at


def _shift(gesture: Gesture) -> Made:
    form_design.require_part(gesture.around.doc, gesture.at)
    return form_design.shift(
        gesture.around.doc, gesture.at, -1 if gesture.text("by") == "-1" else 1
    ), gesture.at


def _duplicate(gesture: Gesture) -> Made:
    form_design.require_part(gesture.around.doc, gesture.at)
    return form_design.duplicate_field(gesture.around.doc, gesture.at)


def _remove(gesture: Gesture) -> Made:
    form_design.require_part(gesture.around.doc, gesture.at)
    return form_design.remove_field(gesture.around.doc, gesture.at), ()


def _retype(gesture: Gesture) -> Made:
    around = gesture.around
    panel = open_panel(around, gesture.at, FIXED)
    if panel is None:
        raise NotFound
    return form_design.retype(around.doc, gesture.at, gesture.text("type"), panel.schema), gesture.at


def _number(gesture: Gesture) -> Made:
    form_design.require_part(gesture.around.doc, gesture.at[:-1])
    return numbering.write_numbering(gesture)


GESTURES: Mapping[str, Act] = {
    "field-add": _add,
    "field-type": _retype,
    "field-place": _place,
    "field-shift": _shift,
    "field-duplicate": _duplicate,
    "field-remove": _remove,
    "numbering": _number,
}
designers.add("form", FormDesigner())
