"""Dates and times: parts, distances, working days. The zone comes from the context."""

import calendar
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import DateTime, case, cast, extract, func, literal

from formloop.core.expression.context import Context
from formloop.core.expression.functions.spec import Builder, Element, Group
from formloop.core.expression.sql_parts import NOT_A_NUMBER, whole, within_years
from formloop.core.expression.values import ONE, Fault, possible
from formloop.core.text import M

dates = Group("date")
MAX_DAYS, MAX_MONTHS, MAX_WORKDAYS = 1_460_000, 48_000, 5_000  # 4,000 years: PostgreSQL's own limits stay far
MAX_WEEKS, MAX_YEARS = MAX_DAYS // 7, MAX_MONTHS // 12
_UNITS = ("day", "week", "month", "year")


def _whole(value: Decimal, most: int) -> int:
    if abs(value) > most:
        raise OverflowError
    return int(value)


def _months(day: date, count: int) -> date:
    at = day.year * 12 + day.month - 1 + count
    year, month = at // 12, at % 12 + 1
    if not 1 <= year <= 9999:
        raise OverflowError
    return possible(date(year, month, min(day.day, calendar.monthrange(year, month)[1])))


def _plus_months(day: Element, count: Element | int) -> Element:
    return within_years(cast(day, DateTime) + func.make_interval(0, count))


def _part(name: str) -> Builder:
    return lambda value: extract(name, value)


@dates("TODAY() -> date", "Today's date.", "今天的日期。", "TODAY()", "2026-01-15", contextual=True)
def today(context: Context) -> date:
    return context.today


@dates("NOW() -> datetime", "This moment.", "当前时刻。", "NOW()", "2026-01-15 08:30:00", contextual=True)
def now(context: Context) -> datetime:
    return context.now


@dates(
    "DATE(year: number, month: number, day: number) -> date",
    "A date from its parts; month 13 is January of the next year.",
    "由年、月、日组成日期；13 月即次年 1 月。",
    "DATE(2026, 1, 31)",
    "2026-01-31",
    sql=lambda year, month, day: within_years(
        _plus_months(func.make_date(whole(year, 1, 9998), 1, 1), whole(month, -9999, 9999) - 1)
        + (whole(day, -99999, 99999) - 1)
    ),
)
def from_parts(year: Decimal, month: Decimal, day: Decimal) -> date:
    first = _months(date(_within(year, 1, 9998), 1, 1), _within(month, -9999, 9999) - 1)
    return possible(first + timedelta(days=_within(day, -99999, 99999) - 1))


def _within(value: Decimal, least: int, most: int) -> int:
    if not least <= value < most + 1:
        raise OverflowError
    return int(value)


@dates(
    "DATEVALUE(text: text) -> date",
    "The date a text such as 2026-01-31 shows.",
    "把 2026-01-31 这样的文本转为日期。",
    'DATEVALUE("2026-01-31")',
    "2026-01-31",
)
def from_text(value: str) -> date:
    try:
        return date.fromisoformat(value.strip().replace("/", "-"))
    except ValueError:
        raise Fault(M("“{text}” is not a date such as 2026-01-31.", text=value[:40])) from None


@dates(
    "YEAR(date: date) -> number", "The year.", "年份。", "YEAR(DATE(2026, 1, 31))", "2026", sql=_part("year")
)
def year(day: date) -> Decimal:
    return Decimal(day.year)


@dates(
    "MONTH(date: date) -> number",
    "The month, 1 to 12.",
    "月份，1 到 12。",
    "MONTH(DATE(2026, 1, 31))",
    "1",
    sql=_part("month"),
)
def month(day: date) -> Decimal:
    return Decimal(day.month)


@dates(
    "DAY(date: date) -> number",
    "The day of the month.",
    "当月第几天。",
    "DAY(DATE(2026, 1, 31))",
    "31",
    sql=_part("day"),
)
def day_of_month(day: date) -> Decimal:
    return Decimal(day.day)


