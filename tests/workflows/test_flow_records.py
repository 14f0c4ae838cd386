"""Steps that make, look up, change and move records, on a real database."""

import pytest
from sqlalchemy import event, select

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.core.definitions import Doc
from formloop.core.errors import Invalid
from formloop.definitions import service as definitions
from formloop.forms import rows
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.tables import change as change_log
from formloop.workflows import (
    administration,
    cases,
    working,
)
from workflows.at_once import begun_while
from workflows.errands import errands, listening, make, status_of
from workflows.specimens import REQUEST, STRICTER
from workflows.stage import END, Stage, approval

__all__ = ["listening"]


def test_a_record_is_made_and_known_to_the_steps_behind(stage: Stage) -> None:
    fork = {"id": "size", "node": "condition", "branches": [
        {"id": "large", "when": "flow.make.amount > 50", "steps": [approval("boss", "dee")]}]}  # fmt: skip
    stage.publish(make(), fork, END)
    case = stage.submit(amount="100").case
    assert [(int(e["amount"]), e["subject"]) for e in errands()] == [(100, "A desk")]
    assert stage.is_asked("dee", case)


def test_what_cannot_be_saved_stops_the_case_with_its_reason_and_leaves_nothing(stage: Stage) -> None:
    bad = make(values={"subject": "subject", "amount": "1 / 0"})
    stage.publish(approval("one", "bob"), bad, END)
    case = stage.submit().case
    assert stage.do("bob", "approve", case).status == "stuck"
    assert errands() == []
    assert "zero" in cases.list_notes(case)[-1].detail["reason"]
    assert administration.skip(stage.actors["adm"], case, "not needed").status == "approved"


def test_a_look_up_that_finds_more_than_it_can_keep_stops_the_case(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "MOST_FOUND", 2)
    find = {"id": "all", "node": "data", "do": "query", "form": "errand", "many": True, "by": {"amount": "1"}}
    stage.publish(find, END)
    for status in ("approved", "approved", "approved", "stuck"):  # with none, one, two and three of them
        case = stage.submit().case
        assert status_of(case) == status
        records.create(stage.actors["adm"], "errand", {"subject": "A desk", "amount": "1"})
    assert "More than 2 records fit." in cases.list_notes(case)[-1].detail["reason"]


def test_of_two_cases_that_add_to_one_record_at_once_neither_is_lost(stage: Stage) -> None:
    total = records.create(stage.actors["adm"], "errand", {"subject": "Total", "amount": "1"})["id"]
    find = {"id": "total", "node": "data", "do": "query", "form": "errand", "by": {"subject": '"Total"'}}
    add = {"id": "add", "node": "data", "do": "update", "form": "errand", "record": "flow.total"}
    stage.publish(find, {**add, "values": {"amount": "flow.total.amount + amount"}}, END)
    later = begun_while(lambda: stage.submit(amount="10"), lambda: status_of(stage.submit(amount="100").case))
    assert later == "approved"
    assert {e["amount"] for e in errands() if e["id"] == total} == {111}


TAKE = {
    "id": "take", "node": "data", "do": "update", "form": "errand", "record": "of",
    "values": {"amount": "of.amount - amount"},
}  # fmt: skip


def two_of_sixty(stage: Stage, *steps: Doc) -> list[int]:
    """Ann's two requests that take 60 each of one errand of 100, whose form lets nobody take more than is left."""
    of = {"type": "integer", "x-type": "relation", "x-relation": {"form": "errand"}, "title": "Of"}
    rule = {"id": "enough", "holds": "amount <= of.amount", "at": "amount", "says": "Not as much is left."}
    taking = {**REQUEST, "properties": {**REQUEST["properties"], "of": of}, "x-checks": [rule]}
    definitions.publish_many(SYSTEM, [taking], "second")
    stage.publish(*steps)
    stock = records.create(SYSTEM, "errand", {"subject": "Stock", "amount": "100"})["id"]
    given = {"subject": "A desk", "amount": "60", "of": stock}
    draft = records.Draft(given, owner=stage.actors["ann"].person_id)
    return [each.values["id"] for each in records.save_many(SYSTEM, "request", [draft, draft])]


def test_of_two_cases_that_take_from_one_record_at_once_the_second_is_judged_by_what_the_first_left(
    stage: Stage,
) -> None:
    one, two = two_of_sixty(stage, TAKE, END)

    def later() -> str:
        try:
            return status_of(stage.submit_record(two).case)
        except Invalid as refused:
            return refused.problems[0].code

    assert begun_while(lambda: stage.submit_record(one), later) == "check:enough"
    assert [int(each["amount"]) for each in errands()] == [40]


