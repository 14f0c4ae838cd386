"""What the page of an import lets people choose for each column, and the mapping that they chose."""

from collections.abc import Iterator, Mapping
from typing import Any

from formloop.core.text import M
from formloop.forms import staging, submitting
from formloop.forms.guessing import target_fields
from formloop.forms.kind import get_form
from formloop.forms.resolving import finding_keys, row_keys
from formloop.forms.sheets import Sheet
from formloop.forms.spec import Field, FormSpec
from formloop.forms.staging import Batch

SAMPLES = 3
FOUND_BY = "="  # what a column fills, and the field of the other form that its cells hold: `customer=code`
_KEPT = ("sheet", "owner", "constants", "values", "skip")
Option = tuple[str, str]


def shown(spec: FormSpec, batch: Batch, locale: str) -> dict[str, Any]:
    """The columns of each file with what they may fill, what they fill now and a few of their values."""
    sheet, lines = staging.open_sheets(spec, batch)
    said, relations = batch.mapping, batch.mapping.get("relations") or {}
    inner = said.get("lines") or {}
    tables = [_table("column", sheet, said.get("columns", {}), relations)]
    if lines:
        paths = {name: f"{inner.get('into', '')}.{path}" for name, path in inner.get("columns", {}).items()}
        tables.append(_table("line", lines, paths, relations))
    return {
        "tables": tables,
        "targets": [
            option for field in target_fields(spec) for option in _options(spec, field, relations, locale)
        ],
        "found_by": [
            (each.key, each.title(locale))
            for each in spec.stored
            if each.formula is None
            or each.unique  # what is calculated of several columns may tell records apart
        ],
        "besides": list(_besides(spec, said, locale)),
        "may_join": lines is None and bool(spec.subforms),
        "submits": submitting.state_of(spec.key) is not None,
    }


def _options(spec: FormSpec, field: Field, relations: Mapping[str, str], locale: str) -> Iterator[Option]:
    """A field as a target; one that points to records once more for each field they may be found by."""
    label = f"{spec.fields[field.subform].title(locale)} · " if field.subform else ""
    label += field.title(locale)
    yield field.path, label
    if field.relation is None:
        return
    target = get_form(field.relation.form)
    for key in dict.fromkeys(
        [*finding_keys(target), *row_keys(spec, field), *filter(None, [relations.get(field.path)])]
    ):
        by = M("{field}, found by {key}", field=label, key=target.fields[key].title(locale))
        yield f"{field.path}{FOUND_BY}{key}", by.render(locale)


def _besides(spec: FormSpec, said: Mapping[str, Any], locale: str) -> Iterator[str]:
    """What a mapping file says that the page has no place to change."""
    for path, value in (said.get("constants") or {}).items():
        text = M(
            "{field}: “{value}” where the file says nothing", field=_title(spec, path, locale), value=value
        )
        yield text.render(locale)
    for path, values in (said.get("values") or {}).items():
        pairs = ", ".join(f"{cell} → {value}" for cell, value in list(values.items())[:10])
        yield f"{_title(spec, path, locale)}: {pairs}"
    for skip in (said.get("skip"), (said.get("lines") or {}).get("skip")):
        for column, cells in (skip or {}).items():
            text = M(
                "Left out are rows where {column} is: {cells}", column=column, cells=", ".join(cells[:10])
            )
            yield text.render(locale)


def _title(spec: FormSpec, path: str, locale: str) -> str:
    found = spec.find(path)
    return found.title(locale) if found else path


def _table(kind: str, sheet: Sheet, paths: Mapping[str, str], relations: Mapping[str, str]) -> dict[str, Any]:
    first = [cells for _, cells in zip(range(SAMPLES), (c for _, c in sheet.rows), strict=False)]
    columns = [
        {
            "name": f"{kind}.{place}",
            "label": label,
            "chosen": _joined(paths.get(label, ""), relations),
            "values": [str(cells[place])[:60] for cells in first if cells[place] not in ("", None)],
        }
        for place, label in enumerate(sheet.columns)
    ]
    return {"kind": kind, "columns": columns, "sheet": sheet.name, "sheets": sheet.others}


def left_out(spec: FormSpec, batch: Batch) -> list[str]:
    """The columns of the files that fill nothing and do not tell which lines belong to which record either."""
    sheet, lines = staging.open_sheets(spec, batch)
    inner = batch.mapping.get("lines") or {}
    found = [c for c in sheet.columns if c and c not in {*batch.mapping.get("columns", {}), inner.get("of")}]
    used = {*inner.get("columns", {}), inner.get("parent")}
    return [*found, *(c for c in (lines.columns if lines else ()) if c and c not in used)]


def _joined(path: str, relations: Mapping[str, str]) -> str:
    return f"{path}{FOUND_BY}{relations[path]}" if path in relations else path


def posted(spec: FormSpec, batch: Batch, form: Mapping[str, str]) -> dict[str, Any]:
    """The mapping that was chosen in the page, with what only a mapping file can say kept."""
    sheet, lines = staging.open_sheets(spec, batch)
    document = {k: v for k, v in batch.mapping.items() if k in _KEPT}
    relations: dict[str, str] = {}
    document["columns"] = _chosen("column", sheet.columns, form, relations)
    if form.get("by"):
        document["by"] = form["by"]
    if lines:
        inner = {n: p for n, p in _chosen("line", lines.columns, form, relations).items() if "." in p}
        known = batch.mapping.get("lines") or {}
        into = next((p.partition(".")[0] for p in inner.values()), known.get("into", ""))
        document["lines"] = {
            "into": into,
            "file": batch.lines_name,
            "parent": form.get("parent", ""),
            "of": form.get("of", ""),
            "columns": {name: path.partition(".")[2] for name, path in inner.items()},
            **{word: known[word] for word in ("by", "skip") if known.get(word)},
        }
    for word in ("each_row", "submit"):
        if form.get(word):
            document[word] = True
    return document | ({"relations": relations} if relations else {})


def _chosen(
    kind: str, columns: tuple[str, ...], form: Mapping[str, str], relations: dict[str, str]
) -> dict[str, str]:
    """Columns and the paths they fill; by which field records are found is noted in `relations`."""
    found = {}
    for place, label in enumerate(columns):
        path, _, key = form.get(f"{kind}.{place}", "").partition(FOUND_BY)
        if path:
            found[label] = path
        if key:
            relations[path] = key
    return found
