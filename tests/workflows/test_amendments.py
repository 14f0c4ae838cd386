"""Changes of approved records: proposed, approved, and then applied at once with what depends on them."""

import threading
from datetime import timedelta

import pytest

from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.core.clock import stopped_at
from formloop.core.errors import Conflict, Forbidden, Invalid
from formloop.definitions import service as definitions
from formloop.events import outbox
from formloop.forms import history, reads
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.workflows import administration, announcing, cases, hearing, service, watching
from formloop.workflows.amendments import chances, impact, proposals, supplements
from workflows.amending import CHANGE, PARCEL, TO_PARCEL, Desk, by, desk

__all__ = ["desk"]
ALL = frozenset({"rows", "rows.what", "rows.count", "rows.price", "total", "day", "guest"})


def test_an_agreed_change_is_applied_with_everything_that_depends_on_it(desk: Desk) -> None:
    record = desk.booking()
    assert desk.needs() == [("cabin", 2, "open")]
    case = desk.propose(record, {"rows": desk.lines(record, count=3), "day": "2026-12-24"}).case
    assert desk.now(record)["total"] == 200
    assert desk.decide("bob", case).status == "approved"
    now = desk.now(record)
    assert (now["total"], str(now["day"]), now["state"]) == (300, "2026-12-24", "confirmed")
    assert desk.needs() == [("cabin", 3, "open")]


def test_a_change_that_ends_by_a_step_with_a_state_brings_the_record_there_and_cancelling_does_not(
    desk: Desk,
) -> None:
    few = {
        "id": "few",
        "when": "SUM(rows.count) < 2",
        "steps": [{"id": "end", "node": "end", "state": "rejected"}],
    }
    steps = [by("usual", "bob"), {"id": "how_many", "node": "condition", "branches": [few]}]
    definitions.publish_many(SYSTEM, [{**CHANGE, "steps": steps}], "second")
    record = desk.booking()
    for count, state in ((3, "confirmed"), (1, "rejected")):
        desk.decide("bob", desk.propose(record, {"rows": desk.lines(record, count=count)}).case)
        assert desk.now(record)["state"] == state
        assert desk.needs() == [("cabin", count, "open")]
    other = desk.booking(("cabin", 1, "100"))
    desk.decide("bob", desk.propose(other, None).case)
    assert desk.now(other)["state"] == "cancelled"


def test_until_it_is_agreed_nothing_changes(desk: Desk) -> None:
    record = desk.booking()
    before = desk.now(record)
    for action in ("reject", "withdraw"):
        case = desk.propose(record, {"rows": desk.lines(record, count=3)}).case
        assert desk.is_asked("bob", case)
        if action == "withdraw":
            service.withdraw(desk.actors["ann"], case)
        else:
            desk.decide("bob", case, "reject", "no room")
        assert desk.now(record) == before
        assert desk.needs() == [("cabin", 2, "open")]


def test_an_approved_record_is_changed_by_nobody_otherwise(desk: Desk) -> None:
    record = desk.booking()
    for who in ("ann", "adm"):
        with pytest.raises(Forbidden):
            records.change_record(desk.actors[who], "booking", record, {"guest": "Li"})
    records.set_state(SYSTEM, "booking", record, "cancelled")  # locked in whatever state it goes on to
    with pytest.raises(Forbidden):
        records.change_record(desk.actors["adm"], "booking", record, {"guest": "Li"})


def test_a_proposal_keeps_old_and_new_values_lines_reason_stage_and_what_depends_on_the_record(
    desk: Desk,
) -> None:
    record = desk.booking(("cabin", 2, "100"), ("dog", 1, "10"))
    wanted = [{**desk.lines(record)[0], "count": 5}, {"what": "cat", "count": 1, "price": "20"}]
    case = desk.propose(record, {"rows": wanted}, reason="More of them").case
    found = proposals.get(case)
    assert (found.reason, found.stage) == ("More of them", "fresh")
    assert found.impact == [["need", {"open": 2}]]
    told = history.describe_difference(
        desk.actors["bob"], get_form("booking"), found.old, found.new, ALL, "en", found.places
    )
    assert {(each.label, each.old, each.new) for each in told} >= {
        ("Rows 1 · Count", "2", "5"),
        ("Rows 2 · What", "dog", ""),
        ("Rows 3 · What", "", "cat"),
        ("Total", "210.00", "520.00"),
    }
    desk.decide("bob", case)
    desk.decide("cho", case)
    assert desk.needs() == [("cabin", 5, "open"), ("dog", 1, "cancelled"), ("cat", 1, "open")]
    kept = proposals.get(case)
    assert (kept.old, kept.new) == (found.old, found.new)
    assert kept.applied_at is not None


