"""Datasets calculated by hand: rows held in Python, rights by masking cells, joins and groups by loops.

It shares with the real thing the language of expressions (which has its own proof) and nothing else.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from sqlalchemy import select

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.definitions import Doc
from formloop.core.expression import BOOL, EvaluationError, Linked, ListType, RecordType, Type, parse
from formloop.datasets.kind import get_dataset
from formloop.db import reading
from formloop.forms.kind import get_form
from formloop.forms.names import context_of

Row = dict[str, Any]


class ByHand:
    """Everything one person may see, in memory."""

    def __init__(self, actor: Actor, forms: list[str], action: str = "view") -> None:
        self.context = context_of(actor)
        whole = {key: _load(key) for key in forms}
        self.forms = {key: self._masked(actor, action, key, rows, whole) for key, rows in whole.items()}
        for key, rows in self.forms.items():
            for row in rows.values():
                self._link(key, row, self.forms)

    def _masked(
        self, actor: Actor, action: str, key: str, rows: dict[int, Row], whole: Any
    ) -> dict[int, Row]:
        spec, found = get_form(key), {}
        grants = gate.list_grants(actor, action, f"form:{key}")
        for record, row in rows.items():
            env = dict(row)
            self._link(key, env, whole)
            given = [g for g in grants if g.condition is None or self.holds(g.condition, spec.names, env)]
            if not given or row["deleted_at"] is not None:
                continue
            seen = {k: v for k, v in row.items() if k not in spec.fields or any(g.covers(k) for g in given)}
            for top in spec.subforms:
                covered = [c.key for c in top.children if any(g.covers(c.path) for g in given)]
                there = row[top.key] if covered or any(g.covers(top.key) for g in given) else []
                seen[top.key] = [
                    {k: (v if k in (*covered, "id", "position") else None) for k, v in line.items()}
                    for line in there
                ]
            found[record] = {**dict.fromkeys(row), **seen}
        return found

    def _link(self, key: str, row: Row, rows: Any) -> None:
        for field in get_form(key).fields.values():
            if field.relation and row.get(field.key) is not None:
                row[field.key] = Linked(
                    int(row[field.key]), rows[field.relation.form].get(int(row[field.key]), {})
                )
            for line in (row.get(field.key) or ()) if field.children else ():
                for child in field.children:
                    if child.relation and line.get(child.key) is not None:
                        target = rows[child.relation.form].get(int(line[child.key]), {})
                        line[child.key] = Linked(int(line[child.key]), target)

    def holds(self, source: str, names: Mapping[str, Type], env: Row) -> bool:
        return self.value(source, names, env, BOOL) is True

    def value(self, source: str, names: Mapping[str, Type], env: Row, expects: Type | None = None) -> Any:
        try:
            found = parse(source, names, expects).evaluate(env, self.context)
        except EvaluationError:
            return None
        return int(found) if isinstance(found, Linked) else None if found == "" else found

    def rows(self, doc: Doc) -> list[Row]:
        """The rows of a dataset."""
        found = self._part(doc)
        for part in doc.get("union", ()):
            found += [{**dict.fromkeys(doc["columns"]), **row} for row in self._part(part)]
        spec = get_dataset(doc["x-key"])
        if "measures" in doc or "group" in doc:
            found = self._grouped(doc, spec.inner, found)
        if "having" in doc:
            found = [row for row in found if self.holds(doc["having"], spec.types, row)]
        ordered = sorted(found, key=cmp_to_key(_by(spec.sort)))
        for key, said in doc.get("running", {}).items():
            _run(ordered, key, said)
        return ordered

    def _source(self, said: Any) -> tuple[list[Row], dict[str, Type]]:
        words = {"form": said} if isinstance(said, str) else said
        if "dataset" in words:
            nested = get_dataset(words["dataset"])
            rows = self.rows(dict(nested.document))
            for row in rows:
                for key, kind in nested.types.items():
                    if isinstance(kind, RecordType) and row[key] is not None:
                        row[key] = Linked(int(row[key]), self.forms[kind.name].get(int(row[key]), {}))
            return rows, dict(nested.types)
        spec, each = get_form(words["form"]), words.get("each")
        names = dict(spec.names)
        if not each:
            return list(self.forms[spec.key].values()), names
        lines = names[each]
        assert isinstance(lines, ListType)
        names["line"] = lines.of
        return [{**r, "line": line} for r in self.forms[spec.key].values() for line in r[each]], names

    def _part(self, doc: Doc) -> list[Row]:
        rows, names = self._source(doc["from"])
        for name, join in doc.get("join", {}).items():
            others, theirs = self._source(join["from"])
            record = RecordType(name, lambda theirs=theirs: theirs)
            rows = [
                {**row, name: other}
                for row in rows
                for other in self._matching(name, join, row, names, others, record)
            ]
            names = {**names, name: record}
        if "where" in doc:
            rows = [row for row in rows if self.holds(doc["where"], names, row)]
        said = {
            key: value if isinstance(value, str) else value["value"] for key, value in doc["columns"].items()
        }
        return [{key: self.value(value, names, row) for key, value in said.items()} for row in rows]

    def _matching(
        self, name: str, join: Doc, row: Row, names: Any, others: list[Row], record: Type
    ) -> list[Row]:
        wanted = {path: self.value(source, names, row) for path, source in join["on"].items()}
        found = [
            other
            for other in others
            if all(
                value is not None and self.value(f"{name}.{path}", {name: record}, {name: other}) == value
                for path, value in wanted.items()
            )
        ]
        return found or ([] if join.get("required") else [{}])

    def _grouped(self, doc: Doc, inner: Mapping[str, Type], rows: list[Row]) -> list[Row]:
        group, groups = doc.get("group", ()), dict[tuple[Any, ...], list[Row]]()
        for row in rows:
            groups.setdefault(tuple(row[key] for key in group), []).append(row)
        if not group and not groups:
            groups[()] = []
        names: dict[str, Type] = {k: v if k in group else ListType(v, ("rows",)) for k, v in inner.items()}
        names["rows"] = ListType(RecordType("rows", lambda: inner), ("rows",))
        found = []
        for key, members in groups.items():
            env: Row = {"rows": members, **{k: [row[k] for row in members] for k in inner if k not in group}}
            env |= dict(zip(group, key, strict=True))
            measures = {k: self.value(said, names, env) for k, said in doc.get("measures", {}).items()}
            found.append({**dict(zip(group, key, strict=True)), **measures})
        return found


def _run(rows: list[Row], key: str, said: Mapping[str, Any]) -> None:
    """Write the running totals of a column into the rows; of nothing but empty cells it is empty."""
    totals: dict[tuple[Any, ...], Decimal | None] = {}
    for row in rows:
        within = tuple(row[name] for name in said.get("within", ()))
        so_far, value = totals.get(within), row[said["value"]]
        totals[within] = so_far if value is None else (so_far or Decimal(0)) + value
        row[key] = totals[within]


def _load(key: str) -> dict[int, Row]:
    spec = get_form(key)
    with reading() as conn:
        found = {row["id"]: dict(row) for row in conn.execute(select(spec.table)).mappings()}
        for subform, table in spec.line_tables.items():
            for record in found.values():
                record[subform] = []
            for line in conn.execute(select(table).order_by(table.c.record, table.c.position)).mappings():
                found[line["record"]][subform].append(dict(line))
    return found


def _by(sort: tuple[str, ...]) -> Callable[[Row, Row], int]:
    def compare(one: Row, two: Row) -> int:
        for key in sort:
            name, way = key.lstrip("-"), -1 if key.startswith("-") else 1
            left, right = one[name], two[name]
            if left != right:
                if left is None or right is None:
                    return way * (-1 if left is None else 1)
                return way * (-1 if left < right else 1)
        return 0

    return compare


def normal(rows: list[Row]) -> list[tuple[tuple[str, Any], ...]]:
    """Rows to compare: without what tells them apart, numbers without zeros at the end."""
    return [tuple((k, _plain(v)) for k, v in row.items() if not k.startswith("_")) for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    return Decimal(value).normalize()
