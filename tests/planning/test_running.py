"""A run reads datasets, calculates, and leaves in the forms exactly what it gives, and what is kept."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.core.errors import Conflict, Forbidden, Invalid
from formloop.db import reading, transactional
from formloop.events import Cause, jobs
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.listing import Query, list_records
from formloop.forms.tables import change
from formloop.planning import service
from forms.conftest import publish, role
from planning.works import Works, plan


def run(**given: Any) -> dict[str, Any]:
    job = jobs.run(service.start(SYSTEM, "needs", given))
    job.require_done()
    found: dict[str, Any] = job.result["written"]["requirements"]
    return found


def test_a_run_writes_what_is_required(works: Works) -> None:
    wish = works.wish(works.lamp, "3")
    assert run() == {"created": 3, "changed": 0, "unchanged": 0, "removed": 0, "kept": 0}
    needs = works.needs()
    assert {name: row["quantity"] for name, row in needs.items()} == {
        "Foot": Decimal(3),
        "Bulb": Decimal(6),
        "Brass": Decimal("1.5"),
    }
    assert {row["note"] for row in needs.values()} == {"buy", "make"}
    assert {row["wish"] for row in needs.values()} == {wish}
    (found,) = service.list_runs(SYSTEM, "needs")
    assert (found.state, found.read) == ("done", {"demand": 1, "bills": 3})


def test_a_second_run_doubles_nothing_and_follows_a_decrease(works: Works) -> None:
    wish = works.wish(works.lamp, "3")
    run()
    before = {name: row["id"] for name, row in works.needs().items()}
    assert run() == {"created": 0, "changed": 0, "unchanged": 3, "removed": 0, "kept": 0}
    records.change_record(SYSTEM, "wish", wish, {"quantity": "1"})
    assert run()["changed"] == 3
    assert {name: row["id"] for name, row in works.needs().items()} == before
    assert works.needs()["Brass"]["quantity"] == Decimal("0.5")


def test_what_is_no_longer_given_goes_and_what_is_firm_stays(works: Works) -> None:
    wish = works.wish(works.lamp, "3")
    run()
    firm = works.needs()["Bulb"]["id"]
    records.change_record(SYSTEM, "need", firm, {"firm": True, "quantity": "7"})
    by_hand = works.make("need", item=works.lamp, quantity="1")
    assert run() == {"created": 0, "changed": 0, "unchanged": 2, "removed": 0, "kept": 1}
    records.change_record(SYSTEM, "wish", wish, {"open": False})
    assert run() == {"created": 0, "changed": 0, "unchanged": 0, "removed": 2, "kept": 1}
    assert {row["id"]: row["quantity"] for row in works.needs().values()} == {
        firm: Decimal(7),
        by_hand: Decimal(1),
    }


def test_demand_without_a_source_is_found_again_too(works: Works) -> None:
    nothing = {"wish": "IF(level > 99, source)"}
    publish(plan(outputs={"requirements": {"form": "need", "by": ["item", "wish"], "map": nothing}}))
    works.wish(works.lamp, "3")
    assert run()["created"] == 3
    assert run()["unchanged"] == 3


def test_records_made_anew_replace_those_of_the_run_before(works: Works) -> None:
    publish(plan(outputs={"requirements": {"form": "need", "replace": True, "keep": "firm"}}))
    works.wish(works.lamp, "3")
    works.make("need", item=works.lamp, quantity="1")
    assert run()["created"] == 3
    assert run() == {"created": 3, "changed": 0, "unchanged": 0, "removed": 3, "kept": 0}
    assert len(works.needs()) == 4


def test_what_others_point_to_stays(works: Works) -> None:
    publish(plan(outputs={"requirements": {"form": "wish", "by": ["item"], "map": {"open": "FALSE"}}}))
    works.wish(works.lamp, "3")
    run()
    (used,) = [r for r in _wishes() if r["item"] == works.bulb]
    works.make("need", item=works.bulb, wish=used["id"])
    for row in _wishes():
        if row["item"] == works.lamp:
            records.change_record(SYSTEM, "wish", row["id"], {"open": False})
    assert (run()["removed"], run()["kept"]) == (2, 1)
    assert used["id"] in {row["id"] for row in _wishes()}


def _wishes() -> list[dict[str, Any]]:
    return list_records(SYSTEM, get_form("wish"), Query(columns=("item", "quantity", "open"))).rows


def test_parameters_choose_and_are_checked(works: Works) -> None:
    works.wish(works.lamp, "3")
    foot = works.wish(works.foot, "10")
    run(wish=str(foot))
    assert list(works.needs()) == ["Brass"]
    with pytest.raises(Invalid) as refused:
        service.start(SYSTEM, "needs", {"scrap_rule": "add", "wsh": "1"})
    assert [p.at for p in refused.value.problems] == ["parameters.scrap_rule", "parameters.wsh"]


def test_a_circle_writes_nothing_and_says_why(works: Works) -> None:
    works.wish(works.lamp, "3")
    run()
    works.bill(works.brass, (works.lamp, "1"))
    job = jobs.run(service.start(SYSTEM, "needs"))
    assert job.state == "failed"
    assert "Lamp → Foot → Brass → Lamp" in job.reason("en")
    assert len(works.needs()) == 3
    last = service.list_runs(SYSTEM, "needs")[0]
    assert (last.state, last.problems[0]["at"]) == ("failed", "ports.bills")


def test_a_number_beyond_all_measure_is_told(works: Works) -> None:
    works.wish(works.lamp, "1")
    above = works.bulb
    for number in range(4):
        below = works.make("thing", name=f"Part {number}")
        works.bill(above, (below, "900000000000"))
        above = below
    job = jobs.run(service.start(SYSTEM, "needs"))
    assert job.reason("en") == "The calculation gives a number that is too large."


def test_a_row_without_what_is_needed_is_told(works: Works) -> None:
    works.make("wish", quantity="3", open=True)
    job = jobs.run(service.start(SYSTEM, "needs"))
    assert "Row 1 of “Demand” has no “Item”" in job.reason("en")


@pytest.mark.parametrize("wrong", [{"wish": "level + 5"}, {"quantity": "quantity * 10000000000000000"}])
def test_a_form_that_refuses_one_row_takes_none(works: Works, wrong: dict[str, str]) -> None:
    publish(plan(outputs={"requirements": {"form": "need", "replace": True, "map": wrong}}))
    works.wish(works.lamp, "3")
    with pytest.raises(Invalid):
        service.run_within(SYSTEM, "needs", {}, Cause())
    assert works.needs() == {} and service.list_runs(SYSTEM, "needs") == []


def test_a_run_within_a_transaction_goes_with_it(works: Works) -> None:
    works.wish(works.lamp, "3")

    class Stop(Exception):
        pass

    @transactional
    def work() -> None:
        assert service.run_within(SYSTEM, "needs", {}, Cause()).written["requirements"]["created"] == 3
        raise Stop

    with pytest.raises(Stop):
        work()
    assert works.needs() == {}


def test_a_try_shows_the_counts_and_leaves_nothing(works: Works) -> None:
    works.wish(works.lamp, "3")
    tried = service.try_run(SYSTEM, "needs")
    assert tried.written["requirements"]["created"] == 3
    assert works.needs() == {} and service.list_runs(SYSTEM, "needs") == []


def test_two_runs_of_one_plan_do_not_overlap(works: Works) -> None:
    works.wish(works.lamp, "3")
    waiting = service.start(SYSTEM, "needs")
    found = service.get_plan("needs")
    service._begin(found, SYSTEM, {}, waiting)
    with pytest.raises(Conflict):
        service.run_within(SYSTEM, "needs", {}, Cause())
    jobs.run(waiting)
    assert service.run_within(SYSTEM, "needs", {}, Cause()).written["requirements"]["unchanged"] == 3


def test_the_change_log_says_which_plan_wrote(works: Works) -> None:
    works.wish(works.lamp, "3")
    run()
    with reading() as conn:
        (cause,) = conn.execute(
            select(change.c.cause).where(change.c.record == works.needs()["Foot"]["id"])
        ).one()
    assert "plan:needs" in str(cause)


def test_only_who_may_create_the_results_runs_a_plan(works: Works) -> None:
    works.wish(works.lamp, "3")
    publish(
        role("planner", {"form": "need", "may": ["view", "create"]}),
        role("reader", {"form": "need", "may": ["view"]}),
    )
    planner = get_actor(people.add_person(SYSTEM, "planner", "Planner", roles=["planner"]))
    reader = get_actor(people.add_person(SYSTEM, "reader", "Reader", roles=["reader"]))
    assert [each.key for each in service.list_plans(planner)] == ["needs"]
    assert service.list_plans(reader) == []
    jobs.run(service.start(planner, "needs")).require_done()
    assert len(works.needs()) == 3
    for ask in (service.start, service.try_run, service.list_runs):
        with pytest.raises(Forbidden):
            ask(reader, "needs")


def test_a_right_taken_away_stops_a_run_that_waits(works: Works) -> None:
    works.wish(works.lamp, "3")
    publish(role("planner", {"form": "need", "may": ["view", "create"]}))
    person = people.add_person(SYSTEM, "planner", "Planner", roles=["planner"])
    waiting = service.start(get_actor(person), "needs")
    people.change_person(SYSTEM, person, roles=[])
    assert jobs.run(waiting).state == "failed"
    assert works.needs() == {}
