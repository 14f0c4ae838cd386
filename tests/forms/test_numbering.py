"""Which numbers are missing, and what took them."""

from datetime import UTC, date, datetime, time

import pytest

from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.core.errors import Invalid
from formloop.forms import purging, service
from formloop.forms.kind import get_form
from formloop.forms.numbering import BINNED, PURGED, UNSAVED, Gap, list_numbers
from formloop.forms.service import How

from .conftest import Shop, form, publish, text


def made(*numbers: str) -> list[int]:
    """Records of tickets: numbered by the program, or with the numbers they bring."""
    how = How(trusted=True)
    return [int(service.create(SYSTEM, "ticket", {"no": n} if n else {}, how=how)["id"]) for n in numbers]


@pytest.fixture(autouse=True)
def tickets(shop: Shop) -> None:
    no = text("No", **{"x-type": "serial", "x-serial": "T-{0001}/X"})
    publish(form("ticket", {"no": no, "note": text("Note", maxLength=5)}))


def gaps() -> list[Gap]:
    (numbers,) = list_numbers(SYSTEM, get_form("ticket"))
    return numbers.gaps


def test_without_gaps_only_the_last_number_is_told() -> None:
    assert list_numbers(SYSTEM, get_form("ticket")) == []
    made("", "")
    (numbers,) = list_numbers(SYSTEM, get_form("ticket"))
    assert (numbers.last, numbers.missing, numbers.gaps) == ("T-0002/X", 0, [])


def test_every_gap_says_what_took_its_numbers() -> None:
    records = made(*[""] * 6, "T-0010/X", "OLD-3")
    for record in records[1:4]:
        service.delete_record(SYSTEM, "ticket", record)
    purging.purge_record(SYSTEM, "ticket", records[3])
    assert gaps() == [
        Gap("T-0007/X", "T-0009/X", 3, UNSAVED),
        Gap("T-0004/X", "T-0004/X", 1, PURGED),
        Gap("T-0002/X", "T-0003/X", 2, BINNED),
    ]
    service.restore_record(SYSTEM, "ticket", records[1])
    assert gaps()[-1] == Gap("T-0003/X", "T-0003/X", 1, BINNED)


def test_a_save_that_is_refused_takes_no_number() -> None:
    with pytest.raises(Invalid):
        service.create(SYSTEM, "ticket", {"note": "too long"})
    made("")
    assert gaps() == []


def test_a_number_far_ahead_costs_nothing_to_explain() -> None:
    made("", "T-999999999999/X")
    assert gaps() == [Gap("T-0002/X", "T-999999999998/X", 999_999_999_997, UNSAVED)]


def test_a_field_in_the_number_gives_each_text_a_count_of_its_own(shop: Shop) -> None:
    no = text("No", **{"x-type": "serial", "x-serial": "{=region}-{001}"})
    publish(form("branch", {"region": text("Region"), "no": no}))

    def number(**values: str) -> str:
        return str(service.create(SYSTEM, "branch", values, how=How(trusted=True))["no"])

    assert [number(region="North"), number(region="South"), number(region="No {r}th")] == [
        "North-001",
        "South-001",
        "North-002",
    ]
    assert number() == "-001"
    assert number(region="South", no="South-007") == "South-007" and number(region="South") == "South-008"
    assert {each.last for each in list_numbers(SYSTEM, get_form("branch"))} == {
        "North-002",
        "South-008",
        "-001",
    }


@pytest.mark.parametrize("pattern", ["{=nowhere}{01}", "{=no}{01}", "{=count}{01}", "{=region}", "{ab}{01}"])
def test_a_number_of_what_it_cannot_contain_is_refused(shop: Shop, pattern: str) -> None:
    no = text("No", **{"x-type": "serial", "x-serial": pattern})
    count = {"type": "number", "title": "Count"}
    with pytest.raises(Invalid) as refused:
        publish(form("branch", {"region": text("Region"), "count": count, "no": no}))
    assert [each.at for each in refused.value.problems] == ["properties.no.x-serial"]


def _numbered(restart: str | None, *days: date) -> list[str]:
    """Numbers of these days, by the form as it is with this start anew."""
    said = {"x-restart": restart} if restart else {}
    no = text("No", **{"x-type": "serial", "x-serial": "S{yyyy}{MM}-{01}", **said})
    publish(form("order", {"no": no}))
    found = []
    for day in days:
        with clock.stopped_at(datetime.combine(day, time(4), UTC)):
            found.append(str(service.create(SYSTEM, "order", {})["no"]))
    return found


def test_a_count_starts_anew_as_it_is_said_and_a_change_repeats_no_number(shop: Shop) -> None:
    november, december, january = date(2026, 11, 3), date(2026, 12, 3), date(2027, 1, 4)
    assert _numbered("year", november, december, january) == ["S202611-01", "S202612-02", "S202701-01"]
    assert {each.last for each in list_numbers(SYSTEM, get_form("order"))} == {"S2026…-02", "S2027…-01"}
    assert [each.missing for each in list_numbers(SYSTEM, get_form("order"))] == [0, 0]
    assert _numbered(None, december, january, november) == ["S202612-03", "S202701-02", "S202611-02"]
    assert _numbered("never", december, january) == ["S202612-04", "S202701-05"]
    assert _numbered("year", december, january) == ["S202612-05", "S202701-06"]
    assert service.create(SYSTEM, "order", {"no": "S202609-40"}, how=How(trusted=True))["no"] == "S202609-40"
    assert _numbered("year", november) == ["S202611-41"]  # a number brought along counts in its year


def test_a_count_goes_on_when_it_gets_more_digits(shop: Shop) -> None:
    for pattern, numbers in {
        "X-{08}": ["X-08", "X-09", "X-10"],
        "X-{1}": ["X-11"],
        "X-{0001}": ["X-0012", "X-0013"],
        "X-{0500}": ["X-0500"],
        "Y-{01}": ["Y-01"],
    }.items():
        publish(form("order", {"no": text("No", **{"x-type": "serial", "x-serial": pattern})}))
        assert [service.create(SYSTEM, "order", {})["no"] for _ in numbers] == numbers


@pytest.mark.parametrize("pattern", ["S{yyyy}-{01}", "S{yyyy}{dd}-{01}"])
def test_a_count_that_starts_anew_with_what_the_number_does_not_show_is_refused(
    shop: Shop, pattern: str
) -> None:
    no = text("No", **{"x-type": "serial", "x-serial": pattern, "x-restart": "month"})
    with pytest.raises(Invalid, match="put the month into the number"):
        publish(form("order", {"no": no}))
