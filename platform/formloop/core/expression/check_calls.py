"""Checks calls: does the function exist, do the arguments fit, what does it give."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from formloop.core.expression.functions import FUNCTIONS, Function
from formloop.core.expression.nodes import Call, Node, Typed
from formloop.core.expression.types import (
    ANY,
    BOOL,
    DATE,
    DATETIME,
    NUMBER,
    TEXT,
    ListType,
    Path,
    RecordType,
    Type,
    element,
    is_same_kind,
)
from formloop.core.text import M, Message

_FIXED = {"number": NUMBER, "text": TEXT, "bool": BOOL, "date": DATE, "datetime": DATETIME, "clock": DATETIME}
_FREE = ("any", "shown")


def kinds_of(function: Function, count: int) -> list[str]:
    """The kind each of `count` arguments must have; IFS and SWITCH alternate."""
    last = function.parameters[-1].kind if function.parameters else ""
    if last == "pair":
        return ["bool" if i % 2 == 0 else "T" for i in range(count)]
    if last == "match":
        kinds = ["C", *("C" if i % 2 == 0 else "T" for i in range(count - 1))]
        return [*kinds[:-1], "T"] if count % 2 == 0 else kinds
    return [p.kind if (p := function.parameter(i)) else "" for i in range(count)]


class CallChecks:
    """The part of the checker for calls."""

    def report(self, code: str, node: Node, message: Message) -> None:
        """Remember a problem."""
        raise NotImplementedError

    def text_of(self, node: Node) -> str:
        """What was written."""
        raise NotImplementedError

    def infer(self, node: Typed) -> Typed:
        """The part with its type."""
        raise NotImplementedError

    def over_of(self, parts: tuple[Typed, ...], node: Node) -> Path | None:
        """The list the parts run over."""
        raise NotImplementedError

    def local(self, node: Typed, kind: Type) -> Typed:
        """The moment on the wall clock."""
        raise NotImplementedError

    def call(self, node: Call) -> Typed:
        """The call with its function and types."""
        arguments = [self.infer(argument) for argument in node.arguments]
        function = FUNCTIONS.get(node.name)
        if function is None:
            self._unknown_function(node)
            return replace(node, arguments=tuple(arguments))
        if not self._count_fits(function, node):
            return replace(node, arguments=tuple(arguments), function=function)
        bound: dict[str, Type] = {}
        spread: list[Typed] = []
        for index, kind in enumerate(kinds_of(function, len(arguments))):
            arguments[index] = self._argument(function, index, kind, arguments[index], bound, spread)
        result = self._result(function, arguments, spread, bound, node)
        return replace(node, arguments=tuple(arguments), function=function, type=result)

    def _unknown_function(self, node: Call) -> None:
        near = get_close_matches(node.name, FUNCTIONS, 1, 0.5)
        says = M("There is no function {name}.", name=node.name)
        if near:
            says = M("There is no function {name}. Did you mean {near}?", name=node.name, near=near[0])
        self.report("unknown_function", node, says)

    def _count_fits(self, function: Function, node: Call) -> bool:
        count, most = len(node.arguments), len(function.parameters)
        endless = bool(function.parameters) and function.parameters[-1].repeated
        uneven = endless and function.parameters[-1].kind == "pair" and count % 2 == 1
        if count >= function.least and (endless or count <= most) and not uneven:
            return True
        says = M("{name} is called like this: {signature}", name=function.name, signature=function.signature)
        self.report("arguments", node, says)
        return False

    def _argument(
        self,
        function: Function,
        index: int,
        kind: str,
        node: Typed,
        bound: dict[str, Type],
        spread: list[Typed],
    ) -> Typed:
        parameter = function.parameter(index)
        mode = parameter.mode if parameter else "one"
        is_list = isinstance(node.type, ListType)
        if mode == "list" and not is_list and node.type != ANY:
            says = M("{name} works on a list such as lines.amount, not on one value.", name=function.name)
            self.report("not_a_list", node, says)
            return node
        if is_list and mode == "one":
            spread.append(node)
        return self._fit(function, kind, node, bound)

    def _fit(self, function: Function, kind: str, node: Typed, bound: dict[str, Type]) -> Typed:
        found = element(node.type)
        if kind in _FREE:
            return self.local(node, DATETIME) if kind == "shown" and found == DATETIME else node
        if kind == "clock" and found == DATETIME:
            return self.local(node, DATETIME)
        wanted = _FIXED.get(kind)
        if wanted == DATE and found == DATETIME:
            return self.local(node, DATE)
        if wanted is None:
            wanted = bound.get(kind)
            if wanted is None or wanted == ANY:
                bound[kind] = found
            if kind == "O" and found == BOOL:
                wanted = NUMBER
            if wanted is None:
                return node
        if not is_same_kind(found, wanted):
            says = M(
                "{name} wants {wanted} here, but “{part}” is {found}.",
                name=function.name,
                wanted=wanted.title,
                part=self.text_of(node),
                found=found.title,
            )
            self.report("argument_type", node, says)
        return node

    def _result(
        self,
        function: Function,
        arguments: Sequence[Typed],
        spread: list[Typed],
        bound: dict[str, Type],
        node: Node,
    ) -> Type:
        kind = function.returns.strip("[]")
        result = _FIXED.get(kind) or bound.get(kind, ANY)
        if isinstance(result, RecordType) and kind == "O":
            result = NUMBER
        lists = [a for i, a in enumerate(arguments) if (p := function.parameter(i)) and p.mode == "list"]
        if len(lists) > 1:
            self.over_of(tuple(lists), node)
        if spread:
            return ListType(result, self.over_of(tuple(spread), node))
        return ListType(result) if function.returns.startswith("[") else result
