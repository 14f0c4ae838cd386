"""Functions in SQL: choices, texts, totals over lines, and plain calls."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Integer,
    Numeric,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
)

from formloop.core.expression.compile import compiled
from formloop.core.expression.functions import Function
from formloop.core.expression.functions.formats import date_pattern, number_pattern
from formloop.core.expression.nodes import Binary, Call, Node, Typed
from formloop.core.expression.sql_compile import Basics
from formloop.core.expression.sql_parts import NOT_A_NUMBER, Element, Part
from formloop.core.expression.types import (
    BOOL,
    DATE,
    DATETIME,
    NUMBER,
    TEXT,
    ListType,
    RecordType,
    Type,
    element,
)
from formloop.core.expression.values import Fault, Run
from formloop.core.text import M

_RESULTS: dict[Type, Any] = {TEXT: String, BOOL: Boolean, DATE: Date, DATETIME: DateTime}


class Compiler(Basics):
    """The forms functions ask for; each takes parts of the tree."""

    def call(self, node: Call) -> Part:
        """The SQL of a call, by its form or its plain arguments."""
        function = node.function
        if function is None or not (function.form or function.sql):
            raise self.refuse(node, M("{name} cannot be used in a filter.", name=node.name))
        if function.form:
            found = function.form(self, *node.arguments)
            return found if isinstance(found, Part) else Part(found, element(node.type))
        return self._plain(function, node)

    def _plain(self, function: Function, node: Call) -> Part:
        parts = [self.part(argument) for argument in node.arguments]
        kind, fails = element(node.type), any(p.may_fail for p in parts) or function.fails
        if self.sqlite:
            values = [self.canonical(p) for p in parts]
            result = getattr(func, f"fl_{function.name.lower()}")(*values, type_=_RESULTS.get(kind, String))
            return Part(result, kind, may_fail=fails)
        assert function.sql is not None
        built = function.sql(
            *[func.coalesce(p.element, "") if p.kind == TEXT else self.canonical(p) for p in parts]
        )
        return Part(cast(built, _RESULTS.get(kind, Numeric)), kind, may_fail=fails)

    # logic

    @staticmethod
    def all_of(conditions: Iterable[Element]) -> Element:
        """All conditions."""
        return and_(*conditions)

    @staticmethod
    def any_of(conditions: Iterable[Element]) -> Element:
        """At least one condition."""
        return or_(*conditions)

    def negated(self, node: Typed) -> Element:
        """The opposite."""
        return not_(self.condition(node))

    def choose(self, pairs: Sequence[tuple[Typed, Typed]], otherwise: Typed | None) -> Part:
        """The value behind the first condition that holds."""
        return self._case([(self.condition(c), self.part(v)) for c, v in pairs], otherwise)

    def _case(self, branches: list[tuple[Element, Part]], otherwise: Typed | None) -> Part:
        rest = self.part(otherwise) if otherwise else None
        parts = [part for _, part in branches] + ([rest] if rest else [])
        kind = next((p.kind for p in parts if not p.constant or p.value is not None), parts[0].kind)
        chosen = case(
            *[(condition, self.canonical(part)) for condition, part in branches],
            else_=self.canonical(rest) if rest else None,
        )
        kind = NUMBER if isinstance(kind, RecordType) else kind
        return Part(chosen, kind, may_fail=any(p.may_fail for p in parts))

    def switch(self, value: Typed, nodes: Sequence[Typed]) -> Part:
        """The value behind the first match."""
        wanted = self.part(value)
        pairs = list(zip(nodes[:-1:2], nodes[1::2], strict=False))
        branches = [(self.compared("=", wanted, self.part(match)), self.part(then)) for match, then in pairs]
        return self._case(branches, nodes[-1] if len(nodes) % 2 else None)

    def pick(self, position: Typed, nodes: Sequence[Typed]) -> Part:
        """The value at a position."""
        at = self.part(position)
        branches = []
        for index, node in enumerate(nodes, start=1):
            low = self.compared(">=", at, self.known(index, NUMBER))
            high = self.compared("<", at, self.known(index + 1, NUMBER))
            branches.append((and_(low, high), self.part(node)))
        return self._case(branches, None)

    def first_filled(self, nodes: Sequence[Typed]) -> Part:
        """The first value that is not empty."""
        parts = [self.part(node) for node in nodes]
        kind = NUMBER if isinstance(parts[0].kind, RecordType) else parts[0].kind
        values = [func.nullif(p.element, "") if p.kind == TEXT else self.canonical(p) for p in parts]
        chosen = func.coalesce(*values) if len(values) > 1 else values[0]
        return Part(chosen, kind, may_fail=any(p.may_fail for p in parts))

    def is_blank(self, node: Typed) -> Element:
        """Whether there is nothing."""
        return self.blank(self.part(node))

    def if_error(self, node: Typed, instead: Typed) -> Part:
        """Another value for a number that cannot be calculated."""
        if not _may_fail(node):
            return self.part(node)
        if not _fails_as_number(node):
            raise self.refuse(node, M("IFERROR can be used in a filter only around plain arithmetic."))
        value, other = self.part(node), self.part(instead)
        one, two = self.number(value), self.number(other)
        chosen: Element
        if self.sqlite:
            chosen = self.exact("fl_if_error", one, two)
        else:
            chosen = case((one == NOT_A_NUMBER, two), else_=one)
        return Part(chosen, NUMBER, may_fail=other.may_fail)

    def one_of(self, node: Typed, ids: Iterable[int]) -> Element:
        """Whether an id is one of those known now."""
        part = self.part(node)
        known = sorted(ids)
        if not known:
            return false()
        if part.scale is not None:
            return part.element.in_([literal(i, BigInteger) for i in known])
        if self.sqlite:
            return or_(*[func.fl_cmp(part.element, str(i), type_=Integer) == 0 for i in known])
        return self._sound(part).in_([literal(i, Numeric) for i in known])

    def among(self, value: Part, choices: Typed) -> Element:
        """Whether a value is in a list: of the context, or over lines."""
        if not isinstance(choices.type, ListType) or choices.type.over is None:
            try:
                known = compiled(choices)(Run({}, self.context))
            except (Fault, ArithmeticError):
                known = []
            tests = [self.compared("=", value, self.known(v, element(choices.type))) for v in known]
            return or_(*tests) if tests else false()
        return self._any(choices, lambda inner: inner.compared("=", value, inner.part(choices)))

    # texts

    def joined(self, nodes: Sequence[Typed]) -> Part:
        """The values in a row as one text."""
        values = [self.shown(self.part(node)) for node in nodes]
        if not self.sqlite:
            return Part(func.concat(*values), TEXT, may_be_empty=False)
        text: Element = func.coalesce(values[0], "")
        while len(values) > 1:
            pairs = [values[i : i + 2] for i in range(0, len(values), 2)]
            values = [
                func.coalesce(p[0], "").concat(func.coalesce(p[1], "")) if len(p) == 2 else p[0]
                for p in pairs
            ]
            text = values[0]
        return Part(text, TEXT, may_be_empty=False)

    def shown(self, part: Part) -> Element:
        """The value as a text."""
        value = self.canonical(part)
        if part.kind == TEXT:
            return value
        if part.kind == BOOL:
            return case((value, "TRUE"), (not_(value), "FALSE"))
        if self.sqlite:
            return func.substr(value, 1, 19, type_=String) if part.kind == DATETIME else cast(value, String)
        if part.kind in (DATE, DATETIME):
            return func.to_char(value, "YYYY-MM-DD" if part.kind == DATE else "YYYY-MM-DD HH24:MI:SS")
        return cast(func.trim_scale(value), String)

    def formatted(self, node: Typed, pattern: Typed) -> Part:
        """A number or date in a format that is written down."""
        part, form = self.part(node), self.part(pattern)
        if not form.constant or part.kind not in (NUMBER, DATE, DATETIME):
            raise self.refuse(
                pattern, M("TEXT can be used in a filter only with a written format for a number or date.")
            )
        if self.sqlite:
            name = {NUMBER: "fl_text_number", DATE: "fl_text_date"}.get(part.kind, "fl_text_moment")
            return Part(getattr(func, name)(self.canonical(part), form.element, type_=String), TEXT)
        try:
            if part.kind == NUMBER:
                return Part(number_pattern(self._sound(part), form.value or ""), TEXT)
            return Part(func.to_char(part.element, date_pattern(form.value or "")), TEXT)
        except Fault as fault:
            raise self.refuse(pattern, fault.message) from None

    # many to one

    def _over(self, node: Typed, build: Callable[["Compiler"], Element]) -> Element:
        """A subquery over the lines a list part runs over."""
        over = node.type.over if isinstance(node.type, ListType) else None
        if over is None:
            raise self.refuse(node, M("Only lists of lines can be totalled in a filter."))

        def inside(names: Any) -> Element:
            inner = Compiler(
                self.source, names, self.context, "sqlite" if self.sqlite else "postgresql", over
            )
            inner.built = self.built
            built = build(inner)
            self.built = inner.built
            return built

        return self.names.aggregate(over, inside)

    def _folded(self, node: Typed, fold: Callable[["Compiler", Part], Part]) -> Part:
        """A fold of one list; the scale is known once the inside has been built."""
        inside: list[Part] = []

        def build(inner: "Compiler") -> Element:
            inside.append(fold(inner, inner.part(node)))
            return inside[0].element

        found = self._over(node, build)
        part = inside[0]
        return Part(found, part.kind, part.scale, part.may_be_empty, part.may_fail)

    def _sum(self, part: Part) -> Part:
        if part.scale is not None:
            return Part(cast(func.coalesce(func.sum(part.element), 0), BigInteger), NUMBER, part.scale, False)
        if self.sqlite:
            return self.result(
                func.coalesce(func.fl_total(part.element, type_=String), "0"), may_fail=part.may_fail
            )
        return self.result(func.coalesce(func.sum(part.element), 0), may_fail=part.may_fail)

    def total(self, nodes: Sequence[Typed]) -> Part:
        """The sum of values and lists."""
        terms = [
            self._folded(node, lambda inner, part: inner._sum(part))
            if isinstance(node.type, ListType)
            else self.part(node)
            for node in nodes
        ]
        return (
            terms[0]
            if len(terms) == 1 and isinstance(nodes[0].type, ListType)
            else self.sum([(1, t) for t in terms])
        )

    def total_if(self, node: Typed, condition: Typed) -> Part:
        """The sum where a condition holds."""
        return self._folded(node, lambda inner, part: inner._sum(inner._where(part, condition)))

    def _where(self, part: Part, condition: Typed) -> Part:
        return Part(
            case((self.condition(condition), part.element)), part.kind, part.scale, True, part.may_fail
        )

    def total_product(self, first: Typed, second: Typed) -> Part:
        """The sum of products line by line."""
        return self._folded(first, lambda inner, part: inner._sum(inner.times(part, inner.part(second))))

    def average(self, nodes: Sequence[Typed]) -> Part:
        """The mean of values and lists."""
        return self._mean(self.total(nodes), self.count_filled(nodes))

    def average_if(self, node: Typed, condition: Typed) -> Part:
        """The mean where a condition holds."""
        count = self._folded(node, lambda inner, part: inner._counted(inner._where(part, condition)))
        return self._mean(self.total_if(node, condition), count)

    def _mean(self, total: Part, count: Part) -> Part:
        one, two = self.number(total), self.number(count)
        if self.sqlite:
            return self.result(self.exact("fl_average", one, two), may_be_empty=True, may_fail=total.may_fail)
        mean = func.round(func.round(one, 60) / func.nullif(two, 0), 16)
        return self.result(mean, may_be_empty=True, may_fail=total.may_fail)

    def extreme(self, which: str, nodes: Sequence[Typed]) -> Part:
        """The smallest or largest of values and lists."""
        parts = [
            self._folded(node, lambda inner, part: inner._extreme(which, part))
            if isinstance(node.type, ListType)
            else self.part(node)
            for node in nodes
        ]
        if len(parts) == 1:
            return parts[0]
        kind = NUMBER if isinstance(parts[0].kind, RecordType) else parts[0].kind
        fails = any(p.may_fail for p in parts)
        values = [func.nullif(p.element, "") if p.kind == TEXT else self.canonical(p) for p in parts]
        if self.sqlite:
            names = ("fl_least", "fl_greatest") if kind == NUMBER else ("fl_first", "fl_last")
            found = getattr(func, names[which == "max"])(*values, type_=_RESULTS.get(kind, String))
            return Part(found, kind, may_fail=fails)
        return Part((func.least if which == "min" else func.greatest)(*values), kind, may_fail=fails)

    def _extreme(self, which: str, part: Part) -> Part:
        if self.sqlite and part.kind == NUMBER and part.scale is None:
            found = getattr(func, f"fl_{which}")(part.element, type_=String)
            return Part(found, part.kind, may_fail=part.may_fail)
        value = func.nullif(part.element, "") if part.kind == TEXT else part.element
        if part.may_fail and which == "min":  # PostgreSQL takes NaN as the largest of all
            lowest = case((func.bool_or(value == NOT_A_NUMBER), NOT_A_NUMBER), else_=func.min(value))
            return Part(lowest, part.kind, may_fail=True)
        return Part(getattr(func, which)(value), part.kind, part.scale, may_fail=part.may_fail)

    def _counted(self, part: Part) -> Part:
        value = func.nullif(part.element, "") if part.kind == TEXT else part.element
        return Part(func.count(value), NUMBER, 0, False)

    def count(self, node: Typed) -> Part:
        """How many entries of a list are not empty."""
        if isinstance(element(node.type), RecordType):
            return Part(self._over(node, lambda inner: func.count()), NUMBER, 0, False)
        return self._folded(node, lambda inner, part: inner._counted(part))

    def count_filled(self, nodes: Sequence[Typed]) -> Part:
        """How many values are not empty."""
        terms = []
        for node in nodes:
            if isinstance(node.type, ListType):
                terms.append(self.count(node))
            else:
                terms.append(Part(case((self.is_blank(node), 0), else_=1), NUMBER, 0, False))
        return terms[0] if len(terms) == 1 else self.sum([(1, t) for t in terms])

    def count_if(self, node: Typed) -> Part:
        """For how many lines a condition holds."""
        return Part(
            self._over(node, lambda inner: func.count(case((inner.condition(node), 1)))), NUMBER, 0, False
        )

    def _any(self, node: Typed, build: Callable[["Compiler"], Element]) -> Element:
        return (
            self._over(node, lambda inner: func.coalesce(func.max(case((build(inner), 1), else_=0)), 0)) == 1
        )

    def is_any(self, node: Typed) -> Element:
        """Whether a condition holds for at least one line."""
        return self._any(node, lambda inner: inner.condition(node))

    def is_all(self, node: Typed) -> Element:
        """Whether a condition holds for every line."""
        return (
            self._over(
                node, lambda inner: func.coalesce(func.min(case((inner.condition(node), 1), else_=0)), 1)
            )
            == 1
        )


def _fails_as_number(node: Typed) -> bool:
    """Whether everything that may go wrong in a part shows as a number that is none."""
    if element(node.type) != NUMBER and _may_fail(node):
        return False
    return all(_fails_as_number(part) for part in node.parts)


def _may_fail(node: Node) -> bool:
    if isinstance(node, Binary):
        if node.op in "/^" or (node.op in "+-" and element(node.type) != NUMBER):
            return True
    elif (
        isinstance(node, Call) and node.function and (node.function.fails or node.function.returns == "date")
    ):
        return True
    return any(_may_fail(part) for part in node.parts)
