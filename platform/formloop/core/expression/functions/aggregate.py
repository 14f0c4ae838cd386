"""Many values to one: totals, averages, counts over lines. Empty values are left out."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from formloop.core.expression.functions.spec import Group
from formloop.core.expression.values import ONE, ZERO, add, divide, is_empty, multiply, plus

aggregate = Group("aggregate")


def _flat(values: Sequence[Any]) -> list[Any]:
    if len(values) == 1 and values[0].__class__ is list:
        return [v for v in values[0] if not is_empty(v)]
    return [
        v for value in values for v in (value if value.__class__ is list else (value,)) if not is_empty(v)
    ]


@aggregate(
    "SUM(value: number*, more...: number*) -> number",
    "The total; of nothing it is 0.",
    "求和；没有值时为 0。",
    "SUM(1, 2, 3.5)",
    "6.5",
    form=lambda sql, *nodes: sql.total(nodes),
)
def total(*values: Any) -> Decimal:
    result = ZERO
    for value in _flat(values):
        result = plus(result, value)
    return result


@aggregate(
    "AVERAGE(value: number*, more...: number*) -> number",
    "The arithmetic mean; of nothing it is empty.",
    "平均值；没有值时为空。",
    "AVERAGE(1, 2, 6)",
    "3",
    form=lambda sql, *nodes: sql.average(nodes),
)
def average(*values: Any) -> Decimal | None:
    found = _flat(values)
    return divide(total(found), Decimal(len(found))) if found else None


@aggregate(
    "MIN(value: O*, more...: O*) -> O",
    "The smallest number or earliest date; of nothing it is empty.",
    "最小的数字或最早的日期；没有值时为空。",
    "MIN(3, 1, 2)",
    "1",
    form=lambda sql, *nodes: sql.extreme("min", nodes),
)
def smallest(*values: Any) -> Any:
    return min(_flat(values), default=None)


@aggregate(
    "MAX(value: O*, more...: O*) -> O",
    "The largest number or latest date; of nothing it is empty.",
    "最大的数字或最晚的日期；没有值时为空。",
    "MAX(3, 1, 2)",
    "3",
    form=lambda sql, *nodes: sql.extreme("max", nodes),
)
def largest(*values: Any) -> Any:
    return max(_flat(values), default=None)


@aggregate(
    "COUNT(values: [any]) -> number",
    "How many entries a list has, such as lines; empty values are left out.",
    "列表（如明细）中非空值的个数。",
    'COUNT(SPLIT("a/b/c", "/"))',
    "3",
    form=lambda sql, node: sql.count(node),
)
def count(values: list[Any]) -> Decimal:
    return Decimal(len(_flat(values)))


@aggregate(
    "COUNTA(value: any*, more...: any*) -> number",
    "How many of the values are not empty.",
    "非空值的个数。",
    'COUNTA(1, "", "x")',
    "2",
    form=lambda sql, *nodes: sql.count_filled(nodes),
)
def count_filled(*values: Any) -> Decimal:
    return Decimal(len(_flat(values)))


@aggregate(
    "COUNTIF(conditions: [bool]) -> number",
    "For how many lines a condition holds: COUNTIF(lines.quantity > 5).",
    "满足条件的明细行数：COUNTIF(lines.quantity > 5)。",
    'COUNTIF(SPLIT("a/b/a", "/") = "a")',
    "2",
    form=lambda sql, node: sql.count_if(node),
)
def count_if(conditions: list[bool | None]) -> Decimal:
    return Decimal(sum(holds is True for holds in conditions))


@aggregate(
    "SUMIF(values: [number], conditions: [bool]) -> number",
    "The total over the lines for which a condition holds: SUMIF(lines.amount, lines.taxed).",
    "满足条件的明细合计：SUMIF(lines.amount, lines.taxed)。",
    'SUMIF(VALUE(SPLIT("1/2/3", "/")), VALUE(SPLIT("1/2/3", "/")) > 1)',
    "5",
    form=lambda sql, node, condition: sql.total_if(node, condition),
)
def total_if(values: list[Decimal | None], conditions: list[bool | None]) -> Decimal:
    return total([v for v, holds in zip(values, conditions, strict=False) if holds])


@aggregate(
    "AVERAGEIF(values: [number], conditions: [bool]) -> number",
    "The mean over the lines for which a condition holds.",
    "满足条件的明细平均值。",
    'AVERAGEIF(VALUE(SPLIT("1/2/4", "/")), VALUE(SPLIT("1/2/4", "/")) > 1)',
    "3",
    form=lambda sql, node, condition: sql.average_if(node, condition),
)
def average_if(values: list[Decimal | None], conditions: list[bool | None]) -> Decimal | None:
    return average([v for v, holds in zip(values, conditions, strict=False) if holds])


@aggregate(
    "SUMPRODUCT(first: [number], second: [number]) -> number",
    "The total of the products line by line.",
    "逐行相乘后求和。",
    'SUMPRODUCT(VALUE(SPLIT("1/2", "/")), VALUE(SPLIT("10/20", "/")))',
    "50",
    form=lambda sql, first, second: sql.total_product(first, second),
)
def total_product(first: list[Decimal | None], second: list[Decimal | None]) -> Decimal:
    result = ZERO
    for a, b in zip(first, second, strict=False):
        result = add(result, multiply(a, b))
    return result


@aggregate(
    "PRODUCT(value: number*, more...: number*) -> number",
    "All values multiplied; of nothing it is 1.",
    "连乘积；没有值时为 1。",
    "PRODUCT(2, 3, 4)",
    "24",
)
def product(*values: Any) -> Decimal:
    result = ONE
    for value in _flat(values):
        result = multiply(result, value)
    return result


@aggregate(
    "MEDIAN(value: number*, more...: number*) -> number",
    "The middle value; of nothing it is empty.",
    "中位数；没有值时为空。",
    "MEDIAN(1, 9, 2)",
    "2",
    cost=5,
)
def median(*values: Any) -> Decimal | None:
    found = sorted(_flat(values))
    if not found:
        return None
    low, high = found[(len(found) - 1) // 2], found[len(found) // 2]
    return low if low == high else divide(add(low, high), Decimal(2))


@aggregate(
    "RANK(value: number, values: [number]) -> number",
    "The place of a value among others, the largest first.",
    "数值在列表中的名次，最大为 1。",
    'RANK(2, VALUE(SPLIT("1/2/3", "/")))',
    "2",
)
def rank(value: Decimal, values: list[Decimal | None]) -> Decimal:
    return Decimal(1 + sum(v is not None and v > value for v in values))


@aggregate(
    "ANY(conditions: [bool]) -> bool",
    "Whether a condition holds for at least one line: ANY(lines.quantity < 0).",
    "是否至少有一行满足条件：ANY(lines.quantity < 0)。",
    'ANY(SPLIT("a/b", "/") = "b")',
    "TRUE",
    form=lambda sql, node: sql.is_any(node),
)
def is_any(conditions: list[bool | None]) -> bool:
    return any(holds is True for holds in conditions)


@aggregate(
    "ALL(conditions: [bool]) -> bool",
    "Whether a condition holds for every line; without lines it does.",
    "是否每一行都满足条件；没有明细时为是。",
    'ALL(SPLIT("a/b", "/") = "b")',
    "FALSE",
    form=lambda sql, node: sql.is_all(node),
)
def is_all(conditions: list[bool | None]) -> bool:
    return all(holds is True for holds in conditions)
