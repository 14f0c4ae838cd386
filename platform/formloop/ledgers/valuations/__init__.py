"""The valuations, by name: functions from what is there and one movement to what is there then.

A new one is a function in a file of its own and a line here.
"""

from formloop.ledgers.valuations.fifo import fifo
from formloop.ledgers.valuations.moving_average import moving_average
from formloop.ledgers.valuations.spec import Layer, Method, Move, Outcome, Stock
from formloop.ledgers.valuations.standard import standard

METHODS: dict[str, Method] = {
    "moving_average": moving_average,
    "fifo": fifo,
    "standard": standard,
    "specific": moving_average,  # of each full set of dimensions, so a lot has its own cost
}

__all__ = ["METHODS", "Layer", "Method", "Move", "Outcome", "Stock"]
