"""Formulas are calculated after those they read."""

import pytest

from formloop.core.errors import Invalid
from formloop.core.expression import NUMBER, ListType, RecordType, Type, order_formulas, parse

LINE: dict[str, Type] = {"quantity": NUMBER, "price": NUMBER, "amount": NUMBER, "share": NUMBER}
NAMES: dict[str, Type] = {
    "lines": ListType(RecordType("lines", lambda: LINE)),
    **dict.fromkeys(("a", "b", "c", "subtotal", "total", "tax_rate"), NUMBER),
}


def ordered(**sources: str) -> list[str]:
    formulas = {}
    for name, source in sources.items():
        inside = name.startswith("lines__")
        formulas[name.replace("__", ".")] = parse(source, {**NAMES, **LINE} if inside else NAMES)
    return order_formulas(formulas)


def test_total_comes_after_subtotal_after_lines() -> None:
    found = ordered(
        total="subtotal * (1 + tax_rate)", subtotal="SUM(lines.amount)", lines__amount="quantity * price"
    )
    assert found == ["lines.amount", "subtotal", "total"]


def test_line_may_read_what_is_outside() -> None:
    found = ordered(lines__share="amount / subtotal", subtotal="SUM(lines.amount)", lines__amount="price")
    assert found == ["lines.amount", "subtotal", "lines.share"]


def test_circle_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        ordered(a="b + 1", b="c + 1", c="a + 1")
    assert {p.at for p in caught.value.problems} == {"a", "b", "c"}
    assert any(
        way in str(caught.value.message) for way in ("a → b → c → a", "b → c → a → b", "c → a → b → c")
    )


def test_formula_that_reads_itself_is_a_circle() -> None:
    with pytest.raises(Invalid, match="a → a"):
        ordered(a="a + 1")
