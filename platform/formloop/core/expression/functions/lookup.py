"""Lists: picking, filtering, joining."""

from decimal import Decimal
from typing import Any

from formloop.core.expression.functions.spec import Group
from formloop.core.expression.functions.text import text_join
from formloop.core.expression.values import is_empty

lookup = Group("lookup")


@lookup(
    "FIRST(values: [T]) -> T",
    "The first value that is not empty.",
    "第一个非空值。",
    'FIRST(SPLIT("a/b", "/"))',
    "a",
)
def first(values: list[Any]) -> Any:
    return next((v for v in values if not is_empty(v)), None)


@lookup(
    "LAST(values: [T]) -> T",
    "The last value that is not empty.",
    "最后一个非空值。",
    'LAST(SPLIT("a/b", "/"))',
    "b",
)
def last(values: list[Any]) -> Any:
    return next((v for v in reversed(values) if not is_empty(v)), None)


@lookup(
    "INDEX(values: [T], position: number) -> T",
    "The value at a position, counted from 1; nothing beyond the end.",
    "列表中指定位置（从 1 起）的值；超出则为空。",
    'INDEX(SPLIT("a/b", "/"), 2)',
    "b",
)
def at_position(values: list[Any], position: Decimal) -> Any:
    return values[int(position) - 1] if 1 <= position < len(values) + 1 else None


@lookup(
    "UNIQUE(values: [T]) -> [T]",
    "Every value once, in the order of its first occurrence.",
    "去重后的列表。",
    'JOIN(UNIQUE(SPLIT("a/b/a", "/")), "/")',
    "a/b",
)
def unique(values: list[Any]) -> list[Any]:
    return list(dict.fromkeys(v for v in values if not is_empty(v)))


@lookup(
    "FILTER(values: [T], conditions: [bool]) -> [T]",
    "The values of the lines for which a condition holds.",
    "满足条件的明细的值。",
    'JOIN(FILTER(SPLIT("a/b/c", "/"), SPLIT("a/b/c", "/") <> "b"), "/")',
    "a/c",
)
def filtered(values: list[Any], conditions: list[bool | None]) -> list[Any]:
    return [v for v, holds in zip(values, conditions, strict=False) if holds]


@lookup(
    "JOIN(values: [shown], separator?: text) -> text",
    "The values of a list as one text.",
    "把列表的值连成文本。",
    'JOIN(SPLIT("a/b", "/"), ", ")',
    "a, b",
)
def join(values: list[Any], separator: str = ", ") -> str:
    return text_join(separator, values)


@lookup(
    "SORT(values: [O]) -> [O]",
    "The values in rising order, empty ones left out.",
    "按升序排列（去掉空值）。",
    'JOIN(SORT(SPLIT("b/a", "/")), "/")',
    "a/b",
    cost=5,
)
def ascending(values: list[Any]) -> list[Any]:
    return sorted(v for v in values if not is_empty(v))
