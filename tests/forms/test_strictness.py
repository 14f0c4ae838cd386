"""What a save takes and what it refuses: nothing that was given is passed over in silence."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.forms import history, reads, service
from formloop.forms.fields.number import read_number
from formloop.forms.kind import get_form

from .conftest import Shop, form, number, publish, text
from .test_service import problems_of


def refused(shop: Shop, record: int, **raw: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as error:
        service.change_record(SYSTEM, "order", record, raw)
    return problems_of(error)


def test_nobody_gives_what_the_program_gives(shop: Shop) -> None:
    with pytest.raises(Invalid) as error:
        shop.order(total="9", number="SO-1")
    assert problems_of(error) == {"total": "computed", "number": "computed"}
    order = shop.order((shop.bolt, "2"))
    line = {"id": order["lines"][0]["id"], "amount": 4}
    assert refused(shop, order["id"], total=9, lines=[line]) == {
        "total": "computed",
        "lines.0.amount": "computed",
    }


def test_what_was_read_can_be_sent_back_as_it_was(shop: Shop) -> None:
    order = shop.order((shop.bolt, "2"))
    read = reads.get_record(SYSTEM, "order", order["id"])
    sent = {k: v for k, v in read.items() if k in get_form("order").fields} | {"note": "new"}
    changed = service.change_record(SYSTEM, "order", order["id"], sent)
    assert (changed["note"], changed["total"]) == ("new", Decimal("3"))


def test_a_read_only_field_is_changed_by_nobody(shop: Shop) -> None:
    publish(
        form(
            "sheet",
            {
                "stamp": text("Stamp", readOnly=True),
                "done": {"type": "boolean", "title": "Done"},
                "name": text("Name", **{"x-readonly": "done"}),
            },
        )
    )
    with pytest.raises(Invalid) as error:
        service.create(SYSTEM, "sheet", {"stamp": "mine"})
    assert problems_of(error) == {"stamp": "read_only"}
    made = service.create(SYSTEM, "sheet", {"name": "a", "done": True})["id"]
    with pytest.raises(Invalid) as error:
        service.change_record(SYSTEM, "sheet", made, {"name": "b"})
    assert problems_of(error) == {"name": "read_only"}
    assert service.change_record(SYSTEM, "sheet", made, {"name": "b", "done": False})["name"] == "b"


def test_a_line_of_another_record_is_refused(shop: Shop) -> None:
    order, other = shop.order(), shop.order()
    mine, theirs = order["lines"][0]["id"], other["lines"][0]["id"]
    lines = [{"id": mine}, {"id": theirs, "quantity": 1}, {"id": mine}, {"id": "x"}]
    assert refused(shop, order["id"], lines=lines) == {
        "lines.1.id": "unknown_line",
        "lines.2.id": "unknown_line",
        "lines.3.id": "unknown_line",
        "lines.3.item": "required",
        "lines.3.quantity": "required",
    } | {"lines.1.item": "required"}
    with pytest.raises(Invalid) as error:
        service.create(SYSTEM, "order", {"customer": shop.acme, "lines": [{**lines[1], "item": shop.bolt}]})
    assert problems_of(error) == {"lines.0.id": "unknown_line"}


def test_whoever_may_not_see_a_field_learns_nothing_by_guessing(shop: Shop) -> None:
    made = shop.item("Washer", price="0.5")
    mei = shop.person("mei", {"form": "item", "may": ["view", "edit"], "except": ["price"]})
    for guess in ("0.5", "0.7"):
        with pytest.raises(Invalid) as error:
            service.change_record(mei, "item", made, {"price": guess})
        assert problems_of(error) == {"price": "forbidden"}


def test_moving_lines_is_kept_told_and_undone(shop: Shop) -> None:
    order = shop.order((shop.bolt, "1"), (shop.nut, "2"))
    first, second = (line["id"] for line in order["lines"])

    def order_of_lines() -> list[int]:
        return [line["id"] for line in reads.get_record(SYSTEM, "order", order["id"])["lines"]]

    service.change_record(SYSTEM, "order", order["id"], {"lines": [{"id": second}, {"id": first}]})
    assert order_of_lines() == [second, first]
    newest = history.describe_changes(
        SYSTEM, get_form("order"), order["id"], frozenset({"lines.item"}), "en"
    )[0]
    assert [(d.label, d.old, d.new) for d in newest.differences] == [
        ("Lines · Position", "1", "2"),
        ("Lines · Position", "2", "1"),
    ]
    service.undo_change(SYSTEM, "order", order["id"], newest.id)
    assert order_of_lines() == [first, second]


def test_moving_lines_needs_the_right_to_change_them(shop: Shop) -> None:
    order = shop.order((shop.bolt, "1"), (shop.nut, "2"))
    mei = shop.person(
        "mei", {"form": "order", "may": ["view"]}, {"form": "order", "may": ["edit"], "except": ["lines"]}
    )
    backwards = [{"id": line["id"]} for line in reversed(order["lines"])]
    with pytest.raises(Invalid) as error:
        service.change_record(mei, "order", order["id"], {"lines": backwards})
    assert problems_of(error) == {"lines": "forbidden"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("1,234,567.5", "1234567.5"), ("-.5", "-0.5"), ("1e3", "1000"), ("7.", "7"), ("+3", "3")],
)
def test_numbers_are_read_as_people_write_them(typed: str, meant: str) -> None:
    assert read_number(typed) == Decimal(meant)


@pytest.mark.parametrize("typed", ["1_000", "1,5", "12,34", "NaN", "Infinity", "٣", "1e", "", "--1", "0x1F"])
def test_what_is_no_number_or_could_be_two_is_refused(typed: str) -> None:
    assert read_number(typed) is None


def test_the_same_holds_where_numbers_are_typed(shop: Shop) -> None:
    assert refused(shop, shop.order()["id"], lines=[{"item": shop.bolt, "quantity": "1_000"}]) == {
        "lines.0.quantity": "unreadable"
    }
    publish(form("gauge", {"factor": number("Factor")}))
    assert service.create(SYSTEM, "gauge", {"factor": "１２％"})["factor"] == Decimal("0.12")


@pytest.mark.parametrize(
    "midnight", ["2026-03-01T00:00:00", "2026/3/1 0:00", datetime.fromisoformat("2026-03-01")]
)
def test_a_day_written_as_its_midnight_is_that_day(shop: Shop, midnight: object) -> None:
    assert shop.order(day=midnight)["day"] == date(2026, 3, 1)


@pytest.mark.parametrize(
    "moment", ["2026-03-01T08:30", "2026-03-01T00:00:00Z", "2026-03-01x", 46082.5, Decimal("1E+300000")]
)
def test_a_time_is_not_cut_off_a_date(shop: Shop, moment: object) -> None:
    assert refused(shop, shop.order()["id"], day=moment) == {"day": "unreadable"}
