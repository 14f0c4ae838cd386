"""Columns of a dataset as fields: what each shows decides its title and how it is drawn, unless the dataset says otherwise."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from formloop.core.expression import (
    BOOL,
    DATE,
    DATETIME,
    NUMBER,
    TEXT,
    Expression,
    ListType,
    Path,
    RecordType,
    Type,
)
from formloop.core.expression.nodes import Call, Name
from formloop.core.text import LOCALES, M, Message, localized
from formloop.datasets.document import DOCUMENT
from formloop.datasets.spec import PARAMETERS, Origin, Part
from formloop.forms.fields import types
from formloop.forms.spec import Field, Relation
from formloop.forms.system_fields import SYSTEM_TITLES, titled

SHOWS = {"amount": types.get("amount"), "document": DOCUMENT}  # how a column may be drawn
WORDS: Mapping[str, Message] = {  # what rows name and is no field of anybody
    **SYSTEM_TITLES,
    "revision": M("Revision"),
    "position": M("Line number"),
    "reserved": M("Reserved"),
    "expected": M("Expected"),
    "variance": M("Variance"),
    "date": M("Date"),
    "due": M("Due on"),
    "form": M("Form of the document"),
    "record": M("Record"),
    "line": M("Line"),
    "pending": M("Still pending"),
    "goes_back": M("Takes something back"),
    "movement": M("Document of the movement"),
    "moved": M("Quantity of the movement"),
    "closed_through": M("Closed through"),
    "total": M("Total"),
    "left": M("Left open"),
}
_SHOWN = {NUMBER: "number", TEXT: "text", BOOL: "switch", DATE: "datetime", DATETIME: "datetime"}
_FOLDS = ("SUM", "SUMIF", "MIN", "MAX", "AVERAGE", "AVERAGEIF")


def kept(kind: Type) -> Type:
    """The type of a column, whatever it was a list over."""
    return ListType(kind.of) if isinstance(kind, ListType) else kind


def single(kinds: Mapping[str, Type]) -> dict[str, Type]:
    """The columns that can be calculated with."""
    return {key: kind for key, kind in kinds.items() if not isinstance(kind, ListType)}


def shown(key: str, said: Any, kind: Type, found: Field | None) -> Field:
    """A column as a field: what it shows decides its title and how it is drawn, unless said otherwise."""
    found = found or _plain_field(key, kind)
    said = {} if isinstance(said, str) else said
    own = {word: said[word] for word in ("title", "x-title") if word in said}
    if own:
        own.setdefault("x-title", {})
    if said.get("total"):
        own["x-total"] = True
    if "shows" in said:
        found = replace(found, type=SHOWS[said["shows"]])
    if "x-titles" in said:
        own |= {"x-titles": said["x-titles"], "enum": list(said["x-titles"])}
        found = replace(found, type=types.get("dropdown"), choices=tuple(said["x-titles"]), relation=None)
    kept = {word: value for word, value in found.schema.items() if word != "x-total"}
    return replace(found, key=key, path=key, schema={**kept, **own}, formula=None)


def source_field(part: Part | None, key: str) -> Field | None:
    """The field that a column shows as it stands."""
    tree = part.columns[key].tree if part else None
    if part is None or not isinstance(tree, Name):
        return None
    for join in part.joins:
        if tree.path[0] == join.name:
            return _named(join.origin, tree.path[1:], part.columns[key].type) if len(tree.path) > 1 else None
    return None if tree.path[0] == PARAMETERS else _named(part.origin, tree.path, part.columns[key].type)


def _named(origin: Origin, path: Path, kind: Type) -> Field | None:
    """The field at a path, or what every row has there under a name of its own."""
    found, word = origin.find_field(path), WORDS.get(path[-1])
    if found is not None or word is None:
        return found
    plain = _plain_field(path[-1], kind)
    return replace(plain, schema={**plain.schema, **titled(word)})


def told_apart(fields: Mapping[str, Field], holders: Mapping[str, Mapping[str, Any]]) -> dict[str, Field]:
    """The fields, those of one title with what `holders` say that they belong to: “Customer · Name”, “Item · Name”."""
    often = Counter(field.title(LOCALES[0]) for field in fields.values())
    return {
        key: _of_holder(field, holders[key])
        if key in holders and often[field.title(LOCALES[0])] > 1
        else field
        for key, field in fields.items()
    }


def _of_holder(field: Field, holder: Mapping[str, Any]) -> Field:
    words = {each: f"{localized(holder, 'title', each)} · {field.title(each)}" for each in LOCALES}
    title, *others = words.values()
    return replace(
        field, schema={**field.schema, "title": title, "x-title": dict(zip(LOCALES[1:], others, strict=True))}
    )


def holder_of(part: Part, key: str, sources: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What the field that a column shows belongs to: the relation it is read through, or the source that is joined."""
    tree = part.columns[key].tree
    if not isinstance(tree, Name) or len(tree.path) < 2 or tree.path[0] == PARAMETERS:
        return None
    for join in part.joins:
        if tree.path[0] == join.name:
            found = join.origin.find_field(tree.path[1:-1]) if len(tree.path) > 2 else None
            return found.schema if found else sources.get(join.name)
    found = part.origin.find_field(tree.path[:-1])
    return found.schema if found else None


def folded_field(key: str, measure: Expression, fields: Mapping[str, Field]) -> Field | None:
    """A total looks like the column it is the total of; only a sum also has its name."""
    tree = measure.tree
    inner = tree.arguments[0] if isinstance(tree, Call) and tree.name in _FOLDS else None
    if not isinstance(tree, Call) or not isinstance(inner, Name) or len(inner.path) > 1:
        return None
    found = fields.get(inner.path[0])
    if found is None or tree.name == "SUM":
        return found
    return replace(found, schema={**found.schema, **_plain_field(key, measure.type).schema, "x-title": {}})


def _plain_field(key: str, kind: Type) -> Field:
    """A field for a calculated column."""
    schema: dict[str, Any] = {"title": key.replace("_", " ").capitalize()}
    if isinstance(kind, RecordType):
        return Field(key, key, types.get("relation"), schema, relation=Relation(kind.name))
    if kind == DATE:
        schema["format"] = "date"
    if kind == DATETIME:
        schema["format"] = "date-time"
    return Field(key, key, types.get(_SHOWN.get(kind, "text")), schema)
