"""What no amendment may be: who proposes none, what a proposal must hold to, and what is wrong with an amending workflow."""

from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.errors import Conflict, Forbidden, Invalid
from formloop.definitions import service as definitions
from formloop.forms.spec import Values
from formloop.workflows import service
from formloop.workflows.amendments import proposals, supplements
from workflows.amending import APPROVAL, CHANGE, Desk, by, desk, role

__all__ = ["desk"]


@pytest.mark.parametrize(
    ("what", "at"),
    [("guest", "guest"), ("name", "rows.0.what"), ("less", "rows")],
)
def test_a_stage_forbids_what_it_says(desk: Desk, what: str, at: str) -> None:
    record = desk.booking(("cabin", 2, "100"), ("dog", 1, "10"))
    desk.issue()
    values: dict[str, Values] = {
        "guest": {"guest": "Li"},
        "name": {"rows": desk.lines(record, what="suite")},
        "less": {"rows": desk.lines(record)[:1]},
    }
    with pytest.raises(Invalid) as refused:
        desk.propose(record, values[what])
    assert [(p.code, p.at) for p in refused.value.problems] == [("locked", at)]
    more = [*desk.lines(record, count=4), {"what": "cat", "count": 1}]
    assert desk.propose(record, {"rows": more}).status == "open"


def test_where_nothing_is_locked_no_supplement_is_taken(desk: Desk) -> None:
    record = desk.booking()
    with pytest.raises(Conflict):
        supplements.add(desk.actors["ann"], "booking", record, {"guest": "Wu"}, None)


def test_whoever_read_an_older_revision_proposes_nothing(desk: Desk) -> None:
    record = desk.booking()
    with pytest.raises(Conflict):
        desk.propose(record, {"day": "2026-12-24"}, revision=desk.now(record)["revision"] - 1)
    assert proposals.list_of("booking", record) == []


@pytest.mark.parametrize(("who", "error"), [("bob", Forbidden), ("dee", Forbidden), ("eve", Forbidden)])
def test_who_may_not_propose_is_refused(desk: Desk, who: str, error: type[Exception]) -> None:
    record = desk.booking()
    with pytest.raises(error):
        desk.propose(record, {"day": "2026-12-24"}, who=who)


def test_nobody_proposes_what_they_may_not_change(desk: Desk) -> None:
    narrow = {
        "id": "own",
        "form": "booking",
        "where": "owner = USER()",
        "may": ["view", "amend", "create", "submit"],
        "except": ["rows.price", "total"],
    }
    record = desk.booking()
    definitions.publish_many(SYSTEM, [role("seller", 1, narrow)], "narrower")
    with pytest.raises(Invalid) as refused:
        desk.propose(record, {"rows": desk.lines(record, price="1")})
    assert {p.code for p in refused.value.problems} == {"forbidden"}
    first = {key: value for key, value in desk.lines(record)[0].items() if key != "price"}
    case = desk.propose(record, {"rows": [{**first, "count": 3}]}).case
    desk.decide("bob", case)
    assert desk.now(record)["total"] == 300  # the price they do not see is still there


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
def test_a_proposal_needs_a_reason(desk: Desk, reason: str) -> None:
    record = desk.booking()
    with pytest.raises(Invalid) as refused:
        desk.propose(record, {"day": "2026-12-24"}, reason=reason)
    assert refused.value.problems[0].at == "_reason"


def test_a_proposal_that_changes_nothing_is_none(desk: Desk) -> None:
    record = desk.booking()
    with pytest.raises(Invalid) as refused:
        desk.propose(record, {"rows": desk.lines(record)})
    assert refused.value.problems[0].code == "unchanged"


def test_what_is_proposed_is_checked_like_what_is_saved(desk: Desk) -> None:
    record = desk.booking()
    with pytest.raises(Invalid) as refused:
        desk.propose(record, {"guest": "", "total": "1"})
    assert {p.at for p in refused.value.problems} == {"guest", "total"}


def test_a_record_under_change_cannot_be_submitted_anew(desk: Desk) -> None:
    record = desk.booking()
    desk.propose(record, {"day": "2026-12-24"})
    with pytest.raises(Conflict):
        service.submit(desk.actors["ann"], "booking", record)


def broken(**amends: Any) -> Any:
    """The amending workflow with other amendments."""
    return {**CHANGE, "amends": {**CHANGE["amends"], **amends}}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize(
    ("doc", "at"),
    [
        (broken(stages=[{"id": "a"}, {"id": "b"}]), "amends.stages.0.when"),
        (broken(stages=[{"id": "a", "when": "TRUE"}, {"id": "a"}]), "amends.stages.1.id"),
        (broken(stages=[{"id": "a", "forbids": ["nothing"]}]), "amends.stages.0.forbids"),
        (broken(stages=[{"id": "a", "forbids": ["+guest"]}]), "amends.stages.0.forbids"),
        (broken(stages=[{"id": "a", "when": "nothing > 1"}]), "amends.stages.0.when"),
        (broken(stages=[{"id": "a", "when": "guest"}]), "amends.stages.0.when"),
        (broken(cancelled="lost"), "amends.cancelled"),
        (broken(dependents=["nowhere", "need", "trip"]), "amends.dependents.0"),
        (broken(supplement={"form": "nowhere"}), "amends.supplement.form"),
        (broken(supplement={"form": "booking", "values": {"total": "1"}}), "amends.supplement.values.total"),
        ({**CHANGE, "steps": [by("a", "bob", fields={"day": "edit"})]}, "steps.0.fields.day"),
        (
            {**CHANGE, "steps": [{"id": "a", "node": "data", "do": "update", "values": {"day": "TODAY()"}}]},
            "steps.0",
        ),
    ],
)
def test_what_is_wrong_with_an_amending_workflow_is_said_with_its_place(
    desk: Desk, doc: Any, at: str
) -> None:
    with pytest.raises(Invalid) as refused:
        definitions.publish_many(SYSTEM, [doc], "third")
    assert at in [p.at.removeprefix("booking_change.") for p in refused.value.problems]


def test_a_form_has_one_workflow_for_records_and_one_for_their_changes(desk: Desk) -> None:
    for each in (APPROVAL, CHANGE):
        with pytest.raises(Invalid):
            definitions.publish_many(SYSTEM, [{**each, "x-id": "00000e99", "x-key": "another"}], "third")


def test_how_far_a_record_is_depends_on_nobody_who_looks(desk: Desk) -> None:
    doc = {**CHANGE, "amends": {**CHANGE["amends"], "stages": [{"id": "a", "when": "owner = USER()"}]}}
    with pytest.raises(Invalid) as refused:
        definitions.publish_many(SYSTEM, [doc], "third")
    assert "about_people" in [p.code for p in refused.value.problems]
