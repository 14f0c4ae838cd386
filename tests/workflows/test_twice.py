"""One record submitted by two at the same moment, and a sub-flow that ends as somebody begins to wait for it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.definitions import Doc
from formloop.core.errors import Conflict, Invalid
from formloop.db import reading
from formloop.definitions import service as definitions
from formloop.events import outbox
from formloop.forms import rows
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.workflows import beginning, cases, hearing, moving, service, watching
from formloop.workflows.turning import Turn
from workflows.at_once import begun_while
from workflows.specimens import workflow_doc
from workflows.stage import END, Stage, approval

# on SQLite writers take turns, so two can never be at this place together
pytestmark = [
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
    pytest.mark.postgres,
]


def submitted_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, second: str
) -> tuple[service.Result, service.Result]:
    """Ann's request is held just before it writes its case; meanwhile `second` submits the same record."""
    stage.publish(approval("one", "bob"), END)
    record, add_case = stage.record(), beginning.add_case
    held, go_on = threading.Event(), threading.Event()

    def add_held(turn: Turn) -> None:
        if not held.is_set():
            held.set()
            go_on.wait(20)
        add_case(turn)

    monkeypatch.setattr(beginning, "add_case", add_held)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(service.submit, stage.actors["ann"], "request", record)
        held.wait(20)
        try:
            faster = service.submit(stage.actors[second], "request", record)
        finally:
            go_on.set()
        return faster, first.result(20)


def test_both_requests_of_one_person_are_told_of_the_one_case(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    faster, slower = submitted_at_once(stage, monkeypatch, "ann")
    assert (slower.case, slower.repeated, faster.repeated) == (faster.case, True, False)


def test_of_two_people_the_second_is_told_that_it_is_under_approval(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Conflict):
        submitted_at_once(stage, monkeypatch, "adm")


SUB = {"id": "sub", "node": "subflow", "form": "request", "record": "of"}
TRIP: Doc = {
    "x-kind": "form",
    "x-id": "000000f4",
    "x-key": "trip",
    "title": "Trip",
    "type": "object",
    "properties": {
        "of": {"type": "integer", "x-type": "relation", "x-relation": {"form": "request"}, "title": "Of"}
    },
}


def trip_of(stage: Stage, record: int, *steps: Doc) -> int:
    """A trip whose workflow leads to the approval of a request."""
    stage.publish(approval("one", "bob"), END)
    own = {**workflow_doc(*steps, END), "x-id": "0000002e", "x-key": "trip_approval", "form": "trip"}
    definitions.publish_many(SYSTEM, [TRIP], "first")
    definitions.publish_many(SYSTEM, [own], "second")
    return int(records.create(stage.actors["adm"], "trip", {"of": record})["id"])


def test_a_case_goes_on_whose_sub_flow_ends_just_as_it_begins_to_wait_for_it(stage: Stage) -> None:
    hearing.start()
    record = stage.record()
    trip = trip_of(stage, record, SUB)
    inner = service.submit(stage.actors["ann"], "request", record).case
    outer = begun_while(
        lambda: stage.do("bob", "approve", inner),
        lambda: service.submit(stage.actors["adm"], "trip", trip),
    )
    assert outer.status == "open"
    watching.run_due()
    outbox.drain()
    assert cases.list_cases("trip", trip)[0].status == "approved"


def test_a_record_submitted_just_as_a_sub_flow_submits_it_has_one_case_for_both(stage: Stage) -> None:
    record = stage.record()
    trip = trip_of(stage, record, approval("first", "dee"), SUB)
    outer = service.submit(stage.actors["adm"], "trip", trip).case
    agreed = begun_while(
        lambda: service.submit(stage.actors["ann"], "request", record),
        lambda: stage.do("dee", "approve", outer),
    )
    assert agreed.status == "open"
    (inner,) = cases.list_cases("request", record)
    assert cases.list_notes(outer)[-1].detail == {"case": inner.id}


@pytest.mark.parametrize("raw", [{"reason": "typed by bob"}, None])
def test_what_a_step_requires_counts_also_when_the_case_is_moved_meanwhile(
    stage: Stage, raw: dict[str, str] | None
) -> None:
    fields = {"*": "view", "reason": "require"}
    stage.publish(approval("old", "bob", fields=fields), END)
    case = stage.submit().case
    stage.publish(approval("new", "bob", fields=fields), END)

    def decide() -> str:
        try:
            return stage.do("bob", "approve", case, raw=raw).status
        except Invalid as error:
            return error.problems[0].at

    moved = begun_while(
        lambda: moving.move_cases(stage.actors["adm"], workflow_doc()["x-key"], {"old": "new"}), decide
    )
    assert moved == ("approved" if raw else "reason")
    with reading() as conn:
        record = stage.record_of(case)
        assert rows.load(conn, get_form("request"), [record])[record]["reason"] == (raw or {}).get("reason")
