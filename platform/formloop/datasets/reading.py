"""From a dataset document to what runs: parameters, parts, columns, measures, and every problem."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from formloop.core.definitions import Doc
from formloop.core.errors import Problem
from formloop.core.expression import (
    BOOL,
    NUMBER,
    Expression,
    ListType,
    RecordType,
    Type,
    check_sql,
)
from formloop.core.expression import check as check_expression
from formloop.core.expression.nodes import Name
from formloop.core.expression.types import element
from formloop.core.text import M, Message
from formloop.datasets import checking
from formloop.datasets.columns import folded_field, holder_of, kept, shown, single, source_field, told_apart
from formloop.datasets.sources import sources
from formloop.datasets.spec import (
    PARAMETERS,
    RESERVED,
    ROWS,
    DatasetSpec,
    Find,
    Join,
    Leads,
    Origin,
    Part,
    Read,
    Running,
)
from formloop.forms.reading import Reader as FormReader
from formloop.forms.spec import Field

OVER = (ROWS,)
Names = Mapping[str, Type]


@dataclass
class Reader:
    """Reads one document; `problems` grows as it goes."""

    doc: Doc
    find: Find
    problems: list[Problem] = field(default_factory=list)
    reads: set[Read] = field(default_factory=set)
    names_at: dict[str, Names] = field(default_factory=dict)  # what the expression at a place can name

    def dataset(self, version: int) -> DatasetSpec:
        """The prepared dataset."""
        doc, parameters = self.doc, self._parameters()
        self.given = {key: each.type.expression_type(each) for key, each in parameters.items()}
        first = self._part(doc, "", {})
        kinds = {key: kept(each.type) for key, each in first.columns.items()} if first else {}
        more = [self._part(part, f"union.{i}.", kinds) for i, part in enumerate(doc.get("union", ()))]
        group, measures, outer = self._grouped(kinds)
        having = self._expression(doc.get("having"), "having", {**single(outer), **self._own()}, BOOL)
        running = self._running(outer)
        outer = {**outer, **dict.fromkeys(running, NUMBER)}
        found = DatasetSpec(
            id=doc["x-id"],
            key=doc["x-key"],
            version=version,
            document=doc,
            parameters=parameters,
            parts=tuple(part for part in (first, *more) if part),
            inner=kinds,
            group=group,
            measures=measures,
            having=having,
            running=running,
            subtotals=tuple(doc.get("subtotals", ())),
            leads=self._leads(outer),
            fields=self._fields(first, kinds, group, measures, running),
            types=outer,
            sort=tuple(doc.get("sort", group or ())),
            reads=frozenset(self.reads),
        )
        checking.check(self, found)
        return found

    def _fields(
        self,
        first: Part | None,
        kinds: Names,
        group: tuple[str, ...] | None,
        measures: Mapping[str, Expression],
        running: Mapping[str, Running],
    ) -> dict[str, Field]:
        """What comes out, as fields."""
        doc = self.doc
        said = {**doc["columns"], **doc.get("measures", {}), **doc.get("running", {})}
        columns = first.columns if first else {}
        fields = {key: shown(key, said[key], kinds[key], source_field(first, key)) for key in columns}
        fields = told_apart(fields, self._holders(first)) if first else fields
        if group is not None:
            folded = {key: folded_field(key, each, fields) for key, each in measures.items()}
            fields = {key: fields[key] for key in group}
            fields |= {key: shown(key, said[key], each.type, folded[key]) for key, each in measures.items()}
        sums = {key: shown(key, said[key], NUMBER, fields.get(each.of)) for key, each in running.items()}
        return fields | sums

    def _holders(self, first: Part) -> dict[str, Mapping[str, Any]]:
        """What the fields that columns show belong to, of those without a title of their own."""
        sources = {name: self._document(said.get("from")) for name, said in self.doc.get("join", {}).items()}
        said = self.doc["columns"]
        plain = (key for key in first.columns if isinstance(said[key], str) or "title" not in said[key])
        found = {key: holder_of(first, key, sources) for key in plain}
        return {key: each for key, each in found.items() if each is not None}

    def _document(self, source: Any) -> Mapping[str, Any]:
        """The definition that rows come from."""
        words = {"form": source} if isinstance(source, str) else source
        kind = next((each for each in ("form", "dataset", "ledger") if each in words), "")
        return dict(getattr(self.find(kind, words[kind]), "document", {})) if kind else {}

    # parameters

    def _parameters(self) -> dict[str, Field]:
        said = self.doc.get("parameters", {})
        reader = FormReader(
            {"properties": said}, lambda key: dict(getattr(self.find("form", key), "document", {}))
        )
        reader.names = {}
        found = reader.fields()
        for problem in reader.problems:
            at = problem.at.replace("properties.", f"{PARAMETERS}.", 1)
            self.problems.append(replace(problem, at=at))
        return found

    def _own(self) -> dict[str, Type]:
        """What every expression can name."""
        return {PARAMETERS: RecordType(PARAMETERS, lambda: self.given)}

    # parts

    def _part(self, said: Mapping[str, Any], at: str, expected: Names) -> Part | None:
        origin = self._origin(said["from"], f"{at}from")
        if origin is None:
            return None
        scope = _Scope({**origin.names, **self._own()}, {"": origin})
        joins = []
        for name, join in said.get("join", {}).items():
            found = self._join(name, join, f"{at}join.{name}", scope)
            if found is not None:
                joins.append(found)
        where = self._expression(said.get("where"), f"{at}where", scope.names, BOOL, scope)
        columns = {}
        for key, value in said["columns"].items():
            place = f"{at}columns.{key}"
            if expected and key not in expected:
                self.say("no_column", place, M("The first source has no column “{column}”.", column=key))
                continue
            source, place = (value, place) if isinstance(value, str) else (value["value"], f"{place}.value")
            parsed = self._expression(source, place, scope.names, expected.get(key), scope)
            if parsed is not None and self._is_value(parsed, place, expected.get(key)):
                columns[key] = parsed
        return Part(origin, tuple(joins), where, columns)

    def _is_value(self, parsed: Expression, at: str, expected: Type | None, folded: bool = False) -> bool:
        """Whether this gives one value a row, be it that of a field that holds several; of a group just one."""
        kind = parsed.type
        if isinstance(kind, ListType) and (folded or not _is_field_of_several(parsed)):
            text = M("This gives a list, but one value is wanted. Use SUM, MAX, FIRST, ANY or ALL.")
            self.say("list", at, text)
            return False
        both = isinstance(kind, RecordType) and isinstance(expected, RecordType)
        if both and expected is not None and kind.name != expected.name:
            text = M("This gives {found}, but {wanted} is wanted.", found=kind.title, wanted=expected.title)
            self.say("result_type", at, text)
        return True

    def _origin(self, said: Any, at: str) -> Origin | None:
        words = {"form": said} if isinstance(said, str) else said
        named = [kind for kind in sources if kind.name in words]
        if len(named) != 1:
            known = ", ".join(kind.name for kind in sources)
            self.say("source", at, M("Name one source: {known}.", known=known))
            return None
        (kind,) = named
        for word in words.keys() - kind.schema.keys():
            self.say("source", f"{at}.{word}", M("“{word}” does not belong to this source.", word=word))
        origin, problems = kind.open(words, self.find, self.given)
        for problem in problems:
            self.problems.append(replace(problem, at=at if isinstance(said, str) else f"{at}.{problem.at}"))
        return origin

    def _join(self, name: str, said: Mapping[str, Any], at: str, scope: "_Scope") -> Join | None:
        if name in scope.names or name in RESERVED:
            self.say("reserved", at, M("“{name}” means something else here. Choose another name.", name=name))
            return None
        origin = self._origin(said["from"], f"{at}.from")
        if origin is None:
            return None
        # lines below a joined record are not lines of the row
        inner = {key: kind for key, kind in origin.names.items() if not isinstance(kind, ListType)}
        own = {name: RecordType(name, lambda: inner)}
        joined = _Scope({**scope.names, **own}, {**scope.origins, name: origin})
        on = []
        for path, source in said["on"].items():
            right = self._expression(source, f"{at}.on.{path}", scope.names, None, scope)
            kind = None if right is None else right.type
            left = self._expression(f"{name}.{path}", f"{at}.on.{path}", own, kind, joined)
            if left is not None and right is not None and self._is_value(right, f"{at}.on.{path}", None):
                on.append((left, right))
        scope.names, scope.origins = joined.names, joined.origins
        return Join(name, origin, tuple(on), bool(said.get("required")))

    # groups

    def _grouped(self, kinds: Names) -> tuple[tuple[str, ...] | None, dict[str, Expression], Names]:
        """Group, measures, and the types of what comes out."""
        doc = self.doc
        if "group" not in doc and "measures" not in doc:
            return None, {}, kinds
        kinds = single(kinds)
        group = tuple(key for key in doc.get("group", ()) if key in kinds)
        for index, key in enumerate(doc.get("group", ())):
            if key not in kinds:
                self.no_column(key, f"group.{index}")
        inner: dict[str, Type] = {
            key: kind if key in group else ListType(kind, OVER) for key, kind in kinds.items()
        }
        inner[ROWS] = ListType(RecordType(ROWS, lambda: kinds), OVER)
        measures = {}
        for key, value in doc.get("measures", {}).items():
            at = f"measures.{key}"
            source, place = (value, at) if isinstance(value, str) else (value["value"], f"{at}.value")
            if key in group:
                self.say("duplicate", at, M("“{key}” is a column of the group already.", key=key))
                continue
            parsed = self._expression(source, place, {**inner, **self._own()}, None)
            if parsed is not None and self._is_value(parsed, place, None, folded=True):
                measures[key] = parsed
        outer = {key: kinds[key] for key in group} | {key: each.type for key, each in measures.items()}
        return group, measures, outer

    def _running(self, outer: Names) -> dict[str, Running]:
        found = {}
        for key, said in self.doc.get("running", {}).items():
            at, of, within = f"running.{key}", said["value"], tuple(said.get("within", ()))
            if key in outer:
                self.say("duplicate", at, M("There is a column “{column}” already.", column=key))
            elif outer.get(of) != NUMBER:
                self.say(
                    "no_number", f"{at}.value", M("There is no column “{column}” of numbers.", column=of)
                )
            elif missing := [name for name in within if name not in outer]:
                self.no_column(missing[0], f"{at}.within")
            else:
                found[key] = Running(of, within)
        return found

    def _leads(self, outer: Names) -> Leads | None:
        """Where rows lead; whether there are such columns is for the check (see `leading`)."""
        said = self.doc.get("leads")
        if said is None:
            return None
        names = {**single(outer), **self._own()}
        of = {
            key: self._expression(value, f"leads.of.{key}", names, None) for key, value in said["of"].items()
        }
        return Leads(said["dataset"], {key: each for key, each in of.items() if each is not None}, names)

    def _expression(
        self, source: str | None, at: str, names: Names, expects: Type | None, scope: "_Scope | None" = None
    ) -> Expression | None:
        if source is None:
            return None
        self.names_at.setdefault(at, names)  # of a join first what its value can name
        parsed, problems = check_expression(source, names, expects)
        if parsed is not None and not isinstance(parsed.tree, Name):
            problems = check_sql(parsed)
        self.problems += [Problem(p.code, at, p.message, p.line, p.column) for p in problems]
        if parsed is None or problems:
            return None
        if scope is not None:
            self.reads |= {each for path in parsed.reads for each in scope.reads(path)}
        return parsed

    def no_column(self, key: str, at: str) -> None:
        """Tell that there is no such column."""
        self.say("no_column", at, M("There is no column “{column}”.", column=key))

    def say(self, code: str, at: str, message: Message) -> None:
        """Tell a problem."""
        self.problems.append(Problem(code, at, message))


@dataclass
class _Scope:
    """What the expressions of one part can name, and which source a name belongs to."""

    names: Names
    origins: Mapping[str, Origin]

    def reads(self, path: tuple[str, ...]) -> set[Read]:
        """The fields that are read at a path."""
        if path[0] == PARAMETERS:
            return set()
        joined = path[0] in self.origins
        rest = path[1:] if joined else path
        return set(self.origins[path[0] if joined else ""].reads(rest)) if rest else set()


def _is_field_of_several(parsed: Expression) -> bool:
    """Whether this is one field that holds several values, and not one value of each of several lines."""
    tree = parsed.tree
    if not isinstance(tree, Name) or isinstance(element(tree.steps[-1]), RecordType):
        return False
    return not any(isinstance(step, ListType) for step in tree.steps[:-1])
