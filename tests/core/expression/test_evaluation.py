"""What an expression gives: arithmetic, empties, lists, relations, errors."""

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from formloop.core.expression import (
    ANY,
    BOOL,
    DATE,
    NUMBER,
    TEXT,
    Context,
    EvaluationError,
    Linked,
    ListType,
    RecordType,
    Step,
    Type,
    parse,
)

CUSTOMER = RecordType("customer", lambda: {"credit_limit": NUMBER, "parent": CUSTOMER})
LINE = RecordType("lines", lambda: {"item": ITEM, "quantity": NUMBER, "price": NUMBER, "due_date": DATE})
ITEM = RecordType("item", lambda: {"code": TEXT, "planned": BOOL})
NAMES: dict[str, Type] = {
    "a": NUMBER,
    "b": NUMBER,
    "note": TEXT,
    "done": BOOL,
    "order_date": DATE,
    "customer": CUSTOMER,
    "lines": ListType(LINE),
    "金额": NUMBER,
    "anything": ANY,
}
SCREW, PLATE = Linked(1, {"code": "M8", "planned": True}), Linked(2, {"code": "P1", "planned": False})
LINES = [
    {"item": SCREW, "quantity": D(3), "price": D("2.50"), "due_date": date(2026, 2, 1)},
    {"item": PLATE, "quantity": D(1), "price": None, "due_date": None},
    {"item": SCREW, "quantity": D(2), "price": D("1.25"), "due_date": date(2026, 1, 20)},
]


def value(source: str, context: Context, **env: Any) -> Any:
    return parse(source, NAMES).evaluate(env, context)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2 * 3", D(7)),
        ("-2^2", D(4)),
        ("2^3^2", D(64)),
        ("200 * 5%", D(10)),
        ("0.1 + 0.2 = 0.3", True),
        ("10 / 4", D("2.5")),
        ("1 / 3", D("0.3333333333333333")),
        ("'it''s' & 1.50", "it's1.5"),
        ("1 < 2 and not 2 < 1", True),
        ("NOT (1 = 2) AND true", True),
        ("3 IN (1, 2, 3)", True),
        ("3 NOT IN (1, 2, 3)", False),
        ("“满”", "满"),
        ("SUM（1，2）", D(3)),
        ("6 ÷ 4 × 2 ≥ 3", True),
        ("RMB(100200300.04)", "壹亿零贰拾万零叁佰元零肆分"),
        ("RMB(-1000000)", "负壹佰万元整"),
        ("TEXT(-1234.567, '0.0')", "-1234.6"),
        ("TEXT(0.256, '0%')", "26%"),
        ("TEXT(NOW(), 'yyyy/m/d hh:mm')", "2026/1/15 08:30"),
        ("CEILING(2.1, 0.5)", D("2.5")),
        ("FLOOR(-2.1, 0.5)", D("-2.5")),
        ("MOD(-1, 3)", D(2)),
        ("ROUND(1234.5, -2)", D(1200)),
        ("ROUNDEVEN(1.005, 2)", D("1.00")),
        ("ROUNDEVEN(-1.015, 2)", D("-1.02")),
        ("ROUNDEVEN(1.0051, 2)", D("1.01")),
        ("ROUNDEVEN(2.5)", D(2)),
        ("ROUNDEVEN(150, -2)", D(200)),
        ("DATE(2026, 1, 31) + 1", date(2026, 2, 1)),
        ("DATE(2026, 3, 1) - DATE(2026, 2, 1)", D(28)),
    ],
)
def test_value_without_names(source: str, expected: Any, context: Context) -> None:
    assert value(source, context) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a + 1", D(1)),
        ("a * b", D(0)),
        ("'x' & note & a", "x"),
        ("a = b", True),
        ("a = 0", False),
        ("note = ''", True),
        ("a < 5", None),
        ("a < 5 AND 1 = 2", False),
        ("a < 5 OR 1 = 1", True),
        ("IF(a < 5, 'yes', 'no')", "no"),
        ("NOT done", None),
        ("SUM(lines.quantity)", D(0)),
        ("MAX(lines.quantity)", None),
        ("customer.credit_limit", None),
        ("customer.parent.credit_limit > 3", None),
        ("ROUND(a, 2)", None),
        ("LEN(note)", D(0)),
    ],
)
def test_empty_values(source: str, expected: Any, context: Context) -> None:
    assert value(source, context) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("SUM(lines.quantity * lines.price)", D(10)),
        ("SUMIF(lines.quantity, lines.item.planned)", D(5)),
        ("SUMIF(lines.quantity, lines.item = 2 OR lines.quantity > 2)", D(4)),
        ("SUM(IF(lines.item.planned, lines.quantity, 0))", D(5)),
        ("COUNT(lines)", D(3)),
        ("COUNT(lines.price)", D(2)),
        ("MIN(lines.due_date)", date(2026, 1, 20)),
        ("JOIN(UNIQUE(lines.item.code), '/')", "M8/P1"),
        ("ANY(lines.price > 2) AND NOT ALL(lines.price > 2)", True),
        ("2 IN lines.item", True),
        ("customer.parent.credit_limit", D(500)),
        ("customer = 9", True),
        ("customer.id", D(9)),
        ("MIN(lines.due_date) >= order_date", True),
        ("order_date >= '2026-01-01'", True),
    ],
)
def test_lists_and_relations(source: str, expected: Any, context: Context) -> None:
    parent = Linked(8, {"credit_limit": 500})
    customer = Linked(9, {"credit_limit": D(100), "parent": parent})
    assert value(source, context, lines=LINES, customer=customer, order_date=date(2026, 1, 1)) == expected


def test_reads_name_every_path() -> None:
    read = parse("SUM(lines.quantity) > customer.parent.credit_limit + 金额", NAMES).reads
    assert read == {("lines", "quantity"), ("customer", "parent", "credit_limit"), ("金额",)}


@pytest.mark.parametrize(
    ("source", "at", "says"),
    [
        ("1 + a / b", 5, "divides by zero"),
        ("10^17 * 100", 1, "too large"),
        ("a + VALUE('x')", 5, "not a number"),
        ("IFERROR(1, 2) + a / b", 17, "divides by zero"),
        ("anything * 2", 1, "not a number"),
        ("DATE(2026, 1, 1) + a * 10^9", 1, "9999"),
    ],
)
def test_run_time_error_says_where(source: str, at: int, says: str, context: Context) -> None:
    with pytest.raises(EvaluationError) as caught:
        value(source, context, a=D(1), b=D(0), anything="text")
    assert (caught.value.line, caught.value.column) == (1, at)
    assert says.replace("not a number", "not a") in str(caught.value.message)


def test_error_is_replaced_where_asked(context: Context) -> None:
    assert value("IFERROR(a / b, -1)", context, a=D(1), b=D(0)) == D(-1)


def test_trace_shows_steps_but_not_the_branch_not_taken(context: Context) -> None:
    step = parse("IF(a > 1, a * 2, b)", NAMES).trace({"a": D(3), "b": D(4)}, context)
    assert step == Step(
        "IF(a > 1, a * 2, b)",
        D(6),
        (
            Step("a > 1", True, (Step("a", D(3)), Step("1", D(1)))),
            Step("a * 2", D(6), (Step("a", D(3)), Step("2", D(2)))),
        ),
    )


def test_huge_input_is_refused_quickly(context: Context) -> None:
    for huge in (D("1E+300000"), 10**5000):
        with pytest.raises(EvaluationError):
            value("INT(a)", context, a=huge)
