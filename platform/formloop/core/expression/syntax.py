"""Reads the source of an expression into a tree, within the limits on size and depth."""

from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path as File
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken, VisitError

from formloop.core.expression.nodes import Binary, Call, Literal, Member, Name, Node, Typed, Unary
from formloop.core.expression.types import ANY, BOOL, NUMBER, TEXT
from formloop.core.text import M, Message

MAX_SOURCE, MAX_NODES, MAX_DEPTH, MAX_WHOLE, MAX_DECIMALS = 4096, 500, 32, 18, 16
SHORT = 300  # letters: longer formulas would fill the memory
_SIGNS = {"＋": "+", "－": "-", "−": "-", "×": "*", "＊": "*", "÷": "/", "％": "%"}
_COMPARE = {"EQ": "=", "NE": "<>", "LE": "<=", "GE": ">=", "LT": "<", "GT": ">"}


class SyntaxProblem(Exception):
    """The source cannot be read; `start` is the offset of the character."""

    def __init__(self, code: str, message: Message, start: int) -> None:
        super().__init__(code)
        self.code, self.message, self.start = code, message, start


def read(source: str) -> Typed:
    """The tree of `source`, or SyntaxProblem."""
    return _read_once(source) if len(source) <= SHORT else _read(source)


def _read(source: str) -> Typed:
    if len(source.encode()) > MAX_SOURCE:
        raise SyntaxProblem(
            "too_long", M("This formula is too long: 4,096 bytes are possible."), MAX_SOURCE // 4
        )
    if not source.strip():
        raise SyntaxProblem("empty", M("This formula is empty. Write a value, for example 0."), 0)
    try:
        tree: Typed = _parser().parse(source)
    except VisitError as error:
        raise error.orig_exc from None
    except UnexpectedInput as error:
        raise _explain(error, source) from None
    _measure(tree)
    return tree


_read_once = lru_cache(4_000)(
    _read
)  # the same formulas are read whenever something they rest on is published


