"""Numbers: rounding, remainders, powers."""

from decimal import (
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
)

from sqlalchemy import Integer, and_, case, func, literal

from formloop.core.expression.functions.spec import Element, Group
from formloop.core.expression.sql_parts import NOT_A_NUMBER, whole
from formloop.core.expression.values import ONE, ZERO, Fault, power, square_root
from formloop.core.text import M

number = Group("number")
_wide = Context(prec=80)
_UNITS = {places: ONE.scaleb(-places) for places in range(-18, 17)}


def _at(value: Decimal, digits: Decimal, rounding: str) -> Decimal:
    places = max(-18, min(16, int(digits)))
    return value.quantize(_UNITS[places], rounding, _wide)


def _places(digits: Element | None) -> Element:
    return literal(0, Integer) if digits is None else whole(digits, -18, 16)


def _grain(digits: Element | None) -> Element:
    return func.round(func.power(literal(Decimal(10)), -_places(digits)), 16)


def _round_up(value: Element, digits: Element | None = None) -> Element:
    cut = func.trunc(value, _places(digits))
    return cut + func.sign(value - cut) * _grain(digits)


def _round_even(value: Element, digits: Element | None = None) -> Element:
    cut, grain = func.trunc(value, _places(digits)), _grain(digits)
    exactly_half = func.abs(value - cut) * 2 == grain
    is_even = func.mod(func.round(cut / grain, 0), 2) == 0
    return case((and_(exactly_half, is_even), cut), else_=func.round(value, _places(digits)))


@number(
    "ABS(number: number) -> number",
    "The number without its sign.",
    "数字的绝对值。",
    "ABS(-3.5)",
    "3.5",
    sql=func.abs,
)
def absolute(value: Decimal) -> Decimal:
    return abs(value)


@number(
    "ROUND(number: number, digits?: number) -> number",
    "Rounds to so many decimals, half away from zero.",
    "四舍五入到指定小数位。",
    "ROUND(2.345, 2)",
    "2.35",
    sql=lambda value, digits=None: func.round(value, _places(digits)),
)
def round_half_up(value: Decimal, digits: Decimal = ZERO) -> Decimal:
    return _at(value, digits, ROUND_HALF_UP)


@number(
    "ROUNDEVEN(number: number, digits?: number) -> number",
    "Rounds to so many decimals, half to the even digit.",
    "四舍六入五成双，保留指定小数位。",
    "ROUNDEVEN(2.345, 2)",
    "2.34",
    sql=_round_even,
)
def round_half_even(value: Decimal, digits: Decimal = ZERO) -> Decimal:
    return _at(value, digits, ROUND_HALF_EVEN)


@number(
    "ROUNDUP(number: number, digits?: number) -> number",
    "Rounds away from zero.",
    "向远离零的方向舍入。",
    "ROUNDUP(2.341, 2)",
    "2.35",
    sql=_round_up,
)
def round_up(value: Decimal, digits: Decimal = ZERO) -> Decimal:
    return _at(value, digits, ROUND_UP)


@number(
    "ROUNDDOWN(number: number, digits?: number) -> number",
    "Cuts off after so many decimals.",
    "截断到指定小数位。",
    "ROUNDDOWN(2.349, 2)",
    "2.34",
    sql=lambda value, digits=None: func.trunc(value, _places(digits)),
)
def round_down(value: Decimal, digits: Decimal = ZERO) -> Decimal:
    return _at(value, digits, ROUND_DOWN)


def _remainder(value: Decimal, divisor: Decimal) -> Decimal:
    if divisor == 0:
        raise DivisionByZero
    rest = _wide.remainder(value, divisor)
    return rest + divisor if rest and (rest < 0) != (divisor < 0) else rest


def _step(step: Decimal) -> Decimal:
    if step <= 0:
        raise Fault(M("The step must be greater than 0."))
    return step


def _remainder_sql(value: Element, divisor: Element) -> Element:
    by = _not_zero(divisor)
    return func.mod(func.mod(value, by) + by, by)


def _not_zero(divisor: Element) -> Element:
    return case((divisor == 0, NOT_A_NUMBER), else_=divisor)


def _positive(step: Element | None) -> Element:
    return literal(ONE) if step is None else case((step <= 0, NOT_A_NUMBER), else_=step)


@number(
    "CEILING(number: number, step?: number) -> number",
    "Rounds up to a multiple of the step, such as a packing size.",
    "向上取整到步长的倍数，例如包装量。",
    "CEILING(23, 10)",
    "30",
    fails=True,
    sql=lambda value, step=None: value + _remainder_sql(-value, _positive(step)),
)
def ceiling(value: Decimal, step: Decimal = ONE) -> Decimal:
    return value + _remainder(-value, _step(step))


@number(
    "FLOOR(number: number, step?: number) -> number",
    "Rounds down to a multiple of the step.",
    "向下取整到步长的倍数。",
    "FLOOR(27, 10)",
    "20",
    fails=True,
    sql=lambda value, step=None: value - _remainder_sql(value, _positive(step)),
)
def floor(value: Decimal, step: Decimal = ONE) -> Decimal:
    return value - _remainder(value, _step(step))


@number(
    "INT(number: number) -> number",
    "The next whole number that is not larger.",
    "向下取整为整数。",
    "INT(-2.5)",
    "-3",
    sql=func.floor,
)
def integer(value: Decimal) -> Decimal:
    return value.to_integral_value(ROUND_FLOOR)


@number(
    "MOD(number: number, divisor: number) -> number",
    "What remains of a division; it has the sign of the divisor.",
    "除法的余数，符号与除数相同。",
    "MOD(10, 3)",
    "1",
    fails=True,
    sql=_remainder_sql,
)
def remainder(value: Decimal, divisor: Decimal) -> Decimal:
    return _remainder(value, divisor)


@number(
    "QUOTIENT(number: number, divisor: number) -> number",
    "How often the divisor fits as a whole.",
    "除法的整数部分。",
    "QUOTIENT(10, 3)",
    "3",
    fails=True,
    sql=lambda value, divisor: func.div(value, _not_zero(divisor)),
)
def quotient(value: Decimal, divisor: Decimal) -> Decimal:
    if divisor == 0:
        raise DivisionByZero
    return _wide.divide_int(value, divisor)


@number(
    "POWER(number: number, exponent: number) -> number",
    "The number raised to a power, like ^.",
    "乘幂，与 ^ 相同。",
    "POWER(2, 10)",
    "1024",
    cost=20,
)
def raised(value: Decimal, exponent: Decimal) -> Decimal:
    return power(value, exponent)


@number(
    "SQRT(number: number) -> number",
    "The square root.",
    "平方根。",
    "SQRT(16)",
    "4",
    cost=5,
    fails=True,
    sql=lambda value: func.trunc(func.sqrt(func.round(case((value < 0, NOT_A_NUMBER), else_=value), 40)), 16),
)
def root(value: Decimal) -> Decimal:
    return square_root(value)


@number(
    "SIGN(number: number) -> number",
    "1 for a positive number, -1 for a negative one, 0 for zero.",
    "正数为 1，负数为 -1，零为 0。",
    "SIGN(-7)",
    "-1",
    sql=func.sign,
)
def sign(value: Decimal) -> Decimal:
    return Decimal((value > 0) - (value < 0))
