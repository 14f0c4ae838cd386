"""Changing a form never loses what people entered: tables grow, columns are parked, values convert."""

import copy
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import inspect

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.definitions import service as definitions
from formloop.forms import impact, reads, schema_change, service
from formloop.forms.kind import get_form, prepare
from formloop.forms.service import Draft

from .conftest import ITEM, Shop, form, number, publish, text


def changed(**properties: Any) -> dict[str, Any]:
    doc = copy.deepcopy(ITEM)
    for key, schema in properties.items():
        if schema is None:
            del doc["properties"][key]
        else:
            doc["properties"][key] = schema
    return doc


def value(record: int, key: str) -> Any:
    return reads.get_record(SYSTEM, "item", record)[key]


def told(doc: dict[str, Any]) -> list[tuple[str, int | None]]:
    with db.reading() as conn:
        rows = schema_change.impact(conn, None, doc)
    return [(row.severity, row.count) for row in rows]


def test_a_new_field_is_empty_or_has_its_default(shop: Shop) -> None:
    publish(changed(colour=text("Colour"), stocked={"type": "boolean", "title": "Stocked", "default": True}))
    assert value(shop.bolt, "colour") is None
    assert value(shop.bolt, "stocked") is True
    assert service.change_record(SYSTEM, "item", shop.bolt, {"colour": "grey"})["colour"] == "grey"


def test_a_removed_field_comes_back_with_its_values(shop: Shop) -> None:
    publish(changed(colour=text("Colour")))
    service.change_record(SYSTEM, "item", shop.bolt, {"colour": "grey"})
    assert told(ITEM) == [("warning", 1)]
    publish(ITEM)
    assert "colour" not in reads.get_record(SYSTEM, "item", shop.bolt)
    publish(changed(colour=text("Colour")))
    assert value(shop.bolt, "colour") == "grey"


def test_a_field_that_other_definitions_use_is_not_taken_away(shop: Shop) -> None:
    with pytest.raises(Invalid) as error:
        publish(changed(price=None))
    assert "Order would no longer work" in str(error.value.problems[0].message)


