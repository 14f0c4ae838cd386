"""Bills exploded and looked up from below, against worked figures."""

import json
import random
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from formloop.planning.operators import operators
from formloop.planning.spec import Result, checked

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "reference_cases.json"
TODAY = date(2026, 11, 22)
Bills = list[dict[str, Any]]


@pytest.fixture(scope="module")
def cases() -> Mapping[str, Any]:
    if not CASES.exists():
        pytest.skip("the reference cases are not here")
    return {case["id"]: case for case in json.loads(CASES.read_text("utf-8"), parse_float=Decimal)["cases"]}


def line(item: str, component: str, quantity: Any, **more: Any) -> dict[str, Any]:
    return {"item": item, "component": component, "quantity": Decimal(quantity), **more}


def calculate(operator: str, ports: Mapping[str, Any], **parameters: Any) -> Result:
    found = operators.get(operator)
    rows = {}
    for name, port in found.ports.items():
        rows[name], problems = checked(name, port, ports[name])
        assert not problems
    values = {"scrap_rule": "multiply", "on_date": TODAY, **parameters}
    return found.calculate(rows, values, frozenset(found.outputs))


def exploded(bills: Bills, item: str, quantity: Any, **parameters: Any) -> dict[str, Decimal]:
    demand = [{"item": item, "quantity": Decimal(quantity)}]
    found = calculate("bom.explode", {"demand": demand, "bills": bills}, **parameters)
    assert not found.problems
    return {row["item"]: row["quantity"] for row in found.outputs["requirements"]}


def bought(bills: Bills, item: str, quantity: Any) -> dict[str, Decimal]:
    made = {each["item"] for each in bills}
    return {key: value for key, value in exploded(bills, item, quantity).items() if key not in made}


@pytest.mark.shared
def test_three_levels_with_uneven_quantities(cases: Any) -> None:
    case = cases["BOM-01"]
    bills = [line(item, *each) for item, lines in case["input"]["bom"].items() for each in lines]
    assert bought(bills, "FG", case["input"]["order"]) == case["expected"]


@pytest.mark.shared
def test_nested_phantoms_are_passed_through(cases: Any) -> None:
    case = cases["BOM-07"]
    bills = [
        line(item, component, quantity, phantom=component.startswith("kit"))
        for item, lines in case["input"].items()
        for component, quantity in lines.items()
    ]
    assert exploded(bills, "kit_parent", 1) == case["expected"]


@pytest.mark.shared
def test_groups_of_inputs_and_of_outputs_are_phantoms_too(cases: Any) -> None:
    expected = cases["BOM-09"]["expected"]
    bills = [
        line("table", "top", 1),
        line("table", "group_in", 4, phantom=True),
        line("table", "group_out", 2, phantom=True, output=True),
        *(line("group_in", each, 1) for each in ("leg", "foot")),
        line("group_out", "extension", 1),
        line("group_out", "hook", 2),
    ]
    demand = [{"item": "table", "quantity": Decimal(1)}]
    found = calculate("bom.explode", {"demand": demand, "bills": bills}).outputs
    assert {row["item"]: row["quantity"] for row in found["requirements"]} == expected["inputs"]
    out = {row["item"]: row["quantity"] for row in found["by_products"]}
    assert {"table": 1, **out} == expected["outputs"]


@pytest.mark.shared
def test_a_circle_is_refused_with_its_path(cases: Any) -> None:
    for boms, path in zip(cases["BOM-11"]["input"]["boms"], ("A → A", "A → B → A"), strict=True):
        bills = [line(item, component, 1) for item, lines in boms.items() for component in lines]
        for operator, port in (("bom.explode", "demand"), ("bom.where_used", "items")):
            given = {port: [{"item": "A", "quantity": Decimal(1)}], "bills": bills}
            found = calculate(operator, given)
            assert not found.outputs
            assert [(p.code, path in str(p.message)) for p in found.problems] == [("circle", True)]


