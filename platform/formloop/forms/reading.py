"""From a form document to what runs: fields, names for expressions, formulas in order, and every problem."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import reduce
from graphlib import CycleError, TopologicalSorter
from typing import Any

from formloop.core.definitions import Doc
from formloop.core.errors import Problem
from formloop.core.expression import (
    BOOL,
    DATE,
    DATETIME,
    NUMBER,
    TEXT,
    Expression,
    ListType,
    RecordType,
    Type,
    check_sql,
)
from formloop.core.expression import check as check_expression
from formloop.core.text import LOCALES, Listed, M, Message, Titled
from formloop.forms import serials
from formloop.forms.fields import find_type, type_of, types
from formloop.forms.spec import LINE_COLUMNS, SYSTEM_COLUMNS, Check, Field, FieldType, Relation, no_form

OWN = "this"  # how conditions over another form name this record
FindForm = Callable[[str], Doc | None]

SYSTEM_NAMES: Mapping[str, Type] = {
    "id": NUMBER,
    "state": TEXT,
    "owner": NUMBER,
    "department": NUMBER,
    "revision": NUMBER,
    "created_at": DATETIME,
    "updated_at": DATETIME,
}


def names_of(doc: Doc, find_form: FindForm) -> dict[str, Type]:
    """What expressions of this form can name, with types; relations step into the form they point to."""
    properties = doc.get("properties", {}).items()
    own = {key: _name_type(key, (key,), schema, find_form) for key, schema in properties}
    return {**own, **{key: each for key, each in SYSTEM_NAMES.items() if key not in own}}


def single_of(names: Mapping[str, Type]) -> dict[str, Type]:
    """Those names that stand for one value: of the record that a relation points to no lines are read."""
    return {key: each for key, each in names.items() if not isinstance(each, ListType)}


def queried(names: Mapping[str, Type]) -> dict[str, Type]:
    """Those names that a query over many records can read: single values and lines, not several choices in one."""
    return {
        key: each
        for key, each in names.items()
        if not isinstance(each, ListType) or isinstance(each.of, RecordType)
    }


def line_names(doc: Doc, subform: str, find_form: FindForm) -> dict[str, Type]:
    """What expressions inside the lines of `subform` can name: its columns, then the form's own fields."""
    columns = doc["properties"][subform].get("items", {}).get("properties", {})
    own = {key: _name_type(key, (subform, key), schema, find_form) for key, schema in columns.items()}
    return {**names_of(doc, find_form), "id": NUMBER, "position": NUMBER, **own}


def _name_type(key: str, path: tuple[str, ...], schema: Mapping[str, Any], find_form: FindForm) -> Type:
    name = type_of(schema)
    if name == "subform":
        columns = schema.get("items", {}).get("properties", {})
        fields = {k: _name_type(k, (*path, k), s, find_form) for k, s in columns.items()}
        return ListType(RecordType(key, lambda: {"id": NUMBER, "position": NUMBER, **fields}), over=path)
    if name == "relation":
        target = schema.get("x-relation", {}).get("form", "")
        return RecordType(target, lambda: single_of(names_of(find_form(target) or {}, find_form)))
    kind = find_type(schema)
    return kind.expression_type(_bare(key, schema)) if kind else TEXT


def _fits(own: Type, theirs: Type) -> bool:
    """Whether a field can hold what another one has: of plain values a text any, all else their own kind."""
    plain = {NUMBER.name, TEXT.name, BOOL.name, DATE.name, DATETIME.name}
    alike = own == TEXT or own.name == theirs.name or {own.name, theirs.name} == {DATE.name, DATETIME.name}
    return alike or not {own.name, theirs.name} <= plain


def _bare(key: str, schema: Mapping[str, Any]) -> Field:
    """A field of which only the schema is known yet."""
    return Field(key, key, find_type(schema) or types.get("text"), schema)


def titles_of(doc: Doc) -> dict[str, Message]:
    """What the fields of a form are called by key, columns of lines too."""
    found: dict[str, Message] = {}
    for key, schema in doc.get("properties", {}).items():
        found = titles_of(schema.get("items", {})) | found | {key: Titled(schema, key)}
    return found


