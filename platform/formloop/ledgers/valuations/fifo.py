"""First in, first out: what leaves costs what came in first."""

from decimal import Decimal

from formloop.ledgers.valuations.spec import ZERO, Layer, Move, Outcome, Stock, covered, rate_of


def fifo(stock: Stock, move: Move) -> Outcome:
    """A receipt adds a layer at the end, an issue takes from the front; a return takes from its own receipt first."""
    if stock.quantity > 0 and not stock.layers:  # it came in under another method
        stock = stock._replace(layers=(Layer(0, stock.quantity, stock.value),))
    if move.quantity > 0:
        return _receive(stock, move)
    if move.quantity < 0:
        return _issue(stock, move)
    return _revalue(stock, move)


def _receive(stock: Stock, move: Move) -> Outcome:
    given = move.rounded(stock.rate * move.quantity) if move.given is None else move.given
    of_shortage, rest = covered(stock, move, given)
    value = of_shortage + rest
    left = move.quantity + min(stock.quantity, ZERO)
    layers = stock.layers
    if left > 0:
        whole = move.layers if left == move.quantity and _worth(move.layers) == rest else ()
        layers += whole or (Layer(move.entry, left, rest),)
    rate = rate_of(given, move.quantity) if move.given is not None else stock.rate
    after = Stock(stock.quantity + move.quantity, stock.value + value, rate, layers)
    return Outcome(after, value, given - value)


def _worth(layers: tuple[Layer, ...]) -> Decimal:
    return sum((layer.value for layer in layers), ZERO)


def _issue(stock: Stock, move: Move) -> Outcome:
    asked, taken, left = -move.quantity, list[Layer](), dict[int, Layer]()
    for place in sorted(range(len(stock.layers)), key=lambda i: stock.layers[i].entry != move.source):
        layer = stock.layers[place]
        part = min(asked, layer.quantity)
        if part <= 0:
            left[place] = layer
            continue
        value = layer.value if part == layer.quantity else _share(layer, part, move)
        taken.append(layer._replace(quantity=part, value=value))
        if part < layer.quantity:
            left[place] = layer._replace(quantity=layer.quantity - part, value=layer.value - value)
        asked -= part
    rate = rate_of(taken[-1].value, taken[-1].quantity) if taken else stock.rate
    value = -_worth(tuple(taken)) - (move.rounded(rate * asked) if asked else ZERO)
    given = value if move.given is None else move.given
    layers = tuple(left[place] for place in sorted(left))
    after = Stock(stock.quantity + move.quantity, stock.value + value, rate, layers)
    return Outcome(after, value, given - value, tuple(taken))


def _share(layer: Layer, part: Decimal, move: Move) -> Decimal:
    """What a part of a layer costs: its proportion, but for a return what its own receipt gives back."""
    if layer.entry == move.source and move.given is not None:
        return min(max(move.rounded(move.given * part / move.quantity), ZERO), layer.value)
    return move.rounded(layer.value * part / layer.quantity)


def _revalue(stock: Stock, move: Move) -> Outcome:
    """Only value: shared over what is there, the last layer takes the rest."""
    given = move.given or ZERO
    if not stock.layers:
        return Outcome(stock._replace(value=stock.value + given), given)
    layers, rest, total = list[Layer](), given, sum((layer.quantity for layer in stock.layers), ZERO)
    for layer in stock.layers:
        part = rest if layer is stock.layers[-1] else move.rounded(given * layer.quantity / total)
        layers.append(layer._replace(value=layer.value + part))
        rest -= part
    return Outcome(stock._replace(value=stock.value + given, layers=tuple(layers)), given)