@pytest.mark.shared
def test_mixed_units_give_exact_sets_and_shortages(cases: Any) -> None:
    stock, expected = cases["KIT-03"]["input"]["stock"], cases["KIT-03"]["expected"]
    bills = [
        line("parent", "gm_item_g", 3000),
        line("parent", "sub_kit", 24, phantom=True),
        line("sub_kit", "unit_item", 24),
        line("sub_kit", "dozen_item", 1),
        line("sub_kit", "kg_item_kg", "0.005"),
    ]
    one = exploded(bills, "parent", 1)
    assert min(stock[item] // need for item, need in one.items()) == expected["kits"]
    five = exploded(bills, "parent", 5)
    assert {item: need - stock[item] for item, need in five.items()} == expected["shortage_for_5"]


@pytest.mark.shared
def test_a_fixed_component_does_not_grow_with_the_quantity(cases: Any) -> None:
    case = cases["KIT-01"]
    parts = case["input"]["components"]
    bills = [line("kit", p["item"], p["qty"], fixed=p.get("fixed", False)) for p in parts]
    on_hand = {p["item"]: p["on_hand"] for p in parts}

    def enough(sets: int) -> bool:
        return all(on_hand[item] >= need for item, need in exploded(bills, "kit", sets).items())

    assert enough(case["expected"]["kits"]) and not enough(case["expected"]["kits"] + 1)
    assert exploded(bills, "kit", 7)["P3"] == 1


def test_scrap_is_added_or_divided_as_the_parameter_says() -> None:
    bills = [line("door", "wood", 4, scrap=Decimal("0.2"))]
    assert exploded(bills, "door", 10)["wood"] == 48
    assert exploded(bills, "door", 10, scrap_rule="divide")["wood"] == 50
    thirds = [line("door", "wood", 1, scrap=Decimal("0.1"))]
    assert exploded(thirds, "door", 1, scrap_rule="divide")["wood"] == Decimal("1.111111")


def test_a_bill_for_a_dozen_is_for_a_dozen() -> None:
    assert exploded([line("egg box", "egg", 144, per=Decimal(12))], "egg box", 5)["egg"] == 60


def test_only_lines_of_the_day_count() -> None:
    bills = [
        line("lamp", "bulb", 1, valid_to=date(2026, 6, 30)),
        line("lamp", "led", 2, valid_from=date(2026, 7, 1)),
    ]
    demand = [
        {"item": "lamp", "quantity": Decimal(1), "need_date": day}
        for day in (date(2026, 6, 30), date(2026, 7, 1))
    ]
    found = calculate("bom.explode", {"demand": demand, "bills": bills}).outputs["requirements"]
    assert [(row["need_date"], row["item"]) for row in found] == [
        (date(2026, 6, 30), "bulb"),
        (date(2026, 7, 1), "led"),
    ]


def test_lines_that_are_never_valid_together_make_no_circle() -> None:
    bills = [
        line("A", "B", 1, valid_to=date(2025, 12, 31)),
        line("B", "A", 1, valid_from=date(2026, 1, 1)),
    ]
    assert exploded(bills, "B", 2) == {"A": 2}
    assert exploded(bills, "A", 2, on_date=date(2025, 1, 1)) == {"B": 2}


def test_every_demand_keeps_its_source() -> None:
    bills = [line("lamp", "bulb", 1)]
    demand = [{"item": "lamp", "quantity": Decimal(n), "source": n} for n in (1, 2, 2)]
    found = calculate("bom.explode", {"demand": demand, "bills": bills}).outputs["requirements"]
    assert [(row["source"], row["quantity"], row["level"], row["bought"]) for row in found] == [
        (1, 1, 1, True),
        (2, 4, 1, True),
    ]


def test_the_structure_shows_every_place() -> None:
    bills = [line("table", "leg", 4), line("leg", "screw", 2), line("table", "screw", 8)]
    demand = [{"item": "table", "quantity": Decimal(2)}]
    found = calculate("bom.explode", {"demand": demand, "bills": bills}).outputs["structure"]
    assert [(r["sequence"], r["level"], r["parent"], r["item"], r["quantity"]) for r in found] == [
        (1, 1, "table", "leg", 8),
        (2, 2, "leg", "screw", 16),
        (3, 1, "table", "screw", 16),
    ]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"per": Decimal(0)}, "per"), ({"scrap": Decimal(-1)}, "scrap"), ({"scrap": Decimal(1)}, "scrap")],
)
def test_a_line_that_cannot_be_calculated_is_told(wrong: dict[str, Any], code: str) -> None:
    bills = [line("lamp", "bulb", 1, **wrong)]
    given = {
        "demand": [{"item": "lamp", "quantity": Decimal(1)}],
        "items": [{"item": "bulb"}],
        "bills": bills,
    }
    for operator in ("bom.explode", "bom.where_used"):
        found = calculate(operator, given, scrap_rule="divide")
        assert [p.code for p in found.problems] == [code]


def test_uses_are_found_at_every_height() -> None:
    bills = [
        line("table", "leg", 4), line("leg", "screw", 2), line("table", "screw", 8), line("room", "table", 3),
        line("chair", "leg", 4),
    ]  # fmt: skip
    found = calculate(
        "bom.where_used", {"items": [{"item": "screw"}, {"item": "nail"}], "bills": bills}
    ).outputs["uses"]
    assert [(r["parent"], r["quantity"], r["distance"], r["direct"], r["top"]) for r in found] == [
        ("leg", 2, 1, True, False),
        ("table", 16, 1, True, False),
        ("chair", 8, 2, False, True),
        ("room", 48, 2, False, True),
    ]


def test_both_ways_agree_on_a_large_random_tree() -> None:
    """What one of an item needs from below is what looking up from below says; a plain recursion agrees."""
    chance = random.Random(7)
    items = [f"i{n}" for n in range(60)]
    bills = [
        line(items[high], items[low], chance.randint(1, 4), scrap=Decimal(chance.choice(["0", "0.1"])))
        for low in range(1, 60)
        for high in chance.sample(range(low), min(low, 2))
    ]
    top = exploded(bills, "i0", 1)
    used = calculate("bom.where_used", {"items": [{"item": each} for each in items], "bills": bills})
    inside = {row["item"]: row["quantity"] for row in used.outputs["uses"] if row["parent"] == "i0"}
    assert inside == top

    def recursion(item: str) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        for each in bills:
            if each["item"] == item:
                one = each["quantity"] * (1 + each["scrap"])
                found[each["component"]] = found.get(each["component"], Decimal(0)) + one
                for key, value in recursion(each["component"]).items():
                    found[key] = found.get(key, Decimal(0)) + one * value
        return found

    small = [each for each in bills if int(each["component"][1:]) < 16]
    bills = small
    assert exploded(small, "i0", 1) == {k: round(v, 6) for k, v in recursion("i0").items()}
