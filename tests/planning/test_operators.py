"""What every calculation must do, whichever it is."""

import inspect
from pathlib import Path

import pytest

import formloop
from formloop.core.text import load_catalogues, translate
from formloop.planning.kind import operator_parameters
from formloop.planning.operators import operators
from formloop.planning.spec import KINDS, Operator

EVERY = list(operators)


@pytest.fixture(autouse=True)
def catalogues() -> None:
    load_catalogues(Path(formloop.__file__).parent)


@pytest.mark.parametrize("operator", EVERY, ids=lambda each: each.name)
def test_it_is_described_in_both_languages(operator: Operator) -> None:
    assert inspect.getdoc(operator)
    titles = [
        operator.title,
        *(port.title for port in (*operator.ports.values(), *operator.outputs.values())),
    ]
    for title in titles:
        assert translate(title.render("en"), "zh-CN") != title.render("en")
    for schema in operator.parameters.values():
        assert schema["title"] and schema["x-title"]["zh-CN"]


@pytest.mark.parametrize("operator", EVERY, ids=lambda each: each.name)
def test_its_tables_and_parameters_are_sound(operator: Operator) -> None:
    for port in (*operator.ports.values(), *operator.outputs.values()):
        assert {column.kind for column in port.columns.values()} <= KINDS.keys()
    fields = operator_parameters(operator)
    assert fields.keys() == operator.parameters.keys()
    presets = {key: each.default for key, each in fields.items()}
    assert all(fields[k].type.check(fields[k], v) is None for k, v in presets.items() if v is not None)


@pytest.mark.parametrize("operator", EVERY, ids=lambda each: each.name)
def test_nothing_gives_nothing(operator: Operator) -> None:
    values = {key: each.default for key, each in operator_parameters(operator).items()}
    found = operator.calculate({name: [] for name in operator.ports}, values, frozenset(operator.outputs))
    assert not found.problems
    assert not any(found.outputs.values()) and found.outputs.keys() <= operator.outputs.keys()
