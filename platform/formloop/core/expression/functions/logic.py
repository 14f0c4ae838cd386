"""Logic. A condition is true, false or empty; an empty one counts as "no" wherever a choice is made."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from formloop.core.expression.compare import COMPARISONS, is_same
from formloop.core.expression.functions.spec import Group
from formloop.core.expression.values import EvaluationError, Fault, OutOfSteps, Run, is_empty

logic = Group("logic")
Later = Callable[[Run], Any]


@logic(
    "IF(condition: bool, then: T, otherwise?: T) -> T",
    "The second value if the condition holds, otherwise the third or nothing.",
    "条件成立时返回第二个值，否则返回第三个值或空。",
    'IF(3 > 2, "more", "less")',
    "more",
    lazy=True,
    form=lambda sql, condition, then, otherwise=None: sql.choose([(condition, then)], otherwise),
)
def choose(run: Run, condition: Later, then: Later, otherwise: Later | None = None) -> Any:
    if condition(run):
        return then(run)
    return otherwise(run) if otherwise else None


@logic(
    "IFS(condition: bool, then: T, more...: pair) -> T",
    "The value behind the first condition that holds; nothing if none does.",
    "返回第一个成立条件后面的值；都不成立则为空。",
    'IFS(5 < 3, "small", 5 < 9, "medium", TRUE, "large")',
    "medium",
    lazy=True,
    form=lambda sql, *nodes: sql.choose(list(zip(nodes[::2], nodes[1::2], strict=True)), None),
)
def first_that_holds(run: Run, *parts: Later) -> Any:
    for condition, then in zip(parts[::2], parts[1::2], strict=True):
        if condition(run):
            return then(run)
    return None


@logic(
    "SWITCH(value: C, match: C, then: T, more...: match) -> T",
    "The value behind the first match; a last single value is for everything else.",
    "返回第一个匹配值后面的结果；最后单独的值用于其他情况。",
    'SWITCH("B", "A", 1, "B", 2, 0)',
    "2",
    lazy=True,
    form=lambda sql, value, *nodes: sql.switch(value, nodes),
)
def switch(run: Run, value: Later, *parts: Later) -> Any:
    wanted = value(run)
    for match, then in zip(parts[:-1:2], parts[1::2], strict=False):
        if is_same(wanted, match(run)):
            return then(run)
    return parts[-1](run) if len(parts) % 2 else None


@logic(
    "AND(condition: bool, more...: bool) -> bool",
    "Whether all conditions hold. Also written between them: a AND b.",
    "所有条件都成立。也可写作 a AND b。",
    "1 < 2 AND 2 < 3",
    "TRUE",
    lazy=True,
    form=lambda sql, *nodes: sql.all_of([sql.condition(node) for node in nodes]),
)
def all_hold(run: Run, *parts: Later) -> bool | None:
    result: bool | None = True
    for part in parts:
        holds = part(run)
        if holds is False:
            return False
        if holds is None:
            result = None
    return result


@logic(
    "OR(condition: bool, more...: bool) -> bool",
    "Whether at least one condition holds. Also written between them: a OR b.",
    "至少一个条件成立。也可写作 a OR b。",
    "1 > 2 OR 2 < 3",
    "TRUE",
    lazy=True,
    form=lambda sql, *nodes: sql.any_of([sql.condition(node) for node in nodes]),
)
def one_holds(run: Run, *parts: Later) -> bool | None:
    result: bool | None = False
    for part in parts:
        holds = part(run)
        if holds:
            return True
        if holds is None:
            result = None
    return result


@logic(
    "NOT(condition: bool) -> bool",
    "The opposite. Also written before a condition: NOT a = b.",
    "取反。也可写作 NOT a = b。",
    "NOT(1 > 2)",
    "TRUE",
    form=lambda sql, node: sql.negated(node),
)
def opposite(condition: bool) -> bool:
    return not condition


@logic(
    "XOR(first: bool, second: bool) -> bool",
    "Whether exactly one of two conditions holds.",
    "两个条件恰有一个成立。",
    "XOR(1 < 2, 2 < 3)",
    "FALSE",
    sql=lambda first, second: first != second,
)
def exactly_one(first: bool, second: bool) -> bool:
    return first != second


@logic(
    "COALESCE(value: T, more...: T) -> T",
    "The first value that is not empty.",
    "第一个非空值。",
    'COALESCE("", "spare")',
    "spare",
    lazy=True,
    form=lambda sql, *nodes: sql.first_filled(nodes),
)
def first_filled(run: Run, *parts: Later) -> Any:
    for part in parts:
        value = part(run)
        if not is_empty(value):
            return value
    return None


@logic(
    "ISBLANK(value: shown) -> bool",
    "Whether there is nothing: no value or an empty text.",
    "是否为空：没有值或空文本。",
    'ISBLANK("")',
    "TRUE",
    lazy=True,
    form=lambda sql, node: sql.is_blank(node),
)
def is_blank(run: Run, value: Later) -> bool:
    return is_empty(value(run))


@logic(
    "IFERROR(value: T, instead: T) -> T",
    "The second value if the first cannot be calculated, for example when it divides by zero.",
    "第一个值无法计算（如除以零）时返回第二个值。",
    "IFERROR(1 / 0, 0)",
    "0",
    lazy=True,
    form=lambda sql, node, instead: sql.if_error(node, instead),
)
def if_error(run: Run, value: Later, instead: Later) -> Any:
    try:
        return value(run)
    except OutOfSteps:
        raise
    except (Fault, ArithmeticError, EvaluationError):
        if run.left < 0:
            raise
        return instead(run)


@logic(
    "CHOOSE(position: number, value: T, more...: T) -> T",
    "The value at a position, counted from 1; nothing beyond the last.",
    "按序号（从 1 起）选取一个值；超出范围则为空。",
    'CHOOSE(2, "low", "middle", "high")',
    "middle",
    lazy=True,
    form=lambda sql, position, *nodes: sql.pick(position, nodes),
)
def pick(run: Run, position: Later, *parts: Later) -> Any:
    at: Decimal | None = position(run)
    return parts[int(at) - 1](run) if at is not None and 1 <= at < len(parts) + 1 else None


@logic(
    "BETWEEN(value: O, lowest: O, highest: O) -> bool",
    "Whether a value lies between two others, both included.",
    "值是否介于两者之间（含两端）。",
    "BETWEEN(5, 1, 10)",
    "TRUE",
    lazy=True,
    form=lambda sql, value, lowest, highest: sql.all_of(
        [sql.compare(">=", value, lowest), sql.compare("<=", value, highest)]
    ),
)
def between(run: Run, value: Later, lowest: Later, highest: Later) -> bool | None:
    found = value(run)
    low, high = COMPARISONS[">="](found, lowest(run)), COMPARISONS["<="](found, highest(run))
    return False if low is False or high is False else None if low is None or high is None else True
