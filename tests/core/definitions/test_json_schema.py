"""JSON Schema written by people: closed, local, not endless, in linear time."""

from decimal import Decimal

import pytest

from formloop.core.definitions import check_json_schema, record_validator
from formloop.core.errors import Invalid


def _codes(schema):
    return [problem.code for problem in check_json_schema(schema)]


def test_an_ordinary_schema_is_fine_and_own_keys_are_the_kinds_business():
    assert _codes({"type": "object", "properties": {"a": {"type": "string", "x-anything": 1}}}) == []


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ({"$ref": "http://127.0.0.1:1/x"}, "reference"),
        ({"$ref": "file:///etc/hostname"}, "reference"),
        ({"$ref": "#"}, "reference"),
        ({"$ref": "#/$defs/missing"}, "reference"),
        ({"$ref": 3}, "reference"),
        (
            {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
            "reference",
        ),
        ({"$dynamicRef": "#x"}, "unknown_key"),
        ({"$id": "http://127.0.0.1:1/x"}, "unknown_key"),
        ({"properties": {"a": {"requird": []}}}, "unknown_key"),
        ({"pattern": "(?=x)y"}, "pattern"),
        ({"pattern": "("}, "pattern"),
        ({"pattern": "((a{900}){900}){900}"}, "pattern"),
        ({"pattern": 3}, "pattern"),
        ({"type": "strng"}, "schema"),
        ({"type": "object", "properties": []}, "schema"),
    ],
)
def test_a_bad_schema_is_refused(schema, code):
    assert code in _codes(schema)


def test_references_that_multiply_are_refused():
    doubling = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(25)} | {
        "d25": {"type": "string"}
    }
    assert _codes({"$defs": doubling, "$ref": "#/$defs/d0"}) == ["too_large"]


def test_a_pattern_that_backtracks_elsewhere_takes_no_time_here():
    validator = record_validator({"type": "string", "pattern": "^(a+)+$"})
    assert not validator.is_valid("a" * 5000 + "!")


def test_decimals_are_compared_exactly():
    cents = record_validator({"multipleOf": Decimal("0.01")})
    assert cents.is_valid(Decimal("19.99")) and not cents.is_valid(Decimal("19.995"))


def test_a_local_reference_counts_as_what_it_names():
    validator = record_validator(
        {"$defs": {"name": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/name", "maxLength": 2}}}
    )
    assert validator.is_valid({"a": "ab"})
    assert not validator.is_valid({"a": "abc"}) and not validator.is_valid({"a": 1})


def test_a_validator_of_an_endless_schema_is_not_made():
    with pytest.raises(Invalid):
        record_validator({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"})
