"""Numbers, money and times as people read them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from markupsafe import Markup

from formloop.core import clock
from formloop.core.text import M, load_catalogues
from formloop.web import formats, words
from formloop.web.viewer import Guest, seen_by
from web.catalogues import PACKAGE

NOON = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)


@pytest.fixture(params=["en", "zh-CN"])
def locale(request: pytest.FixtureRequest) -> Iterator[str]:
    with seen_by(Guest(locale=request.param, zone="Asia/Shanghai")), clock.stopped_at(NOON):
        yield request.param


def test_numbers_keep_every_digit_and_lose_idle_zeros(locale: str) -> None:
    assert formats.format_number(Decimal("1234567890123456789.1200")) == "1,234,567,890,123,456,789.12"
    assert formats.format_number(Decimal("100")) == "100"
    assert formats.format_number(Decimal("1E+3")) == "1,000"
    assert formats.format_number(1200) == "1,200"
    assert formats.format_number(Decimal("2.5"), 3) == "2.500"
    assert formats.format_number(None) == ""


def test_money_has_two_decimals_and_its_sign() -> None:
    with seen_by(Guest(locale="zh-CN")):
        assert formats.format_amount(Decimal("58200"), "CNY") == "¥58,200.00"
        assert formats.format_amount(Decimal("-3.5"), "USD") == "-US$3.50"
    with seen_by(Guest(locale="en")):
        assert formats.format_amount(Decimal("-3.5"), "USD") == "-$3.50"
        assert formats.format_amount(Decimal("1234.5")) == "1,234.50"


def test_times_are_on_the_viewers_clock(locale: str) -> None:
    assert formats.format_datetime(NOON) == "2026-11-28 12:00"
    assert formats.format_datetime(NOON.replace(tzinfo=None)) == "2026-11-28 12:00"
    assert formats.format_date(datetime(2026, 11, 28, 20, 0, tzinfo=UTC)) == "2026-11-29"
    assert formats.format_date(date(2026, 11, 28)) == "2026-11-28"


def test_distances_in_time_are_words(locale: str) -> None:
    shown = [formats.format_ago(NOON - timedelta(minutes=10)), formats.format_ago(NOON + timedelta(hours=2))]
    expected = {"en": ["10 minutes ago", "in 2 hours"], "zh-CN": ["10分钟前", "2小时后"]}
    assert shown == expected[locale]
    assert formats.format_ago(NOON - timedelta(days=30)) == "2026-10-29"
    assert formats.format_ago(NOON) == {"en": "just now", "zh-CN": "刚刚"}[locale]


def test_words_take_places_and_keep_markup_safe() -> None:
    load_catalogues(PACKAGE)
    with seen_by(Guest(locale="zh-CN")):
        assert (
            words.say("Hello, {name}", name="<b>") == "您好，<b>"
        )  # plain text, escaped where it is written
        assert words.say("Hello, {name}", name=Markup("<b>李</b>")) == Markup("您好，<b>李</b>")
        assert words.finalize(M("Close")) == "关闭"


def test_attributes_are_escaped_and_empty_ones_left_out() -> None:
    written = words.attributes(
        id="x", required=True, disabled=False, value='"<', aria_invalid=None, class_="b"
    )
    assert written == 'id="x" required value="&#34;&lt;" class="b"'
