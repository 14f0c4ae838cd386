"""What the designer of a plan offers and shows: ports with datasets that fit, and which result goes into which field."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from formloop.core.definitions import Doc
from formloop.core.expression import Type
from formloop.core.text import LOCALES, M, Message, Titled, localized
from formloop.datasets.spec import DatasetSpec
from formloop.definitions import apps, library
from formloop.forms.spec import Field, FormSpec
from formloop.planning.kind import Reader, same_names, takes
from formloop.planning.operators import operators
from formloop.planning.spec import Operator, PlanSpec, Port
from formloop.studio.pickers import Option
from formloop.studio.shapes import mapping

Names = Mapping[str, Mapping[str, Type]]  # what expressions can name, by their place


@dataclass(frozen=True, slots=True)
class Filled:
    """One field that an output fills in. `by_name`: because the result has a column of that name."""

    title: str
    said: str
    by_name: bool


@dataclass(frozen=True, slots=True)
class Target:
    """Where an output goes, and what its form gets; `suggested` is field → column, not accepted yet."""

    name: str
    title: Message
    form: FormSpec
    filled: list[Filled]
    lacking: list[str] = field(default_factory=list)
    suggested: dict[str, str] = field(default_factory=dict)
    suggestions: list[tuple[str, str]] = field(default_factory=list)  # the same in words


def operator_of(doc: Doc) -> Operator | None:
    """The calculation that a draft names."""
    return operators.find(str(doc.get("operator", "")))


def understood(doc: Doc) -> tuple[PlanSpec | None, Names]:
    """As much of a draft as can be read, and what its expressions can name."""
    reader, found = Reader(doc, library.find_published), None
    with suppress(KeyError, TypeError, AttributeError, ValueError):  # a draft may be wrong in every way
        found = reader.plan(0)
    return found, reader.names_at


def describe_ports(doc: Doc) -> dict[str, Any]:
    """A choice of datasets for each port of the calculation, those that fit first."""
    operator, chosen = operator_of(doc), mapping(doc.get("ports"))
    datasets = library.all_published("dataset") if operator else []
    return {
        name: _choice(port, datasets, chosen.get(name))
        for name, port in (operator.ports if operator else {}).items()
    }


def suggest_ports(operator: Operator) -> dict[str, str]:
    """The ports with the dataset that has all that is needed, and more of what is read than any other."""
    found = {}
    for name, port in operator.ports.items():
        fitting = [each for each in library.all_published("dataset") if not _lacking(port, each)]
        best = sorted(fitting, key=lambda each: _read_of(port, each), reverse=True)[:2]
        if len(best) == 1 or (best and _read_of(port, best[0]) > _read_of(port, best[1])):
            found[name] = best[0].key
    return found


def describe_parameters(doc: Doc) -> dict[str, Any]:
    """The parameters of the calculation and of its datasets, but records, whose ids hold on one site alone."""
    plan, _ = understood(doc)
    return {
        key: {word: said for word, said in each.schema.items() if word != "x-default"}
        for key, each in (plan.parameters if plan else {}).items()
        if each.relation is None and each.schema.get("type") in ("string", "number", "integer", "boolean")
    }


def _choice(port: Port, datasets: list[DatasetSpec], chosen: Any) -> dict[str, Any]:
    needs = {each.key: _lacking(port, each) for each in datasets}
    wanted = sum(column.required for column in port.columns.values())
    offered = [each for each in datasets if len(needs[each.key]) < wanted or each.key == chosen]
    offered.sort(key=lambda each: (len(needs[each.key]), -_read_of(port, each)))
    names = _names()
    return {
        "type": "string",
        **_both("title", port.title),
        **_both("description", _reads(port)),
        "enum": [each.key for each in offered],
        "x-titles": {
            each.key: _both("title", _called(names.get(each.key, each.name), needs[each.key]))
            for each in offered
        },
    }


def _names() -> dict[str, Message]:
    """What datasets are called, told apart."""
    datasets = library.list_entries("dataset")
    english, *others = (apps.names_apart(datasets, locale) for locale in LOCALES)
    return {
        key: Titled(
            {
                "title": name,
                "x-title": {each: said[key] for each, said in zip(LOCALES[1:], others, strict=True)},
            }
        )
        for key, name in english.items()
    }


def _called(name: Message, lacking: list[Message]) -> Message:
    return M("{dataset} (lacks: {columns})", dataset=name, columns=_listed(lacking)) if lacking else name


def _reads(port: Port) -> Message:
    needed = [each.title for each in port.columns.values() if each.required]
    further = [each.title for each in port.columns.values() if not each.required]
    if not further:
        return M("Needs {columns}.", columns=_listed(needed))
    return M(
        "Needs {columns}; reads {further} where it is there.",
        columns=_listed(needed),
        further=_listed(further),
    )


def _listed(words: list[Message]) -> Message:
    found = words[0]
    for each in words[1:]:
        found = M("{first}, {next}", first=found, next=each)
    return found


def _both(word: str, said: Message) -> dict[str, Any]:
    """A text of a schema in all languages."""
    first, *others = LOCALES
    return {word: said.render(first), f"x-{word}": {each: said.render(each) for each in others}}


def _lacking(port: Port, dataset: DatasetSpec) -> list[Message]:
    return [
        column.title
        for key, column in port.columns.items()
        if column.required and not (key in dataset.types and column.fits(dataset.types[key]))
    ]


def _read_of(port: Port, dataset: DatasetSpec) -> int:
    """How many of its columns a port would find."""
    return sum(key in dataset.types and each.fits(dataset.types[key]) for key, each in port.columns.items())


def list_results(doc: Doc, name: str, locale: str) -> list[Option]:
    """The columns of an output, and the parameters."""
    operator, (plan, _) = operator_of(doc), understood(doc)
    port = operator.outputs.get(name) if operator else None
    columns = [(key, each.title.render(locale)) for key, each in port.columns.items()] if port else []
    own = [
        (f"parameters.{key}", each.title(locale)) for key, each in (plan.parameters if plan else {}).items()
    ]
    return columns + own


def writable(form: FormSpec, locale: str) -> list[Option]:
    """The fields of a form that a run may write."""
    return [(key, each.title(locale)) for key, each in form.fields.items() if takes(each)]


def list_targets(doc: Doc, locale: str) -> Iterator[Target]:
    """Each output whose form is there."""
    operator = operator_of(doc)
    for name, said in mapping(doc.get("outputs")).items():
        port = operator.outputs.get(name) if operator else None
        form = library.find_published("form", str(mapping(said).get("form", "")))
        if port is not None and isinstance(form, FormSpec):
            yield _target(
                name,
                port,
                form,
                mapping(mapping(said).get("map")),
                dict(list_results(doc, name, locale)),
                locale,
            )


def _target(
    name: str, port: Port, form: FormSpec, written: Mapping[str, Any], words: Mapping[str, str], locale: str
) -> Target:
    by_name = same_names(port, form)
    sources = {**by_name, **{key: str(each) for key, each in written.items() if key in form.fields}}
    filled = [
        Filled(
            form.fields[key].title(locale), words.get(source, source), key in by_name and key not in written
        )
        for key, source in sources.items()
    ]
    free = {key: each for key, each in form.fields.items() if takes(each) and key not in sources}
    unused = [key for key in port.columns if key not in sources.values()]
    suggested = {
        key: column
        for key, each in free.items()
        if (column := next((one for one in unused if _alike(each, port, one)), ""))
    }
    return Target(
        name,
        port.title,
        form,
        filled,
        [each.title(locale) for key, each in free.items() if each.required is True and key not in suggested],
        suggested,
        [(free[key].title(locale), words[column]) for key, column in suggested.items()],
    )


def _alike(each: Field, port: Port, column: str) -> bool:
    """Whether a column is called like a field and is of its kind."""
    known = port.columns[column]
    called = {known.title.render(locale).lower() for locale in LOCALES}
    own = {localized(each.schema, "title", locale).strip().lower() for locale in LOCALES}
    return bool(called & own) and known.fits(each.type.expression_type(each))