@cache
def _parser() -> Any:
    grammar = File(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", transformer=_Builder(), maybe_placeholders=False)


def position(source: str, start: int) -> tuple[int, int]:
    """Line and column, both from 1, of an offset in the source."""
    return source.count("\n", 0, start) + 1, start - (source.rfind("\n", 0, start) + 1) + 1


def _measure(tree: Node) -> None:
    """Refuse trees that are too big or too deep; chains of + and - count as one level."""
    todo: list[tuple[Node, int]] = [(tree, 1)]
    seen = 0
    while todo:
        node, depth = todo.pop()
        seen += 1
        if depth > MAX_DEPTH:
            raise SyntaxProblem(
                "too_deep", M("This formula is nested too deeply: 32 levels are possible."), node.start
            )
        if seen > MAX_NODES:
            raise SyntaxProblem(
                "too_big", M("This formula has too many parts: 500 are possible."), node.start
            )
        chain = isinstance(node, Binary) and node.op in "+-"
        for index, part in enumerate(node.parts):
            same = chain and index == 0 and isinstance(part, Binary) and part.op in "+-"
            todo.append((part, depth if same else depth + 1))


def _explain(error: UnexpectedInput, source: str) -> SyntaxProblem:
    if isinstance(error, UnexpectedEOF) or (
        isinstance(error, UnexpectedToken) and error.token.type == "$END"
    ):
        opened = source.count("(") + source.count("（") - source.count(")") - source.count("）")
        text = (
            M("The formula ends too early: a “)” is missing.")
            if opened > 0 and "RPAR" in _expected(error)
            else M("The formula ends too early: a value is missing after the last sign.")
        )
        return SyntaxProblem("unfinished", text, len(source.rstrip()))
    if isinstance(error, UnexpectedCharacters):
        at = error.pos_in_stream or 0
        character = source[at]
        if character in "\"'“‘":
            return SyntaxProblem(
                "open_text",
                M("The text that begins here is not closed. Add {quote} at its end.", quote=character),
                at,
            )
        return SyntaxProblem(
            "character",
            M(
                "“{character}” has no meaning in a formula. Remove it or put it in quotes.",
                character=character,
            ),
            at,
        )
    token = getattr(error, "token", None)
    start = getattr(token, "start_pos", 0) or 0
    if "NUMBER" in _expected(error):
        text = M("A value is missing before “{token}”.", token=str(token))
    else:
        text = M(
            "“{token}” does not fit here. Is an operator such as + or AND missing before it?",
            token=str(token),
        )
    return SyntaxProblem("unexpected", text, start)


def _expected(error: UnexpectedInput) -> set[str]:
    return set(getattr(error, "accepts", None) or getattr(error, "expected", None) or ())


class _Builder(Transformer[Token, Typed]):
    """Makes the nodes while the parser reads; rules of the grammar are its method names."""

    def number(self, found: list[Any]) -> Typed:
        (token,) = found
        whole, _, rest = str(token).partition(".")
        if len(whole.lstrip("0")) > MAX_WHOLE or len(rest) > MAX_DECIMALS:
            raise SyntaxProblem(
                "number",
                M("This number has too many digits: 18 before and 16 after the point."),
                token.start_pos,
            )
        return Literal(token.start_pos, token.end_pos, NUMBER, Decimal(str(token)))

    def text(self, found: list[Any]) -> Typed:
        (token,) = found
        quote = token[0]
        inner = str(token[1:-1]).replace(quote * 2, quote) if quote in "\"'" else str(token[1:-1])
        return Literal(token.start_pos, token.end_pos, TEXT, inner)

    def true(self, found: list[Any]) -> Typed:
        return Literal(found[0].start_pos, found[0].end_pos, BOOL, True)

    def false(self, found: list[Any]) -> Typed:
        return Literal(found[0].start_pos, found[0].end_pos, BOOL, False)

    def reference(self, found: list[Any]) -> Typed:
        (token,) = found
        return Name(token.start_pos, token.end_pos, ANY, tuple(str(token).split(".")))

    def call(self, found: list[Any]) -> Typed:
        name, _, *arguments, close = found
        return Call(name.start_pos, close.end_pos, ANY, str(name).upper(), tuple(arguments))

    def group(self, found: list[Any]) -> Typed:
        inner: Typed = found[1]
        return inner

    def members(self, found: list[Any]) -> tuple[int, tuple[Typed, ...]]:
        if isinstance(found[0], Token):
            return found[-1].end_pos, tuple(found[1:-1])
        return found[0].end, (found[0],)

    def member(self, found: list[Any]) -> Typed:
        value, _, (end, choices) = found
        return Member(value.start, end, BOOL, value, choices)

    def not_member(self, found: list[Any]) -> Typed:
        value, _, _, (end, choices) = found
        return Call(value.start, end, ANY, "NOT", (Member(value.start, end, BOOL, value, choices),))

    def negation(self, found: list[Any]) -> Typed:
        token, operand = found
        return Call(token.start_pos, operand.end, ANY, "NOT", (operand,))

    def either(self, found: list[Any]) -> Typed:
        return _infix("OR", found[::2])

    def both(self, found: list[Any]) -> Typed:
        return _infix("AND", found[::2])

    def joined(self, found: list[Any]) -> Typed:
        return _infix("CONCAT", found)

    def compared(self, found: list[Any]) -> Typed:
        left, token, right = found
        return Binary(left.start, right.end, ANY, _COMPARE[token.type], left, right)

    def binary(self, found: list[Any]) -> Typed:
        left, token, right = found
        return Binary(left.start, right.end, ANY, _SIGNS.get(token, str(token)), left, right)

    def sign(self, found: list[Any]) -> Typed:
        token, operand = found
        return Unary(token.start_pos, operand.end, ANY, _SIGNS.get(token, str(token)), operand)

    def percent(self, found: list[Any]) -> Typed:
        operand, token = found
        return Unary(operand.start, token.end_pos, ANY, "%", operand)


def _infix(name: str, parts: list[Typed]) -> Typed:
    return Call(parts[0].start, parts[-1].end, ANY, name, tuple(parts))
