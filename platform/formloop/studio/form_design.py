"""What a builder does to a form: fields come, move and go, with everything that names them."""

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from formloop.core.definitions import Doc, Path
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.keys import suggest_key
from formloop.core.text import M
from formloop.forms.fields import find_type, type_of, types
from formloop.forms.layout import marks
from formloop.studio.form_rows import (
    ROW,
    add_mark,
    is_mark,
    laid_out,
    marks_of,
    name_at,
    place,
    rows_of,
    width_of,
    without,
)
from formloop.studio.form_rows import renamed as renamed_in_layout
from formloop.studio.operations import Operation, apply, find
from formloop.studio.places import Schema
from formloop.studio.shapes import mapping, texts

MUST = "x-must"  # how a panel calls that a field stands in the list of required ones
WIDE = ("multiline", "rich_text", "subform", "query", "signature", "address", "location")
ELSEWHERE = ("x-linkage", "x-options")  # parts that a field can do without
_OF_TYPE = (
    "type",
    "x-type",
    "default",
    "x-default",
    "x-formula",
    "items",
    "enum",
)  # mean another thing in each type
_HINT = ("description", "x-description")
_FIRST = ("title", "x-title", MUST, *_HINT, "x-width")
_LAST = (
    "default",
    "x-default",
    "readOnly",
    "x-unique",
    "x-index",
    "x-visible",
    "x-required",
    "x-readonly",
    "x-aliases",
)
_BY_JSON: Mapping[str, tuple[str, ...]] = {
    "string": ("minLength", "maxLength", "pattern", "x-scan"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "x-total"),
    "array": ("minItems", "maxItems"),
}
_SAYS_NOTHING = (
    "title",
    "zh-CN",
    "description",
    "enum",
    "type",
    "x-type",
    "format",
    "pattern",
    "icon",
    "color",
)
_MUST: Schema = {"type": "boolean", "title": "Required", "x-title": {"zh-CN": "必填"}}


def field_schema(schema: Schema, field: Mapping[str, Any]) -> Schema:
    """Of everything a field may say, what a field of this type can use, in the order a panel shows it."""
    kind, all_keys = find_type(field), mapping(schema.get("properties"))
    if kind is None:
        return schema
    own: dict[str, Any] = {
        key: {**mapping(all_keys.get(key)), **said} for key, said in kind.options.items() if key != "x-titles"
    }
    if "x-titles" in kind.options:
        own = {"items" if kind.json_type == "array" else "enum": all_keys["enum"], **own}
    if kind.name == "calculation" or kind.numeric or kind.json_type == "string":
        own["x-formula"] = all_keys["x-formula"]
    json_type = "number" if kind.numeric else kind.json_type
    said = {key: all_keys[key] for key in (*_FIRST, *_BY_JSON.get(json_type, ()), *_LAST) if key in all_keys}
    if "x-linkage" in field or ("x-default" not in kind.unused and not kind.multiple):
        said["x-linkage"] = all_keys["x-linkage"]
    unused = [key for key in kind.unused if key not in field]
    first = {key: said.pop(key) for key in ("title", "x-title") if key in said}
    said["default"] = {**mapping(all_keys.get("default")), **_default(kind.json_type, field)}
    must = {} if "required" in kind.unused else {MUST: _MUST}
    used = {key: each for key, each in _ordered(said, own).items() if key not in unused}
    return {**schema, "properties": {**first, **must, **used}}