def test_the_steps_see_the_record_as_it_would_be_and_as_it_was(desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, {"rows": desk.lines(record, price="250")}).case
    assert desk.decide("bob", case).status == "open"  # more than twice as dear: somebody else agrees too
    assert desk.now(record)["total"] == 200
    assert desk.decide("cho", case).status == "approved"
    assert desk.now(record)["total"] == 500


def test_once_something_depends_on_it_somebody_higher_decides(desk: Desk) -> None:
    record = desk.booking()
    desk.issue()
    case = desk.propose(record, {"rows": desk.lines(record, count=3)}).case
    assert not desk.is_asked("bob", case)
    assert desk.decide("cho", case).status == "approved"
    assert desk.needs() == [("cabin", 3, "issued")]


def test_at_the_last_stage_nothing_changes_and_a_supplement_is_offered(desk: Desk) -> None:
    record, ann = desk.booking(), desk.actors["ann"]
    assert chances.find_chance(ann, get_form("booking"), desk.now(record)).supplement is None  # type: ignore[union-attr]
    desk.leave(record)
    chance = chances.find_chance(ann, get_form("booking"), desk.now(record))
    assert chance is not None and chance.supplement is not None
    assert not chance.may_change and not chance.may_cancel
    for values in ({"day": "2026-12-24"}, None):
        with pytest.raises(Invalid):
            desk.propose(record, values)
    offer = supplements.get_offer(ann, "booking", record)
    assert (offer.form, offer.values) == ("booking", {"guest": "Wu", "original": record})
    raw = {**offer.values, "rows": [{"what": "cat", "count": 1, "price": "20"}]}
    saved = supplements.add(ann, "booking", record, raw, "once")
    assert supplements.add(ann, "booking", record, raw, "once")["id"] == saved["id"]
    assert [(each.way, each.record) for each in reads.list_chain(ann, "booking", record)].count(
        ("to", saved["id"])
    ) == 1
    assert desk.now(saved["id"])["state"] == "draft"


def test_cancelling_is_a_proposal_too_and_takes_along_what_depends_on_the_record(desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, None).case
    assert desk.now(record)["state"] == "confirmed"
    assert desk.decide("bob", case).status == "approved"
    assert desk.now(record)["state"] == "cancelled"
    assert desk.needs() == [("cabin", 2, "cancelled")]
    with pytest.raises(Conflict):
        desk.propose(record, {"day": "2026-12-24"})


def test_a_record_that_changed_meanwhile_is_left_alone_and_the_proposal_goes_back_to_be_renewed(
    desk: Desk,
) -> None:
    record = desk.booking()
    case = desk.propose(record, {"rows": desk.lines(record, count=3)}).case
    free = records.How(trusted=True, unlocked=True)
    records.change_record(SYSTEM, "booking", record, {"day": "2027-01-01"}, how=free)
    before = desk.now(record)
    assert desk.decide("bob", case).status == "returned"
    assert desk.now(record) == before
    assert [note.action for note in cases.list_notes(case)] == ["submit", "outdated"]
    assert desk.is_asked("ann", case)
    again = desk.propose(record, {"rows": desk.lines(record, count=3)}, reason="Still wanted")
    assert (again.case, again.status) == (case, "open")
    assert desk.decide("bob", case).status == "approved"
    now = desk.now(record)
    assert (now["total"], str(now["day"])) == (300, "2027-01-01")
    assert [found.reason for found in proposals.list_of("booking", record)] == ["Still wanted", "They asked"]


def test_a_record_that_has_gone_further_meanwhile_needs_the_approval_of_that_stage(desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, {"rows": desk.lines(record, count=3)}).case
    desk.issue()
    assert desk.decide("bob", case).status == "returned"
    desk.propose(record, {"rows": desk.lines(record, count=3)})
    assert not desk.is_asked("bob", case)
    assert desk.decide("cho", case).status == "approved"


