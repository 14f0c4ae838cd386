"""What a valuation is given and gives."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

ZERO = Decimal(0)
UNITS = tuple(
    Decimal(1).scaleb(-scale) for scale in range(19)
)  # one of the last digit, by digits after the point


class Layer(NamedTuple):
    """A quantity that came in together, with the value that is left of it."""

    entry: int
    quantity: Decimal
    value: Decimal


class Stock(NamedTuple):
    """What is there: quantity and value are kept, the rate is derived and remembered when nothing is left."""

    quantity: Decimal = ZERO
    value: Decimal = ZERO
    rate: Decimal = ZERO
    layers: tuple[Layer, ...] = ()

    def dump(self) -> dict[str, Any]:
        """What is remembered beside quantity and value."""
        return {
            "rate": str(self.rate),
            "layers": [[e.entry, str(e.quantity), str(e.value)] for e in self.layers],
        }

    @classmethod
    def load(cls, quantity: Decimal, value: Decimal, state: Mapping[str, Any] | None) -> "Stock":
        """A stock from its balance."""
        if state is None:
            return cls(quantity, value)
        layers = tuple(Layer(e, Decimal(q), Decimal(v)) for e, q, v in state["layers"])
        return cls(quantity, value, Decimal(state["rate"]), layers)


class Move(NamedTuple):
    """One movement: `given` is its value where it brings one; `rate` a standard; `source` what it takes back."""

    entry: int
    quantity: Decimal
    given: Decimal | None = None
    rate: Decimal | None = None
    source: int | None = None
    layers: tuple[Layer, ...] = ()
    scale: int = 2

    def rounded(self, value: Decimal) -> Decimal:
        """`value` with the digits that are kept."""
        return value.quantize(UNITS[self.scale], ROUND_HALF_EVEN)


class Outcome(NamedTuple):
    """What a movement does: its value, what of the given value is left aside, what it took, what is there then."""

    stock: Stock
    value: Decimal
    variance: Decimal = ZERO
    taken: tuple[Layer, ...] = ()


Method = Callable[[Stock, Move], Outcome]


def rate_of(value: Decimal, quantity: Decimal) -> Decimal:
    """Value by quantity, to 16 decimals."""
    return (value / quantity).quantize(UNITS[16])


def covered(stock: Stock, move: Move, given: Decimal) -> tuple[Decimal, Decimal]:
    """Of a receipt: what covers a shortage, valued as it was issued, and what the rest is worth."""
    short = -stock.quantity
    if short <= 0:
        return ZERO, given
    if move.quantity < short:
        return move.rounded(-stock.value * move.quantity / short), ZERO
    rest = move.quantity - short
    return -stock.value, move.rounded(given * rest / move.quantity) if rest else ZERO
