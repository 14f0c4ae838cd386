"""Moving average: what leaves costs the average of what is there."""

from decimal import Decimal

from formloop.ledgers.valuations.spec import ZERO, Move, Outcome, Stock, covered, rate_of


def moving_average(stock: Stock, move: Move) -> Outcome:
    """A receipt changes the average, an issue does not; the last unit takes what is left."""
    if stock.quantity > 0:  # what is remembered may be the rate of another method
        stock = Stock(stock.quantity, stock.value, rate_of(stock.value, stock.quantity))
    if move.quantity > 0:
        return _receive(stock, move)
    if move.quantity < 0:
        return _issue(stock, move)
    given = move.given or ZERO
    return Outcome(_after(stock, move, given), given)


def _receive(stock: Stock, move: Move) -> Outcome:
    given = move.rounded(stock.rate * move.quantity) if move.given is None else move.given
    of_shortage, rest = covered(stock, move, given)
    value = of_shortage + rest
    rate = rate_of(given, move.quantity) if move.given is not None else stock.rate
    after = _after(stock, move, value)
    if after.quantity <= 0:
        after = Stock(after.quantity, after.value, rate)
    return Outcome(after, value, given - value)


def _issue(stock: Stock, move: Move) -> Outcome:
    asked = -move.quantity
    if stock.quantity == asked:
        value = -stock.value
        given = value if move.given is None else move.given
        return Outcome(Stock(rate=stock.rate), value, given - value)
    if move.given is not None:
        value = move.given
        if (
            stock.quantity > asked and stock.value + value < 0
        ):  # nothing that is there costs less than nothing
            value = move.rounded(-stock.value * asked / stock.quantity)
        return Outcome(_after(stock, move, value), value, move.given - value)
    if stock.quantity > asked:
        value = -move.rounded(stock.value * asked / stock.quantity)
    else:
        there = max(stock.quantity, ZERO)
        value = -(stock.value if there else ZERO) - move.rounded(stock.rate * (asked - there))
    return Outcome(_after(stock, move, value), value)


def _after(stock: Stock, move: Move, value: Decimal) -> Stock:
    quantity, total = stock.quantity + move.quantity, stock.value + value
    return Stock(quantity, total, rate_of(total, quantity) if quantity > 0 else stock.rate)
