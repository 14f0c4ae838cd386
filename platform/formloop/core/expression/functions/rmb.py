"""Amounts of money in the Chinese capitals that stand on cheques and contracts (人民币大写)."""

from decimal import ROUND_HALF_UP, Decimal

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿", "亿亿")


def in_capitals(amount: Decimal) -> str:
    """`1024.5` as 壹仟零贰拾肆元伍角整; rounded to the fen."""
    fen = int(abs(amount).scaleb(2).to_integral_value(ROUND_HALF_UP))
    if fen == 0:
        return "零元整"
    yuan, jiao, rest = fen // 100, fen // 10 % 10, fen % 10
    text = f"{_whole(yuan)}元" if yuan else ""
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    elif rest and yuan:
        text += "零"
    text += f"{_DIGITS[rest]}分" if rest else "整"
    return ("负" if amount < 0 else "") + text


def _whole(number: int) -> str:
    groups = []
    while number:
        groups.append(number % 10_000)
        number //= 10_000
    text, gap = "", False
    for index in reversed(range(len(groups))):
        group = groups[index]
        if group == 0:
            gap = bool(text)
            continue
        if text and (gap or group < 1000):
            text += "零"
        text += _four(group) + _unit(index, groups)
        gap = False
    return text


def _unit(index: int, groups: list[int]) -> str:
    """万 within 亿 is said once: 壹万贰仟亿, not 壹万亿贰仟亿."""
    if index == 3 and groups[2]:
        return "万"
    return _GROUPS[index]


def _four(number: int) -> str:
    text, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit == 0:
            gap = bool(text)
            continue
        text += ("零" if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = False
    return text
