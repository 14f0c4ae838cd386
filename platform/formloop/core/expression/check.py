"""Finds the type of every part, and everything that cannot be right, before an expression ever runs."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from difflib import get_close_matches

from formloop.core.errors import Problem
from formloop.core.expression.check_calls import CallChecks
from formloop.core.expression.nodes import Binary, Call, Literal, Local, Member, Name, Node, Typed, Unary
from formloop.core.expression.syntax import position
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

_MOMENTS = (DATE, DATETIME)


class Checker(CallChecks):
    """Walks a tree once; `problems` grows, and a part that is wrong counts as ANY so that the rest is checked."""

    def __init__(self, source: str, names: Mapping[str, Type]) -> None:
        self.source = source
        self.names = names
        self.problems: list[Problem] = []

    def report(self, code: str, node: Node, message: Message) -> None:
        """Remember a problem at the beginning of `node`."""
        line, column = position(self.source, node.start)
        self.problems.append(Problem(code, "", message, line, column))

    def text_of(self, node: Node) -> str:
        """What was written for `node`, shortened."""
        text = self.source[node.start : node.end]
        return text if len(text) <= 40 else text[:37] + "…"

    def infer(self, node: Typed) -> Typed:
        """The same part with its type, and conversions put in."""
        match node:
            case Name():
                return self._name(node)
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Member():
                return self._member(node)
            case Call():
                return self.call(node)
        return node

    def expect(self, tree: Typed, expects: Type) -> Typed:
        """Check the type of the whole result."""
        if isinstance(tree.type, ListType) and not isinstance(expects, ListType) and expects != ANY:
            self.report(
                "list",
                tree,
                M("This gives a list, but one value is wanted. Use SUM, MAX, FIRST, ANY or ALL."),
            )
        elif expects == DATE and tree.type == DATETIME:
            return Local(tree.start, tree.end, DATE, tree)
        elif not is_same_kind(tree.type, expects):
            says = M(
                "This gives {found}, but {wanted} is wanted.", found=tree.type.title, wanted=expects.title
            )
            self.report("result_type", tree, says)
        return tree

    # names

    def _name(self, node: Name) -> Typed:
        first = self.names.get(node.path[0])
        if first is None:
            self._unknown(node, 0, tuple(self.names))
            return node
        kinds, many, over = [first], isinstance(first, ListType), self._over(first, node.path[:1])
        for index in range(1, len(node.path)):
            found = self._field(node, element(kinds[-1]), index)
            if found is None:
                return node
            kinds.append(found)
            if isinstance(found, ListType):
                many, over = True, node.path[: index + 1]
        last = element(kinds[-1])
        return replace(node, type=ListType(last, over) if many else last, steps=tuple(kinds))

    @staticmethod
    def _over(kind: Type, path: Path) -> Path | None:
        return (kind.over or path) if isinstance(kind, ListType) else None

    def _field(self, node: Name, kind: Type, index: int) -> Type | None:
        step = node.path[index]
        if kind == ANY:
            return ANY
        if not isinstance(kind, RecordType):
            before = ".".join(node.path[:index])
            self.report(
                "no_fields", node, M("“{name}” is {kind} and has no fields.", name=before, kind=kind.title)
            )
            return None
        fields = kind.fields()
        if step in fields:
            return fields[step]
        if step == "id":
            return NUMBER
        self._unknown(node, index, tuple(fields))
        return None

    def _unknown(self, node: Name, index: int, known: tuple[str, ...]) -> None:
        name = node.path[index]
        near = get_close_matches(name, known, 1, 0.6) or get_close_matches(name.lower(), known, 1, 0.6)
        if near:
            says = M("There is no “{name}”. Did you mean “{near}”?", name=name, near=near[0])
        elif known:
            shown = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
            says = M("There is no “{name}”. Possible here: {known}.", name=name, known=shown)
        else:
            says = M("There is no “{name}”. No names can be used here.", name=name)
        start = node.start + sum(len(step) + 1 for step in node.path[:index])
        self.report("unknown_name", replace(node, start=start), says)

    # lists

    def over_of(self, parts: tuple[Typed, ...], node: Node) -> Path | None:
        """The list that parts calculated together run over; different lists are a problem."""
        overs = {p.type.over for p in parts if isinstance(p.type, ListType)}
        if len(overs) > 1:
            self.report("two_lists", node, M("Two different lists cannot be calculated line by line."))
        return next(iter(overs), None)

    def spread(self, kind: Type, parts: tuple[Typed, ...], node: Node) -> Type:
        """`kind`, as a list if one of the parts is a list."""
        if any(isinstance(p.type, ListType) for p in parts):
            return ListType(kind, self.over_of(parts, node))
        return kind

    # operators

    def _unary(self, node: Unary) -> Typed:
        operand = self.infer(node.operand)
        if not is_same_kind(element(operand.type), NUMBER) or isinstance(element(operand.type), RecordType):
            self._not_a_number(node.op, operand)
        return replace(node, operand=operand, type=self.spread(NUMBER, (operand,), node))

    def _not_a_number(self, op: str, operand: Typed) -> None:
        says = M(
            "“{op}” needs a number, but “{part}” is {kind}.",
            op=op,
            part=self.text_of(operand),
            kind=operand.type.title,
        )
        if element(operand.type) == TEXT:
            says = M(
                "“{op}” needs a number, but “{part}” is a text. Join texts with &.",
                op=op,
                part=self.text_of(operand),
            )
        self.report("not_a_number", operand, says)

    def _binary(self, node: Binary) -> Typed:
        left, right = self.infer(node.left), self.infer(node.right)
        if node.op in ("=", "<>", "<", "<=", ">", ">="):
            left, right = self.comparable(left, right)
            return replace(node, left=left, right=right, type=self.spread(BOOL, (left, right), node))
        kind = self._arithmetic(node.op, left, right)
        return replace(node, left=left, right=right, type=self.spread(kind, (left, right), node))

    def _arithmetic(self, op: str, left: Typed, right: Typed) -> Type:
        one, two = element(left.type), element(right.type)
        if op in "+-" and (one in _MOMENTS or two in _MOMENTS or ANY in (one, two)):
            return self._calendar(op, left, right)
        for side in (left, right):
            if element(side.type) not in (NUMBER, ANY):
                self._not_a_number(op, side)
        return NUMBER

    def _calendar(self, op: str, left: Typed, right: Typed) -> Type:
        one, two = element(left.type), element(right.type)
        if op == "-" and one in _MOMENTS and one == two:
            return NUMBER
        if one in _MOMENTS and two == NUMBER:
            return one
        if op == "+" and one == NUMBER and two in _MOMENTS:
            return two
        if ANY in (one, two) and not {one, two} & {TEXT, BOOL}:
            return ANY
        if one in _MOMENTS and two in _MOMENTS and op == "-":
            says = M("One side is a date, the other a date with time. Use DAYOF to take the date.")
        else:
            says = M("Days are added to a date as a number, such as due_date + 7.")
        self.report("date_arithmetic", right, says)
        return ANY

    def comparable(self, left: Typed, right: Typed) -> tuple[Typed, Typed]:
        """Both sides of a comparison, brought to one type where that is certain."""
        one, two = element(left.type), element(right.type)
        if one == TEXT and two in _MOMENTS and isinstance(left, Literal):
            return self._as_date(left, two), right
        if two == TEXT and one in _MOMENTS and isinstance(right, Literal):
            return left, self._as_date(right, one)
        if one == DATE and two == DATETIME:
            return left, self.local(right, DATE)
        if one == DATETIME and two == DATE:
            return self.local(left, DATE), right
        if not is_same_kind(one, two) and not _is_empty_text(left) and not _is_empty_text(right):
            says = M(
                "“{left}” is {one} and “{right}” is {two}: they cannot be compared.",
                left=self.text_of(left),
                one=one.title,
                right=self.text_of(right),
                two=two.title,
            )
            self.report("not_comparable", right, says)
        return left, right

    def local(self, node: Typed, kind: Type) -> Typed:
        """The moment as it is on the wall clock: its day, or day and time."""
        return Local(node.start, node.end, self.spread(kind, (node,), node), node)

    def _as_date(self, node: Literal, kind: Type) -> Typed:
        if node.value == "":
            return node
        try:
            if kind == DATETIME:
                moment = datetime.fromisoformat(node.value)
                if moment.tzinfo:
                    return replace(node, type=DATETIME, value=moment)
            return replace(node, type=DATE, value=date.fromisoformat(node.value))
        except ValueError:
            self.report("not_a_date", node, M("Write a date like 2026-01-31."))
            return node

    def _member(self, node: Member) -> Typed:
        value = self.infer(node.value)
        choices = [self.infer(choice) for choice in node.choices]
        if len(choices) == 1 and isinstance(choices[0].type, ListType):
            if not is_same_kind(element(value.type), choices[0].type.of):
                self.comparable(value, replace(choices[0], type=choices[0].type.of))
        else:
            for index, choice in enumerate(choices):
                if isinstance(choice.type, ListType):
                    self.report("list", choice, M("A list stands alone behind IN, without further values."))
                value, choices[index] = self.comparable(value, choice)
        return replace(node, value=value, choices=tuple(choices), type=self.spread(BOOL, (value,), node))


def _is_empty_text(node: Typed) -> bool:
    return isinstance(node, Literal) and node.value == ""