def test_an_approval_is_refused_where_the_rules_no_longer_hold_when_it_would_lead_to_something(
    stage: Stage,
) -> None:
    made = two_of_sixty(stage, approval("one", "bob"), TAKE, approval("two", "cho"), END)
    first, second = (stage.submit_record(each).case for each in made)
    stage.do("bob", "approve", first)
    with pytest.raises(Invalid) as refused:
        stage.do("bob", "approve", second)
    assert [p.code for p in refused.value.problems] == ["check:enough"] and stage.is_asked("bob", second)
    assert (
        stage.do("cho", "approve", first).status == "approved"
    )  # what it took itself is not held against it
    assert [int(each["amount"]) for each in errands()] == [40]
    assert stage.do("bob", "reject", second, "too late").status == "rejected"


def test_nobody_approves_what_the_form_refuses_by_then(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit(amount="100").case
    definitions.publish_many(SYSTEM, [STRICTER], "second")
    with pytest.raises(Invalid):
        stage.do("bob", "approve", case)
    assert stage.do("bob", "reject", case, "too much").status == "rejected"


def test_the_own_record_is_changed_and_conditions_see_it(stage: Stage) -> None:
    change = {"id": "set", "node": "data", "do": "update", "values": {"amount": "amount * 2"}}
    fork = {"id": "size", "node": "condition", "branches": [
        {"id": "large", "when": "amount = 200", "steps": [approval("boss", "dee")]}]}  # fmt: skip
    stage.publish(change, fork, END)
    assert stage.is_asked("dee", stage.submit(amount="100").case)


def test_the_own_record_is_read_once_while_only_others_are_found_and_written(stage: Stage) -> None:
    find = {"id": "find", "node": "data", "do": "query", "form": "errand", "by": {"subject": "subject"}}
    change = {
        "id": "set", "node": "data", "do": "update", "form": "errand", "record": "flow.find",
        "values": {"amount": "amount * 2"},
    }  # fmt: skip
    records.create(stage.actors["adm"], "errand", {"subject": "A desk", "amount": "1"})
    stage.publish(find, change, find | {"id": "again", "by": {"amount": "amount * 2"}}, END)
    asked: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        stage.submit(amount="100")
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)
    assert [int(each["amount"]) for each in errands()] == [200]
    assert sum(each.startswith("SELECT request.id, request.form_version") for each in asked) == 1


def test_what_a_step_found_to_be_changed_is_read_once_however_many_steps_change_it(stage: Stage) -> None:
    find = {"id": "find", "node": "data", "do": "query", "form": "errand", "by": {"subject": "subject"}}
    change = {
        "id": "add", "node": "data", "do": "update", "form": "errand", "record": "flow.find",
        "values": {"amount": "flow.find.amount + amount"},
    }  # fmt: skip
    records.create(stage.actors["adm"], "errand", {"subject": "A desk", "amount": "1"})
    stage.publish(find, change, change | {"id": "more"}, END)
    asked: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        stage.submit(amount="100")
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)
    assert [int(each["amount"]) for each in errands()] == [201]
    assert sum(each.startswith("SELECT") and "FROM errand" in each for each in asked) == 1


def test_records_are_looked_up_and_walked_one_by_one(stage: Stage) -> None:
    for amount in ("1", "2", "3"):
        records.create(stage.actors["adm"], "errand", {"subject": "A desk", "amount": amount})
    find = {
        "id": "all",
        "node": "data",
        "do": "query",
        "form": "errand",
        "many": True,
        "by": {"subject": "subject"},
    }
    sums = {"id": "sums", "node": "calculate", "values": {"total": "SUM(flow.all.amount)"}}
    double = {"id": "double", "node": "data", "do": "update", "form": "errand", "record": "loop.item",
              "values": {"amount": "loop.item.amount + flow.sums.total"}}  # fmt: skip
    each = {"id": "each", "node": "loop", "over": "all", "steps": [double]}
    stage.publish(find, sums, each, END)
    assert stage.submit().status == "approved"
    assert sorted(int(e["amount"]) for e in errands()) == [7, 8, 9]