def test_a_type_change_converts_what_it_can_and_says_what_it_cannot(shop: Shop) -> None:
    publish(changed(size=text("Size")))
    for name, size in (("a", "12"), ("b", "3.5"), ("c", "large")):
        service.create(SYSTEM, "item", {"name": name, "size": size})
    numeric = changed(size=number("Size"))
    assert told(numeric) == [("info", 2), ("warning", 1)]
    publish(numeric)
    with db.reading() as conn:
        kept = (
            conn.exec_driver_sql('SELECT "size__v1" FROM item WHERE "size__v1" IS NOT NULL').scalars().all()
        )
    assert sorted(kept) == ["12", "3.5", "large"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_impact_says_where_it_has_not_looked_at_all_values(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impact, "MOST_EXAMINED", 2)
    monkeypatch.setattr(impact, "AT_ONCE", 2)
    publish(changed(size=text("Size")))
    for size in ("1", "2", "3"):
        service.create(SYSTEM, "item", {"name": size, "size": size})
    with db.reading() as conn:
        rows = schema_change.impact(conn, None, changed(size=number("Size")))
    assert rows[0].message.render() == "“Size (size)”: only the first 2 values were looked at."


def test_rolling_back_a_type_change_brings_the_old_values_and_keeps_newer_ones(shop: Shop) -> None:
    with_text, with_number = changed(size=text("Size")), changed(size=number("Size"))
    publish(with_text)
    untouched = service.create(SYSTEM, "item", {"name": "u", "size": "large"})["id"]
    touched = service.create(SYSTEM, "item", {"name": "t", "size": "12"})["id"]
    publish(with_number)
    assert (value(untouched, "size"), value(touched, "size")) == (None, Decimal(12))
    service.change_record(SYSTEM, "item", touched, {"size": "99"})
    definitions.roll_back(SYSTEM, ITEM["x-id"], 2)
    assert (value(untouched, "size"), value(touched, "size")) == ("large", "99")
    publish(with_number)
    assert value(touched, "size") == Decimal(99)


def test_ten_thousand_records_change_type_and_back(shop: Shop) -> None:
    publish(changed(size=text("Size")))
    drafts = [Draft({"name": f"n{i}", "size": str(i)}) for i in range(10_000)]
    for start in range(0, len(drafts), 1000):
        service.save_many(SYSTEM, "item", drafts[start : start + 1000])
    publish(changed(size=number("Size")))
    total = 'SELECT count(*), count("size") FROM item'
    with db.reading() as conn:
        assert tuple(conn.exec_driver_sql(total).one()) == (10_002, 10_000)
    definitions.roll_back(SYSTEM, ITEM["x-id"], 2)
    with db.reading() as conn:
        found = conn.exec_driver_sql("SELECT size FROM item WHERE name = 'n4321'").scalar()
    assert found == "4321"


def test_line_columns_grow_too(shop: Shop) -> None:
    from .conftest import ORDER

    order = shop.order()
    doc = copy.deepcopy(ORDER)
    doc["properties"]["lines"]["items"]["properties"]["due"] = {
        "type": "string",
        "format": "date",
        "title": "Due",
    }
    publish(doc)
    line = {"id": order["lines"][0]["id"], "due": "2026-05-01"}
    saved = service.change_record(SYSTEM, "order", order["id"], {"lines": [line]})
    assert saved["lines"][0]["quantity"] == 2 and str(saved["lines"][0]["due"]) == "2026-05-01"


def test_a_rule_that_existing_rows_break_stops_nothing_but_is_told(shop: Shop) -> None:
    shop.item("Bolt")
    twice = changed(name=text("Name", **{"x-unique": True}))
    assert ("error", 1) in told(twice)
    with pytest.raises(Invalid):
        publish(twice)
    assert get_form("item").fields["name"].unique is False


def test_two_forms_may_point_to_each_other(shop: Shop) -> None:
    from .conftest import relation

    left = form("left", {"name": text("Name"), "other": relation("Other", "right")})
    right = form("right", {"name": text("Name"), "other": relation("Other", "left")})
    publish(left, right)
    one = service.create(SYSTEM, "left", {"name": "l"})["id"]
    two = service.create(SYSTEM, "right", {"name": "r", "other": one})["id"]
    assert service.change_record(SYSTEM, "left", one, {"other": two})["other"] == two


def test_a_relation_that_points_to_another_form_begins_empty_and_comes_back(shop: Shop) -> None:
    from .conftest import relation

    def note(target: dict[str, Any]) -> dict[str, Any]:
        return form("note", {"name": text("Name"), "about": target})

    def about(record: int) -> Any:
        return reads.get_record(SYSTEM, "note", record)["about"]

    publish(note(relation("About", "item")))
    one = int(service.create(SYSTEM, "note", {"name": "n", "about": shop.bolt})["id"])
    assert told(note(relation("About", "customer"))) == [("info", 0), ("warning", 1)]
    publish(note(relation("About", "customer")))
    assert about(one) is None
    two = int(service.create(SYSTEM, "note", {"name": "m", "about": shop.acme})["id"])
    publish(note(text("About")))
    assert about(two) == str(shop.acme)
    service.change_record(SYSTEM, "note", two, {"about": "7"})
    publish(note(relation("About", "item")))
    assert (about(one), about(two)) == (shop.bolt, None)


def test_names_that_are_ours_and_words_of_sql_are_told_apart(shop: Shop) -> None:
    publish(form("group", {"select": text("Select"), "order": number("Order"), "where": text("Where")}))
    saved = service.create(SYSTEM, "group", {"select": "a", "order": 1, "where": "b"})
    assert reads.get_record(SYSTEM, "group", saved["id"])["where"] == "b"
    with pytest.raises(Invalid) as error:
        publish(form("bad", {"owner": text("Owner"), "a__b": text("A")}))
    assert {p.code for p in error.value.problems} >= {"reserved"}


def test_everything_wrong_with_a_form_is_told_with_its_place(shop: Shop) -> None:
    bad = form(
        "bad",
        {
            "a": number("A", **{"x-formula": "b + 1"}),
            "b": number("B", **{"x-formula": "a + 1"}),
            "c": text("C", **{"x-visible": "nothing > 1"}),
            "d": {"type": "integer", "x-type": "relation", "title": "D", "x-relation": {"form": "nowhere"}},
            "e": text("E", **{"x-type": "hologram"}),
        },
        required=["zz"],
        **{"x-list": {"columns": ["gone"]}},
    )
    with pytest.raises(Invalid) as error:
        publish(bad)
    codes = {p.code for p in error.value.problems}
    assert {"cycle", "no_form", "unknown_type", "no_field"} <= codes, error.value.problems
    circle = next(p.message.render("en") for p in error.value.problems if p.code == "cycle")
    assert circle.endswith(("A → B → A", "B → A → B"))


def test_impact_counts_rows_without_a_value_for_a_new_rule(shop: Shop) -> None:
    shop.item("Priceless")
    required = copy.deepcopy(ITEM) | {"required": ["name", "price"]}
    spec = prepare(required, 2)
    with db.reading() as conn:
        rows = impact.rows_of(conn, spec, [])
    assert [(row.severity, row.count) for row in rows] == [("warning", 1)]


def test_impact_names_a_new_required_field_and_values_that_a_required_one_would_lose(shop: Shop) -> None:
    publish(changed(colour=text("Colour")))
    service.change_record(SYSTEM, "item", shop.bolt, {"colour": "grey"})
    stricter = changed(colour={"type": "number", "title": "Colour"}, size=text("Size"))
    stricter["required"] = ["name", "colour", "size"]
    with db.reading() as conn:
        said = [row.message.render() for row in schema_change.impact(conn, None, stricter)]
    assert any(s.startswith("“Size (size)” is required; ") for s in said), said
    assert any(s.startswith("“Colour (colour)” is required, and 1 values cannot be converted") for s in said)


@pytest.mark.parametrize("way", [(2,), (3, 2)])
def test_going_back_over_two_types_brings_back_what_one_of_them_could_not_hold(
    shop: Shop, way: tuple[int, ...]
) -> None:
    publish(changed(size=number("Size")))
    service.change_record(SYSTEM, "item", shop.bolt, {"size": "5"})
    service.change_record(SYSTEM, "item", shop.nut, {"size": "7"})
    publish(changed(size={"type": "string", "format": "date", "title": "Size"}))
    publish(changed(size=text("Size")))
    service.change_record(SYSTEM, "item", shop.bolt, {"name": "Bolt M5"})
    service.change_record(SYSTEM, "item", shop.nut, {"size": "9"})
    for version in way:
        definitions.roll_back(SYSTEM, ITEM["x-id"], version)
    assert value(shop.bolt, "size") == Decimal(5)
    assert value(shop.nut, "size") == (Decimal(9) if way == (2,) else Decimal(7))


def test_a_field_that_is_often_looked_for_has_an_index_without_being_a_filter(shop: Shop) -> None:
    def columns() -> list[list[str]]:
        with db.reading() as conn:
            found = [each["column_names"] for each in inspect(conn).get_indexes("item")]
        return [[name for name in names if name is not None] for names in found]

    listed = {"x-list": {"columns": ["name"], "filters": ["name"]}}
    publish(changed(line=number("Line", **{"x-scale": 0, "x-index": True})) | listed)
    assert ["line"] in columns()
    publish(changed(line=number("Line", **{"x-scale": 0})) | listed)
    assert ["line"] not in columns()
