"""The rows of another dataset."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from formloop.core.definitions.envelope import KEY_PATTERN
from formloop.core.errors import Problem
from formloop.core.expression import Expression, Path, RecordType, Type
from formloop.core.expression import check as check_expression
from formloop.core.text import M
from formloop.datasets import keeping_back, statement
from formloop.datasets.sight import TableRows
from formloop.datasets.sources.form import steps
from formloop.datasets.spec import PARAMETERS, DatasetSpec, Find, Origin, Read, Rows, SourceKind, View
from formloop.forms.kind import get_form
from formloop.forms.spec import Field


class FromDataset(SourceKind):
    """Rows of another dataset; `parameters` says with which values of its parameters."""

    name = "dataset"
    schema: ClassVar[Mapping[str, Any]] = {
        "dataset": {
            "type": "string",
            "pattern": KEY_PATTERN,
            "x-picked": True,
            "title": "Dataset",
            "x-title": {"zh-CN": "数据集"},
        },
        "parameters": {
            "type": "object",
            "maxProperties": 20,
            "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 4096},
            "x-only-beside": "dataset",
            "x-pairs": {
                "name": {
                    "x-pick": "their_parameters",
                    "title": "Its parameter",
                    "x-title": {"zh-CN": "对方参数"},
                },
                "value": {
                    "x-pick": "own_parameters",
                    "x-formula": True,
                    "title": "Is",
                    "x-title": {"zh-CN": "取值"},
                },
            },
            "title": "Its parameters",
            "x-title": {"zh-CN": "参数取值"},
        },
    }

    def references(self, said: Mapping[str, Any]) -> set[tuple[str, str]]:
        """The dataset."""
        return {("dataset", said["dataset"])}

    def open(
        self, said: Mapping[str, Any], find: Find, parameters: Mapping[str, Type]
    ) -> tuple[Origin | None, list[Problem]]:
        """The dataset with the values of its parameters."""
        spec = find("dataset", said["dataset"])
        if not isinstance(spec, DatasetSpec):
            text = M("There is no dataset “{dataset}”.", dataset=said["dataset"])
            return None, [Problem("no_dataset", "dataset", text)]
        given, problems = {}, []
        names = {PARAMETERS: RecordType(PARAMETERS, lambda: parameters)}
        for key, source in said.get("parameters", {}).items():
            at, field = f"parameters.{key}", spec.parameters.get(key)
            if field is None:
                text = M("The dataset “{dataset}” has no parameter “{key}”.", dataset=spec.key, key=key)
                problems.append(Problem("no_parameter", at, text))
                continue
            parsed, wrong = check_expression(source, names, field.type.expression_type(field))
            problems += [Problem(p.code, at, p.message, p.line, p.column) for p in wrong]
            if parsed is not None:
                given[key] = parsed
        return DatasetOrigin(spec, given), problems


class DatasetOrigin:
    """A dataset as a source: its columns are named bare, relations among them lead on."""

    def __init__(self, spec: DatasetSpec, given: Mapping[str, Expression]) -> None:
        self.dataset, self._given = spec, given
        self.names: Mapping[str, Type] = spec.types
        self.identified, self.tables = spec.identified, spec.tables

    def find_field(self, path: Path) -> Field | None:
        """The column, or what stands behind the record it points to."""
        if len(path) == 1:
            return self.dataset.fields.get(path[0])
        found = list(self.reads(path))
        return get_form(found[-1][0]).find(found[-1][1]) if found else None

    def reads(self, path: Path) -> Iterator[Read]:
        """What its columns lead on to; what they read themselves is its own matter."""
        kind = self.dataset.types[path[0]]
        if isinstance(kind, RecordType) and len(path) > 1:
            for form, at, _ in steps(get_form(kind.name), path[1:]):
                yield form, at

    def rows(self, view: View) -> Rows:
        """Its rows for one person."""
        env = {PARAMETERS: view.parameters}
        given = {key: each.evaluate(env, view.context) for key, each in self._given.items()}
        values = statement.complete(self.dataset, given, view.context)
        inner = replace(view, parameters=values)
        return TableRows(inner, statement.derived(inner, self.dataset), self.dataset.types)

    def whole(self, view: View) -> bool:
        """Whether nothing that the other dataset is made of is kept back from the person."""
        return not keeping_back.partly_hidden(view, self.dataset)

    def closed(self, view: View, path: Path) -> bool:
        """Whether a column, or what it leads on to, is hidden from the person in every row."""
        beyond = any(keeping_back.shows_nowhere(view, read) for read in self.reads(path))
        return beyond or path[0] in keeping_back.closed(view, self.dataset)

    def require(self, view: View) -> None:
        """Forbidden when nothing of its sources may be seen."""
        statement.require(view, self.dataset)