def test_of_two_proposals_one_is_under_way(desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, {"day": "2026-12-24"}).case
    for who in ("ann", "adm"):
        with pytest.raises(Conflict):
            desk.propose(record, {"day": "2026-12-25"}, who=who)
    desk.decide("bob", case)
    assert desk.propose(record, {"day": "2026-12-25"}, who="adm").status == "open"


def test_two_who_propose_at_the_same_moment(desk: Desk) -> None:
    record = desk.booking()
    barrier, won, lost = threading.Barrier(2), [], []

    def click(day: str) -> None:
        barrier.wait()
        try:
            won.append(desk.propose(record, {"day": day}).case)
        except Conflict as error:
            lost.append(error)

    threads = [threading.Thread(target=click, args=(day,)) for day in ("2026-12-24", "2026-12-25")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (len(won), len(lost)) == (1, 1)
    assert len(proposals.list_of("booking", record)) == 1


def test_a_bridge_that_refuses_leaves_everything_as_it_was(desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, {"rows": desk.lines(record, count=101)}).case
    before, found = desk.now(record), proposals.get(case)
    assert desk.decide("bob", case).status == "open"
    with pytest.raises(Invalid) as refused:  # a need has at most 100
        desk.decide("cho", case)
    assert refused.value.problems[0].code == "bridge"
    assert desk.now(record) == before
    assert desk.needs() == [("cabin", 2, "open")]
    assert proposals.get(case) == found
    assert desk.is_asked("cho", case)
    assert desk.decide("cho", case, "reject", "too many").status == "rejected"


def test_a_crash_while_it_is_applied_leaves_everything_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = desk.booking()
    case = desk.propose(record, {"rows": desk.lines(record, count=3)}).case
    before = desk.now(record)

    def crash(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(announcing, "announce", crash)  # the very last thing
    with pytest.raises(ZeroDivisionError):
        desk.decide("bob", case)
    assert desk.now(record) == before
    assert desk.needs() == [("cabin", 2, "open")]
    monkeypatch.undo()
    assert desk.decide("bob", case).status == "approved"


def test_an_administrator_may_end_it_early_and_then_it_is_applied_once(desk: Desk) -> None:
    record, adm = desk.booking(), desk.actors["adm"]
    case = desk.propose(record, {"day": "2026-12-24"}).case
    assert administration.end(adm, case, "urgent").status == "approved"
    assert str(desk.now(record)["day"]) == "2026-12-24"
    with pytest.raises(Conflict):
        administration.reactivate(adm, case)  # another change is another proposal


def test_an_approval_stays_while_a_change_of_its_record_is_under_way(desk: Desk) -> None:
    record, adm = desk.booking(), desk.actors["adm"]
    approved = cases.list_cases("booking", record)[0].id
    change = desk.propose(record, {"guest": "New"}).case
    for does in (administration.void, administration.reactivate):
        with pytest.raises(Conflict, match="End that one first"):
            does(adm, approved, comment="a mistake")
    desk.decide("bob", change)
    with pytest.raises(Conflict, match="Only its newest"):
        administration.void(adm, approved, "a mistake")
    assert (desk.now(record)["state"], desk.now(record)["guest"]) == ("confirmed", "New")


def test_what_was_approved_is_neither_voided_nor_taken_up_again_where_it_can_be_cancelled(desk: Desk) -> None:
    """It would leave what other steps have counted, or count it twice; the desk does not even offer it."""
    approved = cases.list_cases("booking", desk.booking())[0]
    offer = administration.find_offer(approved)
    assert not {"void", "reactivate"} & offer.actions and not offer.steps
    for does in (administration.void, administration.reactivate):
        with pytest.raises(Conflict, match="Propose to cancel"):
            does(desk.actors["adm"], approved.id, comment="a mistake")


def test_what_was_made_of_what_was_made_counts_too_but_not_what_a_supplement_led_to(desk: Desk) -> None:
    """Parcels are made of needs; a booking is linked to its supplement, which has needs of its own."""
    definitions.publish_many(SYSTEM, [PARCEL, TO_PARCEL], "more")
    record, spec = desk.booking(), get_form("booking")
    assert [(d.form, dict(d.states)) for d in impact.list_dependents(spec, record)] == [
        ("need", {"open": 1}),
        ("parcel", {"packed": 1}),
    ]
    desk.leave(record)
    offer = supplements.get_offer(desk.actors["ann"], "booking", record)
    raw = {**offer.values, "rows": [{"what": "cat", "count": 1, "price": "20"}]}
    extra = supplements.add(desk.actors["ann"], "booking", record, raw, None)
    desk.decide("bob", service.submit(desk.actors["ann"], "booking", extra["id"]).case)
    assert desk.needs() == [("cabin", 2, "open"), ("cat", 1, "open")]
    found = {d.form: dict(d.states) for d in impact.list_dependents(spec, record)}
    assert found == {
        "booking": {"confirmed": 1},
        "need": {"open": 1},
        "parcel": {"packed": 1},
        "trip": {"gone": 1},
    }


def test_a_returned_proposal_is_corrected_by_whoever_made_it(desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, {"rows": desk.lines(record, count=9)}).case
    assert desk.decide("bob", case, "return", "too many", to="initiator").status == "returned"
    with pytest.raises(Conflict):
        desk.propose(record, {"rows": desk.lines(record, count=3)}, who="adm")
    again = desk.propose(record, {"rows": desk.lines(record, count=3)}, reason="Only three")
    assert (again.case, again.status) == (case, "open")
    assert desk.now(record)["total"] == 200
    assert desk.decide("bob", case).status == "approved"
    assert desk.now(record)["total"] == 300
    assert [note.action for note in cases.list_notes(case)] == [
        "submit",
        "return",
        "submit",
        "approve",
        "finished",
    ]


def test_a_change_may_become_a_cancellation_while_it_is_with_whoever_made_it(desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, {"day": "2026-12-24"}).case
    desk.decide("bob", case, "return", "rather cancel", to="initiator")
    assert desk.propose(record, None).case == case
    desk.decide("bob", case)
    assert desk.now(record)["state"] == "cancelled"
    assert str(desk.now(record)["day"]) == "2026-12-01"


def test_an_outdated_proposal_is_not_even_applied_by_an_administrator(desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, {"day": "2026-12-24"}).case
    desk.issue()
    before = desk.now(record)
    assert administration.end(desk.actors["adm"], case, "urgent").status == "returned"
    assert desk.now(record) == before


def test_a_time_that_has_come_applies_no_outdated_proposal(desk: Desk) -> None:
    hearing.start()
    due = {"after": "P1D", "then": [{"do": "approve"}]}
    definitions.publish_many(SYSTEM, [{**CHANGE, "steps": [by("usual", "bob", due=due)]}], "third")
    for outdated, status in ((False, "approved"), (True, "returned")):
        record = desk.booking()
        case = desk.propose(record, {"day": "2026-12-24"}).case
        if outdated:
            free = records.How(trusted=True, unlocked=True)
            records.change_record(SYSTEM, "booking", record, {"guest": "Li"}, how=free)
        with stopped_at(clock.now() + timedelta(days=2)):
            assert watching.run_due() == 1
            outbox.drain()
        now = cases.get_case(case)
        assert now is not None and now.status == status
        assert str(desk.now(record)["day"]) == ("2026-12-01" if outdated else "2026-12-24")


def test_a_returned_proposal_goes_on_by_the_version_it_began_with(desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, {"day": "2026-12-24"}).case
    desk.decide("bob", case, "return", "why?", to="initiator")
    other = {**CHANGE["amends"], "stages": [{"id": "another", "forbids": ["day"]}]}
    definitions.publish_many(SYSTEM, [{**CHANGE, "amends": other}], "third")
    assert desk.propose(record, {"day": "2026-12-24"}, reason="Because").case == case
    assert desk.decide("bob", case).status == "approved"
    with pytest.raises(Invalid):  # the next one begins with the new version
        desk.propose(record, {"day": "2026-12-25"})


def test_of_several_approved_at_once_the_outdated_one_is_named(desk: Desk) -> None:
    asked = []
    for _ in range(2):
        case = desk.propose(desk.booking(), {"day": "2026-12-24"}).case
        found = cases.find_own_task(case, desk.actors["bob"].person_id)
        assert found is not None
        asked.append(int(found.id))
    desk.issue()  # something depends on the first one now
    done = service.approve_many(desk.actors["bob"], asked)
    assert (done.done, [task for task, _ in done.refused]) == (1, asked[:1])
