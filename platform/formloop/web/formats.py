"""Numbers, money, dates and distances in time, as people of both languages read them.

English and Chinese group thousands and mark decimals alike, and dates are written 2026-11-28 for both, so
most of this needs no locale tables; a list page formats hundreds of values.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta
from babel.numbers import get_currency_symbol

from formloop.core import clock
from formloop.core.text import M
from formloop.web import viewer


def format_number(value: Decimal | int | None, places: int | None = None) -> str:
    """1234.50 as 1,234.5, or with exactly `places` decimals; nothing as nothing."""
    if value is None:
        return ""
    if places is not None:
        return f"{value:,.{places}f}"
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_amount(value: Decimal | int | None, currency: str | None = None, places: int = 2) -> str:
    """Money with two decimals and, where the currency is known, its sign: ¥58,200.00."""
    if value is None:
        return ""
    sign = "-" if value < 0 else ""
    symbol = _symbol(currency, viewer.locale()) if currency else ""
    return f"{sign}{symbol}{abs(value):,.{places}f}"


@lru_cache(maxsize=256)
def _symbol(currency: str, locale: str) -> str:
    return get_currency_symbol(currency, locale.replace("-", "_"))


def in_zone(moment: datetime) -> datetime:
    """A moment on the viewer's clock; a moment without zone is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(ZoneInfo(viewer.viewer().zone))


def format_date(value: date | datetime | None) -> str:
    """2026-11-28, on the viewer's calendar."""
    if value is None:
        return ""
    day = in_zone(value) if isinstance(value, datetime) else value
    return day.strftime("%Y-%m-%d")


def format_datetime(value: datetime | None, seconds: bool = False) -> str:
    """2026-11-28 09:12, on the viewer's clock."""
    if value is None:
        return ""
    return in_zone(value).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def format_ago(value: datetime | None) -> str:
    """Just now, 10 minutes ago, in 2 hours; the date when it is more than a week away."""
    if value is None:
        return ""
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    distance = aware - clock.now()
    if abs(distance) > timedelta(days=7):
        return format_date(aware)
    if timedelta(seconds=-45) < distance <= timedelta(0):
        return M("just now").render(viewer.locale())
    return format_duration(distance, add_direction=True)


def format_duration(distance: timedelta, add_direction: bool = False) -> str:
    """32 minutes: the largest unit that says it."""
    return format_timedelta(
        distance,
        granularity="minute",
        threshold=1,
        add_direction=add_direction,
        locale=viewer.locale().replace("-", "_"),
    )
