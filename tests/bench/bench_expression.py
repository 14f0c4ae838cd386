"""How long it takes to read and to calculate an expression, beside the same sum written by hand.

Run: formloop bench expression
"""

import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from formloop.core.expression import NUMBER, Context, ListType, RecordType, Type, parse

LINE = RecordType("lines", lambda: {"amount": NUMBER, "quantity": NUMBER, "price": NUMBER})
NAMES: dict[str, Type] = {
    "quantity": NUMBER,
    "price": NUMBER,
    "discount": NUMBER,
    "lines": ListType(LINE),
}
ENV: dict[str, Any] = {
    "quantity": Decimal("3.5"),
    "price": Decimal("19.99"),
    "discount": Decimal("0.1"),
    "lines": [{"amount": Decimal("3.5"), "quantity": Decimal(2), "price": Decimal("1.75")}] * 10,
}
CONTEXT = Context(datetime(2026, 1, 15, tzinfo=UTC))
CENT = Decimal("0.0001")


def _by_hand() -> Decimal:
    amount: Decimal = ENV["quantity"] * ENV["price"] * (1 - ENV["discount"])
    return amount.quantize(CENT, ROUND_HALF_UP)


def run() -> dict[str, float]:
    """Microseconds for each of the cases."""
    amount = "ROUND(quantity * price * (1 - discount), 4)"
    cases: dict[str, Callable[[], Any]] = {
        "parse an amount": lambda: parse(amount, NAMES),
        "quantity * price": _evaluated("quantity * price"),
        "quantity > 5 AND price < 3": _evaluated("quantity > 5 AND price < 3"),
        "amount of a line": _evaluated(amount),
        "amount of a line by hand": _by_hand,
        "SUM of 10 lines": _evaluated("SUM(lines.amount)"),
        "SUM of 10 products": _evaluated("SUM(lines.quantity * lines.price)"),
    }
    return {name: _microseconds(case) for name, case in cases.items()}


def _evaluated(source: str) -> Callable[[], Any]:
    expression = parse(source, NAMES)
    return lambda: expression.evaluate(ENV, CONTEXT)


def _microseconds(case: Callable[[], Any]) -> float:
    number, spent = timeit.Timer(case).autorange()
    best = min(spent, *timeit.repeat(case, number=number, repeat=2))
    return round(best / number * 1_000_000, 2)
