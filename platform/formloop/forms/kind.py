"""The kind of definition "form": checking, preparing and publishing it."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from formloop.core.definitions import Doc, ImpactRow, Kind, Library, kinds, name_pattern
from formloop.core.definitions.envelope import load_schema
from formloop.core.errors import NotFound, Problem
from formloop.core.text import LOCALES, M
from formloop.definitions import library
from formloop.forms import ahead, beginnings, layout_changes, schema_change, system_fields
from formloop.forms.fields import type_of
from formloop.forms.fields.dropdown import choice_title
from formloop.forms.layout import check_layout, read_layout
from formloop.forms.reading import FindForm, Reader
from formloop.forms.spec import DEFAULT_STATES, Field, FormSpec, ListSpec, State, Unreadable
from formloop.forms.tables import tables_of

FILLED_BY_LINK = (  # widgets that need nothing from behind the sign-in
    "text", "multiline", "number", "datetime", "dropdown", "radio", "switch", "contact", "multi_select", "checkbox_group",
)  # fmt: skip
BUTTONS = ("create", "import", "export", "edit", "delete")  # of a list, unless it says which
ADDRESSES = ("datasets",)  # what stands in addresses where a form's key could
OWN_TABLES = ("fl_", "pg_", "sqlite_")  # a form's key is its table's name, its subform's has two underscores


def prepare(doc: Doc, version: int) -> FormSpec:
    """What runs of a form document that has been checked."""
    return build(doc, version, _with_itself(doc, lambda key: library.find_document("form", key)))[0]


# what else is said of a form that could run; each joins as it is imported
further_checks: list[Callable[[FormSpec, Library], list[Problem]]] = []


def check(doc: Doc, lib: Library) -> list[Problem]:
    """What is wrong with a form beyond its schema."""
    spec, problems = build(doc, 0, _with_itself(doc, lambda key: lib.find_document("form", key)))
    if not any(each.severity == "error" for each in problems):
        problems += [found for further in further_checks for found in further(spec, lib)]
    return problems


def _with_itself(doc: Doc, find: FindForm) -> FindForm:
    return lambda key: doc if key == doc.get("x-key") else find(key)


def build(doc: Doc, version: int, find_form: FindForm) -> tuple[FormSpec, list[Problem]]:
    """The prepared form and everything that is wrong with its document."""
    reader = Reader(doc, find_form)
    fields = reader.fields()
    checks, formulas = reader.checks(), reader.order(fields)
    table, line_tables = tables_of(doc["x-key"], fields)
    spec = FormSpec(
        id=doc["x-id"],
        key=doc["x-key"],
        version=version,
        document=doc,
        fields=fields,
        table=table,
        line_tables=line_tables,
        formulas=formulas,
        checks=checks,
        layout=read_layout(doc, fields),
        list=read_list(doc, fields),
        states={key: State(key, said) for key, said in (doc.get("x-states") or DEFAULT_STATES).items()},
        names=reader.names,
        reads=_steps(fields, checks),
    )
    if "__" in spec.key or spec.key.startswith(OWN_TABLES) or spec.key in ADDRESSES:
        text = M("“{key}” is a name of the platform’s own.", key=spec.key)
        reader.problems.append(Problem("reserved", "x-key", text))
    _check_places(spec, reader)
    reader.problems += _unreadable_defaults(spec)
    return spec, reader.problems


def _unreadable_defaults(spec: FormSpec) -> Iterable[Problem]:
    """Fixed defaults that their fields cannot hold: nobody could begin a record."""
    for top in spec.fields.values():
        for each in (top, *top.children):
            if each.default is None or not each.type.stored:
                continue
            try:
                value = each.type.read(each, each.default)
                wrong = None if value is None else each.type.check(each, value)
            except Unreadable as error:
                wrong = error.message
            if wrong is not None:
                at = f"properties.{each.path.replace('.', '.items.properties.')}.default"
                yield Problem("default", at, wrong)


def _steps(fields: dict[str, Field], checks: Any) -> frozenset[tuple[str, ...]]:
    """Every path through a relation that some expression of the form reads, as seen from the record."""
    found: set[tuple[str, ...]] = set()
    for top in fields.values():
        for each in (top, *top.children):
            for expression in (
                each.formula,
                each.visible,
                each.required_when,
                each.readonly_when,
                each.default_expression,
            ):
                for read in expression.reads if expression else ():
                    inside = each.subform is not None and any(
                        c.key == read[0] for c in fields[each.subform].children
                    )
                    found.add((each.subform, *read) if inside and each.subform else read)
    for rule in checks:
        columns = {c.key for c in fields[rule.each].children} if rule.each in fields else set()
        for expression in (rule.holds, *rule.tells.values()):
            found |= {(rule.each, *read) if read[0] in columns else read for read in expression.reads}
    return frozenset(found)


def read_list(doc: Doc, fields: Mapping[str, Field]) -> ListSpec:
    """The list of a form, with what it does not say."""
    said = doc.get("x-list", {})
    shown = [f.key for f in fields.values() if f.type.stored][:6]
    return ListSpec(
        columns=tuple(said.get("columns", shown)),
        sort=tuple(said.get("sort", ("-id",))),
        filters=tuple(said.get("filters", [k for k in shown if fields[k].type.operators][:4])),
        begins=said.get("begins", {}),
        buttons=frozenset(said.get("buttons", BUTTONS)),
    )


def _check_places(spec: FormSpec, reader: Reader) -> None:
    allowed = {"id", "state", "owner", "department", "created_at", "updated_at"}
    for place, keys in (
        ("x-list.columns", spec.list.columns),
        ("x-list.sort", [key.lstrip("-") for key in spec.list.sort]),
        ("x-list.filters", spec.list.filters),
        ("x-list.begins", spec.list.begins),
        ("x-print.fields", spec.document.get("x-print", {}).get("fields", ())),
    ):
        for key in keys:
            if key not in spec.fields and key not in allowed:
                reader.problems.append(Problem("no_field", place, M("There is no field “{key}”.", key=key)))
    reader.problems += [_no_beginning(key) for key in spec.list.begins if not _may_begin(spec, key)]
    reader.problems += _unknown_beginnings(spec)
    _check_share(spec, reader)
    reader.problems += check_layout(dict(spec.document), spec.fields)
    for key in (key.lstrip("-") for key in spec.list.sort):
        if key in spec.fields and not spec.fields[key].type.sortable:
            reader.problems.append(
                Problem("no_sort", "x-list.sort", M("“{key}” cannot be sorted by.", key=key))
            )


def _may_begin(spec: FormSpec, key: str) -> bool:
    """Whether a list can begin with a value of this field that a builder writes down: not with a record or a file."""
    field = spec.fields.get(key)
    if field is None:  # what is not there is told already
        return key not in ("id", "department")
    return bool(beginnings.ways(field))


def _no_beginning(key: str) -> Problem:
    text = M(
        "The list cannot begin with “{key}”: choose a field of text, options, numbers, days or yes and no.",
        key=key,
    )
    return Problem("no_beginning", "x-list.begins", text)


def _unknown_beginnings(spec: FormSpec) -> Iterable[Problem]:
    """Values that a list begins with and that are none of the options or states: it would open empty."""
    for key, said in spec.list.begins.items():
        known = _named_values(spec, key)
        for value in beginnings.unknown(said, known) if known else ():
            text = M(
                "The list begins with “{value}”, which “{key}” never has. Possible: {choices}.",
                value=value[:40],
                key=key,
                choices=", ".join(dict.fromkeys(known.values())),
            )
            yield Problem("no_beginning", "x-list.begins", text)


def _named_values(spec: FormSpec, key: str) -> dict[str, str]:
    """What a value of a field, or the state, may be written as, with the value itself; nothing where any may be."""
    field = spec.fields.get(key)
    if key == "owner" or (field is not None and field.type.source(field) == "@person"):
        return {beginnings.ME: beginnings.ME}
    if field is None:
        states = spec.states.values() if key == "state" else ()
        return {
            word.casefold(): s.key for s in states for word in (s.key, *(s.title(each) for each in LOCALES))
        }
    if type_of(dict(field.schema)) == "cascade":
        return {}
    words = {
        each: (each, *(choice_title(field, each, locale) for locale in LOCALES)) for each in field.choices
    }
    return {word.casefold(): each for each, written in words.items() for word in written}


def _check_share(spec: FormSpec, reader: Reader) -> None:
    said = spec.document.get("x-share", {})
    for path in said.get("fields", ()):
        if spec.find(path) is None:
            text = M("There is no field “{key}”.", key=path)
            reader.problems.append(Problem("no_field", "x-share.fields", text))
    for path in said.get("fill", ()):
        known = spec.find(path)
        if known is None:
            text = M("There is no field “{key}”.", key=path)
        elif known.children or known.computed or known.type.widget not in FILLED_BY_LINK:
            text = M("“{key}” cannot be filled in by link.", key=path)
        else:
            continue
        reader.problems.append(Problem("no_field", "x-share.fill", text))
    if said.get("state", spec.initial_state) not in spec.states:
        text = M("The form has no state “{state}”.", state=said["state"])
        reader.problems.append(Problem("no_state", "x-share.state", text))


looks: list[Callable[[Connection, Doc], Iterable[ImpactRow]]] = []  # rooms above add what they know of a form


def impact(conn: Connection, old: Doc | None, new: Doc) -> list[ImpactRow]:
    """What publishing would do to the rows that exist, and to what rooms above know of; whether it takes long."""
    rows = schema_change.impact(conn, old, new)
    if old is not None:
        rows += [row for look in looks for row in look(conn, new)]
    if ahead.is_long(conn, new):
        text = M(
            "There are many records: this is prepared while everybody goes on working, and the new version runs "
            "once it is ready."
        )
        rows.append(ImpactRow(message=text))
    return rows


def references(doc: Doc) -> set[tuple[str, str]]:
    """The forms that this form points to."""
    found = set()
    for schema in doc.get("properties", {}).values():
        for each in (schema, *schema.get("items", {}).get("properties", {}).values()):
            for word in ("x-relation", "x-linkage", "x-query", "x-options"):
                target = each.get(word, {}).get("form")
                if target and target != doc.get("x-key"):
                    found.add(("form", target))
    return found


def get_form(key: str) -> FormSpec:
    """The published form `key`, or NotFound."""
    found = library.published("form", key)
    if not isinstance(found, FormSpec):
        raise NotFound
    return found


FORM = kinds.add(
    "form",
    Kind(
        name="form",
        title=M("Form"),
        schema=load_schema("form", Path(__file__).with_name("schema.json")),
        check=check,
        references=references,
        prepare=prepare,
        apply=schema_change.apply,
        connect=schema_change.connect,
        impact=impact,
        ahead=ahead,
        identities={"x-checks": "id"},
        named=system_fields.named_beside,
        tells={layout_changes.AT: layout_changes.tell},
    ),
)

__all__ = ["FORM", "build", "get_form", "type_of"]

name_pattern(
    r"^data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/]+=*$",
    M("A logo is a picture: PNG, JPEG or WebP."),
)
name_pattern(
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    M("“{value}” is no day. Write it as in 2026-11-30."),
)
