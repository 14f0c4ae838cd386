"""Every field type keeps the same promises: read, check, show, input, column, filter, JSON Schema, reference."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest

from databases import Begun
from formloop.access.actor import SYSTEM
from formloop.core.json_text import dumps, loads, plain
from formloop.core.registry import Registry
from formloop.forms import listing, reads, service
from formloop.forms.convert import field_of
from formloop.forms.fields import type_of, types
from formloop.forms.filters import Filter, operators
from formloop.forms.kind import get_form
from formloop.forms.spec import Field, FieldType, Unreadable
from formloop.settings import Settings
from forms.specimens import key_of, publish_all, schemas

# what people type, the value it means, and how it is shown
GIVEN: dict[str, tuple[Any, Any, str]] = {
    "text": (" 1001.0 ", "1001.0", "1001.0"),
    "multiline": ("a\nb", "a\nb", "a\nb"),
    "rich_text": ("<p onclick='x'>a <b>b</b></p><script>c</script>", "<p>a b</p>", "a b"),
    "number": ("１，234.5", Decimal("1234.5"), "1,234.5 kg"),
    "amount": ("¥1024.5", Decimal("1024.5"), "CN¥1,024.50"),
    "datetime": ("2026-11-21 08:00", datetime(2026, 11, 21, 0, 0, tzinfo=UTC), "2026-11-21 08:00"),
    "radio": ("红", "red", "Red"),
    "checkbox_group": (["红", "blue"], ["red", "blue"], "Red, Blue"),
    "dropdown": ("Blue", "blue", "Blue"),
    "multi_select": ("red, green", ["red", "green"], "Red, green"),
    "switch": ("是", True, "Yes"),
    "cascade": (["Zhejiang", "Ningbo"], "Zhejiang / Ningbo", "Zhejiang / Ningbo"),
    "contact": ("a@b.cn", "a@b.cn", "a@b.cn"),
    "address": (
        {"city": "Ningbo", "street": "1 Sea Road", "country": ""},
        {"city": "Ningbo", "street": "1 Sea Road"},
        "1 Sea Road, Ningbo",
    ),
    "location": (
        "30.2741，120.15",
        {"latitude": Decimal("30.2741"), "longitude": Decimal("120.15")},
        "30.2741, 120.15",
    ),
    "image": ("0" * 32, ["0" * 32], "0" * 8),
    "attachment": (["0" * 32], ["0" * 32], "0" * 8),
    "signature": ("0" * 32, ["0" * 32], "0" * 8),
    "member": ("7", 7, "#7"),
    "department": ("7", 7, "#7"),
    "serial": ("E1", "E1", "E1"),
    "relation": ("7", 7, "#7"),
    "calculation": ("2.50", Decimal("2.50"), "2.5"),
}
UNREADABLE: dict[str, Any] = {
    "number": "abc",
    "amount": "1.2.3",
    "datetime": "yesterday",
    "switch": "maybe",
    "location": "north",
    "address": {"planet": "Mars"},
    "image": "../../etc/passwd",
    "attachment": "x",
    "member": "Ann",
    "relation": "Acme",
    "text": {"a": 1},
    "subform": "x",
}
WRONG: dict[str, Any] = {
    "radio": "purple",
    "checkbox_group": ["purple"],
    "dropdown": "purple",
    "multi_select": ["purple"],
    "cascade": "Zhejiang / Suzhou",
    "contact": "a@b",
    "location": {"latitude": Decimal(91), "longitude": Decimal(0)},
    "number": Decimal("0.1234567"),
    "amount": Decimal("1e15"),
    "text": "x" * 501,
    "attachment": ["0" * 32] * 51,
}
NEVER_GIVEN = {"subform", "query"}  # lines and look-ups have no single value


def specimen(name: str) -> Field:
    return field_of(schemas()[name], key_of(name))


def every(registry: Registry[FieldType]) -> list[str]:
    return [each.name for each in registry]


def test_there_are_25_types() -> None:
    assert len(every(types)) == 25
    assert set(GIVEN) | NEVER_GIVEN == set(every(types))


@pytest.mark.parametrize("name", GIVEN)
def test_a_schema_means_its_type(name: str) -> None:
    assert type_of(schemas()[name]) == name


@pytest.mark.parametrize("name", GIVEN)
def test_what_people_type_becomes_a_value_that_is_right(name: str) -> None:
    field = specimen(name)
    raw, value, _ = GIVEN[name]
    assert field.type.read(field, raw) == value
    assert field.type.check(field, value) is None


@pytest.mark.parametrize("name", GIVEN)
def test_a_value_is_shown_and_the_empty_one_as_nothing(name: str) -> None:
    field = specimen(name)
    _, value, text = GIVEN[name]
    assert field.type.show(field, value, "en") == text
    assert field.type.show(field, None, "zh-CN") == ""
    assert field.type.input_text(field, None) == ""


@pytest.mark.parametrize("name", GIVEN)
def test_what_stands_in_the_input_is_read_back_as_the_same_value(name: str) -> None:
    field = specimen(name)
    value = GIVEN[name][1]
    if not field.type.parts or name == "location":  # an address has an input for each part
        text = field.type.input_text(field, value)
        kept = value if field.type.multiple and name.endswith(("group", "select")) else None
        assert kept or field.type.read(field, text) == value


@pytest.mark.parametrize("name", GIVEN)
def test_nothing_given_is_empty(name: str) -> None:
    field = specimen(name)
    assert field.type.read(field, "") in (None, False)


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_says_so(name: str) -> None:
    field = Field(name, name, types.get(name), schemas().get(name, {}))
    with pytest.raises(Unreadable):
        field.type.read(field, UNREADABLE[name])


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_says_why(name: str) -> None:
    field = specimen(name)
    assert field.type.check(field, WRONG[name]) is not None


@pytest.mark.parametrize("name", every(types))
def test_operators_are_known(name: str) -> None:
    assert set(types.get(name).operators) <= set(operators)


@pytest.mark.parametrize("name", GIVEN)
def test_stored_values_fit_the_schema_without_our_vocabulary(name: str) -> None:
    bare = {k: v for k, v in schemas()[name].items() if not k.startswith("x-")}
    stored = loads(dumps(plain(GIVEN[name][1])))
    assert jsonschema_rs.validator_for(bare).is_valid(stored), stored


@pytest.fixture
def site(database: Settings, begun: Begun) -> Settings:
    begun(publish_all)
    return database


def save(**values: Any) -> dict[str, Any]:
    return service.create(SYSTEM, "everything", values)


def test_every_value_comes_back_from_the_database_as_it_was(site: Settings) -> None:
    partner = service.create(SYSTEM, "partner", {"name": "Acme"})
    outside = {"image", "attachment", "signature", "member", "department", "serial", "calculation"}
    raw = {key_of(name): given[0] for name, given in GIVEN.items() if name not in outside}
    raw |= {"relation": partner["id"]}
    saved = save(**raw, subform=[raw])
    found = reads.get_record(SYSTEM, "everything", saved["id"])
    for name in set(GIVEN) - outside - {"relation"}:
        assert found[key_of(name)] == GIVEN[name][1]
        assert found["subform"][0][key_of(name)] == GIVEN[name][1]
    assert found["serial"].startswith("E") and found["calculation"] == Decimal(2469)


@pytest.mark.parametrize("name", [n for n in GIVEN if n not in ("serial", "calculation")])
def test_every_operator_finds_what_it_should(site: Settings, name: str) -> None:
    spec = get_form("everything")
    field = spec.fields[key_of(name)]
    empty = save(text="other" if name != "text" else None)
    for operator in field.type.operators:
        known = operators[operator]
        raw = GIVEN[name][0] if not isinstance(GIVEN[name][0], list | dict) else "Ningbo"
        query = listing.Query(filters=(Filter(field.key, operator, raw, raw),))
        found = listing.list_records(SYSTEM, spec, query)
        assert found.problems == [], operator
        ids = [row["id"] for row in found.rows]
        if operator == "empty":
            assert ids == [empty["id"]]
        elif operator == "filled" or (known.values and operator != "is_not"):
            assert ids == [], operator


def test_the_input_of_a_moment_keeps_its_seconds() -> None:
    field = Field("at", "at", types.get("datetime"), {"title": "At", "format": "date-time"})
    moment = datetime(2026, 11, 22, 1, 2, 3, 450_000, tzinfo=UTC)
    assert field.type.read(field, field.type.input_text(field, moment)) == moment
    assert field.type.input_text(field, moment.replace(second=0, microsecond=0)) == "2026-11-22T09:02"
