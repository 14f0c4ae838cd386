"""The layout of a form draft as rows of names: fields by their keys, marks by their ids behind an @.

A mark stands in a row of its own, so moving one is moving any field.
"""

from collections.abc import Mapping
from typing import Any

from formloop.core.definitions import Doc, Path
from formloop.core.errors import NotFound
from formloop.core.keys import suggest_key
from formloop.forms.layout import marks
from formloop.studio.shapes import listing, mapping, texts

ROW = 12  # parts of the width of a row
MARK = "@"


def is_mark(at: Path) -> bool:
    """Whether a place is a mark in the layout."""
    return len(at) == 2 and at[0] == "x-layout"


def name_at(at: Path) -> str:
    """The name that a field or a mark has in the rows."""
    return f"{MARK}{at[1]}" if is_mark(at) else at[-1]


def marks_of(doc: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The marks of the layout by name."""
    return {
        f"{MARK}{each['id']}": each
        for each in listing(doc.get("x-layout"))
        if isinstance(mapping(each).get("id"), str)
    }


def rows_of(doc: Mapping[str, Any]) -> list[list[str]]:
    """The layout with every field in it: those not placed have rows of their own at the end."""
    fields = mapping(doc.get("properties"))
    rows: list[list[str]] = []
    for part in listing(doc.get("x-layout")):
        if isinstance(mapping(part).get("id"), str):
            rows.append([f"{MARK}{part['id']}"])
        else:
            rows.append([key for key in texts(part) if key in fields])
    placed = {key for row in rows for key in row}
    return [row for row in rows if row] + [[key] for key in fields if key not in placed]


def width_of(doc: Mapping[str, Any], key: str, row: list[str]) -> int:
    """How much of its row a field takes."""
    if key.startswith(MARK):
        return ROW
    said = mapping(mapping(doc.get("properties")).get(key)).get("x-width")
    return said if isinstance(said, int) and 1 <= said <= ROW else max(1, ROW // len(row))


def place(doc: Doc, key: str, after: str = "", before: str = "", width: int = 0, below: bool = False) -> Doc:
    """The field in the row of another one where it has room (unless `below`), else in a row of its own."""
    rows = rows_of(doc)
    if key not in mapping(doc.get("properties")) and key not in marks_of(doc):
        raise NotFound
    old = next((row for row in rows if key in row), [key])
    width = width or width_of(doc, key, old)
    widths = {each: width_of(doc, each, row) for row in rows for each in row} | {key: width}
    rows = [kept for row in rows if (kept := [each for each in row if each != key])]
    near = after or before
    number = next((i for i, row in enumerate(rows) if near in row), len(rows) - 1 if not near else -1)
    if number < 0:
        rows.append([key])
    elif not below and sum(widths[each] for each in rows[number]) + width <= ROW:
        place = rows[number].index(near) + (1 if after else 0) if near else len(rows[number])
        rows[number].insert(place, key)
    else:
        rows.insert(number if before else number + 1, [key])
    return laid_out(doc, rows, widths)


def laid_out(doc: Doc, rows: list[list[str]], widths: Mapping[str, int]) -> Doc:
    """The form with these rows, and of each field its width where the row does not give it."""
    fields, known = mapping(doc.get("properties")).copy(), marks_of(doc)
    for row in rows:
        for key in row:
            if key in known:
                continue
            said = {name: each for name, each in mapping(fields[key]).items() if name != "x-width"}
            fields[key] = said if widths[key] == ROW // len(row) else {**said, "x-width": widths[key]}
    return {**doc, "properties": fields, "x-layout": [known.get(row[0], row) for row in rows]}


def add_mark(doc: Doc, name: str, locale: str, after: str = "", before: str = "") -> tuple[Doc, Path]:
    """A new mark of a kind: behind or in front of something, or at the end."""
    kind = marks.get(name)
    taken = {*mapping(doc.get("properties")), *(each[1:] for each in marks_of(doc))}
    made = suggest_key(name, taken, name)
    title = {} if name == "divider" else {"title": kind.title.render(locale)}
    there = [
        row if len(row) > 1 or row[0] not in marks_of(doc) else marks_of(doc)[row[0]] for row in rows_of(doc)
    ]
    doc = {**doc, "x-layout": [*there, {"id": made, "is": name, **title}]}
    if after or before:
        doc = place(doc, f"{MARK}{made}", after=after, before=before)
    return doc, ("x-layout", made)


def without(doc: Doc, name: str) -> Doc:
    """The form without a name in its layout."""
    return renamed(doc, name, "")


def renamed(doc: Doc, name: str, to: str) -> Doc:
    """The form with a name of its layout changed; taken out where `to` is empty."""
    if "x-layout" not in doc:
        return doc
    known, rows = marks_of(doc), list[Any]()
    for part in listing(doc["x-layout"]):
        if isinstance(part, dict):
            rows += [part] if known.get(name) is not part else []
        elif row := [new for each in texts(part) if (new := to if each == name else each)]:
            rows.append(row)
    return {**doc, "x-layout": rows}