@dates(
    "QUARTER(date: date) -> number",
    "The quarter, 1 to 4.",
    "季度，1 到 4。",
    "QUARTER(DATE(2026, 5, 1))",
    "2",
    sql=_part("quarter"),
)
def quarter(day: date) -> Decimal:
    return Decimal((day.month + 2) // 3)


@dates(
    "ISOWEEK(date: date) -> number",
    "The week of the year by ISO 8601.",
    "ISO 8601 周数。",
    "ISOWEEK(DATE(2026, 1, 1))",
    "1",
    sql=_part("week"),
)
def iso_week(day: date) -> Decimal:
    return Decimal(day.isocalendar().week)


@dates(
    "WEEKDAY(date: date, type?: number) -> number",
    "The day of the week: Sunday is 1; with type 2 Monday is 1.",
    "星期几：周日为 1；类型 2 时周一为 1。",
    "WEEKDAY(DATE(2026, 1, 31), 2)",
    "6",
    fails=True,
    sql=lambda day, kind=None: (
        extract("dow", day) + 1
        if kind is None
        else case((kind == 2, extract("isodow", day)), (kind == 1, extract("dow", day) + 1))
    ),
)
def weekday(day: date, kind: Decimal = ONE) -> Decimal:
    if kind not in (1, 2):
        raise Fault(M("The type of WEEKDAY is 1 (from Sunday) or 2 (from Monday)."))
    return Decimal(day.isoweekday() if kind == 2 else day.isoweekday() % 7 + 1)


@dates(
    "HOUR(moment: clock) -> number",
    "The hour, 0 to 23.",
    "小时，0 到 23。",
    "HOUR(NOW())",
    "8",
    sql=_part("hour"),
)
def hour(moment: datetime) -> Decimal:
    return Decimal(moment.hour)


@dates(
    "MINUTE(moment: clock) -> number",
    "The minute, 0 to 59.",
    "分钟，0 到 59。",
    "MINUTE(NOW())",
    "30",
    sql=_part("minute"),
)
def minute(moment: datetime) -> Decimal:
    return Decimal(moment.minute)


@dates(
    "DAYOF(moment: date) -> date",
    "The calendar day of a moment.",
    "时刻所在的日期。",
    "DAYOF(NOW())",
    "2026-01-15",
    sql=lambda day: day,
)
def day_of(day: date) -> date:
    return day


@dates(
    "DATEADD(date: date, count: number, unit: text) -> date",
    'The date so many units later; units are "day", "week", "month", "year".',
    "若干单位之后的日期；单位为 day、week、month、year。",
    'DATEADD(DATE(2026, 1, 31), 1, "month")',
    "2026-02-28",
    sql=lambda day, count, unit: case(
        (unit == "day", within_years(day + whole(count, -MAX_DAYS, MAX_DAYS))),
        (unit == "week", within_years(day + whole(count, -MAX_WEEKS, MAX_WEEKS) * 7)),
        (unit == "month", _plus_months(day, whole(count, -MAX_MONTHS, MAX_MONTHS))),
        (unit == "year", _plus_months(day, whole(count, -MAX_YEARS, MAX_YEARS) * 12)),
    ),
)
def date_add(day: date, count: Decimal, unit: str) -> date:
    if unit not in _UNITS:
        raise Fault(M("“{unit}” is not a unit. Use day, week, month or year.", unit=unit[:40]))
    if unit == "day":
        return possible(day + timedelta(days=_whole(count, MAX_DAYS)))
    if unit == "week":
        return possible(day + timedelta(days=_whole(count, MAX_WEEKS) * 7))
    return _months(day, _whole(count, MAX_YEARS) * 12 if unit == "year" else _whole(count, MAX_MONTHS))


@dates(
    "EDATE(date: date, months: number) -> date",
    "The same day so many months later.",
    "若干个月之后的同一天。",
    "EDATE(DATE(2026, 1, 31), 1)",
    "2026-02-28",
    sql=lambda day, count: _plus_months(day, whole(count, -MAX_MONTHS, MAX_MONTHS)),
)
def months_later(day: date, months: Decimal) -> date:
    return _months(day, _whole(months, MAX_MONTHS))


@dates(
    "EOMONTH(date: date, months?: number) -> date",
    "The last day of the month, so many months later.",
    "若干个月之后的月末。",
    "EOMONTH(DATE(2026, 1, 15), 1)",
    "2026-02-28",
    sql=lambda day, count=None: (
        _plus_months(
            func.date_trunc("month", cast(day, DateTime)),
            (literal(0) if count is None else whole(count, -MAX_MONTHS, MAX_MONTHS - 1)) + 1,
        )
        - 1
    ),
)
def end_of_month(day: date, months: Decimal = ONE - 1) -> date:
    moved = _months(day, _whole(months, MAX_MONTHS))
    return possible(moved.replace(day=calendar.monthrange(moved.year, moved.month)[1]))


def _full_months(start: Element, end: Element) -> Element:
    months = (
        (extract("year", end) - extract("year", start)) * 12 + extract("month", end) - extract("month", start)
    )
    return months - case((extract("day", end) < extract("day", start), 1), else_=0)


@dates(
    "DATEDIF(start: date, end: date, unit: text) -> number",
    'The full days ("d"), months ("m") or years ("y") between two dates.',
    "两个日期之间的整天（d）、整月（m）或整年（y）数。",
    'DATEDIF(DATE(2025, 3, 10), DATE(2026, 3, 9), "m")',
    "11",
    fails=True,
    sql=lambda start, end, unit: case(
        (unit == "d", end - start),
        (unit == "m", _full_months(start, end)),
        (unit == "y", func.floor(_full_months(start, end) / 12)),
        else_=NOT_A_NUMBER,
    ),
)
def date_difference(start: date, end: date, unit: str) -> Decimal:
    months = (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
    if unit == "d":
        return Decimal((end - start).days)
    if unit not in ("m", "y"):
        raise Fault(M("“{unit}” is not a unit. Use d, m or y.", unit=unit[:40]))
    return Decimal(months if unit == "m" else months // 12)


@dates(
    "DAYS(end: date, start: date) -> number",
    "The days from the second date to the first.",
    "从第二个日期到第一个日期的天数。",
    "DAYS(DATE(2026, 2, 1), DATE(2026, 1, 1))",
    "31",
    sql=lambda end, start: end - start,
)
def days(end: date, start: date) -> Decimal:
    return Decimal((end - start).days)


@dates(
    "NETWORKDAYS(start: date, end: date) -> number",
    "The working days between two dates, both included.",
    "两个日期之间的工作日数（含首尾）。",
    "NETWORKDAYS(DATE(2026, 1, 1), DATE(2026, 1, 9))",
    "7",
    contextual=True,
    cost=200,
)
def working_days(context: Context, start: date, end: date) -> Decimal:
    if end < start:
        return -working_days(context, end, start)
    total = (end - start).days + 1
    weeks, rest = divmod(total, 7)
    count = weeks * 5 + sum((start + timedelta(days=n)).isoweekday() < 6 for n in range(rest))
    count -= sum(
        start <= d <= end and d.isoweekday() < 6 and d not in context.workdays for d in context.holidays
    )
    count += sum(start <= d <= end and d.isoweekday() > 5 for d in context.workdays)
    return Decimal(count)


@dates(
    "WORKDAY(date: date, count: number) -> date",
    "The date so many working days later, or earlier if negative.",
    "若干个工作日之后（负数为之前）的日期。",
    "WORKDAY(DATE(2026, 1, 9), 1)",
    "2026-01-12",
    contextual=True,
    cost=200,
)
def working_day(context: Context, day: date, count: Decimal) -> date:
    return context.working_day(day, _whole(count, MAX_WORKDAYS))


@dates(
    "ISWORKDAY(date: date) -> bool",
    "Whether people work on this date.",
    "是否为工作日。",
    "ISWORKDAY(DATE(2026, 1, 10))",
    "FALSE",
    contextual=True,
)
def is_working_day(context: Context, day: date) -> bool:
    return context.is_working(day)
