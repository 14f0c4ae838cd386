"""Standard: every movement has the fixed rate; what it cost otherwise is left aside as variance."""

from formloop.ledgers.valuations.spec import ZERO, Move, Outcome, Stock, rate_of


def standard(stock: Stock, move: Move) -> Outcome:
    """Quantity by rate; the last unit takes what is left."""
    if not move.quantity:
        given = move.given or ZERO
        return Outcome(Stock(stock.quantity, stock.value + given, stock.rate), given)
    rate = stock.rate if move.rate is None else move.rate
    value = move.rounded(rate * move.quantity)
    if stock.quantity + move.quantity == 0:
        value = -stock.value
    given = value if move.given is None else move.given
    kept = rate_of(value, move.quantity)  # as it can be told from what is written, too
    return Outcome(Stock(stock.quantity + move.quantity, stock.value + value, kept), value, given - value)
