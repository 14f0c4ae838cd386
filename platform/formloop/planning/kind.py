"""The kind of definition "plan": what can be wrong with one, and what runs of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from formloop.core.definitions import Doc, Kind, Library, kinds, load_schema
from formloop.core.errors import NotFound, Problem
from formloop.core.expression import BOOL, Expression, RecordType, Type
from formloop.core.expression import check as check_expression
from formloop.core.text import M, Message
from formloop.datasets.spec import PARAMETERS, DatasetSpec, Find
from formloop.definitions import library
from formloop.forms.reading import Reader as FormReader
from formloop.forms.spec import Field, FormSpec, Unreadable, no_form
from formloop.planning.operators import operators
from formloop.planning.spec import Operator, Output, PlanSpec, Port


def prepare(doc: Doc, version: int) -> PlanSpec:
    """What runs of a plan document that has been checked."""
    found = Reader(doc, library.find_published).plan(version)
    if found is None:
        raise NotFound
    return found


def check(doc: Doc, lib: Library) -> list[Problem]:
    """What is wrong with a plan beyond its schema."""
    reader = Reader(doc, lib.find_prepared)
    reader.plan(0)
    return reader.problems


def references(doc: Doc) -> set[tuple[str, str]]:
    """Its datasets and the forms it writes to."""
    datasets = {("dataset", key) for key in doc["ports"].values()}
    return datasets | {("form", said["form"]) for said in doc["outputs"].values()}


@dataclass
class Reader:
    """Reads one document; `problems` grows as it goes."""

    doc: Doc
    find: Find
    problems: list[Problem] = field(default_factory=list)
    names_at: dict[str, Mapping[str, Type]] = field(default_factory=dict)  # by the place of an expression

    def plan(self, version: int) -> PlanSpec | None:
        """The prepared plan; None when there is no such calculation."""
        doc, operator = self.doc, operators.find(self.doc["operator"])
        if operator is None:
            known = ", ".join(each.name for each in operators)
            text = M(
                "There is no calculation “{name}”. There are: {known}.", name=doc["operator"], known=known
            )
            self._say("no_operator", "operator", text)
            return None
        datasets = self._ports(operator)
        parameters = operator_parameters(operator)
        for each in datasets.values():
            parameters |= {key: field for key, field in each.parameters.items() if key not in parameters}
        return PlanSpec(
            id=doc["x-id"],
            key=doc["x-key"],
            version=version,
            document=doc,
            operator=operator,
            ports={port: dataset.key for port, dataset in datasets.items()},
            parameters=parameters,
            values=self._values(parameters),
            outputs=tuple(
                output
                for name, said in doc["outputs"].items()
                if (output := self._output(operator, name, said, parameters))
            ),
        )

    def _ports(self, operator: Operator) -> dict[str, DatasetSpec]:
        found = {}
        for name, key in self.doc["ports"].items():
            port, dataset = operator.ports.get(name), self.find("dataset", key)
            if port is None:
                self._unknown(name, f"ports.{name}", operator.ports)
            elif not isinstance(dataset, DatasetSpec):
                text = M("There is no dataset “{dataset}”.", dataset=key)
                self._say("no_dataset", f"ports.{name}", text)
            else:
                self._columns(name, port, dataset)
                found[name] = dataset
        for name, port in operator.ports.items():
            if port.required and name not in self.doc["ports"]:
                self._say("no_port", f"ports.{name}", M("Say where “{port}” is read from.", port=port.title))
        return found

    def _columns(self, name: str, port: Port, dataset: DatasetSpec) -> None:
        """Whether a dataset has what a port reads."""
        for key, column in port.columns.items():
            kind = dataset.types.get(key)
            if kind is None and column.required:
                text = M(
                    "“{dataset}” has no column “{column}” ({title}), which “{port}” needs.",
                    dataset=dataset.name,
                    column=key,
                    title=column.title,
                    port=port.title,
                )
                self._say("no_column", f"ports.{name}", text)
            elif kind is not None and not column.fits(kind):
                text = M(
                    "The column “{column}” of “{dataset}” is {found}, but {wanted} is wanted.",
                    column=column.title,
                    dataset=dataset.name,
                    found=kind.title,
                    wanted=column.type.title,
                )
                self._say("column_type", f"ports.{name}", text)

    def _values(self, parameters: Mapping[str, Field]) -> dict[str, Any]:
        found = {}
        for key, raw in self.doc.get("parameters", {}).items():
            if key not in parameters:
                self._unknown(key, f"parameters.{key}", parameters)
                continue
            try:
                found[key] = parameters[key].type.read(parameters[key], raw)
            except Unreadable as error:
                self._say("unreadable", f"parameters.{key}", error.message)
                continue
            wrong = parameters[key].type.check(parameters[key], found[key])
            if wrong is not None:
                self._say("unreadable", f"parameters.{key}", wrong)
        return found

    def _output(
        self, operator: Operator, name: str, said: Mapping[str, Any], parameters: Mapping[str, Field]
    ) -> Output | None:
        at, port, form = f"outputs.{name}", operator.outputs.get(name), self.find("form", said["form"])
        if port is None:
            self._unknown(name, at, operator.outputs)
            return None
        if not isinstance(form, FormSpec):
            self.problems.append(no_form(f"{at}.form", said["form"]))
            return None
        if ("by" in said) == ("replace" in said):
            text = M("Say either by which fields records are found again, or that they are made anew.")
            self._say("by", at, text)
        keep = self._expression(said["keep"], f"{at}.keep", form.names, BOOL) if "keep" in said else None
        types = {key: each.type.expression_type(each) for key, each in parameters.items()}
        names: dict[str, Type] = {key: column.type for key, column in port.columns.items()}
        names[PARAMETERS] = RecordType(PARAMETERS, lambda: types)
        wanted = same_names(port, form)
        values = {}
        for key, source in {**wanted, **said.get("map", {})}.items():
            place, known = f"{at}.map.{key}", form.fields.get(key)
            if known is None or not takes(known):
                text = M("There is no field “{key}” that could be written.", key=key)
                self._say("no_field", place, text)
            elif parsed := self._expression(source, place, names, known.type.expression_type(known)):
                values[key] = parsed
        for index, key in enumerate(said.get("by", ())):
            if key not in values:
                self._say(
                    "no_value", f"{at}.by.{index}", M("Say under “map” which value “{key}” has.", key=key)
                )
        return Output(name, form.key, tuple(said.get("by", ())), keep, values)

    def _expression(
        self, source: str, at: str, names: Mapping[str, Type], expects: Type
    ) -> Expression | None:
        self.names_at[at] = names
        parsed, problems = check_expression(source, names, expects)
        self.problems += [Problem(p.code, at, p.message, p.line, p.column) for p in problems]
        return parsed

    def _unknown(self, name: str, at: str, known: Mapping[str, Any]) -> None:
        text = M("There is no “{name}”. Possible here: {known}.", name=name, known=", ".join(known))
        self._say("unknown_name", at, text)

    def _say(self, code: str, at: str, message: Message) -> None:
        self.problems.append(Problem(code, at, message))


def same_names(port: Port, form: FormSpec) -> dict[str, str]:
    """The fields of a form that take the column of the same name."""
    return {key: key for key in port.columns if key in form.fields and takes(form.fields[key])}


def takes(known: Field) -> bool:
    """Whether a run may write this field."""
    return not known.children and known.formula is None and known.type.name not in ("query", "serial")


def operator_parameters(operator: Operator) -> dict[str, Field]:
    """The parameters of a calculation as fields."""
    reader = FormReader({"properties": dict(operator.parameters)}, lambda key: None)
    reader.names = {}
    return reader.fields()


def get_plan(key: str) -> PlanSpec:
    """The published plan `key`, or NotFound."""
    found = library.published("plan", key)
    if not isinstance(found, PlanSpec):
        raise NotFound
    return found


PLAN = kinds.add(
    "plan",
    Kind(
        name="plan",
        title=M("Plan"),
        schema=load_schema("plan", Path(__file__).with_name("schema.json")),
        check=check,
        references=references,
        prepare=prepare,
        identities={"by": ""},
    ),
)
