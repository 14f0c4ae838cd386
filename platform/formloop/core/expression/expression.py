"""A parsed, checked and compiled expression."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from formloop.core.errors import Invalid, Problem
from formloop.core.expression.check import Checker
from formloop.core.expression.compile import compiled
from formloop.core.expression.context import Context
from formloop.core.expression.nodes import Call, Name, Node, Typed
from formloop.core.expression.syntax import SyntaxProblem, position, read
from formloop.core.expression.types import Path, Type
from formloop.core.expression.values import EvaluationError, Fault, OutOfSteps, Run, message_of, plain


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a calculation for "why?": what was written, its value, the steps below it."""

    text: str
    value: Any
    steps: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that can run. `reads` are the full paths of all names, `calls` the functions it uses."""

    source: str
    type: Type
    reads: frozenset[Path]
    calls: frozenset[str]
    tree: Typed = field(repr=False, compare=False)
    _run: Callable[[Run], Any] = field(repr=False, compare=False)

    def evaluate(self, env: Mapping[str, Any], context: Context) -> Any:
        """The value with these names; EvaluationError says what went wrong and where."""
        try:
            value = self._run(Run(env, context))
        except OutOfSteps as error:
            raise EvaluationError(error.message) from None
        except (Fault, ArithmeticError):
            self.trace(env, context)  # the slow way, which knows the position, and raises
            raise
        return plain(value) if value.__class__ is Decimal else _shown(value)

    def trace(self, env: Mapping[str, Any], context: Context) -> Step:
        """The calculation step by step; branches that were not taken do not appear."""
        run = Run(env, context)
        run.trail = [[]]
        compiled(self.tree, self._traced)(run)
        (step,) = run.trail[0]
        found: Step = step
        return found

    def part(self, node: Typed) -> "Expression":
        """A part of it, to be calculated by itself."""
        return _expression(self.source, node)

    def _traced(self, node: Typed, closure: Callable[[Run], Any]) -> Callable[[Run], Any]:
        text = self.source[node.start : node.end]

        def traced(run: Run) -> Any:
            run.trail.append([])
            try:
                value = closure(run)
            except EvaluationError:
                run.trail.pop()
                raise
            except (Fault, ArithmeticError) as error:
                run.trail.pop()
                line, column = position(self.source, node.start)
                raise EvaluationError(message_of(error), node.start, line, column) from error
            below = tuple(run.trail.pop())
            run.trail[-1].append(Step(text, _shown(value), below))
            return value

        return traced


def _shown(value: Any) -> Any:
    if value.__class__ is Decimal:
        return plain(value)
    if value.__class__ is list:
        return [plain(v) if v.__class__ is Decimal else v for v in value]
    return value


def check(
    source: str, names: Mapping[str, Type], expects: Type | None = None
) -> tuple[Expression | None, list[Problem]]:
    """The expression, or None and the problems, each with line and column from 1."""
    try:
        tree = read(source)
    except SyntaxProblem as error:
        line, column = position(source, error.start)
        return None, [Problem(error.code, "", error.message, line, column)]
    checker = Checker(source, names)
    tree = checker.infer(tree)
    if expects is not None and not checker.problems:
        tree = checker.expect(tree, expects)
    if checker.problems:
        return None, checker.problems
    return _expression(source, tree), []


def parse(source: str, names: Mapping[str, Type], expects: Type | None = None) -> Expression:
    """The expression, or Invalid with the problems."""
    expression, problems = check(source, names, expects)
    if expression is None:
        raise Invalid(problems)
    return expression


def _expression(source: str, tree: Typed) -> Expression:
    reads: set[Path] = set()
    calls: set[str] = set()
    todo: list[Node] = [tree]
    while todo:
        node = todo.pop()
        todo.extend(node.parts)
        if isinstance(node, Name):
            reads.add(node.path)
        elif isinstance(node, Call):
            calls.add(node.name)
    return Expression(source, tree.type, frozenset(reads), frozenset(calls), tree, compiled(tree))
