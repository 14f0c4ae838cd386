"""What a browser posts, as raw values: `lines.0.quantity=5` becomes `{"lines": [{"quantity": "5"}]}`."""

from typing import Any

from werkzeug.datastructures import MultiDict

from formloop.core.clock import find_id
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.forms.spec import Field, FormSpec

_BLANK = "__i__"  # the line that new ones are made of


def raw_values(spec: FormSpec, form: "MultiDict[str, str]") -> dict[str, Any]:
    """The raw values of a posted form. A field that was not on the page is left out; a switch that is off
    and a multi-select without a choice announce themselves by an empty value of their name. What has parts
    comes as `address:city`. Lines stand in the order of their numbers, which may have gaps."""
    raw: dict[str, Any] = {}
    lines: dict[str, dict[int, dict[str, Any]]] = {}
    for name in dict.fromkeys(full.partition(":")[0] for full in form):
        parts = name.split(".")
        field = spec.fields.get(parts[0])
        if field is None or (name not in form and not _has_parts(field, parts[-1])):
            continue
        if len(parts) == 1 and not field.children:
            raw[name] = _value(field, form, name)
        elif len(parts) == 3 and field.children and parts[1] != _BLANK:
            column = next((c for c in field.children if c.key == parts[2]), None)
            line = lines.setdefault(field.key, {}).setdefault(_line_number(parts[1]), {})
            if column is not None:
                line[column.key] = _value(column, form, name)
            elif parts[2] == "id":
                line["id"] = form[name]
    for subform in spec.subforms:
        if f"{subform.key}.lines" in form or subform.key in lines:
            rows = lines.get(subform.key, {})
            raw[subform.key] = [rows[i] for i in sorted(rows) if rows[i].get("id") or _filled(rows[i])]
    return raw


def _line_number(text: str) -> int:
    if (found := find_id(text)) is None:
        raise Invalid([Problem("line", "", M("“{text}” is no number of a line.", text=text[:20]))])
    return found


def _has_parts(field: Field, key: str) -> bool:
    return bool(next((c for c in field.children if c.key == key), field).type.parts)


def _value(field: Field, form: "MultiDict[str, str]", name: str) -> Any:
    if field.type.parts:
        given = {
            part: form[f"{name}:{part}"].strip() for part in field.type.parts if f"{name}:{part}" in form
        }
        return given if any(given.values()) else ""
    values = form.getlist(name)
    if field.type.multiple:
        return [v for v in values if v != ""]
    return values[-1]  # a hidden empty input stands in front of a check box


def _filled(line: dict[str, Any]) -> bool:
    return any(value not in ("", [], None) for key, value in line.items())
