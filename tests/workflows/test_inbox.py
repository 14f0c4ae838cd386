"""The inbox: its order, its days, and how little it asks the database."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.definitions import service as definitions
from formloop.forms import kind as forms_kind
from formloop.workflows import desk, inbox
from formloop.workflows.amendments import service as amendments
from formloop.workflows.inbox import list_tab
from formloop.workflows.narrowing import Wanted

from .specimens import REQUEST
from .stage import END, Stage, approval


def _count(work: Callable[[], Any]) -> int:
    asked: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    with db.reading():
        work()
    event.remove(db.engine(), "before_cursor_execute", note)
    return len(asked)


def test_what_is_done_is_listed_and_filtered_by_the_day_it_was_decided(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    now, bob = clock.now(), stage.actors["bob"]
    with clock.stopped_at(now - timedelta(days=10)):
        first, second = stage.submit(), stage.submit()
    with clock.stopped_at(now - timedelta(days=5)):
        stage.do("bob", "approve", second.case)
    stage.do("bob", "approve", first.case)
    assert [row.case for row in list_tab(bob, "done", "en").rows] == [first.case, second.case]
    lately = Wanted(since=(now - timedelta(days=2)).date())
    assert [row.case for row in list_tab(bob, "done", "en", lately).rows] == [first.case]
    page = list_tab(bob, "done", "en", limit=1)
    assert [row.case for row in list_tab(bob, "done", "en", after=page.next, limit=1).rows] == [second.case]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_done_comes_in_order_from_an_index(stage: Stage) -> None:
    bob = stage.actors["bob"].person_id or 0
    query = inbox._tasks(bob, "done").order_by(inbox.task.c.done_at.desc(), inbox.task.c.id.desc())
    with db.reading() as conn:
        asked = query.compile(db.engine(), compile_kwargs={"literal_binds": True})
        plan = [row.detail for row in conn.execute(text(f"EXPLAIN QUERY PLAN {asked}"))]
    assert any("fl_task_done" in line for line in plan)
    assert not any("TEMP B-TREE" in line for line in plan)


def test_more_rows_of_a_step_that_hides_a_field_are_no_more_statements(stage: Stage) -> None:
    stage.publish(approval("one", "bob", fields={"*": "view", "secret": "hide"}), END)
    bob, boss = stage.actors["bob"], stage.actors["adm"]
    _more_are_no_more(
        stage.submit,
        lambda: list_tab(bob, "todo", "en"),
        lambda: list_tab(bob, "done", "en"),
        lambda: desk.list_items(boss, "running", "en"),
    )


def test_more_proposals_are_no_more_statements(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    change = {
        "x-kind": "workflow", "x-id": "0000002f", "x-key": "request_change", "title": "Change", "form": "request",
        "steps": [approval("agree", "bob")], "amends": {"stages": [{"id": "open", "title": "Open"}]},
    }  # fmt: skip
    amender = {
        "x-kind": "role", "x-id": "000000b9", "x-key": "amender", "title": "Amender",
        "grants": [{"id": "a", "form": "request", "may": ["view", "amend"]}],
    }  # fmt: skip
    definitions.publish_many(SYSTEM, [change, amender], "x")
    bob, boss = stage.actors["bob"], stage.actors["adm"]

    def propose() -> None:
        approved = stage.submit()
        stage.do("bob", "approve", approved.case)
        amendments.propose(boss, "request", stage.record_of(approved.case), {"amount": "7"}, "because")

    _more_are_no_more(
        propose, lambda: list_tab(bob, "todo", "en"), lambda: desk.list_items(boss, "running", "en")
    )


def _more_are_no_more(make: Callable[[], Any], *looks: Callable[[], Any]) -> None:
    make()
    for look in looks:
        look()  # what a process remembers
    few = [_count(look) for look in looks]
    assert all(few)
    for _ in range(4):
        make()
    assert [_count(look) for look in looks] == few


def test_values_in_a_row_say_what_they_are_and_a_case_names_every_step_it_stands_at(stage: Stage) -> None:
    ways = [
        {"id": way, "steps": [approval(f"{way}_one", who)]}
        for way, who in (("left", "bob"), ("right", "cho"))
    ]
    stage.publish({"id": "fork", "node": "parallel", "branches": ways}, END)
    stage.submit()
    (row,) = inbox.list_tab(stage.actors["ann"], "started", "en").rows
    assert row.step == "Left_One, Right_One"
    (row,) = inbox.list_tab(stage.actors["bob"], "todo", "en").rows
    assert row.step == "Left_One"
    subject, day = REQUEST["properties"]["subject"], {"type": "string", "format": "date", "title": "Day"}
    doc = {**REQUEST, "properties": {"subject": subject, "day": day}, "x-list": {"title": "subject"}}
    form = forms_kind.build(doc, 1, lambda key: None)[0]
    told = [{"path": "day", "en": "2026-11-02"}, {"path": "subject", "en": "A desk"}]
    words = inbox.summary_of(form, told, frozenset({"day", "subject"}), "en")
    assert words == [("Day", "2026-11-02"), ("Subject", "A desk")]


def test_a_search_finds_no_title_that_a_step_hid_or_that_was_handed_on(stage: Stage) -> None:
    fields = {"*": "hide", "amount": "view"}
    stage.publish(approval("one", "bob", fields=fields, actions=["approve", "transfer"]), END)
    bob, sought = stage.actors["bob"], Wanted(search="Zebra")
    decided, handed_on = stage.submit(subject="Zebra"), stage.submit(subject="Zebra")
    assert list_tab(bob, "todo", "en", sought).rows == []
    stage.do("bob", "approve", decided.case)
    stage.do("bob", "transfer", handed_on.case, "yours", to=stage.actors["dee"].person_id)
    assert list_tab(bob, "done", "en", sought).rows == []
    assert len(list_tab(stage.actors["ann"], "started", "en", sought).rows) == 2
    stage.publish(approval("one", "bob", fields={"*": "view"}), END)
    seen = stage.submit(subject="Zebra")
    assert [row.case for row in list_tab(bob, "todo", "en", sought).rows] == [seen.case]
