"""Comparisons in SQL. A bare column against a constant stays bare, so that its index serves."""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    and_,
    cast,
    collate,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    true,
)

from formloop.core.expression.nodes import Typed
from formloop.core.expression.sql_parts import NOT_A_NUMBER, Element, Part
from formloop.core.expression.types import NUMBER, TEXT, RecordType, Type
from formloop.core.expression.values import is_empty


class Comparisons:
    """The part of the compiler for = <> < <= > >= and emptiness."""

    sqlite: bool

    def part(self, node: Typed) -> Part:
        """The SQL of a part."""
        raise NotImplementedError

    def number(self, part: Part) -> Element:
        """The number every function understands."""
        raise NotImplementedError

    def canonical(self, part: Part) -> Element:
        """The SQL every function understands."""
        raise NotImplementedError

    def condition(self, node: Typed) -> Element:
        """A part as a condition."""
        return self.part(node).element

    def compare(self, op: str, left: Typed, right: Typed) -> Element:
        """Two parts compared by the rules of the language; a bare column stays bare."""
        return self.compared(op, self.part(left), self.part(right))

    def compared(self, op: str, left: Part, right: Part) -> Element:
        """Two pieces of SQL compared."""
        if left.constant and not right.constant:
            left, right, op = right, left, _TURNED.get(op, op)
        if right.constant and is_empty(right.value):
            blank = self.blank(left)
            return blank if op == "=" else not_(blank) if op == "<>" else cast(null(), Boolean)
        if is_number(left.kind):
            return self._compared_numbers(op, left, right)
        return self._compared_plain(op, left, right)

    def _compared_numbers(self, op: str, left: Part, right: Part) -> Element:
        if left.scale is not None and right.constant:
            return self._against_constant(op, left, right.value)
        if left.scale is not None and left.scale == right.scale:
            return self._native(op, left.element, right.element, left.may_be_empty and right.may_be_empty)
        if self.sqlite:
            return self._by_function(op, left, right)
        one, two = self._sound(left), self._sound(right)
        if right.constant and op in ("=", "<>"):
            return self._equal_constant(op, one, two)
        return self._native(op, one, two, True)

    def _by_function(self, op: str, left: Part, right: Part) -> Element:
        one, two = self.number(left), self.number(right)
        order = func.fl_cmp(one, two, type_=Integer)
        if op not in ("=", "<>"):
            return _ORDER[op](order, 0)
        same = func.coalesce(order == 0, and_(one.is_(None), two.is_(None)))
        return same if op == "=" else not_(same)

    def _sound(self, part: Part) -> Element:
        found = self.number(part)
        return func.nullif(found, NOT_A_NUMBER) if part.may_fail else found

    def _against_constant(self, op: str, left: Part, value: Decimal) -> Element:
        """A column of whole units against a number that is known: bound as whole units, so an index serves."""
        exact = value.scaleb(left.scale or 0)
        up, down = (int(exact.to_integral_value(r)) for r in (ROUND_CEILING, ROUND_FLOOR))
        bound = max(-(2**63), min(2**63 - 1, up if op in ("<", ">=") else down))
        if op in ("=", "<>"):
            if up != down or bound != down:
                return (false() if op == "=" else true()).self_group()
            return self._equal_constant(op, left.element, literal(bound, BigInteger))
        return _ORDER[op](left.element, literal(bound, BigInteger))

    @staticmethod
    def _equal_constant(op: str, left: Element, right: Element) -> Element:
        if op == "=":
            return and_(left == right, left.is_not(None))
        return or_(left != right, left.is_(None))

    @staticmethod
    def _native(op: str, left: Element, right: Element, both_empty: bool) -> Element:
        if op == "=":
            return left.is_not_distinct_from(right)
        if op == "<>":
            return left.is_distinct_from(right)
        return _ORDER[op](left, right)

    def _compared_plain(self, op: str, left: Part, right: Part) -> Element:
        one, two = left.element, right.element
        if op in ("=", "<>"):
            if right.constant:
                return self._equal_constant(op, one, two)
            if left.kind == TEXT:
                one, two = func.coalesce(one, ""), func.coalesce(two, "")
            return self._native(op, one, two, True)
        if left.kind == TEXT:
            one, two = self._ordered_text(left), self._ordered_text(right)
        return _ORDER[op](one, two)

    def _ordered_text(self, part: Part) -> Element:
        found = part.element if part.constant else func.nullif(part.element, "")
        return found if self.sqlite else collate(found, "C")

    def blank(self, part: Part) -> Element:
        """Whether there is nothing."""
        if part.kind == TEXT:
            return or_(part.element.is_(None), part.element == "")
        return self.canonical(part).is_(None) if part.scale is None else part.element.is_(None)


_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ORDER: dict[str, Callable[[Any, Any], Element]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def is_number(kind: Type) -> bool:
    """Whether values of this type are numbers in SQL; ids are."""
    return kind == NUMBER or isinstance(kind, RecordType)
