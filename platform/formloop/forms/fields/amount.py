"""Amounts of money."""

from formloop.core.text import M
from formloop.forms.fields.number import Number


class Amount(Number):
    """Money: a number with four digits after the point unless `x-scale` says otherwise, shown with at least two."""

    name = "amount"
    title = M("Amount")
    icon = "cash"
    scale = 4
    shown_least = 2