def _ordered(said: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    head: dict[str, Any] = {key: said.pop(key) for key in (*_HINT, "x-width") if key in said}
    return {**head, **own, **{key: each for key, each in said.items() if key not in own}}


def _default(json_type: str, field: Mapping[str, Any]) -> Schema:
    if json_type in ("number", "boolean"):
        return {"type": json_type}
    if json_type == "string" and texts(field.get("enum")):
        return {"enum": texts(field["enum"])}
    return {"type": "string"} if json_type == "string" else {"const": None}


def is_field(at: Path) -> bool:
    """Whether a place is a field of the form, or a column of its lines."""
    return at[:1] == ("properties",) and (
        len(at) == 2 or (len(at) == 5 and at[2:4] == ("items", "properties"))
    )


def add_field(
    doc: Doc, name: str, locale: str, after: str = "", into: str = "", before: str = ""
) -> tuple[Doc, Path]:
    """A new field of a type: behind or in front of another one, at the end, or as a column of lines."""
    kind = types.get(name)
    title = kind.title.render(locale)
    schema = {**_natural(name), "title": title}
    around: Path = ("properties", into, "items", "properties") if into else ("properties",)
    if into and find(doc, around[:2], {}) is None:
        raise NotFound
    key = suggest_key(title, mapping(find(doc, around, {})), name)
    doc, at = apply(doc, [Operation("add", around, schema, key)], {})
    if not into:
        wide = name in WIDE or kind.json_type == "array"
        doc = place(doc, at[-1], after=after, before=before, width=ROW if wide else ROW // 2)
    return doc, at


def other_types(field: Mapping[str, Any]) -> list[str]:
    """The types that a field may change to; lines stay lines."""
    return [] if type_of(field) == "subform" else [name for name in types.names() if name != "subform"]


def retype(doc: Doc, at: Path, name: str, schema: Schema) -> Doc:
    """The field as one of another type: what it is called and what both types can say stay.

    What people have entered is converted when this is published, and comes back when the change is taken back.
    """
    field = require_field(doc, at)
    if name not in other_types(field):
        raise NotFound
    bare = _natural(name)
    bare.pop("x-scale", None)  # the digits that are kept stay as they are: nothing is rounded by this
    sayable = mapping(field_schema(schema, bare).get("properties"))
    kept = {
        key: value
        for key, value in field.items()
        if key in sayable and key not in bare and key not in _OF_TYPE
    }
    choices = field.get("enum") or mapping(field.get("items")).get("enum")
    if choices and "enum" in bare:
        bare["enum"] = choices
    elif choices and "enum" in mapping(bare.get("items")):
        bare["items"] = {**bare["items"], "enum": choices}
    if choices and "x-titles" in field and "x-titles" in types.get(name).options:
        bare["x-titles"] = field["x-titles"]
    return apply(doc, [Operation("set", at, {**bare, **kept})], {})[0]


def _natural(name: str) -> dict[str, Any]:
    """A field of a type that says no more than it must."""
    kind = types.get(name)
    natural = {"type": kind.json_type, **deepcopy(dict(kind.sample))}
    if natural["type"] == "array" and "items" not in natural:
        natural["items"] = {"type": "string"}
    return {**natural, **({} if type_of(natural) == name else {"x-type": name})}


def shift(doc: Doc, at: Path, by: int) -> Doc:
    """The field one place earlier or later, as the keyboard moves it."""
    if len(at) == 5:
        names = list(mapping(find(doc, at[:-1], {})))
        if at[-1] not in names:
            raise NotFound
        wanted = names.index(at[-1]) + by
        if not 0 <= wanted < len(names):
            return doc
        others = [each for each in names if each != at[-1]]
        before = others[wanted] if wanted < len(others) else ""
        return apply(doc, [Operation("move", at, before=before, to=at[:-1])], {})[0]
    flat = [key for row in rows_of(doc) for key in row]
    name = name_at(at)
    if name not in flat:
        raise NotFound
    wanted = flat.index(name) + by
    if not 0 <= wanted < len(flat):
        return doc
    return place(doc, name, before=flat[wanted]) if by < 0 else place(doc, name, after=flat[wanted])


def duplicate_field(doc: Doc, at: Path) -> tuple[Doc, Path]:
    """A copy of the field behind it."""
    if is_mark(at):
        said = require_mark(doc, at)
        doc, copy = add_mark(doc, str(said["is"]), "en", after=name_at(at))
        return apply(doc, [Operation("set", copy, {**said, "id": copy[1]})], {})[0], copy
    doc, copy = apply(doc, [Operation("duplicate", at)], {})
    required = texts(find(doc, (*at[:-2], "required"), {}))
    if at[-1] in required:
        doc, _ = apply(doc, [Operation("set", (*copy[:-2], "required"), [*required, copy[-1]])], {})
    return (place(doc, copy[-1], after=at[-1]) if len(at) == 2 else doc), copy


def remove_field(doc: Doc, at: Path) -> Doc:
    """The form without the field, and without its place in layout, list and required fields."""
    if is_mark(at):
        return without(doc, name_at(at))
    doc, _ = apply(doc, [Operation("remove", at)], {})
    gone = at[-1]
    doc = set_required(doc, at, False)
    if len(at) == 2:
        doc = without(doc, gone)
        doc = _in_list(doc, lambda key: key if key.lstrip("-") != gone else "")
    return doc


def set_required(doc: Doc, at: Path, must: bool) -> Doc:
    """Whether the field must be filled in."""
    path = (*at[:-2], "required")
    now = texts(find(doc, path, {}))
    wanted = [key for key in now if key != at[-1]] + ([at[-1]] if must else [])
    if wanted == now or (not wanted and find(doc, path, {}) is None):
        return doc
    return apply(doc, [Operation("set", path, wanted)], {})[0]


def write_field(doc: Doc, at: Path, operations: list[Operation], fixed: bool) -> tuple[Doc, Path]:
    """What a field's panel changed; the key of a field that is not published yet follows its label."""
    depth = len(at)
    for said in operations:
        each = replace(said, at=(*at, *said.at[depth:]))  # where the field is by now
        if each.at == (*at, MUST):
            doc = set_required(doc, at, each.do == "set")
        else:
            old = find(doc, at, {})
            doc, _ = apply(doc, [each], {})
            if each.at == (*at, "title") and each.do == "set" and not fixed:
                doc, at = _follow(doc, at, mapping(old).get("title"), each.value)
            if each.at == (*at, "x-width") and len(at) == 2:
                doc = _fitted(doc, at[-1])
    return doc, at


def without_empty_part(doc: Doc, at: Path) -> Doc:
    """The form without a part of a field that looks nowhere any more: its form was emptied."""
    if not at or at[-1] not in ELSEWHERE or mapping(find(doc, at, {})).get("form"):
        return doc
    return apply(doc, [Operation("remove", at)], {})[0] if find(doc, at, {}) is not None else doc


def _follow(doc: Doc, at: Path, old: Any, new: Any) -> tuple[Doc, Path]:
    """The field under the key that its new label suggests, unless somebody chose its key or names it."""
    key, beside = at[-1], mapping(find(doc, at[:-1], {}))
    if re.sub(r"_\d+$", "", key) != re.sub(r"_\d+$", "", suggest_key(str(old))) or _is_named(doc, key):
        return doc, at
    wanted = suggest_key(str(new), set(beside) - {key})
    if wanted == key:
        return doc, at
    renamed = {wanted if name == key else name: each for name, each in beside.items()}
    doc, _ = apply(doc, [Operation("set", at[:-1], renamed)], {})
    path = (*at[:-2], "required")
    if key in texts(find(doc, path, {})):
        required = [wanted if name == key else name for name in texts(find(doc, path, {}))]
        doc, _ = apply(doc, [Operation("set", path, required)], {})
    if len(at) == 2:
        doc = renamed_in_layout(doc, key, wanted)
        doc = _in_list(doc, lambda name: name.replace(key, wanted) if name.lstrip("-") == key else name)
    return doc, (*at[:-1], wanted)


def _in_list(doc: Doc, rename: Callable[[str], str]) -> Doc:
    """The form with a name changed, or taken out, where its list, its sheet of paper and its links name fields."""
    for part in ("x-list", "x-print", "x-share"):
        said, made = mapping(doc.get(part)), dict[str, Any]()
        for word, value in said.items():
            if isinstance(value, list) and word != "buttons" and (part == "x-list" or word == "fields"):
                made[word] = [name for each in texts(value) if (name := rename(each))]
            elif word == "begins" and isinstance(value, dict):
                kept = {name: each for key, each in value.items() if (name := rename(key))}
                made |= {word: kept} if kept else {}
            elif part == "x-list" and isinstance(value, str):
                made |= {word: name} if (name := rename(value)) else {}
            else:
                made[word] = value
        doc = {**doc, part: made} if said else doc
    return doc


def _is_named(doc: Doc, key: str) -> bool:
    name = re.compile(rf"(?<![\w.]){re.escape(key)}(?!\w)")
    return any(name.search(each) for each in _expressions(doc)) or key in _keys_in(doc.get("x-examples"))


def _keys_in(value: Any) -> set[str]:
    """Every name that examples use for a field, also as part of a place such as `lines.0.amount`."""
    found, waiting = set[str](), [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            found |= {part for word in each for part in str(word).split(".")}
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return found


def _expressions(value: Any) -> Iterator[str]:
    """Texts of a form that may name its fields."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        word, each = waiting.pop()
        if isinstance(each, dict):
            waiting += each.items()
        elif isinstance(each, list):
            waiting += [
                (word, one)
                for one in each
                if word not in ("x-layout", "required", "columns", "filters", "fields")
            ]
        elif isinstance(each, str) and word not in _SAYS_NOTHING:
            yield each


def _fitted(doc: Doc, key: str) -> Doc:
    """The layout once a field has another width: what no longer fits in its row moves below."""
    rows: list[list[str]] = []
    widths: dict[str, int] = {}
    for row in rows_of(doc):
        widths |= {each: width_of(doc, each, row) for each in row}
        taken, part = 0, list[str]()
        for each in row:
            if part and taken + widths[each] > ROW and key in row:
                rows.append(part)
                taken, part = 0, []
            part.append(each)
            taken += widths[each]
        rows.append(part)
    return laid_out(doc, rows, widths)


def require_mark(doc: Doc, at: Path) -> Mapping[str, Any]:
    """The mark of the layout at a place, or Invalid."""
    found = marks_of(doc).get(name_at(at)) if is_mark(at) else None
    if found is None or str(found.get("is")) not in marks:
        raise gone()
    return found


def require_part(doc: Doc, at: Path) -> Mapping[str, Any]:
    """The field or the mark at a place, or Invalid."""
    return require_mark(doc, at) if is_mark(at) else require_field(doc, at)


def gone() -> Invalid:
    """What to say of a place where nothing is any more."""
    return Invalid([Problem("gone", "", M("This part is no longer there; the page shows what is."))])


def require_field(doc: Doc, at: Path) -> Mapping[str, Any]:
    """The field at a place, or Invalid."""
    found = find(doc, at, {}) if is_field(at) else None
    if not isinstance(found, dict):
        raise gone()
    return found
