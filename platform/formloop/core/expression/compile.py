"""Turns a checked tree into Python closures, once. Every closure takes the `Run` and gives a value."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from formloop.core.expression.check_calls import kinds_of
from formloop.core.expression.compare import is_same
from formloop.core.expression.functions import Function
from formloop.core.expression.incoming import ADMIT, flat, step_into
from formloop.core.expression.nodes import Binary, Call, Literal, Local, Member, Name, Typed, Unary
from formloop.core.expression.operators import operation
from formloop.core.expression.types import ANY, DATETIME, NUMBER, ListType, RecordType, element
from formloop.core.expression.values import (
    HUNDREDTH,
    MAX_LIST,
    MAX_TEXT,
    TEXT_PER_STEP,
    ZERO,
    Fault,
    Run,
    add,
    entered,
    multiply,
    number,
    subtract,
)
from formloop.core.text import M

Closure = Callable[[Run], Any]
Wrap = Callable[[Typed, Closure], Closure]


def compiled(node: Typed, wrap: Wrap | None = None) -> Closure:
    """The closure of a part; `wrap` may surround every one of them (the trace does)."""

    def build(part: Typed) -> Closure:
        closure = _BUILDERS[type(part)](part, build)
        return wrap(part, closure) if wrap else closure

    return build(node)


def _literal(node: Any, build: Any) -> Closure:
    value = node.value
    return lambda run: value


# names


def _name(node: Name, build: Any) -> Closure:
    first, *rest = node.path
    admit = ADMIT[element(node.type).name if element(node.type).name in ADMIT else "any"]
    if isinstance(node.type, ListType):
        return _list_name(first, rest, admit)
    if not rest and element(node.type) == NUMBER:
        return _number_name(first)
    if not rest:

        def single(run: Run) -> Any:
            value = run.env.get(first)
            return value if value is None else admit(run, value)

        return single

    def path(run: Run) -> Any:
        value = run.env.get(first)
        for step in rest:
            value = step_into(value, step)
        if value.__class__ is list:
            raise Fault(M("One value was expected, but there are several."))
        return value if value is None else admit(run, value)

    return path


def _number_name(name: str) -> Closure:
    """The commonest of all parts, with as few calls as possible."""

    def single(run: Run) -> Decimal | None:
        value = run.env.get(name)
        if value.__class__ is Decimal and value.is_finite():
            return entered(value)
        return None if value is None else ADMIT["number"](run, value)

    return single


def _list_name(first: str, rest: list[str], admit: Callable[[Run, Any], Any]) -> Closure:
    def several(run: Run) -> list[Any]:
        found = run.env.get(first)
        values = [] if found is None else found if isinstance(found, (list, tuple)) else [found]
        for step in rest:
            run.spend(len(values))
            values = flat([step_into(value, step) for value in values])
        if len(values) > MAX_LIST:
            raise Fault(M("This list is too long: 10,000 values are possible."))
        run.spend(len(values))
        return [None if value is None else admit(run, value) for value in values]

    return several


def _binary(node: Binary, build: Any) -> Closure:
    function = operation(node)
    left, right = build(node.left), build(node.right)
    if node.op in "*/^":
        left, right = _sure(node.left, "number", left), _sure(node.right, "number", right)
    if node.op == "^":
        return _spread(
            node, (node.left, node.right), (left, right), lambda run, a, b: (run.spend(20), function(a, b))[1]
        )
    if isinstance(node.type, ListType):
        return _spread(node, (node.left, node.right), (left, right), lambda run, a, b: function(a, b))
    return lambda run: function(left(run), right(run))


def _sure(node: Typed, kind: str, closure: Closure) -> Closure:
    """A value of unknown type, or the id of a relation, examined when it arrives; others as they are."""
    found = element(node.type)
    if not (found == ANY or isinstance(found, RecordType)) or kind not in ADMIT or kind == "any":
        return closure
    admit = ADMIT[kind]

    def examined(run: Run) -> Any:
        value = closure(run)
        if isinstance(value, list):
            return [None if v is None else admit(run, v) for v in value]
        return None if value is None else admit(run, value)

    return examined


def _spread(
    node: Typed, parts: tuple[Typed, ...], closures: tuple[Closure, ...], apply: Callable[..., Any]
) -> Closure:
    """Apply to values, or element by element where parts are lists."""
    lists = tuple(isinstance(part.type, ListType) for part in parts)
    if not any(lists):
        return lambda run: apply(run, *[closure(run) for closure in closures])

    def each(run: Run) -> list[Any]:
        values = [closure(run) for closure in closures]
        lengths = {len(v) for v, many in zip(values, lists, strict=True) if many}
        if len(lengths) > 1:
            raise Fault(M("Two lists of different length cannot be calculated line by line."))
        (length,) = lengths
        run.spend(length)
        columns = [v if many else [v] * length for v, many in zip(values, lists, strict=True)]
        return [apply(run, *row) for row in zip(*columns, strict=True)]

    return each


def _unary(node: Unary, build: Any) -> Closure:
    operand = _sure(node.operand, "number", build(node.operand))

    def apply(run: Run, value: Decimal | None) -> Decimal:
        if node.op == "%":
            return multiply(value, HUNDREDTH)
        return subtract(ZERO, value) if node.op == "-" else add(ZERO, value)

    return _spread(node, (node.operand,), (operand,), apply)


def _member(node: Member, build: Any) -> Closure:
    value, choices = build(node.value), [build(choice) for choice in node.choices]
    is_list = len(choices) == 1 and isinstance(node.choices[0].type, ListType)

    def among(run: Run, wanted: Any) -> bool:
        if is_list:
            found = choices[0](run)
            run.spend(len(found))
            return any(is_same(wanted, choice) for choice in found)
        return any(_is_choice(wanted, choice(run)) for choice in choices)

    return _spread(node, (node.value,), (value,), among)


def _is_choice(wanted: Any, choice: Any) -> bool:
    if isinstance(choice, list):
        return any(is_same(wanted, one) for one in choice)
    return is_same(wanted, choice)


def _local(node: Local, build: Any) -> Closure:
    whole = element(node.type) == DATETIME

    def apply(run: Run, moment: datetime | None) -> Any:
        if moment is None:
            return None
        local = run.context.local(moment)
        return local if whole else local.date()

    return _spread(node, (node.operand,), (build(node.operand),), apply)


# calls


def _call(node: Call, build: Any) -> Closure:
    function = node.function
    assert function is not None
    kinds = kinds_of(function, len(node.arguments))
    closures = tuple(
        _sure(argument, kind, build(argument)) for argument, kind in zip(node.arguments, kinds, strict=True)
    )
    if function.lazy:
        return _lazy(node, function, closures)
    return _eager(node, function, closures, kinds)


def _lazy(node: Call, function: Function, closures: tuple[Closure, ...]) -> Closure:
    call, finish = function.call, _finisher(function)
    if not isinstance(node.type, ListType):
        return lambda run: finish(run, call(run, *closures)) if finish else call(run, *closures)

    def apply(run: Run, *values: Any) -> Any:
        return call(run, *[_given(value) for value in values])

    return _spread(node, node.arguments, closures, apply)


def _given(value: Any) -> Closure:
    return lambda run: value


def _eager(node: Call, function: Function, closures: tuple[Closure, ...], kinds: list[str]) -> Closure:
    apply = _application(function, kinds)
    modes = [p.mode if (p := function.parameter(i)) else "one" for i in range(len(closures))]
    spread = any(
        m == "one" and isinstance(a.type, ListType) for m, a in zip(modes, node.arguments, strict=True)
    )
    if spread:
        return _spread(node, node.arguments, closures, apply)
    several = any(mode != "one" for mode in modes)
    if not several and (quick := _quick(function, closures, kinds)):
        return quick

    def closure(run: Run) -> Any:
        values = [c(run) for c in closures]
        if several:
            for index, value in enumerate(values):
                if modes[index] == "list" and not isinstance(value, list):
                    values[index] = value = [] if value is None else [value]
                if value.__class__ is list:
                    run.spend(len(value))
        return apply(run, *values)

    return closure


def _quick(function: Function, closures: tuple[Closure, ...], kinds: list[str]) -> Closure | None:
    """The same without loops, for the plain functions of one or two numbers or dates that formulas are full of."""
    if function.contextual or function.cost > 1 or function.returns == "text" or not 1 <= len(closures) <= 2:
        return None
    if len(strict_places(function, kinds)) < len(closures):
        return None
    call, finish = function.call, _finisher(function) or _as_it_is
    first = closures[0]
    if len(closures) == 1:

        def one(run: Run) -> Any:
            value = first(run)
            return None if value is None else finish(run, call(value))

        return one
    second = closures[1]

    def two(run: Run) -> Any:
        left, right = first(run), second(run)
        return None if left is None or right is None else finish(run, call(left, right))

    return two


def _as_it_is(run: Run, value: Any) -> Any:
    return value


def _application(function: Function, kinds: list[str]) -> Callable[..., Any]:
    """The Python function with the rules around it: empties, surroundings, cost, size of the result."""
    call, finish = function.call, _finisher(function)
    strict = strict_places(function, kinds)
    texts = tuple(
        i
        for i, kind in enumerate(kinds)
        if kind == "text" and (p := function.parameter(i)) and p.mode == "one"
    )
    contextual, cost = function.contextual, function.cost

    def apply(run: Run, *values: Any) -> Any:
        for index in strict:
            if values[index] is None:
                return None
        if texts:
            values = tuple("" if v is None and i in texts else v for i, v in enumerate(values))
        if cost > 1:
            run.spend(cost)
        result = call(run.context, *values) if contextual else call(*values)
        return finish(run, result) if finish else result

    return apply


def strict_places(function: Function, kinds: list[str]) -> tuple[int, ...]:
    """The arguments that make the whole result empty when they are."""
    return tuple(
        i
        for i, kind in enumerate(kinds)
        if kind not in ("text", "any", "shown") and (p := function.parameter(i)) and p.mode == "one"
    )


def _finisher(function: Function) -> Callable[[Run, Any], Any] | None:
    if function.returns == "number":
        return _finish_number
    return _finish_text if function.returns == "text" else None


def _finish_number(run: Run, value: Any) -> Any:
    return number(value) if value.__class__ is Decimal else value


def _finish_text(run: Run, value: str | None) -> str | None:
    if value is None:
        return None
    if len(value) > MAX_TEXT:
        raise Fault(M("This text becomes too long: 65,536 characters are possible."))
    run.spend(1 + len(value) // TEXT_PER_STEP)
    return value


_BUILDERS: dict[type, Callable[[Any, Any], Closure]] = {
    Literal: _literal,
    Name: _name,
    Unary: _unary,
    Binary: _binary,
    Member: _member,
    Call: _call,
    Local: _local,
}
