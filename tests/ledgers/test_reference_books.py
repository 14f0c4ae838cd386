"""Worked figures of the reference cases whose policy no pack has: how a form of one's own gives them."""

from decimal import Decimal as D
from typing import Any

from formloop.access.actor import SYSTEM
from formloop.definitions import service as publishing
from formloop.forms import service
from ledgers.store import form, lines, number

HALF_EVEN = "IF(AND(MOD(ABS(amount) * 1000, 10) = 5, MOD(ROUNDDOWN(amount * 100, 0), 2) = 0), ROUNDDOWN(amount, 2), ROUND(amount, 2))"
TAXED = form(
    "taxed", rate=number("Rate", 4),
    lines=lines(amount=number("Amount", 4), base=number("Base", 2, **{"x-formula": HALF_EVEN})),
    base=number("Base", 2, **{"x-formula": "SUM(lines.base)"}),
    by_line=number("Tax by line", 2, **{"x-formula": "SUM(ROUND(lines.base * rate, 2))"}),
    by_document=number("Tax by document", 2, **{"x-formula": "ROUND(SUM(lines.amount) * rate, 2)"}),
)  # fmt: skip


def test_gl_14_tax_by_line_and_by_document(database: Any) -> None:
    """Policy: rounding half to even is a formula of the form; the base is the rounded amount."""
    publishing.publish_many(SYSTEM, [TAXED], "test")
    many = service.create(SYSTEM, "taxed", {"rate": "0.2", "lines": [{"amount": "1.001"}] * 100})
    assert (many["base"], many["by_line"], many["by_document"]) == (100, 20, D("20.02"))
    two = service.create(SYSTEM, "taxed", {"rate": "1", "lines": [{"amount": "1.07"}, {"amount": "1.005"}]})
    assert (two["base"], two["by_line"]) == (D("2.07"), D("2.07"))