def with_titles(message: Message, titles: Mapping[str, Message | str]) -> Message:
    """What is wrong with an expression, with the titles of the fields that it names as possible.

    Where a title was written in place of the key, the key is meant.
    """
    near, known, name = (message.params.get(each) for each in ("near", "known", "name"))
    meant = next((key for key, title in titles.items() if known and name in _said(title)), None)
    if meant:
        return M("There is no “{name}”. Did you mean “{near}”?", name=name, near=meant)
    said: dict[str, Any] = {}
    if isinstance(near, str) and near in titles:
        said["near"] = _named(near, titles)
    if known:
        said["known"] = Listed(_named(key, titles) for key in known.split(", "))
    return Message(message.msgid, {**message.params, **said}) if said else message


def _said(title: Message | str) -> set[str]:
    return {title.render(locale) for locale in LOCALES} if isinstance(title, Message) else {title}


def _named(key: str, titles: Mapping[str, Message | str]) -> Message | str:
    """A field as people know it, and as formulas call it."""
    return M("{title} ({key})", title=titles[key], key=key) if key in titles else key


class Reader:
    """Reads one document; `problems` grows as it goes."""

    def __init__(self, doc: Doc, find_form: FindForm) -> None:
        self.doc = doc
        self.find_form = find_form
        self.problems: list[Problem] = []
        self.names = names_of(doc, find_form)
        self.titles = titles_of(doc)

    def fields(self) -> dict[str, Field]:
        """All fields with their expressions."""
        required = set(self.doc.get("required", ()))
        self._known(required, self.doc["properties"], "required")
        found = {}
        for key, schema in self.doc["properties"].items():
            if key in SYSTEM_COLUMNS or "__" in key:
                self._say(
                    "reserved", f"properties.{key}", M("“{key}” is a name of the platform’s own.", key=key)
                )
                continue
            found[key] = self._field(key, key, schema, self.names, key in required)
        return found

    def checks(self) -> tuple[Check, ...]:
        """The rules over the whole record."""
        found: list[Check] = []
        for index, rule in enumerate(self.doc.get("x-checks", ())):
            place = f"x-checks.{index}"
            names: Mapping[str, Type] = self.names
            if (each := rule.get("each")) is not None:
                names = self._names_of_lines(each, f"{place}.each")
            holds = self.expression(rule["holds"], f"{place}.holds", names, BOOL)
            tells = {
                name: told
                for name, source in rule.get("tells", {}).items()
                if (told := self.expression(source, f"{place}.tells.{name}", names, None))
            }
            if any(rule["id"] == earlier.id for earlier in found):
                self._say("duplicate", f"{place}.id", M("The id “{id}” is used twice.", id=rule["id"]))
            if holds:
                found.append(Check(rule["id"], holds, rule.get("at", ""), rule, each, tells))
        return tuple(found)

    def _names_of_lines(self, subform: str, at: str) -> Mapping[str, Type]:
        said = self.doc["properties"].get(subform)
        if said is not None and type_of(said) == "subform":
            return line_names(self.doc, subform, self.find_form)
        text = M("The form “{form}” has no lines “{key}”.", form=self.doc["x-key"], key=subform)
        self._say("no_lines", at, text)
        return self.names

    def expression(
        self, source: str, at: str, names: Mapping[str, Type], expects: Type | None
    ) -> Expression | None:
        """The expression in `source`, or None with its problems noted at `at`."""
        parsed, problems = check_expression(source, names, expects)
        self.problems += [
            Problem(p.code, at, with_titles(p.message, self.titles), p.line, p.column) for p in problems
        ]
        return parsed

    def order(self, fields: Mapping[str, Field]) -> tuple[Field, ...]:
        """The computed fields in the order in which their formulas can run."""
        every = {f.path: f for top in fields.values() for f in (top, *top.children)}
        graph = {
            path: {p for read in f.formula.reads if (p := self._absolute(f, read, every))}
            for path, f in every.items()
            if f.formula
        }
        try:
            ordered = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            names = [self.titles.get(path.rpartition(".")[2], path) for path in reversed(error.args[1])]
            circle = reduce(lambda said, name: M("{first} → {then}", first=said, then=name), names)
            self._say(
                "cycle",
                f"properties.{error.args[1][0]}.x-formula",
                M("These formulas depend on each other in a circle: {circle}", circle=circle),
            )
            return ()
        return tuple(every[path] for path in ordered if path in graph)

    def _absolute(self, reader: Field, read: tuple[str, ...], every: Mapping[str, Field]) -> str | None:
        """The path of the computed field that `read` means, seen from `reader`, or None when it is not computed."""
        candidates = [".".join(read[:2]), read[0]]
        if reader.subform:
            candidates.insert(0, f"{reader.subform}.{read[0]}")
        for path in candidates:
            if path in every:
                return path if every[path].formula else None
        return None

    def _field(
        self, key: str, path: str, schema: Mapping[str, Any], names: Mapping[str, Type], required: bool
    ) -> Field:
        at = f"properties.{path.replace('.', '.items.properties.')}"
        kind = self._type(schema, at)
        bare = Field(key, path, kind, schema)
        self._elsewhere(schema, at, names)
        result = kind.expression_type(bare) if kind.name != "subform" else None

        def said(word: str, expects: Type | None) -> Expression | None:
            return self.expression(schema[word], f"{at}.{word}", names, expects) if word in schema else None

        return Field(
            key=key,
            path=path,
            type=kind,
            schema=schema,
            required=required,
            readonly=bool(schema.get("readOnly")),
            unique=bool(schema.get("x-unique")),
            indexed=bool(schema.get("x-index")) and "x-index" not in kind.unused,
            formula=said("x-formula", result),
            visible=said("x-visible", BOOL),
            required_when=said("x-required", BOOL),
            readonly_when=said("x-readonly", BOOL),
            default=schema.get("default"),
            default_expression=said("x-default", result),
            relation=self._relation(schema, at, names) if kind.name == "relation" else None,
            scale=int(schema.get("x-scale", getattr(kind, "scale", 0))),
            choices=tuple(schema.get("enum") or schema.get("items", {}).get("enum") or ()),
            children=self._children(path, schema) if kind.name == "subform" else (),
        )

    def _type(self, schema: Mapping[str, Any], at: str) -> FieldType:
        kind = find_type(schema)
        if kind is None:
            text = M("There is no field type “{name}”.", name=type_of(schema))
            self._say("unknown_type", f"{at}.x-type", text)
            return types.get("text")
        if kind.name == "serial":
            pattern, restart = schema.get("x-serial", "{0001}"), str(schema.get("x-restart", ""))
            wrong = serials.check_pattern(pattern, self.doc.get("properties", {}), restart)
            if wrong is not None:
                self._say("serial", f"{at}.x-serial", wrong)
        return kind

    def _children(self, path: str, schema: Mapping[str, Any]) -> tuple[Field, ...]:
        items = schema.get("items", {})
        columns, required = items.get("properties", {}), set(items.get("required", ()))
        self._known(required, columns, f"properties.{path}.items.required")
        names = line_names(self.doc, path, self.find_form)
        found = []
        for key, column in columns.items():
            at = f"properties.{path}.items.properties.{key}"
            if key in LINE_COLUMNS or "__" in key:
                self._say("reserved", at, M("“{key}” is a name of the platform’s own.", key=key))
            elif type_of(column) == "subform":
                self._say("nested", at, M("Lines cannot hold lines again."))
            else:
                found.append(self._field(key, f"{path}.{key}", column, names, key in required))
        return tuple(found)

    def _relation(self, schema: Mapping[str, Any], at: str, names: Mapping[str, Type]) -> Relation | None:
        said = schema.get("x-relation")
        if not said:
            self._say("relation", at, M("Say which form this points to."))
            return None
        target = self.find_form(said["form"])
        if target is None:
            self.problems.append(no_form(f"{at}.x-relation.form", said["form"]))
            return None
        self._check_fill(said, target, f"{at}.x-relation.fill", names)
        reads: frozenset[str] = frozenset()
        if said.get("where"):
            theirs = single_of(names_of(target, self.find_form))
            reads = self._condition(said["where"], f"{at}.x-relation.where", theirs, names)
        fill, show, new = said.get("fill", {}), tuple(said.get("show", ())), said.get("new")
        self._check_new(said, target, f"{at}.x-relation.new", names)
        reads |= frozenset((new or {}).values())
        return Relation(said["form"], said.get("where"), fill, show, new, tuple(sorted(reads)))

    def _check_new(self, said: Mapping[str, Any], target: Doc, at: str, names: Mapping[str, Type]) -> None:
        """What a record made from here gets is there, and its field can hold it."""
        there = names_of(target, self.find_form)
        for theirs, own in said.get("new", {}).items():
            if theirs not in there:
                text = M("The form “{form}” has no field “{field}”.", form=said["form"], field=theirs)
                self._say("no_field", f"{at}.{theirs}", text)
            elif own not in names:
                self._say("no_field", f"{at}.{theirs}", M("There is no field “{key}”.", key=own))
            elif not _fits(there[theirs], names[own]):
                text = M("“{own}” cannot hold what “{field}” is.", own=theirs, field=own)
                self._say("no_fit", f"{at}.{theirs}", text)

    def _check_fill(self, said: Mapping[str, Any], target: Doc, at: str, names: Mapping[str, Type]) -> None:
        """What a chosen record brings along is there, and its field can hold it."""
        there = names_of(target, self.find_form)
        for own, theirs in said.get("fill", {}).items():
            if theirs not in there:
                text = M("The form “{form}” has no field “{field}”.", form=said["form"], field=theirs)
                self._say("no_field", f"{at}.{own}", text)
            elif own in names and not _fits(names[own], there[theirs]):
                text = M("“{own}” cannot hold what “{field}” is.", own=own, field=theirs)
                self._say("no_fit", f"{at}.{own}", text)

    def _elsewhere(self, schema: Mapping[str, Any], at: str, names: Mapping[str, Type]) -> None:
        """What is wrong with the words that look into another form."""
        for word, wanted in (("x-linkage", "value"), ("x-query", "columns"), ("x-options", "field")):
            said = schema.get(word)
            if not said:
                continue
            target = self.find_form(said["form"])
            if target is None:
                self.problems.append(no_form(f"{at}.{word}.form", said["form"]))
                continue
            theirs = names_of(target, self.find_form)
            for key in said[wanted] if isinstance(said[wanted], list) else [said[wanted]]:
                if key not in theirs:
                    text = M("The form “{form}” has no field “{field}”.", form=said["form"], field=key)
                    self._say("no_field", f"{at}.{word}.{wanted}", text)
            if said.get("where"):
                own = {} if word == "x-options" else names
                self._condition(said["where"], f"{at}.{word}.where", queried(theirs), own)

    def _condition(
        self, source: str, at: str, theirs: Mapping[str, Type], own: Mapping[str, Type]
    ) -> frozenset[str]:
        """Check a condition over another form's records; the fields of this record that it names."""
        this = {OWN: RecordType(OWN, lambda: dict(own))} if own else {}
        condition = self.expression(source, at, {**theirs, **this}, BOOL)
        if condition and any(read[0] == OWN and len(read) != 2 for read in condition.reads):
            text = M("Only fields of this form itself can be named behind “this.”.")
            self._say("too_deep", at, text)
        elif condition:
            self.problems += [replace(each, at=at) for each in check_sql(condition)]
        return (
            frozenset(r[1] for r in condition.reads if r[0] == OWN and len(r) > 1)
            if condition
            else frozenset()
        )

    def _known(self, wanted: set[str], there: Mapping[str, Any], at: str) -> None:
        for key in sorted(wanted - set(there)):
            self._say("no_field", at, M("“{key}” is required, but there is no such field.", key=key))

    def _say(self, code: str, at: str, message: Any) -> None:
        self.problems.append(Problem(code, at, message))