def test_another_record_is_moved_to_another_state(stage: Stage) -> None:
    move = {
        "id": "move",
        "node": "data",
        "do": "update",
        "form": "errand",
        "record": "flow.make",
        "state": "confirmed",
    }
    stage.publish(make(), move, END)
    assert stage.submit().status == "approved"
    assert [each["state"] for each in errands()] == ["confirmed"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_values_and_a_state_that_comes_under_a_condition_are_one_change(stage: Stage) -> None:
    change: Doc = {
        "id": "add", "node": "data", "do": "update", "form": "errand", "record": "flow.make",
        "values": {"amount": "flow.make.amount + 1"}, "state": "confirmed", "state_when": "flow.make.amount >= 10",
    }  # fmt: skip
    alone = {key: value for key, value in change.items() if key != "values"} | {"id": "alone"}
    stage.publish(make(), change, alone, END)
    for amount in ("9", "10"):
        assert stage.submit(amount=amount).status == "approved"
    spec = get_form("errand")
    found = [(each["id"], int(each["amount"]), each["state"]) for each in errands()]
    assert [each[1:] for each in found] == [(10, "confirmed"), (11, "confirmed")]
    with db.reading() as conn:
        said = conn.execute(
            select(change_log.c.record, change_log.c.action).where(change_log.c.form == spec.key)
        )
        actions = [(record, action) for record, action in said.all()]
    below, above = (each[0] for each in found)
    assert [a for r, a in actions if r == below] == ["created", "updated", "state:confirmed"]
    assert [a for r, a in actions if r == above] == ["created", "state:confirmed"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_the_condition_of_a_state_cannot_say_stops_the_case(stage: Stage) -> None:
    move = {
        "id": "move", "node": "data", "do": "update", "form": "errand", "record": "flow.make",
        "state": "confirmed", "state_when": "1 / amount > 0",
    }  # fmt: skip
    stage.publish(approval("one", "bob"), make(), move, END)
    case = stage.submit(amount="0").case
    assert stage.do("bob", "approve", case).status == "stuck"
    assert [each["state"] for each in errands()] == ["draft"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"form": "errand", "record": "flow.make", "state": "ran"}, "state"),
        ({"form": "errand", "record": "flow.make", "values": {"amount": "1"}, "state_when": "1 = 1"}, "data"),
        (
            {"form": "errand", "record": "flow.make", "state": "confirmed", "state_when": "amount"},
            "result_type",
        ),
        ({"state": "confirmed"}, "data"),
    ],
)
def test_a_state_that_is_none_or_not_anothers_is_told_before_publishing(
    stage: Stage, said: Doc, code: str
) -> None:
    move = {"id": "move", "node": "data", "do": "update", **said}
    with pytest.raises(Invalid) as refused:
        stage.publish(make(), move, END)
    assert [each.code for each in refused.value.problems] == [code]


BATCH: Doc = {
    "x-kind": "form",
    "x-id": "000000f3",
    "x-key": "batch",
    "title": "Batch",
    "type": "object",
    "properties": {
        "lines": {"type": "array", "x-type": "subform", "title": "Lines", "minItems": 1, "items": {
            "type": "object", "properties": {
                "subject": {"type": "string", "title": "Subject"},
                "amount": {"type": "number", "title": "Amount", "x-scale": 2},
                "twice": {"type": "number", "title": "Twice", "x-formula": "amount * 2"},
            },
        }},
    },
}  # fmt: skip


def batches() -> list[list[tuple[str, int, int]]]:
    spec = get_form("batch")
    with db.reading() as conn:
        ids = list(conn.execute(spec.table.select().with_only_columns(spec.table.c.id)).scalars())
        found = rows.load(conn, spec, sorted(ids)).values()
    return [[(e["subject"], int(e["amount"]), int(e["twice"])) for e in each["lines"]] for each in found]


def test_lines_are_made_of_found_records_and_of_other_lines(stage: Stage) -> None:
    definitions.publish_many(stage.actors["adm"], [BATCH], "first")
    for amount in ("1", "2"):
        records.create(stage.actors["adm"], "errand", {"subject": "A desk", "amount": amount})
    find = {
        "id": "all",
        "node": "data",
        "do": "query",
        "form": "errand",
        "many": True,
        "by": {"subject": "subject"},
    }
    make = {"id": "made", "node": "data", "do": "create", "form": "batch", "values": {"lines": "flow.all"}}
    again = {**make, "id": "again", "values": {"lines": "flow.made.lines"}}
    stage.publish(find, make, again, END)
    stage.submit()
    assert batches() == [[("A desk", 1, 2), ("A desk", 2, 4)]] * 2


def test_what_gives_no_lines_stops_the_case(stage: Stage) -> None:
    definitions.publish_many(stage.actors["adm"], [BATCH], "first")
    find = {
        "id": "all",
        "node": "data",
        "do": "query",
        "form": "errand",
        "many": True,
        "by": {"subject": "subject"},
    }
    make = {
        "id": "made",
        "node": "data",
        "do": "create",
        "form": "batch",
        "values": {"lines": "flow.all.amount"},
    }
    stage.publish(find, make, END)
    records.create(stage.actors["adm"], "errand", {"subject": "A desk", "amount": "1"})
    assert status_of(stage.submit().case) == "stuck"
    assert batches() == []
